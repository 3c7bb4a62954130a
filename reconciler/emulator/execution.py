"""How runs come about and end in the emulated ACC: by a call, by a schedule, and by the clock alone."""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from reconciler.emulator.acc_state import Agent, JobRun, JobStatus, Run, RunStatus, Schedule, ScheduleStatus
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.prediction import predict
from reconciler.emulator.reply import Refusal
from reconciler.emulator.switches import Switches
from reconciler.identity import normal_id

_SESSIONS = re.compile(r"(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?/(?P<all>\d{1,9})", re.ASCII)
_MOST_FIRINGS = 1000


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a start asks for: the documented fields of "Start agent on cluster" and "Start Job"."""

    session_id: str | None = None
    log_level: int = 1
    is_production: bool = True
    parameters: str | None = None
    input_files: tuple[str, ...] = ()
    delete_input_files: bool = False
    is_windowless: bool = True


@dataclass(eq=False)
class Execution:
    """Starts runs and lets them end. Nothing here waits: time is what the caller says it is."""

    estate: Estate
    switches: Switches
    _fired_until: datetime | None = None

    def admit(self, agent: Agent, request: StartRequest, *, many: bool = False) -> StartRequest:
        """What is started of an request, as far as the agent allows. Raises Refusal.

        A start needs an agent that is deployed, and a session one that supports sessions [D]; what ACC says to others,
        and to an agent that is not approved, is a switch.
        """
        if not agent.deployed and self.switches.undeployed_start != "failed-run":
            raise Refusal(int(self.switches.undeployed_start), "The agent is not deployed to any server")
        if not agent.approved and self.switches.disapproved_start not in ("starts", "failed-run"):
            raise Refusal(int(self.switches.disapproved_start), "The agent is not approved")
        if many and agent.sessions != "multiple":
            raise Refusal(400, "The agent is not configured to support multiple sessions")
        if request.session_id and agent.sessions == "none":
            if self.switches.unsupported_session == "refuse":
                raise Refusal(400, "The agent does not support sessions")
            return replace(request, session_id=None)
        return request

    def outcome(self, agent: Agent) -> RunStatus:
        """How the agent's next run will end: badly where there is no server to run on, or no approval to run with."""
        outcome = agent.next_outcome()
        runs = agent.deployed and (agent.approved or self.switches.disapproved_start != "failed-run")
        return outcome if runs else RunStatus.FAILED

    def start_job(self, agent: Agent, request: StartRequest, now: datetime, schedule: Schedule | None = None) -> JobRun:
        """Start the agent's job. Raises Refusal while another job of the same agent runs."""
        request = self.admit(agent, request)
        if agent.active_job(now) is not None:
            raise Refusal(int(self.switches.busy_job), "A job is already running for this agent")
        job = self.estate.add_job(agent, now, schedule.schedule_id if schedule else None)
        for session in sessions_of(request.session_id):
            self.start_run(agent, request, now, job=job, session=session)
        if schedule is not None:
            schedule.status = ScheduleStatus.RUNNING
            schedule.last_run_time = now
            schedule.completed_time = None
        return job

    def start_run(
        self,
        agent: Agent,
        request: StartRequest,
        now: datetime,
        *,
        job: JobRun | None = None,
        session: str | None = None,
    ) -> Run:
        """Start one run of an agent, which ends by itself after the agent's duration."""
        run = Run(
            run_id=self.estate.new_id(),
            agent=agent,
            start=now,
            end=now + timedelta(seconds=agent.duration),
            outcome=self.outcome(agent),
            job=job,
            schedule_id=job.schedule_id if job else None,
            session_id=session,
            parameters=request.parameters,
            log_level=request.log_level,
            is_production=request.is_production,
            is_windowless=request.is_windowless,
            input_files=request.input_files,
            delete_input_files=request.delete_input_files,
        )
        return self.estate.add_run(run)

    def set_job_status(self, job: JobRun, status: JobStatus, now: datetime) -> None:
        """Set a job's status by hand; one that ends it stops its runs."""
        job.forced = status
        if status in (JobStatus.IN_PROGRESS, JobStatus.IN_PROGRESS_WITH_FAILURE):
            return
        for run in job.runs:
            if run.status(now) < RunStatus.SUCCEEDED:
                run.end, run.outcome = now, RunStatus.STOPPED
            if status is JobStatus.FAILED and self.switches.input_files_deleted_by_runs != "never":
                self._delete_files(run)
        self.settle(now)

    def stop(self, run: Run, now: datetime) -> None:
        """End a run before its time, as a synchronous call that ran out of time does."""
        run.end, run.outcome = now, RunStatus.STOPPED
        self.settle(now)

    def settle(self, now: datetime) -> None:
        """Let everything happen that was due by now: runs end, schedules show it, files that were to go are gone."""
        if self.switches.schedules_fire:
            self._fire(now)
        if self.estate.unsettled:
            for run in self.estate.finished(now):
                self._end(run)

    def _end(self, run: Run) -> None:
        run.settled = True
        wanted = self.switches.input_files_deleted_by_runs
        if run.outcome is RunStatus.SUCCEEDED and (
            wanted == "always" or (wanted == "asked" and run.delete_input_files)
        ):
            self._delete_files(run, forced=wanted == "always")
        schedule = self.estate.schedules.get(normal_id(run.schedule_id or ""))
        if schedule is not None and schedule.agent is run.agent:
            schedule.show_end(run)

    def _delete_files(self, run: Run, *, forced: bool = False) -> None:
        names = list(run.agent.input_files) if forced else list(run.input_files) if run.delete_input_files else []
        for name in names:
            run.agent.input_files.pop(name, None)

    def _fire(self, now: datetime) -> None:
        """Start what fell due since the last look, in order of time; a busy agent is passed over."""
        since, self._fired_until = self._fired_until, now
        if since is None:
            return
        due = [entry for schedule in self.estate.schedules.values() if (entry := self._due(schedule, since, now))]
        heapq.heapify(due)
        for _ in range(_MOST_FIRINGS):
            if not due:
                return
            at, key = heapq.heappop(due)
            for run in self.estate.finished(at):
                self._end(run)
            schedule = self.estate.schedules[key]
            if schedule.agent.active_job(at) is None:
                self._start_when_due(schedule, at)
            if following := self._due(schedule, at, now):
                heapq.heappush(due, following)

    def _start_when_due(self, schedule: Schedule, at: datetime) -> None:
        try:
            self.start_job(schedule.agent, request_of(schedule), at, schedule)
        except Refusal as refusal:
            schedule.status, schedule.error_message = ScheduleStatus.FAILED, refusal.message
            schedule.last_run_time = schedule.completed_time = at

    def _due(self, schedule: Schedule, since: datetime, now: datetime) -> tuple[datetime, str] | None:
        if not schedule.is_enabled:
            return None
        at = predict(schedule.cron, schedule.start_time, schedule.time_zone_id, after=since, switches=self.switches)
        return (at.astimezone(UTC), normal_id(schedule.schedule_id)) if at is not None and at <= now else None


def request_of(schedule: Schedule) -> StartRequest:
    """What a schedule starts."""
    return StartRequest(
        session_id=schedule.session_id,
        log_level=schedule.log_level,
        parameters=schedule.input_parameters,
        is_windowless=schedule.is_windowless,
    )


def sessions_of(session_id: str | None) -> list[str | None]:
    """The sessions that a session id stands for: `1-5/5` are five performance sessions, anything else is one."""
    match = _SESSIONS.fullmatch(session_id or "")
    if match is None:
        return [session_id or None]
    first, last, whole = int(match["first"]), int(match["last"] or match["first"]), int(match["all"])
    if not 1 <= first <= last <= whole <= 100:
        raise Refusal(400, f"The session id {session_id!r} is not valid")
    return [f"{number}/{whole}" for number in range(first, last + 1)]
