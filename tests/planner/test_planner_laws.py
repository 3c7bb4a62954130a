"""Laws that hold for every inputs: same in, same out; nothing foreign is touched; nothing undeclared moves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from planner_stage import (
    FOREIGN,
    declared,
    inputs,
    path_of,
    planned,
    remembered,
    seen,
    starts,
    state_after,
    state_of,
    views,
)

from reconciler import planner, timetable
from reconciler.clients.replies import JobSchedule, read_schedule
from reconciler.identity import is_owned, owned_id
from reconciler.kinds.registry import KINDS
from reconciler.kinds.schedule import KIND as SCHEDULE
from reconciler.kinds.schedule_state import PATHS, ScheduleState, timing, wire_body
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.live import AgentView
from reconciler.model.plan import Action, Change
from reconciler.model.project import Policy
from reconciler.model.resource import Resource

AGENTS = ("prices", "stock", "shops")
NAMES = ("nightly", "poll", "weekly")
CRONS = (
    "0 0 2 * * MON-FRI",
    "0 0 2 * * 1-5",
    "0 30 2 * * *",
    "0 0/15 * * * *",
    "0 15 0 0",
    "0 0 6 0",
    "0 0 0 1",
    "0 0 0 7",
)
STARTS = (
    "2026-01-01T02:00:00",
    "2026-01-01T02:15:00",
    "2026-01-02T02:00:00",
    "2026-11-22T12:00:00",
    "2026-12-24T02:00:00",
    "2027-03-01T00:00:00",
)
ZONES = ("Australia/Sydney", "Australia/Melbourne", "AUS Eastern Standard Time", "UTC", "Europe/Berlin")

blocks = st.fixed_dictionaries(
    {"cron": st.sampled_from(CRONS), "startTime": st.sampled_from(STARTS), "timeZone": st.sampled_from(ZONES)},
    optional={
        "enabled": st.booleans(),
        "windowless": st.booleans(),
        "logLevel": st.sampled_from(["none", "low", 2, "3"]),
        "sessionId": st.sampled_from(["", "1-5/5"]),
        "inputParameters": st.sampled_from([{}, {"region": "au"}, {"region": "nz", "depth": 3}]),
    },
)
resources = st.builds(
    lambda name, agent, spec, protect: declared(name, agent, spec=spec, protect=protect),
    st.sampled_from(NAMES),
    st.sampled_from(AGENTS),
    blocks,
    st.booleans(),
)
hand_made = st.builds(
    lambda number, spec: seen(f"0000000{number}-0000-4000-8000-000000000000", of=declared(spec=spec)),
    st.integers(0, 9),
    blocks,
)


@st.composite
def scenes(draw: st.DrawFn) -> planner.PlanInputs:
    """Any mixture of declared, live and remembered schedules over three agents, some of them unreadable."""
    pool = draw(st.lists(resources, max_size=6, unique_by=lambda one: one.address))
    wanted: list[Resource] = [one for one in pool if draw(st.booleans())]
    if draw(st.booleans()):
        wanted.append(starts(needs=[str(one.address) for one in wanted[:2]]))
    live: dict[str, AgentView] = {}
    for agent in AGENTS:
        if draw(st.integers(0, 5)) == 0:
            live |= views(agent=agent, problem=f"{agent} cannot be read")
            continue
        alive = [one for one in pool if one.agent_path == path_of(agent) and draw(st.booleans())]
        shown = [
            seen(one.identity, of=replace(one, state=state_of(draw(blocks)) if draw(st.booleans()) else one.state))
            for one in alive
        ]
        live |= views(*shown, *draw(st.lists(hand_made, max_size=2)), agent=agent)
    entries = [
        remembered(one, settled=draw(st.booleans()), words=draw(st.sampled_from([one.state, declared().state])))
        for one in pool
        if draw(st.booleans())
    ]
    return inputs(
        wanted,
        live,
        entries,
        policy=Policy(prune=draw(st.sampled_from(["owned", "never"]))),
        known=draw(st.booleans()),
        destroy=draw(st.integers(0, 4)) == 0,
        agent_paths={path_of(agent): agent for agent in AGENTS},
    )


@settings(deadline=None, max_examples=50)
@given(scenes())
def test_equal_scenes_give_equal_plans_however_they_are_ordered(stage: planner.PlanInputs) -> None:
    plan = planner.plan(stage, KINDS)
    assert planner.plan(stage, KINDS) == plan
    turned = replace(
        stage,
        desired=replace(stage.desired, resources=stage.desired.resources[::-1]),
        live=replace(stage.live, agents=dict(reversed(list(stage.live.agents.items())))),
        memory=replace(stage.memory, entries=dict(reversed(list(stage.memory.entries.items())))),
    )
    assert planner.plan(turned, KINDS) == plan
    addresses = [change.address for change in plan.changes] + [one.address for one in plan.blocked]
    assert len(addresses) == len(set(addresses)), "one verdict for each address"


@settings(deadline=None, max_examples=50)
@given(scenes())
def test_nothing_foreign_is_ever_written(stage: planner.PlanInputs) -> None:
    adopted = {entry.identity for entry in stage.memory.entries.values()}
    for change in planner.plan(stage, KINDS).changes:
        if change.action.is_remote and change.identity:
            assert is_owned(change.identity, "retail", "default") or change.identity in adopted
            assert change.identity != FOREIGN


@settings(deadline=None, max_examples=50)
@given(scenes())
def test_what_is_declared_is_never_deleted_and_what_is_unreadable_is_never_written(stage: planner.PlanInputs) -> None:
    plan = planner.plan(stage, KINDS)
    wanted = {one.identity for one in stage.desired.resources if one.identity}
    unread = {path for path, view in stage.live.agents.items() if view.problem}
    for change in plan.changes:
        if change.action is Action.DELETE:
            assert stage.destroy or change.identity not in wanted
            assert stage.destroy or stage.desired.project.policy.prune == "owned"
        if change.action.is_remote:
            assert change.agent_path not in unread


@settings(deadline=None, max_examples=50)
@given(scenes())
def test_everything_in_sight_is_accounted_for(stage: planner.PlanInputs) -> None:
    """Each declared resource is changed, blocked or unchanged; each live schedule is declared, ours, or unmanaged."""
    plan = planner.plan(stage, KINDS)
    assume(not stage.destroy)
    told = {change.address for change in plan.changes} | {one.address for one in plan.blocked}
    declared_now = {one.address for one in stage.desired.resources}
    assert len(declared_now - told) == plan.unchanged
    shown = {identity for view in stage.live.agents.values() for identity in view.of(SCHEDULE.name)}
    ours = {change.identity for change in plan.changes} | {one.identity for one in stage.desired.resources}
    kept = {
        identity
        for identity in shown
        if is_owned(identity, "retail", "default") and stage.desired.project.policy.prune == "never"
    }
    protected = {entry.identity for entry in stage.memory.entries.values() if entry.protect}
    assert shown <= ours | {one.id for one in plan.unmanaged} | kept | protected


@settings(deadline=None, max_examples=50)
@given(blocks, blocks)
def test_only_declared_fields_ever_move(before: dict[str, Any], spec: dict[str, Any]) -> None:
    live = seen(of=declared(spec=before))
    resource = replace(declared(), state=state_of(spec))
    change = next(iter(planned([resource], views(live), [remembered(resource)]).changes), None)
    if change is None:
        return
    was, becomes = change.before, state_after(change, ScheduleState)
    assert isinstance(was, ScheduleState)
    named = set(SCHEDULE.values(resource.state))
    unnamed = [name for name, path in PATHS.items() if path not in named]
    assert all(getattr(becomes, name) == getattr(was, name) for name in unnamed)


def runs_of(state: ScheduleState, since: datetime, count: int = 12) -> list[datetime]:
    when = timing(state)
    assert when is not None
    return [run.at.astimezone(UTC) for run in timetable.next_runs(when, since, count)]


def rhythm_of(spec: Mapping[str, Any]) -> ScheduleState:
    return state_of({key: spec[key] for key in ("cron", "startTime", "timeZone")})


moments = st.datetimes(datetime(2026, 10, 1), datetime(2027, 4, 30)).map(lambda moment: moment.replace(tzinfo=UTC))


@settings(deadline=None, max_examples=150)
@given(blocks, blocks, moments)
def test_what_is_planned_as_unchanged_runs_at_the_same_instants(
    live: dict[str, Any], spec: dict[str, Any], as_of: datetime
) -> None:
    """Rhythm, start and zone: whenever the comparison finds no difference, no run differs from then on."""
    before, after = SCHEDULE.whole(rhythm_of(live), None), rhythm_of(spec)
    if SCHEDULE.diff(before, after, as_of=as_of):
        return
    for since in (as_of, as_of + timedelta(days=200)):
        assert runs_of(before, since) == runs_of(SCHEDULE.whole(after, before), since)


@settings(deadline=None, max_examples=150)
@given(blocks, blocks, blocks, moments)
def test_the_comparison_is_an_equivalence(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any], as_of: datetime
) -> None:
    a, b, c = (SCHEDULE.whole(rhythm_of(spec), None) for spec in (one, two, three))

    def same(left: ScheduleState, right: ScheduleState) -> bool:
        return not SCHEDULE.diff(left, right, as_of=as_of)

    assert same(a, a)
    assert same(a, b) == same(b, a)
    if same(a, b) and same(b, c):
        assert same(a, c)


@settings(deadline=None, max_examples=50)
@given(st.lists(resources, max_size=5, unique_by=lambda one: one.address))
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(wanted: list[Resource[ScheduleState]]) -> None:
    """What the plan says will be there is taken for live, and remembered: then the next plan is empty."""
    first = planned(wanted)
    lives: dict[str, list[JobSchedule]] = {agent: [] for agent in AGENTS}
    entries: list[Entry] = []
    for change in first.changes:
        resource = next(one for one in wanted if one.address == change.address)
        made = as_seen(change)
        lives[resource.address.agent].append(made)
        entries.append(remembered(resource, made))
    live: dict[str, AgentView] = {}
    for agent, made_there in lives.items():
        live |= views(*made_there, agent=agent)
    again = planned(wanted, live, entries)
    assert (again.changes, again.blocked, again.unchanged) == ((), (), len(wanted))


def as_seen(change: Change) -> JobSchedule:
    body = dict(wire_body(change.identity.upper(), state_after(change, ScheduleState)))
    return read_schedule(body | {"inputParameters": json.dumps(body["inputParameters"])})


def test_ids_of_another_project_are_not_ours() -> None:
    other = owned_id("wholesale", "default", path_of("prices"), "nightly")
    plan = planned([], views(seen(other)))
    assert plan.changes == ()
    assert [one.id for one in plan.unmanaged] == [other]
