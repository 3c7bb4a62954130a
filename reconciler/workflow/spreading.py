"""Proposes other minutes for simultaneous starts: a patch to the manifests, which keeps every comment."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from reconciler.calendar.forecast import common_zone, window_of
from reconciler.calendar.job_starts import Job
from reconciler.calendar.spread import shifted_cron, shifted_start, spread
from reconciler.files import MANIFEST_BYTES, read_regular
from reconciler.kinds import schedule
from reconciler.model import KindName, Resource
from reconciler.quantities import counted
from reconciler.selection import Selection, select
from reconciler.timetable.timing import Timing
from reconciler.workflow.context import CommandContext
from reconciler.workflow.reading import load

_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """A patch for `git apply` ("" when there is nothing to move), one sentence about it, and what it had to leave."""

    patch: str
    summary: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Edit:
    """New text for a scalar that stands on one line; line and columns counted from 0."""

    line: int
    begin: int
    end: int
    text: str


def propose(
    context: CommandContext, selection: Selection, *, first: date | None, days: int, threshold: int, minutes: int
) -> Proposal:
    """Spread what the manifests say. Selected schedules are moved; the others count, and stay."""
    desired = load(context)
    selected = select(desired.resources, selection)
    jobs: list[Job] = []
    resources: dict[str, Resource] = {}
    for resource in desired.resources:
        if resource.address.kind is not KindName.SCHEDULE:
            continue
        state = schedule.whole_state(schedule.desired_state(resource.spec), None)
        timing = schedule.timing(state)
        if timing is not None and timing.rules is not None and state["enabled"]:
            address = str(resource.address)
            jobs.append(Job(address, resource.agent_path, timing))
            resources[address] = resource
    zone, _ = common_zone(job.timing for job in jobs)
    window = window_of(first or context.clock().astimezone(zone).date(), days, zone)
    fixed = frozenset(
        name for name, resource in resources.items() if selected is not None and resource.address not in selected
    )
    found = spread(jobs, window, threshold=threshold, minutes=minutes, fixed=fixed)
    if not found.shifts:
        most = f"at most {found.most_before} schedules start" if found.most_before > 1 else "no two schedules start"
        return Proposal("", f"nothing to spread: {most} in the same second, and {threshold} and more are spread")
    timings = {job.address: job.timing for job in jobs}
    patch, notes = _patch(context.root, found.shifts, resources, timings)
    moved = len(found.shifts) - len(notes)
    summary = (
        f"moves {counted(moved, 'schedule')} by minutes: "
        f"the most simultaneous starts go from {found.most_before} to {found.most_after}"
    )
    return Proposal(patch, summary, notes)


def _patch(
    root: Path, shifts: Mapping[str, int], resources: Mapping[str, Resource], timings: Mapping[str, Timing]
) -> tuple[str, tuple[str, ...]]:
    by_file: dict[str, list[str]] = defaultdict(list)
    for address in shifts:
        by_file[resources[address].origin.path].append(address)
    prefix = _prefix(root)
    pieces: list[str] = []
    notes: list[str] = []
    for path, addresses in sorted(by_file.items()):
        text = read_regular(root / path, MANIFEST_BYTES).decode("utf-8")
        blocks = _blocks(text)
        edits: list[_Edit] = []
        for address in sorted(addresses):
            edit = _edit(text, blocks, resources[address], timings[address], shifts[address])
            if isinstance(edit, str):
                notes.append(f"{address} ({resources[address].origin}) stays: {edit}")
            else:
                edits.append(edit)
        pieces.append(_unified(f"{prefix}{path}", text, _edited(text, edits)))
    return "".join(pieces), tuple(notes)


def _prefix(root: Path) -> str:
    """The way from the repository's top, since `git apply` takes paths from there; "" outside Git."""
    whole = root.resolve()
    top = next((folder for folder in (whole, *whole.parents) if (folder / ".git").exists()), whole)
    return f"{whole.relative_to(top).as_posix()}/" if top != whole else ""


