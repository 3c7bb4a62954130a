"""A status as a person goes through it: what needs attention first, alike things together, each with its next step."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from msgspec import Struct

from reconciler.causes import Cause, Why
from reconciler.model.address import Address
from reconciler.model.condition import DriftStatus, Health, ResourceStatus
from reconciler.render import wording
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.likeness import grouped
from reconciler.render.moments import moment_of
from reconciler.render.reasons import words
from reconciler.render.review import counted_kinds

_DISAGREES = 90.0
_IN_DOUBT = "whether its last start ran is not known"
_SAID_OF_NOTE = {
    Cause.NEXT_RUN_DISAGREES.value: "ACC names another next run than this program",
    Cause.RUNS_UNREAD.value: "the runs could not be read",
}
_COUNTS = frozenset({Cause.LAST_RUNS_FAILED, Cause.RUN_IS_LONG})

_MEANING = {
    Health.FAILING: "the last run failed",
    Health.DISABLED: "switched off, although it shall run",
    Health.LATE: "it should have run, and did not",
    Health.RUNNING_LONG: "running for longer than it does otherwise",
    Health.UNKNOWN: "how it does is not known",
}

_STEP = {
    Health.FAILING: "Look at the run's log in ACC and correct its cause: the next run that ends well clears this.",
    Health.DISABLED: (
        "`reconciler apply` switches it on again; `enabled: keep` in the manifest leaves the switch to the people at "
        "the console."
    ),
    Health.LATE: "Look in ACC whether the agent's servers are up, and what else the agent runs.",
    Health.RUNNING_LONG: "Look at the run in ACC: it may hang.",
    Health.UNKNOWN: "`reconciler doctor` says what cannot be read, and what to do.",
}
_SYNC_STEP = {
    DriftStatus.DRIFTED: (
        "`reconciler drift` shows each field; `reconciler apply` sets it back, `reconciler accept` takes it into the "
        "manifest."
    ),
    DriftStatus.DIVERGED: (
        "`reconciler drift` shows each field; `reconciler apply` makes live what the manifest says, "
        "`reconciler accept` the other way round."
    ),
    DriftStatus.MISSING: "`reconciler apply` creates it again; remove its block if it shall stay gone.",
    DriftStatus.UNREADABLE: "`reconciler doctor` says what cannot be read, and what to do.",
}


class AttentionGroup(Struct, frozen=True):
    """Resources that need attention for one cause. `told` are sentences on all of them, `step` what to do."""

    rows: tuple[ResourceStatus, ...]
    told: tuple[str, ...]
    step: str

    @property
    def word(self) -> str:
        """The worst that is so of them: a health, or how live stands to the manifest."""
        return word_of(self.rows[0])

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(row.address for row in self.rows)

    @property
    def shared(self) -> frozenset[Why]:
        """The notes that all of several have word for word, so that none of them needs to repeat them."""
        sets = [frozenset(row.notes) for row in self.rows]
        return frozenset.intersection(*sets) if len(sets) > 1 else frozenset()

    def headline(self) -> str:
        """`117 schedules: disabled`; of one its address instead of a count."""
        subject = str(self.rows[0].address) if len(self.rows) == 1 else counted_kinds(self.addresses)
        return f"{subject}: {_SAID_OF_NOTE.get(self.word, self.word)}"


def attention_groups(rows: Iterable[ResourceStatus]) -> tuple[AttentionGroup, ...]:
    """What needs attention, alike in health, sync and what is said of it but for names and times; the worst first."""
    alike = grouped((row for row in rows if row.needs_attention), _sort_of)
    groups = [_group(tuple(sorted(those, key=lambda row: row.address))) for those in alike.values()]
    return tuple(sorted(groups, key=lambda one: (_rank(one.rows[0]), -len(one.rows), one.rows[0].address)))


def word_of(row: ResourceStatus) -> str:
    """What of a row needs attention most: a health, how live stands to the manifest, or the name of a note's cause."""
    if row.health.is_unhealthy or row.health is Health.UNKNOWN or (row.in_doubt and not row.sync.needs_attention):
        return row.health.value
    if row.sync.needs_attention:
        return row.sync.value
    return row.remark.cause.value if row.remark is not None else row.health.value


def disagrees(row: ResourceStatus) -> bool:
    """Whether the product's next run is another one than ours."""
    served, predicted = moment_of(row.next_run), moment_of(row.predicted)
    return served is not None and predicted is not None and abs((served - predicted).total_seconds()) > _DISAGREES


def _sort_of(row: ResourceStatus) -> Hashable:
    """What may stand in one group: how often a run failed, or how long one lasts, is a matter of each."""
    sync = row.sync if row.sync.needs_attention else None
    health = row.health if word_of(row) == row.health else None
    said = tuple((note.cause, *_told(note)) for note in row.notes)
    return health, sync, row.in_doubt, row.address.kind, said


def _told(note: Why) -> tuple[str, ...]:
    if note.cause in _COUNTS:
        return skeleton(dict(note.about).get("said", ""))
    return skeleton(words(note))


def _rank(row: ResourceStatus) -> int:
    order = [*(one.value for one in Health if one is not Health.HEALTHY), *(one.value for one in DriftStatus)]
    word = word_of(row)
    return order.index(word) if word in order else len(order)


def _group(rows: tuple[ResourceStatus, ...]) -> AttentionGroup:
    first = rows[0]
    told = [
        _IN_DOUBT if note.cause is Cause.LAST_START_IN_DOUBT else _shared([words(row.notes[number]) for row in rows])
        for number, note in enumerate(first.notes)
    ]
    if not told and first.health in _MEANING and first.sync is not DriftStatus.UNREADABLE:
        told.append(_MEANING[first.health])
    if first.sync.needs_attention:
        told.append(wording.DRIFT_MEANING[first.sync])
    return AttentionGroup(rows, tuple(told), _step(rows))


def _shared(sentences: list[str]) -> str:
    alike = len(set(map(skeleton, sentences))) == 1
    return shared_sentence(sentences) if alike else f"for example: {sentences[0]}"


def _step(rows: tuple[ResourceStatus, ...]) -> str:
    first = rows[0]
    address = str(first.address) if len(rows) == 1 else "ADDRESS"
    if first.in_doubt:
        return f"Find out whether it ran, then `reconciler resolve {address} --ran | --not-ran`."
    if first.address.kind == "trigger" and first.health is Health.FAILING:
        return f"Correct its cause; then `reconciler apply --resend {address}` starts it once more."
    if word_of(first) == first.health and first.health in _STEP:
        return _STEP[first.health]
    if first.sync in _SYNC_STEP:
        return _SYNC_STEP[first.sync]
    if any(note.cause is Cause.NEXT_RUN_DISAGREES for note in first.notes):
        return "ACC goes by its own next run: look there whether it is the one that you want."
    return "`reconciler doctor` says what cannot be read, and what to do."
