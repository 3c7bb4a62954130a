"""What a user sees of the calendar: text compared byte for byte, a page that runs nothing foreign, JSON, iCalendar."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from calendar_samples import STAMP, calendar_of, estate, job
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar as Parsed
from jsonschema import Draft202012Validator

from reconciler.calendar import html_form, ics_form, json_form, text_form
from reconciler.calendar.forecast import Calendar, Source
from reconciler.calendar.job_starts import Job
from reconciler.calendar.shading import shading_of
from reconciler.model.plan import Plan
from reconciler.render import Screen, html, json_
from reconciler.render.characters import columns
from reconciler.timetable.instants import starts_between

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).parents[2] / "schemas" / "output" / "calendar.schema.json"
HOSTILE = "schedule/<script>alert(1)</script>\"'&/\x1b[31m\u202eevil,;\\n"


def changed() -> Calendar:
    """What a plan would make of the estate: an hourly deal, no month end, an earlier stock."""
    before = [each for each in estate() if "ticker" not in each.address and "early" not in each.address]
    after = [each for each in before if "month-end" not in each.address]
    after += [job("schedule/deals/hourly", "0 0 * * * *", seconds=600)]
    return calendar_of(after, before=before, source=Source.PLAN, unreadable=(("sequentum/broken", "ACC answered 500"),))


def check(name: str, text: str) -> None:
    """Compare with a golden file; RECONCILER_UPDATE_GOLDEN=1 writes it anew, to be read by eye."""
    path = GOLDEN / name
    if os.environ.get("RECONCILER_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode()


@pytest.mark.parametrize("width", [60, 100, 200])
def test_text(width: int) -> None:
    check(f"calendar-{width}.txt", text_form.calendar(calendar_of(estate()), Screen(width)))


def test_text_of_a_plan() -> None:
    check("calendar-plan.txt", text_form.calendar(changed(), Screen(100)))


def test_text_in_full_and_in_colour() -> None:
    check(
        "calendar-verbose.txt", text_form.calendar(calendar_of(estate(), days=2), Screen(100, color=True), verbose=True)
    )


def test_text_of_nothing() -> None:
    assert "Nothing runs in these days." in text_form.calendar(calendar_of([]), Screen(100))


def test_text_without_signs() -> None:
    assert text_form.calendar(calendar_of(estate()), Screen(100, encoding="ascii")).isascii()


@pytest.mark.parametrize("width", [60, 77, 100, 200])
@pytest.mark.parametrize("days", [1, 7, 31])
def test_no_line_is_wider_than_the_terminal(width: int, days: int) -> None:
    drawn = [*estate(), job(f"schedule/{'long-name-' * 12}/nightly", "0 0 2 * * *")]
    lines = text_form.calendar(calendar_of(drawn, days=days), Screen(width)).splitlines()
    assert max(map(columns, lines)) <= width


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found", [calendar_of(estate()), changed(), calendar_of([])], ids=["estate", "plan", "nothing"]
)
def test_json_keeps_to_its_schema(found: Calendar) -> None:
    document = json.loads(json_.dumps(json_form.calendar(found, STAMP)))
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert list(document)[:5] == ["format_version", "reconciler_version", "project", "environment", "created_at"]
    assert [day["starts"] for day in document["days"]] == [
        sum(hour["starts"] or 0 for hour in day["hours"]) for day in document["days"]
    ]
    assert sum(day["starts"] for day in document["days"]) == document["summary"]["starts"]


def test_json_says_the_same_whatever_the_order() -> None:
    one = json_.dumps(json_form.calendar(calendar_of(estate()), STAMP))
    assert one == json_.dumps(json_form.calendar(calendar_of(reversed(estate())), STAMP))


def test_json_of_a_plan_names_what_it_changes() -> None:
    document = json_form.calendar(changed(), STAMP)
    assert [one["addresses"] for one in document["difference"]["new_collisions"]] == [
        ["schedule/deals/hourly", "schedule/deals/nightly"]
    ]
    assert document["difference"]["before"]["starts"] == document["summary"]["starts"] - 168 + 1


# --- HTML ------------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a page is made of: its elements, and the texts a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_needs_no_network_and_runs_nothing_foreign() -> None:
    drawn = [*estate(), job(HOSTILE, "0 0 2 * * *", zone='Mars "<b>" Standard Time'), job(HOSTILE + "2", "0 0 2 * * *")]
    text = html_form.calendar(calendar_of(drawn, notes=("<img src=x onerror=alert(1)>",)), STAMP)
    page = Page(text)
    assert [attrs.get("type") for tag, attrs in page.tags if tag == "script"] == ["application/json", None]
    assert not [tag for tag, attrs in page.tags if tag in ("img", "link", "iframe", "object") or "src" in attrs]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert not re.findall(r"url\(|https?://", text)
    assert "\u202e" not in text and "\x1b" not in text
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    assert policy is not None and policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not [tag for tag, attrs in page.tags if "style" in attrs], "a policy without exceptions stops such styles"


def test_all_pages_have_one_policy_and_allow_by_digest_alone() -> None:
    def rules(page: str) -> list[str]:
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
        assert policy is not None
        return unescape(re.sub(r"sha256-[A-Za-z0-9+/=]+", "digest", policy[1])).split("; ")

    drawn, planned = html_form.calendar(calendar_of(estate()), STAMP), html.plan(Plan("p", "default"), STAMP)
    assert rules(drawn) == rules(planned)
    assert rules(drawn)[:3] == ["default-src 'none'", "style-src 'digest'", "script-src 'digest'"]


def test_the_picture_has_its_numbers_as_a_table() -> None:
    found = calendar_of(estate())
    text = html_form.calendar(found, STAMP)
    table = re.search(r'<table class="plain">.*?</table>', text, re.DOTALL)
    assert table is not None
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", table[0])
    cells = [[int(one) for one in re.findall(r"<td>([0-9,]+)</td>", row.replace(",", ""))] for row in rows]
    assert [row[:24] for row in cells] == [list(day) for day in found.shown.grid.starts]
    assert [row[24] for row in cells] == [sum(one or 0 for one in day) for day in found.shown.grid.starts]


class Maps(HTMLParser):
    """The cells of every heat map: which shade, and what number."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.maps: dict[str, list[tuple[str, str]]] = {}
        self.side = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if side := given.get("data-side"):
            self.side = side
            self.maps[side] = []
        if given.get("role") == "gridcell" and given.get("class") != "t":
            self.maps[self.side].append((given.get("class") or "", ""))
            self.is_cell = True
        else:
            self.is_cell = False

    def handle_data(self, data: str) -> None:
        if self.side and self.is_cell and data.strip():
            self.maps[self.side][-1] = (self.maps[self.side][-1][0], data)


