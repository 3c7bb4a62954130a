"""Every documented call of the Agent Control Center, once, exact in what it sends.

Reads raise ProductError when the answer is not what is documented; writes raise Refused when nothing happened and
Uncertain when something may have. Titles in quotes are those of "Sequentum ACC, API Access".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import BinaryIO, TypeVar

from reconciler.clients import replies
from reconciler.clients.auth import BearerToken
from reconciler.clients.calls import Reply, Request, SessionOptions, query_text, segment
from reconciler.clients.replies import (
    AgentInfo,
    AgentRun,
    JobRun,
    JobSchedule,
    ServerStatus,
    StartedJob,
    StartedRuns,
)
from reconciler.clients.transport import Session
from reconciler.clients.uploads import InputFile, file_body, multipart
from reconciler.errors import Missing, ProductError, Refused, Uncertain
from reconciler.model import JSON, Connection

__all__ = [
    "AccClient",
    "AgentInfo",
    "AgentRun",
    "Delivery",
    "InputFile",
    "JobRun",
    "JobSchedule",
    "JobStatus",
    "RunMethod",
    "ServerStatus",
    "StartOptions",
    "StartedJob",
    "StartedRuns",
    "connect",
]

T = TypeVar("T")

_JSON = "application/json"
_SCHEDULE_KEYS = (
    "scheduleId",
    "cron",
    "sessionId",
    "startTime",
    "timeZoneId",
    "inputParameters",
    "logLevel",
    "isWindowless",
    "isEnabled",
)
_NO_AGENT_HINT = "ACC answers alike for an agent that is not there and one that this token may not see."


class RunMethod(StrEnum):
    """How "Retry run" goes about it."""

    RESTART = "Restart"
    CONTINUE = "Continue"
    CONTINUE_REFRESH_AGENT = "ContinueRefreshAgent"
    CONTINUE_AND_RETRY_ERRORS = "ContinueAndRetryErrors"
    CONTINUE_AND_RETRY_ERRORS_REFRESH_AGENT = "ContinueAndRetryErrorsRefreshAgent"
    NEW = "New"


class JobStatus(StrEnum):
    """What "Set status for latest job run" can set; the code is the place in the list."""

    NEVER_RUN = "Never Run"
    IN_PROGRESS = "In Progress"
    IN_PROGRESS_WITH_FAILURE = "In Progress With Failure"
    SUCCEEDED = "Succeeded"
    FAILURE = "Failure"
    FAILED = "Failed"

    @property
    def code(self) -> int:
        return replies.JOB_STATUS.index(self.value)


class Delivery(StrEnum):
    """What a synchronous start hands back: run ids, the first data file as text, or all data files."""

    NONE = "None"
    PLAIN = "Plain"
    ZIP = "Zip"


@dataclass(frozen=True, slots=True)
class StartOptions:
    """How an agent or a job is started. What is None is left out, so that the product's default holds.

    `use_multiple_sessions` and `synchronous_timeout` (seconds) are for "Start agent on cluster" alone.
    """

    session_id: str | None = None
    log_level: int | None = None
    is_production_run: bool | None = None
    input_parameters: Mapping[str, str] | None = None
    input_files: Sequence[str] | None = None
    is_delete_input_files_on_completed: bool | None = None
    use_multiple_sessions: bool | None = None
    is_synchronous: bool | None = None
    synchronous_timeout: int | None = None

    def as_body(self) -> dict[str, JSON]:
        parameters = None if self.input_parameters is None else _parameters(self.input_parameters)
        files = None if self.input_files is None else list(self.input_files)
        body = {
            "sessionId": self.session_id,
            "logLevel": self.log_level,
            "isProductionRun": self.is_production_run,
            "inputParameters": parameters,
            "inputFiles": files,
            "isDeleteInputFilesOnCompleted": self.is_delete_input_files_on_completed,
            "useMultipleSessions": self.use_multiple_sessions,
            "isSynchronous": self.is_synchronous,
            "synchronousTimeout": self.synchronous_timeout,
        }
        return {key: value for key, value in body.items() if value is not None}


class AccClient:
    """The calls. Ids are GUIDs as text; threads may share one client."""

    def __init__(self, session: Session) -> None:
        self.session = session

    # --- agents --------------------------------------------------------------------------------------------------

    def get_agent(self, path: str) -> AgentInfo:
        """Find an agent by its full path ("Get agent details from repository"). Raises Missing."""
        request = Request("GET", "/api/agent", query_text({"agentPath": path}), repeatable=True)
        try:
            reply = self.session.send(request)
        except Missing as error:
            raise Missing(error.message, hint=_NO_AGENT_HINT, status=error.status) from error
        if reply.body.strip() in (b"", b"null"):
            raise Missing(f"ACC shows no agent at {path!r}.", hint=_NO_AGENT_HINT, status=reply.status)
        return _understood(request, replies.read_agent, _parsed(request, reply))

    def start_agent(self, agent_id: str, options: StartOptions | None = None) -> StartedRuns:
        """Start a run where the agent is deployed ("Start agent on cluster"). Raises Uncertain without run ids."""
        return self._start_agent(f"/api/agent/{segment(agent_id, 'the agent id')}/cluster/start", "", options)

    def start_agent_at(self, path: str, options: StartOptions | None = None) -> StartedRuns:
        """The same by path ("Start agent on cluster", second form)."""
        return self._start_agent("/api/agent/cluster/start", query_text({"agentPath": path}), options)

    def run_agent_for_data(self, agent_id: str, delivery: Delivery, options: StartOptions, sink: BinaryIO) -> int:
        """Run an agent to its end and write what it extracted to `sink` ("Start agent on cluster", synchronous)."""
        options = replace(options, is_synchronous=True)
        body = {**options.as_body(), "synchronousDataDelivery": delivery.value}
        request = _post(f"/api/agent/{segment(agent_id, 'the agent id')}/cluster/start", body)
        return self.session.download(self._patient(request, options), sink)

    def approve(self, agent_id: str, message: str) -> None:
        """Approve an agent; the message goes to the file log ("Approve an agent")."""
        self._toggle_approval(agent_id, message, disapprove=False)

    def disapprove(self, agent_id: str, message: str) -> None:
        """Disapprove an agent; the message goes to the file log ("Disapprove an agent")."""
        self._toggle_approval(agent_id, message, disapprove=True)

    def _toggle_approval(self, agent_id: str, message: str, *, disapprove: bool) -> None:
        # The product's flag reads the wrong way round: True takes the approval away. It is turned here alone.
        flag = "True" if disapprove else "False"
        self._write(_post(f"/api/agent/{segment(agent_id, 'the agent id')}/toggleAgentApproval/{flag}", message))

    # --- runs ----------------------------------------------------------------------------------------------------

    def get_run(self, run_id: str) -> AgentRun:
        """One agent run ("Get agent run details")."""
        return self._read(_get(f"/api/run/{segment(run_id, 'the run id')}"), replies.read_run)

    def run_history(self, agent_id: str, *, count: int | None = None) -> tuple[AgentRun, ...]:
        """The latest runs of an agent, 100 unless `count` says otherwise ("Get agent run history")."""
        path = f"/api/agent/{segment(agent_id, 'the agent id')}/history"
        return self._read_list(_get(path, {"count": count}), replies.read_run, "agent runs")

    def runs_of_job_run(self, agent_id: str, job_run_number: int, *, count: int | None = None) -> tuple[AgentRun, ...]:
        """The agent runs of one job run ("Get agent run history for a job run")."""
        path = f"/api/agent/{segment(agent_id, 'the agent id')}/run/{job_run_number}/history"
        return self._read_list(_get(path, {"count": count}), replies.read_run, "agent runs")

    def restart_run(self, run_id: str) -> Reply:
        """Start a run anew ("Restart run")."""
        return self._write(_post(f"/api/run/{segment(run_id, 'the run id')}/restart"))

    def retry_run(self, run_id: str, method: RunMethod = RunMethod.CONTINUE_AND_RETRY_ERRORS_REFRESH_AGENT) -> Reply:
        """Retry the errors of a run ("Retry run")."""
        request = _post(f"/api/run/{segment(run_id, 'the run id')}/retry")
        return self._write(replace(request, query=query_text({"RunMethod": method.value})))

    def download_run_log(self, run_id: str, sink: BinaryIO) -> int:
        """The zipped log of a run; returns its size in bytes ("Get log for a specific agent run")."""
        return self.session.download(_get(f"/api/run/{segment(run_id, 'the run id')}/log"), sink)

    def download_run_data(self, run_id: str, sink: BinaryIO) -> int:
        """The zipped data of a run ("Get data for a specific agent run")."""
        return self.session.download(_get(f"/api/run/{segment(run_id, 'the run id')}/backup"), sink)

    # --- jobs ----------------------------------------------------------------------------------------------------

    def start_job(self, agent_id: str, options: StartOptions | None = None) -> StartedJob:
        """Start an agent's job ("Start Job"). Raises Uncertain when the answer names no job run."""
        request = _post(f"/api/job/{segment(agent_id, 'the agent id')}/start", (options or StartOptions()).as_body())
        return self._started(request, replies.read_started_job)

    def get_job_run(self, job_run_id: str) -> JobRun:
        """One job run ("Get job run details")."""
        return self._read(_get(f"/api/job/run/{segment(job_run_id, 'the job run id')}"), replies.read_job_run)

    def job_history(self, agent_id: str, *, count: int | None = None) -> tuple[JobRun, ...]:
        """The latest job runs, 100 unless `count` says otherwise ("Get job run history")."""
        path = f"/api/job/{segment(agent_id, 'the agent id')}/history"
        return self._read_list(_get(path, {"count": count}), replies.read_job_run, "job runs")

    def set_job_status(self, agent_id: str, status: JobStatus) -> None:
        """Overwrite how the latest job run ended ("Set status for latest job run")."""
        self._write(_post(f"/api/job/{segment(agent_id, 'the agent id')}/status", {"status": status.code}))

    def download_job_logs(self, job_run_id: str, sink: BinaryIO) -> int:
        """The zipped logs of a job run ("Get all logs for a specific job run")."""
        return self.session.download(_get(f"/api/job/run/{segment(job_run_id, 'the job run id')}/logs"), sink)

    def download_job_data(self, job_run_id: str, sink: BinaryIO) -> int:
        """The zipped data of a job run ("Get all data for a specific job run")."""
        return self.session.download(_get(f"/api/job/run/{segment(job_run_id, 'the job run id')}/backup"), sink)

    # --- schedules -----------------------------------------------------------------------------------------------

    def job_schedules(self, agent_id: str) -> tuple[JobSchedule, ...]:
        """All schedules of an agent's job ("Get job schedules")."""
        path = f"/api/job/{segment(agent_id, 'the agent id')}/schedules"
        return self._read_list(_get(path), replies.read_schedule, "schedules")

    def put_schedule(self, agent_id: str, body: Mapping[str, JSON], *, once: bool = False) -> Reply:
        """Add or update a schedule by its id ("Add or update job schedule").

        Doing it twice is as good as once, where ACC keeps the id. `once`: that is not known, so it is not repeated when
        it may have happened.

        `body` has the nine documented keys, no more and no fewer: what an omitted one would mean is not documented.
        `inputParameters` may be an object (sent as JSON in a string), a text (sent as it is) or None. The reply's body
        is not documented either: read the schedule back.
        """
        odd = set(body) ^ set(_SCHEDULE_KEYS)
        if odd:
            raise Refused(f"A schedule is sent whole and with nothing else; look at {', '.join(sorted(odd))}.")
        whole = {key: body[key] for key in _SCHEDULE_KEYS}
        given = whole["inputParameters"]
        whole["inputParameters"] = given if isinstance(given, str) else _parameters(given or {})
        request = _post(f"/api/job/{segment(agent_id, 'the agent id')}/schedule", whole)
        return self._write(replace(request, repeatable=not once))

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete one schedule ("Delete job schedule")."""
        path = f"/api/job/schedule/{segment(schedule_id, 'the schedule id')}"
        self._write(Request("DELETE", path, repeatable=True))

    def delete_all_schedules(self, agent_id: str) -> None:
        """Delete all schedules of an agent, whoever made them ("Delete all job schedules")."""
        self._write(Request("DELETE", f"/api/job/{segment(agent_id, 'the agent id')}/schedules"))

    def start_schedule(self, schedule_id: str) -> Reply:
        """Run a schedule now ("Start job schedule")."""
        return self._write(_post(f"/api/job/schedule/{segment(schedule_id, 'the schedule id')}/start"))

    def enable_schedule(self, schedule_id: str) -> None:
        """Switch one schedule on ("Enable job schedule")."""
        self._write(_post(f"/api/job/schedule/{segment(schedule_id, 'the schedule id')}/on"))

    def disable_schedule(self, schedule_id: str) -> None:
        """Switch one schedule off ("Disable job schedule")."""
        self._write(_post(f"/api/job/schedule/{segment(schedule_id, 'the schedule id')}/off"))

    def enable_all_schedules(self, agent_id: str) -> None:
        """Switch all schedules of an agent on, whoever made them ("Enable all job schedules")."""
        # The document prints this path without the slash before "schedules"; its own example has it.
        self._write(_post(f"/api/job/{segment(agent_id, 'the agent id')}/schedules/on"))

    def disable_all_schedules(self, agent_id: str) -> None:
        """Switch all schedules of an agent off, whoever made them ("Disable all job schedules")."""
        self._write(_post(f"/api/job/{segment(agent_id, 'the agent id')}/schedules/off"))

    # --- input files ---------------------------------------------------------------------------------------------

    def put_input_csv(self, agent_id: str, file: InputFile) -> None:
        """Add or update one CSV by its name, byte for byte ("Add or update agent input data")."""
        path = f"/api/input/agent/{segment(agent_id, 'the agent id')}/csv"
        # The document sends plain CSV under this very content type.
        request = Request("POST", path, query_text({"name": file.name}), file_body(file.path), _JSON)
        self._write(request)

    def upload_input_files(self, agent_id: str, files: Sequence[InputFile]) -> None:
        """Upload .csv, .txt or .zip files in one multipart request ("Upload agent input files")."""
        if not files:
            raise Refused("There is no file to upload.")
        boundary = uuid.uuid4().hex
        request = Request(
            "POST",
            f"/api/input/agent/{segment(agent_id, 'the agent id')}/files",
            body=multipart(files, boundary),
            content_type=f"multipart/form-data; boundary={boundary}",
        )
        self._write(request)

    def delete_input_files(self, agent_id: str) -> None:
        """Delete all input files of an agent ("Delete all agent input files")."""
        self._write(Request("DELETE", f"/api/input/agent/{segment(agent_id, 'the agent id')}"))

    def disable_input_files(self, agent_id: str) -> None:
        """Disable all input files of an agent ("Disable All Agent Input Files")."""
        self._write(_post(f"/api/input/agent/{segment(agent_id, 'the agent id')}/disable"))

    # --- servers -------------------------------------------------------------------------------------------------

    def check_server(
        self, *, key: str, ip_address: str, port: int, use_ssl: bool = False, server_refresh: bool = True
    ) -> ServerStatus:
        """How a Sequentum Enterprise server is doing ("Get SE Server Status"). `key` is the server's API key."""
        body = {
            "key": key,
            "ipAddress": ip_address,
            "port": port,
            "useSsl": use_ssl,
            "serverRefresh": server_refresh,
        }
        return self._read(_post("/api/server/check", body), replies.read_server)

    # --- the few ways of asking ----------------------------------------------------------------------------------

    def _read(self, request: Request, read: Callable[[JSON], T]) -> T:
        return _understood(request, read, self.session.json(request))

    def _read_list(self, request: Request, read: Callable[[JSON], T], what: str) -> tuple[T, ...]:
        return _understood(request, lambda value: replies.read_list(value, read, what), self.session.json(request))

    def _write(self, request: Request) -> Reply:
        return self.session.send(request)

    def _start_agent(self, path: str, query: str, options: StartOptions | None) -> StartedRuns:
        options = options or StartOptions()
        request = replace(_post(path, options.as_body()), query=query)
        return self._started(self._patient(request, options), replies.read_started_runs)

    def _patient(self, request: Request, options: StartOptions) -> Request:
        """A synchronous call answers when the run has ended: the run's time comes on top of ours."""
        if not options.is_synchronous:
            return request
        run_seconds = 60 if options.synchronous_timeout is None else options.synchronous_timeout
        return replace(request, timeout=self.session.connection.timeout + run_seconds)

    def _started(self, request: Request, read: Callable[[JSON], T]) -> T:
        value = self.session.json_of_start(request)
        try:
            return read(value)
        except ProductError as error:
            raise Uncertain(
                f"{request.method} {request.path}: {error.message}. It probably started.",
                hint="Look at the agent's run history.",
            ) from error


