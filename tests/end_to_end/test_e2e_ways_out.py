"""Every state that an address can be in has a way out, and it is the one that is printed.

The states are all of kind x what the ledger holds x what is live x whether it is declared. From each of them a reader
who knows nothing does what the program says: applies, waits, types the command that stands between backticks, or edits
the manifest as told. In the end nothing is left to do, and no task was started that nobody asked for.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from stage import NIGHTLY, PRICES, Stage, agent, task_trigger

from reconciler.emulator import remake_agent, remove_agent
from reconciler.identity import owned_id
from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, Owner
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.entry import Entry

STEPS = 7
SLOW = "dddddddd-64a4-4c57-8d6b-6c8f3f0a7d21"
SHORT = "  wait: {timeout: 1s, interval: 1s}\n"
PLAIN = frozenset({"reconciler apply", "reconciler plan", "reconciler doctor", "reconciler status"})


@dataclass
class Reader:
    """Somebody who does what the program says. `edits` are what a text that is told means for the manifests."""

    stage: Stage
    edits: tuple[tuple[str, Callable[[], None]], ...] = ()
    wait: Callable[[], bool] = lambda: False
    typed: tuple[str, ...] = ()

    def come_to_rest(self) -> None:
        """Follow what is said until nothing is left to do."""
        for _ in range(STEPS):
            said = self.stage.apply().said
            plan = self.stage.run("plan", "--detailed-exitcode")
            if plan.code == 0 and "trigger-failed" not in plan.out:
                return
            if not ("again later" in said + plan.said or "when it has ended" in plan.said) or not self.wait():
                self._do_what_is_said(f"{said} {plan.said}")
        pytest.fail(f"no rest after {STEPS} steps: typed {self.typed}; the plan says {plan.said}")

    def _do_what_is_said(self, said: str) -> None:
        for told, edit in self.edits:
            if re.search(told, said) and f"edit: {told}" not in self.typed:
                self.typed += (f"edit: {told}",)
                edit()
                return
        commands = [found.partition(" | ")[0] for found in re.findall(r"`(reconciler [^`]+)`", said)]
        telling = [one for one in commands if one not in PLAIN]
        if not telling:
            return
        self.typed += (telling[0],)
        words = shlex.split(telling[0])[1:]
        assert self.stage.run(*words, *(["--auto-approve"] if words[0] == "apply" else [])).code in (0, 3, 4, 8)


def every(*choices: Iterable[str]) -> list[tuple[str, ...]]:
    return list(itertools.product(*choices))


def rewrite(stage: Stage, address: str, **changes: Any) -> None:
    """Leave an entry as an apply that ended badly would have left it. `facts` are laid over those it has."""
    at = Address.parse(address)
    place = "sqlite:///.reconciler/ledger.db"
    with (
        Ledger.open(
            place, "retail", "default", root=stage.root, create=True, clock=stage.clock, memo_of=memo_of
        ) as ledger,
        ledger.acquire(Owner("ada", "here", 1)) as lease,
    ):
        entry: Entry = ledger.memory().entries[at]
        memo = memo_of(at.kind, {**entry.memo.to_json(), **changes.pop("facts", {})})
        ledger.put(lease, replace(entry, **changes, memo=memo))


def lose_ledger(stage: Stage) -> None:
    for path in stage.ledger.parent.iterdir():
        path.unlink()


# --- triggers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """What the ledger and Automate MFT hold of the last start, and how many more are due to come of it."""

    facts: dict[str, Any]
    is_open: bool = False
    run: str = "ended"
    comes: int = 0


STARTS = {
    "sending": Start({"state": "sending", "runId": ""}, is_open=True),
    "unknown": Start({"state": "unknown", "runId": ""}, is_open=True),
    "running, and it goes on": Start({"state": "running"}, is_open=True, run="goes on"),
    "running, and over": Start({"state": "running"}, is_open=True),
    "running, and failed": Start({"state": "running"}, is_open=True, run="failed", comes=1),
    "running, and not known there": Start({"state": "running"}, is_open=True, run="lost"),
    "running under a wrong id": Start({"state": "running", "runId": "mistyped"}, is_open=True),
    "started": Start({"state": "started"}),
    "success": Start({"state": "success"}),
    "said to have run": Start({"state": "success", "resolved": True, "runId": ""}),
    "failed": Start({"state": "failed"}, comes=1),
    "not-ran": Start({"state": "not-ran", "runId": "", "resolved": True}, comes=1),
}
DOCUMENTS = ("declared", "with another revision", "gone")


@pytest.mark.parametrize(("state", "document"), every(STARTS, DOCUMENTS))
def test_triggers(stage: Stage, state: str, document: str, record_count: Callable[[str, int], None]) -> None:
    record_count("states with a way out", 1)
    start = STARTS[state]
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger(task="Slow", extra="  wait: false\n"))
    assert stage.apply().code == 0
    tenant = stage.estate.tenant
    assert tenant is not None
    rewrite(stage, "trigger/publish", settled=not start.is_open, facts=start.facts)
    tenant.tasks[SLOW].duration = 0.0
    (run,) = tenant.runs.values()
    if start.run == "lost":
        tenant.runs.clear()
    elif start.run != "goes on":
        run.end, run.outcome = stage.clock(), "failed" if start.run == "failed" else "success"
    before = len(tenant.runs)
    revision = "2" if document == "with another revision" else "1"
    kept = "" if document == "gone" else "---\n" + task_trigger(task="Slow", revision=revision, extra=SHORT)
    stage.write(agent(NIGHTLY) + kept)

    def let_time_pass() -> bool:
        if start.run != "goes on" or run.end <= stage.clock():
            return False
        run.end = stage.clock()
        return True

    reader = Reader(stage, wait=let_time_pass)
    reader.come_to_rest()
    comes = {"gone": 0, "with another revision": 1}.get(document, start.comes)
    assert len(tenant.runs) - before == comes, reader.typed


@pytest.mark.parametrize("ledger", ["lost", "empty since", "lost while an agent cannot be read"])
@pytest.mark.parametrize("document", ["declared", "gone"])
def test_triggers_after_a_loss(
    stage: Stage, ledger: str, document: str, record_count: Callable[[str, int], None]
) -> None:
    record_count("states with a way out", 1)
    kept = "---\n" + task_trigger(extra=SHORT)
    stage.write(agent(NIGHTLY) + kept)
    assert stage.apply().code == 0
    lose_ledger(stage)
    if "read" in ledger:
        stage.emulator.inject("GET agentPath=.*prices #1 403")
    if ledger == "empty since":
        assert stage.apply().code == 3
    stage.write(agent(NIGHTLY) + ("" if document == "gone" else kept))
    Reader(stage).come_to_rest()
    assert stage.starts() == 1


# --- input files and approval ----------------------------------------------------------------------------------------

SENT = {
    "nothing": None,
    "as declared": {},
    "open": {"settled": False},
    "open from the first time": {"settled": False, "applied": {}},
    "something else": {"applied": {"state": "other", "files.urls.csv": "other"}},
    "by hand": {
        "applied": {},
        "facts": {"byHand": {"call": "acc x", "by": "ada on here", "at": "2026-01-01T00:00:00Z"}},
    },
    "perhaps deleted by a run": {"applied": {}, "facts": {"runDeletes": True}},
}
AGENTS = ("there", "runs", "made anew", "gone")
EXTRA = "  approval: {state: approved}\n  inputFiles:\n    - file: urls.csv\n"


KINDS = ("input-files", "input-files, exclusive", "approval")


@pytest.mark.parametrize(("kind", "document"), every(KINDS, ("declared", "gone")))
@pytest.mark.parametrize(("entry", "is_at"), every(SENT, AGENTS))
def test_what_is_attested(
    stage: Stage, kind: str, entry: str, is_at: str, document: str, record_count: Callable[[str, int], None]
) -> None:
    record_count("states with a way out", 1)
    (stage.root / "manifests" / "urls.csv").write_bytes(b"url\n")
    extra = EXTRA + ("  inputFilesExclusive: true\n" if "exclusive" in kind else "")
    changes = SENT[entry]
    stage.write(agent(NIGHTLY, extra="" if changes is None else extra))
    assert stage.apply().code == 0
    if changes:
        rewrite(stage, f"{kind.partition(',')[0]}/prices", **changes)
    at = stage.estate.agents[PRICES]
    busy = None
    if is_at == "runs":
        at.duration = 3600.0
        assert stage.run("acc", "job", "start", PRICES).code == 0
        (busy,) = at.runs
    elif is_at == "made anew":
        remake_agent(stage.estate, PRICES)
    elif is_at == "gone":
        remove_agent(stage.estate, PRICES)
    stage.write(agent(NIGHTLY, extra=extra if document == "declared" else ""))

    def remove_document() -> None:
        stage.write(agent(name="stock"))

    def let_time_pass() -> bool:
        if busy is None or busy.end <= stage.clock():
            return False
        busy.end = stage.clock()
        return True

    Reader(stage, (("remove the document", remove_document),), let_time_pass).come_to_rest()
    if document == "declared" and is_at != "gone":
        agent_now = stage.estate.agents[PRICES]
        assert agent_now.approved
        assert {name: file.content for name, file in agent_now.input_files.items()} == {"urls.csv": b"url\n"}


# --- schedules -------------------------------------------------------------------------------------------------------

REMEMBERED = ("nothing", "settled", "open", "protected")
LIVE = ("equal", "differs", "absent", "agent gone", "agent made anew")


@pytest.mark.parametrize(("remembered", "live", "document"), every(REMEMBERED, LIVE, ("declared", "gone")))
def test_schedules(
    stage: Stage, remembered: str, live: str, document: str, record_count: Callable[[str, int], None]
) -> None:
    record_count("states with a way out", 1)
    other = NIGHTLY.replace("nightly", "other").replace("0 0 2", "0 0 4")
    stage.write(agent(NIGHTLY, other))
    assert stage.apply().code == 0
    at = "schedule/prices/nightly"
    match remembered:
        case "nothing":
            lose_ledger(stage)
        case "open":
            rewrite(stage, at, settled=False)
        case "protected":
            rewrite(stage, at, protect=True)
    match live:
        case "differs":
            stage.live("nightly").cron = "0 0 9 * * *"
        case "absent":
            stage.estate.remove_schedule(owned_id("retail", "default", PRICES, "nightly"))
        case "agent gone":
            remove_agent(stage.estate, PRICES)
        case "agent made anew":
            remake_agent(stage.estate, PRICES)
    declared = agent(NIGHTLY, other)
    stage.write(declared if document == "declared" else agent(other))

    def declare_again() -> None:
        stage.write(agent(NIGHTLY + "      protect: false\n", other))
        assert stage.apply().code == 0
        stage.write(agent(other))

    edits = (
        ("protect: false", declare_again),
        ("remove the document", lambda: stage.write(agent(name="stock"))),
    )
    Reader(stage, edits).come_to_rest()
    if live != "agent gone":
        assert len(stage.owned()) == (2 if document == "declared" else 1)


def test_a_server_that_makes_ids_of_its_own(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage(switches=["ignore_new_ids=yes"])
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 8
    said = stage.run("plan").said
    stray = re.search(r"declare it with `id: ([^`]+)`", said)
    assert stray, said
    stage.write(agent(NIGHTLY + f"      id: {stray[1]}\n"))
    Reader(stage).come_to_rest()
