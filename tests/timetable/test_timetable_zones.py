"""Zones: every name that somebody may write, against the IANA database and against another project's table."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.timetable import TimetableError, zone_hints, zones
from reconciler.timetable.windows_zones import CLDR_VERSION, WINDOWS_ZONES
from reconciler.timetable.zones import RECENT_ZONES


def iana_names() -> list[str]:
    return sorted(resources.files("tzdata").joinpath("zones").read_text().split())


def iana_links() -> dict[str, str]:
    lines = resources.files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text().splitlines()
    return {alias: target for _, target, alias in (line.split() for line in lines if line.startswith("L "))}


@pytest.mark.parametrize(
    ("name", "windows"),
    [
        ("Australia/Sydney", "AUS Eastern Standard Time"),
        ("Australia/Melbourne", "AUS Eastern Standard Time"),
        ("Australia/ACT", "AUS Eastern Standard Time"),
        ("australia/perth", "W. Australia Standard Time"),
        ("US/Eastern", "Eastern Standard Time"),
        ("EST5EDT", "Eastern Standard Time"),
        ("America/Los_Angeles", "Pacific Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("Europe/Kiev", "FLE Standard Time"),
        ("Europe/Kyiv", "FLE Standard Time"),
        ("Europe/London", "GMT Standard Time"),
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("UTC", "UTC"),
        ("utc", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Zulu", "UTC"),
        ("GMT", "UTC"),
        ("Etc/GMT+2", "UTC-02"),
        ("UTC-02", "UTC-02"),
        ("AUS Eastern Standard Time", "AUS Eastern Standard Time"),
        ("aus eastern  standard time", "AUS Eastern Standard Time"),
        (" Central Standard Time (Mexico) ", "Central Standard Time (Mexico)"),
        ("America/Vancouver", "British Columbia Standard Time"),
        ("Mars Standard Time", "Mars Standard Time"),
    ],
)
def test_a_name_as_acc_keeps_it(name: str, windows: str) -> None:
    assert zones.to_windows(name) == windows


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Australia/Sidney", "Australia/Sydney"),
        ("Sydney", "Australia/Sydney"),
        ("New York", "America/New_York"),
        ("Europe/Berln", "Europe/Berlin"),
        ("Sydney Time", "IANA"),
        (
            "UTC+10",
            "write the place, such as Australia/Sydney or Australia/Brisbane; UTC+10 all year round is Etc/GMT-10",
        ),
        ("utc +10:00", "Etc/GMT-10"),
        ("GMT+2", "Europe/Athens or Africa/Johannesburg; UTC+2 all year round is Etc/GMT-2"),
        ("Etc/UTC+10", "Etc/GMT-10"),
        ("+10:00", "Australia/Sydney"),
        ("-0330", "America/St_Johns"),
        ("UTC+05:30", "UTC+5:30: write the place, such as Asia/Kolkata"),
        ("UTC-5", "Etc/GMT+5"),
        ("UTC\N{MINUS SIGN}5", "Etc/GMT+5"),
        ("UTC-0", "write UTC"),
        ("+00:00", "write UTC"),
        ("Z", "write UTC"),
        ("UTC+99", "IANA"),
        ("UTC+14", "Etc/GMT-14"),
        ("AEST", "AEST stands for several zones: write the place, such as Australia/Sydney or Australia/Brisbane"),
        ("cst", "America/Chicago or Asia/Shanghai"),
        ("IST", "Asia/Kolkata, Asia/Jerusalem or Europe/Dublin"),
        ("EDT", "did you mean America/New_York?"),
        ("CET+1", "Europe/Berlin or Europe/Paris"),
        ("XYZ+1", "IANA"),
        ("", "IANA"),
        ("../../etc/passwd", "IANA"),
        ("Factory", "IANA"),
        ("x" * 10_000, "IANA"),
    ],
)
def test_nonsense_is_refused_with_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(TimetableError) as caught:
        zones.to_windows(name)
    assert hint in caught.value.hint
    assert len(str(caught.value)) < 250
    assert zones.zone_info(name) is None


def test_the_table_has_the_ids_of_the_released_cldr() -> None:
    assert CLDR_VERSION == "48.2"
    assert len(WINDOWS_ZONES) == 139
    assert all(zones.is_known_windows(name) and zones.looks_like_windows(name) for name in WINDOWS_ZONES)


def test_ids_newer_than_cldr_are_predicted_but_not_called_known() -> None:
    for name in RECENT_ZONES:
        assert not zones.is_known_windows(name)
        assert zones.is_recent_windows(name.upper())
        assert zones.looks_like_windows(name)
        assert zones.zone_info(name) is not None


@pytest.mark.parametrize("name", ["Mars Standard Time", "Kamchatka Standard Time", "Foo Standard Time (Bar)", "UTC+05"])
def test_an_unknown_id_that_looks_right_has_no_rules(name: str) -> None:
    assert zones.looks_like_windows(name)
    assert not zones.is_known_windows(name)
    assert zones.zone_info(name) is None


@pytest.mark.parametrize("name", ["Australia/Sydney", "Sydney", "", "Standard Time", "EST", "<b> Standard Time"])
def test_what_does_not_look_like_a_windows_id(name: str) -> None:
    assert not zones.looks_like_windows(name)


def test_a_mistyped_id_has_a_suggestion() -> None:
    assert zones.suggest("AUS Estern Standard Time") == "AUS Eastern Standard Time"


def test_every_row_begins_with_a_zone_that_exists() -> None:
    for name, row in {**WINDOWS_ZONES, **RECENT_ZONES}.items():
        info = zones.zone_info(name)
        assert info is not None, name
        assert info.key == row.split()[0]


def test_no_iana_name_belongs_to_two_ids() -> None:
    for table in (WINDOWS_ZONES, RECENT_ZONES):
        names = [zone for row in table.values() for zone in row.split()]
        assert len(names) == len(set(names))


def test_every_iana_name_is_known() -> None:
    """But for a base in Antarctica whose clock Windows lacks, for the placeholder of unset machines, and for the few
    names that a database newer than our table may add.
    """
    unknown = []
    for name in iana_names():
        try:
            assert zones.is_known_windows(zones.to_windows(name)) or zones.is_recent_windows(zones.to_windows(name))
        except TimetableError:
            unknown.append(name)
    assert {"Antarctica/Troll", "Factory"} <= set(unknown)
    assert len(unknown) <= 8


def test_another_project_s_table_says_the_same() -> None:
    """`tzlocal` makes its table from CLDR too. An older release of it may lack the newest ids."""
    windows_tz = pytest.importorskip("tzlocal.windows_tz")
    for iana, windows in windows_tz.tz_win.items():
        if iana:
            ours = zones.to_windows(iana)
            assert ours == windows or ours in RECENT_ZONES, iana
    for windows, iana in windows_tz.win_tz.items():
        info = zones.zone_info(windows)
        assert info is not None
        assert info.key == iana


def test_an_alias_has_the_id_of_its_target_or_one_with_the_same_clock() -> None:
    """CLDR keeps countries apart that IANA has joined; what they ran on in 2025 must agree all the same."""
    known = {zone for row in WINDOWS_ZONES.values() for zone in row.split()}
    links = {alias: target for alias, target in iana_links().items() if {alias, target} <= known}
    assert len(links) > 200
    for alias, target in links.items():
        ours, theirs = zones.zone_info(zones.to_windows(alias)), zones.zone_info(zones.to_windows(target))
        assert ours is not None
        assert theirs is not None
        for month in range(1, 13):
            noon = datetime(2025, month, 15, 12)
            assert ours.utcoffset(noon) == theirs.utcoffset(noon), (alias, target)


def test_the_release_of_the_rules_can_be_told() -> None:
    assert re.fullmatch(r"20[0-9]{2}[a-z]", zones.rules_version())


def test_rules_come_from_the_package_and_not_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    import zoneinfo

    with monkeypatch.context() as patched:
        patched.setattr(zoneinfo, "TZPATH", ("/nowhere",))
        patched.setattr(zones, "_load", zones._load.__wrapped__)
        info = zones.zone_info.__wrapped__("America/Vancouver")
    assert info is not None
    assert info is not zoneinfo.ZoneInfo("America/Vancouver")
    with resources.files("tzdata").joinpath("zoneinfo", "America", "Vancouver").open("rb") as stream:
        packaged = zoneinfo.ZoneInfo.from_file(stream)
    noon = datetime(2027, 1, 15, 12)
    assert info.utcoffset(noon) == packaged.utcoffset(noon)


@pytest.mark.parametrize(("minutes", "places"), zone_hints.PLACES.items())
def test_every_place_is_so_far_from_utc_in_its_winter(minutes: int, places: str) -> None:
    for place in places.split():
        info = zones.zone_info(place)
        assert info is not None
        for month in (1, 7):
            at = datetime(2026, month, 1, tzinfo=info)
            assert (at.utcoffset() or timedelta()) - (at.dst() or timedelta()) == timedelta(minutes=minutes)


@given(st.integers(-12, 14).filter(bool))
def test_the_fixed_zone_that_is_suggested_has_the_offset_that_was_written(hours: int) -> None:
    """IANA counts the hours of Etc/GMT to the west: UTC+10 is Etc/GMT-10."""
    with pytest.raises(TimetableError) as caught:
        zones.to_windows(f"GMT{hours:+}")
    found = re.search(r"Etc/GMT[+-][0-9]+", caught.value.hint)
    assert found
    info = zones.zone_info(found[0])
    assert info is not None
    assert datetime(2026, 7, 1, tzinfo=info).utcoffset() == timedelta(hours=hours)


def test_what_abbreviations_stand_for_are_zones() -> None:
    assert all(zones.zone_info(place) for places in zone_hints.ABBREVIATIONS.values() for place in places.split())
