"""A plan as a person reviews it: what is risky first, what is alike together, what only the ledger records in a line.

Text, Markdown and pages draw this one outline, so that they tell the same and each change is counted once in each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

from reconciler.causes import Cause, Why
from reconciler.model.address import Address, Origin
from reconciler.model.plan import Action, BlockedResource, Change, FieldChange, Finding, Plan, Preview, Reason
from reconciler.model.state import JSON, SECRET_CHANGED
from reconciler.quantities import counted
from reconciler.render import wording
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.characters import ABSENT, field_texts
from reconciler.render.frequency import (
    TIMES,
    frequency_text,
    moves_first_run,
    multiplies,
    never_ran,
    never_runs,
    runs_every_minute,
)
from reconciler.render.likeness import (
    ShownField,
    VaryingField,
    alike,
    common_fields,
    grouped,
    shown_field,
    varying_fields,
)
from reconciler.render.reasons import words

_SHORT_VALUE = 40
_NAMED_FIELDS = 3


class Risk(StrEnum):
    """Why a reviewer has to look closely; gravest first. The value is its heading."""

    DELETED = "deleted"
    DISAPPROVED = "disapproved"
    REPLACED = "input files removed"
    SWITCHED_OFF = "switched off"
    NO_FURTHER_RUN = "never runs again"
    SWITCHED_ON = "switched on"
    FIRST_RUN = "first run moved by more than a day"
    STARTED = "started"
    OFTEN = "runs every minute or more often"
    FREQUENCY = "runs at least twice or at most half as often"


_RISK_OF_ACTION = {
    Action.DELETE: Risk.DELETED,
    Action.DISAPPROVE: Risk.DISAPPROVED,
    Action.DISABLE: Risk.SWITCHED_OFF,
    Action.ENABLE: Risk.SWITCHED_ON,
    Action.START: Risk.STARTED,
}


class ChangeGroup(Struct, frozen=True, dict=True):
    """Changes that a reviewer can judge together: one action, on one kind, for one reason, of the same risk."""

    changes: tuple[Change, ...]
    risk: Risk | None = None

    @property
    def action(self) -> Action:
        return self.changes[0].action

    @property
    def kind(self) -> str:
        return self.changes[0].address.kind

    @property
    def reason(self) -> Reason:
        return self.changes[0].reason

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(change.address for change in self.changes)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where the changes stand in manifests, each place once and in order."""
        found = {change.origin for change in self.changes if change.origin is not None}
        return tuple(sorted(found, key=lambda one: (one.path, one.line)))

    @property
    def is_single(self) -> bool:
        return len(self.changes) == 1

    @cached_property
    def common(self) -> tuple[FieldChange, ...]:
        """The fields that every change of the group changes alike, in the order of the first one."""
        return common_fields([change.fields for change in self.changes])

    @cached_property
    def varying(self) -> tuple[VaryingField, ...]:
        """The other fields, in the order in which changes name them."""
        return varying_fields([change.fields for change in self.changes])

    @cached_property
    def sentences(self) -> tuple[tuple[str, int], ...]:
        """Why these changes stand in the plan, each sentence with how many it is said of; "" where nothing is said."""
        return tuple(Counter(words(change.why) for change in self.changes).most_common())

    @property
    def because(self) -> str:
        """`edited: the manifest changed`; only the reason where the sentences differ in more than names and times."""
        all_said = [sentence for sentence, _ in self.sentences]
        said = shared_sentence(all_said) if len(set(map(skeleton, all_said))) == 1 else ""
        return f"{self.reason}: {said}" if said else self.reason.value

    @property
    def is_told(self) -> bool:
        """Whether the headline holds all that changes, so that no field has to be told beside it."""
        if self.action in (Action.ENABLE, Action.DISABLE):
            return {field.path for change in self.changes for field in change.fields} <= {"enabled"}
        if self.action is not Action.UPDATE or self.varying or len(self.common) > _NAMED_FIELDS:
            return False
        return all(len(bare(side)) <= _SHORT_VALUE for field in self.common for side in field.shown)

    def frequency(self, *, arrow: str = "→", times: str = TIMES) -> str:
        """`24 → 26 runs a day` where that is so of all; else the most: `up to 96 runs a day`.

        Nothing where it stays as often as it was.
        """
        texts = {_frequency(change, arrow=arrow, times=times) for change in self.changes}
        if len(texts) == 1:
            return texts.pop()
        previews = [one.preview for one in self.changes if one.preview is not None and _frequency(one)]
        most = max((one.before_per_day if one.after_per_day is None else one.after_per_day) or 0 for one in previews)
        return f"up to {frequency_text(Preview(after_per_day=most))}"

    def counted(self) -> str:
        """`117 schedules`."""
        return kind_counted(len(self.changes), self.kind)

    def headline(self, *, arrow: str = "→", times: str = TIMES) -> str:
        """`117 schedules: every 15m → 45m, 96 → 32 runs a day`; of one change its address instead of a count.

        What is no update is led by what will be done: `3 schedules will be deleted: 24 runs a day`.
        """
        subject = str(self.changes[0].address) if self.is_single else self.counted()
        told = list(self.changed(arrow)) if self.action is Action.UPDATE else []
        head = subject if told else f"{subject} will be {wording.DONE[self.action]}"
        told += [said] if (said := self.frequency(arrow=arrow, times=times)) else []
        return f"{head}: {', '.join(told)}" if told else head

    def changed(self, arrow: str = "→") -> Iterable[str]:
        """The changed fields in short; those with long or various values by name."""
        named: list[str] = []
        for field in self.common:
            sides = [bare(side) for side in field.shown]
            if max(map(len, sides)) > _SHORT_VALUE or len(named) >= _NAMED_FIELDS:
                named.append(field.path)
            elif sides[1] == SECRET_CHANGED:
                named.append(f"{field.path} {SECRET_CHANGED}")
            else:
                named.append(f"{field.path} {sides[0]} {arrow} {sides[1]}")
        named += [field.path for field in self.varying]
        yield from named[:_NAMED_FIELDS]
        if len(named) > _NAMED_FIELDS:
            yield counted(len(named) - _NAMED_FIELDS, "more field")


