"""A ledger that an earlier version wrote knows agents by their path alone: nothing is lost or done twice with it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import psycopg
import pytest
from stage import NIGHTLY, POLL, PRICES, Stage, agent, task_trigger

from reconciler.emulator import move_agent, remake_agent

pytest_plugins = ["postgres"]

SHOPS = "sequentum/Shops/prices"
PROTECTED = POLL + "      protect: true\n"
SENT = "  approval: {state: approved}\n  inputFiles: [{file: urls.csv}]\n"


def document(**settings: str) -> str:
    extra = settings.pop("extra", "")
    handle = settings.get("name", "prices")
    trigger = task_trigger().replace(
        'when: {revision: "1"}\n', f'when: {{changed: [input-files/{handle}, "schedule/{handle}/*"]}}\n'
    )
    return agent(NIGHTLY, PROTECTED, extra=extra + SENT, **settings) + "---\n" + trigger


@pytest.fixture
def aged(stage: Stage) -> Stage:
    """A stage where everything was applied by the version whose ledger had no ids of agents."""
    (stage.root / "manifests" / "urls.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    stage.write(document())
    stage.write(agent(NIGHTLY, name="stock"), "stock.yaml")
    assert stage.apply().code == 0
    with closing(sqlite3.connect(stage.ledger)) as ledger, ledger:
        for table, column in (("entries", "agent_id"), ("entries", "known_as"), ("agents", "agent_id")):
            ledger.execute(f"ALTER TABLE reconciler_{table} DROP COLUMN {column}")
        ledger.execute("UPDATE reconciler_meta SET value = '1' WHERE project = '' AND name = 'schema_version'")
        for address, text in ledger.execute("SELECT address, facts FROM reconciler_entries").fetchall():
            facts = json.loads(text) if address.startswith(("trigger/", "input-files/")) else {}
            ledger.execute("UPDATE reconciler_entries SET facts = ? WHERE address = ?", (json.dumps(facts), address))
    return stage


CHANGES = {
    "nothing": (PRICES, {}),
    "a new handle": (PRICES, {"name": "shop-prices", "path": PRICES}),
    "a new path": (SHOPS, {"path": SHOPS}),
    "a new path, said": (SHOPS, {"path": SHOPS, "extra": f"  movedFrom: {PRICES}\n"}),
    "a new path and handle": (SHOPS, {"path": SHOPS, "name": "shop-prices"}),
}


@pytest.mark.parametrize("first", [(), ("--only", "schedule/stock/*"), ("--only", "schedule/*/poll")])
@pytest.mark.parametrize("change", CHANGES)
def test_what_moved_since_an_earlier_version_is_recognised(aged: Stage, change: str, first: tuple[str, ...]) -> None:
    path, settings = CHANGES[change]
    if path != PRICES:
        move_agent(aged.estate, PRICES, path)
    aged.write(document(**settings))
    live, before = aged.owned(), aged.writes()
    assert aged.run("drift").code == 0
    for arguments in (first, (), ()):
        assert aged.apply(*arguments).code == 0
    assert aged.changes() == []
    assert aged.writes() == before
    assert aged.owned() == live
    aged.write(agent(NIGHTLY, path=path))
    assert aged.apply().code == 3, "what is protected stays so"
    assert aged.owned() == live


def test_an_agent_made_anew_where_one_of_an_earlier_version_was_has_none_of_its_files(aged: Stage) -> None:
    """The former one moved and is declared there, so its schedules tell whose the older entries are."""
    move_agent(aged.estate, PRICES, SHOPS)
    aged.estate.add_agent(PRICES, duration=0.0)
    aged.write(document() + "---\n" + agent(NIGHTLY, PROTECTED, name="shop-prices", path=SHOPS, extra=SENT))
    actions = {(at, action) for at, action, _ in aged.changes()}
    assert {("approval/prices", "approve"), ("input-files/prices", "upload")} <= actions
    assert not {("approval/shop-prices", "approve"), ("input-files/shop-prices", "upload")} & actions
    assert aged.apply().code == 0
    assert aged.changes() == []
    assert aged.starts() == 1


def test_a_path_of_an_earlier_version_that_is_gone_is_given_up_by_word(aged: Stage) -> None:
    remake_agent(aged.estate, PRICES)
    move_agent(aged.estate, PRICES, SHOPS)
    (aged.root / "manifests" / "retail.yaml").unlink()
    assert aged.apply().code == 4
    assert aged.apply("--forget-agent", PRICES).code == 0
    assert aged.changes() == []


READERS = ("plan", "drift", "status", "history", "calendar", "unlock")


@pytest.mark.parametrize(
    "first", [(), ("--only", "schedule/stock/*"), ("resolve",), ("by hand",), ("unlock",)], ids=" ".join
)
def test_an_older_ledger_in_postgresql_is_read_as_it_is_and_brought_up_to_date(
    stage: Stage, postgres_url: str, first: tuple[str, ...]
) -> None:
    stage.project(f"  ledger: {postgres_url}\n")
    (stage.root / "manifests" / "urls.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    stage.write(document())
    stage.write(agent(NIGHTLY, name="stock"), "stock.yaml")
    assert stage.apply().code == 0
    with psycopg.connect(postgres_url, autocommit=True) as ledger:
        ledger.execute("ALTER TABLE reconciler_entries DROP COLUMN agent_id, DROP COLUMN known_as")
        ledger.execute("ALTER TABLE reconciler_agents DROP COLUMN agent_id")
        ledger.execute("UPDATE reconciler_meta SET value = '1' WHERE project = '' AND name = 'schema_version'")
    for command in READERS:
        assert stage.run(command).code == 0, command
    with psycopg.connect(postgres_url) as ledger:
        version = ledger.execute("SELECT value FROM reconciler_meta WHERE name = 'schema_version'").fetchone()
        assert version == ("1",), "nothing that reads brings it up to date"
    before = stage.writes()
    match first:
        case ["resolve"]:
            assert "has an unknown outcome" in stage.run("resolve", "trigger/publish", "--ran").said
        case ["by hand"]:
            assert stage.run("acc", "agent", "approve", PRICES, "--message", "Seen").code == 0
            before = stage.writes()
        case ["unlock"]:
            assert stage.run("unlock", "--force").code == 0
        case _:
            assert stage.apply(*first).code == 0
    assert stage.apply().code == 0
    assert stage.changes() == []
    assert stage.writes() == before


def test_a_ledger_of_an_earlier_version_can_be_listed_copied_and_moved(aged: Stage, postgres_url: str) -> None:
    starts, writes = aged.starts(), aged.writes()
    listed = aged.run("ledger", "list", "--format", "json").document["entries"]
    assert len(listed) == 6
    assert aged.run("ledger", "backup", str(aged.root / "copy.db")).code == 0
    with closing(sqlite3.connect(aged.ledger)) as ledger:
        (version,) = ledger.execute("SELECT value FROM reconciler_meta WHERE name = 'schema_version'").fetchone()
    assert version == "1", "whoever copies it leaves it as it is"
    aged.project("  ledger: sqlite:///copy.db\n")
    assert aged.run("ledger", "list", "--format", "json").document["entries"] == listed
    assert aged.run("plan", "--detailed-exitcode").code == 0
    aged.project("")
    assert aged.run("ledger", "migrate", "--to", postgres_url).code == 0
    aged.project(f"  ledger: {postgres_url}\n")
    assert aged.run("ledger", "list", "--format", "json").document["entries"] == listed
    assert aged.run("plan", "--detailed-exitcode").code == 0
    assert aged.apply().code == 0
    assert (aged.starts(), aged.writes()) == (starts, writes)
