"""Inputs built by hand for the planner: what is declared, live and remembered, in as few words as a test needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from reconciler import planner
from reconciler.clients.replies import JobSchedule, read_schedule
from reconciler.diff import sealed, sealer
from reconciler.identity import normal_id, owned_id
from reconciler.kinds import approval, input_files, schedule, trigger
from reconciler.kinds.registry import KINDS
from reconciler.kinds.schedule import ScheduleObservation
from reconciler.kinds.schedule_state import PATHS, ScheduleMemo, ScheduleState, declared_state, live_state, wire_body
from reconciler.model.address import Address, Origin
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, Memory
from reconciler.model.live import AgentView, Live
from reconciler.model.plan import BlockedResource, Change, Plan
from reconciler.model.project import Policy, Project
from reconciler.model.resource import Agent, Desired, Resource
from reconciler.model.state import State
from reconciler.product_terms import LOG_LEVELS
from reconciler.workflow import completion

S = TypeVar("S", bound=State)

AS_OF = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEAL = sealer(b"a key that only the tests know")
PROJECT = Project("retail", "default", Path(), {}, "", Policy())
PATH = "sequentum/Retail/prices"
SPEC: dict[str, Any] = {"cron": "0 0 2 * * MON-FRI", "startTime": "2026-01-01T02:00:00", "timeZone": "Australia/Sydney"}
FOREIGN = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"


def at(text: str) -> Address:
    return Address.parse(text)


def path_of(agent: str) -> str:
    return f"sequentum/Retail/{agent}"


def state_of(spec: Mapping[str, Any]) -> ScheduleState:
    """What a block of a manifest says that a schedule shall be."""
    names = {path: name for name, path in PATHS.items()} | {"every": "every"}
    given = {names[key]: value for key, value in spec.items()}
    if (level := given.get("log_level")) is not None:
        given["log_level"] = LOG_LEVELS[level] if level in LOG_LEVELS else int(level)
    if (parameters := given.get("input_parameters")) is not None:
        given["input_parameters"] = {name: str(value) for name, value in parameters.items()}
    return declared_state(**given)


def spec_of(**spec: Any) -> dict[str, Any]:
    """The usual block with these keys added or replaced; None takes a key out."""
    return {key: value for key, value in {**SPEC, **spec}.items() if value is not None}


def declared(name: str = "nightly", agent: str = "prices", **settings: Any) -> Resource[ScheduleState]:
    """A declared schedule. `spec` adds to the usual block or replaces parts of it; None takes a key out."""
    spec = spec_of(**settings.pop("spec", {}))
    settings.setdefault("identity", owned_id("retail", "default", path_of(agent), name))
    return Resource(
        address=Address(schedule.KIND.name, agent, name),
        state=state_of(spec),
        origin=Origin("manifests/retail.yaml", 7),
        agent_path=path_of(agent),
        **settings,
    )


def seen(identity: str = "", *, of: Resource[ScheduleState] | None = None, **fields: Any) -> JobSchedule:
    """A live schedule as the client reads it: just as `of` declares it, with some wire fields changed."""
    state = schedule.KIND.whole(of.state if of else state_of(SPEC), None)
    body = dict(wire_body(identity or (of.identity if of else FOREIGN), state))
    body["inputParameters"] = json.dumps(body["inputParameters"])
    body |= {"agentId": "agent-1", "nextRunTime": "2026-11-23T02:00:00", "scheduleStatus": 0, **fields}
    return read_schedule(body)


def remembered(
    resource: Resource[ScheduleState],
    live: JobSchedule | None = None,
    *,
    words: ScheduleState | None = None,
    facts: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Entry[ScheduleMemo]:
    """The entry that an apply left: the manifest's words then, and the state it was read back in.

    `facts` are what the ledger's JSON holds besides.
    """
    words = words or resource.state
    state = live_state(live or seen(of=resource))
    memo = schedule.KIND.remember(state, replace(resource, state=words, moved_from=""), None)
    return Entry(
        address=settings.pop("address", resource.address),
        identity=settings.pop("identity", resource.identity),
        agent_path=resource.agent_path,
        declared=schedule.KIND.declared(words, SEAL),
        applied=sealed(schedule.KIND.meaning(state), SEAL),
        settled=settings.pop("settled", True),
        memo=ScheduleMemo.from_json({**memo.to_json(), **(facts or {})}),
        protect=resource.protect,
        adopted=resource.adopted,
        **settings,
    )


def input_set(
    folder: Path,
    agent: str = "prices",
    *,
    files: Mapping[str, bytes],
    enabled: bool | None = None,
    exclusive: bool = False,
) -> Resource[input_files.InputFilesState]:
    """Declared input files, written where the test wants them."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = {name: input_files.DeclaredFile(input_files.Place(folder / name)) for name in sorted(files)}
    return Resource(
        Address(input_files.KIND.name, agent),
        input_files.InputFilesState(listed, enabled, exclusive),
        Origin("manifests/retail.yaml", 3),
        agent_path=path_of(agent),
    )


