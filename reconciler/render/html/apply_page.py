"""How an apply went, as a page: who and what, what did not end well first and told once, and when what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from reconciler.causes import Cause
from reconciler.model.address import Address, Origin
from reconciler.model.live import Evidence
from reconciler.model.outcome import ApplyReport, Ending, Outcome, Status
from reconciler.model.plan import Change
from reconciler.quantities import counted
from reconciler.render import Stamp, wording
from reconciler.render.alike_sentences import skeleton
from reconciler.render.html.card_groups import change_text
from reconciler.render.html.links import ALONE, Links
from reconciler.render.html.run_facts import as_sentence, facts_of, names_text, took_text
from reconciler.render.html.scaffold import page
from reconciler.render.html.timeline import UNENDED, Stretch, Timeline, timeline
from reconciler.render.outcome_review import OutcomeGroup, outcome_groups
from reconciler.render.reasons import words
from reconciler.render.review import blocked_groups
from reconciler.render.signs import ACTION_STYLE, BLOCKED_STYLE, STATUS_STYLE

_TEMPLATE = Path(__file__).with_name("apply.html")
_OPEN_UP_TO = 12
_FIELDS = 4
_LONGEST = 160
_NOT_BEGUN = "not begun"
_ATTESTED = "Read back where that is possible. Attested: accepted by the product, which has no way to read it back."


class ChangeRow(NamedTuple):
    """One change in a table: `word` is how it ended, `fields` what was to change, `told` sentences on it alone."""

    address: Address
    word: str
    action: str
    sign: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    took: str = ""
    origin: Origin | None = None


class Alike(Struct, frozen=True):
    """Changes that one cause explains: told once, each of them in a row below."""

    word: str
    sign: str
    headline: str
    told: tuple[str, ...]
    step: str
    rows: Sequence[ChangeRow]
    names: str

    @property
    def is_open(self) -> bool:
        return len(self.rows) <= _OPEN_UP_TO


class Section(Struct, frozen=True):
    """A list under a heading: groups, or rows under the `names` of what they are about. The calm come last."""

    title: str
    note: str
    groups: Sequence[Alike] = ()
    rows: Sequence[ChangeRow] = ()
    names: str = ""
    is_calm: bool = False

    @property
    def size(self) -> int:
        return len(self.rows) + sum(len(one.rows) for one in self.groups)

    @property
    def is_open(self) -> bool:
        return len(self.rows) <= _OPEN_UP_TO


class Banner(NamedTuple):
    """That an apply did not run to its end: told once, with each reason and its next step."""

    word: str
    headline: str
    said: tuple[tuple[str, str], ...]


def apply(report: ApplyReport, stamp: Stamp, links: Links = ALONE) -> str:
    """The whole page."""
    sections = [section for section in _sections(report) if section.size]
    ended = {outcome.change.address: outcome for outcome in report.outcomes if not _was_not_tried(outcome)}
    counts = Counter(outcome.status for outcome in ended.values())
    tiles = [(status.value, STATUS_STYLE[status][0], counts[status]) for status in _ORDER if counts[status]]
    unended = len(report.spans.keys() - ended.keys())
    not_begun = len(report.plan.changes) - len(ended) - unended
    tiles += [(UNENDED, "?", unended)] if unended else []
    tiles += [(_NOT_BEGUN, "○", not_begun)] if not_begun else []
    tiles += [("blocked", BLOCKED_STYLE[0], len(report.plan.blocked))] if report.plan.blocked else []
    unused = {row.address for section in sections for row in _rows(section)}
    on_page = links.showing(unused)

    def anchor(address: Address) -> str:
        """The id of a row: the address, on the first one that is about it."""
        if address not in unused:
            return ""
        unused.discard(address)
        return str(address)

    return page(
        _TEMPLATE,
        stamp,
        title="Destroy" if report.run.command == "destroy" else "Apply",
        lead=_lead(report),
        links=on_page,
        banner=_banner(report),
        run_facts=facts_of(report.run, links, report.seconds),
        counts=tiles,
        quiet=[("unchanged", report.plan.unchanged)] if report.plan.unchanged else [],
        has_entries=bool(sections),
        sections=sections,
        timeline=_timeline(report),
        nothing=_lead(report),
        anchor=anchor,
    )


_ORDER = (Status.APPLIED, *wording.STATUS_ORDER)


def _lead(report: ApplyReport) -> str:
    if report.outcomes or report.spans:
        return wording.outcomes_summary(report.outcomes, report.plan)
    if report.ending is Ending.FINISHED:
        return wording.outcomes_summary((), report.plan)
    planned = f" Planned were {counted(len(report.plan.changes), 'change')}." if report.plan.changes else ""
    return f"Nothing was done.{planned}"


_HEADLINES = {
    Ending.DECLINED: "Declined: somebody was asked, and did not say yes. Nothing was sent.",
    Ending.REFUSED: "Refused: nothing was sent.",
    Ending.BROKEN: "It broke off: nothing more was begun.",
}


def _banner(report: ApplyReport) -> Banner | None:
    if report.ending is Ending.FINISHED:
        return None
    if report.ending is not Ending.INTERRUPTED:
        word = "skipped" if report.ending is Ending.DECLINED else "failed"
        return Banner(word, _HEADLINES[report.ending], report.said)
    if not report.outcomes and not report.spans:
        return Banner("skipped", "Interrupted before anything was sent.", report.said)
    is_cut = any(span.ended is None for span in report.spans.values())
    how = "what was under way was cut off" if is_cut else "what was under way was finished, and nothing more was begun"
    step = "`reconciler plan` looks at everything again; `reconciler apply` goes on from there."
    return Banner("skipped", f"Interrupted: {how}.", (*report.said, ("", step)))


def _sections(report: ApplyReport) -> Iterator[Section]:
    outcomes = [outcome for outcome in report.outcomes if not _was_not_tried(outcome)]
    ended = {outcome.change.address for outcome in outcomes}
    groups = tuple(_group(one) for one in outcome_groups(outcomes))
    yield Section("Did not end well", "Each cause is told once, with all that it stopped.", groups)
    open_ = [one for one in report.plan.changes if one.address not in ended]
    cut = [_row(one, UNENDED) for one in open_ if one.address in report.spans]
    note = "They were begun, and how they ended was not seen: the next plan looks at them first."
    yield Section("Without a known end", note, rows=cut, names=_names(cut))
    yield Section("Blocked", "The plan may not touch these.", tuple(_blocked(report)))
    waiting = [_row(one, _NOT_BEGUN) for one in open_ if one.address not in report.spans]
    why = "The run ended before these." if report.spans else "Nothing of the plan was begun."
    yield Section("Not begun", why, rows=waiting, names=_names(waiting), is_calm=True)
    applied = [_outcome_row(one) for one in outcomes if one.status is Status.APPLIED]
    is_attested = any(one.evidence is Evidence.ATTESTED for one in outcomes)
    yield Section("Applied", _ATTESTED if is_attested else "", rows=applied, names=_names(applied), is_calm=True)


def _was_not_tried(outcome: Outcome) -> bool:
    """Whether a change was only held back by an interruption, which is told once and for all of them."""
    return outcome.why is not None and outcome.why.cause is Cause.INTERRUPTED_BEFORE


def _rows(section: Section) -> Iterator[ChangeRow]:
    yield from section.rows
    for one in section.groups:
        yield from one.rows


def _group(one: OutcomeGroup) -> Alike:
    status = one.status
    sentences = {skeleton(words(outcome.why)) for outcome in one.outcomes}
    rows = [_outcome_row(outcome, own=len(sentences) > 1) for outcome in one.outcomes]
    meaning = wording.STATUS_MEANING[status]
    told = tuple(filter(None, (as_sentence(one.said or meaning),)))
    step = one.step or wording.status_step(status)
    headline = f"{one.headline()}: {status.value}" if one.is_single else f"{one.headline()}: {meaning}"
    return Alike(status.value, STATUS_STYLE[status][0], headline, told, step, rows, _names(rows))


def _blocked(report: ApplyReport) -> Iterator[Alike]:
    for one in blocked_groups(report.plan.blocked):
        rows = [
            ChangeRow(each.address, "blocked", "blocked", BLOCKED_STYLE[0], origin=each.origin) for each in one.blocked
        ]
        told = (as_sentence(one.said),) if one.said else ()
        yield Alike("blocked", BLOCKED_STYLE[0], one.headline(), told, one.step, rows, _names(rows))


def _outcome_row(outcome: Outcome, *, own: bool = True) -> ChangeRow:
    """A change that ended; `own`: with its own sentence, where the group does not tell it already."""
    told = [words(outcome.why)] if own and outcome.why is not None else []
    told += [f"run `{outcome.run_id}`"] if outcome.run_id else []
    if outcome.evidence is Evidence.ATTESTED:
        told.append("attested")
    took = took_text(outcome.seconds) if outcome.seconds else ""
    return _row(outcome.change, outcome.status.value, tuple(told), took)


def _row(change: Change, word: str, told: tuple[str, ...] = (), took: str = "") -> ChangeRow:
    shown = [(field.path, change_text(field, _LONGEST)) for field in change.fields[:_FIELDS]]
    if (more := len(change.fields) - _FIELDS) > 0:
        shown.append(("", f"and {counted(more, 'more field')}"))
    sign = ACTION_STYLE[change.action][0]
    return ChangeRow(
        change.address, word.replace(" ", "-"), change.action.value, sign, tuple(shown), told, took, change.origin
    )


def _names(rows: Sequence[ChangeRow]) -> str:
    return names_text([row.address for row in rows])


def _timeline(report: ApplyReport) -> Timeline | None:
    """The lanes of all that was begun."""
    ended = {outcome.change.address: outcome for outcome in report.outcomes}
    actions = {change.address: change.action for change in report.plan.changes}
    stretches = []
    for address, span in report.spans.items():
        outcome, action = ended.get(address), actions.get(address)
        named = "" if action is None else action.value
        if outcome is None or span.ended is None:
            stretches.append(Stretch(str(address), named, span.began, None, UNENDED, "no end was seen"))
        else:
            word = outcome.status.value
            done = wording.DONE[outcome.change.action] if outcome.status is Status.APPLIED else word
            said = (
                f"{done} {'in' if outcome.status is Status.APPLIED else 'after'} {took_text(span.ended - span.began)}"
            )
            stretches.append(Stretch(str(address), named, span.began, span.ended, word, said))
    return timeline(stretches)
