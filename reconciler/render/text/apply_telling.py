"""What is told while an apply runs: events in, lines out. Each outcome is told once, in whatever order events come.

A line of its own has what a person wants to see at once: what did not end as applied, starts, a few deletions. What is
alike is told when its group is through. It reads no clock: whoever asks says what time it is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.outcome import ApplyBegan, ApplyEvent, Began, Outcome, Status, Waiting
from reconciler.model.plan import Action, Change
from reconciler.render import Screen, wording
from reconciler.render.likeness import grouped
from reconciler.render.outcome_review import cause_key, outcome_groups
from reconciler.render.review import ChangeGroup, outline
from reconciler.render.text import apply_text

_SINGLE = 20
"""A group of so many deletions or starts is told one by one."""

_SINGLE_CAUSES = 20
"""So many causes have a line of their own as they come up."""

_LATELY = 10.0
"""The seconds over which the rate is taken."""

_ENOUGH = 3
"""So many ends make a rate."""

_SLOW = 2.0
"""What takes so many seconds is said to be waited for."""


@dataclass
class _Group:
    """A group of the plan on its way: what of it has not ended, and what was applied and is not told yet."""

    of: ChangeGroup
    open: set[Address]
    began: float | None = None
    ended: float = 0.0
    applied: list[Outcome] = field(default_factory=list)

    @property
    def is_told_singly(self) -> bool:
        return self.of.action in (Action.START, Action.DELETE) and len(self.of.changes) <= _SINGLE


class ApplyTelling:
    """One apply as it is told. `verbose` gives each change a line."""

    def __init__(self, screen: Screen, *, verbose: bool = False) -> None:
        self._screen = screen
        self._verbose = verbose
        self._total = 0
        self._began: float | None = None
        self._changes: dict[Address, Change] = {}
        self._groups: dict[Address, _Group] = {}
        self._ended: dict[Address, Outcome] = {}
        self._under_way: dict[str, tuple[Change, float]] = {}
        self._waits: dict[str, tuple[Waiting, float]] = {}
        self._causes: dict[tuple[str, ...], Outcome] = {}
        self._untold: list[Outcome] = []
        self._ends: deque[float] = deque(maxlen=10_000)

    def hear(self, event: ApplyEvent, now: float) -> list[str]:
        """Take an event in, and return the lines that it makes, without line ends."""
        match event:
            case ApplyBegan():
                return self._begin(event, now)
            case Began():
                return self._begin_change(event.change, now)
            case Waiting():
                return self._wait(event, now)
            case Outcome():
                return self._end_change(event, now)

    def rest(self) -> list[str]:
        """The lines for what ended and was not told so far: groups that did not get through, what was held back."""
        groups = {id(group): group for group in self._groups.values() if group.applied}
        lines = [self._group_line(group) for group in groups.values()]
        first_of = self._causes.get
        by_cause = grouped(self._untold, cause_key)
        for key, alike in by_cause.items():
            if (first := first_of(key)) is not None:
                lines.append(apply_text.more_line(alike, first, self._screen))
        others = [outcome for key, alike in by_cause.items() if first_of(key) is None for outcome in alike]
        lines += [apply_text.rest_line(group, self._screen) for group in outcome_groups(others)]
        self._untold = []
        return lines

    def live_text(self, now: float, *, is_interrupted: bool = False) -> str:
        """What stands in the one line that is drawn over; "" where there is nothing to wait for."""
        return self._now_text(now, is_interrupted=is_interrupted, is_heartbeat=False)

    def heartbeat(self, now: float, *, is_interrupted: bool = False) -> str:
        """The same for a log, in which nothing is drawn over."""
        return self._now_text(now, is_interrupted=is_interrupted, is_heartbeat=True)

    # --- events ------------------------------------------------------------------------------------------------------

    def _begin(self, event: ApplyBegan, now: float) -> list[str]:
        self._began, self._total = now, len(event.plan.changes)
        self._waits.clear()
        plan = outline(event.plan)
        for group in (*plan.risky, *plan.routine, *plan.ledger_only):
            self._follow(group)
        return []

    def _follow(self, group: ChangeGroup) -> None:
        followed = _Group(group, set(group.addresses))
        for change in group.changes:
            self._groups[change.address] = followed
            self._changes[change.address] = change

    def _begin_change(self, change: Change, now: float) -> list[str]:
        self._under_way[str(change.address)] = change, now
        group = self._groups.get(change.address)
        if group is not None and group.began is None:
            group.began = now
        return []

    def _wait(self, event: Waiting, now: float) -> list[str]:
        if event.is_over:
            self._waits.pop(event.what, None)
            return []
        known = self._waits.get(event.what)
        self._waits[event.what] = event, now
        if known is not None and known[0].run_id == event.run_id:
            return []
        change = next((one for one in self._changes.values() if str(one.address) == event.what), None)
        if change is not None and len(self._groups[change.address].of.changes) > _SINGLE and not self._verbose:
            return []
        return [apply_text.waiting_line(event, change, self._screen)]

    def _end_change(self, outcome: Outcome, now: float) -> list[str]:
        address = outcome.change.address
        self._under_way.pop(str(address), None)
        self._waits.pop(str(address), None)
        self._ended[address] = outcome
        if outcome.status is not Status.SKIPPED:
            self._ends.append(now)
        if address not in self._groups:
            self._follow(ChangeGroup((outcome.change,)))
        group = self._groups[address]
        group.began = now - outcome.seconds if group.began is None else group.began
        group.ended = now
        group.open.discard(address)
        lines = list(self._told_at_once(outcome, group))
        if not group.open and group.applied:
            lines.append(self._group_line(group))
        return lines

    def _told_at_once(self, outcome: Outcome, group: _Group) -> Iterator[str]:
        """The line of this outcome, if it has one of its own; else it waits for those that are alike."""
        if self._verbose or (outcome.status is Status.APPLIED and group.is_told_singly):
            yield apply_text.outcome_line(outcome, self._screen)
        elif outcome.status is Status.APPLIED:
            group.applied.append(outcome)
        elif outcome.status is Status.SKIPPED or not self._is_new(outcome):
            self._untold.append(outcome)
        else:
            yield apply_text.outcome_line(outcome, self._screen)

    def _is_new(self, outcome: Outcome) -> bool:
        """Whether nothing ended for this cause so far, of which it is then the example."""
        key = cause_key(outcome)
        if key in self._causes or len(self._causes) >= _SINGLE_CAUSES:
            return False
        self._causes[key] = outcome
        return True

    def _group_line(self, group: _Group) -> str:
        applied, group.applied = group.applied, []
        seconds = group.ended - group.began if group.began is not None else 0.0
        return apply_text.group_line(group.of, applied, max(seconds, 0.0), self._screen)

    # --- how it stands now -------------------------------------------------------------------------------------------

    def _now_text(self, now: float, *, is_interrupted: bool, is_heartbeat: bool) -> str:
        waited = apply_text.waited_text(self._waited_for(now), is_heartbeat=is_heartbeat)
        if self._began is None or self._is_done:
            return waited
        said = apply_text.progress_text(replace(self._progress(now), is_interrupted=is_interrupted))
        gap = " " if said.endswith("]") else "; "
        return said + gap + waited if waited else said

    @property
    def _done(self) -> int:
        return len(self._ended) - sum(change.address in self._ended for change, _ in self._under_way.values())

    @property
    def _is_done(self) -> bool:
        return self._done >= self._total

    def _progress(self, now: float) -> apply_text.ApplyProgress:
        while self._ends and self._ends[0] < now - _LATELY:
            self._ends.popleft()
        lasted = min(now - (self._began or 0.0), _LATELY)
        left = self._total - self._done
        # Of what waits for a run nobody knows how long that takes, and after one or two there is no rate yet.
        is_steady = lasted >= 1 and len(self._ends) >= _ENOUGH and left > len(self._waits)
        rate = len(self._ends) / lasted if is_steady else None
        counts = Counter(outcome.status for outcome in self._ended.values())
        return apply_text.ApplyProgress(
            self._done,
            self._total,
            rate,
            left / rate if rate else None,
            tuple((status, counts[status]) for status in wording.STATUS_ORDER if counts[status]),
        )

    def _waited_for(self, now: float) -> list[Waiting]:
        """What is waited for: runs and locks, as they tell; and else the change that takes longest."""
        waits = [replace(one, seconds=one.seconds + now - heard) for one, heard in self._waits.values()]
        if waits:
            return waits
        slow = [(now - since, change) for change, since in self._under_way.values() if now - since >= _SLOW]
        return [Waiting(str(change.address), change.action.value, seconds) for seconds, change in slow]
