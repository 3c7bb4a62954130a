"""The agents that an import is asked for: their paths in ACC, from the command line and from a list in a file."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from reconciler.errors import UsageError
from reconciler.manifests.yaml_values import is_writable

_PATH = re.compile(r"[^/\\\s]([^\\]*[^/\\\s])?")
_ADVICE = "write it without a slash at either end: sequentum/Retail/prices"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOST_SHOWN = 20


class Asked(Struct, frozen=True):
    """A path that somebody asks for, and the file and line where it stands; "" for the command line."""

    path: str
    place: str = ""


def listed(data: bytes, shown: str) -> Iterator[Asked]:
    """The paths in a file, one a line; empty lines and those that begin with `#` are skipped.

    `shown` is what the file is called. Raises UsageError where it is no text.
    """
    try:
        text = data.decode("utf-16") if data.startswith(_UTF_16) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{shown}:{number}: this is no UTF-8", hint="write one path a line, as UTF-8") from None
    for place, line in enumerate(io.StringIO(text, newline=None), 1):  # any line end
        path = line.strip()
        if path and not path.startswith("#"):
            yield Asked(path, f"{shown}:{place}")


def paths_of(asked: Iterable[Asked]) -> tuple[str, ...]:
    """The paths, each agent once, sorted. Raises UsageError with all that are none."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    for one in asked:
        if not _PATH.fullmatch(one.path) or not is_writable(one.path):
            wrong.append(f"{one.place}: " * bool(one.place) + f"{one.path[:200]!r} is no path of an agent")
        else:
            found.setdefault(one.path.casefold(), one.path)
    if wrong:
        more = [f"… and {len(wrong) - _MOST_SHOWN:,} more"] if len(wrong) > _MOST_SHOWN else []
        raise UsageError("\n".join((*wrong[:_MOST_SHOWN], *more)), hint=_ADVICE)
    return tuple(sorted(found.values()))
