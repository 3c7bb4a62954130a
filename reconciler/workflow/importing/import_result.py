"""What an import comes to, and what of it was not done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from reconciler.errors import ProductError, ReconcilerError, UsageError
from reconciler.manifests.yaml_values import comment_text
from reconciler.quantities import counted, first_few
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.likeness import grouped
from reconciler.workflow.importing.document_updates import UpdatedFile
from reconciler.workflow.importing.findings import ImportFinding
from reconciler.workflow.importing.live_blocks import LiveAgent
from reconciler.workflow.importing.new_files import WrittenFile

_MOST_SINGLE = 3
_MOST_PATHS = 20


class Imported(Struct, frozen=True):
    """What an import comes to. `files` are to be written for these `agents`, `updates` are files that get
    more, for so many `updated` agents.

    `declared` are agents that manifests declare already, each with the place; `complete` how many of them lack nothing.
    `refused` are paths of one agent, `unread` agents that could not be read, each by its path, `unedited` documents
    that could not get what they lack, each with the reason; `withheld` agents whose document would have their
    schedules pruned. `inherited` is what the project gives every agent that does not say otherwise.
    """

    asked: int
    files: tuple[WrittenFile, ...]
    agents: tuple[LiveAgent, ...] = ()
    updates: tuple[UpdatedFile, ...] = ()
    updated: int = 0
    declared: tuple[str, ...] = ()
    complete: int = 0
    refused: tuple[str, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    unedited: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()
    findings: tuple[ImportFinding, ...] = ()

    @property
    def is_nothing_to_do(self) -> bool:
        """Whether all that was asked for is declared already."""
        return len(self.declared) == self.asked

    def told(self, *, in_full: bool) -> Iterator[str]:
        """What to say of agents that are left alone."""
        few = in_full or len(self.declared) <= _MOST_SINGLE
        yield from self.declared if few else [f"{len(self.declared):,} agents are declared already, and left alone"]
        if self.inherited:
            keys = ", ".join(self.inherited)
            yield f"spec.defaults.agent gives the imported agents {keys} too: the plan shows what apply sends for it"

    def require_all(self) -> None:
        """Raise, with all that was not done: ProductError where an agent could not be read, ReconcilerError where a
        document could not be edited, or must not be written; UsageError where two paths lead to one agent."""
        done = "the others were written" if self.files or self.updates else "nothing was written"
        reasons = "\n".join(
            f"  {one}" for one in (*_by_cause(self.unread), *self.unedited, *self.withheld, *self.refused)
        )
        if self.unread:
            number = f"{len(self.unread):,} of {counted(self.asked, 'agent')}"
            raise ProductError(
                f"{number} could not be read; {done}\n{reasons}",
                hint="correct the path, or leave that agent out; `reconciler doctor` looks at the connection. What was "
                "written is skipped when you import once more",
            )
        if self.unedited:
            raise ReconcilerError(
                f"{counted(len(self.unedited), 'document')} could not be updated; {done}\n{reasons}",
                hint="add the schedules there by hand; `reconciler acc schedule list PATH` shows them",
            )
        if self.withheld:
            raise ReconcilerError(
                f"{counted(len(self.withheld), 'agent')} could not be imported; {done}\n{reasons}",
                hint="correct the schedule in ACC, or declare it by hand, with its id, and import with --update",
            )
        if self.refused:
            raise UsageError("\n".join(self.refused), hint=f"leave one of the two paths out; {done}")


def _by_cause(unread: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Agents that could not be read, each cause once: of several it comes first, and then their paths."""
    for alike in grouped(unread, lambda one: skeleton(one[1])).values():
        paths = [path for path, _ in alike]
        why = shared_sentence([why for _, why in alike])
        if len(alike) == 1:
            yield f"{paths[0]}: {why}"
        else:
            yield f"{counted(len(alike), 'agent')}: {why}"
            yield f"  {first_few(paths, _MOST_PATHS)}"


def withholding(agent: LiveAgent) -> Iterator[str]:
    """Why an agent is not imported, if there is a reason."""
    if agent.undeclarable:
        identity, why = agent.undeclarable[0]
        more = len(agent.undeclarable) - 1
        others = f", and {counted(more, 'schedule')} more like it" if more else ""
        yield (
            f"{agent.path}: this project made the schedule {comment_text(identity)}, which cannot be declared: {why}"
            f"{others}. Declared without it, the agent would have it deleted by the next apply"
        )
