"""Planning takes time by the number of things, and not by its square."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bounded import GROWTH, growth, work_of
from planner_stage import PROJECT, SEAL, declared, inputs, path_of, remembered, seen, starts, views

from reconciler import planner
from reconciler.kinds.registry import KINDS
from reconciler.kinds.trigger import TriggerState
from reconciler.model.copies import replace
from reconciler.model.live import AgentView
from reconciler.model.plan import Reason
from reconciler.model.project import Policy
from reconciler.model.resource import Desired
from reconciler.render.reasons import words
from reconciler.workflow.completion import complete

Make = Callable[[int], Callable[[], object]]


def wildcards(size: int) -> Callable[[], object]:
    schedules = [declared(f"s{number}") for number in range(size)]
    needs = [str(one.address) for one in schedules]
    triggers = [starts(f"t{number}", needs=needs) for number in range(20)]
    live = views(*(seen(of=one) for one in schedules))
    found = inputs([*schedules, *triggers], live)
    return lambda: planner.plan(found, KINDS)


def a_blocked_chain(size: int) -> Callable[[], object]:
    """Every trigger needs the next one, and the last one's schedule cannot be read."""
    triggers = [starts(f"t{n:05}", needs=[f"trigger/t{n + 1:05}"]) for n in range(size)]
    triggers.append(starts(f"t{size:05}", needs=["schedule/prices/nightly"]))
    everything = frozenset(one.address for one in (declared(), *triggers))
    made = replace(inputs([declared(), *triggers], views(problem="503"), complete=frozenset()), complete=everything)
    return lambda: planner.plan(replace(made, desired=_completed(made.desired)), KINDS)


def _completed(desired: Desired) -> Desired:
    return complete(desired, frozenset(one.address for one in desired.resources), SEAL, {}, KINDS)


def unreadable_agents(size: int) -> Callable[[], object]:
    """As many agents that are declared as agents that are remembered alone, and none of them can be read."""
    kept = [declared(agent=f"kept{number}") for number in range(size)]
    gone = [remembered(declared(agent=f"gone{number}")) for number in range(size)]
    paths = [path_of(f"{word}{number}") for word in ("kept", "gone") for number in range(size)]
    found = inputs(kept, {path: AgentView(path, problem=f"no answer from {path}") for path in paths}, gone)
    return lambda: planner.plan(found, KINDS)


def adopted_and_gone(size: int) -> Callable[[], object]:
    ids = [f"d9c944df-93a7-ea77-f7b7-{number:012x}" for number in range(size)]
    resources = [declared(agent=f"a{n}", identity=one, adopted=True) for n, one in enumerate(ids)]
    found = inputs(resources)
    return lambda: planner.plan(found, KINDS)


def drifted(size: int) -> Callable[[], object]:
    schedules = [declared(f"s{number}") for number in range(size)]
    live = views(*(seen(of=one, cron="0 0 3 * * *") for one in schedules))
    found = inputs(schedules, live, [remembered(one) for one in schedules])
    return lambda: (planner.plan(found, KINDS), planner.audit(found, KINDS))


def pruned(size: int) -> Callable[[], object]:
    schedules = [declared(f"s{number}") for number in range(size)]
    live = views(*(seen(of=one) for one in schedules))
    found = inputs([], live, [remembered(one) for one in schedules], policy=Policy())
    return lambda: planner.plan(found, KINDS)


def renamed(size: int) -> Callable[[], object]:
    """Every schedule of an agent has a new name, and nothing is remembered: they are known by what they mean."""
    old = [declared(f"old{n}", spec={"inputParameters": {"n": str(n)}}) for n in range(size)]
    new = [declared(f"new{n}", spec={"inputParameters": {"n": str(n)}}) for n in range(size)]
    live = views(*(seen(of=one) for one in old))
    return lambda: planner.plan(inputs(new, live), KINDS)


def secrets(size: int) -> Callable[[], object]:
    values = [f"a secret of {number}" for number in range(size)]
    schedules = [
        declared(f"s{n}", spec={"inputParameters": {"p": value}}, secrets=("inputParameters.p",))
        for n, value in enumerate(values)
    ]
    found = inputs(schedules, secret_values=frozenset(values))
    return lambda: planner.plan(found, KINDS)


@pytest.mark.parametrize(
    "make", [wildcards, a_blocked_chain, unreadable_agents, adopted_and_gone, drifted, pruned, renamed, secrets]
)
def test_the_work_of_a_plan_grows_with_the_size_and_not_with_its_square(make: Make) -> None:
    assert growth(make, 60) < GROWTH


def digests(triggers: int) -> Callable[[], object]:
    schedules = [declared(f"s{number}") for number in range(100)]
    needs = [str(one.address) for one in schedules]
    resources = (*schedules, *(starts(f"t{number}", needs=needs) for number in range(triggers)))
    desired = Desired(PROJECT, (), resources)
    return lambda: _completed(desired)


def test_a_schedule_is_measured_once_however_many_triggers_rest_on_it() -> None:
    digests(1)()
    assert work_of(digests(20)) < 8 * work_of(digests(1))


def test_a_chain_of_thousands_of_triggers_is_no_matter() -> None:
    chain = tuple(starts(f"t{n:05}", needs=[f"trigger/t{n + 1:05}"] if n < 4999 else []) for n in range(5000))
    desired = Desired(PROJECT, (), chain)
    states = [one.state for one in _completed(desired).resources]
    assert len({state.key for state in states if isinstance(state, TriggerState) and state.key}) == 5000


def test_all_that_rests_on_something_blocked_is_held_back_and_says_on_what() -> None:
    schedules = [declared(f"s{number:02}") for number in range(15)]
    first = starts("first", needs=[str(one.address) for one in schedules])
    second = starts("second", needs=["trigger/first"])
    free = starts("free")
    plan = planner.plan(inputs([*schedules, first, second, free], views(problem="503")), KINDS)
    held = {str(one.address): one for one in plan.blocked if one.reason is Reason.STRANDED}
    assert sorted(held) == ["trigger/first", "trigger/second"]
    assert words(held["trigger/first"].why).endswith("schedule/prices/s09 and 5 more, which is blocked")
    assert words(held["trigger/second"].why) == "it needs trigger/first, which is blocked"
    assert [str(one.address) for one in plan.changes] == ["trigger/free"]