class BlockedGroup(Struct, frozen=True):
    """Resources that are blocked for one reason, in the same words but for names and times.

    `said` is what is said of all of them, and `step` what to do about them.
    """

    blocked: tuple[BlockedResource, ...]
    said: str
    step: str

    @property
    def reason(self) -> Reason:
        return self.blocked[0].reason

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(one.address for one in self.blocked)

    @property
    def is_single(self) -> bool:
        return len(self.blocked) == 1

    def headline(self) -> str:
        """`1,200 resources: unreadable`; of one its address instead of a count."""
        subject = str(self.blocked[0].address) if self.is_single else counted_kinds(self.addresses)
        return f"{subject}: {wording.blocked_words(self.blocked[0])}"


class WarningGroup(Struct, frozen=True):
    """Warnings of one code: each sentence with the addresses that it is about ("" is the project)."""

    code: str
    sentences: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def count(self) -> int:
        return sum(len(addresses) for _, addresses in self.sentences)


class Outline(Struct, frozen=True):
    """A plan in the order in which it is reviewed. Every change stands in one group of one of the first three."""

    risky: tuple[ChangeGroup, ...]
    routine: tuple[ChangeGroup, ...]
    ledger_only: tuple[ChangeGroup, ...]
    blocked: tuple[BlockedGroup, ...]
    warnings: tuple[WarningGroup, ...]


def outline(plan: Plan) -> Outline:
    """The plan's changes by risk and likeness, what is blocked by cause, and warnings by code."""
    remote = change_groups(change for change in plan.changes if change.action.is_remote)
    return Outline(
        risky=tuple(group for group in remote if group.risk is not None),
        routine=tuple(group for group in remote if group.risk is None),
        ledger_only=change_groups(change for change in plan.changes if not change.action.is_remote),
        blocked=blocked_groups(plan.blocked),
        warnings=warning_groups(plan.warnings),
    )


def risk_of(change: Change) -> Risk | None:
    """Why a reviewer has to look closely at a change, the gravest reason; None where it is routine."""
    if not change.action.is_remote:
        return None
    if change.action in _RISK_OF_ACTION:
        return _RISK_OF_ACTION[change.action]
    if change.why is not None and _is_about(change.why, Cause.FILES_REPLACED):
        return Risk.REPLACED
    switched = next((field for field in change.fields if field.path == "enabled"), None)
    if change.action is Action.UPDATE and switched is not None:
        return Risk.SWITCHED_ON if switched.after is not False else Risk.SWITCHED_OFF
    preview = change.preview
    if never_runs(preview):
        return Risk.NO_FURTHER_RUN
    if never_ran(preview) or (moves_first_run(preview) and any(field.path == "startTime" for field in change.fields)):
        return Risk.FIRST_RUN
    if runs_every_minute(preview):
        return Risk.OFTEN
    return Risk.FREQUENCY if multiplies(change) else None


