"""Plans and audits of 1, 25, 300 and 5 000 changes as text: on two screens, each change counted once, none unnamed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import render_golden as golden
from hypothesis import given
from hypothesis import strategies as st
from render_estates import (
    SIZES,
    adopted,
    created,
    deleted,
    disabled,
    estate_drift,
    estate_plan,
    relogged,
    retimed,
    started,
    uploaded,
)
from render_models import drifts, plans
from test_render_review import BASH, unfolded

from reconciler.causes import Cause, because, said
from reconciler.model.address import Address, Origin
from reconciler.model.condition import Drift, DriftStatus, Health, ResourceStatus
from reconciler.model.copies import replace
from reconciler.model.plan import Action, BlockedResource, Change, FieldChange, Finding, Plan, Preview, Reason
from reconciler.model.resource import Problem
from reconciler.render import Screen, Stamp, markdown, status_report
from reconciler.render.characters import columns
from reconciler.render.text import drift_text, plan_text, problems_text
from reconciler.render.wording import blocked_words

WIDTHS = (80, 120)
TWO_SCREENS = 100
NAMES = re.compile(r"^    ((?:schedule|trigger|input-files|approval)/.*)$", re.MULTILINE)
COUNTED = re.compile(
    r"^[^\w\s] ([0-9,]+) (?:schedules|triggers|sets of input files|approvals|resources)\b", re.MULTILINE
)
LISTED = r"\n    ((?:schedule|trigger|input-files|approval)/.*?)(?=\n    (?:[^ ]+:|[-+] |\w+ )|\n\S|\n\n|\Z)"
MORE = re.compile(r"… and ([0-9,]+) more: -v names all")


def test_counts_are_written_one_way_in_titles_and_summaries() -> None:
    plan, audit, stamp = estate_plan(5_000), estate_drift(5_000), Stamp("0", "p", "default", "2026-11-22T00:00:00Z")
    pages = [plan_text.plan(plan, Screen(120)), markdown.plan(plan, stamp)]
    pages += [drift_text.drift(audit, Screen(120)), markdown.drift(audit, stamp)]
    for page in pages:
        assert re.search(r"[0-9],[0-9]{3} [a-z]", page)
        assert not re.search(r"(?<![0-9.,-])[0-9]{4,} [a-z]", page)


@pytest.mark.parametrize("reason", Reason)
def test_a_person_reads_why_something_is_blocked_as_a_phrase(reason: Reason) -> None:
    said = blocked_words(BlockedResource(Address("trigger", "", "publish"), reason, because(Cause.START_UNKNOWN)))
    assert "-" not in said
    assert said != "stranded"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("size", SIZES)
def test_a_plan_and_an_audit_of_any_size_look_as_they_were_approved_by_eye(size: int, width: int) -> None:
    golden.check(f"estate-plan-{size}-{width}.txt", plan_text.plan(estate_plan(size), Screen(width)))
    golden.check(f"estate-drift-{size}-{width}.txt", drift_text.drift(estate_drift(size), Screen(width)))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("size", [1, 2, 7, 12, 25, 60, 120, 300, 500, 1_000, 5_000])
def test_a_plan_of_mixed_changes_fits_on_two_screens(size: int, width: int) -> None:
    assert plan_text.plan(estate_plan(size), Screen(width)).count("\n") <= TWO_SCREENS


def test_a_plan_of_hundreds_of_sorts_fits_too(width: int = 120) -> None:
    many = [
        poll(number, fields=(FieldChange(f"inputParameters.key{number % 90}", "1", "2"),), preview=None)
        for number in range(500)
    ]
    page = shown(*many)
    assert page.count("\n") <= TWO_SCREENS
    assert numbers(page) == 500
    assert "~ 500 schedules: inputParameters.key0, " in page and "87 more fields" in page


def test_what_is_shortened_for_the_screen_says_so() -> None:
    page = plan_text.plan(estate_plan(500), Screen(60))
    assert "Written in short, to fit on two screens: -v writes all of it out, --only narrows it." in " ".join(
        page.split()
    )
    assert "Written in short" not in plan_text.plan(estate_plan(1), Screen(80))


def addresses(plan: Plan) -> set[str]:
    found = [*(change.address for change in plan.changes), *(blocked.address for blocked in plan.blocked)]
    return set(map(str, found))


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Each block that begins with a sign: its head, with what hangs below it, and all of its lines."""
    for block in re.split(r"\n(?=[^\w\s] )", page):
        yield block.split("\n")[0], block


