"""The emulated Sequentum ACC: who may call, which call it is, and the calls on agents and servers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime

from reconciler.emulator.acc_state import Agent, FileLogEntry, Token
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.execution import Execution
from reconciler.emulator.injected_faults import HTML_TYPE, SIGN_IN
from reconciler.emulator.input_file_calls import InputFileCalls
from reconciler.emulator.prediction import Prediction
from reconciler.emulator.reply import Call, DelayedReply, Refusal, Reply, json_reply
from reconciler.emulator.run_calls import RunCalls
from reconciler.emulator.schedule_calls import ScheduleCalls
from reconciler.emulator.spelling import Spelling
from reconciler.emulator.switches import Switches
from reconciler.identity import normal_id

_Answer = Callable[[Call], Reply | DelayedReply]
_OnAgent = Callable[[Agent, Call], Reply | DelayedReply]


class AccApi:
    """Every call of "API Access", over one estate."""

    def __init__(self, estate: Estate, switches: Switches) -> None:
        self.estate = estate
        self.switches = switches
        self.prediction = Prediction(switches)
        self.spelling = Spelling(switches, self.prediction, estate.zone)
        self.execution = Execution(estate, switches)
        self.schedules = ScheduleCalls(estate, switches, self.execution, self.spelling)
        self.runs = RunCalls(estate, self.execution, self.spelling)
        self.inputs = InputFileCalls(switches)
        self._routes = [
            (method, re.compile(pattern, re.IGNORECASE), answer) for method, pattern, answer in self._table()
        ]

    def answer(self, call: Call) -> Reply | DelayedReply:
        """Answer one call under /api. Raises Refusal."""
        if call.path == "/login":
            return Reply(SIGN_IN, content_type=HTML_TYPE)
        token = self.authorised(call)
        if isinstance(token, Reply):
            return token
        call.user = token.user
        if self.estate.unsettled or self.switches.schedules_fire:
            self.execution.settle(call.now)
        allowed = set()
        for method, pattern, answer in self._routes:
            if found := pattern.fullmatch(call.path):
                if method == call.method:
                    if token.read_only and method != "GET":
                        raise Refusal(403, "This token may only read")
                    call.args = found.groups()
                    return answer(call)
                allowed.add(method)
        if allowed:
            raise Refusal(405, "This method is not allowed here", {"Allow": ", ".join(sorted(allowed))})
        raise Refusal(404, f"There is no call {call.path}")

    def authorised(self, call: Call) -> Token | Reply:
        """The token of this call, or the reply to one without. Raises Refusal."""
        scheme, _, value = call.headers.get("Authorization", "").partition(" ")
        token = self.estate.tokens.get(value.strip()) if scheme.lower() == "bearer" else None
        if token is not None and (token.expires is None or call.now < token.expires):
            return token
        match self.switches.unauthorised:
            case "redirect":
                return Reply(status=302, headers={"Location": "/login"})
            case "html":
                return Reply(SIGN_IN, content_type=HTML_TYPE)
            case "403":
                raise Refusal(403, "The access token is not valid")
        raise Refusal(401, "The access token is not valid", {"WWW-Authenticate": "Bearer"})

    def agent(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get agent details from repository."""
        path = call.query.get("agentPath", "")
        agent = self._agent_at(path)
        if agent is None:
            if not path:
                raise Refusal(400, "agentPath is required")
            if self.switches.missing_agent == "null":
                return json_reply(None)
            raise Refusal(int(self.switches.missing_agent), f"There is no agent {path}")
        if agent.record is None:
            agent.record = json_reply(self.spelling.written(self.spelling.agent(agent))).body
        return Reply(agent.record)

    def _agent_at(self, path: str) -> Agent | None:
        agent = self.estate.agents.get(path)
        if agent is None and self.switches.path_case == "ignored":
            folded = path.casefold()
            agent = next((at for each, at in self.estate.agents.items() if each.casefold() == folded), None)
        return agent

    def _agent(self, agent_id: str) -> Agent:
        agent = self.estate.agents_by_id.get(normal_id(agent_id))
        if agent is None:
            raise Refusal(404, f"There is no agent {agent_id}")
        return agent

    def _start_by_path(self, call: Call) -> Reply | DelayedReply:
        agent = self._agent_at(call.query.get("agentPath", ""))
        if agent is None:
            raise Refusal(404, "There is no agent at this agentPath")
        return self.runs.start_on_cluster(agent, call)

    def _approval(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Disapprove an agent (True), Approve an agent (False)."""
        message = call.json() if call.body else ""
        if not isinstance(message, str):
            raise Refusal(400, "The body must be a message in quotes")
        if not message.strip() and self.switches.empty_message == "refuse":
            raise Refusal(400, "A message is required")
        disapprove = call.args[1].lower() == "true"
        agent.approved = not disapprove
        event = "disapproved" if disapprove else "approved"
        self.estate.file_log.append(FileLogEntry(call.now, agent.path, call.user, event, message))
        return Reply(effect=f"agent-{event}")

    def _server(self, call: Call) -> Reply:
        """Sequentum ACC, API Access: Get SE Server Status."""
        wanted = call.json_object()
        for name, kind in {"key": str, "ipAddress": str, "port": int}.items():
            if not isinstance(wanted.get(name), kind) or isinstance(wanted[name], bool):
                raise Refusal(400, f"{name} is required")
        address = f"{wanted['ipAddress']}:{wanted['port']}"
        asked = (wanted["key"], wanted["ipAddress"], wanted["port"], bool(wanted.get("useSsl")))
        known = next((s for s in self.estate.servers if asked == (s.key, s.ip_address, s.port, s.use_ssl)), None)
        said = "is successful" if known else "failed"
        document = {
            "isError": known is None,
            "message": f"Connection to server {address} {said}.",
            "cpuUsages": known and known.cpu_usages,
            "memoryUsages": known and known.memory_usages,
            "discUsages": known and "C:47%",
            "cpuThreshold": known and known.cpu_threshold,
            "memoryThreshold": known and known.memory_threshold,
        }
        return json_reply(self.spelling.written(document))

    def _on_agent(self, answer: _OnAgent) -> _Answer:
        return lambda call: answer(self._agent(call.args[0]), call)

    def _table(self) -> list[tuple[str, str, _Answer]]:
        """Every documented call, first the two that each look at an estate makes.

        The document's "enable all" lacks a slash, so it is served both ways.
        """
        on, runs, schedules, inputs, part = self._on_agent, self.runs, self.schedules, self.inputs, "([^/]+)"
        return [
            ("GET", "/api/agent", self.agent),
            ("GET", f"/api/job/{part}/schedules", on(lambda agent, call: schedules.listing(agent, call.now))),
            ("POST", f"/api/job/{part}/schedule", on(schedules.put)),
            ("DELETE", f"/api/job/schedule/{part}", schedules.delete),
            ("DELETE", f"/api/job/{part}/schedules", on(schedules.delete_all)),
            ("POST", f"/api/job/schedule/{part}/start", schedules.start),
            ("POST", f"/api/job/schedule/{part}/(on|off)", schedules.switch),
            ("POST", f"/api/job/{part}/schedules/(on|off)", on(schedules.switch_all)),
            ("POST", "/api/job/([^/]+?)schedules/(on|off)", on(schedules.switch_all)),
            ("POST", "/api/agent/cluster/start", self._start_by_path),
            ("POST", f"/api/agent/{part}/cluster/start", on(runs.start_on_cluster)),
            ("GET", f"/api/agent/{part}/history", on(runs.history)),
            ("GET", f"/api/agent/{part}/run/(\\d{{1,9}})/history", on(runs.history_of_job)),
            ("POST", f"/api/agent/{part}/toggleAgentApproval/(True|False)", on(self._approval)),
            ("POST", f"/api/run/{part}/restart", runs.restart),
            ("POST", f"/api/run/{part}/retry", runs.retry),
            ("GET", f"/api/run/{part}/log", runs.log),
            ("GET", f"/api/run/{part}/backup", runs.backup),
            ("GET", f"/api/run/{part}", runs.details),
            ("GET", f"/api/job/run/{part}", runs.job_details),
            ("GET", f"/api/job/run/{part}/logs", runs.job_logs),
            ("GET", f"/api/job/run/{part}/backup", runs.job_backup),
            ("POST", f"/api/job/{part}/start", on(runs.start_job)),
            ("GET", f"/api/job/{part}/history", on(runs.job_history)),
            ("POST", f"/api/job/{part}/status", on(runs.set_job_status)),
            ("POST", f"/api/input/agent/{part}/csv", on(inputs.put_csv)),
            ("POST", f"/api/input/agent/{part}/files", on(inputs.upload)),
            ("POST", f"/api/input/agent/{part}/disable", on(inputs.disable_all)),
            ("DELETE", f"/api/input/agent/{part}", on(inputs.delete_all)),
            ("POST", "/api/server/check", self._server),
        ]


def refusal_reply(refusal: Refusal, style: str, at: datetime) -> Reply:
    """An error as the switch `error_body` wants it. The bodies of errors are not documented."""
    headers = dict(refusal.headers)
    match style:
        case "text":
            return Reply(refusal.message.encode(), refusal.status, "text/plain; charset=utf-8", headers=headers)
        case "empty":
            return Reply(b"", refusal.status, headers=headers)
        case "html":
            page = f"<html><body><h1>{refusal.status}</h1></body></html>"
            return Reply(page.encode(), refusal.status, HTML_TYPE, headers=headers)
    document = {"status": refusal.status, "message": refusal.message, "time": at.isoformat()}
    return Reply(json.dumps(document).encode(), refusal.status, headers=headers)