def approved(agent: str = "prices", state: str = "approved", **settings: Any) -> Resource[approval.ApprovalState]:
    address = Address(approval.KIND.name, agent)
    origin = Origin("manifests/retail.yaml", 5)
    return Resource(address, approval.ApprovalState(state), origin, agent_path=path_of(agent), **settings)


def starts(
    name: str = "publish",
    *,
    needs: Iterable[str] = (),
    task: str = "Publish prices",
    revision: str | None = "1",
    **spec: Any,
) -> Resource[trigger.TriggerState]:
    """A declared trigger."""
    return Resource(
        address=at(f"trigger/{name}"),
        state=trigger.TriggerState(trigger.Task(name=task), revision=revision, **spec),
        origin=Origin("manifests/publish.yaml", 2),
        needs=tuple(map(at, needs)),
    )


def views(*lives: JobSchedule, agent: str = "prices", problem: str = "") -> dict[str, AgentView]:
    path = path_of(agent)
    if problem:
        return {path: AgentView(path, problem=problem)}
    observed = [ScheduleObservation(normal_id(one.schedule_id), live_state(one), record=one) for one in lives]
    return {path: AgentView(path, f"id-of-{agent}", {schedule.KIND.name: {one.identity: one for one in observed}})}


def completed(resource: Resource[S], *others: Resource) -> S:
    """The desired state of a resource as it is beside these others, with all that its kind computes."""
    desired = Desired(PROJECT, (), (resource, *others))
    done = completion.complete(desired, frozenset({resource.address}), SEAL, {}, KINDS)
    return cast("S", done.resources[0].state)


def inputs(
    resources: Iterable[Resource] = (),
    live: Mapping[str, AgentView] | None = None,
    entries: Iterable[Entry] = (),
    *,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    secret_values: frozenset[str] = frozenset(),
    known: bool = True,
    lost: bool = False,
    complete: frozenset[Address] | None = None,
    **settings: Any,
) -> planner.PlanInputs:
    """The inputs of one project, `retail`; its agents are those of the resources and of what was seen.

    `complete` are the resources whose states are completed; None: all of them.
    """
    wanted = tuple(sorted(resources, key=lambda one: one.address))
    handles = {one.agent_path: one.address.agent for one in wanted if one.agent_path}
    agents = tuple(Agent(handle, path, Origin("m.yaml", 1)) for path, handle in sorted(handles.items()))
    if live is None:
        live = {path: AgentView(path, f"id-of-{handle}") for path, handle in handles.items()}
    desired = Desired(replace(PROJECT, policy=policy), agents, wanted, secret_values=secret_values)
    memory = Memory({entry.address: entry for entry in entries}, known, lost)
    found = planner.identify(desired, Live(live), memory, KINDS, as_of=AS_OF)
    if complete is None:
        complete = frozenset(one.address for one in wanted)
    return planner.PlanInputs(
        desired=completion.complete(found.desired, complete, SEAL, found.memory.entries, KINDS),
        live=found.live,
        memory=found.memory,
        complete=complete,
        as_of=AS_OF,
        seal=SEAL,
        identities=found.identities,
        **settings,
    )


def planned(*arguments: Any, **settings: Any) -> Plan:
    return planner.plan(inputs(*arguments, **settings), KINDS)


def only_change(plan: Plan) -> Change:
    assert plan.blocked == ()
    (change,) = plan.changes
    return change


def state_after(change: Change, kind: type[S]) -> S:
    """What a change makes of its resource."""
    assert isinstance(change.after, kind)
    return change.after


def only_block(plan: Plan) -> BlockedResource:
    assert plan.changes == ()
    (blocked,) = plan.blocked
    return blocked
