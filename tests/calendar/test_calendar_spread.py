"""The spread: the same each time, nothing left to do once it was followed, and never another day or frequency."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from calendar_samples import AS_OF, job
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import timetable
from reconciler.calendar.job_starts import Job, JobStarts, Window
from reconciler.calendar.load import load_of
from reconciler.calendar.spread import (
    Proposal,
    Spread,
    SpreadOptions,
    room_of,
    shifted_cron,
    shifted_start,
    spread,
)
from reconciler.clock import Clock
from reconciler.model.copies import replace
from reconciler.selection import Selection
from reconciler.workflow.context import CommandContext
from reconciler.workflow.forecasting import propose_spread

WINDOW = Window(1767225600, 1767225600 + 3 * 86400)
rhythms = st.sampled_from(
    [
        *("0 0 2 * * *", "0 0 2 * * MON-FRI", "0 */15 * * * *", "0 5/20 8-18 * * ?", "0 0,30 * * * *", "0 0 * * * *"),
        *("30 0 2 * * *", "0 * * * * *", "0 0-5 2 * * *", "15m", "6h", "1d", "30s", "0 7 2 * * *"),
    ]
)


@st.composite
def estates(draw: st.DrawFn) -> list[Job]:
    drawn = draw(st.lists(st.tuples(rhythms, st.integers(1, 12)), min_size=1, max_size=4))
    chosen = [rhythm for rhythm, count in drawn for _ in range(count)]
    return [job(f"schedule/a{n}/s", rhythm, zone="UTC", start="2026-01-01T00:10:00") for n, rhythm in enumerate(chosen)]


def followed(jobs: Iterable[Job], found: Spread) -> list[Job]:
    """The jobs as they are once the proposal was taken."""
    moved = []
    for each in jobs:
        shift = found.shifts.get(each.address, 0)
        timing = each.timing
        if shift and timing.expression.is_interval:
            timing = replace(timing, start=timing.start + timedelta(minutes=shift))
        elif shift:
            timing = replace(timing, expression=timetable.parse(shifted_cron(timing.expression.text, shift)))
        moved.append(replace(each, timing=timing))
    return moved


def biggest(jobs: Iterable[Job]) -> int:
    return max((len(group.members) for group in load_of(JobStarts(jobs, WINDOW), threshold=2).simultaneous), default=1)


@settings(deadline=None, max_examples=80)
@given(estates(), st.integers(2, 12), st.sampled_from([2, 5, 10, 30, 60]), st.randoms(use_true_random=False))
def test_a_spread_is_deterministic_idempotent_and_of_use(jobs: list[Job], threshold: int, minutes: int, chance) -> None:  # type: ignore[no-untyped-def]
    found = spread(jobs, WINDOW, threshold=threshold, minutes=minutes)
    shuffled = list(jobs)
    chance.shuffle(shuffled)
    assert spread(shuffled, WINDOW, threshold=threshold, minutes=minutes) == found
    after = followed(jobs, found)
    assert spread(after, WINDOW, threshold=threshold, minutes=minutes).shifts == {}
    assert biggest(after) <= biggest(jobs)
    assert max(found.most_after, 1) == biggest(after)


@settings(deadline=None, max_examples=40)
@given(estates(), st.sampled_from([2, 10, 30, 60]))
def test_a_spread_keeps_hour_day_and_frequency(jobs: list[Job], minutes: int) -> None:
    found = spread(jobs, WINDOW, threshold=2, minutes=minutes)
    for before, after in zip(jobs, followed(jobs, found), strict=True):
        one, two = before.timing.expression, after.timing.expression
        assert timetable.runs_per_day(one) == timetable.runs_per_day(two)
        if not one.is_interval:
            assert (one.seconds, one.hours, one.days.meaning) == (two.seconds, two.hours, two.days.meaning)
        else:
            assert (before.timing.start.date(), before.timing.start.hour) == (
                after.timing.start.date(),
                after.timing.start.hour,
            )
        assert abs(found.shifts.get(before.address, 0)) < minutes


def test_the_most_simultaneous_starts_shrink_to_what_the_window_allows() -> None:
    jobs = [job(f"schedule/a{n}/nightly", "0 0 2 * * *", zone="UTC") for n in range(60)]
    found = spread(jobs, WINDOW, threshold=10, minutes=30)
    assert (found.most_before, found.most_after) == (60, 2)
    minutes = Counter(found.shifts.get(each.address, 0) for each in jobs)
    assert set(minutes) == set(range(30)) and set(minutes.values()) == {2}


def test_who_is_in_no_simultaneous_start_stays() -> None:
    jobs = [job(f"schedule/a{n}/nightly", "0 0 2 * * *", zone="UTC") for n in range(9)]
    assert spread(jobs, WINDOW, threshold=10, minutes=30).shifts == {}


def test_who_is_fixed_stays_and_counts() -> None:
    jobs = [job(f"schedule/a{n}/nightly", "0 0 2 * * *", zone="UTC") for n in range(12)]
    found = spread(jobs, WINDOW, threshold=10, minutes=30, fixed=frozenset(each.address for each in jobs[:6]))
    assert set(found.shifts) == {each.address for each in jobs[6:]}
    assert found.most_after == 6


@pytest.mark.parametrize(
    ("text", "shift", "expected"),
    [
        ("0 0 2 * * *", 7, "0 7 2 * * *"),
        ("0   0  2 * * mon-fri", 7, "0   7  2 * * mon-fri"),
        ("0 */15 * * * *", 4, "0 4/15 * * * *"),
        ("0 5/20 * * * *", -5, "0 0/20 * * * *"),
        ("0 0,30 * * * *", 9, "0 9,39 * * * *"),
    ],
)
def test_only_the_minute_is_written_anew(text: str, shift: int, expected: str) -> None:
    assert shifted_cron(text, shift) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T02:10:00", "2026-01-01T02:13:00"),
        ("2026-01-01 02:10:00", "2026-01-01 02:13:00"),
        ("2026-01-01T02:10", "2026-01-01T02:13"),
    ],
)
def test_a_start_keeps_its_form(text: str, expected: str) -> None:
    assert shifted_start(text, datetime(2026, 1, 1, 2, 10), 3) == expected


def test_a_start_without_a_time_gets_one() -> None:
    assert shifted_start("2026-01-01", datetime(2026, 1, 1), 3) == "2026-01-01T00:03:00"


@pytest.mark.parametrize("rhythm", ["0 * * * * *", "0 0-30 2 * * *", "0 */7 * * * *", "30s", "1m"])
def test_what_cannot_move_without_changing_has_no_room(rhythm: str) -> None:
    assert room_of(job("schedule/a/b", rhythm).timing, 30) is None


# --- the patch -------------------------------------------------------------------------------------------------------

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: retail-data}
spec:
  connections:
    acc: {url: "http://127.0.0.1:9", token: none}
  variables: {when: "0 0 2 * * *"}
"""
AGENTS = """\
# who runs at night
apiVersion: reconciler/v1
kind: Agent
metadata: {name: a%(n)d}
spec:
  path: sequentum/a%(n)d
  schedules:
    # after the close of business
    - name: nightly
      startTime: 2026-01-01T00:00:00   # a Thursday
      cron: "0 0 2 * * *"              # two o'clock
      timeZone: UTC
    - {name: hourly, every: 6h, startTime: 2026-01-01 00:00, timeZone: UTC}
"""


