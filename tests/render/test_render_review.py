"""A plan in groups: nothing is counted twice or left out, and folded names unfold to exactly what was folded."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_estates import SIZES, created, disabled, estate_plan, retimed
from render_models import plans
from render_samples import ADOPTED, DELETED, ENABLED, PLAN, UPDATED

from reconciler.causes import Cause, because
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.plan import Action, BlockedResource, Change, FieldChange, Finding, Plan, Preview, Reason
from reconciler.render.address_folding import folded_addresses
from reconciler.render.review import ChangeGroup, Risk, outline, risk_of

BASH = shutil.which("bash")
START = FieldChange("startTime", "2026-01-01T02:00:00", "2035-01-01T02:00:00")
TONIGHT = ("2026-11-23T02:00:00+11:00", "2026-11-24T02:00:00+11:00")
IN_2035 = ("2035-01-01T02:00:00+11:00", "2035-01-02T02:00:00+11:00")
CRON = FieldChange("cron", "0 0 2 * * *", "0 0 3 * * *")

names = st.builds(
    "".join,
    st.lists(
        st.sampled_from(("a", "b", "-", ".", "_", "1", "2", "09", "10", "098", "099", "100")), min_size=1, max_size=4
    ),
)
addresses = st.one_of(
    st.builds(Address, st.just("schedule"), names, names),
    st.builds(Address, st.just("approval"), names),
    st.builds(Address, st.just("trigger"), st.just(""), names),
)


def unfolded(texts: list[str]) -> list[str]:
    """What a shell makes of them: the judge of whether folding loses anything."""
    assert BASH is not None
    words = subprocess.run(
        [BASH, "-fc", f"printf '%s\\n' {' '.join(texts)}"], capture_output=True, text=True, check=True
    )
    return words.stdout.splitlines()


@pytest.mark.generated
@pytest.mark.skipif(BASH is None, reason="no bash: NOBODY JUDGES WHAT FOLDED ADDRESSES UNFOLD TO")
@given(st.sets(addresses, min_size=1, max_size=30), st.integers(1, 120))
def test_folded_addresses_unfold_in_a_shell_to_exactly_those(found: set[Address], width: int) -> None:
    folded = folded_addresses(found, width)
    assert sorted(unfolded([one.text for one in folded])) == sorted(map(str, found))
    assert sum(one.number for one in folded) == len(found)


def test_an_estate_of_regions_takes_a_line() -> None:
    shops = [Address("schedule", f"shop-{number:03}", name) for number in range(1, 301) for name in ("nightly", "poll")]
    assert [one.text for one in folded_addresses(shops)] == ["schedule/shop-{001..300}/{nightly,poll}"]


def test_a_word_is_as_wide_as_asked_where_names_allow_it() -> None:
    agents = [Address("schedule", f"{name}{name}{name}", "poll") for name in ("alpha", "beta", "gamma", "delta", "rho")]
    assert max(len(one.text) for one in folded_addresses(agents, 40)) <= 40


def test_what_a_shell_would_read_otherwise_stands_by_itself() -> None:
    odd = [Address("schedule", "a", "{x,y}"), Address("schedule", "a", "b c"), Address("schedule", "a", "é")]
    assert [one.text for one in folded_addresses(odd)] == ["schedule/a/b c", "schedule/a/{x,y}", "schedule/a/é"]


@pytest.mark.generated
@given(plans)
def test_every_part_of_a_plan_stands_in_one_group(plan: Plan) -> None:
    found = outline(plan)
    grouped = [
        change for part in (found.risky, found.routine, found.ledger_only) for one in part for change in one.changes
    ]
    assert sorted(map(id, grouped)) == sorted(map(id, plan.changes))
    assert sorted(id(one) for group in found.blocked for one in group.blocked) == sorted(map(id, plan.blocked))
    told = [(group.code, address) for group in found.warnings for _, of in group.sentences for address in of]
    assert sorted(told) == sorted((one.code, one.address) for one in plan.warnings)
    assert all(risk_of(change) is group.risk for group in found.risky for change in group.changes)


@pytest.mark.parametrize("size", SIZES)
def test_an_estate_of_any_size_has_few_groups(size: int) -> None:
    plan = estate_plan(size)
    found = outline(plan)
    assert len(plan.changes) == size
    assert len(found.risky) + len(found.routine) + len(found.ledger_only) + len(found.blocked) <= 20


def test_what_is_alike_is_said_once() -> None:
    (group,) = outline(Plan("p", "e", tuple(map(retimed, range(117))))).risky
    assert group.headline() == "117 schedules: every 15m → 45m, 96 → 32 runs a day, 0.33×"  # noqa: RUF001
    assert group.because == "edited: the manifest changed"
    assert [field.path for field in group.common] == ["every"]
    assert not group.varying


def test_of_various_frequencies_the_highest_is_told() -> None:
    rates = [replace(created(number), preview=Preview(after_per_day=float(number))) for number in range(1, 1441, 20)]
    (group,) = outline(Plan("p", "e", tuple(rates))).routine
    assert group.headline() == "72 schedules will be created: up to 1421 runs a day"


def test_what_varies_is_counted_by_its_ways() -> None:
    (group,) = outline(Plan("p", "e", tuple(map(created, range(40))))).routine
    assert group.headline() == "40 schedules will be created: 24 runs a day"
    assert {field.path for field in group.common} == {"startTime", "timeZone", "inputParameters.apiKey"}
    assert [(field.path, len(field.ways)) for field in group.varying] == [("cron", 40), ("inputParameters.region", 4)]


def test_one_of_many_sorts_that_is_frequent_stands_apart() -> None:
    rare = [replace(retimed(number), fields=(FieldChange("every", "15m", f"{16 + number}m"),)) for number in range(20)]
    groups = outline(Plan("p", "e", (*rare, *map(retimed, range(20, 60))))).risky
    assert [len(group.changes) for group in groups] == [40, 20]


@pytest.mark.parametrize(
    ("change", "risk"),
    [
        (DELETED, Risk.DELETED),
        (ENABLED, Risk.SWITCHED_ON),
        (disabled(1), Risk.SWITCHED_OFF),
        (
            replace(UPDATED, fields=(FieldChange("enabled", True, False), FieldChange("cron", "a", "b"))),
            Risk.SWITCHED_OFF,
        ),
        (
            replace(UPDATED, fields=(FieldChange("enabled", False, True), FieldChange("cron", "a", "b"))),
            Risk.SWITCHED_ON,
        ),
        (retimed(1), Risk.FREQUENCY),
        (replace(UPDATED, preview=Preview(before_per_day=1.0, after_per_day=1.9)), None),
        (replace(UPDATED, why=because(Cause.DUE_FOR, because(Cause.FILES_REPLACED, count=2))), Risk.REPLACED),
        (replace(ADOPTED, preview=Preview(before_per_day=0.0, after_per_day=1.0)), None),
        (UPDATED, None),
        (created(1), None),
        (replace(created(1), preview=Preview(after_per_day=86400.0)), Risk.OFTEN),
        (replace(UPDATED, preview=Preview(before_per_day=None, after_per_day=1440.0)), Risk.OFTEN),
        (replace(UPDATED, preview=Preview(before_per_day=1.0, after_per_day=0.0)), Risk.NO_FURTHER_RUN),
        (replace(UPDATED, preview=Preview(before_per_day=0.0, after_per_day=1.0)), Risk.FIRST_RUN),
        (replace(UPDATED, fields=(START,), preview=Preview(TONIGHT, IN_2035, 1.0, 1.0)), Risk.FIRST_RUN),
        (replace(UPDATED, fields=(START,), preview=Preview(IN_2035, TONIGHT, 1.0, 1.0)), Risk.FIRST_RUN),
        (replace(UPDATED, fields=(START,), preview=Preview(TONIGHT, TONIGHT, 1.0, 1.0)), None),
    ],
)
def test_a_risk_is_seen_whichever_way_it_comes(change: Change, risk: Risk | None) -> None:
    assert risk_of(change) is risk


def test_one_cause_is_told_once_for_all_that_it_blocks() -> None:
    said = because(Cause.AGENT_UNREAD, said="401")
    blocked = tuple(
        BlockedResource(Address("schedule", f"a-{number}", "poll"), Reason.UNREADABLE, said) for number in range(1200)
    )
    (group,) = outline(Plan("p", "e", blocked=blocked)).blocked
    assert group.headline() == "1,200 schedules: unreadable"
    assert group.said == "401"
    assert "reconciler doctor" in group.step


def test_a_step_for_many_stands_for_each() -> None:
    blocked = tuple(
        BlockedResource(Address("trigger", "", name), Reason.UNKNOWN_START, because(Cause.SAID, said="lost"))
        for name in ("a", "b")
    )
    (group,) = outline(Plan("p", "e", blocked=blocked)).blocked
    assert "`reconciler resolve ADDRESS --ran | --not-ran`" in group.step


def test_warnings_of_a_code_are_one_group() -> None:
    warnings = tuple(
        Finding("dst", f"schedule/a/{name}", because(Cause.SAID, said=said))
        for name, said in (("x", "one"), ("y", "two"), ("z", "two"))
    )
    (group,) = outline(Plan("p", "e", warnings=warnings)).warnings
    assert group.count == 3
    assert group.sentences == (("two", ("schedule/a/y", "schedule/a/z")), ("one", ("schedule/a/x",)))


def test_a_secret_is_in_no_headline() -> None:
    field = FieldChange("inputParameters.key", "hunter1", "hunter2", secret=True)
    group = ChangeGroup((replace(UPDATED, fields=(field,)), replace(DELETED, fields=(field,), action=Action.UPDATE)))
    assert "hunter" not in group.headline()
    assert group.headline().endswith("inputParameters.key (secret, changed)")
    assert all("hunter" not in part.headline() for part in outline(PLAN).routine)
