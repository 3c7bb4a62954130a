"""`ledger list` and `forget`: what is remembered is shown, gives nothing away, and goes by a person's word alone."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from stage import CLOCKED, HAND_MADE, NIGHTLY, PASSWORD, POLL, Ended, Stage, agent, task_trigger

from reconciler.ledger import Owner
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import open_ledger
from reconciler.workflow.reading import read_project

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "output" / "ledger.schema.json").read_text(encoding="utf-8")
)
WAIT = "  wait: {timeout: 5s, interval: 1s}\n"
FILES = "  approval: {state: approved}\n  inputFiles:\n    - file: urls.csv\n"
LEGACY = (
    f"    - name: legacy\n      id: {HAND_MADE}\n      every: 1d\n      startTime: 2019-05-30T15:36:00\n"
    "      timeZone: AUS Eastern Standard Time\n"
)
SECRET = '      inputParameters: {a: "1", b: "${env:PASSWORD}"}\n'


def listed(stage: Stage, *arguments: str) -> dict[str, dict[str, object]]:
    document = stage.run("ledger", "list", "--format", "json", *arguments).document
    Draft202012Validator(SCHEMA).validate(document)
    assert [one["address"] for one in document["entries"]] == sorted(one["address"] for one in document["entries"])
    assert sum(document["summary"].values()) == len(document["entries"])
    return {one["address"]: one for one in document["entries"]}


@pytest.fixture
def applied(stage: Stage) -> Stage:
    (stage.root / "manifests" / "urls.csv").write_text("url\n", encoding="utf-8")
    stage.write(agent(NIGHTLY, POLL + SECRET, LEGACY, extra=FILES) + "---\n" + task_trigger(extra=WAIT))
    assert stage.apply().code == 0
    return stage


def test_every_entry_says_what_it_is_and_how_it_is_known(applied: Stage) -> None:
    found = listed(applied)
    assert {address: (one["what"], one["evidence"], one["state"]) for address, one in found.items()} == {
        "approval/prices": ("attested", "attested", None),
        "input-files/prices": ("attested", "attested", None),
        "schedule/prices/legacy": ("adopted", "verified", None),
        "schedule/prices/nightly": ("owned", "verified", None),
        "schedule/prices/poll": ("owned", "verified", None),
        "trigger/publish": ("started", "verified", "success"),
    }
    (run,) = applied.run("history", "--format", "json").document["runs"]
    for one in found.values():
        assert one["settled"]
        assert one["declared"]
        assert one["applied_by"]["run"] == run["id"]  # type: ignore[index]
    page = applied.run("ledger", "list")
    assert "6 remembered: 2 owned, 1 adopted, 2 attested, 1 started." in page.out
    assert str(applied.ledger) in "".join(page.out.split())
    assert "sequentum/Retail/prices: prices" in page.out


def test_no_whole_digest_and_no_secret_is_shown(applied: Stage) -> None:
    shown = applied.run("-v", "ledger", "list").out + applied.run("ledger", "list", "--format", "json").out
    assert PASSWORD not in shown
    assert "hmac" not in shown
    with sqlite3.connect(applied.ledger) as connection:
        kept = [json.loads(row[0]) for row in connection.execute("SELECT applied FROM reconciler_entries")]
    digests = [digest.rpartition(":")[2] for one in kept for digest in one.values()]
    assert len(digests) > 10
    for digest in digests:
        assert digest[:13] not in shown


def test_what_no_manifest_declares_is_listed_too(applied: Stage) -> None:
    applied.write(agent(name="stock"))
    found = listed(applied)
    assert len(found) == 6
    assert not any(one["declared"] for one in found.values())
    page = applied.run("ledger", "list").out
    assert "sequentum/Retail/prices: prices, no manifest declares it" in page
    applied.write("kind: Nonsense\n")
    assert {one["declared"] for one in listed(applied).values()} == {None}, "manifests with errors say nothing"


def test_a_pattern_narrows_the_list_and_one_that_matches_nothing_is_a_slip(applied: Stage) -> None:
    assert set(listed(applied, "--only", "schedule/*/p*", "--only", "trigger/publish")) == {
        "schedule/prices/poll",
        "trigger/publish",
    }
    slip = applied.run("ledger", "list", "--only", "trigger/publsh")
    assert slip.code == 64
    assert "did you mean 'trigger/publish'?" in slip.err


def test_without_a_ledger_there_is_nothing_to_list_or_forget(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    for words in (("list",), ("forget", "schedule/prices/nightly")):
        ended = stage.run("ledger", *words)
        assert ended.code == 1
        assert "there is no ledger yet" in ended.err
    assert not stage.ledger.exists()


# --- forget ----------------------------------------------------------------------------------------------------------


def test_what_is_forgotten_is_recorded_and_nothing_is_sent(applied: Stage) -> None:
    before = applied.writes()
    ended = applied.run("ledger", "forget", "approval/prices", "schedule/prices/nightly")
    assert (ended.code, ended.out) == (0, "forgotten: approval/prices\nforgotten: schedule/prices/nightly\n")
    assert applied.writes() == before
    assert set(listed(applied)) == {
        "input-files/prices",
        "schedule/prices/legacy",
        "schedule/prices/poll",
        "trigger/publish",
    }
    run, *_ = applied.run("history", "--format", "json").document["runs"]
    assert run["command"] == "ledger forget"
    assert [(one["address"], one["action"], one["status"]) for one in run["changes"]] == [
        ("approval/prices", "forget", "applied"),
        ("schedule/prices/nightly", "forget", "applied"),
    ]
    assert applied.run("history", "--verify").code == 0
    assert set(applied.changes()) == {
        ("approval/prices", "approve", "new"),
        ("schedule/prices/nightly", "adopt", "new"),
    }
    assert applied.starts() == 1


def test_a_trigger_is_forgotten_with_a_plain_word_about_what_follows(applied: Stage) -> None:
    ended = applied.run("ledger", "forget", "trigger/publish")
    assert ended.code == 0
    assert "THE NEXT APPLY THAT FINDS IT DECLARED STARTS IT AGAIN" in ended.err
    assert applied.starts() == 1
    assert applied.apply().code == 0
    assert applied.starts() == 2, "that is what it said"


def test_an_adopted_schedule_is_no_longer_ours(applied: Stage) -> None:
    before = applied.hand_made()
    applied.run("ledger", "forget", "schedule/prices/legacy")
    applied.write(agent(NIGHTLY, POLL + SECRET, extra=FILES) + "---\n" + task_trigger(extra=WAIT))
    assert applied.changes() == []
    assert applied.plan()["unmanaged"] == [{"agent": "prices", "id": HAND_MADE}]
    assert applied.apply().code == 0
    assert applied.hand_made() == before


def test_an_unknown_start_is_not_forgotten(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(extra=WAIT))
    stage.emulator.inject("POST tasks #1 drop-after")
    assert stage.apply().code == 5
    for addresses in (["trigger/publish"], ["schedule/prices/nightly", "trigger/publish"], ["--yes", "*"]):
        ended = stage.run("ledger", "forget", *addresses)
        assert ended.code == 3
        assert "`reconciler resolve trigger/publish --ran` or `--not-ran` first" in ended.said
        assert len(listed(stage)) == 2, "all or nothing"
    assert stage.run("resolve", "trigger/publish", "--ran").code == 0
    assert stage.run("ledger", "forget", "trigger/publish").code == 0


def test_a_run_that_is_followed_is_not_forgotten(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(task="Slow", extra="  wait: {timeout: 1s, interval: 1s}\n"))
    assert stage.apply().code == 8
    ended = stage.run("ledger", "forget", "trigger/publish")
    assert ended.code == 3
    assert "is not over: let the next apply follow it" in ended.said
    assert listed(stage)["trigger/publish"]["state"] == "running"


def test_protection_and_secrets_outlive_a_slip(applied: Stage) -> None:
    """A protected schedule would be deleted, and an adopted one's secret parameter shown, if nobody remembered."""
    applied.write(agent(NIGHTLY + "      protect: true\n", LEGACY + SECRET))
    assert applied.apply("--max-deletes", "5").code == 0
    guarded = applied.run("ledger", "forget", "schedule/prices/nightly", "schedule/prices/legacy")
    assert guarded.code == 3
    assert "blocked [protected]: schedule/prices/nightly" in guarded.err
    assert "blocked [policy]: schedule/prices/legacy: its parameters inputParameters.b are secret" in guarded.said
    applied.write(agent(name="stock"))
    assert applied.apply().code == 3
    assert applied.live("nightly") is not None


