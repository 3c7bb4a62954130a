"""The calendar's page in a browser: the picture fits, its views and its filter work, and nothing foreign runs."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from browser_window import Show, look
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from reconciler import timetable
from reconciler.calendar import html_form
from reconciler.calendar.forecast import Calendar, Entry, Source, forecast_of, read_zone, window_of
from reconciler.calendar.job_starts import Job
from reconciler.render import Stamp

STAMP = Stamp("1.0.0", "retail-data", "prod", "2026-03-30T05:12:07Z")
AS_OF = datetime(2026, 3, 30, 5, 12, 7, tzinfo=UTC)
PAYLOAD = "</script><img src=x onerror=window.pwned=1>'\"<svg onload=window.pwned=1>"


def entry(address: str, cron: str, *, seconds: int | None = 600, enabled: bool = True) -> Entry:
    expression = timetable.parse(cron)
    timing = timetable.Timing(expression, datetime(2026, 1, 1), "Australia/Sydney")
    return Entry(Job(address, f"sequentum/{address}", timing, enabled, seconds), timetable.describe(expression))


def calendar(*entries: Entry, before: tuple[Entry, ...] | None = None, days: int = 7) -> str:
    zone = read_zone("Australia/Sydney")
    window = window_of(date(2026, 3, 30), days, zone)
    found = Calendar(
        source=Source.LIVE if before is None else Source.PLAN,
        zone=zone,
        zone_reason="the zone of all schedules",
        as_of=AS_OF,
        threshold=10,
        shown=forecast_of(entries, window, zone, as_of=AS_OF),
        before=None if before is None else forecast_of(before, window, zone, as_of=AS_OF),
        unreadable=((PAYLOAD, PAYLOAD),),
        notes=(PAYLOAD,),
    )
    return html_form.calendar(found, STAMP)


SHOPS = tuple(entry(f"schedule/shop-{n}/nightly", f"0 0 {n % 5} * * *") for n in range(20))


def complaints(chrome: Chrome) -> list[str]:
    lines = chrome.get_log("browser")  # type: ignore[no-untyped-call]  # selenium leaves it without types
    return [line["message"] for line in lines if line["level"] == "SEVERE"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("days", [1, 7, 31])
def test_nothing_sticks_out(show: Show, width: int, theme: str, days: int) -> None:
    chrome = show(calendar(*SHOPS, entry(f"schedule/{'long' * 30}/nightly", "0 0 2 * * *"), days=days))
    look(chrome, width=width, theme=theme)
    wide, seen = chrome.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= seen
    cells = chrome.find_elements(By.CSS_SELECTOR, ".poster .c")
    assert len(cells) == 24 * days
    assert all(cell.size["width"] >= 8 and cell.size["height"] >= 16 for cell in cells[:48])
    assert complaints(chrome) == []


def test_busy_hours_stand_out_from_quiet_ones(show: Show) -> None:
    chrome = show(calendar(*SHOPS))
    script = "return getComputedStyle(document.querySelectorAll('.poster .c')[arguments[0]]).backgroundColor"
    assert chrome.execute_script(script, 2) != chrome.execute_script(script, 12)


def test_a_reader_chooses_what_the_picture_shows(show: Show) -> None:
    chrome = show(calendar(*SHOPS, entry("schedule/new/one", "0 0 7 * * *"), before=SHOPS))
    cell = chrome.find_elements(By.CSS_SELECTOR, ".poster .c")[7]
    assert cell.text == "+1"
    chrome.find_element(By.XPATH, "//label[contains(., 'Runs at a time')]").click()
    assert cell.text == "0.17"
    chrome.find_element(By.XPATH, "//label[contains(., 'Starts')]").click()
    assert cell.text == "1"


def test_the_list_is_filtered_from_the_keyboard(show: Show) -> None:
    chrome = show(calendar(*SHOPS))
    chrome.find_element(By.TAG_NAME, "body").send_keys("/")
    find = chrome.switch_to.active_element
    find.send_keys("shop-1 nightly")
    rows = [row for row in chrome.find_elements(By.CSS_SELECTOR, ".all tbody tr") if row.is_displayed()]
    assert len(rows) == 11
    assert chrome.find_element(By.ID, "told").text == "11 of 20"
    find.send_keys(Keys.ESCAPE)
    assert len([row for row in chrome.find_elements(By.CSS_SELECTOR, ".all tbody tr") if row.is_displayed()]) == 20


def test_no_name_becomes_a_script(show: Show) -> None:
    odd = entry(f"schedule/{PAYLOAD}/nightly", "0 0 2 * * *")
    chrome = show(calendar(odd, *SHOPS, before=SHOPS))
    assert chrome.execute_script("return window.pwned") is None
    assert not chrome.find_elements(By.CSS_SELECTOR, "img, svg[onload]")
    assert PAYLOAD in chrome.find_element(By.CSS_SELECTOR, "footer").text
    assert complaints(chrome) == []


def test_paper_is_light_and_has_no_controls(show: Show) -> None:
    chrome = show(calendar(*SHOPS))
    look(chrome, theme="dark", media="print")
    assert not chrome.find_element(By.ID, "find").is_displayed()
    assert chrome.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