def shade(style: str) -> int:
    found = re.match(r"(s|more|less)(\d+)", style)
    assert found is not None
    return int(found[2])


def test_shades_are_in_proportion_from_nothing_on() -> None:
    drawn = [job(f"schedule/shop-{n}/poll", f"0 {n % 60} {'*' if n < 200 else '5'} * * *") for n in range(201)]
    cells = Maps(html_form.calendar(calendar_of(drawn), STAMP)).maps["shown"]
    assert {cells[4], cells[5]} == {("s64", "200"), ("s64", "201")}, "half a percent is nothing that anybody sees"
    drawn = [job(f"schedule/shop-{n}/nightly", f"0 0 {n % 4} * * *") for n in range(6)]
    cells = Maps(html_form.calendar(calendar_of(drawn), STAMP)).maps["shown"]
    assert [(shade(style), text) for style, text in cells[:5]] == [(64, "2"), (64, "2"), (32, "1"), (32, "1"), (0, "")]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.sampled_from([4, 32, 64]))
def test_no_shade_is_further_from_its_value_than_half_a_step(values: list[int], steps: int) -> None:
    shading = shading_of([values], steps=steps)
    for value in values:
        found = shading.of(value)
        assert (found == 0) == (value == 0) and shading.of(-value) == -found
        if value:
            assert found == 1 or abs(found / steps - value / max(values)) <= 0.5 / steps + 1e-9
            assert shading.begin(found) <= value


def test_maps_before_and_after_a_plan_have_one_scale_and_the_change_one_with_sign() -> None:
    before = [job(f"schedule/shop-{n}/nightly", "0 0 2 * * *") for n in range(8)]
    after = [job(f"schedule/shop-{n}/nightly", "0 0 2,5 * * *" if n < 4 else "0 0 3 * * *") for n in range(8)]
    maps = Maps(html_form.calendar(calendar_of(after, before=before, source=Source.PLAN), STAMP)).maps
    assert list(maps) == ["before", "shown", "change"]
    assert maps["before"][2] == ("s64", "8")
    assert maps["shown"][2:6] == [("s32", "4"), ("s32", "4"), ("s0", ""), ("s32", "4")]
    assert maps["change"][2:6] == [("less32", "\u22124"), ("more32", "+4"), ("s0", ""), ("more32", "+4")]


def test_a_page_of_many_schedules_stays_small() -> None:
    drawn = [job(f"schedule/agent-{n}/nightly", f"0 {n % 60} {n % 24} * * *", seconds=60) for n in range(5000)]
    assert len(html_form.calendar(calendar_of(drawn), STAMP).encode()) < 1_000_000


# --- iCalendar -------------------------------------------------------------------------------------------------------