def numbers(page: str) -> int:
    """How many changes and blocked resources the blocks of a plan are about."""
    body = page.partition("\nWarnings")[0]
    counts = [int(found[1].replace(",", "")) for found in COUNTED.finditer(body)]
    alone = re.findall(r"^[^\w\s] (?:schedule|trigger|input-files|approval)/", body, re.MULTILINE)
    return sum(counts) + len(alone)


@pytest.mark.parametrize("verbose", [False, True], ids=["folded", "whole"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("size", SIZES)
def test_every_change_is_counted_once(size: int, width: int, verbose: bool) -> None:
    plan = estate_plan(size)
    page = plan_text.plan(plan, Screen(width), verbose=verbose)
    assert numbers(page) == len(plan.changes) + len(plan.blocked)


def check_names(plan: Plan, page: str) -> None:
    """What each block names unfolds to addresses of the plan; with what is counted beside them they are all."""
    known = addresses(plan)
    for head, block in blocks(page.partition("\nWarnings")[0]):
        counted = COUNTED.match(head)
        if counted is None:
            continue
        if lines := re.findall(r"^    ((?:schedule|trigger|input-files|approval)/\S+)  ", block, re.MULTILINE):
            assert set(lines) <= known
            assert len(set(lines)) == len(lines) == int(counted[1].replace(",", ""))
            continue
        names = re.search(LISTED, block, re.DOTALL)
        assert names is not None, block
        words = " ".join(names[1].split())
        more = MORE.search(words)
        listed = MORE.sub("", words).replace(", ", " ").strip(" ,")
        shown_ones = unfolded([re.sub(r",\s+", ",", listed)])
        assert set(shown_ones) <= known
        assert len(shown_ones) + (int(more[1].replace(",", "")) if more else 0) == int(counted[1].replace(",", ""))


@pytest.mark.skipif(BASH is None, reason="no bash: NOBODY JUDGES WHAT FOLDED ADDRESSES UNFOLD TO")
@pytest.mark.parametrize("width", [60, *WIDTHS, 200])
@pytest.mark.parametrize("size", [25, 300])
def test_folded_names_unfold_to_those_that_were_folded(size: int, width: int) -> None:
    plan = estate_plan(size)
    check_names(plan, plan_text.plan(plan, Screen(width)))


MAKERS = (retimed, relogged, created, deleted, disabled, adopted, uploaded, started)


@pytest.mark.generated
@pytest.mark.skipif(BASH is None, reason="no bash: NOBODY JUDGES WHAT FOLDED ADDRESSES UNFOLD TO")
@given(
    st.lists(st.tuples(st.sampled_from(MAKERS), st.integers(0, 400)), min_size=1, max_size=150, unique=True),
    st.sampled_from((60, *WIDTHS)),
)
def test_any_plan_counts_each_change_once_and_names_or_counts_it(
    drawn: list[tuple[Callable[[int], Change], int]], width: int
) -> None:
    plan = Plan("p", "default", tuple(sorted((make(number) for make, number in drawn), key=lambda one: one.address)))
    page = plan_text.plan(plan, Screen(width))
    assert numbers(page) == len(plan.changes)
    assert page.count("\n") <= TWO_SCREENS or len(plan.changes) <= 12
    check_names(plan, page)


@pytest.mark.parametrize("size", SIZES)
def test_every_address_of_a_plan_stands_in_its_whole_text(size: int) -> None:
    plan = estate_plan(size)
    page = plan_text.plan(plan, Screen(200), verbose=True)
    shown = set(re.findall(r"[a-z-]+/[^\s,:]+", page))
    assert addresses(plan) <= shown
    assert {warning.address for warning in plan.warnings} <= shown
    assert "more: -v" not in page


@pytest.mark.generated
@given(plans, st.sampled_from(WIDTHS))
def test_any_whole_text_names_every_address(plan: Plan, width: int) -> None:
    page = "".join(plan_text.plan(plan, Screen(width, encoding="ascii"), verbose=True).split())
    for address in addresses(plan):
        if address.isascii() and address.isprintable():
            assert "".join(address.split()) in page


@pytest.mark.parametrize("size", SIZES)
def test_no_secret_stands_in_a_text_of_any_size(size: int) -> None:
    for verbose in (False, True):
        assert "hunter" not in plan_text.plan(estate_plan(size), Screen(200), verbose=verbose)
        assert "hunter" not in drift_text.drift(estate_drift(size), Screen(200), verbose=verbose)


@pytest.mark.generated
@given(plans, drifts, st.integers(40, 200))
def test_what_is_folded_keeps_its_width(plan: Plan, drift: Drift, width: int) -> None:
    many = replace(plan, changes=plan.changes * 5, blocked=plan.blocked * 5, warnings=plan.warnings * 5)
    more = replace(drift, findings=drift.findings * 5)
    for page in (plan_text.plan(many, Screen(width)), drift_text.drift(more, Screen(width))):
        for line in page.splitlines():
            assert columns(line) <= width
            assert line == line.rstrip()


# --- the words -------------------------------------------------------------------------------------------------------


def poll(number: int, **differing: object) -> Change:
    change = Change(
        address=Address("schedule", f"shop-{number:03}", "poll"),
        action=Action.UPDATE,
        reason=Reason.EDITED,
        why=because(Cause.MANIFEST_CHANGED),
        fields=(FieldChange("every", "15m", "45m"),),
        origin=Origin("manifests/shops.yaml", 10 + number),
        preview=Preview(("2026-11-22T21:00:00Z",), ("2026-11-22T21:45:00Z",), 96.0, 32.0),
    )
    return replace(change, **differing)  # type: ignore[arg-type]


def switched(number: int, action: Action, run: str) -> Change:
    is_on = action is Action.ENABLE
    runs = (run,) if run else ()
    preview = Preview(after_runs=runs) if is_on else Preview(before_runs=runs)
    return poll(number, action=action, fields=(FieldChange("enabled", not is_on, is_on),), preview=preview)


def shown(*found: Change, width: int = 120) -> str:
    return plan_text.plan(Plan("p", "default", found), Screen(width))


def test_what_changes_alike_is_one_block_with_its_count_and_its_names_folded() -> None:
    page = shown(*map(poll, range(1, 121)))
    assert "~ 120 schedules: every 15m → 45m, 96 → 32 runs a day" in page
    assert "    schedule/shop-{001..120}/poll\n" in page
    assert "manifests/shops.yaml:11, :12, :13" in page
    assert page.count("the manifest changed") == 1
    assert len(page.splitlines()) < 14


@pytest.mark.parametrize(
    ("action", "sign", "runs", "told"),
    [
        (
            Action.ENABLE,
            "●",
            ("2026-11-23T02:00:00+10:00", "2026-11-23T02:00:00+11:00"),
            "2 schedules will be enabled: first run Mon 23 Nov 02:00 (UTC+11:00)",
        ),
        (Action.ENABLE, "●", ("", ""), "2 schedules will be enabled: no run follows from its timing"),
        (
            Action.ENABLE,
            "●",
            ("2026-11-23T02:00:00+11:00", ""),
            "2 schedules will be enabled: first run Mon 23 Nov 02:00 (UTC+11:00); no run follows of 1",
        ),
        (
            Action.DISABLE,
            "○",
            ("2026-11-23T02:00:00+00:00", "2026-11-23T02:00:00+01:00"),
            "2 schedules will be disabled: no further run; the first was due Mon 23 Nov 02:00 (UTC+01:00)",
        ),
        (
            Action.DISABLE,
            "○",
            ("2026-11-23T02:00:00+00:00",) * 2,
            "2 schedules will be disabled: no further run; the next was due Mon 23 Nov 02:00 (UTC)",
        ),
    ],
)
def test_what_is_switched_is_told_by_what_follows(action: Action, sign: str, runs: tuple[str, str], told: str) -> None:
    page = shown(*(switched(number, action, run) for number, run in enumerate(runs)))
    assert f"{sign} {told}" in page
    alone = shown(switched(1, action, runs[0]))
    assert f"{sign} schedule/shop-001/poll will be {'en' if action is Action.ENABLE else 'dis'}abled: n" in alone


def test_an_update_that_also_switches_says_what_follows() -> None:
    fields = (FieldChange("enabled", True, False), FieldChange("logLevel", 1, 2))
    page = shown(*(poll(number, fields=fields, preview=Preview(("2026-11-22T21:00:00Z",))) for number in range(9)))
    assert "~ 9 schedules: enabled true → false, logLevel 1 → 2" in page
    assert "no further run; the next was due Sun 22 Nov 21:00 (UTC)" in page


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action.CREATE, "+ schedule/shop-001/poll will be created"),
        (Action.UPDATE, "~ schedule/shop-001/poll will be updated"),
        (Action.DELETE, "- schedule/shop-001/poll will be deleted"),
        (Action.START, "▸ schedule/shop-001/poll will be started"),
        (Action.ADOPT, "= schedule/shop-001/poll will be adopted"),
    ],
)
def test_one_alone_is_told_as_terraform_does(action: Action, words: str) -> None:
    assert f"{words}   edited: the manifest changed   manifests/shops.yaml:11\n" in shown(poll(1, action=action))