def connect(connection: Connection, options: SessionOptions) -> AccClient:
    """A client for this connection, with `settings["token"]` as its access token."""
    hint = f"Look at connections.{connection.name}.token in reconciler.yaml."
    credential = BearerToken(connection.settings.get("token", ""), hint=hint)
    return AccClient(Session(connection, options, authorise=credential))


# --- requests --------------------------------------------------------------------------------------------------------


def _get(path: str, query: Mapping[str, str | int | None] | None = None) -> Request:
    return Request("GET", path, query_text(query or {}), repeatable=True)


def _post(path: str, body: JSON = None) -> Request:
    if body is None:
        return Request("POST", path)
    return Request("POST", path, body=_compact(body).encode("ascii"), content_type=_JSON)


def _compact(value: JSON) -> str:
    return json.dumps(value, separators=(",", ":"))


def _parameters(values: Mapping[str, str]) -> str:
    """Input parameters as the product takes them: JSON in a string, every value a text."""
    texts = {key: value if isinstance(value, str) else _compact(value) for key, value in values.items()}
    return json.dumps(texts, separators=(",", ":"), ensure_ascii=False)


def _parsed(request: Request, reply: Reply) -> JSON:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise ProductError(
            f"{request.method} {request.path} answered {reply.status} with something else where JSON is due.",
            status=reply.status,
        ) from None


def _understood(request: Request, read: Callable[[JSON], T], value: JSON) -> T:
    try:
        return read(value)
    except ProductError as error:
        raise ProductError(
            f"{request.method} {request.path}: {error.message}.", hint="Is the connection's url the address of ACC?"
        ) from error
