"""The new files of an import: what goes into them, written all or none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from reconciler.manifests.starter import write_new
from reconciler.quantities import counted
from reconciler.workflow.importing.live_blocks import LiveAgent
from reconciler.workflow.importing.written_blocks import agent_text


class WrittenFile(Struct, frozen=True):
    """A new file: its text, what it holds in words, and how many agents and schedules its documents declare."""

    path: Path
    text: str
    holds: str
    agents: int
    schedules: int


def plain_files(agents: Iterable[LiveAgent], folder: Path) -> tuple[WrittenFile, ...]:
    """A file for each agent, with everything written out."""
    return tuple(
        WrittenFile(
            folder / f"{one.handle}.yaml", agent_text(one), counted(len(one.blocks), "schedule"), 1, len(one.blocks)
        )
        for one in agents
    )


def write_files(files: Iterable[WrittenFile]) -> None:
    """Write them, all or none; what documents are made from comes before them.

    Raises UsageError naming the one that is there already, or in the way.
    """
    advice = "choose another folder with --out"
    ordered = sorted(files, key=lambda one: one.agents > 0)
    write_new({one.path: one.text for one in ordered}, if_there=advice, if_failed=f"nothing was written; {advice}")
