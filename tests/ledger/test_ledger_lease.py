"""One run at a time: locks, fencing, dead and frozen owners."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from ledger_samples import OWNER, Place, begun, change, entry

from reconciler import process_liveness
from reconciler.errors import Fenced, Interrupted, Locked
from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.ledger import Owner, migrations
from reconciler.ledger.lease import SharedRead
from reconciler.model.outcome import Outcome, Status

pytest_plugins = ["ledger_places"]

BOB = Owner("bob", "laptop", 1)


def _age(place: Place, seconds: float) -> None:
    """Let time pass for the lease, by whichever clock judges it."""
    place.clock.move(seconds)
    if not place.is_file:
        place.execute(f"UPDATE reconciler_lease SET heartbeat = heartbeat - {seconds}")


def test_the_second_run_learns_who_holds_the_lock(place: Place) -> None:
    with place.open() as ledger, ledger.acquire(OWNER), place.open() as other:
        with pytest.raises(Locked) as locked:
            other.acquire(BOB)
        assert locked.value.exit_code == 6
        for part in ("retail/default", "ann", "build-7", "4711", "https://ci.example/42", "2026-11-22T12:00:00Z"):
            assert part in locked.value.message
        assert "--lock-timeout" in locked.value.hint
        assert "unlock" in locked.value.hint
        with place.open("prod") as prod, prod.acquire(BOB):
            pass


def test_a_lease_that_is_given_back_is_free_and_the_number_grows(place: Place) -> None:
    with place.open() as ledger:
        numbers = []
        for _ in range(3):
            with ledger.acquire(OWNER) as lease:
                numbers.append(lease.fencing)
                lease.check()
            assert ledger.holder() is None
            with pytest.raises(Fenced):
                lease.check()
        assert numbers == sorted(set(numbers))


def test_waiting_gets_the_lease_once_it_is_free(place: Place) -> None:
    with place.open() as ledger, place.open() as other:
        lease = ledger.acquire(OWNER)
        waits = []

        def pause(seconds: float) -> None:
            waits.append(seconds)
            place.clock.move(seconds)
            if len(waits) == 3:
                lease.close()

        with other.acquire(BOB, timeout=60, pause=pause):
            assert len(waits) == 3
        with ledger.acquire(OWNER), pytest.raises(Locked):
            other.acquire(BOB, timeout=5, pause=place.clock.move)


def test_a_dead_owner_loses_its_lease(place: Place) -> None:
    with place.open() as ledger, place.open() as other:
        dead = ledger.acquire(OWNER, ttl=3600)
        _age(place, 3599)
        with pytest.raises(Locked):
            other.acquire(BOB)
        _age(place, 5)
        holder = other.holder()
        assert holder is not None
        assert holder.expired
        assert holder.owner == OWNER
        with pytest.raises(Fenced, match="run out"):
            dead.check()
        with pytest.raises(Fenced, match="run out"):
            dead.renew()
        with other.acquire(BOB) as lease:
            assert lease.fencing > dead.fencing
            dead.close()
            lease.check()


def test_a_beat_keeps_the_lease(place: Place) -> None:
    with place.open() as ledger, ledger.acquire(OWNER, ttl=3600) as lease:
        for _ in range(3):
            _age(place, 3000)
            lease.renew()
        lease.check()


def test_a_frozen_owner_writes_nothing_after_its_lock_was_broken(place: Place) -> None:
    with place.open() as frozen, place.open() as other:
        lease = frozen.acquire(OWNER)
        frozen.put(lease, entry())
        broken = other.break_lock()
        assert broken is not None
        assert broken.owner == OWNER
        assert other.break_lock() is None
        step = change("late")
        for write in (
            lease.check,
            lambda: frozen.began(lease, step, begun(step)),
            lambda: frozen.outcome(lease, Outcome(step, Status.APPLIED), entry("late")),
            lambda: frozen.put(lease, entry("late")),
            lambda: frozen.rekey(lease, {entry().address: None}),
            lambda: frozen.accept(lease),
            lambda: frozen.begin_run(lease, commit="", command="apply", plan_digest="p", once=True),
        ):
            with pytest.raises(Fenced, match="nothing more is written"):
                write()
        lease.close()
        assert list(other.memory().entries.values()) == [entry()]
        assert not other.is_plan_used("p")
        assert [event.kind for event in other.events(10)] == ["put", "lock-broken"]
        assert other.verify() == ()


_RACER = """
import sys
from datetime import datetime
from pathlib import Path
from reconciler.clock import Clock
from reconciler.errors import Locked
from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, Owner

