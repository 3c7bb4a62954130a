"""The runs of the tool in a generated history, each held against the model."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from urllib.request import urlopen

from history_edits import chosen
from history_manifests import Document
from history_model import Model
from kill_processes import KillAt, Zygote
from stage import Ended, Stage

BY_HAND = {"edited by hand", "switched by hand", "deleted by hand"}
BY_HAND_CALLS = (
    ("agent", "approve", "--message", "by hand"),
    ("agent", "disapprove", "--yes", "--message", "by hand"),
    ("input", "delete", "--yes"),
)
DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 64, -9}
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: retail}}
spec:
  connections:
    acc: {{url: {url}, token: "${{env:ACC_TOKEN}}", concurrency: 1}}
    mft: {{url: {url}, tenantId: tenant-1, keyId: key-1, privateKey: "${{env:MFT_KEY}}", concurrency: 1}}
"""
WRITES = "(POST|DELETE) /api/"


@dataclass
class Runs:
    """Steps that run the tool. `unknown` says of each start in doubt whether it really happened."""

    stage: Stage
    model: Model
    zygote: Zygote
    unknown: dict[str, bool] = field(default_factory=dict)
    runs_known: dict[str, int] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    saved: str = ""
    ignores_ids: bool = False
    used: set[str] = field(default_factory=set)
    struck: int = 0

    # --- reading ---------------------------------------------------------------------------------------------------

    def plan(self, a: int, b: int) -> str:
        code = self.read("plan", *(("--detailed-exitcode",) if a % 2 else ())).code
        return f"plan: {code}"

    def drift(self, a: int, b: int) -> str:
        """An audit: where nothing but hands has been at work since the last apply, what it must find is known."""
        ended = self.read("drift")
        if self.model.dirty <= BY_HAND and not self.model.conflicts():
            assert ended.code == (2 if self.model.has_drifted() else 0), f"drift ended with {ended.code}: {ended.said}"
        return f"drift: {ended.code}"

    def status(self, a: int, b: int) -> str:
        return f"status: {self.read('status').code}"

    def read(self, *arguments: str) -> Ended:
        """A command that writes nothing, neither to the products nor to the ledger."""
        held, before = self._ledger(), self.model.world.snapshot()
        self._write_manifests()
        ended = self.stage.run(*arguments)
        assert not self.stage.writes(), f"{arguments[0]} wrote: {self.stage.writes()}"
        makes_a_ledger = not held and "--out" in arguments  # it holds nothing but the key that seals the plan
        assert makes_a_ledger or self._ledger() == held, f"{arguments[0]} changed the ledger"
        assert self.model.world.snapshot() == before
        self._check_code(ended, arguments)
        return ended

    # --- writing ---------------------------------------------------------------------------------------------------

    def apply(self, a: int, b: int) -> str:
        return self._said(self.write("apply", "--auto-approve"))

    def apply_allowing(self, a: int, b: int) -> str:
        """With leave to delete any number."""
        return self._said(self._write_freely())

    def _write_freely(self, *more: str) -> Ended:
        return self.write("apply", "--auto-approve", "--max-deletes", "99", *more)

    def apply_only(self, a: int, b: int) -> str:
        documents = self.model.manifests.documents
        handle = documents[a % len(documents)].handle if documents else "nobody"
        pattern = (f"schedule/{handle}/*", f"*/{handle}*", "schedule/*/a", "approval/*", "trigger/*")[b % 5]
        return f"--only {pattern}: " + self._said(self.write("apply", "--auto-approve", "--only", pattern))

    def apply_lost_reply(self, a: int, b: int) -> str:
        """The n-th write takes effect, and its reply is lost; for half of all b each one from there on."""
        return self._faulty(f"* ^/(api|v1/(?!oauth)) #{a // 3 + 1}{'+' if b > 3 else ''} drop-after", b)

    def apply_error(self, a: int, b: int) -> str:
        effect = ("500", "503 after retry-after=0", "drop-before", "400", "html", "500 after", "empty")[b % 7]
        return self._faulty(f"* ^/(api|v1/(?!oauth)) #{a // 3 + 1} {effect}", b)

    def _faulty(self, fault: str, b: int) -> str:
        method = ("POST", "POST", "DELETE", "*")[b % 4]
        line = method + fault.removeprefix("*")
        self.stage.emulator.inject(line)
        ended = self.write("apply", "--auto-approve", "--max-deletes", "99", faulty=True)
        self.counted["faults"] += self.struck
        return f"{line} (struck {self.struck}): {self._said(ended)}"

    def apply_killed(self, a: int, b: int) -> str:
        """SIGKILL at the n-th request, before it took effect or after."""
        kill = KillAt(a + 4 * (b // 4) + 1, took_effect=b % 2 == 0)
        self.stage.emulator.inject(kill)
        ended = self.write("apply", "--auto-approve", "--max-deletes", "99", faulty=True, kill=kill)
        self.counted["kills"] += ended.code == -9
        return f"killed at request {kill.nth}, {'after' if kill.took_effect else 'before'} its effect: {ended.code}"

    def accept_ledger(self, a: int, b: int) -> str:
        return self._said(self.write("apply", "--auto-approve", "--accept-new-ledger"))

    def resend(self, a: int, b: int) -> str:
        """What somebody names is sent once more, a start too."""
        pattern = ("approval/*", "input-files/*", "trigger/*")[b % 3]
        if b % 3 == 2:
            self.model.forget_starts()
        return f"--resend {pattern}: " + self._said(
            self.write("apply", "--auto-approve", "--resend", pattern, faulty=True)
        )

    def by_hand(self, a: int, b: int) -> str:
        """A call by hand that changes what no product shows, under one of the names that an agent has."""
        document = chosen(self.model.manifests.documents, a)
        agent = self.model.world.at(document.path) if document is not None else None
        if document is None or agent is None or self.model.conflicts():
            return ""
        name = (document.path, agent.agent_id, agent.path)[b % 3]
        call = BY_HAND_CALLS[(a + b) % len(BY_HAND_CALLS)]
        if b > 5:
            self.stage.emulator.inject(
                "* ^/api/(input/)?agent #1+ drop-after" if b == 6 else "POST ^/api #1 drop-before"
            )
        self._write_manifests()
        before = self.model.world.snapshot()
        ended = self.stage.run("acc", *call, name)
        self.stage.emulator.clear_faults()
        assert ended.code in DOCUMENTED, ended.said
        assert b > 5 or ended.code == 0, ended.said
        assert self.model.world.snapshot() == before
        self.model.dirty.add("a call by hand")
        return f"acc {' '.join(call)}, {name}: {ended.code}"

    def destroy(self, a: int, b: int) -> str:
        ended = self.write("destroy", "--auto-approve", destroy=True)
        self.model.dirty.add("all was destroyed")
        self.model.forget_starts()
        return self._said(ended)

    def save_plan(self, a: int, b: int) -> str:
        file = self.stage.root / f"plan-{next(self.model.manifests.numbers)}"
        ended = self.read("plan", "--out", str(file))
        self.saved = str(file) if file.exists() else self.saved
        return f"plan --out: {ended.code}"

    def apply_saved(self, a: int, b: int) -> str:
        if not self.saved:
            return ""
        ended = self.write("apply", self.saved, faulty=True)
        assert self.saved not in self.used or ended.code == 7, f"a saved plan was used twice: {ended.code}"
        self.used |= {self.saved} if ended.code == 0 else set()
        return f"a saved plan: {ended.code}"

    def forget_agent(self, a: int, b: int) -> str:
        """Give up an agent that the manifests do not declare, and that cannot be found under the path they knew."""
        known = self._paths_to_forget()
        if not known:
            return ""
        path = known[a % len(known)]
        self.model.given_up.add(self.model.agents_at.get(path, ""))
        return f"--forget-agent {path}: " + self._said(self._write_freely("--forget-agent", path))

    def _paths_to_forget(self) -> list[str]:
        """The paths that the tool itself tells people to give up."""
        return sorted(set(re.findall(r"--forget-agent ([^`\\]+)", self.read("plan", "--format", "json").out)))

    def resolve(self, a: int, b: int) -> str:
        """A person looks at the task's runs, and says what happened to the starts in doubt."""
        said = []
        for name, ran in sorted(self.unknown.items()):
            ended = self.stage.run("resolve", f"trigger/{name}", "--ran" if ran else "--not-ran")
            assert ended.code == 0, ended.err
            said.append(f"{name} {'ran' if ran else 'did not run'}")
        self.unknown.clear()
        self._note_runs()
        self.model.dirty |= {"a start was resolved"} if said else set()
        return ", ".join(said)

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
        self._write_manifests()
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
        self._note_runs()
        ended = self.read("plan", "--detailed-exitcode")
        assert ended.code == 0, f"an apply ended with 0, and the next plan with {ended.code}: {ended.said}"
        assert self.read("drift").code == 0
        assert not self.model.dirty

    def _note_runs(self) -> None:
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

    def ignore_ids(self, a: int, b: int) -> str:
        """The server makes ids of its own from now on, or no more."""
        self.ignores_ids = not self.ignores_ids
        self.model.world.keep_ids(self.stage.emulator, keeps=not self.ignores_ids)
        return f"the server {'ignores' if self.ignores_ids else 'keeps'} new ids"

    def lose_ledger(self, a: int, b: int) -> str:
        if not self.stage.ledger.exists():
            return ""
        for path in self.stage.ledger.parent.glob("ledger.db*"):
            path.unlink()
        self.model.lose_ledger()
        self.unknown.clear()
        self._note_runs()
        return "the ledger is lost"

    # --- what runs share -------------------------------------------------------------------------------------------

    def verify_history(self) -> None:
        ended = self.stage.run("history", "--verify")
        assert ended.code == 0, ended.said

    def _write_manifests(self) -> None:
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

    @staticmethod
    def _said(ended: Ended) -> str:
        return str(ended.code)
