"""The first page of a site and an agent's page in a browser: filters that are shared as links, whole on any screen."""

from __future__ import annotations

import pytest
from browser_window import Faultless, Show, look
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from reconciler.causes import said
from reconciler.model.address import Address, Origin
from reconciler.model.condition import DriftFinding, DriftStatus, Health, ResourceStatus
from reconciler.model.copies import replace
from reconciler.model.estate import AgentReport, AgentRunReport, EstateReport, ResourceReport, UnmanagedReport
from reconciler.model.live import Evidence
from reconciler.model.outcome import Done, Owner, RunRecord
from reconciler.model.plan import BlockedResource, FieldChange, Finding, Preview, Reason
from reconciler.model.resource import Agent, Resource
from reconciler.model.state import State
from reconciler.render import Stamp
from reconciler.render.html.agent_page import agent
from reconciler.render.html.links import Links, NavItem
from reconciler.render.html.overview_page import overview

STAMP = Stamp("1.0.0", "retail", "prod", "2026-11-22T20:45:00Z")
PAYLOAD = "</script><img src=x onerror=window.pwned=1>'\"<svg onload=window.pwned=1>"
RUNS = ("2026-11-23T02:00:00+11:00", "2026-11-24T02:00:00+11:00", "2026-11-25T02:00:00+11:00")


def resource(number: int, *, handle: str = "", word: str = "") -> ResourceReport:
    """The first is missing, the second fails, the third drifted, the fourth is blocked; all others are well."""
    address = Address("schedule", handle or f"shop-{number:04}", "nightly")
    sync = {0: DriftStatus.MISSING, 2: DriftStatus.DRIFTED, 3: DriftStatus.PENDING}.get(number, DriftStatus.IN_SYNC)
    health = Health.FAILING if number == 1 else Health.HEALTHY
    fields = (FieldChange("cron", word or "0 0 5 * * *", "0 0 2 * * *"),) if sync is DriftStatus.DRIFTED else ()
    why = said(word or "somebody else owns it")
    labels = {"team": word or f"t{number % 3}"}
    return ResourceReport(
        address,
        sync,
        Resource(address, State(), Origin("manifests/shops.yaml", number + 1), labels=labels),
        ResourceStatus(address, sync, health, RUNS[0], RUNS[1], RUNS[1], (said(word or "the last run failed"),)),
        DriftFinding(address, sync, Evidence.VERIFIED, fields),
        blocked=BlockedResource(address, Reason.UNOWNED, why) if number == 3 else None,
        declared={"cron": "0 0 2 * * *", "inputParameters": {"region": word or "au"}},
        rhythm="at 02:00:00 every day, Australia/Sydney time",
        outlook=Preview(RUNS, RUNS, 1.0, 1.0),
    )


def estate(size: int, word: str = "") -> EstateReport:
    resources = tuple(resource(number, word=word) for number in range(size))
    agents = tuple(report_of(one, word) for one in resources[:50])
    notes = (Finding("max-deletes", "", said(word or "the plan would delete too much")),)
    return EstateReport(resources, agents, notes if word else (), unmanaged=2)


def report_of(one: ResourceReport, word: str = "") -> AgentReport:
    owner = Owner(word or "ann", "build-1", 7)
    return AgentReport(
        Agent(one.address.agent, f"sequentum/{word or one.address.agent}", Origin("manifests/shops.yaml", 1)),
        "ac1d4355-6645-4d71-b885-9e04e458d8ee",
        word,
        (one,),
        (),
        (UnmanagedReport(Address("schedule", one.address.agent, "d9c944df"), "every day"),),
        (AgentRunReport(RUNS[0], RUNS[1], word or "Succeeded", one.address, 0, 12, word),),
        ((RunRecord("1", owner, "abc", "", "apply", RUNS[0]), Done(str(one.address), "create", "applied", word)),),
    )


def links() -> Links:
    return Links(nav=(NavItem("Overview", "index.html", is_current=True), NavItem("Plan", "plan.html")))


def shown_rows(chrome: Chrome) -> list[str]:
    rows = "[...document.querySelectorAll('#rows > li')].filter(row => !row.hidden)"
    found: list[str] = chrome.execute_script(f"return {rows}.map(row => row.firstElementChild.textContent)")
    return found


def filtered(chrome: Chrome, fragment: str) -> list[str]:
    chrome.execute_script("location.hash = arguments[0]", fragment)
    chrome.execute_async_script("setTimeout(arguments[0])")
    return shown_rows(chrome)


