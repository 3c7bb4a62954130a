"""The emulator's own calls under /_emulator: what somebody does by hand, and what a test wants to know."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.emulator.acc_state import Agent
from reconciler.emulator.agent_repository import alias_agent, move_agent, paths_of, remake_agent, remove_agent
from reconciler.emulator.reply import Call, Refusal, Reply, json_reply
from reconciler.emulator.state_file import agent_fields, change_schedule, read_schedule, schedule_document, to_document
from reconciler.errors import UsageError
from reconciler.identity import normal_id
from reconciler.model import JSON

if TYPE_CHECKING:
    from reconciler.emulator.server import Emulator


class Admin:
    """GET state · GET and DELETE requests · GET, POST and DELETE faults · PATCH and DELETE schedules/{id} ·
    POST agents?path= (a schedule) · PATCH and DELETE agents?path= · POST agents/move?path= {"to": PATH} ·
    POST agents/remake?path= {"agentId": ID}? · POST agents/alias?path= {"alias": PATH} · POST reset.
    It asks for no token and is bound to loopback."""

    def __init__(self, server: Emulator) -> None:
        self._server = server

    def answer(self, call: Call) -> Reply:
        """Answer one call under /_emulator."""
        whole = call.path.removeprefix("/_emulator").strip("/")
        name, _, rest = whole.partition("/")
        answers: dict[tuple[str, str], Callable[[Call, str], JSON]] = {
            ("GET", "state"): self._state,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): lambda call, rest: self._server.clear_requests(),
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._inject,
            ("DELETE", "faults"): lambda call, rest: self._server.clear_faults(),
            ("PATCH", "schedules"): self._change,
            ("DELETE", "schedules"): self._delete,
            ("POST", "agents"): self._add,
            ("POST", "agents/move"): self._move,
            ("POST", "agents/remake"): self._remake,
            ("POST", "agents/alias"): self._alias,
            ("DELETE", "agents"): lambda call, rest: remove_agent(self._server.estate, call.query["path"]),
            ("PATCH", "agents"): self._change_agent,
            ("POST", "reset"): lambda call, rest: self._server.reset(),
        }
        try:
            answer = answers.get((call.method, whole)) or answers[call.method, name]
        except KeyError:
            return json_reply({"message": f"there is no {call.method} {call.path}"}, status=404)
        try:
            done = answer(call, rest)
            return json_reply({} if done is None else done)
        except KeyError as error:
            return json_reply({"message": f"there is no {error.args[0]}"}, status=404)
        except UsageError as error:
            return json_reply({"message": error.message, "hint": error.hint}, status=400)
        except (
            Refusal,
            ValueError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:  # data of the wrong shape ends in one of these
            return json_reply({"message": str(error)}, status=400)

    def _state(self, call: Call, rest: str) -> JSON:
        document = to_document(self._server.estate)
        for token in document["tokens"]:
            token["value"] = "***"
        return document

    def _requests(self, call: Call, rest: str) -> JSON:
        return [request.document() for request in self._server.requests]

    def _faults(self, call: Call, rest: str) -> JSON:
        return [{"fault": str(f), "matched": f.matched, "fired": f.fired} for f in self._server.faults]

    def _inject(self, call: Call, rest: str) -> JSON:
        document = _document(call)
        faults = document if isinstance(document, list) else [document]
        return [str(self._server.inject(fault)) for fault in faults]

    def _change(self, call: Call, rest: str) -> JSON:
        schedule = self._server.estate.schedules[normal_id(rest)]
        change_schedule(schedule, _document(call))
        return schedule_document(schedule)

    def _delete(self, call: Call, rest: str) -> JSON:
        if not self._server.estate.remove_schedule(rest):
            raise KeyError(rest)
        return {}

    def _add(self, call: Call, rest: str) -> JSON:
        agent = self._server.estate.agents[call.query["path"]]
        return schedule_document(read_schedule(self._server.estate, agent, _document(call)))

    def _change_agent(self, call: Call, rest: str) -> JSON:
        agent = self._server.estate.agents[call.query["path"]]
        document = _document(call)
        for name in sorted(document):
            if name not in ("description", "approved", "deployed", "sessions", "duration"):
                raise ValueError(f"an agent's {name} cannot be changed by hand")
        for name, value in agent_fields(document, "an agent").items():
            setattr(agent, name, value)
        agent.record = None
        return {"path": agent.path, "approved": agent.approved}

    def _move(self, call: Call, rest: str) -> JSON:
        estate, document = self._server.estate, call.json_object()
        return self._agent(move_agent(estate, call.query["path"], document.get("to", "")))

    def _remake(self, call: Call, rest: str) -> JSON:
        estate, document = self._server.estate, call.json_object()
        return self._agent(remake_agent(estate, call.query["path"], document.get("agentId") or ""))

    def _alias(self, call: Call, rest: str) -> JSON:
        estate, document = self._server.estate, call.json_object()
        return self._agent(alias_agent(estate, call.query["path"], document.get("alias", "")))

    def _agent(self, agent: Agent) -> JSON:
        return {"path": agent.path, "paths": paths_of(self._server.estate, agent), "agentId": agent.agent_id}


def _document(call: Call) -> JSON:
    """The body as JSON, whatever it says of its type: these calls are typed by hand."""
    return json.loads(call.body.decode("utf-8"))
