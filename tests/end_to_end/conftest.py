"""A project and both products, for each test its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from stage import Open, Stage, opened

from reconciler.clients import calls, mft, transport


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    yield from opened(tmp_path)


@pytest.fixture
def open_stage(tmp_path: Path) -> Iterator[Open]:
    """Open stages with settings of one's own; each call is another project against another emulator."""
    with ExitStack() as stack:
        count = 0

        def make(**settings: Any) -> Stage:
            nonlocal count
            count += 1
            return stack.enter_context(contextmanager(opened)(tmp_path / str(count), **settings))

        yield make


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts take no time; what is repeated, and how often, stays as it is."""
    at_once = partial(calls.RetryPolicy, first_wait=0.0, longest_wait=0.0, throttled_wait=0.0)
    for module in (calls, transport):
        monkeypatch.setattr(module, "RetryPolicy", at_once)
    monkeypatch.setattr(mft, "RETRY_POLICY", at_once(throttled_tries=3))
