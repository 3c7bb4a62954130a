"""What a person meets in a browser: all of it visible and usable, and nothing from outside ever runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browser_window import Show, look
from render_reports import report_of
from render_samples import (
    AWKWARD,
    DRIFT,
    EMPTY,
    PLAN,
    STAMP,
    UPDATED,
    schedule,
)
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from reconciler.causes import said
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.model.address import Address, Origin
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.copies import replace
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import (
    Action,
    BlockedResource,
    Change,
    FieldChange,
    Finding,
    Plan,
    Preview,
    Reason,
    Unmanaged,
)
from reconciler.render import Stamp, html
from reconciler.render.html.scaffold import page

PAYLOADS = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "</style><script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "' autofocus onfocus=window.pwned=1 '",
    "<svg onload=window.pwned=1>",
    "<!--<script>window.pwned=1</script>-->",
    "]]><iframe srcdoc='<script>parent.pwned=1</script>'>",
    "javascript:window.pwned=1",
    "${window.pwned=1}$body$script",
    "{{ '<script>window.pwned=1</script>'|safe }}{% extends 'cards.html' %}",
    "`<b onmouseover=window.pwned=1>`",
    "&lt;img src=x onerror=window.pwned=1&gt;",
)


def cards(chrome: Chrome) -> list[WebElement]:
    """The cards on the page, each of one resource or of several, as far as a search leaves them there."""
    shown = "return [...document.querySelectorAll('section.list > details')].filter(card => card.checkVisibility())"
    found: list[WebElement] = chrome.execute_script(shown)
    return found


def entries(chrome: Chrome) -> list[WebElement]:
    """What is found on the page, each for itself, as far as a search leaves it there; it may be folded in a card."""
    shown = "return [...document.querySelectorAll('.entry')].filter(entry => !entry.closest('[hidden]'))"
    found: list[WebElement] = chrome.execute_script(shown)
    return found


def press(chrome: Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(chrome).send_keys(key).perform()


def settle(chrome: Chrome) -> None:
    chrome.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))")


def poisoned(payload: str) -> tuple[Plan, list[Outcome], Drift, Stamp]:
    """A plan, its outcomes and an audit with the payload in every string that somebody else chooses."""
    address = Address("schedule", payload, payload)
    fields = (
        FieldChange(payload, payload, payload + "x"),
        FieldChange("a", {payload: [payload]}, None),
        FieldChange("b", None, payload, secret=True),
    )
    origin, why = Origin(payload, 1), said(payload)
    change = Change(
        address,
        Action.UPDATE,
        Reason.EDITED,
        why,
        fields,
        identity=payload,
        agent_path=payload,
        needs=(address,),
        origin=origin,
        preview=Preview((payload,), (payload, payload), 1.0, 9.0, (payload,)),
    )
    gone = replace(change, action=Action.DELETE, fields=(), before=ScheduleState(cron=payload, time_zone=payload))
    alike = [
        replace(
            change,
            address=Address("schedule", payload, f"{payload}{number}"),
            action=Action.CREATE,
            fields=(FieldChange(payload, None, f"{payload}{number}"), fields[2]),
            why=said(f"{payload} {number}"),
            needs=(Address("approval", f"{payload}{number}"),),
        )
        for number in range(3)
    ]
    noted = [
        replace(one, address=Address("schedule", payload, f"x{payload}"), action=Action.ADOPT) for one in alike[:1]
    ]
    blocked = [BlockedResource(one.address, Reason.UNKNOWN_START, why, origin) for one in (change, *alike)]
    plan = Plan(
        payload,
        payload,
        (change, gone, *alike, *noted),
        (*blocked, BlockedResource(address, Reason.PROTECTED, said(f"{payload} at 10:10"))),
        (Unmanaged(payload, payload),),
        1,
        (Finding(payload, payload, why), *(Finding("several", f"schedule/{payload}/{one}", why) for one in range(3))),
    )
    outcomes = [Outcome(change, status, why, 1.0, Evidence.VERIFIED, payload, payload) for status in Status]
    findings = [
        DriftFinding(one, status, Evidence.VERIFIED, fields, origin, why, fields)
        for status in DriftStatus
        for one in (address, replace(address, name=f"{payload}{status}"))
    ]
    return plan, outcomes, Drift(payload, payload, tuple(findings)), Stamp(payload, payload, payload, payload)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [*(("plan", payload) for payload in PAYLOADS), ("apply", " ".join(PAYLOADS)), ("drift", " ".join(PAYLOADS))],
)
def test_nothing_from_outside_runs_and_all_of_it_is_shown(show: Show, kind: str, payload: str) -> None:
    plan, outcomes, drift, stamp = poisoned(payload)
    pages = {
        "plan": lambda: html.plan(plan, stamp),
        "apply": lambda: html.apply(report_of(plan, outcomes), stamp),
        "drift": lambda: html.drift(drift, stamp),
    }
    chrome = show(pages[kind]())
    chrome.find_element(By.ID, "unfold").click()
    settle(chrome)
    chrome.find_element(By.ID, "search").send_keys(payload[:12])
    settle(chrome)
    assert chrome.execute_script("return window.pwned") is None
    assert chrome.execute_script("return document.scripts.length") == 1
    assert (
        chrome.execute_script("return document.querySelectorAll('main :is(img, iframe, b *:not(small))').length") == 0
    )
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames().filter(a => a.startsWith('on')))"
    assert chrome.execute_script(f"return {handlers}") == []
    shown = chrome.execute_script("return document.querySelector('main').textContent")
    assert shown.count(payload.replace("`", "")) >= 3 or shown.count(payload) >= 3
    assert payload in chrome.title
    assert complaints(chrome) == []


def complaints(chrome: Chrome) -> list[Any]:
    """What the browser wrote to its console: a refused script, a broken one, anything."""
    return [entry["message"] for entry in chrome.get_log("browser")]  # type: ignore[no-untyped-call]


def test_the_policy_stops_a_script_that_would_get_in(show: Show) -> None:
    page = html.plan(PLAN, STAMP).replace("</main>", "<script>window.pwned=1</script><p style='color:red'>x</p></main>")
    chrome = show(page)
    assert chrome.execute_script("return window.pwned") is None
    assert len(complaints(chrome)) == 2


def test_embedded_data_arrives_as_it_was_and_ends_nothing(show: Show, tmp_path: Path) -> None:
    data = {"text": "</script><script>window.pwned=1</script><!-- \u2028 & 日本"}
    template = tmp_path / "embedding.html"
    template.write_text(
        '{% extends "scaffold.html" %}{% block main %}<p>body</p>'
        '<script type="application/json" id="data">{{ data|tojson }}</script>{% endblock %}'
    )
    template.with_suffix(".css").write_text("p{color:red}")
    template.with_suffix(".js").write_text("window.mine=1;")
    chrome = show(page(template, STAMP, title="Calendar", data=data))
    assert json.loads(chrome.execute_script("return document.getElementById('data').textContent")) == data
    assert chrome.execute_script("return [window.pwned, window.mine]") == [None, 1]
    assert chrome.find_element(By.TAG_NAME, "p").is_displayed()
    assert complaints(chrome) == []


def test_a_reviewer_sees_what_would_change(show: Show) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    assert chrome.title == "Plan · retail-data / prod"
    assert [heading.text.split("\n")[0] for heading in chrome.find_elements(By.TAG_NAME, "h2")] == [
        "Risky",
        "Blocked",
        "Other changes",
        "Recorded in the ledger",
        "Warnings",
        "Unmanaged",
    ]
    first = cards(chrome)[0]
    assert first.get_attribute("data-word") == "delete"
    assert "24 → 72 runs a day, 3×" in chrome.find_element(By.TAG_NAME, "main").text  # noqa: RUF001
    marked = [mark.text for mark in chrome.find_elements(By.CSS_SELECTOR, "td mark")]
    assert ["204", "310"] in [marked[at : at + 2] for at in range(len(marked))]
    assert "hunter" not in chrome.page_source
    assert complaints(chrome) == []


def test_search_and_filters_narrow_the_list_and_say_so(show: Show) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    search, shown = chrome.find_element(By.ID, "search"), chrome.find_element(By.ID, "shown")
    assert shown.text == "15 entries"
    search.send_keys("NIGHTLY  cron")
    settle(chrome)
    assert [card.find_element(By.TAG_NAME, "b").text for card in cards(chrome)] == ["schedule/retail-prices/nightly"]
    assert shown.text == "1 of 15 entries"
    search.send_keys(Keys.ESCAPE)
    settle(chrome)
    assert len(entries(chrome)) == 15
    tile = chrome.find_element(By.CSS_SELECTOR, "button.tile.update")
    tile.click()
    settle(chrome)
    assert tile.get_attribute("aria-pressed") == "true"
    assert [card.get_attribute("data-word") for card in cards(chrome)] == ["update", "update"]
    shown_lists = [heading.is_displayed() for heading in chrome.find_elements(By.TAG_NAME, "h2")]
    assert shown_lists == [True, False, True, False, False, False]


def test_a_search_can_be_handed_on_as_a_link(show: Show) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    chrome.find_element(By.ID, "search").send_keys("retail-stock")
    settle(chrome)
    assert chrome.current_url.endswith("#q=retail-stock")
    chrome.refresh()
    settle(chrome)
    assert len(cards(chrome)) == 1


def test_it_works_from_the_keyboard_alone(show: Show) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    press(chrome, "j", "j")
    focused = chrome.switch_to.active_element
    assert focused.tag_name == "summary"
    second = cards(chrome)[1]
    was_open = second.get_attribute("open")
    press(chrome, Keys.ENTER)
    assert second.get_attribute("open") != was_open
    press(chrome, "k")
    assert chrome.switch_to.active_element == cards(chrome)[0].find_element(By.TAG_NAME, "summary")
    press(chrome, "/")
    assert chrome.switch_to.active_element.get_attribute("id") == "search"


def test_fold_and_unfold_reach_every_card(show: Show) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    chrome.find_element(By.ID, "fold").click()
    assert not any(card.get_attribute("open") for card in cards(chrome))
    chrome.find_element(By.ID, "unfold").click()
    assert all(card.get_attribute("open") for card in cards(chrome))


@pytest.mark.parametrize("width", [1280, 768, 390, 320])
@pytest.mark.parametrize("page", [html.plan(PLAN, STAMP), html.plan(AWKWARD, STAMP), html.drift(DRIFT, STAMP)])
def test_nothing_is_wider_than_the_window(show: Show, page: str, width: int) -> None:
    chrome = show(page)
    look(chrome, width=width)
    chrome.find_element(By.ID, "unfold").click()
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two `rgb(…)` colours."""

    def luminance(color: str) -> float:
        parts = [int(part) / 255 for part in color[color.index("(") + 1 : -1].split(",")[:3]]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_in_both_themes(show: Show, theme: str) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    look(chrome, theme=theme)
    pairs = chrome.execute_script("""
      const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (!c.endsWith(", 0)")) return c; } return "rgb(255, 255, 255)"; };
      return [...document.querySelectorAll("main *, .top *")]
        .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .map(e => [e.tagName + "." + e.className, getComputedStyle(e).color, behind(e)]);""")
    assert len(pairs) > 100
    assert [(name, ink, paper) for name, ink, paper in pairs if contrast(ink, paper) < 4.5] == []