def change_groups(changes: Iterable[Change]) -> tuple[ChangeGroup, ...]:
    """Changes that are alike in one group each: by risk, then in the order of actions, the largest first."""
    found = [
        ChangeGroup(tuple(sorted(together, key=lambda change: change.address)), risk)
        for (risk, *_), of_one_sort in grouped(changes, _sort_of).items()
        for together in alike(of_one_sort, _as_shown)
    ]
    risks, actions = list(Risk), list(Action)
    return tuple(
        sorted(
            found,
            key=lambda group: (
                len(risks) if group.risk is None else risks.index(group.risk),
                actions.index(group.action),
                -len(group.changes),
                group.changes[0].address,
            ),
        )
    )


def blocked_groups(blocked: Iterable[BlockedResource]) -> tuple[BlockedGroup, ...]:
    """What is blocked for the same reason and in the same words, the largest group of a reason first."""
    found = []
    for (reason, _), together in grouped(blocked, lambda one: (one.reason, skeleton(words(one.why)))).items():
        said = shared_sentence([words(one.why) for one in together])
        steps = {wording.blocked_step(one) for one in together}
        step = steps.pop() if len(steps) == 1 else wording.blocked_step_of_many(reason)
        found.append(BlockedGroup(tuple(sorted(together, key=lambda one: one.address)), said, step))
    reasons = list(Reason)
    return tuple(sorted(found, key=lambda one: (reasons.index(one.reason), -len(one.blocked), one.blocked[0].address)))


def warning_groups(warnings: Iterable[Finding]) -> tuple[WarningGroup, ...]:
    """Warnings by code, and within one by sentence, what is said most often first."""
    groups = []
    for code, together in sorted(grouped(warnings, lambda one: one.code).items()):
        said = grouped(together, lambda one: words(one.why))
        sentences = [(sentence, tuple(sorted(one.address for one in of))) for sentence, of in said.items()]
        groups.append(WarningGroup(code, tuple(sorted(sentences, key=lambda one: (-len(one[1]), one[1], one[0])))))
    return tuple(groups)


def kind_counted(number: int, kind: str) -> str:
    """`117 schedules`, `2 sets of input files`: a kind whose name is a plural counts sets."""
    noun = kind.replace("-", " ")
    if noun.endswith("s"):
        return counted(number, f"set of {noun}", f"sets of {noun}")
    return counted(number, noun)


def bare(value: JSON) -> str:
    """A value as a headline has it: a text without its quotes."""
    if value is None:
        return ABSENT
    return value if isinstance(value, str) else field_texts(FieldChange("", None, value))[1]


def _is_about(why: Why, cause: Cause) -> bool:
    return why.cause is cause or any(_is_about(one, cause) for one in why.more)


def _frequency(change: Change, *, arrow: str = "→", times: str = TIMES) -> str:
    shown = change.preview
    if shown is None or (change.action is Action.UPDATE and shown.after_per_day in (None, shown.before_per_day)):
        return ""
    return frequency_text(shown, arrow=arrow, times=times)


def _sort_of(change: Change) -> tuple[Risk | None, Action, str, Reason, Cause | None, tuple[str, ...]]:
    """What may stand in one group at all. Updates also change the same fields; what a creation sets may differ."""
    paths = tuple(sorted(field.path for field in change.fields)) if change.action is Action.UPDATE else ()
    cause = None if change.why is None else change.why.cause
    return risk_of(change), change.action, change.address.kind, change.reason, cause, paths


def _as_shown(change: Change) -> tuple[tuple[ShownField, ...], str]:
    return tuple(map(shown_field, change.fields)), _frequency(change)


def counted_kinds(addresses: Sequence[Address]) -> str:
    """`1,200 schedules`; `1,260 resources` where they are of several kinds."""
    kinds = {address.kind for address in addresses}
    if len(kinds) == 1:
        return kind_counted(len(addresses), kinds.pop())
    return counted(len(addresses), "resource")
