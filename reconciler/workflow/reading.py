"""Reads manifests, ledger and products, and looks at the agents that the ledger knows while it reads the manifests.

Reading ten thousand manifests takes as long as asking after as many agents, and the one waits for the processor where
the other waits for the network. What was looked at too early is looked at all the same: the agents that the ledger
knows are part of every plan of everything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler import manifests
from reconciler.errors import ReconcilerError
from reconciler.kinds.registry import observed_kinds
from reconciler.model.live import AgentView, Live
from reconciler.model.project import Project
from reconciler.model.resource import Desired, Problem, Severity
from reconciler.observe import read_agents
from reconciler.products import Products
from reconciler.workflow.context import CommandContext
from reconciler.workflow.memory import Remembered, read

if TYPE_CHECKING:
    from reconciler.manifests.documents import ManifestDocument

_SWITCH_SECONDS = 0.0001


class Sources(Struct, frozen=True):
    """What a command works from. `seen` are the agents that were read already, by path."""

    desired: Desired
    remembered: Remembered
    products: Products
    seen: Mapping[str, AgentView] = {}


def load(context: CommandContext) -> Desired:
    """What the manifests say. Raises ManifestError with all that is wrong with them."""
    return manifests.load(context.root, context.environment, context.environ, as_of=context.clock())


def check_manifests(
    context: CommandContext,
    *,
    connections: bool = True,
    key_complaint: Callable[[str], str] | None = None,
    unset_severity: Severity | None = None,
    edited: Mapping[str, bytes] | None = None,
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """What the manifests say, None where they have an error, and all problems; as `manifests.check` has it."""
    return manifests.check(
        context.root,
        context.environment,
        context.environ,
        as_of=context.clock(),
        connections=connections,
        key_complaint=key_complaint,
        unset_severity=unset_severity,
        edited=edited,
    )


def read_documents(context: CommandContext) -> tuple[ManifestDocument, ...]:
    """Every document as it is written, filled in and with what it inherits."""
    documents, _ = manifests.check_documents(context.root, context.environment, context.environ, as_of=context.clock())
    return documents


def read_project(context: CommandContext) -> tuple[Project, frozenset[str]]:
    """The project file alone, and the values that must not be printed. Raises ManifestError."""
    return manifests.load_project(context.root, context.environment, context.environ)


@contextmanager
def reading(context: CommandContext, *, everything: bool) -> Iterator[Sources]:
    """Manifests and ledger, with the products open until the end. With `everything` no agent is left out."""
    ahead = _look_ahead(context) if everything else None
    if not isinstance(ahead, _Ahead):
        desired = load(context)
        remembered = ahead or read(context, desired.project)
        with Products(desired.project, desired.secret_values, context.stop, context.clock) as products:
            yield Sources(desired, remembered, products)
        return
    with ahead.products:
        try:
            with _shared_interpreter():
                desired = load(context)
                ahead.products.hide(desired.secret_values)
                live = ahead.live.result()
        except BaseException:
            context.stop.set()  # nothing comes of this command: what is under way ends, and nothing more is asked
            ahead.products.hide(frozenset())
            raise
        yield Sources(desired, ahead.remembered, ahead.products, live.agents)


def read_all(context: CommandContext, products: Products, paths: Collection[str]) -> Live:
    """Read these agents, with all that can be read back of them."""
    return read_agents(
        products.acc,
        paths,
        observed_kinds(),
        concurrency=products.connection("acc").concurrency,
        stop=context.stop,
        progress=lambda done: context.progress("reading agents", done, len(paths)),
    )


class _Ahead(Struct, frozen=True):
    products: Products
    remembered: Remembered
    live: Future[Live]


def _look_ahead(context: CommandContext) -> _Ahead | Remembered | None:
    """Begin to look at all agents that the ledger knows; what it remembers where there is nothing to look at.

    None when anything is amiss.

    What is amiss is not said here: whoever reads on finds it too, and all else that is wrong. While somebody applies,
    what is seen early would soon be wrong, and another apply is to hear of the lock at once.
    """
    try:
        project, secrets = read_project(context)
        remembered = read(context, project)
        if remembered.is_held:
            return None
        if not remembered.agent_paths or not remembered.memory.known:
            return remembered
        products = Products(project, secrets, context.stop, context.clock, awaits_manifests=True)
        products.acc, products.connection("acc")  # what is amiss with them shows here
    except ReconcilerError:
        return None
    pool = ThreadPoolExecutor(1, "look-ahead")
    live = pool.submit(read_all, context, products, remembered.agent_paths)
    pool.shutdown(wait=False)
    return _Ahead(products, remembered, live)


@contextmanager
def _shared_interpreter() -> Iterator[None]:
    """Let threads that wait for the network take turns quickly with one that never waits."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