# --- places ----------------------------------------------------------------------------------------------------------


def _blocks(text: str) -> dict[int, Any]:
    """Every mapping of a file by the line on which it begins, counted from 1; the innermost where several do."""
    import yaml

    found: dict[int, Any] = {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    open_nodes = [node for node in yaml.compose_all(text.lstrip("\ufeff"), Loader=loader) if node is not None]
    seen: set[int] = set()
    while open_nodes:
        node = open_nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            line = node.start_mark.line + 1
            if line not in found or node.start_mark.column >= found[line].start_mark.column:
                found[line] = node
            open_nodes.extend(value for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            open_nodes.extend(node.value)
    return found


def _edit(text: str, blocks: Mapping[int, Any], resource: Resource, timing: Timing, shift: int) -> _Edit | str:
    """The new text of the one scalar to change, or why it cannot be changed here."""
    key = "startTime" if timing.expression.is_interval else "cron"
    block = blocks.get(resource.origin.line)
    node = next((value for name, value in block.value if name.value == key), None) if block is not None else None
    if block is None or node is None:
        return f"its {key} does not stand in its own block"
    if not block.start_mark.index <= node.start_mark.index < block.end_mark.index:
        return f"its {key} is shared through an anchor"
    if str(node.value) != str(resource.spec[key]):
        return f"its {key} is put together from variables"
    mark, end = node.start_mark, node.end_mark
    lines = text.split("\n")
    offset = 1 if text.startswith("\ufeff") and mark.line == 0 else 0
    begin, until = mark.column + offset, end.column + offset
    written = lines[mark.line][begin:until] if mark.line == end.line and mark.line < len(lines) else ""
    if node.value not in written:
        return f"its {key} is not written on one line"
    value = str(node.value)
    moved = shifted_cron(value, shift) if key == "cron" else shifted_start(value, timing.start, shift)
    return _Edit(mark.line, begin, until, written.replace(value, moved, 1))


def _edited(text: str, edits: list[_Edit]) -> str:
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.begin), reverse=True):
        line = lines[edit.line]
        lines[edit.line] = line[: edit.begin] + edit.text + line[edit.end :]
    return "\n".join(lines)


def _unified(path: str, before: str, after: str) -> str:
    """The patch of one file. Lines are only replaced, never added, so that each hunk is known without a search."""
    lines, new = _lines(before), _lines(after)
    changed = [number for number, (one, two) in enumerate(zip(lines, new, strict=True)) if one != two]
    if not changed:
        return ""
    shown = _quoted(path)
    one, two = (f"a/{path}", f"b/{path}") if shown == path else (f'"a/{shown}"', f'"b/{shown}"')
    pieces = [f"diff --git {one} {two}\n--- {one}\n+++ {two}\n"]
    while changed:
        first = last = changed[0]
        while changed and changed[0] <= last + 2 * _CONTEXT:
            last = changed.pop(0)
        pieces.extend(_hunk(lines, new, max(0, first - _CONTEXT), min(len(lines), last + _CONTEXT + 1)))
    return "".join(pieces)


def _hunk(lines: list[str], new: list[str], begin: int, end: int) -> Iterator[str]:
    yield f"@@ -{begin + 1},{end - begin} +{begin + 1},{end - begin} @@\n"
    number = begin
    while number < end:
        if lines[number] == new[number]:
            yield _marked(" ", lines[number])
            number += 1
            continue
        until = number
        while until < end and lines[until] != new[until]:
            until += 1
        yield from (_marked("-", line) for line in lines[number:until])
        yield from (_marked("+", line) for line in new[number:until])
        number = until


def _marked(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """Lines with their ends, broken at line feeds alone, as Git does."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _quoted(path: str) -> str:
    """A path as Git writes it inside double quotes; the path itself where it needs none."""
    octets = path.encode("utf-8", "surrogateescape")
    return "".join(chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03o}" for octet in octets)
