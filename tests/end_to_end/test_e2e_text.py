"""Lone surrogates, NUL, escapes, very long words: whatever a product shows, every command answers in every format."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from stage import NIGHTLY, POLL, PRICES, Stage, agent, task_trigger

from reconciler.emulator import Fault
from reconciler.emulator.acc_state import Run, RunStatus

ODD = {
    "surrogate": "\ud800",
    "half a pair": "a\udfffz",
    "NUL": "a\0z",
    "escape": "\x1b]0;title\x07\x1b[31m",
    "direction": "\u202eevil\u2066",
    "line ends": "a\r\nb\x85c\u2028d",
    "noncharacter": "\ufffe\uffff",
    "long": "é" * 100_000,
    "markup": "<script>alert(1)</script>]]>&amp;",
}

COMMANDS = (
    *(f"plan --format {form}" for form in ("text", "json", "markdown", "html")),
    *(f"drift --format {form}" for form in ("text", "json", "markdown", "html", "sarif", "junit")),
    *(f"status --format {form}" for form in ("text", "json")),
    *(f"calendar --format {form}" for form in ("text", "html", "json", "ics")),
    "doctor",
    "history",
    "history --format json",
    "history --verify",
    f"acc agent show {PRICES}",
    f"acc schedule list {PRICES}",
    f"acc schedule list {PRICES} --format json",
    f"acc run history {PRICES}",
    f"acc run history {PRICES} --format json",
)


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest) -> str:
    return ODD[request.param]


def spoil(stage: Stage, odd: str) -> None:
    """Put the text wherever ACC shows one that somebody else may have written."""
    found = stage.estate.agents[PRICES]
    found.description = odd
    found.listing = found.record = None
    for one in stage.schedules():
        one.error_message = odd
        one.input_parameters = json.dumps({"key": odd, odd: "value"})
        one.session_id = odd[:50]
    stage.estate.add_schedule(found, cron=odd[:50], time_zone_id=odd[:50], start_time="2026-01-01T00:00:00")
    stage.estate.add_schedule(found, input_parameters=odd, error_message=odd)


def test_every_command_answers_in_every_format(stage: Stage, odd: str) -> None:
    stage.write(agent(NIGHTLY, POLL) + "---\n" + task_trigger())
    assert stage.apply().code == 0
    spoil(stage, odd)
    for line in COMMANDS:
        ended = stage.run(*line.split())
        assert ended.code in (0, 1, 2, 3), line
        assert ended.out or ended.err, line
        assert "\x1b" not in ended.out + ended.err, line
        (ended.out + ended.err).encode("utf-8", "backslashreplace")
        if "json" in line:
            json.loads(ended.out)


def test_an_apply_repairs_and_records_it(stage: Stage, odd: str) -> None:
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    spoil(stage, odd)
    events, page, plan = (stage.root / name for name in ("events", "page.html", "odd.plan"))
    repaired = NIGHTLY.replace("0 0 2", "0 0 3") + "      inputParameters: {key: fine}\n      sessionId: 1-5/5\n"
    stage.write(agent(repaired, POLL))
    assert stage.run("plan", "--out", str(plan)).code == 0
    assert stage.run("show", str(plan)).code == 0
    assert stage.run("show", str(plan), "--format", "json").code == 0
    ended = stage.run("apply", str(plan), "--events", str(events), "--html", str(page))
    assert ended.code == 0, ended.err
    assert [json.loads(line) for line in events.read_text().splitlines()]
    assert page.read_text()
    assert stage.run("plan", "--detailed-exitcode").code == 0
    assert stage.run("history", "--verify").code == 0
    stage.write(agent())
    assert stage.apply("--max-deletes", "2").code == 0
    assert stage.run("history", "--verify").code == 0


def test_what_is_kept_is_sent_back_as_it_was(stage: Stage, odd: str) -> None:
    """A field that no manifest sets is not ours to change, whatever stands in it."""
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    live = stage.live("nightly")
    live.input_parameters = json.dumps({"key": odd})
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3")))
    is_text = odd.isprintable() or not any(0xD800 <= ord(char) < 0xE000 for char in odd)
    assert stage.apply().code == (0 if is_text else 4), "half of a pair is what the emulator refuses"
    assert live.cron == ("0 0 3 * * MON-FRI" if is_text else "0 0 2 * * MON-FRI")
    assert json.loads(live.input_parameters or "") == {"key": odd}


def test_imports_of_it_validate_or_say_why_not(stage: Stage, odd: str) -> None:
    stage.write(agent(name="stock"))
    spoil(stage, odd)
    out = stage.root / "manifests" / "imported"
    ended = stage.run("import", "--agent", PRICES, "--out", str(out))
    assert ended.code in (0, 1), ended.err
    assert stage.run("validate").code in (0, 1)


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_product_that_refuses_in_such_words(stage: Stage, odd: str, status: int) -> None:
    stage.write(agent(NIGHTLY, POLL) + "---\n" + task_trigger())
    assert stage.apply().code == 0
    body = json.dumps({"message": odd[:2000], "error": [odd[:100]]})
    stage.emulator.inject(Fault("status", "schedule", "POST", nth=1, status=status, body=body))
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL))
    events, page = stage.root / "events", stage.root / "page.html"
    ended = stage.apply("--events", str(events), "--html", str(page), "--format", "json")
    assert ended.code in (4, 8), ended.err
    assert "\x1b" not in ended.out + ended.err
    assert [json.loads(line) for line in events.read_text().splitlines()]
    assert page.read_text()
    assert stage.run("history", "--verify").code == 0
    assert stage.apply().code == 0


def test_run_histories_with_such_texts(stage: Stage, odd: str) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    now = stage.clock()
    for hours, outcome in ((2, RunStatus.FAILED), (1, RunStatus.SUCCEEDED)):
        start = now - timedelta(hours=hours)
        run = Run(
            f"{hours}{odd[:20]}",
            stage.estate.agents[PRICES],
            start,
            start + timedelta(minutes=5),
            outcome,
            schedule_id=stage.live("nightly").schedule_id,
            parameters=odd,
            message=odd,
        )
        stage.estate.add_run(run, settled=True)
    for line in ("status", "status --format json", "calendar", f"acc run history {PRICES}"):
        ended = stage.run(*line.split())
        assert ended.code in (0, 1, 2), ended.err
        assert "\x1b" not in ended.out + ended.err
