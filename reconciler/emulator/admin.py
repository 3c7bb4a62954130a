"""The emulator's own calls under /_emulator: what somebody does by hand, and what a test wants to know."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.emulator.acc_state import Agent
from reconciler.emulator.emulated_estate import alias_agent, move_agent, paths_of, remake_agent, remove_agent
from reconciler.emulator.reply import Call, Refusal, Reply, json_reply
from reconciler.emulator.state_file import agent_fields, change_schedule, read_schedule, schedule_document, to_document
from reconciler.errors import UsageError
from reconciler.model.state import JSON

if TYPE_CHECKING:
    from reconciler.emulator.server import Emulator

_CHANGEABLE = ("description", "approved", "deployed", "sessions", "duration")


class Admin:
    """GET state · GET and DELETE requests · GET, POST and DELETE faults · PATCH and DELETE schedules/{id} ·
    POST agents?path= (a schedule) · PATCH and DELETE agents?path= · POST agents/move?path= {"to": PATH} ·
    POST agents/remake?path= {"agentId": ID}? · POST agents/alias?path= {"alias": PATH} · POST reset.
    It asks for no token and is bound to loopback."""

    def __init__(self, server: Emulator) -> None:
        self._server = server
        estate = server.estate
        self._answers: dict[tuple[str, str], Callable[[Call, str], JSON]] = {
            ("GET", "state"): lambda call, rest: self._state(),
            ("GET", "requests"): lambda call, rest: [request.document() for request in server.requests],
            ("DELETE", "requests"): lambda call, rest: server.clear_requests(),
            ("GET", "faults"): lambda call, rest: [
                {"fault": str(fault), "matched": fault.matched, "fired": fault.fired} for fault in server.faults
            ],
            ("POST", "faults"): lambda call, rest: self._inject(_document(call)),
            ("DELETE", "faults"): lambda call, rest: server.clear_faults(),
            ("PATCH", "schedules"): self._change,
            ("DELETE", "schedules"): lambda call, rest: self._delete(rest),
            ("POST", "agents"): lambda call, rest: schedule_document(
                read_schedule(estate, estate.agents[call.query["path"]], _document(call))
            ),
            ("POST", "agents/move"): self._on_path(lambda path, body: move_agent(estate, path, body.get("to", ""))),
            ("POST", "agents/remake"): self._on_path(
                lambda path, body: remake_agent(estate, path, body.get("agentId") or "")
            ),
            ("POST", "agents/alias"): self._on_path(
                lambda path, body: alias_agent(estate, path, body.get("alias", ""))
            ),
            ("DELETE", "agents"): lambda call, rest: remove_agent(estate, call.query["path"]),
            ("PATCH", "agents"): lambda call, rest: self._change_agent(call),
            ("POST", "reset"): lambda call, rest: server.reset(),
        }

    def answer(self, call: Call) -> Reply:
        """Answer one call under /_emulator."""
        whole = call.path.removeprefix("/_emulator").strip("/")
        name, _, rest = whole.partition("/")
        answer = self._answers.get((call.method, whole)) or self._answers.get((call.method, name))
        if answer is None:
            return json_reply({"message": f"there is no {call.method} {call.path}"}, status=404)
        try:
            done = answer(call, rest)
            return json_reply({} if done is None else done)
        except KeyError as error:
            return json_reply({"message": f"there is no {error.args[0]}"}, status=404)
        except UsageError as error:
            return json_reply({"message": error.message, "hint": error.hint}, status=400)
        # Data of the wrong shape ends in one of these.
        except (Refusal, ValueError, TypeError, AttributeError, RecursionError) as error:
            return json_reply({"message": str(error)}, status=400)

    def _state(self) -> JSON:
        document = to_document(self._server.estate)
        for token in document["tokens"]:
            token["value"] = "***"
        return document

    def _inject(self, document: JSON) -> JSON:
        faults = document if isinstance(document, list) else [document]
        return [str(self._server.inject(fault)) for fault in faults]

    def _change(self, call: Call, schedule_id: str) -> JSON:
        schedule = self._server.estate.schedule(schedule_id)
        change_schedule(schedule, _document(call))
        return schedule_document(schedule)

    def _delete(self, schedule_id: str) -> None:
        if not self._server.estate.remove_schedule(schedule_id):
            raise KeyError(schedule_id)

    def _change_agent(self, call: Call) -> JSON:
        agent = self._server.estate.agents[call.query["path"]]
        document = _document(call)
        for name in sorted(document):
            if name not in _CHANGEABLE:
                raise ValueError(f"an agent's {name} cannot be changed by hand")
        for name, value in agent_fields(document, "an agent").items():
            setattr(agent, name, value)
        agent.record = None
        return {"path": agent.path, "approved": agent.approved}

    def _on_path(self, change: Callable[[str, dict[str, JSON]], Agent]) -> Callable[[Call, str], JSON]:
        """What somebody does to the agent at a path, as an answer that says where it is now."""

        def answer(call: Call, rest: str) -> JSON:
            body = call.json_object()
            agent = change(call.query["path"], body)
            return {"path": agent.path, "paths": paths_of(self._server.estate, agent), "agentId": agent.agent_id}

        return answer


def _document(call: Call) -> JSON:
    """The body as JSON, whatever it says of its type: these calls are typed by hand."""
    return json.loads(call.body.decode("utf-8"))
