"""Reads the products, many agents at once; an error becomes a finding, never an absence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from reconciler.errors import ProductError
from reconciler.kind import AnyObserved
from reconciler.model.live import AgentView, Live

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient


def read_agents(
    acc: AccClient,
    paths: Iterable[str],
    kinds: Iterable[AnyObserved],
    *,
    concurrency: int,
    stop: threading.Event,
    progress: Callable[[int], None] = lambda _: None,
) -> Live:
    """Read every agent at these paths, and its things of these kinds, `concurrency` agents at a time.

    `progress` is told how many are done. When `stop` is set, agents not yet looked at come back as unreadable.
    """
    wanted, asked = sorted(set(paths)), tuple(kinds)
    views: dict[str, AgentView] = {}
    done = 0
    lock = threading.Lock()

    def read(path: str) -> None:
        nonlocal done
        view = (
            AgentView(path, problem="interrupted before it was read") if stop.is_set() else read_agent(acc, path, asked)
        )
        with lock:
            views[path] = view
            done += 1
            progress(done)

    with ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(wanted))), thread_name_prefix="read") as pool:
        for _ in pool.map(read, wanted):
            pass
    return Live({path: views[path] for path in wanted})


def read_agent(acc: AccClient, path: str, kinds: Iterable[AnyObserved]) -> AgentView:
    """One agent with all that it has. Whatever goes wrong makes it unreadable, with the reason in words."""
    try:
        agent_id = acc.get_agent(path).agent_id
        return AgentView(path, agent_id, {kind.name: kind.observe(acc, agent_id) for kind in kinds})
    except ProductError as error:
        return AgentView(path, problem=error.words)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return AgentView(path, problem=f"ACC answered in a form that is not understood: {error}")


_NO_ANSWER = (None, 429, 502, 503, 504)
"""What says nothing of the agent: no reply, too many requests, nobody there behind a gateway."""


def read_by_id(
    acc: AccClient, agent_id: str, path: str, kinds: Iterable[AnyObserved], *, must_answer: bool = False
) -> AgentView | None:
    """An agent that was at `path` and is not any more; None unless it surely lives on, with something that it has.

    What ACC says of an id that it no longer knows is not documented, so anything but things counts as nothing. With
    `must_answer` no answer at all does not: then this raises ProductError.
    """
    try:
        view = AgentView(path, agent_id, {kind.name: kind.observe(acc, agent_id) for kind in kinds})
    except ProductError as error:
        if must_answer and error.status in _NO_ANSWER:
            message = f"whether the agent that was at {path} is gone cannot be asked now: {error.words}"
            raise ProductError(message, hint="apply again later; nothing was done", status=error.status) from error
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return view if any(view.observed.values()) else None


def busy_agents(acc: AccClient, live: Live, paths: Iterable[str]) -> frozenset[str]:
    """Those of these agents that have an active run; an agent whose runs cannot be read counts as busy."""
    busy: set[str] = set()
    for path in sorted(set(paths)):
        view = live.agents.get(path)
        if view is None or view.problem:
            continue
        try:
            if has_active_run(acc, view.agent_id):
                busy.add(path)
        except ProductError:
            busy.add(path)
    return frozenset(busy)


def has_active_run(acc: AccClient, agent_id: str) -> bool:
    """Whether any of the agent's latest runs is still going. Raises ProductError."""
    return any(run.is_active for run in acc.run_history(agent_id))
