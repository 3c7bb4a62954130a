"""Emulators that a test can start; they stop when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from emulated import Client, Clock, Start, small_estate

from reconciler.emulator import Emulator, Estate


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(clock: Clock) -> Iterator[Start]:
    """Start emulators of one's own making; they are stopped afterwards."""
    with ExitStack() as stack:

        def run(estate: Estate | None = None, **settings: Any) -> Client:
            settings.setdefault("clock", clock)
            emulator = stack.enter_context(Emulator(estate or small_estate(), **settings))
            return Client(emulator, stack.enter_context(requests.Session()))

        yield run


@pytest.fixture
def acc(start: Start) -> Client:
    """The small estate, behaving as documented."""
    return start()
