"""One run of the tool in a generated history, held against the model before and after."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from urllib.request import urlopen

from history_manifests import Document
from history_model import Model
from kill_processes import KillAt, Zygote
from stage import Ended, Stage

DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 64, -9}


@dataclass
class Holding:
    """Runs the tool and looks. `unknown` says of each start in doubt whether it really happened; `struck` how often the
    last run met a fault."""

    stage: Stage
    model: Model
    zygote: Zygote
    unknown: dict[str, bool] = field(default_factory=dict)
    runs_known: dict[str, int] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    ignores_ids: bool = False
    struck: int = 0

    def read(self, *arguments: str) -> Ended:
        """A command that writes nothing, neither to the products nor to the ledger."""
        held, before = self._ledger(), self.model.world.snapshot()
        self.write_manifests()
        ended = self.stage.run(*arguments)
        assert not self.stage.writes(), f"{arguments[0]} wrote: {self.stage.writes()}"
        makes_a_ledger = not held and "--out" in arguments  # it holds nothing but the key that seals the plan
        assert makes_a_ledger or self._ledger() == held, f"{arguments[0]} changed the ledger"
        assert self.model.world.snapshot() == before
        self._check_code(ended, arguments)
        return ended

    def write(
        self,
        *arguments: str,
        faulty: bool = False,
        destroy: bool = False,
        kill: KillAt | None = None,
    ) -> Ended:
        """A run that may write, held against the model before and after."""
        model, accepts = self.model, "--accept-new-ledger" in arguments
        filtered = "--only" in arguments
        model.before_writing()
        conflicts, quiet = self._conflicts(arguments), not (model.dirty or faulty or destroy)
        strays = model.known_strays()
        before, stays, loss_shows = model.world.snapshot(), model.stays(destroy=destroy), model.loss_shows()
        self.write_manifests()
        ended = self._run(arguments, kill)
        writes = self.stage.writes()
        self.struck = sum(fault.fired for fault in self.stage.emulator.faults)
        self.stage.emulator.clear_faults()
        if not self.struck:
            self._check_code(ended, arguments)
        may_write = not conflicts or destroy or self.struck > 0  # who cannot be read cannot be told from another
        assert may_write or not writes, f"an agent is declared twice, and yet: {writes}"
        may_delete, may_stray = not filtered and may_write, self.ignores_ids * (1 + self.struck)
        may_stray = 0 if strays else may_stray
        model.check_nothing_is_broken(
            before, stays, may_delete=may_delete, may_stray=may_stray, was_seen=not self.struck
        )
        if model.is_lost and (accepts or not loss_shows):
            model.forget_starts()
        may_start = may_write and not destroy and (accepts or not (model.is_lost and loss_shows))
        model.check_starts(before, may_start=may_start, in_doubt=self.unknown)
        if model.is_lost and (accepts or not loss_shows) and ended.code not in (1, 6, 64, -9):
            model.is_lost = False
        if quiet and not filtered:
            assert (ended.code, writes) == (0, []), f"nothing to do, and yet {ended.code}: {writes}\n{ended.said}"
        if ended.code == 0 and not filtered and not destroy:
            self._check_done()
        else:
            model.dirty.add(f"an apply ended with {ended.code}")
            model.note_half_done()
            self._note_doubts()
        return ended

    def verify_history(self) -> None:
        ended = self.stage.run("history", "--verify")
        assert ended.code == 0, ended.said

    def _run(self, arguments: tuple[str, ...], kill: KillAt | None) -> Ended:
        if kill is None:
            return self.stage.run(*arguments)
        kill.process = self.zygote.start(self.stage, *arguments)
        kill.is_known.set()
        code = self.zygote.ended()
        # What the dead one sent is done by the time the same thread answers somebody else.
        urlopen(f"{self.stage.emulator.url}/_emulator/faults").close()
        return Ended(code, "", "")

    def _check_done(self) -> None:
        """After exit 0: all is as declared, and there is nothing left to do."""
        self.model.check_reached(protected_stay=False)
        self.model.settle()
        self.note_runs()
        ended = self.read("plan", "--detailed-exitcode")
        assert ended.code == 0, f"an apply ended with 0, and the next plan with {ended.code}: {ended.said}"
        assert self.read("drift").code == 0
        assert not self.model.dirty

    def note_runs(self) -> None:
        self.runs_known = dict(self.model.world.snapshot().runs)

    def _note_doubts(self) -> None:
        """Which starts are in doubt now, and whether they happened: what a person could find out."""
        ended = self.read("plan", "--format", "json")
        if not ended.out:
            return
        blocked = {one["address"] for one in ended.document["blocked"] if one["reason"] == "unknown-start"}
        runs = self.model.world.snapshot().runs
        for trigger in self.model.manifests.triggers:
            if f"trigger/{trigger.name}" not in blocked:
                self.unknown.pop(trigger.name, None)
                self.runs_known[trigger.task] = runs[trigger.task]
            else:
                self.unknown.setdefault(trigger.name, runs[trigger.task] > self.runs_known.get(trigger.task, 0))

    def write_manifests(self) -> None:
        self.stage.emulator.clear_requests()
        for document in self.model.manifests.documents:
            folder = self.stage.root / "manifests" / str(document.uid)
            folder.mkdir(exist_ok=True)
            for name, content in document.files.items():
                (folder / name).write_text(content, encoding="utf-8")
        self.stage.write(self.model.manifests.text() or "# nothing\n")

    def _check_code(self, ended: Ended, arguments: tuple[str, ...]) -> None:
        assert ended.code in DOCUMENTED, f"{arguments} ended with {ended.code}"
        conflicts = self._conflicts(arguments)
        if conflicts and ended.said and ended.code not in (7, 64) and arguments[0] in ("plan", "apply"):
            assert ended.code in (1, 3), f"an agent is declared twice, and {arguments} ended with {ended.code}"
            pairs = self.model.conflicts()
            is_named = any(first.handle in ended.said and second.handle in ended.said for first, second in pairs)
            assert is_named, f"not both documents of an agent are named: {ended.said}"

    def _conflicts(self, arguments: tuple[str, ...]) -> list[tuple[Document, Document]]:
        """Documents of one agent, where a command has anything to do with one of them."""
        found = self.model.conflicts()
        if "--only" not in arguments:
            return found
        pattern = arguments[arguments.index("--only") + 1]
        return [pair for pair in found if any(one.is_selected_by(pattern) for one in pair)]

    def _ledger(self) -> str:
        if not self.stage.ledger.exists():
            return ""
        with closing(sqlite3.connect(f"file:{self.stage.ledger}?mode=ro", uri=True)) as connection:
            return "\n".join(connection.iterdump())