def test_a_filter_stands_in_the_address(show: Show) -> None:
    chrome = show(overview(estate(40), STAMP, links()))
    assert len(shown_rows(chrome)) == 40
    assert filtered(chrome, "health=failing") == ["schedule/shop-0001/nightly"]
    assert filtered(chrome, "health=unhealthy") == ["schedule/shop-0000/nightly", "schedule/shop-0001/nightly"]
    assert filtered(chrome, "sync=drift") == ["schedule/shop-0000/nightly", "schedule/shop-0002/nightly"]
    assert len(filtered(chrome, "label=team%3Dt1")) == 13
    assert filtered(chrome, "label=team%3Dt1&q=shop-000") == [f"schedule/shop-000{one}/nightly" for one in (1, 4, 7)]
    chrome.refresh()
    assert len(shown_rows(chrome)) == 3
    assert Select(chrome.find_element(By.NAME, "label")).first_selected_option.text == "team=t1"
    assert chrome.find_element(By.ID, "told").text == "3 of 40 resources"


def test_a_cell_of_the_matrix_counts_and_filters(show: Show) -> None:
    chrome = show(overview(estate(40), STAMP, links()))
    cell = chrome.find_element(By.XPATH, "//tr[contains(., 'in-sync')]//a[contains(@href, 'health=failing')]")
    assert cell.text.splitlines()[0] == "1"
    cell.click()
    assert shown_rows(chrome) == ["schedule/shop-0001/nightly"]
    assert cell.get_attribute("aria-current") == "true"
    chrome.find_element(By.CSS_SELECTOR, "#filters [type=reset]").click()
    chrome.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert len(shown_rows(chrome)) == 40


def test_one_cause_is_told_once_also_of_resources_that_other_pages_tell_of() -> None:
    one, other = (replace(resource(1), address=Address("schedule", name, "nightly")) for name in ("a", "b"))
    pending = replace(other, sync=DriftStatus.PENDING)
    page = overview(EstateReport((one, pending), (), (), unmanaged=0), STAMP, links())
    assert page.count("the last run failed") == 1
    assert '<a href="drift.html">drift</a>' in page


def test_columns_have_heads_that_stand_above_them(show: Show) -> None:
    chrome = show(overview(estate(40), STAMP, links()))
    for width, is_seen in ((1280, True), (390, False)):
        look(chrome, width=width)
        for heads, row in (
            ("#resources .heads > *", "#rows > li:first-child > *"),
            (".heads.agents > *", ".agents > li > *"),
        ):
            above, below = (chrome.find_elements(By.CSS_SELECTOR, one)[:4] for one in (heads, row))
            assert all(one.is_displayed() == is_seen for one in above)
            if is_seen:
                assert [one.rect["x"] for one in above] == [one.rect["x"] for one in below]
                assert all(
                    one.rect["width"] <= place.rect["width"] + 1 for one, place in zip(above, below, strict=True)
                )


def test_without_its_script_all_of_it_is_there(show: Show) -> None:
    text = overview(estate(40), STAMP, links())
    chrome = show(text[: text.index("<script>")] + "</body></html>")
    assert len(shown_rows(chrome)) == 40
    assert not chrome.find_element(By.ID, "filters").is_displayed()


def test_five_thousand_resources_can_be_filtered(show: Show) -> None:
    chrome = show(overview(estate(5_000), STAMP, links()))
    assert filtered(chrome, "q=shop-4321") == ["schedule/shop-4321/nightly"]
    assert chrome.find_element(By.ID, "told").text == "1 of 5,000 resources"


def pages() -> dict[str, str]:
    found = estate(40)
    return {
        "overview": overview(found, STAMP, links()),
        "nothing": overview(EstateReport((), ()), STAMP, links()),
        **{f"agent-{number}": agent(found.agents[number], STAMP, links()) for number in (0, 2, 3)},
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["overview", "nothing", "agent-0", "agent-2", "agent-3"])
def test_everybody_can_read_it(show: Show, faultless: Faultless, name: str, width: int, theme: str) -> None:
    chrome = show(pages()[name])
    look(chrome, width=width, theme=theme)
    wide, seen = chrome.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen
    faultless(chrome)


@pytest.mark.parametrize("is_agent", [False, True])
def test_no_word_from_outside_becomes_a_script(show: Show, is_agent: bool) -> None:
    found = estate(5, PAYLOAD)
    chrome = show(agent(found.agents[2], STAMP, links()) if is_agent else overview(found, STAMP, links()))
    assert chrome.execute_script("return window.pwned") is None
    assert not chrome.find_elements(By.CSS_SELECTOR, "img, svg[onload]")
    assert PAYLOAD in str(chrome.find_element(By.TAG_NAME, "main").get_property("textContent"))


def test_paper_shows_the_list_and_no_controls(show: Show) -> None:
    chrome = show(overview(estate(40), STAMP, links()))
    look(chrome, theme="dark", media="print")
    assert not chrome.find_element(By.ID, "filters").is_displayed()
    assert chrome.find_element(By.CSS_SELECTOR, "#rows > li:last-child").is_displayed()
    assert chrome.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
