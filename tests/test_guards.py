"""Plans that must not run: too many deletions, everything at once, more starts than the licence holds."""

from __future__ import annotations

import pytest

from reconciler import guards
from reconciler.model.address import Address
from reconciler.model.plan import Action, Change, Plan, Reason
from reconciler.model.project import Policy
from reconciler.render.reasons import words


def plan_of(*, deletes: int = 0, starts: int = 0, owned: int = 0) -> Plan:
    doomed = [
        Change(Address("schedule", "prices", f"s{number:02}"), Action.DELETE, Reason.REMOVED)
        for number in range(deletes)
    ]
    due = [Change(Address.parse(f"trigger/t{number}"), Action.START, Reason.DUE) for number in range(starts)]
    return Plan("retail", "default", changes=(*doomed, *due), owned_in_sight=owned)


def codes(plan: Plan, policy: Policy = Policy(), **settings: int | None) -> list[str]:  # noqa: B008 - frozen
    return [finding.code for finding in guards.refusals(plan, policy, **settings)]


@pytest.mark.parametrize(
    ("deletes", "owned", "refused"),
    [
        (0, 0, []),
        (0, 500, []),
        (1, 1, []),  # the last one of one: nothing unusual
        (1, 2, []),
        (2, 2, ["prune-to-nothing"]),
        (9, 9, ["prune-to-nothing"]),
        (8, 9, []),  # below ten the share does not count
        (3, 10, []),  # just 30 %
        (4, 10, ["max-deletes"]),
        (30, 100, []),
        (31, 100, ["max-deletes"]),
        (10, 10, ["prune-to-nothing"]),
    ],
)
def test_the_default_limit(deletes: int, owned: int, refused: list[str]) -> None:
    assert codes(plan_of(deletes=deletes, owned=owned)) == refused


@pytest.mark.parametrize("percent", range(1, 100))
def test_a_share_is_exact(percent: int) -> None:
    """29 of 100 are 29 %, whatever a float makes of it."""
    policy = Policy(max_deletes=percent / 100)
    assert codes(plan_of(deletes=percent, owned=100), policy) == []
    assert codes(plan_of(deletes=percent + 1, owned=101), policy) == ["max-deletes"]


def test_a_limit_in_numbers() -> None:
    policy = Policy(max_deletes=5, max_deletes_is_share=False)
    assert codes(plan_of(deletes=5, owned=100), policy) == []
    assert codes(plan_of(deletes=6, owned=100), policy) == ["max-deletes"]
    assert codes(plan_of(deletes=6, owned=9), policy) == []


def test_no_deletion_at_all() -> None:
    assert codes(plan_of(deletes=1, owned=10), Policy(max_deletes=0)) == ["max-deletes"]


@pytest.mark.parametrize(("allowed", "refused"), [(10, []), (11, []), (9, ["max-deletes"]), (0, ["max-deletes"])])
def test_allowed_once(allowed: int, refused: list[str]) -> None:
    assert codes(plan_of(deletes=10, owned=10), allowed_deletes=allowed) == refused


def test_a_refusal_names_the_numbers_the_schedules_and_the_way() -> None:
    (finding,) = guards.refusals(plan_of(deletes=12, owned=20), Policy())
    assert "12 of 20" in words(finding.why)
    assert "30%" in words(finding.why)
    assert "schedule/prices/s00" in words(finding.why)
    assert "and 2 more" in words(finding.why)
    assert "reconciler apply --max-deletes 12" in words(finding.why)


def test_the_licence() -> None:
    assert codes(plan_of(starts=3), starts_left=3) == []
    assert codes(plan_of(starts=3), starts_left=2) == ["licence"]
    assert codes(plan_of(starts=3), starts_left=None) == []
    assert codes(plan_of(), starts_left=0) == []


def test_all_reasons_are_told_at_once() -> None:
    assert codes(plan_of(deletes=10, starts=2, owned=10), starts_left=1) == ["prune-to-nothing", "licence"]