def test_what_only_the_ledger_learns_takes_a_line() -> None:
    adopted = [
        poll(number, action=Action.ADOPT, reason=Reason.NEW, why=because(Cause.AS_DECLARED)) for number in range(300)
    ]
    page = shown(*adopted)
    assert "= 300 schedules will be adopted: no change to ACC; recorded in the ledger   new: live already" in page
    assert page.count("adopted") == 1
    assert len(page.splitlines()) == 8


def test_new_names_are_one_cause_however_they_differ() -> None:
    renamed = [
        poll(
            number,
            action=Action.ADOPT,
            reason=Reason.RENAMED,
            why=because(Cause.RENAMED, before=f"schedule/a/{number}"),
        )
        for number in range(30)
    ]
    page = shown(*renamed)
    assert "= 30 schedules will be adopted: no change to the product; recorded in the ledger" in page
    assert "renamed: it was schedule/a/… before" in page


def test_a_place_that_many_items_share_is_named_once() -> None:
    made = [
        poll(
            number,
            origin=Origin("manifests/shops.yaml", 12, 7, f"item {number} (shop: {number}) of shops.csv:{number}"),
        )
        for number in range(40)
    ]
    assert "    manifests/shops.yaml:12 (40 items)\n" in shown(*made)


def test_where_values_are_inherited_from_stays_only_where_it_is_one_place() -> None:
    template = Origin("manifests/templates.yaml", 3)
    one = [poll(number, fields=(FieldChange("every", "15m", "45m", origin=template),)) for number in range(9)]
    assert "    from manifests/templates.yaml:3: every\n" in shown(*one)
    other = poll(9, fields=(FieldChange("every", "15m", "45m", origin=Origin("manifests/other.yaml", 3)),))
    page = shown(*one, other)
    assert "~ 10 schedules" in page and "templates.yaml" not in page


