"""Looks at the products, many agents at once; an error becomes a finding, never an absence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from reconciler.errors import ProductError
from reconciler.identity import normal_id
from reconciler.model import AgentView, Live


class AgentInfo(Protocol):
    @property
    def agent_id(self) -> str: ...


class AgentReader(Protocol):
    """The calls of the ACC client that read."""

    def get_agent(self, path: str) -> AgentInfo: ...
    def job_schedules(self, agent_id: str) -> Iterable[Any]: ...
    def run_history(self, agent_id: str, *, count: int | None = None) -> Iterable[Any]: ...


def look(
    acc: AgentReader,
    paths: Iterable[str],
    *,
    concurrency: int,
    stop: threading.Event,
    progress: Callable[[int], None] = lambda _: None,
) -> Live:
    """See every agent at these paths: two reads each, `concurrency` agents at a time.

    `progress` is told how many are done. When `stop` is set, agents not yet looked at come back as unreadable.
    """
    wanted = sorted(set(paths))
    views: dict[str, AgentView] = {}
    done = 0
    lock = threading.Lock()

    def see(path: str) -> None:
        nonlocal done
        view = AgentView(path, problem="interrupted before it was read") if stop.is_set() else look_at_agent(acc, path)
        with lock:
            views[path] = view
            done += 1
            progress(done)

    with ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(wanted))), thread_name_prefix="look") as pool:
        for _ in pool.map(see, wanted):
            pass
    return Live({path: views[path] for path in wanted})


def look_at_agent(acc: AgentReader, path: str) -> AgentView:
    """One agent and all its schedules. Whatever goes wrong makes it unreadable, with the reason in words."""
    try:
        agent = acc.get_agent(path)
        return AgentView(path, agent.agent_id, look_at_schedules(acc, agent.agent_id))
    except ProductError as error:
        return AgentView(path, problem=error.words)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return AgentView(path, problem=f"ACC answered in a form that is not understood: {error}")


_NO_ANSWER = (None, 429, 502, 503, 504)
"""What says nothing of the agent: no reply, too many requests, nobody there behind a gateway."""


def look_by_id(acc: AgentReader, agent_id: str, path: str, *, must_answer: bool = False) -> AgentView | None:
    """An agent that was at `path` and is not any more; None unless it surely lives on, with schedules.

    What ACC says of an id that it no longer knows is not documented, so anything but schedules counts as nothing. With
    `must_answer` no answer at all does not: then this raises ProductError.
    """
    try:
        schedules = look_at_schedules(acc, agent_id)
    except ProductError as error:
        if must_answer and error.status in _NO_ANSWER:
            message = f"whether the agent that was at {path} is gone cannot be asked now: {error.words}"
            raise ProductError(message, hint="apply again later; nothing was done", status=error.status) from error
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return AgentView(path, agent_id, schedules) if schedules else None


def look_at_schedules(acc: AgentReader, agent_id: str) -> Mapping[str, Any]:
    """An agent's schedules by the form of their id in which ids are compared. Raises ProductError."""
    return {normal_id(schedule.schedule_id): schedule for schedule in acc.job_schedules(agent_id)}


def busy_agents(acc: AgentReader, live: Live, paths: Iterable[str]) -> frozenset[str]:
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


def has_active_run(acc: AgentReader, agent_id: str) -> bool:
    """Whether any of the agent's latest runs is still going. Raises ProductError."""
    return any(run.is_active for run in acc.run_history(agent_id))
