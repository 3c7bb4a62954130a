"""`import --update`: what is not declared yet is added to the document that is there, and each other byte stays."""

from __future__ import annotations

import difflib
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import HAND_MADE, NIGHTLY, POLL, PRICES, STOCK, Open, Stage, agent

from reconciler.emulator import alias_agent
from reconciler.identity import owned_id

HEAD = "# prices of all shops\napiVersion: reconciler/v1\nkind: Agent   # of ACC\nmetadata: {name: prices}\n"
BLOCKS = {
    "a list": "spec:\n  path: sequentum/Retail/prices\n  schedules:\n    # the first\n    - name: 'nightly'  # 2 am\n"
    '      cron: "0 0 2 * * MON-FRI"\n      startTime: 2026-01-01T02:00:00\n      timeZone: ${var:zone}\n'
    "\n  approval: {state: approved}   # by hand\n",
    "a list at the key": "spec:\n  schedules:\n  - {name: nightly, every: 1d, startTime: 2026-01-01T02:00:00, "
    "timeZone: UTC} # one\n  path: sequentum/Retail/prices\n",
    "brackets": "spec: {path: sequentum/Retail/prices, schedules: [{name: nightly, every: 1d, "
    'startTime: "2026-01-01T02:00:00", timeZone: UTC}]}\n',
    "an empty list": "spec:\n  path: sequentum/Retail/prices # where\n  schedules: []\n",
    "nothing": "spec:\n  # no schedules yet\n  path: sequentum/Retail/prices\n",
    "an anchor": "x-when: &when\n  startTime: 2026-01-01T02:00:00\nspec:\n  path: sequentum/Retail/prices\n"
    "  schedules:\n  - {name: nightly, every: 1d, startTime: 2026-01-01T02:00:00, timeZone: UTC}\n",
    "no end of line": "spec:\n  path: sequentum/Retail/prices",
}


def lines_kept(before: str, after: str) -> bool:
    """Whether all lines of one text are in the other, in the same order, but for one that had to make room."""
    changes = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False).get_opcodes()
    return sum(until - begin for what, begin, until, *_ in changes if what in ("replace", "delete")) <= 1


def update(stage: Stage, *paths: str) -> str:
    """Update, hold the promise, and give back what was said."""
    before = {one[0] for one in stage.changes()}
    ended = stage.run("import", "--update", *(word for path in paths or [PRICES] for word in ("--agent", path)))
    assert ended.code == 0, ended.err
    assert stage.run("validate").code == 0
    new = [one for one in stage.changes() if one[0] not in before]
    assert {action for _, action, _ in new} <= {"adopt"}
    assert stage.plan()["blocked"] == []
    return ended.out + ended.err


@pytest.mark.parametrize("shape", BLOCKS)
@pytest.mark.parametrize("form", ["plain", "crlf", "mark", "among others"])
def test_what_is_missing_is_added_and_all_else_stays(stage: Stage, shape: str, form: str) -> None:
    text = HEAD + BLOCKS[shape]
    if form == "among others":
        text = f"# one\n---\n{agent(NIGHTLY, name='stock')}---\n{text.rstrip()}\n---\n# nothing\n"
    data = text.encode("utf-8-sig" if form == "mark" else "utf-8")
    data = data.replace(b"\n", b"\r\n") if form == "crlf" else data
    file = stage.root / "manifests" / "retail.yaml"
    file.write_bytes(data)
    said = update(stage)
    assert f"updated {file}: 1 schedule added" in said
    after = file.read_bytes()
    assert after.startswith(b"\xef\xbb\xbf") == (form == "mark")
    assert (after.count(b"\r\n") == after.count(b"\n")) == (form == "crlf")
    assert HAND_MADE in after.decode()
    assert lines_kept(text, after.decode("utf-8-sig"))
    added = next(one for one in stage.plan()["changes"] if one["action"] == "adopt")
    assert added["address"] == "schedule/prices/daily-1536"
    assert "updated" not in update(stage), "nothing is missing any more"
    assert file.read_bytes() == after


def test_names_do_not_clash_with_declared_ones(stage: Stage) -> None:
    stage.write(agent(NIGHTLY.replace("nightly", "daily-1536"), POLL.replace("poll", "daily-1536-2")))
    update(stage)
    assert "schedule/prices/daily-1536-3" in {address for address, _, _ in stage.changes()}


def test_several_agents_of_one_file_and_new_ones_beside_them(stage: Stage) -> None:
    other = stage.estate.add_agent("sequentum/Retail/new", duration=0.0)
    stage.estate.add_schedule(other, cron="0 0 4 * * *")
    stage.estate.add_schedule(stage.estate.agents[STOCK], cron="0 0 4 * * *")
    stage.write(agent(NIGHTLY) + "---\n" + agent(POLL, name="stock"))
    said = update(stage, PRICES, STOCK, "sequentum/Retail/new")
    assert "3 agents: 1 written with 1 schedule, 2 updated with 2 schedules" in said
    assert {address for address, action, _ in stage.changes() if action == "adopt"} == {
        "schedule/new/daily-0400",
        "schedule/prices/daily-1536",
        "schedule/stock/daily-0400",
    }


