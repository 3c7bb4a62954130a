"""A kind that the package does not know: whether all schedules of an agent are on, whoever made them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from reconciler.causes import said
from reconciler.kind import Examined, HealthReport, ObservedKind, ObservedMemo, Product
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.document_kinds import BlockSort
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model.address import Address, AddressForm
from reconciler.model.condition import Health
from reconciler.model.live import Observation
from reconciler.model.plan import Action, Change, FieldChange
from reconciler.model.resource import Resource
from reconciler.model.state import State

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient


class SwitchState(State, frozen=True):
    on: bool


class SwitchKind(ObservedKind[SwitchState, ObservedMemo, "AccClient"]):
    name = "switch"
    form = AddressForm.NAMED
    product = Product.ACC
    rank = 4
    noun = ("switch", "switches")
    memo_type = ObservedMemo
    has_health = True

    def observe(self, api: AccClient, agent_id: str) -> Mapping[str, Observation[SwitchState]]:
        return {"": Observation("", SwitchState(all(one.is_enabled for one in api.job_schedules(agent_id))))}

    def act(self, api: AccClient, change: Change[SwitchState], *, once: bool) -> None:
        if change.action is Action.ENABLE:
            api.enable_all_schedules(change.agent_id)
        else:
            api.disable_all_schedules(change.agent_id)

    def action(self, found: tuple[FieldChange, ...]) -> Action:
        return Action.ENABLE if found[0].after else Action.DISABLE

    def health(self, examined: Examined[SwitchState, ObservedMemo]) -> HealthReport:
        state = examined.observation.state
        if state is None:
            return HealthReport(Health.UNKNOWN, notes=(said(examined.observation.problem),))
        return HealthReport(Health.HEALTHY if state.on == examined.resource.state.on else Health.FAILING)


class SwitchDocument:
    document = "Switch"
    connection = "acc"
    secret_keys: frozenset[str] = frozenset()
    is_template = False
    blocks: tuple[BlockSort, ...] = (BlockSort("switch", ("spec",)),)

    def schema_text(self) -> str:
        return json.dumps(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "required": ["kind", "metadata", "spec"],
                "properties": {
                    "spec": {
                        "type": "object",
                        "required": ["path", "on"],
                        "additionalProperties": False,
                        "properties": {"path": {"type": "string"}, "on": {"type": "boolean"}},
                    }
                },
            }
        )

    def declare(self, document: ManifestDocument, scope: Scope, declared: Declared) -> None:
        path, on = document.spec_part("path"), document.spec_part("on")
        address = Address(KIND.name, "", document.handle)
        origin = document.origin(document.parsed.value, ())
        if document.handle and isinstance(path, str) and on is not None:
            declared.resources.append(Resource(address, SwitchState(cast("bool", on)), origin, agent_path=path))

    def address_at(self, document: ManifestDocument, path: DocumentPath) -> Address:
        return Address(KIND.name, "", document.handle)


KIND = SwitchKind()
