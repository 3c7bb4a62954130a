"""The steps of a generated history in which the tool runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from history_edits import chosen
from history_holding import DOCUMENTED, Holding
from kill_processes import KillAt
from stage import Ended

BY_HAND = {"edited by hand", "switched by hand", "deleted by hand"}
BY_HAND_CALLS = (
    ("agent", "approve", "--message", "by hand"),
    ("agent", "disapprove", "--yes", "--message", "by hand"),
    ("input", "delete", "--yes"),
)
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: retail}}
spec:
  connections:
    acc: {{url: {url}, token: "${{env:ACC_TOKEN}}", concurrency: 1}}
    mft: {{url: {url}, tenantId: tenant-1, keyId: key-1, privateKey: "${{env:MFT_KEY}}", concurrency: 1}}
"""


@dataclass
class Runs(Holding):
    """Each step takes two small numbers that choose, and says what it did, "" when there was nothing to do."""

    saved: str = ""
    used: set[str] = field(default_factory=set)

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
        self.write_manifests()
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
        self.note_runs()
        self.model.dirty |= {"a start was resolved"} if said else set()
        return ", ".join(said)

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
        self.note_runs()
        return "the ledger is lost"

    @staticmethod
    def _said(ended: Ended) -> str:
        return str(ended.code)
