"""One resource as a card that folds, and cards as a list that is searched and filtered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.model import FieldChange, Preview
from reconciler.render.characters import cut, field_texts, first_difference
from reconciler.render.html.page import prose, text
from reconciler.render.wording import frequency_text, run_texts

_LONGEST = 1500
_OPEN_UP_TO = 40


@dataclass(frozen=True, slots=True)
class Card:
    """A resource: its word chooses sign and colour; `aside` is what shows while folded; `body` is trusted HTML."""

    word: str
    sign: str
    address: str
    aside: str
    body: str


@dataclass(frozen=True, slots=True)
class Group:
    """A list of cards under a heading."""

    title: str
    note: str
    cards: Sequence[Card]
    is_open: bool = True


def tiles(counts: Iterable[tuple[str, str, int]], quiet: Iterable[tuple[str, int]] = ()) -> str:
    """The summary: a bar of shares, and a button for each word that filters; `quiet` counts are no buttons."""
    given = [(word, sign, number) for word, sign, number in counts if number]
    total = sum(number for *_, number in given)
    bar, left = [], 0.0
    for word, _, number in given:
        share = 100 * number / total
        bar.append(f'<rect class="{word}" x="{left:.3f}" y="0" width="{max(share - 0.25, 0.2):.3f}" height="4"/>')
        left += share
    drawn = f'<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">{"".join(bar)}</svg>'
    buttons = [
        f'<li><button type="button" class="tile {word}" data-word="{word}" aria-pressed="false">'
        f'<b>{number}</b><span><i aria-hidden="true">{sign}</i>{word}</span></button></li>'
        for word, sign, number in given
    ]
    counted = [f'<li><p class="tile still"><b>{number}</b><span>{word}</span></p></li>' for word, number in quiet]
    return f'{drawn if total else ""}<ul class="tiles">{"".join(buttons + counted)}</ul>\n'


def toolbar(total: int, noun: str) -> str:
    """Search, fold and a count; shown by the script, since it does nothing without."""
    return (
        '<div class="tools" id="tools" hidden><label class="search"><span class="sr">Search</span>'
        '<input type="search" id="search" placeholder="Search names, fields, values, files" autocomplete="off" '
        'spellcheck="false"><kbd aria-hidden="true">/</kbd></label>'
        '<button type="button" id="unfold" class="quiet">Unfold all</button>'
        '<button type="button" id="fold" class="quiet">Fold all</button>'
        f'<output id="shown" data-total="{total}" data-noun="{noun}" aria-live="polite"></output></div>\n'
    )


def groups(sections: Iterable[Group]) -> str:
    """The lists; a long one starts folded, so that a page of thousands opens at once."""
    return "".join(_group(section) for section in sections if section.cards)


def address(value: str) -> str:
    """An address with its kind set back, so that the name catches the eye."""
    kind, slash, rest = value.partition("/")
    return f"<small>{text(kind + slash)}</small>{text(rest)}" if slash else text(value)


def fields_table(fields: Sequence[FieldChange], before: str = "Before", after: str = "After") -> str:
    """Fields with both sides beside each other, what differs marked; with one column where one side is empty in all."""
    if not fields:
        return ""
    sides = [
        (name, side)
        for name, side, kept in (
            (before, 0, any(field.before is not None for field in fields)),
            (after, 1, any(field.after is not None for field in fields)),
        )
        if kept
    ] or [(after, 1)]
    head = "".join(f"<th>{name}" for name, _ in sides)
    rows = []
    for field in fields:
        shown = _both(field)
        cells = "".join(f'<td class="{"ba"[side]}">{shown[side]}' for _, side in sides)
        rows.append(f"<tr><th>{text(field.path)}{cells}")
    return f'<table class="n{len(sides)}"><thead><tr><th>Field{head}<tbody>{"".join(rows)}</table>'


def preview(shown: Preview | None, *, gone: bool = False) -> str:
    """Next runs before and after, how often, and notes."""
    if shown is None:
        return ""
    same = shown.before_runs == shown.after_runs
    sides = [("Next runs", shown.after_runs)] if same or not shown.before_runs else []
    if gone:
        sides = [("Would have run", shown.before_runs)]
    elif not sides:
        sides = [("Next runs, before", shown.before_runs), ("after", shown.after_runs)]
    parts = [f"<dt>{name}<dd>{_runs(runs)}" for name, runs in sides if runs or len(sides) > 1]
    rate = _rate(shown)
    if rate:
        parts.append(f"<dt>How often<dd>{rate}")
    parts += [f"<dt>Note<dd>{prose(note)}" for note in shown.notes]
    return f"<dl>{''.join(parts)}</dl>" if parts else ""


def _group(section: Group) -> str:
    is_open = " open" if section.is_open and len(section.cards) <= _OPEN_UP_TO else ""
    note = f"<p>{section.note}</p>" if section.note else ""
    cards = "\n".join(
        f'<details class="{card.word}"{is_open}><summary><i aria-hidden="true">{card.sign}</i><em>{card.word}</em>'
        f"<b>{address(card.address)}</b>{card.aside}</summary><div>{card.body}</div></details>"
        for card in section.cards
    )
    size = f'<span class="size">{len(section.cards)}</span>'
    return f'<section class="list"><h2>{section.title} {size}</h2>{note}\n{cards}\n</section>\n'


def _both(field: FieldChange) -> tuple[str, str]:
    before, after = (
        cut(text, _LONGEST) if side is not None else "—"
        for text, side in zip(field_texts(field), (field.before, field.after), strict=True)
    )
    if field.secret or field.before is None or field.after is None:
        return _side(before), _side(after)
    start = first_difference(before, after)
    end = min(first_difference(before[::-1], after[::-1]), min(len(before), len(after)) - start)
    return _side(before, start, end), _side(after, start, end)


def _side(value: str, start: int = 0, end: int = 0) -> str:
    """A value with its own part marked, unless all of it is its own."""
    middle = value[start : len(value) - end]
    if not middle or len(middle) >= len(value) - 2:
        return text(value)
    return f"{text(value[:start])}<mark>{text(middle)}</mark>{text(value[len(value) - end :])}"


def _runs(runs: Sequence[str]) -> str:
    if not runs:
        return "none"
    shown, offset = run_texts(runs[:5])
    times = "".join(f"<time>{text(run)}</time>" for run in shown)
    return times + (f"<small>{text(offset)}</small>" if offset else "")


def _rate(shown: Preview) -> str:
    before, after = shown.before_per_day, shown.after_per_day
    told = frequency_text(shown)
    if not told or before is None or after is None or before == after:
        return text(told)
    most = max(before, after)
    (was, now) = (f'width="{max(100 * rate / most, 1):.1f}" height="4"' for rate in (before, after))
    bars = f'<rect class="b" {was}/><rect class="a" y="5" {now}/>'
    drawn = f'<svg class="rate" viewBox="0 0 100 9" preserveAspectRatio="none" aria-hidden="true">{bars}</svg>'
    return f"<strong>{text(told)}</strong>{drawn}"
