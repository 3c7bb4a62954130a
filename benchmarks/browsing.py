"""Opening the page of a large plan in a real browser, against opening that of a small one."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from benchmarks.emulation import emulator
from benchmarks.estate import Estate, write_state
from benchmarks.goals import Result
from benchmarks.processes import RECONCILER, Program
from benchmarks.workshop import Workshop

_OPENED = """
const done = arguments[0];
requestAnimationFrame(() => setTimeout(() => {
  const [navigation] = performance.getEntriesByType("navigation");
  const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
  done([Math.max(painted, navigation.loadEventEnd), painted]);
}, 50));
"""
_SEARCHED = """
const [text, done] = arguments;
const search = document.getElementById("search");
const began = performance.now();
search.value = text;
search.dispatchEvent(new Event("input"));
requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
"""


def browse(shop: Workshop) -> Iterator[Result]:
    """5 000 changes and 25: until all is loaded and painted, and until a search shows what it found."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print("browse: not measured, there is no chromium", flush=True)
        return
    large, small = (_page(shop, agents) for agents in (shop.size(1000), 5))
    opened: dict[Path, list[float]] = {large: [], small: []}
    painted, searched = [], []
    with _browser() as chrome:
        for turn in range(shop.runs + 1):
            for page, times in opened.items():
                chrome.get(page.as_uri())
                loaded, first = chrome.execute_async_script(_OPENED)
                if turn:
                    times.append(loaded / 1000)
                if turn and page is large:
                    painted.append(first / 1000)
                    searched.append(chrome.execute_async_script(_SEARCHED, "agent-00003 prices") / 1000)
    seconds, floor = (statistics.median(opened[page]) for page in (large, small))
    behind = {
        "loaded s": seconds,
        "small s": floor,
        "first paint s": statistics.median(painted),
        "search s": statistics.median(searched),
    }
    changes = f"page of a plan of {5 * shop.size(1000)} changes"
    yield Result("browse", f"{changes} in Chromium, loaded and painted", seconds, 1.0, " s", behind=behind)
    yield Result("browse-growth", f"{changes}, to one of 25", seconds / floor, 10.0)


def _page(shop: Workshop, agents: int) -> Path:
    estate = Estate(f"bench-browse-{agents}", agents, movable=5)
    state = write_state(shop.folder / f"{estate.name}.json", estate)
    page = shop.folder / f"{estate.name}.html"
    with emulator(shop.folder, state) as url:
        project = estate.write_project(shop.folder / estate.name, url)
        estate.write_project_file(project, url, second=7)
        _, said = Program([*RECONCILER, "plan", "--format", "html"], project).run_and_read()
        page.write_text(said[said.index("<!doctype") :], encoding="utf-8")
    return page


@contextmanager
def _browser() -> Iterator[Any]:
    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    chrome = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield chrome
    finally:
        chrome.quit()
