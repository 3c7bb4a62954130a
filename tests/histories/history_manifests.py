"""What a project of a generated history declares, and how it is written as YAML."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

MEANINGS = (
    ("0 0 1 * * MON-FRI", 'cron: "0 0 1 * * MON-FRI"'),
    ("0 30 2 * * *", 'cron: "0 30 2 * * *"'),
    ("0 15 3 1 * *", 'cron: "0 15 3 1 * *"'),
    ("0 15 0 0", "every: 15m"),
    ("0 0 6 0", "every: 6h"),
    ("0 0 0 1", "every: 1d"),
)
"""When a schedule runs: as ACC holds it, and as a manifest says it. No two mean the same."""
START, ZONE = "2026-01-01T00:00:00", "UTC"
HANDLES = ("prices", "stock", "news", "fares", "rooms")
NAMES = ("a", "b", "c", "d")
FILES = ("urls.csv", "zones.txt")

Meaning = tuple[str, bool]
"""What ACC holds of a schedule that a history plays with: cron, and whether it is enabled."""


@dataclass
class Block:
    """One schedule of a document. `uid` stays through renames; `adopts` is an id, "" for none."""

    uid: int
    name: str
    when: int
    enabled: bool = True
    protect: bool = False
    adopts: str = ""
    moved_from: str = ""

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[self.when][0], self.enabled

    def text(self) -> str:
        lines = [f"- name: {self.name}", MEANINGS[self.when][1], f"startTime: {START}", f"timeZone: {ZONE}"]
        if not self.enabled or self.uid % 2:
            lines.append(f"enabled: {'true' if self.enabled else 'false'}")
        if self.protect:
            lines.append("protect: true")
        if self.adopts:
            lines.append(f"id: {self.adopts}")
        if self.moved_from:
            lines.append(f"movedFrom: {self.moved_from}")
        return "    " + "\n      ".join(lines) + "\n"


@dataclass
class Document:
    """One agent as it is declared."""

    uid: int
    handle: str
    path: str
    blocks: list[Block] = field(default_factory=list)
    approved: bool | None = None
    files: dict[str, str] = field(default_factory=dict)
    exclusive: bool = False
    handle_moved_from: str = ""
    path_moved_from: str = ""

    def meanings(self) -> Counter[Meaning]:
        return Counter(block.meaning for block in self.blocks)

    def is_selected_by(self, pattern: str) -> bool:
        """Whether `--only` with this pattern leaves anything of the document."""
        addresses = [f"schedule/{self.handle}/{block.name}" for block in self.blocks]
        addresses += [f"approval/{self.handle}"] * (self.approved is not None)
        addresses += [f"input-files/{self.handle}"] * bool(self.files)
        return any(fnmatchcase(address, pattern) for address in addresses)

    def text(self) -> str:
        moved = f", movedFrom: {self.handle_moved_from}" if self.handle_moved_from else ""
        lines = ["apiVersion: reconciler/v1", "kind: Agent", f"metadata: {{name: {self.handle}{moved}}}", "spec:"]
        lines.append(f"  path: {self.path}")
        if self.path_moved_from:
            lines.append(f"  movedFrom: {self.path_moved_from}")
        if self.approved is not None:
            lines.append(f"  approval: {{state: {'approved' if self.approved else 'disapproved'}}}")
        if self.files:
            lines.append("  inputFiles:")
            lines += [f"    - {{file: {self.uid}/{name}, name: {name}}}" for name in sorted(self.files)]
            lines.append(f"  inputFilesExclusive: {'true' if self.exclusive else 'false'}")
        lines.append("  schedules:" if self.blocks else "  schedules: []")
        return "\n".join(lines) + "\n" + "".join(block.text() for block in self.blocks)


@dataclass
class Trigger:
    """One task to start. `watches` are documents' uids with what of them is watched: their files or schedules."""

    name: str
    task: str
    revision: int = 1
    waits: bool = False
    watches: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Manifests:
    """All that is declared."""

    documents: list[Document] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def document(self, uid: int) -> Document | None:
        return next((one for one in self.documents if one.uid == uid), None)

    def patterns(self, trigger: Trigger) -> list[str]:
        """What `changed` says, for what there is to be watched."""
        found = []
        for uid, what in trigger.watches:
            document = self.document(uid)
            if document is None:
                continue
            if what == "files" and document.files:
                found.append(f"input-files/{document.handle}")
            if what == "schedules" and document.blocks:
                found.append(f"schedule/{document.handle}/*")
        return found

    def key(self, trigger: Trigger) -> str:
        """What may start a trigger's task: content alone, neither names nor paths."""
        watched: list[object] = []
        for uid, what in sorted(trigger.watches):
            document = self.document(uid)
            if document is not None and what == "files" and document.files:
                watched.append((sorted(document.files.items()), document.exclusive))
            if document is not None and what == "schedules" and document.blocks:
                watched.append(sorted(document.meanings().elements()))
        return repr((trigger.task, trigger.revision, watched))

    def trigger_text(self, trigger: Trigger) -> str:
        changed = ", ".join(f'"{pattern}"' for pattern in self.patterns(trigger))
        wait = "{timeout: 20s, interval: 1s}" if trigger.waits else "false"
        return (
            f"apiVersion: reconciler/v1\nkind: TaskTrigger\nmetadata: {{name: {trigger.name}}}\n"
            f"spec:\n  task: {{name: {trigger.task}}}\n  wait: {wait}\n"
            f'  when: {{revision: "{trigger.revision}", changed: [{changed}]}}\n'
        )

    def text(self) -> str:
        return "---\n".join([*(document.text() for document in self.documents), *map(self.trigger_text, self.triggers)])

    def adopted(self) -> set[str]:
        return {block.adopts for document in self.documents for block in document.blocks if block.adopts}