def test_the_theme_follows_the_system_until_somebody_chooses(show: Show) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = chrome.execute_script(paper)
    look(chrome, theme="dark")
    dark = chrome.execute_script(paper)
    assert light != dark
    toggle = chrome.find_element(By.ID, "theme")
    assert toggle.text == "Light"
    toggle.click()
    assert chrome.execute_script(paper) == light
    assert toggle.text == "Dark"


def test_it_is_read_without_its_script(show: Show) -> None:
    page = html.plan(PLAN, STAMP)
    chrome = show(page[: page.rindex("<script>")] + "</body></html>")
    assert not chrome.find_element(By.ID, "toolbar").is_displayed()
    assert "Plan: 1 to create" in chrome.find_element(By.TAG_NAME, "main").text
    folded = chrome.find_element(By.CSS_SELECTOR, ".group.unmanaged")
    chrome.execute_script("arguments[0].querySelectorAll('summary').forEach(one => one.click())", folded)
    assert "0b0d6c2e-7a53" in folded.text


def test_printing_shows_what_is_folded(show: Show) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    chrome.find_element(By.ID, "fold").click()
    chrome.execute_script("dispatchEvent(new Event('beforeprint'))")
    look(chrome, media="print")
    assert all(card.get_attribute("open") for card in cards(chrome))
    assert not chrome.find_element(By.ID, "search").is_displayed()
    look(chrome)
    chrome.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not any(card.get_attribute("open") for card in cards(chrome))