def test_what_this_project_knows_is_not_declared_again(stage: Stage) -> None:
    """A block that was taken out shall go: an update does not bring it back, whoever applied it."""
    adopted = f"    - {{name: old, id: {HAND_MADE}, every: 1d, startTime: 2019-05-30T15:36:00, timeZone: AUS Eastern "
    adopted += 'Standard Time, inputParameters: {a: "1", b: "2"}}\n'
    stage.write(agent(NIGHTLY, POLL, adopted))
    assert stage.apply().code == 0
    stage.estate.add_schedule(stage.estate.agents[PRICES], cron="0 0 4 * * *")
    stage.write(agent(NIGHTLY))
    assert {action for _, action, _ in stage.changes()} == {"delete"}
    said = update(stage)
    assert said.count("made or adopted by this project, and no longer declared") == 2
    found = {(address, action) for address, action, _ in stage.changes()}
    assert found == {
        ("schedule/prices/daily-0400", "adopt"),
        ("schedule/prices/old", "delete"),
        (next(address for address, action in found if action == "delete" and "old" not in address), "delete"),
    }


def test_a_new_name_still_takes_its_schedule_over(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    stage.write(agent(NIGHTLY.replace("nightly", "at-night")))
    update(stage)
    assert ("schedule/prices/at-night", "adopt", "renamed") in stage.changes()
    stage.write(agent(NIGHTLY.replace("nightly", "later\n      movedFrom: nightly").replace("0 0 2", "0 0 3")))
    update(stage)
    assert stage.apply().code == 0
    assert [one.cron for one in stage.owned().values()] == ["0 0 3 * * MON-FRI"]


@pytest.mark.parametrize("is_declared", [True, False])
def test_a_name_that_the_ledger_knows_is_left_to_what_it_knows(stage: Stage, is_declared: bool) -> None:
    """Somebody's own schedule is not taken for the one of that name whose block was taken out."""
    stage.write(agent(NIGHTLY.replace("nightly", "daily-0400"), POLL))
    assert stage.apply().code == 0
    mine = stage.estate.add_schedule(stage.estate.agents[PRICES], cron="0 0 4 * * *", time_zone_id="UTC")
    if is_declared:
        stage.write(agent(POLL))
        update(stage)
        assert ("schedule/prices/daily-0400", "delete", "removed") in stage.changes()
    else:
        (stage.root / "manifests" / "retail.yaml").unlink()
        ended = stage.run("import", "--agent", PRICES)
        assert ended.code == 0, ended.err
        assert {action for _, action, _ in stage.changes()} <= {"adopt", "forget"}
    assert ("schedule/prices/daily-0400-2", "adopt") in {one[:2] for one in stage.changes()}
    before = vars(mine).copy()
    assert stage.apply().code == 0
    assert vars(mine) == before
    assert stage.changes() == []


def test_nothing_is_written_where_one_file_cannot_be(stage: Stage) -> None:
    stage.estate.add_schedule(stage.estate.add_agent("sequentum/Retail/new", duration=0.0), cron="0 0 4 * * *")
    stage.write(agent(NIGHTLY))
    file = stage.root / "manifests" / "retail.yaml"
    before = file.read_bytes()
    in_the_way = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    in_the_way.write_text("the draft of another program", encoding="utf-8")
    ended = stage.run("import", "--update", "--agent", PRICES, "--agent", "sequentum/Retail/new")
    assert ended.code == 1
    assert "File exists" in ended.err
    assert file.read_bytes() == before
    assert not (file.parent / "new.yaml").exists()


def test_what_other_environments_and_projects_made(stage: Stage) -> None:
    stage.project("  environments: {prod: {}}\n")
    prod, other = (owned_id(*scope, PRICES, "x") for scope in (("retail", "prod"), ("other", "default")))
    for identity in (prod, other):
        stage.estate.add_schedule(stage.estate.agents[PRICES], identity, cron="0 0 4 * * *")
    stage.write(agent(NIGHTLY))
    said = update(stage)
    assert f"the schedule {prod} stays unmanaged: made by this project's environment prod" in said
    assert "daily-0400 was perhaps made by another project" in said
    text = (stage.root / "manifests" / "retail.yaml").read_text(encoding="utf-8")
    assert prod not in text
    assert other in text


def test_a_declared_agent_is_found_by_its_id(stage: Stage) -> None:
    alias_agent(stage.estate, PRICES, "sequentum/Other/prices")
    stage.write(agent(NIGHTLY))
    said = update(stage, "sequentum/Other/prices")
    assert "are one agent" in said
    assert "retail.yaml: 1 schedule added" in said


def test_what_cannot_be_edited_is_named_and_the_others_are_updated(stage: Stage) -> None:
    stage.write(
        "x-all: &all\n  - {name: nightly, every: 1d, startTime: 2026-01-01T02:00:00, timeZone: UTC}\n"
        + HEAD
        + "spec:\n  path: sequentum/Retail/prices\n  schedules: *all\n",
        "shared.yaml",
    )
    stage.estate.add_schedule(stage.estate.agents[STOCK], cron="0 0 4 * * *")
    stage.write(agent(NIGHTLY, name="stock"))
    before = (stage.root / "manifests" / "shared.yaml").read_bytes()
    ended = stage.run("import", "--update", "--agent", PRICES, "--agent", STOCK)
    assert ended.code == 1
    assert "1 document could not be updated; the others were written" in ended.err
    assert "is shared through an anchor" in ended.said
    assert "declared at manifests/shared.yaml:1:1, was not updated, and lacks 1" in ended.said
    assert "retail.yaml: 1 schedule added" in ended.out
    assert (stage.root / "manifests" / "shared.yaml").read_bytes() == before
    assert {action for address, action, _ in stage.changes() if "daily" in address} == {"adopt"}


def test_a_document_that_is_made_by_for_each_is_not_edited(stage: Stage) -> None:
    """What is added there would be added for every item."""
    stage.write(
        "apiVersion: reconciler/v1\nkind: Agent\nforEach: [{which: prices}, {which: stock}]\n"
        'metadata: {name: "${each.which}"}\nspec:\n  path: "sequentum/Retail/${each.which}"\n  schedules:\n'
        + NIGHTLY.replace("${var:zone}", "UTC")
    )
    before = (stage.root / "manifests" / "retail.yaml").read_bytes()
    ended = stage.run("import", "--update", "--agent", PRICES, "--agent", STOCK)
    assert ended.code == 1
    assert "1 document could not be updated; nothing was written" in ended.err
    assert "its document is made by forEach" in ended.said
    assert "next: add the schedules there by hand" in ended.said
    assert (stage.root / "manifests" / "retail.yaml").read_bytes() == before


def test_secrets_are_kept_out_of_documents_that_are_there_too(stage: Stage) -> None:
    secret = POLL.replace("UTC", "UTC\n      inputParameters: {password: '${env:PASSWORD}', region: au}")
    stage.write(agent(secret))
    assert stage.apply().code == 0
    stage.ledger.unlink()
    (owned,) = stage.owned().values()
    stage.estate.add_schedule(stage.estate.agents[PRICES], cron="0 0 4 * * *", input_parameters=owned.input_parameters)
    update(stage)
    text = (stage.root / "manifests" / "retail.yaml").read_text(encoding="utf-8")
    assert stage.environ["PASSWORD"] not in text
    assert '#   "password": "${env:PASSWORD}"' in text


def test_an_agent_that_cannot_be_read_keeps_its_document(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    before = (stage.root / "manifests" / "retail.yaml").read_bytes()
    stage.emulator.inject(f"GET {stage.estate.agents[PRICES].agent_id}/schedules$ 403")
    ended = stage.run("import", "--update", "--agent", PRICES)
    assert ended.code == 1
    assert "could not be read; nothing was written" in ended.err
    assert (stage.root / "manifests" / "retail.yaml").read_bytes() == before


CRONS = st.sampled_from(["0 0 2 * * *", "0 15 0 0", "0 0 0 1", "0 0 9 * * MON-FRI", "every full moon", "0 0 3 1 * *"])
EXTRAS = st.fixed_dictionaries(
    {"cron": CRONS},
    optional={
        "input_parameters": st.sampled_from(['{"a": "${env:X}"}', "no json", '{"token": "x", "b": "#c"}', "{}"]),
        "is_enabled": st.booleans(),
        "log_level": st.sampled_from([0, 1, 3, 7]),
        "session_id": st.sampled_from(["1-5/5", "a: b"]),
    },
)


@given(st.sampled_from(sorted(BLOCKS)), st.lists(EXTRAS, min_size=1, max_size=4), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.generated
def test_whatever_is_live_and_however_it_is_written(
    open_stage: Open, shape: str, extras: list[dict[str, Any]], applied: bool
) -> None:
    """After an update nothing but what was pending before is planned for ACC, and a second one has nothing to do."""
    stage = open_stage()
    for extra in extras:
        stage.estate.add_schedule(
            stage.estate.agents[PRICES], start_time="2026-01-01T00:00:00", time_zone_id="UTC", **extra
        )
    file: Path = stage.root / "manifests" / "retail.yaml"
    stage.write(HEAD + BLOCKS[shape])
    if applied:
        assert stage.apply().code == 0
    update(stage)
    after = file.read_bytes()
    assert lines_kept(HEAD + BLOCKS[shape], after.decode())
    assert stage.apply().code == 0
    assert stage.changes() == []
    update(stage)
    assert file.read_bytes() == after
