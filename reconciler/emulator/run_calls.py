"""The calls of the emulated ACC that start, show and settle agent runs and job runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from reconciler.emulator.acc_state import Agent, JobRun, JobStatus, Run, RunStatus
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.execution import Execution, StartRequest, sessions_of
from reconciler.emulator.reply import Call, DelayedReply, Refusal, Reply, json_reply, zip_reply
from reconciler.emulator.schedule_calls import check_log_level, check_parameters
from reconciler.emulator.spelling import Spelling, log_name
from reconciler.identity import normal_id
from reconciler.model.state import JSON

RUN_METHODS = (
    "Restart",
    "Continue",
    "ContinueRefreshAgent",
    "ContinueAndRetryErrors",
    "ContinueAndRetryErrorsRefreshAgent",
    "New",
)
_START_FIELDS = {
    "sessionId": str,
    "logLevel": int,
    "isProductionRun": bool,
    "inputParameters": str,
    "inputFiles": list,
    "isDeleteInputFilesOnCompleted": bool,
}
_CLUSTER_FIELDS = {
    "useMultipleSessions": bool,
    "isSynchronous": bool,
    "synchronousTimeout": int,
    "synchronousDataDelivery": str,
}
_LONGEST_WAIT = 86400
_DELIVERIES = ("none", "plain", "zip")
_Dated = TypeVar("_Dated", Run, JobRun)


@dataclass(eq=False)
class RunCalls:
    """Start, restart, retry; details, histories, logs and data of runs and jobs."""

    estate: Estate
    execution: Execution
    spelling: Spelling

    def start_on_cluster(self, agent: Agent, call: Call) -> Reply | DelayedReply:
        """Sequentum ACC, API Access: Start agent on cluster."""
        body = call.json_object()
        request = read_request(agent, body, {**_START_FIELDS, **_CLUSTER_FIELDS})
        delivery = str(body.get("synchronousDataDelivery") or "None").lower()
        if delivery not in _DELIVERIES:
            raise Refusal(400, "synchronousDataDelivery must be None, Plain or Zip")
        timeout = body.get("synchronousTimeout")
        if timeout is not None and not 1 <= timeout <= _LONGEST_WAIT:
            raise Refusal(400, f"synchronousTimeout must be between 1 and {_LONGEST_WAIT}")
        many = bool(body.get("useMultipleSessions"))
        if many and request.session_id:
            raise Refusal(400, "sessionId must be empty when useMultipleSessions is true")
        request = self.execution.admit(agent, request, many=many)
        self._refuse_busy(agent, call.now, request.session_id, many=many)
        runs = [
            self.execution.start_run(agent, request, call.now, session=session)
            for session in sessions_of(request.session_id)
        ]
        if many:
            runs[0].session_id = runs[0].run_id
        if not body.get("isSynchronous"):
            return self._started(runs)
        until = min(max(run.end for run in runs), call.now + timedelta(seconds=60 if timeout is None else timeout))
        return DelayedReply(until, lambda now: self._delivered(runs, delivery, now), effect="run-started")

    def restart(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Restart run."""
        return self._started([self._again(self._run(call.args[0]), call.now)])

    def retry(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Retry run. What continues keeps its run; Restart and New make another one."""
        method = call.query.get("RunMethod", "ContinueAndRetryErrorsRefreshAgent")
        if method not in RUN_METHODS:
            raise Refusal(400, f"RunMethod must be one of {', '.join(RUN_METHODS)}")
        run = self._run(call.args[0])
        if method in ("Restart", "New"):
            return self._started([self._again(run, call.now)])
        self.execution.admit(run.agent, StartRequest(session_id=run.session_id))
        self._refuse_busy(run.agent, call.now, run.session_id)
        run.end = call.now + timedelta(seconds=run.agent.duration)
        run.outcome = self.execution.outcome(run.agent)
        run.settled = False
        if run not in self.estate.unsettled:
            self.estate.unsettled.append(run)
        return self._started([run])

    def details(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get agent run details."""
        return self._json(self.spelling.run(self._run(call.args[0]), call.now))

    def history(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get agent run history; the latest first."""
        return self._latest(agent.runs, self.spelling.run, call)

    def history_of_job(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get agent run history for a job run."""
        number = int(call.args[1])
        runs = [run for run in agent.runs if (run.job.number if run.job else 0) == number]
        return self._latest(runs, self.spelling.run, call)

    def start_job(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Start Job."""
        request = read_request(agent, call.json_object(), _START_FIELDS)
        job = self.execution.start_job(agent, request, call.now)
        document = {"agentJobHistoryId": self.spelling.guid(job.job_id), "jobRunId": job.number}
        return json_reply(self.spelling.written(document), effect="job-started")

    def job_details(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get job run details."""
        return self._json(self.spelling.job(self._job(call.args[0]), call.now))

    def job_history(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get job run history; the latest first."""
        return self._latest(agent.jobs, self.spelling.job, call)

    def set_job_status(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Set status for latest job run."""
        status = call.json_object().get("status")
        if isinstance(status, bool) or not isinstance(status, int) or not 0 <= status <= 5:
            raise Refusal(400, "status must be 0, 1, 2, 3, 4 or 5")
        if not agent.jobs:
            raise Refusal(404, "The agent has no job run")
        self.execution.set_job_status(agent.jobs[-1], JobStatus(status), call.now)
        return Reply(effect="job-status-set")

    def log(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get log for a specific agent run. A zip file."""
        return self._logs([self._run(call.args[0])], call.now, "log.zip")

    def job_logs(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get all logs for a specific job run. A zip file."""
        return self._logs(self._job(call.args[0]).runs, call.now, "logs.zip")

    def backup(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get data for a specific agent run. A zip file."""
        return zip_reply(self._data([self._run(call.args[0])], call.now), "rundata.zip")

    def job_backup(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get all data for a specific job run. A zip file."""
        return zip_reply(self._data(self._job(call.args[0]).runs, call.now), "jobdata.zip")

    def _again(self, run: Run, now: datetime) -> Run:
        self.execution.admit(run.agent, StartRequest(session_id=run.session_id))
        self._refuse_busy(run.agent, now, run.session_id)
        request = StartRequest(
            log_level=run.log_level,
            is_production=run.is_production,
            parameters=run.parameters,
            input_files=run.input_files,
            delete_input_files=run.delete_input_files,
        )
        return self.execution.start_run(run.agent, request, now, job=run.job, session=run.session_id)

    def _refuse_busy(self, agent: Agent, now: datetime, session: str | None, *, many: bool = False) -> None:
        if many:
            return
        wanted = set(sessions_of(session))
        if any(run.session_id in wanted for run in agent.active_runs(now)):
            raise Refusal(int(self.execution.switches.busy_job), "The agent is already running")

    def _started(self, runs: Iterable[Run]) -> Reply:
        document = {"agentRunHistoryIds": [self.spelling.guid(run.run_id) for run in runs]}
        return json_reply(self.spelling.written(document), effect="run-started")

    def _delivered(self, runs: list[Run], delivery: str, now: datetime) -> Reply:
        for run in runs:
            if run.status(now) < RunStatus.SUCCEEDED:
                self.execution.stop(run, now)
        self.execution.settle(now)
        match delivery:
            case "plain":
                good = next((run for run in runs if run.status(now) is RunStatus.SUCCEEDED), None)
                text = good.agent.data if good else ""
                return Reply(text.encode(), content_type="text/plain; charset=utf-8", effect="run-started")
            case "zip":
                reply = zip_reply(self._data(runs, now, needs_backup=False), "data.zip")
                reply.effect = "run-started"
                return reply
        return self._started(runs)

    def _run(self, run_id: str) -> Run:
        if (run := self.estate.runs.get(normal_id(run_id))) is None:
            raise Refusal(404, f"There is no run {run_id}")
        return run

    def _job(self, job_id: str) -> JobRun:
        if (job := self.estate.jobs.get(normal_id(job_id))) is None:
            raise Refusal(404, f"There is no job run {job_id}")
        return job

    def _json(self, document: JSON) -> Reply:
        return json_reply(self.spelling.written(document))

    def _latest(self, past: list[_Dated], spelled: Callable[[_Dated, datetime], JSON], call: Call) -> Reply:
        """The latest first, as many as the query's `count` says, by default 100 as documented."""
        text = call.query.get("count", "100")
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise Refusal(400, "count must be a number")
        latest = sorted(past, key=lambda entry: entry.start, reverse=True)[: int(text)]
        return self._json([spelled(entry, call.now) for entry in latest])

    def _logs(self, runs: Iterable[Run], now: datetime, name: str) -> Reply:
        zone = self.spelling.zone
        return zip_reply(packed(runs, lambda run: log_name(run, zone), lambda run: log_text(run, now)), name)

    def _data(self, runs: Iterable[Run], now: datetime, *, needs_backup: bool = True) -> bytes:
        good = [run for run in runs if run.status(now) is RunStatus.SUCCEEDED]
        if needs_backup and (not good or not good[0].agent.keeps_backup):
            raise Refusal(404, "There is no backup data")
        return packed(good, lambda run: f"{run.agent.name}.csv", lambda run: run.agent.data)


def read_request(agent: Agent, body: dict[str, JSON], known: dict[str, type]) -> StartRequest:
    """The documented fields of a start. Raises Refusal for one that is unknown, of another type, or out of range."""
    for name, value in body.items():
        if name not in known:
            raise Refusal(400, f"Unknown field: {name}")
        wanted = known[name]
        if value is not None and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
            raise Refusal(400, f"{name} has the wrong type")
    level = body.get("logLevel")
    check_log_level(1 if level is None else level)
    check_parameters(body.get("inputParameters"))
    files = body.get("inputFiles") or []
    for name in files:
        held = agent.input_files.get(name) if isinstance(name, str) else None
        if held is None or not held.enabled:
            raise Refusal(400, f"There is no input file {name!r}")
        if not name.lower().endswith((".csv", ".txt")):
            raise Refusal(400, f"An input file of a run is a .csv or .txt: {name!r}")
    production = body.get("isProductionRun")
    return StartRequest(
        session_id=body.get("sessionId") or None,
        log_level=1 if level is None else level,
        is_production=True if production is None else production,
        parameters=body.get("inputParameters"),
        input_files=tuple(files),
        delete_input_files=bool(body.get("isDeleteInputFilesOnCompleted")),
    )


def log_text(run: Run, now: datetime) -> str:
    """What a run logged, more of it on a higher level."""
    lines = [f"{run.start.isoformat()} Agent {run.agent.path} started."]
    if run.log_level > 1:
        lines += [f"{run.start.isoformat()} Page load {number}." for number in range(1, run.log_level + 1)]
    if run.status(now) >= RunStatus.SUCCEEDED:
        lines.append(f"{run.end.isoformat()} Agent ended: {run.outcome.name.title()}.")
    return "\r\n".join(lines) + "\r\n" if run.log_level else ""


def packed(runs: Iterable[Run], name: Callable[[Run], str], content: Callable[[Run], str]) -> bytes:
    """One file a run in a zip; a name that is taken gets a number."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        taken: set[str] = set()
        for run in runs:
            stem, _, ending = name(run).rpartition(".")
            full = f"{stem}.{ending}"
            number = 2
            while full in taken:
                full, number = f"{stem}-{number}.{ending}", number + 1
            taken.add(full)
            archive.writestr(zipfile.ZipInfo(full, run.start.timetuple()[:6]), content(run))
    return target.getvalue()
