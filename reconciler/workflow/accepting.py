"""Takes what somebody changed in ACC into the manifests, as edits that leave all else in their files as it was.

Only the block of a schedule itself is edited: what it has from a template, from defaults or by a merge it then says
itself, and what others share with it is left to people. What would come of the edits is read like any manifest before a
file is written, and has to declare what live has, and of everything else what was declared before.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from msgspec import Struct

from reconciler import planner
from reconciler.errors import ManifestError, UsageError
from reconciler.kinds.registry import KINDS
from reconciler.kinds.schedule import KIND
from reconciler.kinds.schedule_acceptance import with_followers
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.manifests.git_patch import file_patch, path_in_repository
from reconciler.manifests.yaml_document_edit import Obstacle
from reconciler.model.address import Address
from reconciler.model.plan import BlockedResource, Change, Reason, Visibility
from reconciler.model.resource import Desired, Resource, Severity
from reconciler.planner import LiveMove
from reconciler.render.reasons import words
from reconciler.selection import Selection, select
from reconciler.workflow.accepted_blocks import BlockEditor
from reconciler.workflow.accepted_items import MadeBlocks
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.edited_block import NotAccepted, WantedBlock
from reconciler.workflow.manifest_writing import EditedManifest
from reconciler.workflow.planning import read_inputs
from reconciler.workflow.reading import check_manifests, read_documents, reading


class Acceptance(Struct, frozen=True):
    """What an accept comes to: the files as they would be, and the patch that shows it.

    `accepted` are the schedules that are edited, `refused` what was asked for and cannot be. `in_sync` are schedules
    with nothing to accept, with the reason. `due` are what starts when one of these schedules changes.
    """

    manifests: tuple[EditedManifest, ...]
    patch: str
    accepted: tuple[Address, ...] = ()
    refused: tuple[NotAccepted, ...] = ()
    in_sync: Mapping[Address, str] = {}
    environments: tuple[str, ...] = ()
    due: tuple[Address, ...] = ()

    @property
    def exit_code(self) -> int:
        if not self.refused:
            return 0
        if self.accepted:
            return 4
        return 1 if any(one.is_unread for one in self.refused) else 3


def accept(context: CommandContext, patterns: Iterable[str]) -> Acceptance:
    """Work out the edits. Writes nothing. Raises ManifestError, and UsageError for a pattern that means no schedule."""
    selection = Selection(only=tuple(patterns))
    with reading(context, everything=False) as found:
        _demand_schedules(found.desired, selection)
        declared, inputs = found.desired, read_inputs(context, PlanOptions(selection), found)
    wanted: list[WantedBlock] = []
    refused: list[NotAccepted] = []
    in_sync: dict[Address, str] = {}
    by_address = {one.address: one for one in inputs.desired.resources}
    for address, verdict in planner.live_moves(inputs, KINDS).items():
        if isinstance(verdict, LiveMove):
            live = cast("ScheduleState", verdict.change.before)
            resource = cast("Resource[ScheduleState]", by_address[address])
            names = with_followers(live, resource.state, verdict.fields, inputs.as_of)
            hidden = tuple(one.path for one in verdict.change.fields if one.secret)
            wanted.append(WantedBlock(resource, live, names, hidden))
        elif (why := _why_not(verdict)) is not None:
            refused.append(NotAccepted(address, "", why, _is_unread(verdict)))
        else:
            in_sync[address] = _nothing_to_accept(verdict)
    return _edited(context, declared, wanted, refused, in_sync)


def _demand_schedules(desired: Desired, selection: Selection) -> None:
    for pattern in selection.only:
        chosen = select(desired.resources, Selection(only=(pattern,))) or frozenset()
        if all(address.kind != KIND.name for address in chosen):
            hint = "only schedules are read back; `apply --resend` sends the others once more"
            raise UsageError(f"{pattern!r} is no schedule, and nothing else can be accepted", hint=hint)


def _why_not(verdict: Change | BlockedResource | None) -> str | None:
    """Why what live shows cannot be accepted; None where there is nothing to accept."""
    if isinstance(verdict, BlockedResource):
        return words(verdict.why)
    if verdict is not None and verdict.reason is Reason.VANISHED:
        place = f"remove its block at {verdict.origin}" if verdict.origin else "remove its block"
        return f"it is gone from ACC: {place} to accept that, or apply to create it again"
    return None


def _is_unread(verdict: Change | BlockedResource | None) -> bool:
    return isinstance(verdict, BlockedResource) and verdict.reason is Reason.UNREADABLE


def _nothing_to_accept(verdict: Change | BlockedResource | None) -> str:
    if isinstance(verdict, Change) and verdict.action.is_remote:
        return f"nothing to accept: {words(verdict.why)}"
    return "nothing to accept: it is as declared"


def _edited(
    context: CommandContext,
    desired: Desired,
    wanted: Iterable[WantedBlock],
    refused: list[NotAccepted],
    in_sync: Mapping[Address, str],
) -> Acceptance:
    """Edit, read what would come of it, and leave out whom that shows to be wrong."""
    left = list(wanted)
    made = functools.cache(lambda: MadeBlocks(context.root, read_documents(context)))
    while True:
        editor = BlockEditor(context.root, made)
        editor.edit(left)
        amiss = _amiss(context, desired, editor)
        if not amiss:
            break
        refused = [*refused, *(NotAccepted(address, "", why) for address, why in amiss.items())]
        left = [one for one in left if one.address not in amiss]
    prefix = path_in_repository(context.root)
    texts = editor.texts()
    return Acceptance(
        tuple(EditedManifest(name, context.root / name, editor.before(name), texts[name]) for name in sorted(texts)),
        "".join(
            file_patch(f"{prefix}{name}", editor.file(name).before, editor.file(name).splices())
            for name in sorted(texts)
        ),
        tuple(sorted(editor.accepted)),
        tuple(sorted([*refused, *editor.refused])),
        in_sync,
        desired.project.environments,
        tuple(
            one.address
            for one in desired.resources
            if KINDS[one.address.kind].visibility is Visibility.STARTED_ONCE and editor.accepted.keys() & set(one.needs)
        ),
    )


def _amiss(context: CommandContext, desired: Desired, editor: BlockEditor) -> dict[Address, str]:
    """The schedules whose edits make the manifests say something that was not meant, and what. Raises ManifestError."""
    if unsure := editor.unsure():
        return dict.fromkeys(unsure, f"its block {Obstacle.UNSURE}: edit it by hand")
    texts = editor.as_read()
    if not texts:
        return {}
    found, problems = check_manifests(context, edited=texts)
    if found is None:
        known = {str(address): address for address in editor.accepted}
        errors = [one for one in problems if one.severity is Severity.ERROR]
        wrong = {known[one.address]: one.message for one in errors if one.address in known}
        wrong = wrong or {address: one.message for one in errors for address in editor.accepted_in(one.path)}
        if not wrong:
            raise ManifestError(errors)
        return {address: f"no manifest can say what ACC holds: {message}" for address, message in wrong.items()}
    said = {one.address: one.state for one in found.resources}
    amiss = {
        address: f"its block cannot say what ACC has in {', '.join(sorted(left))}: edit it by hand"
        for address, one in editor.accepted.items()
        if (left := one.fields & _differing(one.live, cast("ScheduleState", said[address]), context.clock()))
    }
    for resource in desired.resources:
        if resource.address not in editor.accepted and said.get(resource.address) != resource.state:
            why = f"an edit there would change {resource.address} as well: edit it by hand"
            blamed = editor.accepted_beside(resource) or editor.accepted
            amiss |= {address: why for address in blamed if address not in amiss}
    return amiss


def _differing(live: ScheduleState, declared: ScheduleState, as_of: datetime) -> frozenset[str]:
    return frozenset(one.path.partition(".")[0] for one in KIND.diff(live, declared, as_of=as_of))
