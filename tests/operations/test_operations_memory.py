"""`resolve`, `history` and `unlock`: what a person says to the ledger, and asks of it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from operations_desk import PATH, Desk, accepts, desk

from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, Owner
from reconciler.render.characters import columns

TRIGGER = """\
apiVersion: reconciler/v1
kind: TaskTrigger
metadata: {name: publish}
spec:
  task: {name: Publish prices}
  when: {revision: "1"}
  wait: {timeout: 5s, interval: 1s}
"""
AGENT = f"""\
apiVersion: reconciler/v1
kind: Agent
metadata: {{name: prices}}
spec:
  path: {PATH}
  schedules:
    - {{name: nightly, every: 1d, startTime: 2026-01-01T02:00:00, timeZone: UTC}}
    - {{name: hourly, every: 1h, startTime: 2026-01-01T02:00:00, timeZone: UTC}}
"""
ADDRESS = "trigger/publish"


def starts(at: Desk) -> int:
    """How many runs Automate MFT really has."""
    assert at.emulator.estate.tenant is not None
    return len(at.emulator.estate.tenant.runs)


def last_run_id(at: Desk) -> str:
    assert at.emulator.estate.tenant is not None
    return list(at.emulator.estate.tenant.runs.values())[-1].run_id


def in_doubt(at: Desk, effect: str = "drop-after") -> None:
    """Let one start be lost: after it happened, or before."""
    at.write("manifests/publish.yaml", TRIGGER)
    at.emulator.inject(f"POST /v1/tasks/ {effect}")
    assert at.type("apply", "--auto-approve").code == 5
    at.emulator.clear_faults()
    assert at.type("plan").code == 3


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        yield one


# --- resolve ---------------------------------------------------------------------------------------------------------


def test_without_a_word_it_shows_what_is_known_and_settles_nothing(at: Desk) -> None:
    in_doubt(at)
    typed = at.type("resolve", ADDRESS)
    assert typed.code == 64
    assert re.match(r"trigger/publish: task Publish prices, sent 20\S+Z, attempt 1, no run id came back\n", typed.err)
    assert "licence, task executions: 10 of 10000 before, 11 of 10000 now" in typed.err
    assert "say --ran or --not-ran" in typed.err
    assert at.type("plan").code == 3


def test_a_start_that_ran_is_not_repeated(at: Desk) -> None:
    in_doubt(at)
    typed = at.type("resolve", ADDRESS, "--ran")
    assert (typed.code, typed.out) == (0, "trigger/publish is settled: it ran\n")
    assert at.type("plan", "--detailed-exitcode").code == 0
    assert at.type("apply", "--auto-approve").code == 0
    assert starts(at) == 1


def test_a_start_that_did_not_run_is_due_again_once(at: Desk) -> None:
    in_doubt(at, "drop-before")
    typed = at.type("resolve", ADDRESS, "--not-ran")
    assert (typed.code, typed.out) == (0, "trigger/publish is settled: it did not run, and is due again\n")
    assert starts(at) == 0
    assert at.type("apply", "--auto-approve").code == 0
    assert at.type("plan", "--detailed-exitcode").code == 0
    assert starts(at) == 1


def test_a_run_that_somebody_found_is_followed_by_the_next_apply(at: Desk) -> None:
    in_doubt(at)
    run = last_run_id(at)
    typed = at.type("resolve", ADDRESS, "--ran", "--run-id", run)
    assert (typed.code, "the next apply follows its run" in typed.out) == (0, True)
    planned = at.type("plan", "--format", "json").json
    assert [(change["address"], change["action"]) for change in planned["changes"]] == [(ADDRESS, "adopt")]
    applied = at.type("apply", "--auto-approve", "--format", "json")
    assert (applied.code, applied.json["outcomes"][0]["run_id"]) == (0, run)
    assert at.type("plan", "--detailed-exitcode").code == 0
    assert starts(at) == 1


def test_a_wrong_run_id_can_be_taken_back(at: Desk) -> None:
    in_doubt(at)
    assert at.type("resolve", ADDRESS, "--ran", "--run-id", "mistyped").code == 0
    assert at.type("apply", "--auto-approve").code == 8
    shown = at.type("resolve", ADDRESS)
    assert "run mistyped" in shown.err
    assert at.type("resolve", ADDRESS, "--ran", "--run-id", last_run_id(at)).code == 0
    assert at.type("apply", "--auto-approve").code == 0
    assert starts(at) == 1


def test_who_said_it_stands_in_the_history(at: Desk) -> None:
    in_doubt(at)
    assert at.type("resolve", ADDRESS, "--ran", USER="ada", LOGNAME="ada").code == 0
    document = at.type("history", "--format", "json").json
    accepts("history", document)
    said = document["runs"][0]
    assert (said["command"], said["user"], said["result"]) == ("resolve", "ada", f"{ADDRESS}: ran")
    text = at.type("history").out
    assert f"resolve   {ADDRESS}: ran" in text
    assert "by ada on " in text
    assert at.type("history", "--verify").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["schedule/prices/nightly", "--ran"], "is no trigger"),
        (["nonsense", "--ran"], "is no address"),
        (["trigger/other", "--ran"], "no start of trigger/other is in the ledger"),
        ([ADDRESS, "--ran", "--not-ran"], "exclude each other"),
        ([ADDRESS, "--not-ran", "--run-id", "x"], "--run-id goes with --ran"),
        ([ADDRESS, "--ran", "--run-id", " "], "--run-id is empty"),
        ([], "Missing argument"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(at: Desk, words: list[str], message: str) -> None:
    in_doubt(at)
    typed = at.type("resolve", *words)
    assert (typed.code, message in typed.err) == (64, True), typed.err
    assert at.type("plan").code == 3


def test_what_is_known_cannot_be_said_otherwise(at: Desk) -> None:
    at.write("manifests/publish.yaml", TRIGGER)
    assert at.type("apply", "--auto-approve").code == 0
    typed = at.type("resolve", ADDRESS, "--not-ran")
    assert typed.code == 64
    assert "no start of trigger/publish has an unknown outcome" in typed.err
    assert "success" in typed.err


def test_without_automate_mft_it_can_be_settled_all_the_same(at: Desk) -> None:
    in_doubt(at)
    typed = at.type("resolve", ADDRESS, "--ran", MFT_TENANT=None)
    assert typed.code == 0
    assert "10 of 10000 before, not known now" in typed.err


def test_while_somebody_applies_nothing_is_settled(at: Desk) -> None:
    in_doubt(at)
    with ledger_of(at) as ledger, ledger.acquire(Owner("bob", "build-7", 99)):
        typed = at.type("resolve", ADDRESS, "--ran")
        assert typed.code == 6
        assert "bob on build-7" in typed.err
    assert at.type("resolve", ADDRESS, "--ran").code == 0


@pytest.mark.parametrize("words", [["history"], ["history", "--verify"], ["unlock"]])
def test_without_a_ledger_nothing_is_remembered_and_none_is_made(at: Desk, words: list[str]) -> None:
    typed = at.type(*words)
    assert typed.code == 1
    assert "there is no ledger yet" in typed.err
    assert not (at.root / ".reconciler").exists()


# --- history ---------------------------------------------------------------------------------------------------------


def test_history_tells_when_what_who_and_how_it_went(at: Desk) -> None:
    at.write("manifests/prices.yaml", AGENT)
    assert at.type(
        "apply", "--auto-approve", GITHUB_RUN_ID="7", GITHUB_SERVER_URL="https://ci", GITHUB_REPOSITORY="a/b"
    )
    at.emulator.inject("POST /api/ 400")
    at.write("manifests/prices.yaml", AGENT.replace("1h", "2h"))
    assert at.type("apply", "--auto-approve").code == 4
    typed = at.type("history", "--format", "json")
    accepts("history", typed.json)
    second, first = typed.json["runs"]
    assert [(one["address"], one["action"], one["status"]) for one in first["changes"]] == [
        ("schedule/prices/hourly", "create", "applied"),
        ("schedule/prices/nightly", "create", "applied"),
    ]
    assert (first["ci_link"], first["summary"]) == ("https://ci/a/b/actions/runs/7", {"applied": 2})
    assert [(one["action"], one["status"]) for one in second["changes"]] == [("update", "failed")]
    assert second["result"] == "in part"
    text = at.type("history").out
    assert text.index("update schedule/prices/hourly, failed: ") < text.index("create schedule/prices/hourly\n")
    assert "https://ci/a/b/actions/runs/7" in text
    assert len(at.type("history", "--limit", "1", "--format", "json").json["runs"]) == 1


@pytest.mark.parametrize("width", [60, 100, 200])
def test_history_fits_the_screen(at: Desk, width: int) -> None:
    blocks = [f"    - {{name: n{number}, every: 1d, startTime: 2026-01-01, timeZone: UTC}}\n" for number in range(15)]
    at.write("manifests/prices.yaml", AGENT[: AGENT.index("    - ")] + "".join(blocks))
    assert at.type("apply", "--auto-approve").code == 0
    typed = at.type("history", columns=width)
    assert max(columns(line) for line in typed.lines) <= width
    assert "and 5 more, applied: -v shows them" in typed.out
    assert at.type("-v", "history").out.count("create schedule/") == 15


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE {events} SET body = replace(body, 'applied', 'failed') WHERE kind = 'outcome'", "event-altered"),
        ("DELETE FROM {events} WHERE seq = 3", "event-missing"),
        ("DELETE FROM {events} WHERE seq > 3", "journal-cut"),
        ("UPDATE {events} SET at = '2020-01-01T00:00:00Z' WHERE seq = 2", "event-altered"),
    ],
)
def test_tampering_shows(at: Desk, statement: str, code: str) -> None:
    at.write("manifests/prices.yaml", AGENT)
    assert at.type("apply", "--auto-approve").code == 0
    assert at.type("history", "--verify").code == 0
    with closing(sqlite3.connect(at.root / ".reconciler/ledger.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        events = next(name for name in tables if "event" in name)
        changed = database.execute(statement.format(events=events)).rowcount
        database.commit()
    assert changed
    typed = at.type("history", "--verify")
    assert (typed.code, typed.out.startswith(f"{code}: ")) == (1, True), typed.out
    ill = at.type("doctor", "--format", "json")
    assert next(one["level"] for one in ill.json["checks"] if one["name"] == "ledger events") == "failed"


def test_verify_has_no_document(at: Desk) -> None:
    assert at.type("history", "--verify", "--format", "json").code == 64


def test_a_ledger_cut_short_ends_in_words(at: Desk) -> None:
    at.write("manifests/prices.yaml", AGENT)
    assert at.type("apply", "--auto-approve").code == 0
    path = at.root / ".reconciler/ledger.db"
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (path.parent / name).unlink(missing_ok=True)
    path.write_bytes(b"no database at all" * 100)
    for words in (["history"], ["history", "--verify"], ["unlock"], ["resolve", ADDRESS, "--ran"], ["status"]):
        typed = at.type(*words)
        assert typed.code == 1
        assert "ledger" in typed.err
        assert "next: " in typed.err


# --- unlock ----------------------------------------------------------------------------------------------------------


def ledger_of(at: Desk, clock: datetime | None = None) -> Ledger:
    return Ledger.open(
        "sqlite:///.reconciler/ledger.db",
        "retail-data",
        "default",
        root=at.root,
        create=True,
        clock=lambda: clock or at.clock(),
        memo_of=memo_of,
    )


def test_nobody_holds_the_lock(at: Desk) -> None:
    ledger_of(at).close()
    typed = at.type("unlock")
    assert (typed.code, typed.out) == (0, "nobody holds the lock\n")
    assert at.type("unlock", "--force").code == 0


def test_the_lock_is_shown_and_only_force_breaks_it(at: Desk) -> None:
    at.write("manifests/prices.yaml", AGENT)
    with ledger_of(at) as ledger, ledger.acquire(Owner("bob", "build-7", 99, "https://ci/job/3")) as lease:
        typed = at.type("unlock")
        assert typed.code == 6
        assert re.match(
            r"held by bob on build-7 \(process 99, https://ci/job/3\) since 20\S+; last heartbeat ", typed.out
        )
        assert "--force" in typed.err
        blocked = at.type("apply", "--auto-approve")
        assert blocked.code == 6
        assert "bob on build-7" in blocked.err
        lease.check()
        forced = at.type("unlock", "--force")
        assert (forced.code, forced.out.splitlines()[-1]) == (
            0,
            "the lock is broken: bob on build-7 (process 99, https://ci/job/3) can write nothing more",
        )
        assert at.type("apply", "--auto-approve").code == 0
        with pytest.raises(Exception, match="lock"):
            lease.check()
    assert at.type("history", "--verify").code == 0


def test_an_owner_from_elsewhere_cannot_paint_our_screen(at: Desk) -> None:
    at.write("manifests/prices.yaml", AGENT)
    with ledger_of(at) as ledger, ledger.acquire(Owner("bob\x1b[2J", "build-7", 99, "https://ci/\x9b31m")):
        for words in (["unlock"], ["apply", "--auto-approve"], ["doctor"], ["unlock", "--force"]):
            typed = at.type(*words)
            assert "bob\\x1b[2J on build-7" in typed.out + typed.err, words
            assert not {"\x1b", "\x9b"} & set(typed.out + typed.err)


def test_a_frozen_owner_is_told_by_its_silence(at: Desk) -> None:
    at.write("manifests/prices.yaml", AGENT)
    long_ago = at.clock() - timedelta(hours=2)
    ledger = ledger_of(at, long_ago)
    lease = ledger.acquire(Owner("bob", "build-7", 99), ttl=3600)
    try:
        typed = at.type("unlock")
        assert typed.code == 6
        assert "last heartbeat 2 h 0 min ago, so it has expired: the next apply takes the lock over" in typed.out
        checks = at.type("doctor", "--format", "json").json["checks"]
        assert next(one["level"] for one in checks if one["name"] == "lock") == "warning"
        assert at.type("apply", "--auto-approve").code == 0
        assert at.type("unlock").out == "nobody holds the lock\n"
        with pytest.raises(Exception, match="lock"):
            lease.check()
    finally:
        lease.close()
        ledger.close()


def test_who_broke_the_lock_is_written_down(at: Desk) -> None:
    with ledger_of(at) as ledger, ledger.acquire(Owner("bob", "build-7", 99)):
        assert at.type("unlock", "--force", USER="ada", LOGNAME="ada").code == 0
        broken = next(event for event in ledger.events(10) if event.kind == "lock-broken")
    assert json.loads(broken.body)["by"].startswith("ada on ")
