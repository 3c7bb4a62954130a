"""How an apply went, the status of an estate, history and checks in a browser, at 1, 25, 300 and 5 000."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from browser_window import Faultless, Show, look
from render_estates import SIZES
from render_reports import COMMIT, cut_off, estate_report, recorded, refused, report_of
from render_samples import ALL_APPLIED, OUTCOMES, PLAN, STAMP
from render_statuses import estate_status
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from test_pages import PAYLOADS

from reconciler.causes import said
from reconciler.model.address import Address
from reconciler.model.condition import Check, DriftStatus, Gauge, Health, Level, ResourceStatus
from reconciler.model.copies import replace
from reconciler.model.outcome import ApplyReport, Done, Ending, Owner, RunRecord
from reconciler.model.plan import Finding
from reconciler.render import Stamp, html
from reconciler.render.html import Links, Repository
from reconciler.render.html.links import fragment

LINKS = Links(repository=Repository.of("git@github.com:retail/data.git", COMMIT))
CHECKS = (
    Check("acc", Level.FAILED, "ACC answers 401", "make a new token in ACC, Users, API Access"),
    Check(
        "acc token",
        Level.WARNING,
        "runs out on 2026-12-03, in 11 days",
        "make a new one",
        Gauge(11, 0, 365, 30, 365, "days left"),
    ),
    Check("mft licence", Level.OK, "40 of 100 task executions used", gauge=Gauge(40, 0, 100, 0, 90, "task executions")),
    Check("mft clock", Level.OK, "agrees with ours", gauge=Gauge(-4, -60, 60, -30, 30, "s")),
    Check("ledger events", Level.OK, "hash chain verified"),
)


@cache
def apply(size: int) -> str:
    return html.apply(estate_report(size), STAMP, LINKS)


@cache
def status(size: int) -> str:
    return html.status(estate_status(size), STAMP)


@cache
def history(size: int) -> str:
    found = [recorded(size, run) for run in range(6)]
    changes = {run.id: done for run, done, _ in found}
    unended = {run.id: open_ for run, _, open_ in found}
    return html.history([run for run, *_ in found], changes, unended, (), STAMP, LINKS)


@cache
def doctor(size: int) -> str:
    return html.doctor(CHECKS[:size], STAMP)


BY_NAME: dict[str, Callable[[int], str]] = {"apply": apply, "status": status, "history": history, "doctor": doctor}


def complaints(chrome: Chrome) -> list[Any]:
    return [entry["message"] for entry in chrome.get_log("browser")]  # type: ignore[no-untyped-call]


def settle(chrome: Chrome) -> None:
    chrome.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))")


def entries(chrome: Chrome, *, seen: bool = False) -> int:
    """How many things the page tells of, `seen` those that a search leaves there."""
    which = ":not([hidden])" if seen else ""
    return int(chrome.execute_script(f"return document.querySelectorAll('.entry{which}').length"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BY_NAME)
def test_nothing_sticks_out_and_nothing_complains(show: Show, name: str, size: int) -> None:
    chrome = show(BY_NAME[name](size))
    for width in (1280, 768, 390, 320):
        look(chrome, width=width)
        assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    assert complaints(chrome) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", BY_NAME)
def test_everybody_can_read_it(show: Show, faultless: Faultless, name: str, width: int, theme: str) -> None:
    chrome = show(BY_NAME[name](25))
    look(chrome, width=width, theme=theme)
    faultless(chrome)


@pytest.mark.parametrize("page", [cut_off(25), refused(25), report_of(PLAN, OUTCOMES), report_of(PLAN, ALL_APPLIED)])
def test_everybody_can_read_how_it_went_otherwise(show: Show, faultless: Faultless, page: ApplyReport) -> None:
    faultless(show(html.apply(page, STAMP)))


def test_every_change_of_thousands_is_on_the_page_once_and_found(show: Show) -> None:
    chrome = show(apply(5_000))
    plan = estate_report(5_000).plan
    addresses = [str(one.address) for one in plan.changes] + [str(one.address) for one in plan.blocked]
    assert entries(chrome) == len(addresses)
    ids = chrome.execute_script("return [...document.querySelectorAll('.entry[id]')].map((one) => one.id)")
    assert set(ids) == set(addresses)
    assert len(ids) == len(set(ids))
    address = next(str(one.address) for one in plan.changes if one.address.agent == "toys-fr-007")
    lanes = chrome.find_elements(By.CSS_SELECTOR, ".lane")
    assert len(lanes) < 30, "alike lanes are folded"
    chrome.find_element(By.ID, "search").send_keys(address)
    settle(chrome)
    assert entries(chrome, seen=True) == 1
    row = chrome.find_element(By.ID, address)
    assert row.is_displayed()


@pytest.mark.parametrize("name", ["apply", "status"])
def test_a_link_to_an_address_unfolds_it(show: Show, name: str) -> None:
    chrome = show(BY_NAME[name](300))
    address = "schedule/books-br/nightly"
    assert chrome.find_elements(By.ID, address)
    chrome.get(f"{chrome.current_url}#{fragment(address)}")
    settle(chrome)
    settle(chrome)
    place = chrome.execute_script("return document.getElementById(arguments[0]).getBoundingClientRect().top", address)
    assert chrome.find_element(By.ID, address).is_displayed()
    assert 0 <= place < 900


def test_what_did_not_end_well_comes_first_and_each_cause_once(show: Show) -> None:
    chrome = show(html.apply(report_of(PLAN, OUTCOMES), STAMP))
    groups = chrome.find_elements(By.CSS_SELECTOR, "section.list:first-of-type .alike")
    assert [group.get_attribute("class").split()[-1] for group in groups] == [  # type: ignore[union-attr]
        "unknown",
        "unverified",
        "failed",
        "stale",
        "skipped",
    ]
    assert "reconciler resolve trigger/publish-prices --ran | --not-ran" in groups[0].text
    chrome = show(html.apply(estate_report(300), STAMP))
    assert chrome.execute_script("return document.querySelector('main').textContent").count("answered 401") == 2
    chrome = show(html.apply(report_of(replace(PLAN, blocked=()), ALL_APPLIED), STAMP))
    assert "Applied all 9 changes." in chrome.find_element(By.TAG_NAME, "main").text


def test_who_when_and_from_where_are_linked(show: Show) -> None:
    chrome = show(apply(25))
    links = [one.get_attribute("href") for one in chrome.find_elements(By.CSS_SELECTOR, ".facts a")]
    assert links == [
        "https://gitlab.example.com/retail/data/-/jobs/81234",
        f"https://github.com/retail/data/commit/{COMMIT}",
    ]


def test_bars_lie_where_their_time_is(show: Show) -> None:
    """The longest of all ends where the axis does, and what was cut off is drawn to its end."""
    chrome = show(html.apply(cut_off(25), STAMP))
    bars = chrome.execute_script("""return [...document.querySelectorAll("ol .lane")].map((lane) => {
        const [bar, all] = ["rect", "svg"].map((name) => lane.querySelector(name).getBoundingClientRect());
        return [bar.left - all.left, all.right - bar.right, lane.querySelector("rect").getAttribute("class")];
    })""")
    assert all(left > -1 and right > -1 for left, right, _ in bars)
    assert sum(word == "unended" for *_, word in bars) == 3
    assert all(abs(right) < 1 for _, right, word in bars if word == "unended")
    assert "no end was seen" in chrome.find_element(By.CSS_SELECTOR, ".lanes").text


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (cut_off(25), "Interrupted: what was under way was cut off."),
        (refused(25), "Refused: nothing was sent."),
        (replace(refused(25), ending=Ending.DECLINED, said=()), "Declined: somebody was asked, and did not say yes."),
    ],
)
def test_a_run_that_did_not_run_to_its_end_says_so_once(show: Show, report: ApplyReport, headline: str) -> None:
    text = show(html.apply(report, STAMP)).find_element(By.TAG_NAME, "main").text
    assert text.count(headline) == 1
    assert "Not begun" in text


def test_the_table_is_sorted_and_filtered(show: Show) -> None:
    chrome = show(status(300))

    def column(number: int) -> list[str]:
        script = (
            "return [...document.querySelectorAll('.sortable tbody tr:not([hidden])')]"
            ".map((row) => row.cells[arguments[0]].querySelector('time, code, .pill, .sync')?.textContent || '')"
        )
        return list(chrome.execute_script(script, number))

    assert column(1)[0] == "failing"
    resource, health = (chrome.find_elements(By.CSS_SELECTOR, ".sortable thead button")[at] for at in (0, 1))
    resource.click()
    assert column(0) == sorted(column(0))
    resource.click()
    assert column(0) == sorted(column(0), reverse=True)
    assert chrome.find_element(By.CSS_SELECTOR, "[aria-sort]").get_attribute("aria-sort") == "descending"
    health.send_keys(Keys.ENTER)
    order = [one.value for one in Health]
    assert column(1) == sorted(column(1), key=order.index)
    chrome.find_element(By.CSS_SELECTOR, ".tile.disabled").click()
    settle(chrome)
    assert set(column(1)) == {"disabled"}
    chrome.find_element(By.CSS_SELECTOR, ".tile.drifted").click()
    settle(chrome)
    assert set(column(2)) == {"drifted"}
    chrome.find_element(By.CSS_SELECTOR, ".tile.pending").click()
    chrome.find_element(By.CSS_SELECTOR, ".tile.drifted").click()
    settle(chrome)
    assert column(0) == []


def test_what_needs_attention_is_told_once_with_the_next_step(show: Show) -> None:
    chrome = show(status(5_000))
    said = chrome.find_elements(By.CSS_SELECTOR, ".alike")
    assert len(said) <= 10
    assert all("Next:" in group.text for group in said)
    heads = " | ".join(group.find_element(By.TAG_NAME, "h3").text for group in said)
    assert "200 schedules: failing" in heads
    assert "200 schedules: ACC names another next run than this program" in heads
    assert "200 triggers: unknown" in heads
    assert "1,400 of 5,000 resources need attention." in chrome.find_element(By.CSS_SELECTOR, ".lead").text


def test_what_is_told_once_is_found_at_each(show: Show) -> None:
    chrome = show(status(300))
    note = "disabled in ACC; the manifest says nothing, which means enabled"
    seen = chrome.find_element(By.TAG_NAME, "main").text.lower()
    assert seen.count(note.lower()) == 1
    chrome.find_element(By.ID, "search").send_keys("which means enabled")
    settle(chrome)
    assert entries(chrome, seen=True) == 12


def test_times_are_told_as_seen_from_when_the_page_was_made(show: Show) -> None:
    row = ResourceStatus(
        Address("schedule", "prices", "nightly"),
        DriftStatus.IN_SYNC,
        Health.HEALTHY,
        "2026-11-22T18:00:00Z",
        "2026-11-23T02:00:00Z",
        "2026-11-25T20:45:00Z",
    )
    page = html.status([row], STAMP)
    assert page == html.status([row], STAMP), "equal input gives equal bytes"
    text = show(page).find_element(By.CSS_SELECTOR, ".sortable").text
    assert "2026-11-22 18:00 UTC 2 h ago" in text
    assert "2026-11-23 02:00 UTC in 5 h" in text
    assert "ours: 2026-11-25 20:45 UTC in 3 days" in text


def test_the_history_says_what_has_no_end(show: Show) -> None:
    chrome = show(history(25))
    assert "Hash chain verified" in chrome.find_element(By.TAG_NAME, "main").text
    assert len(chrome.find_elements(By.CSS_SELECTOR, ".run[open]")) == 1
    chrome.find_element(By.CSS_SELECTOR, ".tile.not-finished").click()
    settle(chrome)
    assert entries(chrome, seen=True) == 1
    chrome.find_element(By.CSS_SELECTOR, ".run:not([hidden]) summary").click()
    run = chrome.find_element(By.CSS_SELECTOR, ".run:not([hidden])").text
    assert "Its end is not recorded: it goes on, or it was cut off. 3 changes were begun without a recorded end." in run
    assert "begun, without a recorded end: " in run
    broken = html.history([], {}, {}, (Finding("event-altered", "", said("event 7 was altered")),), STAMP)
    assert "The hash chain is broken" in show(broken).find_element(By.CSS_SELECTOR, "[role=alert]").text


def test_numbers_of_doctor_stand_on_their_scale(show: Show) -> None:
    chrome = show(doctor(5))
    assert [one.text.split()[0] for one in chrome.find_elements(By.TAG_NAME, "h2")] == ["Failed", "Warnings", "Well"]
    labels = [one.get_attribute("aria-label") for one in chrome.find_elements(By.CSS_SELECTOR, ".dial")]
    assert labels == [
        "11 days left, from 0 to 365",
        "40 task executions, from 0 to 100",
        "-4 s, from -60 to 60",
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_paper_shows_all_of_it_without_controls(show: Show, name: str) -> None:
    chrome = show(BY_NAME[name](25))
    look(chrome, theme="dark", media="print")
    assert not chrome.find_element(By.ID, "toolbar").is_displayed()
    assert chrome.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    # Chromium shows what is folded on paper by this pseudo-element; its own print opens it by an event besides.
    hidden = chrome.execute_script("""dispatchEvent(new Event("beforeprint"));
        return [...document.querySelectorAll("main .entry")].filter((one) => !one.checkVisibility()).length""")
    assert hidden == 0


def test_nothing_from_outside_runs(show: Show) -> None:
    payload = " ".join(PAYLOADS)
    stamp, address = Stamp(payload, payload, payload, payload), Address("schedule", payload, payload)
    row = ResourceStatus(address, DriftStatus.MISSING, Health.FAILING, payload, payload, payload, (said(payload),))
    run = RunRecord(
        "r", Owner(payload, payload, 1, payload), payload, payload, payload, payload, payload, payload, {payload: 1}
    )
    done = [
        Done(str(address), payload, "failed", payload, payload, payload, 1.0),
        Done(payload, "create", "applied", ""),
    ]
    pages = (
        html.status([row], stamp, warnings=(Finding(payload, payload, said(payload)),)),
        html.history([run, replace(run, id="s", result="")], {"r": done}, {"s": done}, (), stamp, LINKS),
        html.doctor([Check(payload, level, payload, payload, Gauge(1, 0, 2, 0, 1, payload)) for level in Level], stamp),
    )
    for page in pages:
        chrome = show(page)
        assert chrome.execute_script("return window.pwned") is None
        assert chrome.execute_script("return document.querySelectorAll('main :is(img, iframe, script)').length") == 0
        assert not chrome.find_elements(By.CSS_SELECTOR, "a[href^='javascript']")
        assert payload[:40].replace("`", "") in chrome.execute_script(
            "return document.querySelector('main').textContent"
        )
        assert complaints(chrome) == []
