"""The kind `approval`: whether an ACC agent may run. ACC takes it and never shows it, so the ledger remembers it."""

from __future__ import annotations

from typing import Protocol

from reconciler.diff import Sealer, sealed
from reconciler.model import Action, Change, Entry, FieldChange, Intent, Resource, State

_OTHER = {"approved": "disapproved", "disapproved": "approved"}


def desired_state(spec: State, seal: Sealer) -> State:
    """The state that counts, with its digest. The message is no part of it: new words alone earn no log entry."""
    return {"state": spec["state"], "sealed": sealed({"state": spec["state"]}, seal)}


def declared(state: State, seal: Sealer) -> str:
    """The keyed digest of what is wanted, for recognising it later."""
    return seal(dict(state["sealed"]))


def diff(entry: Entry | None, desired: State) -> tuple[FieldChange, ...]:
    """Whether what was last attested is what is declared; the state has two words, so the other one was before."""
    if entry is not None and entry.applied.get("state") == desired["sealed"]["state"]:
        return ()
    before = _OTHER[desired["state"]] if entry is not None and entry.applied else None
    return (FieldChange("state", before, desired["state"]),)


def intent(entry: Entry | None, desired: State, fields: tuple[FieldChange, ...], *, again: bool = False) -> Intent:
    """Approve or disapprove; `again` where it is known to be so, and somebody asks for it once more."""
    action = Action.APPROVE if desired["state"] == "approved" else Action.DISAPPROVE
    is_edit = entry is not None and not again and "byHand" not in entry.facts
    message = "the manifest changed" if is_edit else f"declared {desired['state']}"
    return Intent(action, message=message, after=desired, fields=fields)


class ApprovalWriter(Protocol):
    """The calls of the ACC client that change an approval."""

    def approve(self, agent_id: str, message: str) -> None: ...
    def disapprove(self, agent_id: str, message: str) -> None: ...


def act(acc: ApprovalWriter, change: Change, resource: Resource, context: str) -> None:
    """Send the approval with the manifest's words and `context` (the commit and the plan) for ACC's file log.

    Raises Refused when nothing happened, Uncertain when perhaps it did.
    """
    words = str(resource.spec.get("message") or "").strip()
    message = f"{words} ({context})" if words else context
    if change.action is Action.APPROVE:
        acc.approve(change.agent_id, message)
    else:
        acc.disapprove(change.agent_id, message)
