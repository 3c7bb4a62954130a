"""What was applied, as a page: each run with who, when and from which commit, how it went, and what became of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from reconciler.model.address import Address
from reconciler.model.outcome import Done, RunRecord, Status
from reconciler.model.plan import Action, Finding
from reconciler.quantities import counted
from reconciler.render import Stamp, wording
from reconciler.render.address_folding import folded_addresses
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.frequency import second_text
from reconciler.render.html.links import ALONE, Links
from reconciler.render.html.run_facts import Fact, as_sentence, facts_of, names_text, took_text
from reconciler.render.html.scaffold import page
from reconciler.render.html.timeline import UNENDED, Stretch, Timeline, timeline
from reconciler.render.likeness import grouped
from reconciler.render.moments import moment_of, relative_text
from reconciler.render.reasons import words
from reconciler.render.review import counted_kinds
from reconciler.render.signs import ACTION_STYLE, STATUS_STYLE

_TEMPLATE = Path(__file__).with_name("history.html")
_OPEN = 1
_OPEN_UP_TO = 12
_LINKED = 200
_UNFINISHED = "not finished"
_ACTIONS = {action.value: action for action in Action}
_WORDS = frozenset({"applied", "in part", "interrupted", *(status.value for status in Status)})


class Ended(Struct, frozen=True):
    """Changes of a run that ended alike, for one cause. `more` are further addresses, folded, where they are many."""

    word: str
    sign: str
    headline: str
    told: str
    names: str
    addresses: Sequence[Address]
    more: Sequence[str]
    is_bad: bool

    @property
    def is_open(self) -> bool:
        return self.is_bad and len(self.addresses) <= _OPEN_UP_TO


class RunCard(Struct, frozen=True):
    """One run, folded: `word` is how it ended; `note` is what cannot be shown of it."""

    id: str
    at: str
    time: str
    ago: str
    command: str
    word: str
    result: str
    who: str
    counts: str
    facts: Sequence[Fact]
    timeline: Timeline | None
    groups: Sequence[Ended]
    note: str
    is_open: bool


def history(
    runs: Sequence[RunRecord],
    changes: Mapping[str, Sequence[Done]],
    unended: Mapping[str, Sequence[Done]],
    findings: Sequence[Finding] | None,
    stamp: Stamp,
    links: Links = ALONE,
) -> str:
    """The whole page. `findings` is what is wrong with the chain of the ledger's events, None where nobody looked."""
    cards = [
        _card(run, changes.get(run.id, ()), unended.get(run.id, ()), stamp, links, is_open=place < _OPEN)
        for place, run in enumerate(runs)
    ]
    counts = Counter(card.word for card in cards)
    return page(
        _TEMPLATE,
        stamp,
        title="History",
        lead=f"The last {counted(len(runs), 'run')}, newest first." if runs else "",
        links=links,
        findings=None if findings is None else [(one.code, as_sentence(words(one.why))) for one in findings],
        counts=[(word, "", number) for word, number in counts.most_common()],
        runs=cards,
    )


def _card(
    run: RunRecord, done: Sequence[Done], unended: Sequence[Done], stamp: Stamp, links: Links, *, is_open: bool
) -> RunCard:
    word = run.result if run.result in _WORDS else "done" if run.result else _UNFINISHED
    counts = ", ".join(f"{count:,} {name}" for name, count in (run.summary or {}).items())
    return RunCard(
        run.id,
        run.started,
        second_text(run.started),
        relative_text(run.started, stamp.created_at),
        run.command,
        word,
        run.result or "did not finish",
        run.owner.user,
        counts,
        facts_of(run, links, _seconds(run.started, run.finished) or None),
        _timeline(run, done, unended),
        tuple(_groups(done, unended)),
        _note(run, done, unended),
        is_open,
    )


def _note(run: RunRecord, done: Sequence[Done], unended: Sequence[Done]) -> str:
    """What a reader of this run has to know besides."""
    if not run.result:
        begun = (
            f" {counted(len(unended), 'change was', 'changes were')} begun without a recorded end." if unended else ""
        )
        return (
            f"Its end is not recorded: it goes on, or it was cut off.{begun} "
            "`reconciler unlock` shows whether somebody holds the lock; the next plan looks at what was under way."
        )
    if done or unended or not any(isinstance(count, int) and count for count in (run.summary or {}).values()):
        return ""
    return "Its changes lie further back than the events that are read for this page."


def _groups(done: Sequence[Done], unended: Sequence[Done]) -> Iterator[Ended]:
    """What did not end well by cause, what has no end, then what was applied by action."""
    order = [status.value for status in wording.STATUS_ORDER]
    bad = grouped((one for one in done if one.status != Status.APPLIED), lambda one: (one.status, skeleton(one.detail)))
    for (status, _), those in sorted(
        bad.items(), key=lambda item: (order.index(item[0][0]) if item[0][0] in order else len(order), -len(item[1]))
    ):
        sign = STATUS_STYLE[Status(status)][0] if status in order else "!"
        said = as_sentence(shared_sentence([one.detail for one in those]))
        yield _ended(status, sign, f"{status}: {_actions(those)}", said, those)
    if unended:
        yield _ended(UNENDED, "?", f"begun, without a recorded end: {_actions(unended)}", "", unended)
    applied = grouped((one for one in done if one.status == Status.APPLIED), lambda one: one.action)
    for action, those in applied.items():
        named = _ACTIONS.get(action)
        sign = ACTION_STYLE[named][0] if named else "·"
        subject = counted_kinds([_address(one.address) for one in those])
        yield _ended(action, sign, f"{subject} {wording.DONE[named] if named else action}", "", those, is_bad=False)


def _actions(those: Sequence[Done]) -> str:
    counts = Counter(one.action for one in those)
    return ", ".join(f"{count:,} to {action}" for action, count in counts.most_common())


def _ended(word: str, sign: str, headline: str, told: str, those: Sequence[Done], *, is_bad: bool = True) -> Ended:
    addresses = [_address(one.address) for one in those]
    more = [one.text for one in folded_addresses(addresses[_LINKED:])]
    return Ended(word, sign, headline, told, names_text(addresses), addresses[:_LINKED], more, is_bad)


def _address(text: str) -> Address:
    """The address of an event, whatever its kind."""
    kind, _, rest = text.partition("/")
    agent, _, name = rest.rpartition("/")
    return Address(kind, agent, name)


def _timeline(run: RunRecord, done: Sequence[Done], unended: Sequence[Done]) -> Timeline | None:
    stretches = []
    for one in done:
        end = _seconds(run.started, one.ended)
        if end is None or not (one.seconds or one.began):
            continue
        began = max(end - one.seconds, 0.0)
        applied = _ACTIONS.get(one.action) if one.status == Status.APPLIED else None
        said = f"{wording.DONE[applied]} in" if applied else f"{one.status} after"
        stretches.append(
            Stretch(one.address, one.action, began, began + one.seconds, one.status, f"{said} {took_text(one.seconds)}")
        )
    for one in unended:
        if (start := _seconds(run.started, one.began)) is not None:
            stretches.append(Stretch(one.address, one.action, start, None, UNENDED, "no end is recorded"))
    return timeline(stretches)


def _seconds(since: str, until: str) -> float | None:
    first, last = moment_of(since), moment_of(until)
    return (last - first).total_seconds() if first is not None and last is not None else None
