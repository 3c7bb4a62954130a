"""How long runs take, out of whatever ACC's histories hold."""

from __future__ import annotations

from reconciler.calendar.run_durations import Durations, took_by_schedule
from reconciler.clients.replies import AgentRun, read_run

ID = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
OTHER = "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95"


def run(
    begin: str | None, end: str | None, *, number: int | None = 0, schedule: str | None = ID, status: int = 4
) -> AgentRun:
    return read_run(
        {
            "agentRunHistoryId": "a2f22850-7c88-4e05-a30a-004aa980ee6c",
            "agentJobScheduleId": schedule,
            "runId": number,
            "startTime": begin,
            "endTime": end,
            "status": status,
        }
    )


def at(minute: int, second: int = 0) -> str:
    return f"2026-05-01T02:{minute:02}:{second:02}.3020127+10:00"


def test_the_median_of_finished_runs() -> None:
    runs = [run(at(0), at(10)), run(at(20), at(22)), run(at(30), at(34))]
    assert took_by_schedule(runs) == {"": 240, ID: 240}


def test_sessions_of_one_job_run_are_one_run() -> None:
    runs = [run(at(0), at(10), number=7), run(at(1), at(15), number=7), run(at(2), at(9), number=7)]
    assert took_by_schedule(runs) == {"": 900, ID: 900}


def test_runs_without_a_job_stay_apart() -> None:
    runs = [run(at(0), at(1), number=0), run(at(50), at(51), number=0), run(at(30), at(31), number=None)]
    assert took_by_schedule(runs) == {"": 60, ID: 60}


def test_what_cannot_be_told_is_left_out() -> None:
    runs = [
        run(at(0), None),
        run(None, at(5)),
        run("soon", at(5)),
        run(at(10), at(5)),
        run("0001-01-01T00:00:00", at(5)),
        run("2026-05-01T02:00:00", at(5)),
        run(at(0), at(5), status=2),
        run("2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z"),
    ]
    assert took_by_schedule(runs) == {}


def test_a_schedule_that_never_ran_is_taken_for_as_long_as_its_agent() -> None:
    took = took_by_schedule([run(at(0), at(10)), run(at(20), at(22), schedule=None)])
    known = Durations({("a", identity): seconds for identity, seconds in took.items()})
    assert (known.of("a", ID), known.of("a", OTHER), known.of("b", ID)) == (600, 360, None)


def test_no_run_takes_nothing_at_all() -> None:
    assert took_by_schedule([run(at(0), at(0))]) == {"": 1, ID: 1}
