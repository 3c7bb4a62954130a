"""The kind `schedule`: one job schedule of an ACC agent, the only kind that ACC shows in full."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, cast

from reconciler.causes import Cause, Why, because, said
from reconciler.diff import Sealer, changes
from reconciler.identity import normal_id
from reconciler.kind import Examined, HealthReport, MovedSince, ObservedKind, Product
from reconciler.kinds.schedule_state import (
    DEFAULTS,
    PATHS,
    ScheduleMemo,
    ScheduleState,
    as_every,
    fields_of,
    live_state,
    meaning_of,
    means_the_same,
    outlook,
    starts_alike,
    timing,
    wire_body,
    wire_start,
)
from reconciler.model.address import AddressForm
from reconciler.model.condition import Health
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import AgentView, Observation
from reconciler.model.plan import Action, Change, FieldChange, Preview
from reconciler.model.resource import Resource
from reconciler.model.state import JSON
from reconciler.timetable import describe

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient
    from reconciler.clients.replies import JobSchedule

OTHER_VALUE = "(another value)"
"""What stands for a value of which the ledger holds a digest alone."""

_NOT_KEPT: Mapping[str, object] = {}
_ALWAYS_SET = frozenset({"cron", "startTime", "timeZone"})
_POSSIBLE: Mapping[str, tuple[JSON, ...]] = {
    "inputParameters": ({},),
    "logLevel": (0, 1, 2, 3),
    "sessionId": ("",),
    "windowless": (True, False),
    "enabled": (True, False),
}
"""Values that a digest is tried with, where a manifest leaves a field open: all there are, or the usual one."""


class ScheduleObservation(Observation[ScheduleState], frozen=True, kw_only=True):
    """A live schedule, with the record that ACC shows of it: its runs, its errors."""

    record: JobSchedule


class ScheduleKind(ObservedKind[ScheduleState, ScheduleMemo, "AccClient"]):
    """Job schedules, compared by meaning: equal is what runs at the same instants from now on."""

    name = "schedule"
    form = AddressForm.IN_AGENT
    product = Product.ACC
    rank = 2
    noun = ("schedule", "schedules")
    memo_type = ScheduleMemo
    has_health = True
    surely_alike = ("cron", "timeZone", "inputParameters")

    # --- live --------------------------------------------------------------------------------------------------------

    def observe(self, api: AccClient, agent_id: str) -> Mapping[str, ScheduleObservation]:
        """An agent's schedules ("Get job schedules"). Raises ProductError, or what an answer of another form raises."""
        found = {}
        for live in api.job_schedules(agent_id):
            identity = normal_id(live.schedule_id)
            # What was received is of no further use, and an estate is kept in memory as a whole.
            found[identity] = ScheduleObservation(identity, live_state(live), record=replace(live, raw=_NOT_KEPT))
        return found

    def live_of(self, view: AgentView) -> Mapping[str, ScheduleObservation]:
        """The schedules that were seen of an agent, by id."""
        return cast("Mapping[str, ScheduleObservation]", view.of(self.name))

    def act(self, api: AccClient, change: Change[ScheduleState], *, once: bool) -> None:
        """Send one change, "Add or update job schedule" or one of ACC's calls for switching and deleting."""
        match change.action:
            case Action.CREATE | Action.UPDATE:
                assert change.after is not None
                api.put_schedule(change.agent_id, wire_body(change.identity, change.after), once=once)
            case Action.ENABLE:
                api.enable_schedule(change.identity)
            case Action.DISABLE:
                api.disable_schedule(change.identity)
            case Action.DELETE:
                api.delete_schedule(change.identity)
            case _:
                raise AssertionError(f"a schedule knows no action {change.action}")

    # --- comparison --------------------------------------------------------------------------------------------------

    def path(self, name: str) -> str:
        return PATHS[name]

    def values(self, state: ScheduleState) -> dict[str, JSON]:
        return {path: value for path, value in fields_of(state) if value is not None}

    def declared_fields(self, state: ScheduleState) -> dict[str, JSON]:
        """As it is written: `every`, and a zone by the name that the manifest has for it."""
        written = state.written
        said = {"every" if state.says_every else "cron": written.rhythm}
        said |= {"startTime": written.start_time, "timeZone": written.time_zone}
        rest = {path: value for path, value in self.values(state).items() if path not in ("cron", *said)}
        return {**{path: value for path, value in said.items() if value}, **rest}

    def rhythm(self, state: ScheduleState) -> str:
        when = timing(state)
        if when is None:
            return ""
        zone = state.written.time_zone or state.time_zone or ""
        is_everywhere_alike = when.expression.interval is not None
        clock = zone if zone.endswith(" Time") else f"{zone} time"  # most Windows ids say so themselves
        return describe(when.expression) + ("" if is_everywhere_alike else f", {clock}")

    def whole(self, desired: ScheduleState, live: ScheduleState | None) -> ScheduleState:
        rest = DEFAULTS if live is None else live
        left = {}
        for name in PATHS:
            if getattr(desired, name) is None:
                value = getattr(rest, name)
                left[name] = getattr(DEFAULTS, name) if value is None else value
        return replace(desired, **left) if left else desired

    def diff(self, live: ScheduleState, desired: ScheduleState, *, as_of: datetime) -> tuple[FieldChange, ...]:
        found: list[FieldChange] = []
        for name, path in PATHS.items():
            before, after = getattr(live, name), getattr(desired, name)
            if after is None or before == after:
                continue
            if name == "input_parameters" and isinstance(before, Mapping):
                found.extend(changes(before, after, path))
            elif not means_the_same(name, live, desired, as_of):
                found.append(FieldChange(path, before, after))
        return tuple(found)

    def as_written(self, found: tuple[FieldChange, ...], desired: ScheduleState) -> tuple[FieldChange, ...]:
        """`every: 15m`, where the manifest says `every`."""
        if not desired.says_every:
            return found
        return tuple(
            FieldChange("every", as_every(one.before), as_every(one.after)) if one.path == "cron" else one
            for one in found
        )

    def meaning(self, state: ScheduleState) -> dict[str, str]:
        """Of an interval's start only the phase matters; a cron schedule's start drops out of sight."""
        return {path: meaning_of(path, value, state) for path, value in fields_of(state)}

    def declared_meaning(self, state: ScheduleState) -> dict[str, str]:
        return {path: meaning_of(path, value, state) for path, value in fields_of(state) if value is not None}

    def content(self, state: ScheduleState, seal: Sealer) -> str:
        """What the block says itself: a default that the program learns of later must not start a task again."""
        meant = self.declared_meaning(state)
        if not state.says_enabled:
            del meant["enabled"]
        return seal(meant)

    def action(self, found: tuple[FieldChange, ...]) -> Action:
        """`enable` or `disable` when nothing else differs, since ACC has calls of its own for them; else `update`."""
        if [one.path for one in found] == ["enabled"]:
            return Action.ENABLE if found[0].after else Action.DISABLE
        return Action.UPDATE

    def preview(self, before: ScheduleState | None, after: ScheduleState | None, *, as_of: datetime) -> Preview:
        """Next runs and runs a day, before and after. A disabled schedule does not run."""
        before_runs, before_per_day, _ = outlook(before, as_of)
        after_runs, after_per_day, notes = outlook(after, as_of)
        return Preview(before_runs, after_runs, before_per_day, after_per_day, notes)

    # --- what the ledger remembers -----------------------------------------------------------------------------------

    def remember(
        self, live: ScheduleState, resource: Resource[ScheduleState] | None, before: ScheduleMemo | None
    ) -> ScheduleMemo:
        set_fields = None
        if resource is not None:
            set_fields = tuple(sorted(self.values(resource.state).keys() - _ALWAYS_SET))
        return ScheduleMemo(
            moved_from=resource.moved_from if resource is not None else "",
            server_assigned_ids=before.server_assigned_ids if before is not None else (),
            start=None if timing(live) is None else wire_start(live),
            set_fields=set_fields,
        )

    def moved_since(
        self,
        entry: Entry[ScheduleMemo],
        state: ScheduleState,
        meant: Mapping[str, str],
        after: MovedSince[ScheduleState],
    ) -> frozenset[str]:
        """Starts are held against each other under the cron and the zone of the desired state.

        Entries of earlier versions hold no start but an interval's phase.
        """
        moved = super().moved_since(entry, state, meant, after)
        if state.start_time is not None and entry.memo.start is not None:
            remembered = replace(after.desired, start_time=entry.memo.start)
            alike = starts_alike(state, remembered, after.as_of)
            moved = moved - {"startTime"} if alike else moved | {"startTime"}
        return moved

    def newly_set(self, entry: Entry[ScheduleMemo], desired: ScheduleState) -> frozenset[str]:
        known = entry.memo.set_fields
        return frozenset() if known is None else frozenset(self.values(desired)) - _ALWAYS_SET - frozenset(known)

    def is_on_by_default_now(
        self, entry: Entry[ScheduleMemo], differing: frozenset[str], desired: ScheduleState
    ) -> bool:
        return differing == {"enabled"} and bool(desired.enabled) and entry.memo.set_fields is None

    def takeover_hint(self, desired: ScheduleState, found: tuple[FieldChange, ...]) -> tuple[Why, ...]:
        if desired.says_enabled or not any(one.path == "enabled" for one in found):
            return ()
        return (because(Cause.OFF_IN_ACC),)

    def unset_changes(
        self,
        entry: Entry[ScheduleMemo],
        live: ScheduleState,
        desired: ScheduleState,
        digest_of: Callable[[str, str], str],
    ) -> tuple[FieldChange, ...]:
        found: list[FieldChange] = []
        managed = self.values(desired)
        for path, value in fields_of(live):
            remembered = entry.applied.get(path)
            if path in managed or remembered is None or remembered == digest_of(path, meaning_of(path, value, live)):
                continue
            known = next(
                (one for one in _POSSIBLE[path] if digest_of(path, json.dumps(one, sort_keys=True)) == remembered),
                OTHER_VALUE,
            )
            found.extend(changes(value, known, path))
        return tuple(found)

    # --- health ------------------------------------------------------------------------------------------------------

    def question(
        self, resource: Resource[ScheduleState], view: AgentView | None, entry: Entry[ScheduleMemo] | None
    ) -> str:
        """The agent, whose run history is asked for."""
        return view.agent_id if view is not None and not view.problem and view.of(self.name) else ""

    def ask(self, api: AccClient, question: str, hide: Callable[[str, JSON], None]) -> object:
        from reconciler.kinds import schedule_health  # of no use to a plan

        return schedule_health.runs_of(api, question, hide)

    def health(self, examined: Examined[ScheduleState, ScheduleMemo]) -> HealthReport:
        observed = examined.observation
        if observed.problem or observed.state is None:
            return HealthReport(Health.UNKNOWN, notes=(_unseen(observed.problem),))
        from reconciler.kinds import schedule_health

        assert isinstance(observed, ScheduleObservation)
        return schedule_health.of_schedule(observed.record, examined, timing(observed.state))


def _unseen(problem: str) -> Why:
    """Why a schedule is not seen: the problem that its agent was read with, or that ACC has none."""
    return said(problem) if problem else because(Cause.ABSENT_FROM_ACC)


KIND = ScheduleKind()
