"""Generated histories of moves, renames, hand edits, losses, faults and kills: the promises hold in each of them.

`make histories` plays 2 400 of them; `HISTORIES` and `HISTORIES_FROM` choose the seeds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
sys.path.insert(0, str(Path(__file__).parents[1] / "kill"))
from history_play import WEIGHTS, play_all
from kill_processes import Zygote

COUNT = int(os.environ.get("HISTORIES", "200"))
FIRST = int(os.environ.get("HISTORIES_FROM", "0"))
TOGETHER = 20


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    made = Zygote()
    yield made
    made.close()


@pytest.mark.generated
@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, TOGETHER))
def test_the_promises_hold_in_every_history(
    first: int, zygote: Zygote, record_count: Callable[[str, int], None]
) -> None:
    counted, failures = play_all(range(first, min(first + TOGETHER, FIRST + COUNT)), zygote)
    for name in ("histories", "faults", "kills", *WEIGHTS):
        record_count(f"histories, steps: {name}" if name in WEIGHTS else name, counted[name])
    assert not failures, "\n\n".join(failures)