def project(folder: Path, count: int = 12, *, more: str = "", end: str = "\n") -> CommandContext:
    (folder / "manifests").mkdir(parents=True)
    (folder / "reconciler.yaml").write_text(PROJECT)
    text = "---\n".join(AGENTS % {"n": n} for n in range(count)) + more
    (folder / "manifests" / "all.yaml").write_bytes(text.replace("\n", end).encode())
    return CommandContext(folder, None, {}, clock=Clock(AS_OF))


def proposal(context: CommandContext, *, threshold: int = 10, selection: Selection | None = None) -> Proposal:
    return propose_spread(context, selection or Selection(), SpreadOptions(threshold=threshold))


def git(folder: Path, *words: str, given: str = "") -> None:
    subprocess.run(["git", "-C", str(folder), *words], input=given.encode(), check=True, capture_output=True)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("inside", ["", "estate/retail"])
def test_git_applies_the_patch_and_then_nothing_is_left(tmp_path: Path, end: str, inside: str) -> None:
    context = project(tmp_path / inside, end=end)
    git(tmp_path, "init", "-q")
    file = context.root / "manifests" / "all.yaml"
    before = file.read_bytes().decode()
    found = proposal(context)
    assert file.read_bytes().decode() == before
    git(tmp_path, "apply", given=found.patch)
    after = file.read_bytes().decode()
    assert len(after.split("\n")) == len(before.split("\n"))
    assert re.sub(r"0 \d+ 2 \* \* \*|(00|T00):\d\d", "", after) == re.sub(r"0 \d+ 2 \* \* \*|(00|T00):\d\d", "", before)
    assert proposal(context).patch == ""


def test_a_file_without_a_last_line_end_keeps_it_so(tmp_path: Path) -> None:
    context = project(tmp_path)
    file = tmp_path / "manifests" / "all.yaml"
    file.write_text(file.read_text().rstrip("\n"))
    git(tmp_path, "init", "-q")
    git(tmp_path, "apply", given=proposal(context).patch)
    assert not file.read_text().endswith("\n")
    assert proposal(context).patch == ""


def test_what_is_put_together_or_shared_is_named_and_left(tmp_path: Path) -> None:
    more = """\
---
apiVersion: reconciler/v1
kind: Agent
metadata: {name: odd}
spec:
  path: sequentum/odd
  schedules:
    - name: variable
      cron: ${var:when}
      startTime: 2026-01-01T00:00:00
      timeZone: UTC
    - &first
      name: anchored
      cron: &two 0 0 2 * * *
      startTime: 2026-01-01T00:00:00
      timeZone: UTC
    - name: shared
      cron: *two
      startTime: 2026-01-01T00:00:00
      timeZone: UTC
"""
    context = project(tmp_path, more=more)
    found = proposal(context)
    left = {note.split(" ")[0] for note in found.notes}
    assert left == {"schedule/odd/variable", "schedule/odd/anchored"}
    assert "variables" in "".join(found.notes) and "anchor" in "".join(found.notes)
    assert "&two" not in "".join(line for line in found.patch.splitlines() if line.startswith(("+", "-")))
    assert "-      cron: *two\n+      cron: " in found.patch


def test_selected_schedules_alone_are_moved(tmp_path: Path) -> None:
    context = project(tmp_path)
    found = proposal(context, selection=Selection(only=("schedule/*/nightly",)))
    changed = [line for line in found.patch.splitlines() if line.startswith("+ ")]
    assert changed and all("cron" in line for line in changed)


def test_nothing_to_spread_is_said(tmp_path: Path) -> None:
    found = proposal(project(tmp_path, count=3))
    assert found.patch == ""
    assert found.summary == (
        "nothing to spread: at most 3 schedules start in the same second; "
        "10 and more are moved where a better minute is free"
    )
