"""Opening large pages in a real browser, against opening small ones of the same sort."""

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
const search = document.querySelector("[type=search]");
const began = performance.now();
search.value = text;
search.dispatchEvent(new Event("input", {bubbles: true}));
requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
"""


_HOUR_OPENED = """
const [number, done] = arguments;
const began = performance.now();
document.querySelector('.hours').children[Number(number)].children[4].click();
requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
"""


def browse(shop: Workshop) -> Iterator[Result]:
    """5 000 changes and 25: until all is loaded and painted, and until a search shows what it found."""
    changes = f"page of a plan of {5 * shop.size(1000)} changes"
    yield from _opened(shop, "browse", changes, ["plan"], ("search", _SEARCHED, "agent-00003 prices"))


def browse_calendar(shop: Workshop) -> Iterator[Result]:
    """5 000 schedules and 25: until all is loaded and painted, and until an hour says what starts in it."""
    schedules = f"calendar of {5 * shop.size(1000)} schedules"
    command = ["calendar", "--source", "desired"]
    yield from _opened(shop, "browse-calendar", schedules, command, ("an hour opened", _HOUR_OPENED, "3"))


def browse_site(shop: Workshop) -> Iterator[Result]:
    """The overview of a site of 5 000 schedules and 25: until all is loaded and painted, and until a search shows."""
    schedules = f"overview of a site of {5 * shop.size(1000)} schedules"
    yield from _opened(shop, "browse-site", schedules, ["report"], ("search", _SEARCHED, "agent-00003"))


def browse_runs(shop: Workshop) -> Iterator[Result]:
    """The pages of an apply of 5 000 changes, of the status after it, and of the history that tells of it."""
    many = 5 * shop.size(1000)
    for name, what in (
        ("apply", f"page of an apply of {many} changes"),
        ("status", f"status of {many} schedules"),
        ("history", f"history of a run of {many} changes"),
    ):
        yield from _opened(shop, f"browse-{name}", what, [name], ("search", _SEARCHED, "agent-00003"))


def _opened(shop: Workshop, name: str, what: str, command: list[str], asked: tuple[str, str, str]) -> Iterator[Result]:
    """Open the page that a command makes of a large estate, and of a small one; `asked` is done on the large one."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        print(f"{name}: not measured, there is no chromium", flush=True)
        return
    large, small = (_page(shop, agents, command) for agents in (shop.size(1000), 5))
    opened: dict[Path, list[float]] = {large: [], small: []}
    painted, answered = [], []
    action, script, argument = asked
    with _browser() as chrome:
        for turn in range(shop.runs + 1):
            for page, times in opened.items():
                chrome.get(page.as_uri())
                loaded, first = chrome.execute_async_script(_OPENED)
                if turn:
                    times.append(loaded / 1000)
                if turn and page is large:
                    painted.append(first / 1000)
                    answered.append(chrome.execute_async_script(script, argument) / 1000)
    seconds, floor = (statistics.median(opened[page]) for page in (large, small))
    behind = {
        "loaded s": seconds,
        "small s": floor,
        "first paint s": statistics.median(painted),
        f"{action} s": statistics.median(answered),
    }
    yield Result(name, f"{what} in Chromium, loaded and painted", seconds, 1.0, " s", behind=behind)
    yield Result(f"{name}-growth", f"{what}, to one of 25", seconds / floor, 10.0)


def _page(shop: Workshop, agents: int, command: list[str]) -> Path:
    estate = Estate(f"bench-browse-{command[0]}-{agents}", agents, movable=5)
    state = write_state(shop.folder / f"{estate.name}.json", estate)
    page = shop.folder / f"{estate.name}.html"
    with emulator(shop.folder, state) as url:
        project = estate.write_project(shop.folder / estate.name, url)
        estate.write_project_file(project, url, second=7)
        if command == ["report"]:
            Program([*RECONCILER, "report", "--out", str(page.with_suffix(""))], project).run_and_read()
            return page.with_suffix("") / "index.html"
        if command[0] in ("apply", "history"):
            apply = [*RECONCILER, "apply", "--auto-approve", "--html", str(page.absolute())]
            Program(apply, project).run_and_read()
        if command == ["apply"]:
            return page
        _, said = Program([*RECONCILER, *command, "--format", "html"], project).run_and_read()
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