def test_a_screen_reader_finds_its_way(show: Show) -> None:
    chrome = show(html.plan(PLAN, STAMP))
    tree = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if "role" in node}
    assert ("searchbox", "Search") in named
    assert ("button", "1 delete") in named
    assert any(role == "heading" and name.startswith("Risky") for role, name in named)
    assert any(role == "DisclosureTriangle" and "delete" in name and "8f14e45f" in name for role, name in named)
    assert {"banner", "main"} <= {role for role, _ in named}
    assert not any(role == "button" and not name for role, name in named)


def large(size: int) -> Plan:
    sample = [change for change in PLAN.changes if change.address.kind == "schedule"]
    return replace(
        PLAN,
        changes=tuple(
            replace(sample[number % len(sample)], address=schedule(f"agent-{number:04d}", "nightly"))
            for number in range(size)
        ),
    )


def test_a_thousand_changes_weigh_less_than_a_megabyte() -> None:
    assert len(html.plan(large(1000), STAMP).encode()) <= 600_000


def test_an_empty_plan_is_a_page_too(show: Show) -> None:
    chrome = show(html.plan(EMPTY, STAMP))
    said = chrome.find_element(By.TAG_NAME, "main").text
    assert "No changes. 8 schedules were read and match the manifests. 1 set of input files and 2 approvals" in said
    assert "between 2026-11-01 08:00 UTC and 2026-11-22 02:30 UTC" in said
    assert complaints(chrome) == []
    chrome = show(html.drift(replace(DRIFT, findings=()), STAMP))
    assert "No drift." in chrome.find_element(By.TAG_NAME, "main").text


def test_secrets_never_reach_a_page() -> None:
    secret = replace(UPDATED, fields=(FieldChange("inputParameters.key", "hunter2", "hunter3", secret=True),))
    pages = (
        html.plan(replace(PLAN, changes=(secret, *PLAN.changes)), STAMP),
        html.apply(report_of(PLAN, [Outcome(secret, Status.FAILED)]), STAMP),
        html.drift(DRIFT, STAMP),
    )
    assert not any("hunter" in page for page in pages)
    assert "(secret)" in pages[0]
