"""The client of Sequentum's Agent Control Center (ACC): one method for each call that its documentation has.

Reads raise ProductError when the answer is not what is documented; writes raise Refused when nothing happened and
Uncertain when something may have. Titles in quotes are those of "Sequentum ACC, API Access".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, TypeVar

from reconciler.clients import replies
from reconciler.clients.acc_options import Delivery, JobStatus, RunMethod, StartOptions, parameters_text
from reconciler.clients.auth import BearerToken
from reconciler.clients.calls import InputFile, Reply, Request, SessionOptions, file_request, multipart, segment
from reconciler.clients.replies import AgentInfo, AgentRun, JobRun, JobSchedule, ServerStatus, StartedJob, StartedRuns
from reconciler.clients.transport import Session
from reconciler.errors import Missing, ProductError, Refused, Uncertain
from reconciler.model.copies import replace
from reconciler.model.project import Connection

T = TypeVar("T")

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


class AccClient:
    """The calls. Ids are GUIDs as text; threads may share one client."""

    def __init__(self, session: Session) -> None:
        self.session = session

    # --- agents --------------------------------------------------------------------------------------------------

    def get_agent(self, path: str) -> AgentInfo:
        """Find an agent by its full path ("Get agent details from repository"). Raises Missing."""
        request = Request.get("/api/agent", {"agentPath": path})
        try:
            reply = self.session.send(request)
        except Missing as error:
            raise Missing(error.message, hint=_NO_AGENT_HINT, status=error.status) from error
        if reply.body.strip() in (b"", b"null"):
            raise Missing(f"ACC shows no agent at {path!r}.", hint=_NO_AGENT_HINT, status=reply.status)
        try:
            value = json.loads(reply.body)
        except (ValueError, RecursionError):
            message = f"GET /api/agent answered {reply.status} with something else where JSON is due."
            raise ProductError(message, status=reply.status) from None
        return _understood(request, replies.read_agent, value)

    def start_agent(self, agent_id: str, options: StartOptions | None = None) -> StartedRuns:
        """Start a run where the agent is deployed ("Start agent on cluster"). Raises Uncertain without run ids."""
        return self._start_agent(f"/api/agent/{segment(agent_id, 'the agent id')}/cluster/start", options)

    def start_agent_at(self, path: str, options: StartOptions | None = None) -> StartedRuns:
        """The same by path ("Start agent on cluster", second form)."""
        return self._start_agent("/api/agent/cluster/start", options, {"agentPath": path})

    def run_agent_for_data(self, agent_id: str, delivery: Delivery, options: StartOptions, sink: BinaryIO) -> int:
        """Run an agent to its end and write what it extracted to `sink` ("Start agent on cluster", synchronous)."""
        options = replace(options, is_synchronous=True)
        body = {**options.as_body(), "synchronousDataDelivery": delivery.value}
        request = Request.post(f"/api/agent/{segment(agent_id, 'the agent id')}/cluster/start", body)
        return self.session.download(self._patient(request, options), sink)

    def approve(self, agent_id: str, message: str) -> None:
        """Approve an agent; the message goes to the file log ("Approve an agent")."""
        # The product's flag reads the wrong way round: True takes the approval away. It is turned here alone.
        self.session.send(
            Request.post(f"/api/agent/{segment(agent_id, 'the agent id')}/toggleAgentApproval/False", message)
        )

    def disapprove(self, agent_id: str, message: str) -> None:
        """Disapprove an agent; the message goes to the file log ("Disapprove an agent")."""
        self.session.send(
            Request.post(f"/api/agent/{segment(agent_id, 'the agent id')}/toggleAgentApproval/True", message)
        )

    # --- runs ----------------------------------------------------------------------------------------------------

    def get_run(self, run_id: str) -> AgentRun:
        """One agent run ("Get agent run details")."""
        return self._read(Request.get(f"/api/run/{segment(run_id, 'the run id')}"), replies.read_run)

    def run_history(self, agent_id: str, *, count: int | None = None) -> tuple[AgentRun, ...]:
        """The latest runs of an agent, 100 unless `count` says otherwise ("Get agent run history")."""
        path = f"/api/agent/{segment(agent_id, 'the agent id')}/history"
        return self._read(Request.get(path, {"count": count}), replies.read_runs)

    def runs_of_job_run(self, agent_id: str, job_run_number: int, *, count: int | None = None) -> tuple[AgentRun, ...]:
        """The agent runs of one job run ("Get agent run history for a job run")."""
        path = f"/api/agent/{segment(agent_id, 'the agent id')}/run/{job_run_number}/history"
        return self._read(Request.get(path, {"count": count}), replies.read_runs)

    def restart_run(self, run_id: str) -> Reply:
        """Start a run anew ("Restart run")."""
        return self.session.send(Request.post(f"/api/run/{segment(run_id, 'the run id')}/restart"))

    def retry_run(self, run_id: str, method: RunMethod = RunMethod.CONTINUE_AND_RETRY_ERRORS_REFRESH_AGENT) -> Reply:
        """Retry the errors of a run ("Retry run")."""
        path = f"/api/run/{segment(run_id, 'the run id')}/retry"
        return self.session.send(Request.post(path, query={"RunMethod": method.value}))

    def download_run_log(self, run_id: str, sink: BinaryIO) -> int:
        """The zipped log of a run; returns its size in bytes ("Get log for a specific agent run")."""
        return self.session.download(Request.get(f"/api/run/{segment(run_id, 'the run id')}/log"), sink)

    def download_run_data(self, run_id: str, sink: BinaryIO) -> int:
        """The zipped data of a run ("Get data for a specific agent run")."""
        return self.session.download(Request.get(f"/api/run/{segment(run_id, 'the run id')}/backup"), sink)

    # --- jobs ----------------------------------------------------------------------------------------------------

    def start_job(self, agent_id: str, options: StartOptions | None = None) -> StartedJob:
        """Start an agent's job ("Start Job"). Raises Uncertain when the answer names no job run."""
        request = Request.post(
            f"/api/job/{segment(agent_id, 'the agent id')}/start", (options or StartOptions()).as_body()
        )
        return self._started(request, replies.read_started_job)

    def get_job_run(self, job_run_id: str) -> JobRun:
        """One job run ("Get job run details")."""
        return self._read(Request.get(f"/api/job/run/{segment(job_run_id, 'the job run id')}"), replies.read_job_run)

    def job_history(self, agent_id: str, *, count: int | None = None) -> tuple[JobRun, ...]:
        """The latest job runs, 100 unless `count` says otherwise ("Get job run history")."""
        path = f"/api/job/{segment(agent_id, 'the agent id')}/history"
        return self._read(Request.get(path, {"count": count}), replies.read_job_runs)

    def set_job_status(self, agent_id: str, status: JobStatus) -> None:
        """Overwrite how the latest job run ended ("Set status for latest job run")."""
        self.session.send(Request.post(f"/api/job/{segment(agent_id, 'the agent id')}/status", {"status": status.code}))

    def download_job_logs(self, job_run_id: str, sink: BinaryIO) -> int:
        """The zipped logs of a job run ("Get all logs for a specific job run")."""
        return self.session.download(Request.get(f"/api/job/run/{segment(job_run_id, 'the job run id')}/logs"), sink)

    def download_job_data(self, job_run_id: str, sink: BinaryIO) -> int:
        """The zipped data of a job run ("Get all data for a specific job run")."""
        return self.session.download(Request.get(f"/api/job/run/{segment(job_run_id, 'the job run id')}/backup"), sink)

    # --- schedules -----------------------------------------------------------------------------------------------

    def job_schedules(self, agent_id: str) -> tuple[JobSchedule, ...]:
        """All schedules of an agent's job ("Get job schedules")."""
        path = f"/api/job/{segment(agent_id, 'the agent id')}/schedules"
        return self._read(Request.get(path), replies.read_schedules)

    def put_schedule(self, agent_id: str, body: Mapping[str, object], *, once: bool = False) -> Reply:
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
        match whole["inputParameters"] or {}:
            case Mapping() as given:
                whole["inputParameters"] = parameters_text(given)
            case given if not isinstance(given, str):
                raise Refused("The inputParameters of a schedule are an object, a text or null.")
        request = Request.post(f"/api/job/{segment(agent_id, 'the agent id')}/schedule", whole)
        return self.session.send(replace(request, repeatable=not once))

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete one schedule ("Delete job schedule")."""
        path = f"/api/job/schedule/{segment(schedule_id, 'the schedule id')}"
        self.session.send(Request("DELETE", path, repeatable=True))

    def delete_all_schedules(self, agent_id: str) -> None:
        """Delete all schedules of an agent, whoever made them ("Delete all job schedules")."""
        self.session.send(Request("DELETE", f"/api/job/{segment(agent_id, 'the agent id')}/schedules"))

    def start_schedule(self, schedule_id: str) -> Reply:
        """Run a schedule now ("Start job schedule")."""
        return self.session.send(Request.post(f"/api/job/schedule/{segment(schedule_id, 'the schedule id')}/start"))

    def enable_schedule(self, schedule_id: str) -> None:
        """Switch one schedule on ("Enable job schedule")."""
        self.session.send(Request.post(f"/api/job/schedule/{segment(schedule_id, 'the schedule id')}/on"))

    def disable_schedule(self, schedule_id: str) -> None:
        """Switch one schedule off ("Disable job schedule")."""
        self.session.send(Request.post(f"/api/job/schedule/{segment(schedule_id, 'the schedule id')}/off"))

    def enable_all_schedules(self, agent_id: str) -> None:
        """Switch all schedules of an agent on, whoever made them ("Enable all job schedules")."""
        # The document prints this path without the slash before "schedules"; its own example has it.
        self.session.send(Request.post(f"/api/job/{segment(agent_id, 'the agent id')}/schedules/on"))

    def disable_all_schedules(self, agent_id: str) -> None:
        """Switch all schedules of an agent off, whoever made them ("Disable all job schedules")."""
        self.session.send(Request.post(f"/api/job/{segment(agent_id, 'the agent id')}/schedules/off"))

    # --- input files ---------------------------------------------------------------------------------------------

    def put_input_csv(self, agent_id: str, file: InputFile) -> None:
        """Add or update one CSV by its name, byte for byte ("Add or update agent input data")."""
        self.session.send(file_request(f"/api/input/agent/{segment(agent_id, 'the agent id')}/csv", file))

    def upload_input_files(self, agent_id: str, files: Sequence[InputFile]) -> None:
        """Upload .csv, .txt or .zip files in one multipart request ("Upload agent input files")."""
        if not files:
            raise Refused("There is no file to upload.")
        self.session.send(multipart(f"/api/input/agent/{segment(agent_id, 'the agent id')}/files", files))

    def delete_input_files(self, agent_id: str) -> None:
        """Delete all input files of an agent ("Delete all agent input files")."""
        self.session.send(Request("DELETE", f"/api/input/agent/{segment(agent_id, 'the agent id')}"))

    def disable_input_files(self, agent_id: str) -> None:
        """Disable all input files of an agent ("Disable All Agent Input Files")."""
        self.session.send(Request.post(f"/api/input/agent/{segment(agent_id, 'the agent id')}/disable"))

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
        return self._read(Request.post("/api/server/check", body), replies.read_server)

    # --- the few ways of asking ----------------------------------------------------------------------------------

    def _read(self, request: Request, read: Callable[[object], T]) -> T:
        return _understood(request, read, self.session.json(request))

    def _start_agent(
        self, path: str, options: StartOptions | None, query: Mapping[str, str] | None = None
    ) -> StartedRuns:
        options = options or StartOptions()
        request = Request.post(path, options.as_body(), query=query)
        return self._started(self._patient(request, options), replies.read_started_runs)

    def _patient(self, request: Request, options: StartOptions) -> Request:
        """A synchronous call answers when the run has ended: the run's time comes on top of ours."""
        if not options.is_synchronous:
            return request
        run_seconds = 60 if options.synchronous_timeout is None else options.synchronous_timeout
        return replace(request, timeout=self.session.connection.timeout + run_seconds)

    def _started(self, request: Request, read: Callable[[object], T]) -> T:
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
    return AccClient(Session(connection, options, credential=credential))


def _understood(request: Request, read: Callable[[object], T], value: object) -> T:
    try:
        return read(value)
    except ProductError as error:
        raise ProductError(
            f"{request.method} {request.path}: {error.message}.", hint="Is the connection's url the address of ACC?"
        ) from error