clock = Clock(datetime.fromisoformat(sys.argv[3]))
place = dict(root=Path(sys.argv[2]), create=True, clock=clock, memo_of=memo_of)
with Ledger.open(sys.argv[1], "retail", "default", **place) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        lease = ledger.acquire(Owner("racer", "here", 1))
    except Locked:
        print("locked", flush=True)
    else:
        print("mine", flush=True)
        sys.stdin.readline()
        lease.close()
"""

_KILLED = """
import sys
from datetime import datetime
from pathlib import Path
from reconciler.clock import Clock
from reconciler.applier.run import opened
from reconciler.kinds.registry import memo_of
from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.ledger import Ledger, Owner
from reconciler.model.address import Address
from reconciler.model.plan import Action, Change, Reason

clock = Clock(datetime.fromisoformat(sys.argv[3]))
ledger = Ledger.open(
    sys.argv[1], "retail", "default", root=Path(sys.argv[2]), create=True, clock=clock, memo_of=memo_of
)
lease = ledger.acquire(Owner("victim", "here", 1), ttl=3600)
address = Address("schedule", "prices", "nightly")
change = Change(address, Action.CREATE, Reason.NEW, identity="id-nightly", agent_path="Retail/prices")
memo = ScheduleMemo(secrets=("inputParameters.password",))
ledger.began(lease, change, opened(change, None, declared="d", memo=memo, at="2026-11-22T12:00:00Z"))
print("sent", flush=True)
sys.stdin.readline()
"""


def _start(program: str, place: Place) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, place.url, str(place.root), place.clock().isoformat()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def _say(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)


def test_many_that_make_one_environment_at_a_time_agree_on_its_key(place: Place) -> None:
    """Its key and the fingerprint of it are read one after the other, and somebody may write both in between."""
    place.open("default").close()
    for number in range(15):
        barrier = threading.Barrier(6)

        def digest(environment: str = f"env-{number}", barrier: threading.Barrier = barrier) -> str:
            barrier.wait(30)
            with place.open(environment) as ledger:
                return ledger.seal("content")

        with ThreadPoolExecutor(6) as threads:
            digests = {made.result() for made in [threads.submit(digest) for _ in range(6)]}
        assert len(digests) == 1


def test_of_racing_processes_exactly_one_gets_the_lease(place: Place) -> None:
    # They also make the ledger, all at the same time.
    racers = [_start(_RACER, place) for _ in range(3)]
    try:
        assert [_hear(racer) for racer in racers] == ["ready"] * 3
        for racer in racers:
            _say(racer)
        assert sorted(_hear(racer) for racer in racers) == ["locked", "locked", "mine"]
    finally:
        for racer in racers:
            _end(racer)
    assert [racer.returncode for racer in racers] == [0, 0, 0]


def test_what_a_killed_run_began_is_unsettled(place: Place) -> None:
    victim = _start(_KILLED, place)
    try:
        assert _hear(victim) == "sent"
    finally:
        victim.send_signal(signal.SIGKILL)
        _end(victim)
    with place.open(create=False) as ledger:
        (seen,) = ledger.memory().entries.values()
        assert not seen.settled
        assert seen.memo == ScheduleMemo(secrets=("inputParameters.password",))
        assert [event.kind for event in ledger.events(5)] == ["began"]
    with place.open() as ledger:
        broken = ledger.break_lock()
        assert broken is not None
        assert broken.owner.user == "victim"
        with ledger.acquire(BOB) as lease:
            ledger.outcome(lease, Outcome(change(), Status.APPLIED), entry())
        assert ledger.memory().entries == {entry().address: entry()}
        assert ledger.verify() == ()


def test_the_lock_of_a_killed_process_is_free_at_once_and_that_of_a_living_one_is_not(place: Place) -> None:
    victim = _start(_KILLED, place)
    try:
        assert _hear(victim) == "sent"
        with place.open() as ledger:
            held = ledger.holder()
            assert held is not None
            assert not held.expired
            with pytest.raises(Locked):
                ledger.acquire(BOB)
            victim.send_signal(signal.SIGKILL)
            victim.wait(60)
            held = ledger.holder()
            assert held is not None
            assert held.expired
            with ledger.acquire(BOB) as lease:
                lease.check()
    finally:
        _end(victim)


def test_a_trace_that_says_nothing_of_a_process_here_is_no_death() -> None:
    ours = process_liveness.trace()
    for trace in ("", "x", "a b c d", "boot pid:[1] 1 1", ours.rpartition(" ")[0], f"{ours} 1"):
        assert not process_liveness.is_over(trace)


def test_a_process_is_told_from_another_that_got_its_id() -> None:
    head, _, started = process_liveness.trace().rpartition(" ")
    assert not process_liveness.is_over(process_liveness.trace())
    assert process_liveness.is_over(f"{head} {int(started) + 1}")


# --- one that hangs --------------------------------------------------------------------------------------------------

_HANGS = """
import sys
from pathlib import Path
from reconciler.clock import MACHINE
from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, Owner

