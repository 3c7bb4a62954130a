"""Time zones as ACC names them: Windows ids, the IANA names that mean them, and their rules from package `tzdata`."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from reconciler.timetable import zone_hints
from reconciler.timetable.timetable_error import TimetableError
from reconciler.timetable.windows_zones import WINDOWS_ZONES

RECENT_ZONES: Final[Mapping[str, str]] = {
    "Alberta Standard Time": "America/Edmonton America/Inuvik America/Yellowknife Canada/Mountain",
    "British Columbia Standard Time": "America/Vancouver Canada/Pacific",
    "Manitoba Standard Time": "America/Winnipeg America/Rainy_River Canada/Central",
}
"""Ids that Microsoft announced in 2026 for provinces that stopped changing their clocks. No released CLDR has them yet.

CLDR has their names under the id they had before. These rows win: the older id is an hour off in winter.
"""

_PRIMARY = {name: zones.split(" ", 1)[0] for name, zones in (*WINDOWS_ZONES.items(), *RECENT_ZONES.items())}
_WINDOWS = {name.lower(): name for name in _PRIMARY}
# Microsoft's shape: words and "Standard Time", perhaps a country; or an offset. "UTC" itself is in the table.
_WINDOWS_SHAPE = re.compile(
    r"[A-Z][A-Z.&' -]{0,60} STANDARD TIME( \([A-Z][A-Z .]{0,40}\))?|UTC[+-][0-9]{2}(:[0-9]{2})?"
)
_BARE_OFFSET = re.compile(r"UTC[+-][0-9]{2}(:[0-9]{2})?")


@functools.cache
def _iana() -> dict[str, tuple[str, str]]:
    """Lower-case IANA name to its own spelling and its Windows id."""
    rows = (*WINDOWS_ZONES.items(), *RECENT_ZONES.items())
    return {zone.lower(): (zone, windows) for windows, zones in rows for zone in zones.split()}


@functools.lru_cache(maxsize=4096)
def to_windows(name: str) -> str:
    """The Windows id that an IANA name, or a Windows id in any case, stands for.

    A Windows id is taken literally; one that no released CLDR knows but that looks like one is given back as it is,
    for the caller to warn about. Everything else raises `TimetableError` with the nearest names: an offset too, since
    Windows has an id of that kind for a few of them only.
    """
    asked = " ".join(name.split())
    lowered = asked.lower()
    if known := _WINDOWS.get(lowered):
        return known
    if found := _iana().get(lowered):
        return found[1]
    if looks_like_windows(asked) and not _BARE_OFFSET.fullmatch(asked.upper()):
        return asked
    raise unknown_zone(asked)


def to_iana(windows: str) -> str:
    """The IANA name that stands for a Windows id; the id itself where there is none that leads back to it."""
    name = _PRIMARY.get(_WINDOWS.get(windows.lower(), ""), "")
    found = _iana().get(name.lower())
    return found[0] if found is not None and found[1].lower() == windows.lower() else windows


def unknown_zone(name: str) -> TimetableError:
    """What to say of a name that is no zone's, with the nearest that is one."""
    near = suggest(name)
    hint = zone_hints.hint(name) or (
        f"did you mean {near}?" if near else "write an IANA name such as Australia/Sydney, or a Windows id"
    )
    return TimetableError(f"no time zone is called {name[:80]!r}", hint=hint)


def is_known_windows(name: str) -> bool:
    """Whether this is a Windows id of the released CLDR (`CLDR_VERSION`), in any case."""
    windows = _WINDOWS.get(" ".join(name.split()).lower())
    return windows is not None and windows not in RECENT_ZONES


def is_recent_windows(name: str) -> bool:
    """Whether this id is newer than the released CLDR: a Windows that lacks the update will not know it."""
    return _WINDOWS.get(" ".join(name.split()).lower()) in RECENT_ZONES


def looks_like_windows(name: str) -> bool:
    """Whether a name has the shape of a Windows id, known or not."""
    return name.lower() in _WINDOWS or bool(name.isascii() and _WINDOWS_SHAPE.fullmatch(name.upper()))


@functools.lru_cache(maxsize=1024)
def suggest(name: str) -> str:
    """The known zone whose name is nearest to this one, or ""."""
    import difflib  # only for a hint: not worth its share of every start

    lowered = " ".join(name.split()).lower()[:80]
    names = {**{key: spelling for key, (spelling, _) in _iana().items()}, **_WINDOWS}
    # Somebody who writes a city alone means the zone that ends with it.
    city = lowered.replace(" ", "_")
    ending = sorted(key for key in names if city and key.endswith(f"/{city}"))
    # Comparing with all of them takes milliseconds, which thousands of misspelt zones would make minutes of.
    alike = [key for key in names if key[:1] == lowered[:1]]
    near = ending[:1] or difflib.get_close_matches(lowered, alike, n=1, cutoff=0.75)
    return names[near[0]] if near else ""


@functools.lru_cache(maxsize=4096)
def zone_info(name: str) -> ZoneInfo | None:
    """The rules of a zone: of an IANA name its own, of a Windows id those of the zone that stands for it.

    Read from the `tzdata` package and never from the system, so that two machines predict alike. None when the name
    is unknown, or newer than the installed package.
    """
    lowered = " ".join(name.split()).lower()
    iana = _PRIMARY.get(_WINDOWS.get(lowered, "")) or _iana().get(lowered, ("",))[0]
    return _load(iana) if iana else None


@functools.cache
def _load(iana: str) -> ZoneInfo | None:
    from importlib import resources

    source = resources.files("tzdata").joinpath("zoneinfo", *iana.split("/"))
    try:
        with source.open("rb") as stream:
            return ZoneInfo.from_file(stream, key=iana)
    except OSError:
        return None


def rules_version() -> str:
    """The release of the IANA database that predictions rest on, such as 2026f."""
    import importlib

    return str(importlib.import_module("tzdata").IANA_VERSION)