def expanded(text: str) -> dict[str, list[int]]:
    """Every start in the file, by address, as a reader of its rules would find it."""
    from dateutil.rrule import rrulestr

    whole: dict[str, list[int]] = {}
    events: list[Any] = list(Parsed.from_ical(text).walk("VEVENT"))
    for event in events:
        begin = event["DTSTART"].dt
        starts = whole.setdefault(str(event["SUMMARY"]), [])
        if "RRULE" not in event:
            starts.append(int(begin.timestamp()))
            continue
        rule = event["RRULE"].to_ical().decode()
        until = re.search(r";UNTIL=(\d{8}T\d{6}Z)", rule)
        assert until is not None
        last = datetime.strptime(until[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        # Rules of a zone are walked on its clock, as the standard says.
        rules = rrulestr(rule.replace(until[0], ""), dtstart=begin.replace(tzinfo=None))
        for moment in rules.xafter(begin.replace(tzinfo=None) - timedelta(seconds=1)):
            instant = moment.replace(tzinfo=begin.tzinfo)
            if instant.astimezone(UTC) > last:
                break
            starts.append(int(instant.timestamp()))
    return {address: sorted(starts) for address, starts in whole.items()}


def predicted(drawn: list[Job], found: Calendar) -> dict[str, list[int]]:
    window = found.shown.load.window
    return {
        each.address: starts
        for each in drawn
        if each.enabled and (starts := list(starts_between(each.timing, window.begin, window.end)))
    }


def test_ics_names_every_start() -> None:
    drawn = [each for each in estate() if "ticker" not in each.address]
    found = calendar_of(drawn, days=14)
    written = ics_form.calendar(found, STAMP)
    assert written.notes == ()
    assert expanded(written.text) == predicted(drawn, found)


expressible = st.sampled_from(
    [
        *(
            "0 0 5 * * *",
            "0 15,45 9-17 * * MON-FRI",
            "30 0 6 1,15 * ?",
            "0 0 22 L * ?",
            "0 0 9 ? * 5#3",
            "0 0 9 ? * 5L",
        ),
        *("0 30 4 * 3,4 *", "0 0 7 ? * SUN,7", "0 0 4 LW * ?", "0 0 6 15W * ?", "0 0 6 1 * MON", "0 0 8 */2 * ?"),
        *("15m", "90m", "1d", "3d", "36h", "7d"),
    ]
)


@settings(deadline=None, max_examples=80)
@given(expressible, st.sampled_from(["UTC", "Australia/Sydney", "Europe/Berlin", "Asia/Kathmandu"]), st.integers(0, 40))
def test_a_rule_is_written_only_where_it_is_exact(rhythm: str, zone: str, shift: int) -> None:
    drawn = [job("schedule/a/one", rhythm, zone=zone, start="2026-01-05T04:20:00")]
    found = calendar_of(drawn, first=date(2026, 2, 20) + timedelta(days=shift), days=35)
    assert expanded(ics_form.calendar(found, STAMP).text) == predicted(drawn, found)


@pytest.mark.parametrize(
    "zone", ["Australia/Sydney", "Europe/Berlin", "Australia/Lord_Howe", "America/Nuuk", "Asia/Kathmandu"]
)
def test_zones_in_the_file_change_their_clocks_when_they_do(zone: str) -> None:
    """Judged by the standard (3.6.5): an onset is told on the clock before it, that of TZOFFSETFROM."""
    rules = ZoneInfo(zone)
    found = calendar_of([job("schedule/a/one", "0 30 12 * * *", zone=zone)], days=60, zone=zone)
    written: list[Any] = Parsed.from_ical(ics_form.calendar(found, STAMP).text).walk("VTIMEZONE")
    told: list[tuple[datetime, timedelta | None, timedelta | None]] = []
    for part in written[0].subcomponents:
        before, after = part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td
        told.append((part["DTSTART"].dt.replace(tzinfo=UTC) - before, before, after))
    moment = told[0][0]
    offset = moment.astimezone(rules).utcoffset()
    changes = [(moment, offset, offset)]
    while moment < found.local(found.shown.load.window.end):
        moment += timedelta(minutes=15)
        if (now := moment.astimezone(rules).utcoffset()) != offset:
            changes.append((moment, offset, now))
            offset = now
    assert told == changes
    assert (zone == "Asia/Kathmandu") == (len(changes) == 1)


def test_what_no_rule_says_becomes_single_events_up_to_a_limit() -> None:
    drawn = [job("schedule/a/both", "0 */5 * 1 * MON")]
    written = ics_form.calendar(calendar_of(drawn, days=28), STAMP)
    assert written.text.count("BEGIN:VEVENT") == ics_form.SINGLE_EVENTS
    (note,) = written.notes
    assert "schedule/a/both" in note and "first 200" in note


def test_ics_lines_are_short_and_ids_stay() -> None:
    name = "schedule/prices/sehr-langer-näme-" + "ü" * 120
    drawn = [*estate(), job(name, "0 0 2 * * *"), job(HOSTILE, "0 0 3 * * *")]
    text = ics_form.calendar(calendar_of(drawn), STAMP).text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    ids = re.findall(r"UID:(\S+)", text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"UID:(\S+)", ics_form.calendar(calendar_of(drawn, days=3), STAMP).text)) <= set(ids)
    assert name in {str(event["SUMMARY"]) for event in Parsed.from_ical(text).walk("VEVENT")}
