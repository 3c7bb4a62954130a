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
from history_play import OPENING, WEIGHTS, History, failure_of, play_all
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


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(
            History(1, (*OPENING, ("protect", 0, 0), ("apply", 0, 0), ("respell", 0, 0)), True), id="respelled"
        ),
        pytest.param(History(1, (*OPENING, ("move", 0, 1))), id="moved"),
        pytest.param(History(1, (*OPENING, ("alias", 0, 0))), id="a second path"),
        pytest.param(History(1, (*OPENING, ("declare_twice", 0, 0), ("apply", 0, 0))), id="declared twice"),
        pytest.param(History(1, (*OPENING, ("remake", 0, 0), ("remake", 1, 0), ("remake", 2, 0))), id="made anew"),
        pytest.param(
            History(1, (*OPENING, ("remake", 1, 0), ("remake", 2, 0), ("alias", 0, 0), ("alias", 1, 0))),
            id="made anew, with a second path",
        ),
        pytest.param(History(1, (*OPENING, ("rename_handle", 0, 0))), id="a new handle"),
        pytest.param(History(1, (*OPENING, ("swap_handles", 0, 0))), id="handles swapped"),
        pytest.param(
            History(364, (*OPENING, ("swap_handles", 0, 0), ("apply", 0, 0), ("remake", 3, 0), ("remake", 3, 0))),
            id="handles swapped, then made anew",
        ),
        pytest.param(
            History(1, (*OPENING, ("swap_handles", 0, 0), ("apply", 0, 0), ("change_path", 0, 0))),
            id="handles swapped, then another agent",
        ),
        pytest.param(
            History(1, (*OPENING, ("rename_handle", 0, 0), ("apply", 0, 0), ("change_path", 0, 0))),
            id="a new handle, then another agent",
        ),
        pytest.param(History(1, (*OPENING, ("rename_schedule", 0, 0))), id="a new name"),
        pytest.param(History(1, (*OPENING, ("change_path", 0, 0))), id="another agent"),
        pytest.param(
            History(1, (*OPENING, ("change_path", 0, 0), ("add_document", 0, 0))),
            id="another agent, and a new document for the former",
        ),
        pytest.param(
            History(
                1,
                (
                    ("add_document", 0, 3),
                    ("apply", 0, 0),
                    ("rename_schedule", 0, 1),
                    ("apply", 0, 0),
                    ("add_schedule", 0, 1),
                    ("add_schedule", 0, 5),
                    ("apply", 0, 0),
                    ("remove_schedule", 2, 0),
                ),
            ),
            id="an old movedFrom",
        ),
        pytest.param(
            History(
                24, (("ignore_ids", 0, 0), ("add_document", 3, 1), ("apply", 0, 0), ("adopt", 0, 5), ("apply", 0, 0))
            ),
            id="a schedule of the server's own id, declared elsewhere",
        ),
        pytest.param(
            History(
                1,
                (
                    ("ignore_ids", 0, 0),
                    ("add_document", 0, 1),
                    ("apply", 0, 0),
                    ("remove_schedule", 0, 0),
                    ("apply", 0, 0),
                    ("add_schedule", 0, 0),
                    ("apply", 0, 0),
                    ("apply", 0, 0),
                ),
            ),
            id="a schedule of the server's own id, whose block is gone",
        ),
    ],
)
def test_what_histories_found_stays_mended(history: History, zygote: Zygote) -> None:
    assert failure_of(history, zygote) == ""
