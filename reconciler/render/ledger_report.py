"""`ledger list` as text and as a JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model.live import Evidence
from reconciler.model.remembrance import Remembered, RememberedAgent
from reconciler.render import Screen, Stamp
from reconciler.render.characters import columns, table
from reconciler.render.json_ import Document, header
from reconciler.render.text.text_page import TextPage
from reconciler.render.wording import short_commit

_SIGNS = {
    Evidence.VERIFIED: ("✓", "v", "green"),
    Evidence.ATTESTED: ("·", ".", "dim"),
    Evidence.UNKNOWN: ("?", "?", "yellow"),
}
WORDS = ("owned", "adopted", "attested", "started")


def text(
    entries: Sequence[Remembered], agents: Sequence[RememberedAgent], place: str, screen: Screen, *, verbose: bool
) -> str:
    """A table of what is remembered, and the agents' paths below it; with `verbose` ids and runs as well."""
    page = TextPage(screen)
    rows = [(str(one.address), _what(one), _evidence(one), one.at, _by(one)) for one in entries]
    head, *lines = table([("", "what", "known", "when", "by"), *(tuple(map(page.say, row)) for row in rows)])
    fits = max(map(columns, (head, *lines))) <= page.width - 2
    if fits and entries:
        page.lines.append(f"  {head}".rstrip())
    for one, row, line in zip(entries, rows, lines, strict=True):
        sign = page.sign(_SIGNS[one.evidence]) + " "
        if fits:
            page.lines.append((sign + line).rstrip())
        else:
            page.paragraph(row[0], lead=sign)
            page.paragraph(", ".join(part for part in row[1:] if part), indent=4)
        for note in _notes(one, verbose=verbose):
            page.paragraph(note, indent=4)
    if agents:
        page.title("Agents")
    for agent in agents:
        gone = ", no manifest declares it" if agent.is_declared is False else ""
        agent_id = f", id {agent.agent_id}" if verbose and agent.agent_id else ""
        page.paragraph(f"{agent.path}: {agent.handle}{agent_id}{gone}", indent=2)
    page.blank()
    counts = Counter(one.what for one in entries)
    said = ", ".join(f"{counts[word]:,} {word}" for word in WORDS if counts[word])
    page.paragraph(f"{len(entries):,} remembered{': ' if said else ''}{said}.")
    page.paragraph(f"Ledger: {place}")
    return page.text()


def _what(one: Remembered) -> str:
    return f"{one.what}, protected" if one.protect else one.what


def _evidence(one: Remembered) -> str:
    if one.state:
        return f"{one.state}, said by a person" if one.is_resolved else one.state
    return one.evidence.value if one.is_settled else "open"


def _by(one: Remembered) -> str:
    return "" if one.run is None else f"{one.run.owner.user}, {one.run.command}"


def _notes(one: Remembered, *, verbose: bool) -> list[str]:
    notes = []
    if one.is_declared is False:
        notes.append("no manifest declares it")
    if verbose:
        agent = f"agent {one.agent_path}" if one.agent_path else ""
        key = f"key {one.key}…" if one.key else ""
        task_run = f"run {one.run_id}" if one.run_id else ""
        applied = f"by {one.run.owner} in {one.run.id[:12]}, commit {short_commit(one.run.commit)}" if one.run else ""
        parts = (f"id {one.identity}" if one.identity else "", agent, key, task_run, applied)
        notes.append(", ".join(part for part in parts if part))
    return [note for note in notes if note]


def document(entries: Sequence[Remembered], agents: Sequence[RememberedAgent], place: str, stamp: Stamp) -> Document:
    """The same as a JSON document."""
    counts = Counter(one.what for one in entries)
    return header(stamp) | {
        "ledger": place,
        "summary": {word: counts[word] for word in WORDS},
        "entries": [_entry(one) for one in entries],
        "agents": [
            {"path": one.path, "handle": one.handle, "id": one.agent_id or None, "declared": one.is_declared}
            for one in agents
        ],
    }


def _entry(one: Remembered) -> Document:
    run = one.run
    return {
        "address": str(one.address),
        "what": one.what,
        "settled": one.is_settled,
        "evidence": one.evidence.value,
        "at": one.at,
        "agent_path": one.agent_path or None,
        "id": one.identity or None,
        "protect": one.protect,
        "declared": one.is_declared,
        "state": one.state or None,
        "resolved": one.is_resolved,
        "key": one.key or None,
        "run_id": one.run_id or None,
        "applied_by": None
        if run is None
        else {
            "run": run.id,
            "command": run.command,
            "started": run.started,
            "user": run.owner.user,
            "host": run.owner.host,
            "commit": run.commit or None,
            "ci_link": run.owner.ci_link or None,
        },
    }
