"""A plan and an audit of 1, 25, 300 and 5 000 resources in a browser: few cards, and every single one found."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest
from browser_window import Faultless, Show, look
from render_estates import SIZES, deleted, estate_drift, estate_plan, retimed
from render_samples import STAMP
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.plan import Action, Plan
from reconciler.render import html

BASH = shutil.which("bash")

AWKWARD_NAMES = (
    "two words",
    "100%25 # off",
    'it\'s "quoted"',
    "日本語",
    "a&b=c?d",
    "q=x",
    "<b>",
    "back\\slash",
    "tab\there",
    "\u202eabc",
)


class Sample(NamedTuple):
    page: str
    addresses: set[str]
    entries: int


@cache
def plan(size: int) -> Sample:
    found = estate_plan(size)
    agents = {one.agent for one in found.unmanaged}
    return Sample(
        html.plan(found, STAMP),
        {*(str(one.address) for one in found.changes), *(str(one.address) for one in found.blocked)},
        len(found.changes) + len(found.blocked) + len(found.warnings) + len(agents),
    )


@cache
def drift(size: int) -> Sample:
    found = estate_drift(size)
    return Sample(
        html.drift(found, STAMP),
        {str(one.address) for one in found.findings},
        len(found.findings) + len(found.warnings),
    )


Made = Callable[[int], Sample]


def settle(chrome: Chrome) -> None:
    chrome.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))")


def search(chrome: Chrome, text: str) -> list[str]:
    """What is in sight of a search: the first code of each entry, its address."""
    field = chrome.find_element(By.ID, "search")
    field.clear()
    field.send_keys(text)
    settle(chrome)
    found: list[str] = chrome.execute_script(
        "return [...document.querySelectorAll('.entry')].filter(one => one.checkVisibility()).map(one => one.id)"
    )
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("made", [plan, drift])
def test_few_cards_hold_every_resource_once(show: Show, made: Made, size: int) -> None:
    sample = made(size)
    chrome = show(sample.page)
    ids = chrome.execute_script("return [...document.querySelectorAll('main [id*=\"/\"]')].map(one => one.id)")
    assert len(ids) == len(set(ids))
    assert sample.addresses <= set(ids)
    assert len(chrome.find_elements(By.CSS_SELECTOR, ".entry")) == sample.entries
    assert len(chrome.find_elements(By.CSS_SELECTOR, "section.list > details")) <= min(25, sample.entries)


@pytest.mark.parametrize("made", [plan, drift])
def test_any_of_five_thousand_is_found_by_search_and_by_link(show: Show, made: Made) -> None:
    sample = made(5_000)
    chrome = show(sample.page)
    addresses = sorted(sample.addresses)
    for address in addresses[:: len(addresses) // 7]:
        assert address in search(chrome, address)
        chrome.execute_script("location.hash = arguments[0]", address)
        settle(chrome)
        meant = chrome.find_element(By.ID, address)
        assert meant.is_displayed()
        assert chrome.execute_script(
            "const at = arguments[0].getBoundingClientRect().top; return at >= 0 && at < 900", meant
        )


def test_what_all_share_finds_them_all_and_what_one_has_finds_it(show: Show) -> None:
    chrome = show(plan(300).page)
    assert len(search(chrome, "every 45m")) == 96
    assert search(chrome, "hotels-ca-002 disable") == ["schedule/hotels-ca-002/monthly"]
    created = next(one for one in estate_plan(300).changes if one.action is Action.CREATE)
    assert str(created.address) in search(chrome, f"create cron {created.fields[0].after}")
    assert search(chrome, "nothing has this name") == []
    chrome.find_element(By.ID, "search").clear()


def test_a_search_folds_again_what_it_unfolded(show: Show) -> None:
    chrome = show(plan(300).page)
    before = chrome.execute_script("return document.querySelectorAll('details[open]').length")
    assert search(chrome, "nightly") != []
    assert chrome.execute_script("return document.querySelectorAll('details[open]').length") > 0
    search(chrome, "x\b")
    assert chrome.execute_script("return document.querySelectorAll('details[open]').length") == before


@pytest.mark.skipif(BASH is None, reason="no bash: NOBODY JUDGES WHAT FOLDED ADDRESSES UNFOLD TO")
@pytest.mark.parametrize("size", [300, 5_000])
def test_what_is_risky_stands_first_with_its_names(show: Show, size: int) -> None:
    chrome = show(plan(size).page)
    first = chrome.find_element(By.CSS_SELECTOR, "section.list")
    assert first.find_element(By.TAG_NAME, "h2").text.startswith("Risky")
    found = estate_plan(size)
    deletions = first.find_element(By.CSS_SELECTOR, "section.list > .delete")
    named = {one.text for one in deletions.find_elements(By.TAG_NAME, "code") if one.is_displayed()}
    expanded = subprocess.check_output([str(BASH), "-c", f"printf '%s\n' {' '.join(named)}"], text=True).split()
    assert {str(one.address) for one in found.changes if one.action is Action.DELETE} <= set(expanded)


def test_blocked_resources_have_one_next_step_for_one_cause(show: Show) -> None:
    chrome = show(plan(5_000).page)
    blocked = [one for one in chrome.find_elements(By.CSS_SELECTOR, "section.list") if one.text.startswith("Blocked")]
    assert [len(one.find_elements(By.CSS_SELECTOR, "section.list > details")) for one in blocked] == [2]
    assert len(blocked[0].find_elements(By.CSS_SELECTOR, ".next")) <= 2
    assert blocked[0].text.count("401 Unauthorized") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("made", [plan, drift])
def test_everybody_can_read_what_is_alike(show: Show, faultless: Faultless, made: Made, width: int, theme: str) -> None:
    chrome = show(made(25).page)
    look(chrome, width=width, theme=theme)
    faultless(chrome)
    chrome.find_element(By.ID, "unfold").click()
    faultless(chrome)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    chrome = show(made(5_000).page)
    look(chrome, width=width, theme=theme)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", AWKWARD_NAMES)
@pytest.mark.parametrize("count", [1, 3])
def test_a_link_reaches_an_address_of_any_name(show: Show, name: str, count: int) -> None:
    """On a card of its own, and folded among those alike; from a link on the page, and from one that is handed on."""
    changes = [
        replace(deleted(number), address=Address("schedule", f"{name}{number}", name)) for number in range(count)
    ]
    waiting = replace(retimed(0), needs=(changes[0].address,))
    chrome = show(html.plan(Plan("retail-data", "prod", (*changes, waiting)), STAMP))
    chrome.find_element(By.ID, "fold").click()
    link = chrome.execute_script("return document.querySelector('.needs a')")
    chrome.execute_script("arguments[0].click()", link)
    settle(chrome)
    meant = chrome.execute_script("return document.querySelector(':target')")
    assert meant is not None
    assert meant.is_displayed()
    assert meant.get_attribute("data-word") == "delete"
    chrome.refresh()
    settle(chrome)
    assert chrome.execute_script("return document.querySelector(':target')").is_displayed()


def test_paper_has_all_of_it(show: Show) -> None:
    chrome = show(plan(300).page)
    chrome.execute_script("dispatchEvent(new Event('beforeprint'))")
    look(chrome, media="print", theme="dark")
    unseen = "return [...document.querySelectorAll('.entry')].filter(one => !one.checkVisibility()).length"
    assert chrome.execute_script(unseen) == 0
    assert chrome.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not chrome.find_element(By.ID, "search").is_displayed()


def test_what_is_folded_costs_nothing_until_it_is_opened(show: Show) -> None:
    chrome = show(plan(5_000).page)
    laid_out = "return [...document.querySelectorAll('.entry')].filter(one => one.checkVisibility()).length"
    assert chrome.execute_script(laid_out) < 100
