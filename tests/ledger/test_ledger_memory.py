"""What the ledger remembers, on both databases: entries, runs, plans, agents, the journal."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ledger_samples import OWNER, Place, begun, change, entry

from reconciler.errors import LedgerError, PlanRefused
from reconciler.kind import LicenceCount
from reconciler.kinds.schedule_state import ScheduleMemo, ScheduleState
from reconciler.kinds.trigger import Task, TriggerMemo
from reconciler.ledger import Ledger
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action

pytest_plugins = ["ledger_places"]


def test_a_new_ledger_knows_nothing_until_it_is_accepted(place: Place) -> None:
    with place.open() as ledger:
        assert not ledger.memory().known
        with ledger.acquire(OWNER) as lease:
            ledger.put(lease, entry())
            assert not ledger.memory().known  # entries may have been learnt again after a loss
            ledger.mark_lost(lease)
            assert (ledger.memory().known, ledger.memory().lost) == (False, True)
            ledger.accept(lease)
        assert (ledger.memory().known, ledger.memory().lost) == (True, False)


def test_began_is_there_for_whoever_comes_after_a_crash(place: Place) -> None:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        known = entry(memo=ScheduleMemo(start="2026-01-01T02:00:00"))
        ledger.put(lease, known)
        secret = replace(known.memo, secrets=("inputParameters.password",))
        ledger.began(lease, change(), begun(change(), known, declared="hmac-sha256:new", memo=secret))
        with place.open(create=False) as other:
            seen = other.memory().entries[change().address]
    assert not seen.settled
    assert (seen.applied, seen.identity, seen.declared) == (entry().applied, "id-nightly", "hmac-sha256:new")
    assert seen.memo == ScheduleMemo(start="2026-01-01T02:00:00", secrets=("inputParameters.password",))


def test_outcome_settles_or_removes(place: Place) -> None:
    gone = change("old", Action.DELETE)
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, entry("old"))
        for step, after in ((change(), entry(needs=(gone.address,), protect=True)), (gone, None)):
            ledger.began(lease, step, begun(step))
            ledger.outcome(lease, Outcome(step, Status.APPLIED, evidence=Evidence.VERIFIED), after)
        assert ledger.memory().entries == {change().address: entry(needs=(gone.address,), protect=True)}


def test_every_field_of_an_entry_comes_back(place: Place) -> None:
    odd = entry(
        address=Address("trigger", "", "publish"),
        adopted=True,
        protect=True,
        settled=False,
        needs=(Address("input-files", "prices"),),
        memo=TriggerMemo(
            run_id="ü\n'\"",
            attempts=2,
            licence=LicenceCount(used=None, limit=7),
            task=Task(name="日本"),
            secrets=("a",),
        ),
    )
    with place.open() as ledger:
        with ledger.acquire(OWNER) as lease:
            ledger.put(lease, odd, entry())
        assert ledger.memory().entries == {odd.address: odd, entry().address: entry()}


def test_environments_and_projects_do_not_see_each_other(place: Place) -> None:
    with place.open("prod") as prod, prod.acquire(OWNER) as lease:
        prod.put(lease, entry())
        with place.open("test") as test, test.acquire(OWNER) as other:
            test.put(other, entry("other"))
            assert [str(address) for address in test.memory().entries] == ["schedule/prices/other"]
        assert [str(address) for address in prod.memory().entries] == ["schedule/prices/nightly"]


def test_agent_paths_outlive_their_entries_until_forgotten(place: Place) -> None:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, entry())
        ledger.forget_agent(lease, "Retail/prices")
        assert ledger.agent_paths() == {"Retail/prices": "prices"}  # an entry still names it
        ledger.rekey(lease, {entry().address: None})
        assert ledger.agent_paths() == {"Retail/prices": "prices"}
        ledger.forget_agent(lease, "Retail/prices")
        assert ledger.agent_paths() == {}


def test_an_agent_is_remembered_by_its_id_and_by_the_last_path(place: Place) -> None:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, entry(agent_id="agent-7", known_as="schedule/old/nightly"))
        memory = ledger.memory()
    assert memory.agent_ids == {"Retail/prices": "agent-7"}
    assert next(iter(memory.entries.values())) == entry(agent_id="agent-7", known_as="schedule/old/nightly")


def test_entries_change_their_addresses_in_one_step(place: Place) -> None:
    one, other = entry("one"), entry("other")
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, one, other)
        swapped = {one.address: replace(other, address=one.address), other.address: replace(one, address=other.address)}
        ledger.rekey(lease, swapped)
        ledger.rekey(lease, {one.address: None})
        assert ledger.memory().entries == {other.address: replace(one, address=other.address)}
        assert [event.address for event in ledger.events(2)] == [str(one.address), str(other.address)]


@pytest.mark.parametrize(
    "address",
    [
        Address("schedule", "", "nightly"),
        Address("schedule", "prices"),
        Address("schedule", "prices", "a/b"),
        Address("trigger", "prices", "publish"),
        Address("approval", ""),
    ],
    ids=repr,
)
def test_an_entry_that_could_not_be_read_back_is_not_written(place: Place, address: Address) -> None:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, entry())
        with pytest.raises(LedgerError, match="no whole address"):
            ledger.put(lease, entry(address=address))
        assert list(ledger.memory().entries) == [entry().address]


def test_the_other_projects_and_environments_of_a_ledger_are_told(place: Place) -> None:
    with place.open("prod") as prod, prod.acquire(OWNER) as lease:
        prod.put(lease, entry())
        assert prod.memory().neighbours == ()
    with place.open("test") as test:
        assert test.memory().neighbours == (("retail", "prod"),)


def test_a_ledger_that_does_not_know_agents_by_their_id_is_read(place: Place) -> None:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, entry())
    for column in ("entries DROP COLUMN agent_id", "entries DROP COLUMN known_as", "agents DROP COLUMN agent_id"):
        place.execute(f"ALTER TABLE reconciler_{column}")
    place.execute("UPDATE reconciler_meta SET value = '1' WHERE name = 'schema_version'")
    if place.is_file:
        with place.open(create=False) as ledger:
            assert ledger.memory().entries == {entry().address: entry()}
    with place.open() as ledger:
        assert ledger.memory().entries == {entry().address: entry()}
        assert ledger.memory().agent_ids == {"Retail/prices": ""}


def test_runs_tell_who_did_what(place: Place) -> None:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        first = ledger.begin_run(lease, commit="c0ffee", command="apply", plan_digest="sha256:1")
        place.clock.move(30)
        ledger.end_run(lease, first, result="applied", summary={"applied": 2})
        ledger.begin_run(lease, commit="", command="destroy", plan_digest="")
        second, done = ledger.runs(10)
        assert (done.id, done.owner, done.commit, done.command) == (first, OWNER, "c0ffee", "apply")
        assert (done.started, done.finished) == ("2026-11-22T12:00:00Z", "2026-11-22T12:00:30Z")
        assert (done.result, done.summary) == ("applied", {"applied": 2})
        assert (second.command, second.finished, second.result) == ("destroy", "", "")
        assert [run.command for run in ledger.runs(1)] == ["destroy"]


def test_a_saved_plan_is_used_once(place: Place) -> None:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        assert not ledger.is_plan_used("sha256:1")
        ledger.begin_run(lease, commit="", command="apply", plan_digest="sha256:1", once=True)
        assert ledger.is_plan_used("sha256:1")
        with pytest.raises(PlanRefused, match="used already"):
            ledger.begin_run(lease, commit="", command="apply", plan_digest="sha256:1", once=True)
        assert len(ledger.runs(10)) == 1
        ledger.begin_run(lease, commit="", command="apply", plan_digest="sha256:1")


def test_many_threads_write_at_once_and_nothing_is_lost(place: Place) -> None:
    def run(number: int) -> None:
        step = change(f"s{number:03}")
        ledger.began(lease, step, begun(step))
        ledger.outcome(lease, Outcome(step, Status.APPLIED), entry(f"s{number:03}"))

    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(run, range(120)))
        assert all(found.settled for found in ledger.memory().entries.values())
        assert len(ledger.memory().entries) == 120
        assert [event.seq for event in ledger.events(1000)] == list(range(1, 241))
        assert ledger.verify() == ()


def test_the_journal_says_what_happened_and_nothing_secret(place: Place) -> None:
    secret = replace(
        change(),
        before=ScheduleState(input_parameters={"password": "hunter2"}),
        after=ScheduleState(session_id="hunter2"),
    )
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        run = ledger.begin_run(lease, commit="c", command="apply", plan_digest="p")
        ledger.began(lease, secret, begun(secret))
        ledger.outcome(lease, Outcome(secret, Status.UNKNOWN, seconds=1.23456, run_id="r1"), None, "reply lost")
        events = ledger.events(10)
    assert [(event.kind, event.address, event.run) for event in events] == [
        ("run-began", "", run),
        ("began", "schedule/prices/nightly", run),
        ("outcome", "schedule/prices/nightly", run),
    ]
    told = json.loads(events[-1].body)
    assert (told["status"], told["detail"], told["seconds"], told["run_id"]) == ("unknown", "reply lost", 1.235, "r1")
    assert "hunter2" not in repr(events)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("UPDATE reconciler_events SET body = '{}' WHERE seq = 2", "event-altered"),
        ("UPDATE reconciler_events SET at = '2020-01-01T00:00:00Z' WHERE seq = 2", "event-altered"),
        ("UPDATE reconciler_events SET previous = 'x' WHERE seq = 2", "chain-broken"),
        ("DELETE FROM reconciler_events WHERE seq = 2", "event-missing"),
        ("DELETE FROM reconciler_events WHERE seq = 1", "event-missing"),
        ("DELETE FROM reconciler_events WHERE seq = 3", "journal-cut"),
        ("DELETE FROM reconciler_events", "journal-cut"),
        ("DELETE FROM reconciler_meta WHERE name = 'journal_head'", "head-differs"),
    ],
)
def test_tampering_shows(place: Place, damage: str, code: str) -> None:
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, *(entry(f"s{number}") for number in range(3)))
        assert ledger.verify() == ()
    place.execute(damage)
    with place.open(create=False) as ledger:
        assert [finding.code for finding in ledger.verify()] == [code]


def test_digests_stay_comparable_and_another_key_is_refused(place: Place) -> None:
    with place.open() as ledger:
        own = ledger.seal("content")
    with place.open(create=False) as ledger:
        assert ledger.seal("content") == own
    with pytest.raises(LedgerError, match="another key") as refused:
        place.open(key=b"from the environment")
    assert "unset RECONCILER_KEY" in refused.value.hint


def test_a_key_from_outside_is_not_kept(place: Place) -> None:
    with place.open(key=b"outside") as ledger:
        sealed = ledger.seal("content")
    with place.open(create=False, key=b"outside") as ledger:
        assert ledger.seal("content") == sealed
    for key in (None, b"other"):
        with pytest.raises(LedgerError, match="another key") as refused:
            place.open(create=False, key=key)
        assert "set RECONCILER_KEY" in refused.value.hint
    if place.is_file:
        assert b"outside".hex().encode() not in place.file.read_bytes()


def test_exists_tells_without_making_anything(place: Place) -> None:
    assert not Ledger.exists(place.url, place.root)
    assert list(place.root.iterdir()) == []
    with pytest.raises(LedgerError, match="there is no ledger"):
        place.open(create=False)
    place.open().close()
    assert Ledger.exists(place.url, place.root)


def test_the_folder_keeps_itself_out_of_git_and_the_file_to_its_owner(file_place: Place) -> None:
    file_place.open().close()
    assert (file_place.root / ".reconciler" / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE(file_place.file.stat().st_mode) == 0o600


def test_a_ledger_in_a_folder_of_the_user_leaves_that_alone(file_place: Place) -> None:
    file_place.url = "sqlite:///ledger.db"
    file_place.open().close()
    assert [path.name for path in file_place.root.iterdir()] == ["ledger.db"]


def test_reading_leaves_no_trace(file_place: Place) -> None:
    with file_place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, entry())
    before = _snapshot(file_place.root)
    with file_place.open(create=False) as ledger:
        assert ledger.memory().entries
        assert ledger.holder() is None
        with pytest.raises(LedgerError, match="read only"):
            ledger.acquire(OWNER)
    assert _snapshot(file_place.root) == before


def _snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
