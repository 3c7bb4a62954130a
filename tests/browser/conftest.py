"""A real headless Chromium, as Debian packages it (`chromium`, `chromium-driver`). Set-ups without one must say so."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_window import Faultless, Show, look
from node_packages import INSTALLED, PACKAGES
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

sys.path.append(str(Path(__file__).parents[1] / "render"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    if os.environ.get("RECONCILER_NO_BROWSER"):
        pytest.skip("RECONCILER_NO_BROWSER is set: WHAT THE PAGES SHOW, AND THAT NO SCRIPT GETS IN, IS NOT CHECKED")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.fail("no chromium or chromedriver: apt-get install chromium chromium-driver, or RECONCILER_NO_BROWSER=1")
    options = ChromeOptions()
    options.binary_location = program
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Show:
    """Open a page from a file, as a person would, at desktop size in the light theme."""

    def opened(page: str) -> Chrome:
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        look(browser)
        browser.get(path.as_uri())
        browser.execute_script("try { localStorage.clear() } catch {}")
        return browser

    return opened


@pytest.fixture(scope="session")
def faultless() -> Faultless:
    """Hold the page, as it is shown now, against axe: every fault it finds fails the test, with where it is."""
    if os.environ.get("RECONCILER_NO_NODE_PACKAGES"):
        pytest.skip("RECONCILER_NO_NODE_PACKAGES is set: WHETHER EVERYBODY CAN READ THE PAGES IS NOT CHECKED")
    if not INSTALLED.exists():
        pytest.fail("no axe-core: run tests/provide-node-packages.sh")
    axe = (PACKAGES / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

    def judge(chrome: Chrome) -> None:
        if not chrome.execute_script("return Boolean(window.axe)"):
            chrome.execute_script(axe)
        found = chrome.execute_async_script("""
            const done = arguments[0];
            const told = (node) => `${node.html.slice(0, 200)} | ${node.failureSummary}`;
            // What is out of sight has no place yet, and axe would look for its background in another element's.
            const laidOut = new CSSStyleSheet();
            laidOut.replaceSync("* { content-visibility: visible !important }");
            document.adoptedStyleSheets = [laidOut];
            axe.run(document, {resultTypes: ["violations"]})
              .then((all) => done(all.violations.map((one) => [one.id, one.help, one.nodes.slice(0, 5).map(told)])))
              .catch((error) => done(String(error)));""")
        assert found == []

    return judge
