"""What zone somebody may have meant who wrote an offset, such as `UTC+10`, or an abbreviation, such as `AEST`."""

from __future__ import annotations

import re

_OFFSET = re.compile(
    r"(?:etc/)?(?P<name>[a-z]{1,5})?\s*(?P<sign>[+\N{MINUS SIGN}-])\s*(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?"
)
_ZERO = ("utc", "gmt", "z", None)

PLACES: dict[int, str] = {
    -600: "Pacific/Honolulu",
    -540: "America/Anchorage",
    -480: "America/Los_Angeles",
    -420: "America/Denver America/Phoenix",
    -360: "America/Chicago America/Mexico_City",
    -300: "America/New_York America/Bogota",
    -240: "America/Halifax America/La_Paz",
    -210: "America/St_Johns",
    -180: "America/Sao_Paulo America/Buenos_Aires",
    -60: "Atlantic/Azores Atlantic/Cape_Verde",
    0: "Europe/London UTC",
    60: "Europe/Berlin Africa/Lagos",
    120: "Europe/Athens Africa/Johannesburg",
    180: "Europe/Moscow Africa/Nairobi",
    210: "Asia/Tehran",
    240: "Asia/Dubai",
    270: "Asia/Kabul",
    300: "Asia/Karachi",
    330: "Asia/Kolkata",
    345: "Asia/Kathmandu",
    360: "Asia/Dhaka",
    390: "Asia/Yangon",
    420: "Asia/Bangkok",
    480: "Asia/Singapore Australia/Perth",
    540: "Asia/Tokyo Asia/Seoul",
    570: "Australia/Adelaide Australia/Darwin",
    600: "Australia/Sydney Australia/Brisbane",
    630: "Australia/Lord_Howe",
    660: "Pacific/Guadalcanal",
    720: "Pacific/Auckland Pacific/Fiji",
    765: "Pacific/Chatham",
    780: "Pacific/Tongatapu",
}
"""Places whose clock is so many minutes ahead of UTC while no summer time is kept."""

ABBREVIATIONS: dict[str, str] = {
    "ACDT": "Australia/Adelaide",
    "ACST": "Australia/Adelaide Australia/Darwin",
    "AEDT": "Australia/Sydney Australia/Melbourne",
    "AEST": "Australia/Sydney Australia/Brisbane",
    "AET": "Australia/Sydney Australia/Brisbane",
    "AKDT": "America/Anchorage",
    "AKST": "America/Anchorage",
    "ART": "America/Buenos_Aires",
    "AST": "America/Halifax Asia/Riyadh",
    "AWST": "Australia/Perth",
    "BRT": "America/Sao_Paulo",
    "BST": "Europe/London Asia/Dhaka",
    "CAT": "Africa/Maputo",
    "CDT": "America/Chicago America/Havana",
    "CEST": "Europe/Berlin Europe/Paris",
    "CET": "Europe/Berlin Europe/Paris",
    "CST": "America/Chicago Asia/Shanghai",
    "CT": "America/Chicago",
    "EAT": "Africa/Nairobi",
    "EDT": "America/New_York",
    "EEST": "Europe/Athens Europe/Kyiv",
    "EET": "Europe/Athens Europe/Kyiv",
    "EST": "America/New_York America/Panama",
    "ET": "America/New_York",
    "GST": "Asia/Dubai",
    "HKT": "Asia/Hong_Kong",
    "ICT": "Asia/Bangkok",
    "IST": "Asia/Kolkata Asia/Jerusalem Europe/Dublin",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "MDT": "America/Denver",
    "MSK": "Europe/Moscow",
    "MST": "America/Denver America/Phoenix",
    "MT": "America/Denver",
    "NDT": "America/St_Johns",
    "NST": "America/St_Johns",
    "NZDT": "Pacific/Auckland",
    "NZST": "Pacific/Auckland",
    "PDT": "America/Los_Angeles",
    "PHT": "Asia/Manila",
    "PKT": "Asia/Karachi",
    "PST": "America/Los_Angeles Asia/Manila",
    "PT": "America/Los_Angeles",
    "SAST": "Africa/Johannesburg",
    "SGT": "Asia/Singapore",
    "WAT": "Africa/Lagos",
    "WEST": "Europe/Lisbon",
    "WET": "Europe/Lisbon",
    "WIB": "Asia/Jakarta",
}
"""What abbreviations mean that people write for zones, the likeliest first; many are used in several places."""


def hint(name: str) -> str:
    """The next step for somebody who wrote an offset or an abbreviation; "" for anything else."""
    asked = name.strip()[:80]
    if asked.upper() in ABBREVIATIONS:
        return _by_abbreviation(asked.upper())
    if asked.upper() == "Z":
        return "write UTC"
    match = _OFFSET.fullmatch(asked.lower())
    if match is None:
        return ""
    if match["name"] not in _ZERO:
        return _by_abbreviation(match["name"].upper()) if match["name"].upper() in ABBREVIATIONS else ""
    minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
    return _by_offset(minutes if match["sign"] == "+" else -minutes)


def _by_abbreviation(name: str) -> str:
    places = ABBREVIATIONS[name].split()
    if len(places) == 1:
        return f"did you mean {places[0]}?"
    return f"{name} stands for several zones: write the place, such as {_either(places)}"


def _by_offset(minutes: int) -> str:
    if minutes == 0:
        return "write UTC"
    places, hours = PLACES.get(minutes, "").split(), minutes // 60
    shown = f"UTC{'+' if minutes > 0 else '-'}{abs(minutes) // 60}{f':{abs(minutes) % 60:02}' if minutes % 60 else ''}"
    # POSIX counts hours to the west, and IANA kept its signs.
    fixed = f"Etc/GMT{-hours:+}" if minutes % 60 == 0 and -12 <= hours <= 14 else ""
    named = f"write the place, such as {_either(places)}" if places else ""
    if fixed:
        turned = f"{shown} all year round is {fixed}, whose sign is the other way round"
        return f"{named}; {turned}" if named else turned
    return f"{shown}: {named}" if named else ""


def _either(places: list[str]) -> str:
    return f"{', '.join(places[:-1])} or {places[-1]}" if len(places) > 1 else places[0]
