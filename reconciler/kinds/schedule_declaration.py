"""The part `schedules` of an Agent document: when the agent runs, and with what."""

from __future__ import annotations

from typing import Literal, TypedDict, cast

from reconciler.identity import normal_id, owned_id
from reconciler.kinds import schedule_timing_checks
from reconciler.kinds.schedule import KIND
from reconciler.kinds.schedule_state import ScheduleState, declared_state
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.documents import ManifestDocument, entry_name
from reconciler.manifests.scalars import text_of
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, list_of, mapping_of
from reconciler.model import Address, Agent, Resource
from reconciler.product_terms import LOG_LEVELS


class ScheduleBlock(TypedDict, total=False):
    """One entry of `schedules` that keeps to the schema."""

    name: str
    id: str
    protect: bool
    movedFrom: str
    cron: str
    every: str
    startTime: str
    timeZone: str
    inputParameters: dict[str, YAMLValue]
    logLevel: str | int
    sessionId: str | int
    windowless: bool
    enabled: bool | Literal["keep"]


class SchedulesPart:
    """Declares a resource `schedule/AGENT/NAME` for each entry."""

    keys = ("schedules",)

    def declare(
        self, document: ManifestDocument, scope: Scope, declared: Declared, agent: Agent, needs: tuple[Address, ...]
    ) -> tuple[Address, ...]:
        listed = list_of(document.spec.get("schedules"))
        prefix = f"{KIND.name}/{agent.handle}/"
        for index, entry in enumerate(listed):
            name = entry_name(listed, index)
            if not name:
                continue
            address = Address(KIND.name, agent.handle, name)
            path: DocumentPath = ("spec", "schedules", index)
            if document.wrong:
                declared.mentioned.add(address)
                if (*path, "name") in document.wrong:
                    continue
            report = document.report.at(prefix + name)
            origin = document.origin(entry, path)
            if not declared.claim(
                "address", report.address, origin, report, f"the schedule {name!r} of {agent.handle}"
            ):
                continue
            is_sound = schedule_timing_checks.check(mapping_of(entry), path, report, document, scope.as_of)
            if document.wrong and not document.is_usable(path):
                continue
            block = cast("ScheduleBlock", entry)
            secrets = _secrets(document, declared, block, path)
            adopted = block.get("id")
            if adopted:
                identity = normal_id(adopted)
                declared.claim("id", identity, origin, report, f"the schedule id {identity}")
            else:
                identity = owned_id(scope.project, scope.environment, agent.path, name) if agent.path else ""
            moved_from = str(block.get("movedFrom", ""))
            if moved_from:
                what = f"the old name of a schedule of {agent.handle}"
                declared.check_move(moved_from, name, what, moved_from, (*path, "movedFrom"), report)
            if not is_sound:
                declared.mentioned.add(address)
                continue
            resource = Resource(
                address=address,
                state=_state(block),
                origin=origin,
                agent_path=agent.path,
                identity=identity,
                adopted=adopted is not None,
                protect=block.get("protect", False),
                needs=needs,
                secrets=secrets,
                labels=agent.labels,
                moved_from=moved_from,
            )
            declared.resources.append(resource)
        return ()

    def address_at(self, document: ManifestDocument, handle: str, path: DocumentPath) -> Address | None:
        index = path[2] if len(path) > 2 else None
        name = entry_name(document.spec["schedules"], index) if isinstance(index, int) else ""
        return Address(KIND.name, handle, name) if name else None


def _secrets(
    document: ManifestDocument, declared: Declared, block: ScheduleBlock, path: DocumentPath
) -> tuple[str, ...]:
    """The paths in a block that are secret."""
    if "inputParameters" not in block or not document.filled.secrets:
        return ()
    inside = (*path, "inputParameters")
    declared.secret_values |= document.secret_values(inside)
    return tuple(f"inputParameters.{key}" for key in document.secret_keys(inside))


def _state(block: ScheduleBlock) -> ScheduleState:
    """What a block says that a schedule shall be."""
    parameters = block.get("inputParameters")
    session = block.get("sessionId")
    return declared_state(
        cron=block.get("cron"),
        every=block.get("every"),
        start_time=block.get("startTime"),
        time_zone=block.get("timeZone"),
        input_parameters=None if parameters is None else {key: text_of(value) for key, value in parameters.items()},
        log_level=_log_level(block.get("logLevel")),
        session_id=None if session is None else text_of(session),
        windowless=block.get("windowless"),
        enabled=block.get("enabled"),
    )


def _log_level(written: str | int | None) -> int | None:
    if written is None:
        return None
    return LOG_LEVELS[written] if isinstance(written, str) and written in LOG_LEVELS else int(written)
