"""What all pages share: navigation, links by address, style and script served or from a disk; all can read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from browser_window import Faultless, Show, look
from render_reports import report_of
from render_samples import DRIFT, OUTCOMES, PLAN, STAMP
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from reconciler.render import html
from reconciler.render.html import Links, NavItem, Repository, asset_files

SITE = Links(
    nav=(NavItem("Overview", "index.html"), NavItem("Plan", "plan.html", is_current=True)),
    assets="assets/",
    repository=Repository.of("git@github.com:shop/estate.git", "4f2c9a1b" * 5),
)
PAGES: dict[str, Callable[[Links], str]] = {
    "plan": lambda links: html.plan(PLAN, STAMP, links),
    "drift": lambda links: html.drift(DRIFT, STAMP, links),
    "apply": lambda links: html.apply(report_of(PLAN, OUTCOMES), STAMP, links),
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    for name, content in asset_files().items():
        (tmp_path / "assets" / name).write_text(content, encoding="utf-8")
    for name, page in PAGES.items():
        (tmp_path / f"{name}.html").write_text(page(SITE), encoding="utf-8")
    return tmp_path


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def complaints(chrome: Chrome) -> list[str]:
    return [one["message"] for one in chrome.get_log("browser") if "favicon" not in one["message"]]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("is_served", [False, True], ids=["from-a-disk", "served"])
def test_pages_of_a_site_share_their_style_and_script(
    browser: Chrome, site: Path, served: str, is_served: bool
) -> None:
    look(browser)
    for name in PAGES:
        browser.get(f"{served}/{name}.html" if is_served else (site / f"{name}.html").as_uri())
        assert browser.execute_script("return getComputedStyle(document.querySelector('.tile')).borderRadius") == "12px"
        assert browser.find_element(By.ID, "toolbar").is_displayed()
        assert complaints(browser) == []
        assert "<style" not in browser.page_source


def test_a_site_of_pages_lets_no_script_of_the_page_itself_run(browser: Chrome, site: Path, served: str) -> None:
    page = site / "plan.html"
    page.write_text(page.read_text().replace("</main>", "<script>window.pwned=1</script></main>"), encoding="utf-8")
    browser.get(f"{served}/plan.html")
    assert browser.execute_script("return window.pwned") is None
    assert len(complaints(browser)) == 1


def test_the_header_names_the_pages_and_the_footer_who_made_it(show: Show) -> None:
    chrome = show(PAGES["plan"](Links(nav=SITE.nav, repository=SITE.repository)))
    pages = chrome.find_elements(By.CSS_SELECTOR, "nav a")
    assert [(page.text, page.get_attribute("aria-current")) for page in pages] == [("Overview", None), ("Plan", "page")]
    foot = chrome.find_element(By.TAG_NAME, "footer")
    assert foot.text == "Made by reconciler 1.2.3 · 22 November 2026, 20:45 UTC · commit 4f2c9a1b4f2c"
    assert foot.find_element(By.TAG_NAME, "a").get_attribute("href") == SITE.repository.commit_url
    place = chrome.find_element(By.PARTIAL_LINK_TEXT, "manifests/retail.yaml:24")
    assert str(place.get_attribute("href")).endswith("/manifests/retail.yaml#L24")
    assert not show(PAGES["plan"](Links())).find_elements(By.TAG_NAME, "nav")


@pytest.mark.parametrize("page", PAGES)
def test_everybody_can_read_it(show: Show, faultless: Faultless, page: str) -> None:
    chrome = show(PAGES[page](Links(nav=SITE.nav, repository=SITE.repository)))
    for width in (1280, 390):
        for theme in ("light", "dark"):
            look(chrome, width=width, theme=theme)
            chrome.find_element(By.ID, "unfold").click()
            faultless(chrome)


def test_a_page_that_not_everybody_can_read_is_told_of(show: Show, faultless: Faultless) -> None:
    chrome = show(PAGES["plan"](Links()))
    chrome.execute_script("document.querySelector('h1').style.color = '#bbb'")
    with pytest.raises(AssertionError, match="color-contrast"):
        faultless(chrome)


def test_a_link_to_an_address_unfolds_it_and_scrolls_there(show: Show, tmp_path: Path) -> None:
    show(PAGES["plan"](Links()))
    chrome = show(PAGES["plan"](Links()))
    chrome.find_element(By.ID, "fold").click()
    chrome.find_element(By.ID, "search").send_keys("nothing has this name")
    chrome.execute_script("location.hash = 'schedule/retail-reviews/weekly'")
    chrome.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    meant = chrome.find_element(By.ID, "schedule/retail-reviews/weekly")
    assert meant.get_attribute("open") is not None
    assert chrome.execute_script(
        "const b = arguments[0].getBoundingClientRect(); return b.top >= 0 && b.top < 900", meant
    )
