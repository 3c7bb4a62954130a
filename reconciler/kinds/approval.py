"""The kind `approval`: whether an ACC agent may run. ACC takes it and never shows it, so the ledger remembers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from reconciler.causes import Cause, because
from reconciler.diff import Sealer, sealed
from reconciler.kind import AttestedKind, AttestedMemo, Decision, Need, Product, Sending
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model.address import Address, AddressForm
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.plan import Action, Change, FieldChange
from reconciler.model.resource import Agent, Resource
from reconciler.model.state import JSON, State

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient

_OTHER = {"approved": "disapproved", "disapproved": "approved"}


class ApprovalState(State, frozen=True):
    """`approved` or `disapproved`; the `message` for ACC's file log; the keyed `digest` of the state.

    The message does not count: new words alone earn no log entry.
    """

    state: str
    message: str = ""
    digest: str = ""


class ApprovalMemo(AttestedMemo, frozen=True):
    """What ACC accepted last."""

    state: str = ""


class ApprovalKind(AttestedKind[ApprovalState, ApprovalMemo, "AccClient"]):
    """Approval of agents ("Approve agent", "Disapprove agent")."""

    name = "approval"
    form = AddressForm.OF_AGENT
    product = Product.ACC
    rank = 1
    noun = ("approval", "approvals")
    memo_type = ApprovalMemo

    def complete(
        self, resource: Resource[ApprovalState], seal: Sealer, needs: Iterable[Need], entry: Entry[ApprovalMemo] | None
    ) -> ApprovalState:
        return self.sealed(resource.state, seal)

    def sealed(self, state: ApprovalState, seal: Sealer) -> ApprovalState:
        """The state with its digest."""
        return replace(state, digest=sealed({"state": state.state}, seal)["state"])

    def declared_fields(self, state: ApprovalState) -> dict[str, JSON]:
        return {"state": state.state} | ({"message": state.message} if state.message else {})

    def content(self, state: ApprovalState, seal: Sealer) -> str:
        return seal({"state": state.state, "sealed": {"state": state.digest}})

    def declared(self, state: ApprovalState, seal: Sealer) -> str:
        return seal({"state": state.digest})

    def diff(self, entry: Entry[ApprovalMemo] | None, desired: ApprovalState) -> tuple[FieldChange, ...]:
        """The state has two words, so the other one was before."""
        if entry is not None and entry.applied.get("state") == desired.digest:
            return ()
        before = _OTHER[desired.state] if entry is not None and entry.applied else None
        return (FieldChange("state", before, desired.state),)

    def decide(
        self, entry: Entry[ApprovalMemo] | None, desired: ApprovalState, found: tuple[FieldChange, ...], *, again: bool
    ) -> Decision[ApprovalState]:
        is_edit = entry is not None and not again and entry.memo.by_hand is None
        declared = because(Cause.APPROVAL_DECLARED, state=desired.state)
        why = because(Cause.MANIFEST_CHANGED) if is_edit else declared
        return Decision(action_for(desired.state), why=why, after=desired, fields=found)

    def act(self, api: AccClient, change: Change[ApprovalState], sending: Sending) -> None:
        """Send it with the manifest's words and the context (the commit and the plan) for ACC's file log."""
        assert change.after is not None
        words = change.after.message.strip()
        message = f"{words} ({sending.context})" if words else sending.context
        if change.action is Action.APPROVE:
            api.approve(change.agent_id, message)
        else:
            api.disapprove(change.agent_id, message)

    def remember(
        self, change: Change[ApprovalState], before: Entry[ApprovalMemo] | None
    ) -> tuple[Mapping[str, str], ApprovalMemo]:
        assert change.after is not None
        return {"state": change.after.digest}, ApprovalMemo(state=change.after.state)


class ApprovalPart:
    """The part `approval` of an `Agent` document."""

    keys = ("approval",)
    blocks = ()

    def declare(
        self, document: ManifestDocument, scope: Scope, declared: Declared, agent: Agent, needs: tuple[Address, ...]
    ) -> tuple[Address, ...]:
        address = Address(KIND.name, agent.handle)
        declared.mentioned.add(address)
        block = document.spec_part("approval")
        if isinstance(block, dict):
            origin = document.origin(block, ("spec", "approval"))
            state = ApprovalState(str(block["state"]), str(block.get("message") or ""))
            declared.resources.append(
                Resource(
                    address,
                    state,
                    origin,
                    agent_path=agent.path,
                    needs=needs,
                    labels=agent.labels,
                    inherited=document.inherited(("spec", "approval")),
                )
            )
        return (address,)

    def address_at(self, document: ManifestDocument, handle: str, path: DocumentPath) -> Address | None:
        return Address(KIND.name, handle)


KIND = ApprovalKind()


def action_for(state: str) -> Action:
    """The action that makes an agent approved, or disapproved."""
    return Action.APPROVE if state == "approved" else Action.DISAPPROVE