def test_long_values_that_vary_show_where_they_differ_and_a_secret_only_that_it_changed() -> None:
    query = "select " + "column, " * 40
    many = [
        poll(
            number,
            fields=(
                FieldChange("inputParameters.query", query, f"{query}other{number}"),
                FieldChange("inputParameters.key", "hunter2", f"hunter{number}", secret=True),
            ),
        )
        for number in range(30)
    ]
    page = shown(*many)
    assert "~ 30 schedules: inputParameters.key (secret, changed), inputParameters.query" in page
    assert 'inputParameters.query: 30 values, such as …column, " → …column, other0" (1)\n' in page
    assert "hunter" not in page
    few = shown(*many[:20])
    assert f'{many[0].address}  inputParameters.query …column, " → …column, other0"\n' in few
    assert "hunter" not in few


def test_what_differs_is_listed_while_it_is_few() -> None:
    page = plan_text.plan(Plan("p", "default", tuple(map(created, range(14)))), Screen(120))
    assert '    schedule/books-au/hourly    cron "0 0 * * * *", inputParameters.region "au"\n' in page
    assert '    schedule/rentals-au/hourly  cron "0 42 * * * *", inputParameters.region "au"\n' in page
    assert "values" not in page
    assert "hunter" not in page
    many = plan_text.plan(Plan("p", "default", tuple(map(created, range(40)))), Screen(120))
    assert "cron: 40 values, such as" in many