place = dict(root=Path(sys.argv[2]), create=True, clock=MACHINE, memo_of=memo_of)
ledger = Ledger.open(sys.argv[1], "retail", "default", **place)
lease = ledger.acquire(Owner("ann", "build-7", 4711))

def work(connection):
    ledger._scope.require(connection, lease.fencing)
    print("inside", flush=True)
    sys.stdin.readline()

ledger._commits.alone(work)
print("done", flush=True)
lease.close()
ledger.close()
"""


@contextmanager
def hanging(place: Place) -> Iterator[subprocess.Popen[str]]:
    """An owner that is frozen in the middle of a commit, and goes on at the end."""
    owner = _start(_HANGS, place)
    try:
        assert _hear(owner) == "inside"
        owner.send_signal(signal.SIGSTOP)
        yield owner
    finally:
        owner.send_signal(signal.SIGCONT)
        _end(owner)


def test_an_owner_that_hangs_in_a_commit_locks_others_out_by_name(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.ledger import lease

    monkeypatch.setattr(lease, "_HANGS_SECONDS", 1.0)
    with place.open():
        pass
    with hanging(place) as owner:
        with place.open() as other:
            with pytest.raises(Locked, match=r"applied by ann on build-7.*in the middle of a write") as caught:
                other.acquire(BOB)
            assert caught.value.exit_code == 6
            assert "end that process" in caught.value.hint
            assert other.memory().entries == {}, "reading goes on"
        owner.send_signal(signal.SIGCONT)
        _say(owner)
        assert _hear(owner) == "done"
        owner.wait(60)
    with place.open() as other, other.acquire(BOB):
        pass


def test_waiting_for_an_owner_that_hangs_ends_when_it_goes_on_or_when_somebody_interrupts(place: Place) -> None:
    with place.open():
        pass
    with hanging(place) as owner, place.open() as other:
        pauses: list[float] = []

        def interrupt(seconds: float) -> bool:
            pauses.append(seconds)
            return len(pauses) == 2

        with pytest.raises(Interrupted) as caught:
            other.acquire(BOB, timeout=600, pause=interrupt)
        assert caught.value.exit_code == 130

        def wake(seconds: float) -> None:
            if not owner.poll():
                owner.send_signal(signal.SIGCONT)
                _say(owner)
            time.sleep(seconds)

        with other.acquire(BOB, timeout=600, pause=wake):
            pass


# --- asking it -------------------------------------------------------------------------------------------------------


def test_threads_share_an_answer_that_is_never_older_than_their_question() -> None:
    lock = threading.Lock()
    moment = 0
    reads = 0

    def read() -> int:
        nonlocal reads
        with lock:
            reads += 1
            seen = moment
        time.sleep(0.001)
        return seen

    shared = SharedRead(read)
    old: list[tuple[int, int]] = []

    def ask() -> None:
        nonlocal moment
        for _ in range(50):
            with lock:
                moment += 1
                asked = moment
            answer = shared()
            if answer < asked:
                old.append((asked, answer))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert old == []
    assert reads < 400, "they did share"


def test_a_question_that_failed_is_asked_again() -> None:
    asked: list[int] = []

    def read() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise OSError("gone")
        return 1

    shared = SharedRead(read)
    with pytest.raises(OSError, match="gone"):
        shared()
    assert shared() == 1


def test_a_ledger_that_another_run_makes_meanwhile_is_taken_as_it_is(postgres_url: str, file_place: Place) -> None:
    place = Place(postgres_url, file_place.root, file_place.clock)
    with psycopg.connect(postgres_url) as first, ThreadPoolExecutor(1) as pool:
        first.execute("SELECT pg_advisory_xact_lock(7311894205)")
        second = pool.submit(place.open)
        with psycopg.connect(postgres_url, autocommit=True) as watch:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while watch.execute(waiting).fetchone() == (0,):
                assert not second.done(), second.exception()
        migrations.migrate(first.execute, 0)
        first.commit()
        with second.result(30) as ledger, ledger.acquire(BOB):
            pass
