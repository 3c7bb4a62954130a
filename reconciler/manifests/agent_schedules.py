"""The part `schedules` of an Agent document: when the agent runs, and with what."""

from __future__ import annotations

from typing import Literal, TypedDict, cast

from reconciler.identity import normal_id, owned_id
from reconciler.manifests import schedule_timing
from reconciler.manifests.declarations import Declared, Scope
from reconciler.manifests.documents import ManifestDocument, entry_name
from reconciler.manifests.scalars import text_of
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, list_of, mapping_of
from reconciler.model import Address, Agent, KindName, Resource
from reconciler.product_terms import LOG_LEVELS

_NOT_SPEC = ("name", "id", "protect", "movedFrom")


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
        prefix = f"{KindName.SCHEDULE.value}/{agent.handle}/"
        for index, entry in enumerate(listed):
            name = entry_name(listed, index)
            if not name:
                continue
            address = Address(KindName.SCHEDULE, agent.handle, name)
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
            schedule_timing.check(mapping_of(entry), path, report, document, scope.as_of)
            if document.wrong and not document.is_usable(path):
                continue
            block = cast("ScheduleBlock", entry)
            content, secrets = _content(document, declared, block, path)
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
            resource = Resource(
                address=address,
                spec=content,
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
        return Address(KindName.SCHEDULE, handle, name) if name else None


def _content(
    document: ManifestDocument, declared: Declared, block: ScheduleBlock, path: DocumentPath
) -> tuple[dict[str, object], tuple[str, ...]]:
    """The spec of a block, and the paths in it that are secret."""
    content = {key: value for key, value in block.items() if key not in _NOT_SPEC}
    if "logLevel" in block:
        level = block["logLevel"]
        content["logLevel"] = LOG_LEVELS[level] if isinstance(level, str) and level in LOG_LEVELS else int(level)
    if "sessionId" in block:
        content["sessionId"] = text_of(block["sessionId"])
    secrets: tuple[str, ...] = ()
    if "inputParameters" in block:
        content["inputParameters"] = {key: text_of(value) for key, value in block["inputParameters"].items()}
        if document.filled.secrets:
            inside = (*path, "inputParameters")
            secrets = tuple(f"inputParameters.{key}" for key in document.secret_keys(inside))
            declared.secret_values |= document.secret_values(inside)
    return content, secrets
