"""Whatever turns out to be true of what is unknown about the products: what was applied stays applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import HAND_MADE, NIGHTLY, POLL, PRICES, Stage, agent, as_bytes, estate, task_trigger

from reconciler.emulator import Switches

Open = Callable[..., Stage]

NO_PROMISE = {
    "ignore_new_ids": "a server that makes ids of its own is reported, and tested apart",
    "silently_ignore_writes": "nothing can be applied there",
    "mangle_field": "what reads back differently is reported",
    "unauthorised": "replies to a bad token",
    "retry_after": "waiting, tested with the transport",
    "error_body": "replies to errors",
    "licence_exhausted": "a refusal",
    "missing_agent": "an agent that is not there",
    "empty_list": "an answer that is no list is never taken for an empty one",
}
CHOICES = [
    (entry.name, choice)
    for entry in fields(Switches)
    if entry.name not in NO_PROMISE
    for choice in entry.metadata["choices"]
    if choice != entry.metadata["choices"][0]
]
PARAMETERS = (
    '      inputParameters: {zeta: "1", alpha: "Zürich", Mixed: "TRUE"}\n      sessionId: 1-5/5\n      logLevel: high\n'
)
EVERYTHING = (
    agent(
        NIGHTLY + PARAMETERS,
        POLL + "      enabled: false\n",
        POLL.replace("poll", "daily").replace("15m", "1d"),
        POLL.replace("poll", "hourly").replace("every: 15m", 'cron: "0 0 1 0"'),
        extra="  approval: {state: approved}\n  inputFiles:\n    - file: urls.csv\n",
    )
    + "---\n"
    + agent(NIGHTLY, name="stock")
    + "---\n"
    + task_trigger(extra="  wait: {timeout: 20s, interval: 1s}\n")
)


@pytest.mark.parametrize(("name", "choice"), CHOICES, ids=[f"{name}={choice}" for name, choice in CHOICES])
def test_apply_then_plan_is_empty_whatever_is_true(open_stage: Open, name: str, choice: str) -> None:
    stage = open_stage(switches=[f"{name}={choice}"])
    (stage.root / "manifests" / "urls.csv").write_bytes(b"url\n")
    before = stage.hand_made()
    if name == "task_run_status":
        assert stage.estate.tenant is not None
        stage.estate.tenant.tasks["02115928-16fe-4493-949b-d77d302a88ee"].duration = 2.0
    stage.write(EVERYTHING)
    ended = stage.apply()
    assert ended.code == 0, ended.err
    assert len(stage.owned()) == 5
    plan = stage.run("plan", "--detailed-exitcode")
    assert plan.code == 0, plan.out
    assert stage.run("drift").code == 0
    stage.write(EVERYTHING.replace("0 0 2 * *", "0 0 3 * *").replace("enabled: false", "enabled: true"))
    assert {action for _, action, _ in stage.changes()} == {"update", "enable"}
    assert stage.apply().code == 0
    assert stage.run("plan", "--detailed-exitcode").code == 0
    stage.write(agent(NIGHTLY, name="stock"))
    assert stage.apply("--max-deletes", "10").code == 0
    assert len(stage.owned()) == 1
    assert stage.starts() == 1
    held = dict(stage.hand_made())
    if name == "roll_start_time":
        held.pop("start_time"), dict(before).pop("start_time")
        assert {**held, "start_time": None} == {**before, "start_time": None}
    else:
        assert held == before


def test_every_switch_is_accounted_for() -> None:
    """A new unknown has to be tried here, or it has to be said why not."""
    assert {name for name, _ in CHOICES} | set(NO_PROMISE) == {entry.name for entry in fields(Switches)}


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        (
            "lower-parameters",
            'inputParameters.Mixed: "TRUE" was sent, nothing came back; inputParameters.alpha: "Zürich"',
        ),
        ("drop-parameters", 'inputParameters.zeta: "1" was sent, nothing came back'),
        ("truncate-session", 'sessionId: "1-5/5" was sent, "1-" came back'),
        ("log-level", "logLevel: 3 was sent, 0 came back"),
    ],
)
def test_a_server_that_spoils_a_field_is_reported_and_not_fought(open_stage: Open, spoiled: str, told: str) -> None:
    stage = open_stage(switches=[f"mangle_field={spoiled}"])
    stage.write(agent(NIGHTLY + PARAMETERS))
    ended = stage.apply("--format", "json")
    assert ended.code == 8
    (outcome,) = ended.document["outcomes"]
    assert outcome["status"] == "unverified"
    assert outcome["detail"].startswith("reading back shows something else: ")
    assert told in outcome["detail"]
    assert stage.run("plan", "--detailed-exitcode").code == 2


@pytest.mark.parametrize("reply", ["404", "403", "null"])
def test_a_missing_agent_is_unreadable_and_never_empty(open_stage: Open, reply: str) -> None:
    stage = open_stage(switches=[f"missing_agent={reply}"])
    stage.write(agent(NIGHTLY, name="nowhere"))
    plan = stage.run("plan", "--format", "json")
    assert plan.code == 1
    assert [one["reason"] for one in plan.document["blocked"]] == ["unreadable"]
    assert stage.apply().code == 4
    assert stage.writes() == []


def test_a_rolling_start_is_no_drift(open_stage: Open) -> None:
    stage = open_stage(switches=["roll_start_time=yes", "schedules_fire=yes"])
    stage.write(agent(POLL, POLL.replace("poll", "daily").replace("15m", "1d")))
    assert stage.apply().code == 0
    shown = set()
    for _ in range(3):
        stage.clock.skip(timedelta(hours=7))
        assert stage.run("plan", "--detailed-exitcode").code == 0
        assert stage.run("drift").code == 0
        listing = stage.emulator.acc.schedules.listing(stage.estate.agents[PRICES], stage.clock())
        shown |= {(one["scheduleId"], one["startTime"]) for one in json.loads(listing.body)}
    assert len(shown) > 4, "the server did move the starts on"


@pytest.mark.parametrize("reply", ["null", "nothing"])
def test_an_answer_that_is_no_list_is_unreadable(open_stage: Open, reply: str) -> None:
    stage = open_stage(switches=[f"empty_list={reply}"])
    stage.write(agent(NIGHTLY, name="stock"))
    plan = stage.run("plan", "--format", "json")
    assert plan.code == 1
    assert [one["reason"] for one in plan.document["blocked"]] == ["unreadable"]
    assert stage.apply().code == 4
    assert stage.writes() == []


# --- laws over small estates -----------------------------------------------------------------------------------------

AGENTS = ("prices", "stock")
NAMES = ("a", "b.c", "d_e", "f-1")
rhythms = st.sampled_from(
    [
        'cron: "0 0 2 * * MON-FRI"',
        'cron: "0 0/20 * L * ?"',
        "every: 15m",
        "every: 1d",
        "every: 36h",
        'cron: "0 30 2 ? * 5#3"',
    ]
)
starts = st.sampled_from(["2026-01-01T02:00:00", "2019-05-30T15:36:00", "2031-03-01T00:00:00"])
zones = st.sampled_from(["Australia/Sydney", "UTC", "W. Europe Standard Time", "America/St_Johns"])
options = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.sampled_from(["true", "false"]),
        "windowless": st.sampled_from(["true", "false"]),
        "logLevel": st.sampled_from(["none", "high", "2"]),
        "sessionId": st.sampled_from(["1-5/5", '""']),
        "inputParameters": st.sampled_from(["{}", '{a: "1", b: no}', '{"${var:zone}": "$${literal}"}']),
    },
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """The manifests of a small estate."""
    made = []
    for name in AGENTS:
        blocks = [
            f"    - name: {one}\n      {draw(rhythms)}\n"
            f"      startTime: {draw(starts)}\n      timeZone: {draw(zones)}\n"
            + "".join(f"      {key}: {value}\n" for key, value in draw(options).items())
            for one in draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
        ]
        extra = draw(st.sampled_from(["", "  approval: {state: approved}\n", "  approval: {state: disapproved}\n"]))
        made.append(agent(*blocks, name=name, extra=extra))
    if draw(st.booleans()):
        made.append(task_trigger(extra="  wait: false\n"))
    return "---\n".join(made)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents(), min_size=1, max_size=3))
def test_apply_then_plan_is_empty_for_any_estate(open_stage: Open, history: list[str]) -> None:
    """Whatever is declared, one after the other: apply reaches it, the plan after is empty, nothing foreign moves."""
    stage = open_stage(held=estate())
    before = stage.hand_made()
    for text in history:
        stage.write(text)
        planned: dict[str, Any] = stage.plan()
        assert stage.emulator.estate.schedules.keys() >= {HAND_MADE}
        ended = stage.apply("--max-deletes", "50", "--format", "json")
        assert ended.code == 0, ended.err
        done = [(one["address"], one["action"]) for one in ended.document["outcomes"]]
        assert sorted(done) == sorted((one["address"], one["action"]) for one in planned["changes"])
        assert stage.run("plan", "--detailed-exitcode").code == 0
        assert len(stage.owned()) == text.count("    - name: ")
        assert as_bytes(stage.estate.schedule(HAND_MADE)) == before
    # A document that goes is forgotten, so a trigger that comes back is due once more.
    came = [text for before, text in pairwise(["", *history]) if "TaskTrigger" in text and "TaskTrigger" not in before]
    assert stage.starts() == len(came)
