"""Scenes built by hand for the planner: what is declared, live and remembered, in as few words as a test needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler import planner
from reconciler.clients.replies import JobSchedule, read_schedule
from reconciler.diff import sealed, sealer
from reconciler.identity import normal_id, owned_id
from reconciler.kinds import approval, input_files, schedule, trigger
from reconciler.model import (
    Address,
    Agent,
    AgentView,
    BlockedResource,
    Change,
    Desired,
    Entry,
    KindName,
    Live,
    Memory,
    Origin,
    Plan,
    Policy,
    Project,
    Resource,
    State,
)

AS_OF = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEAL = sealer(b"a key that only the tests know")
KINDS = planner.Kinds(schedule, input_files, approval, trigger)
PATH = "sequentum/Retail/prices"
SPEC: dict[str, Any] = {"cron": "0 0 2 * * MON-FRI", "startTime": "2026-01-01T02:00:00", "timeZone": "Australia/Sydney"}
FOREIGN = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"


def at(text: str) -> Address:
    return Address.parse(text)


def path_of(agent: str) -> str:
    return f"sequentum/Retail/{agent}"


def declared(name: str = "nightly", agent: str = "prices", **settings: Any) -> Resource:
    """A declared schedule. `spec` adds to the usual block or replaces parts of it; None takes a key out."""
    spec = {key: value for key, value in {**SPEC, **settings.pop("spec", {})}.items() if value is not None}
    settings.setdefault("identity", owned_id("retail", "default", path_of(agent), name))
    return Resource(
        address=Address(KindName.SCHEDULE, agent, name),
        spec=spec,
        origin=Origin("manifests/retail.yaml", 7),
        agent_path=path_of(agent),
        **settings,
    )


def seen(identity: str = "", *, of: Resource | None = None, **fields: Any) -> JobSchedule:
    """A live schedule as the client reads it: just as `of` declares it, with some wire fields changed."""
    state: Mapping[str, Any] = schedule.whole_state(schedule.desired_state(of.spec if of else SPEC), None)
    body = dict(schedule.wire_body(identity or (of.identity if of else FOREIGN), state))
    body["inputParameters"] = json.dumps(body["inputParameters"])
    body |= {"agentId": "agent-1", "nextRunTime": "2026-11-23T02:00:00", "scheduleStatus": 0, **fields}
    return read_schedule(body)


def remembered(resource: Resource, live: JobSchedule | None = None, **settings: Any) -> Entry:
    """The entry that an apply left: the manifest's words then, and the state it was read back in."""
    words = settings.pop("words", resource.spec)
    state = schedule.live_state(live or seen(of=resource))
    settings["facts"] = {**schedule.memo(state, schedule.desired_state(words)), **settings.get("facts", {})}
    return Entry(
        address=settings.pop("address", resource.address),
        identity=settings.pop("identity", resource.identity),
        agent_path=resource.agent_path,
        declared=SEAL(dict(schedule.meaning(schedule.desired_state(words)))),
        applied=sealed(schedule.meaning(state), SEAL),
        settled=settings.pop("settled", True),
        protect=resource.protect,
        adopted=resource.adopted,
        **settings,
    )


def input_set(folder: Path, agent: str = "prices", *, files: Mapping[str, bytes], **spec: Any) -> Resource:
    """Declared input files, written where the test wants them."""
    listed = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        listed.append({"name": name, "file": str(folder / name)})
    address = Address(KindName.INPUT_FILES, agent)
    return Resource(address, {"files": listed, **spec}, Origin("manifests/retail.yaml", 3), agent_path=path_of(agent))


def approved(agent: str = "prices", state: str = "approved", **settings: Any) -> Resource:
    address = Address(KindName.APPROVAL, agent)
    return Resource(
        address, {"state": state}, Origin("manifests/retail.yaml", 5), agent_path=path_of(agent), **settings
    )


def starts(name: str = "publish", *, needs: Iterable[str] = (), **spec: Any) -> Resource:
    """A declared trigger."""
    return Resource(
        address=at(f"trigger/{name}"),
        spec={"task": {"name": "Publish prices"}, "when": {"revision": "1"}, **spec},
        origin=Origin("manifests/publish.yaml", 2),
        needs=tuple(map(at, needs)),
    )


def views(*lives: JobSchedule, agent: str = "prices", problem: str = "") -> dict[str, AgentView]:
    path = path_of(agent)
    if problem:
        return {path: AgentView(path, problem=problem)}
    return {path: AgentView(path, f"id-of-{agent}", {normal_id(one.schedule_id): one for one in lives})}


def contents_of(resources: Iterable[Resource]) -> dict[Address, State]:
    """The desired states of what no product shows, as the workflow computes them."""
    contents: dict[Address, State] = {}
    everything = {one.address: one for one in resources}

    def digest_of(address: Address) -> str:
        one = everything[address]
        if address.kind is KindName.SCHEDULE:
            return SEAL(dict(schedule.meaning(schedule.desired_state(one.spec))))
        state = state_of(one)
        return str(state["key"]) if address.kind is KindName.TRIGGER else SEAL(state)

    def state_of(one: Resource) -> State:
        match one.address.kind:
            case KindName.INPUT_FILES:
                return input_files.desired_state(one.spec, SEAL)
            case KindName.APPROVAL:
                return approval.desired_state(one.spec, SEAL)
            case _:
                return trigger.desired_state(one.spec, {str(need): digest_of(need) for need in one.needs}, SEAL)

    for one in everything.values():
        if one.address.kind is not KindName.SCHEDULE:
            contents[one.address] = state_of(one)
    return contents


def inputs(
    resources: Iterable[Resource] = (),
    live: Mapping[str, AgentView] | None = None,
    entries: Iterable[Entry] = (),
    *,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    secret_values: frozenset[str] = frozenset(),
    known: bool = True,
    lost: bool = False,
    **settings: Any,
) -> planner.PlanInputs:
    """A inputs of one project, `retail`; its agents are those of the resources and of what was seen."""
    wanted = tuple(sorted(resources, key=lambda one: one.address))
    project = Project("retail", "default", Path(), {}, "", policy)
    handles = {one.agent_path: one.address.agent for one in wanted if one.agent_path}
    agents = tuple(Agent(handle, path, Origin("m.yaml", 1)) for path, handle in sorted(handles.items()))
    if live is None:
        live = {path: AgentView(path, f"id-of-{handle}") for path, handle in handles.items()}
    desired = Desired(project, agents, wanted, secret_values=secret_values)
    memory = Memory({entry.address: entry for entry in entries}, known, lost)
    found = planner.identify(desired, Live(live), memory, schedule, as_of=AS_OF)
    settings.setdefault("contents", contents_of(found.desired.resources))
    return planner.PlanInputs(
        desired=found.desired,
        live=found.live,
        memory=found.memory,
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


def only_block(plan: Plan) -> BlockedResource:
    assert plan.changes == ()
    (blocked,) = plan.blocked
    return blocked
