"""Cron expressions that can be read, and that no document promises ACC to read likewise.

Promised are lists, ranges and steps of plain values, `?` in one day field, and `L`, `LW`, `15W`, `5L`, `5#3` each alone
in its field, with a number for the weekday. All else that `fields` reads is what schedulers commonly make of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPECIAL = re.compile(r"L|LW|[0-9]+W|[0-9A-Z]+L|[0-9A-Z]+#[0-9]+")
_NAMED = re.compile(r"[A-Z]{3}(L|#[0-9]+)")


def unpromised(words: list[str]) -> Iterator[tuple[str, str]]:
    """What no document promises of six readable fields in upper case, each with what to do instead."""
    for field in (words[3], words[5]):
        items = field.split(",")
        special = [item for item in items if _SPECIAL.fullmatch(item)]
        if len(items) > 1 and special:
            shown = ", ".join(dict.fromkeys(special))
            yield f"{shown} in a list ({field})", "use one schedule for each"
        named = [item for item in items if _NAMED.fullmatch(item)]
        if named:
            yield f"{named[0]}, a weekday by its name", "write its number: 1 is Monday, 5 Friday, 0 or 7 Sunday"
    if words[3] == words[5] == "?":
        yield "? in both day fields", "write * in one of them"
    for field in words:
        if "," in field and any(item.startswith("*") for item in field.split(",")):
            yield f"* in a list ({field})", "write the values out, or * alone"