def test_an_unknown_address_is_a_slip_and_takes_no_lock(applied: Stage) -> None:
    ended = applied.run("ledger", "forget", "trigger/publsh")
    assert ended.code == 64
    assert "did you mean 'trigger/publish'?" in ended.err
    assert len(listed(applied)) == 6


def test_a_pattern_names_what_it_matches_and_needs_a_word(applied: Stage) -> None:
    ended = applied.run("ledger", "forget", "schedule/*")
    assert ended.code == 64
    assert "schedule/prices/poll: the schedule stays in ACC" in ended.err
    assert len(listed(applied)) == 6
    assert applied.run("ledger", "forget", "schedule/*", "--yes").code == 0
    assert len(listed(applied)) == 3


def test_nothing_is_forgotten_while_somebody_applies(applied: Stage) -> None:
    context = CommandContext(applied.root, None, applied.environ, clock=applied.clock)
    project, _ = read_project(context)
    with open_ledger(context, project, create=True) as ledger, ledger.acquire(Owner("bob", "build-7", 99), ttl=100_000):
        ended = applied.run("ledger", "forget", "approval/prices")
        assert ended.code == 6
        assert "bob on build-7" in ended.err
    assert len(listed(applied)) == 6


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("y", 1), ("", 1)])
def test_on_a_terminal_it_asks(applied: Stage, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    ended = on_a_terminal(applied, answer, "ledger", "forget", "trigger/publish")
    assert ended.code == code
    assert "Forget this? Only 'yes' will be accepted" in ended.out
    assert ("trigger/publish" in listed(applied)) == bool(code)


def on_a_terminal(stage: Stage, answer: str, *arguments: str) -> Ended:
    ours, theirs = pty.openpty()
    command = [sys.executable, str(CLOCKED), stage.clock().isoformat(), "-C", str(stage.root), *arguments]
    package = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        command, env={**stage.environ, "PYTHONPATH": package}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # how a terminal ends on Linux
        pass
    os.close(ours)
    return Ended(process.wait(), shown.decode(), "")


def test_what_was_secret_stays_hidden_once_it_is_forgotten(applied: Stage) -> None:
    """Of a schedule with our mark that nobody remembers everything is hidden, whatever command shows it."""
    assert PASSWORD in (applied.live("poll").input_parameters or "")
    assert applied.run("ledger", "forget", "schedule/prices/poll").code == 0
    plain = SECRET.replace("${env:PASSWORD}", "plain")
    for declared in (agent(POLL + plain, LEGACY), agent(LEGACY), agent(POLL, LEGACY), agent(name="stock")):
        applied.write(declared)
        for words in (
            *(["plan", "--format", form] for form in ("text", "json", "markdown", "html")),
            *(["drift", "--format", form] for form in ("text", "json", "sarif")),
            ["-v", "plan"],
            ["status"],
            ["ledger", "list"],
            ["acc", "schedule", "list", "sequentum/Retail/prices"],
            ["calendar", "--format", "json"],
        ):
            applied.run(*words)  # which looks for the password in all that is said
    out = applied.root / "found"
    applied.run("import", "--agent", "sequentum/Retail/prices", "--out", str(out))
    for file in out.rglob("*.yaml"):
        assert PASSWORD not in file.read_text(encoding="utf-8")


def test_what_a_trigger_rests_on_may_be_forgotten_without_starting_it(stage: Stage) -> None:
    (stage.root / "manifests" / "urls.csv").write_text("url\n", encoding="utf-8")
    changed = task_trigger(extra=WAIT).replace(
        'when: {revision: "1"}', 'when: {changed: ["input-files/prices", "approval/prices", "schedule/prices/*"]}'
    )
    stage.write(agent(NIGHTLY, extra=FILES) + "---\n" + changed)
    assert stage.apply().code == 0
    forgotten = stage.run("ledger", "forget", "--yes", "input-files/*", "approval/*", "schedule/*")
    assert forgotten.code == 0
    assert "START" not in forgotten.err
    assert stage.apply().code == 0
    assert stage.starts() == 1, "its key rests on what is declared"


def test_an_earlier_name_that_is_forgotten_starts_nothing(stage: Stage) -> None:
    changed = task_trigger(extra=WAIT).replace('when: {revision: "1"}', 'when: {changed: ["approval/*", "schedule/*"]}')
    approved = "  approval: {state: approved}\n"
    stage.write(agent(NIGHTLY, extra=approved) + "---\n" + changed)
    assert stage.apply().code == 0
    renamed = agent(NIGHTLY.replace("nightly", "by-night"), extra=approved, name="shop", path="sequentum/Retail/prices")
    stage.write(renamed + "---\n" + changed)
    assert stage.apply().code == 0
    assert stage.run("ledger", "forget", "approval/shop", "schedule/shop/by-night").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 1, "a name never starts anything"


def test_a_ledger_in_which_nothing_is_left_starts_nothing(applied: Stage) -> None:
    forgotten = applied.run("ledger", "forget", "--yes", "*")
    assert forgotten.code == 0
    assert "nothing is left in it, as if it were lost" in forgotten.err
    assert [(one["address"], one["reason"]) for one in applied.plan()["blocked"]] == [
        ("trigger/publish", "lost-ledger")
    ]
    for _ in range(2):
        assert applied.apply().code == 3
    assert applied.starts() == 1
    assert applied.run("resolve", "trigger/publish", "--ran").code == 0
    assert applied.apply("--accept-new-ledger").code == 0
    assert applied.starts() == 1


def test_where_no_schedule_is_live_the_forgotten_trigger_starts(stage: Stage) -> None:
    stage.write(task_trigger(extra=WAIT))
    assert stage.apply().code == 0
    assert stage.run("ledger", "forget", "trigger/publish").code == 0
    assert stage.apply().code == 0
    assert stage.starts() == 2
