"""What all tests share: the same generated cases each time, and the counts that tests of reliability leave behind.

`make test` draws the same cases every time, so that a failure is there again tomorrow; `make explore` draws new ones.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable

import pytest
from clocks import BEGIN
from hypothesis import is_hypothesis_test, settings

import reconciler.kinds.registry  # noqa: F401 - whatever a test begins with, the kinds are known

CountOf = Callable[[str, int], None]

_COUNT = "count: "
_counts: dict[str, dict[str, int]] = defaultdict(dict)

# What an exploration finds is printed, and becomes an `@example`: a database would make it this machine's alone.
settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True, deadline=None)
settings.register_profile("explore", derandomize=False, database=None, print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in an order that this number decides")
    parser.addoption("--one-in", type=int, metavar="N", default=1, help="run every Nth test of that order")


def pytest_report_header(config: pytest.Config) -> list[str]:
    seed = config.getoption("shuffle")
    order = "as written" if seed is None else f"shuffled, --shuffle {seed} gives it again"
    return [f"tests begin at {BEGIN.isoformat()}, on clocks of {os.environ.get('TZ', 'the machine')}; order: {order}"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what draws its cases, for `make explore`; and let no test lean on the one before it.

    A plugin for the order would give every test the same random numbers as well, which hides what we look for.
    """
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("generated")
    seed = config.getoption("shuffle")
    if seed is not None:
        random.Random(seed).shuffle(items)
    step = config.getoption("one_in")
    if step > 1:
        left_out = [item for number, item in enumerate(items) if number % step]
        items[:] = items[::step]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def record_count(request: pytest.FixtureRequest) -> CountOf:
    """Add to a count that the end of the run shows: `record_count("kills", 40)`. Names are plural nouns."""

    def record(name: str, number: int) -> None:
        request.node.user_properties.append((_COUNT + name, number))

    return record


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the counts where all reports arrive, also those of other processes."""
    if report.when == "teardown":
        for name, number in report.user_properties:
            if name.startswith(_COUNT) and isinstance(number, int):
                counted = _counts[name.removeprefix(_COUNT)]
                counted[report.nodeid] = counted.get(report.nodeid, 0) + number


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _counts:
        terminalreporter.section("counted")
    for name, counted in sorted(_counts.items()):
        tests = "1 test" if len(counted) == 1 else f"{len(counted)} tests"
        terminalreporter.write_line(f"{name}: {sum(counted.values()):,} in {tests}")