def test_deletions_are_named_on_more_lines_than_what_is_routine() -> None:
    agents = [f"{one}{two}" for one in "abcdefghij" for two in ("stone", "iron", "wood", "water", "sand", "oil")]
    names = [Address("schedule", agent, f"x{agent[::-1]}") for agent in agents]
    deleted = shown(*(poll(0, address=one, action=Action.DELETE, preview=None, origin=None) for one in names))
    logged = shown(
        *(poll(0, address=one, fields=(FieldChange("logLevel", 1, 3),), preview=None, origin=None) for one in names)
    )
    assert len(NAMES.findall(deleted)) > len(NAMES.findall(logged)) == 3
    for page in (deleted, logged):
        more = MORE.search(page)
        named = sum(line.count("schedule/") for line in NAMES.findall(page))
        assert named + (int(more[1]) if more else 0) == len(names)


def test_warnings_are_told_by_code_and_a_sentence_once() -> None:
    warnings = [
        *(Finding("dst-skipped", f"schedule/a-{n:02}/x", said("2027-03-28 02:30 does not exist")) for n in range(41)),
        *(Finding("collision", f"schedule/b-{n}/x", said(f"starts together with {n} others")) for n in range(9)),
        Finding("collision", "", said("a new peak: 300 schedules start in the same second")),
        *(Finding("odd", "", said(word * 3)) for word in "abcde"),
    ]
    plan = Plan("p", "default", (poll(1),), warnings=tuple(sorted(warnings)))
    page = plan_text.plan(plan, Screen(100))
    assert "! 41 warnings: dst-skipped\n    2027-03-28 02:30 does not exist\n    schedule/a-{00..40}/x\n" in page
    assert "! 10 warnings: collision\n    a new peak: 300 schedules start in the same second\n" in page
    assert "    such as: starts together with 0 others\n    schedule/b-{0..8}/x\n" in page
    assert "! 5 warnings: odd\n    aaa\n    bbb\n    ccc\n    and 2 more: -v writes all out\n" in page
    whole = plan_text.plan(plan, Screen(100), verbose=True)
    assert whole.count("dst-skipped") == 41 and "starts together with 8 others" in whole


# --- status and problems ---------------------------------------------------------------------------------------------


def row(number: int, *notes: str) -> ResourceStatus:
    return ResourceStatus(
        Address("schedule", f"shop-{number:03}", "poll"),
        DriftStatus.IN_SYNC,
        Health.LATE if notes else Health.HEALTHY,
        "2026-11-22T21:00:00Z",
        "2026-11-22T21:45:00Z",
        notes=tuple(map(said, notes)),
    )


def test_a_note_that_many_rows_have_is_told_once() -> None:
    rows = [*(row(number, f"it should have run at 2026-11-22 0{number % 9}:00 UTC") for number in range(300)), row(300)]
    rows.append(row(301, "its last run was stopped"))
    page = status_report.status_text(rows, (), Screen(100))
    told = "Notes\n! 300 schedules\n    it should have run at 2026-11-22 … UTC\n    schedule/shop-{000..299}/poll\n"
    assert told in page
    assert page.count("should have run") == 1
    assert all(f"shop-{number:03}/poll  in-sync" in page for number in range(302))
    assert "\n    its last run was stopped\n" in page.partition("Notes")[0]
    whole = status_report.status_text(rows, (), Screen(100), verbose=True)
    assert whole.count("should have run") == 300 and "Notes" not in whole


def problem(number: int, message: str = "Unknown key 'crom'. Did you mean 'cron'?") -> Problem:
    path = "manifests/a.yaml" if number < 30 else "manifests/b.yaml"
    return Problem(path, number + 1, 7, f"schedule/shop-{number:03}/poll", "unknown-key", message)


def test_many_problems_that_say_the_same_are_one_with_their_places() -> None:
    page = problems_text.problems([*map(problem, range(60)), problem(5, "another")], Screen(100))
    assert page.startswith("manifests/a.yaml:1:7: error[unknown-key] schedule/shop-000/poll: Unknown key 'crom'.")
    assert page.count("Unknown key") == 1
    assert "    the same at 59 more places:\n    manifests/a.yaml:2:7, :3:7, :4:7" in page
    assert "manifests/b.yaml:31:7, :32:7" in page
    assert "\nmanifests/a.yaml:6:7: error[unknown-key] schedule/shop-005/poll: another\n" in page
    assert page.endswith("\n61 errors in 2 files.\n")
    assert problems_text.problems([*map(problem, range(60))], Screen(100), verbose=True).count("Unknown key") == 60
    assert problems_text.problems([*map(problem, range(4))], Screen(100)).count("Unknown key") == 4
