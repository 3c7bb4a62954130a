"""What somebody should look at first, gravest first: resources that are in the same trouble are told of once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from reconciler.model.condition import DriftStatus, Health
from reconciler.model.estate import ResourceReport
from reconciler.quantities import first_few
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.likeness import grouped
from reconciler.render.reasons import words
from reconciler.render.wording import (
    DRIFT_MEANING,
    blocked_step,
    blocked_step_of_many,
    finding_words,
    sentences,
)

_FIELDS = 4


class Page(NamedTuple):
    """A page that tells more of it; it has an element for each of the resources."""

    name: str
    href: str


class Trouble(NamedTuple):
    """What is wrong with one resource: a word, a sentence, what to do, and the pages that tell more."""

    word: str
    told: str
    step: str
    pages: tuple[Page, ...]


class TroubledGroup(Struct, frozen=True):
    """Resources in the same trouble."""

    trouble: Trouble
    resources: Sequence[ResourceReport]


_GRAVEST = ("failing", "missing", "blocked", "unknown start", "unreadable", "diverged", "drifted", "late", "disabled")
PLAN, DRIFT, STATUS = Page("plan", "plan.html"), Page("drift", "drift.html"), Page("status", "status.html")


def attention(resources: Iterable[ResourceReport]) -> list[TroubledGroup]:
    """The troubles of these resources, each with all that are in it, and one cause once."""
    alike = grouped(((one, trouble_of(one)) for one in resources), lambda pair: (pair[1].word, skeleton(pair[1].told)))
    groups = [_group(together) for together in alike.values()]
    return sorted(groups, key=lambda group: (_rank(group.trouble.word), -len(group.resources), group.trouble))


def _group(together: Sequence[tuple[ResourceReport, Trouble]]) -> TroubledGroup:
    resources, troubles = zip(*together, strict=True)
    steps, first = {trouble.step for trouble in troubles}, resources[0]
    of_many = blocked_step_of_many(first.blocked.reason) if first.blocked is not None else ""
    step = steps.pop() if len(steps) == 1 else of_many
    told = shared_sentence([trouble.told for trouble in troubles])
    pages = tuple(page for page in (PLAN, DRIFT, STATUS) if any(page in trouble.pages for trouble in troubles))
    return TroubledGroup(Trouble(troubles[0].word, told, step, pages), resources)


def trouble_of(one: ResourceReport) -> Trouble:
    """What is wrong with a resource that is worth a look."""
    status, blocked = one.status, one.blocked
    is_unhealthy = status is not None and status.is_unhealthy and one.sync is not DriftStatus.MISSING
    notes = sentences(*map(words, status.notes)) if status is not None else ""
    pages = pages_of(one)
    if one.sync is DriftStatus.UNREADABLE:
        why = blocked.why if blocked is not None else one.finding.why if one.finding is not None else None
        return Trouble("unreadable", words(why) or DRIFT_MEANING[one.sync], "", pages)
    if is_unhealthy and status is not None:
        return Trouble("unknown start" if status.in_doubt else status.health.value, notes, _step(one), pages)
    if blocked is not None:
        return Trouble("blocked", words(blocked.why), _step(one), pages)
    if status is not None and status.needs_attention and not one.sync.needs_attention:
        return Trouble("unknown" if status.health is Health.UNKNOWN else "warning", notes, "", pages)
    said = finding_words(one.finding) if one.finding is not None else ""
    fields = one.finding.fields if one.finding is not None and one.sync.is_drift else ()
    named = first_few([field.path for field in fields], _FIELDS)
    told = sentences(said or DRIFT_MEANING[one.sync], f"It differs in {named}." if named else "")
    return Trouble(one.sync.value, told, "", pages)


def pages_of(one: ResourceReport) -> tuple[Page, ...]:
    """The pages of a site that tell of a resource, too."""
    in_plan, in_drift = one.change is not None or one.blocked is not None, one.sync is not DriftStatus.IN_SYNC
    known = ((PLAN, in_plan), (DRIFT, in_drift and one.finding is not None), (STATUS, one.status is not None))
    return tuple(page for page, is_there in known if is_there)


def _step(one: ResourceReport) -> str:
    return blocked_step(one.blocked) if one.blocked is not None else ""


def _rank(word: str) -> int:
    return _GRAVEST.index(word) if word in _GRAVEST else len(_GRAVEST)
