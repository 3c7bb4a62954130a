"""Problems of the files for a terminal: place, code and message, the line itself, and a caret under the spot."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from reconciler.model.resource import Problem, Severity
from reconciler.model.state import SECRET
from reconciler.quantities import counted
from reconciler.render import Screen
from reconciler.render.characters import columns, cut, take
from reconciler.render.likeness import grouped
from reconciler.render.text.text_page import TextPage

LineOf = Callable[[str, int], str | None]
"""Reads line `number` (from 1) of the file at `path`, or None where there is none."""

_LONGEST_LINE = 2000
"""A longer line is not shown: a cut could go through a credential, and its key would be out of sight."""
_CREDENTIAL = re.compile(r"""(\b(?:token|privateKey|password|secret)["']?\s*:\s*+)(?!["']?\$\{)([^,}#]*[^\s,}#])""")

_MANY = 5
_PLACES_LINES = 6

_PASSWORD_IN_URL = re.compile(r"(://[^\s/:@]*:)[^\s]+(?=@)")


def problems(
    problems: Sequence[Problem], screen: Screen, *, line_of: LineOf | None = None, verbose: bool = False
) -> str:
    """All problems in file order, and a line that counts them. `line_of` gives the source lines to show.

    Many that say the same are told once, at the first, with the other places; `verbose` tells each by itself.
    """
    page = TextPage(screen)
    found = sorted(problems)
    told = grouped(found, lambda one: (one.severity, one.code, one.message))
    for problem in found:
        alike = told[problem.severity, problem.code, problem.message]
        is_folded = len(alike) >= _MANY and not verbose
        if is_folded and problem is not alike[0]:
            continue
        if line_of:
            page.blank()
        _problem(page, problem, line_of)
        if is_folded:
            page.paragraph(f"the same at {counted(len(alike) - 1, 'more place')}:", indent=4)
            page.listing(_places(alike[1:]), indent=4, most=_PLACES_LINES, rest=": -v writes all out")
    page.blank()
    page.paragraph(problems_summary(problems), style="bold")
    return page.text()


def _places(problems: Sequence[Problem]) -> list[tuple[str, int]]:
    """`manifests/prices.yaml:26:7`, and of the same file only `:31:7`."""
    names, last = [], None
    for problem in problems:
        path = "" if problem.path == last else problem.path
        names.append((f"{path}:{problem.line}:{problem.column}", 1))
        last = problem.path
    return names


def problems_summary(problems: Sequence[Problem]) -> str:
    """`2 errors, 1 warning in 2 files.`, or that there are none."""
    if not problems:
        return "No problems found."
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    parts = [counted(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    files = len({problem.path for problem in problems})
    return f"{', '.join(parts)} in {counted(files, 'file')}."


def _problem(page: TextPage, problem: Problem, line_of: LineOf | None) -> None:
    style = "alarm" if problem.severity is Severity.ERROR else "yellow"
    head = f"{problem.path}:{problem.line}:{problem.column}: "
    address = f" {problem.address}" if problem.address else ""
    mark = f"{problem.severity}[{problem.code}]"
    page.paragraph(f"{head}{mark}{address}: {problem.message}")
    if page.color:
        shown = page.say(mark)
        first = len(page.lines) - 1
        while first and shown not in page.lines[first]:
            first -= 1
        page.lines[first] = page.lines[first].replace(shown, page.paint(shown, style), 1)
    source = line_of(problem.path, problem.line) if line_of and problem.line > 0 else None
    if source is not None and len(source) <= _LONGEST_LINE and source.strip():
        _source(page, source, problem, style)


def _source(page: TextPage, source: str, problem: Problem, style: str) -> None:
    """The line, moved left as far as the caret needs; a credential that was written out is not repeated."""
    source = source.rstrip("\r\n")
    for written in (_CREDENTIAL, _PASSWORD_IN_URL):
        source = written.sub(lambda match: match.group(1) + SECRET, source)
    gutter = f"  {problem.line:>4} | "
    room = page.width - len(gutter)
    start = max(problem.column - 1, 0)
    before, after = (page.say(part.replace("\t", "    ")) for part in (source[:start], source[start:]))
    if columns(before) > room * 2 // 3:
        keep = room // 2
        while columns(before) > keep:
            before = before[max((columns(before) - keep) // 2, 1) :]
        before = page.ellipsis + before
    line = before + cut(after, room - columns(before), page.ellipsis)
    page.lines.append(page.paint(gutter, "dim") + take(line, room).rstrip())
    page.lines.append(
        " " * (len(gutter) - 2) + page.paint("| ", "dim") + " " * columns(before) + page.paint("^", style)
    )
