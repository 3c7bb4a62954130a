"""What a data engineer sees at a terminal."""

from __future__ import annotations

import re

import pytest
import render_golden as golden
from render_samples import (
    ALL_APPLIED,
    AWKWARD,
    DELETED,
    DRIFT,
    EMPTY,
    HELD_BACK,
    MULTIPLIED,
    OUTCOMES,
    PLAN,
    PROBLEMS,
    STAMP,
    STARTED,
    UPDATED,
    line_of,
    schedule,
    unchanged,
)

from reconciler.causes import Cause, because, said
from reconciler.kinds import approval
from reconciler.kinds import schedule as schedule_kind
from reconciler.model.copies import replace
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import Action, Change, FieldChange, Finding, Plan, Preview, Reason
from reconciler.model.resource import Problem
from reconciler.render import Screen, html, markdown
from reconciler.render.characters import columns
from reconciler.render.frequency import switch_text
from reconciler.render.text import apply_text, drift_text, plan_text, problems_text
from reconciler.render.wording import short_commit

ONE = Plan("p", "default", unchanged=1)
COLOUR = re.compile("\x1b\\[[0-9;]*m")
WIDTHS = (60, 80, 120, 200)


def pages(width: int, *, color: bool, encoding: str = "utf-8") -> dict[str, str]:
    return {
        "plan": plan_text.plan(PLAN, Screen(width, color=color, encoding=encoding)),
        "plan-verbose": plan_text.plan(PLAN, Screen(width, color=color, encoding=encoding), verbose=True),
        "plan-awkward": plan_text.plan(AWKWARD, Screen(width, color=color, encoding=encoding)),
        "outcomes": apply_text.outcomes(OUTCOMES, PLAN, Screen(width, color=color, encoding=encoding), verbose=True),
        "drift": drift_text.drift(DRIFT, Screen(width, color=color, encoding=encoding)),
        "problems": problems_text.problems(PROBLEMS, Screen(width, color=color, encoding=encoding), line_of=line_of),
    }


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("color", [False, True], ids=["plain", "colour"])
def test_every_page_looks_as_it_was_approved_by_eye(width: int, color: bool) -> None:
    for name, page in pages(width, color=color).items():
        golden.check(f"{name}-{width}{'-colour' if color else ''}.txt", page)


@pytest.mark.parametrize("width", [40, *WIDTHS])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "shift_jis", "gb18030"])
def test_no_line_is_wider_than_asked_or_ends_in_a_space(width: int, encoding: str) -> None:
    for page in pages(width, color=False, encoding=encoding).values():
        assert page.encode(encoding)
        for line in page.splitlines():
            assert columns(line) <= width
            assert line == line.rstrip()


def test_colour_adds_no_sense_and_takes_none_away() -> None:
    coloured, plain = pages(80, color=True), pages(80, color=False)
    assert {name: COLOUR.sub("", page) for name, page in coloured.items()} == plain
    assert all(page.count("\x1b[0m") * 2 == page.count("\x1b[") > 0 for page in coloured.values())
    assert not any("\x1b" in page for page in plain.values())


def test_a_stream_without_arrows_gets_words_of_ascii() -> None:
    page = plan_text.plan(PLAN, Screen(120, encoding="ascii"))
    assert page.isascii()
    assert '"0 0 2 * * *" -> "0 0 3 * * *"' in page
    assert "24 -> 72 runs a day, 3x" in page


def test_terminal_escapes_from_outside_are_shown_and_not_obeyed() -> None:
    page = plan_text.plan(AWKWARD, Screen(200))
    assert r"x\x1b[2J\x1b]8;;http://evil\x07" in page
    assert r"\u202eabc\u2066" in page
    assert not set(page) & {"\x1b", "\x07", "\r", "\u202e", "\u2066"}


def test_a_secret_is_never_shown() -> None:
    shown = [*pages(200, color=False).values(), *pages(60, color=True).values()]
    assert not any("hunter" in page for page in shown)
    assert "inputParameters.apiKey: (secret)" in shown[0]


def test_a_frequency_that_multiplies_is_said() -> None:
    page = plan_text.plan(PLAN, Screen(80))
    assert "24 → 72 runs a day, 3×" in page  # noqa: RUF001
    assert "next runs, before: Mon 23 Nov 02:00" in page


@pytest.mark.parametrize(
    ("action", "runs", "said"),
    [
        (Action.ENABLE, ("2026-11-23T02:00:00+11:00",), "next run Mon 23 Nov 02:00 (UTC+11:00)"),
        (Action.ENABLE, (), "no run follows from its timing"),
        (Action.DISABLE, ("2026-12-01T04:00:00Z",), "no further run; the next was due Tue 1 Dec 04:00 (UTC)"),
        (Action.DISABLE, (), "no run was due"),
    ],
)
def test_what_is_switched_is_told_by_its_consequence(action: Action, runs: tuple[str, ...], said: str) -> None:
    preview = Preview(after_runs=runs) if action is Action.ENABLE else Preview(before_runs=runs)
    assert switch_text(preview, action) == said


@pytest.mark.parametrize(
    ("commit", "shown"),
    [("0123456789abcdef", "0123456789ab"), ("0123456789abcdef-dirty", "0123456789ab-dirty"), ("", "unknown")],
)
def test_a_commit_is_short(commit: str, shown: str) -> None:
    assert short_commit(commit) == shown


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (1.0, 96.0, "1 → 96 runs a day, 96×"),  # noqa: RUF001
        (1.0, 1 / 7, "1 → 0.14 runs a day, 0.14×"),  # noqa: RUF001
        (1 / 7, 2 / 7, "1 → 2 runs a week, 2×"),  # noqa: RUF001
        (0.0, 12 / 365.25, "0 → 1 runs a month"),
        (0.0, 1 / 365.25, "0 → 1 runs a year"),
        (24.0, 0.0, "24 → 0 runs a day"),
    ],
)
def test_frequencies_are_said_in_a_fitting_unit(before: float, after: float, said: str) -> None:
    change = replace(MULTIPLIED, preview=Preview(before_per_day=before, after_per_day=after))
    page = plan_text.plan(Plan("p", "default", (change,)), Screen(80))
    assert f"    {said}\n" in page


def test_an_update_that_leaves_the_frequency_says_nothing_of_it() -> None:
    assert "a day" not in plan_text.plan(Plan("p", "default", (UPDATED,)), Screen(80))


def test_next_runs_with_different_offsets_carry_each_their_own() -> None:
    runs = ("2026-10-03T02:30:00+10:00", "2026-10-04T03:30:15+11:00")
    change = replace(UPDATED, preview=Preview(after_runs=runs))
    page = plan_text.plan(Plan("p", "default", (change,)), Screen(80))
    assert "next runs: Sat 3 Oct 02:30 +1000, Sun 4 Oct 03:30:15 +1100\n" in page


def test_a_run_in_another_year_says_which() -> None:
    runs = ("2026-12-31T20:00:00+00:00", "2027-03-31T20:00:00+00:00")
    change = replace(UPDATED, preview=Preview(after_runs=runs))
    page = plan_text.plan(Plan("p", "default", (change,)), Screen(80))
    assert "next runs: Thu 31 Dec 20:00, Wed 31 Mar 2027 20:00 (UTC)\n" in page


def test_a_schedule_that_stops_running_says_so() -> None:
    change = replace(UPDATED, preview=Preview(before_runs=("2026-10-03T02:30:00+10:00",), before_per_day=1.0))
    assert "next runs, after:  none\n" in plan_text.plan(Plan("p", "default", (change,)), Screen(80))


def test_a_deletion_says_what_goes_without_what_might_be_secret() -> None:
    page = plan_text.plan(Plan("p", "default", (DELETED,)), Screen(80))
    assert "removes it from agent sequentum/Retail/prices" in page
    assert '- cron:     "0 30 4 * * MON"' in page
    assert "would have run: Mon 23 Nov 04:30" in page
    assert "password" not in page


def test_two_long_values_show_where_they_differ() -> None:
    common = "select " + "column, " * 60
    change = replace(UPDATED, preview=None, fields=(FieldChange("query", common + "old", common + "new"),))
    page = plan_text.plan(Plan("p", "default", (change,)), Screen(80))
    assert 'old"\n' in page
    assert 'new"\n' in page
    assert page.count("…") == 2


def test_verbose_shows_long_values_in_full() -> None:
    value = "".join(f"{number:04d}" for number in range(200))
    change = replace(UPDATED, preview=None, fields=(FieldChange("query", value, None),))
    page = plan_text.plan(Plan("p", "default", (change,)), Screen(80), verbose=True)
    assert value in page.replace("\n", "").replace(" ", "")


def test_an_empty_plan_says_what_was_read_and_beside_it_what_is_attested_since_when() -> None:
    page = " ".join(plan_text.plan(EMPTY, Screen(80)).split())
    assert page.endswith(
        "No changes. 8 schedules were read and match the manifests. 1 set of input files and 2 approvals are attested: "
        "accepted by the product, which has no way to read it back, between 2026-11-01 08:00 UTC and 2026-11-22 02:30 "
        "UTC. 1 trigger was started as declared, as recorded at 2026-11-22 02:31 UTC. 12 unchanged, 2 unmanaged."
    )


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan("p", "default"), "No changes: there is nothing to compare. 0 unchanged, 0 unmanaged."),
        (replace(EMPTY, filtered=True), "No changes in what was selected. 8 schedules were read"),
        (
            replace(EMPTY, warnings=(Finding("unreadable", "a/b", said("503")),)),
            "No changes in what could be read. 8 sched",
        ),
        (
            replace(ONE, unchanged_kinds=(unchanged(schedule_kind.KIND, 1),)),
            "No changes. 1 schedule was read and matches the manifests. 1 unchanged, 0 unmanaged.",
        ),
        (
            replace(ONE, unchanged_kinds=(unchanged(approval.KIND, 1, *["2026-11-01T08:00:00Z"] * 2),)),
            "No changes. 1 approval is attested: accepted by the product, which has no way to read it back, at "
            "2026-11-01 08:00 UTC. 1 unchanged, 0 unmanaged.",
        ),
        (Plan("p", "default", unchanged=3), "No changes. 3 unchanged, 0 unmanaged."),
    ],
)
def test_no_more_is_said_than_is_known(plan: Plan, said: str) -> None:
    page = " ".join(plan_text.plan(plan, Screen(80)).split())
    assert said in page
    assert "atch" not in page or "were read and match" in page or "was read and matches" in page


def test_a_plan_that_is_empty_because_all_is_blocked_does_not_claim_a_match() -> None:
    page = plan_text.plan(HELD_BACK, Screen(80))
    assert "matches" not in page
    assert page.endswith("No changes can be made: 1 resource blocked. 3 unchanged, 0 unmanaged.\n")


def test_a_filtered_plan_says_that_it_prunes_nothing() -> None:
    assert "Filtered: nothing is pruned." in plan_text.plan(replace(EMPTY, filtered=True), Screen(99))


def test_a_next_step_that_the_message_gives_already_is_not_repeated() -> None:
    blocked = replace(HELD_BACK.blocked[0], reason=Reason.LOST_LEDGER, why=because(Cause.LEDGER_LOST))
    page = plan_text.plan(replace(HELD_BACK, blocked=(blocked,)), Screen(80))
    assert page.count("--accept-new-ledger") == 1


def test_what_a_dependency_blocks_is_said_in_words() -> None:
    plan = replace(HELD_BACK, blocked=(replace(HELD_BACK.blocked[0], reason=Reason.STRANDED),))
    for page in (plan_text.plan(plan, Screen(120)), markdown.plan(plan, STAMP), html.plan(plan, STAMP)):
        assert ("blocked by a dependency" in page, "stranded" in page) == (True, False)


def test_unmanaged_schedules_are_listed_on_request() -> None:
    assert "0b0d6c2e" not in plan_text.plan(PLAN, Screen(80))
    assert "  retail-prices: 2 schedules\n    0b0d6c2e" in plan_text.plan(PLAN, Screen(80), verbose=True)


def test_a_line_as_each_change_ends() -> None:
    lines = [apply_text.outcome_line(outcome, Screen(10_000)) for outcome in OUTCOMES]
    assert lines[0] == "✓ input-files/retail-prices uploaded in 0.8s (attested)"
    assert lines[4] == "✓ schedule/retail-prices/nightly updated in 0.3s (verified)"
    assert all("\n" not in line for line in lines)
    assert (
        apply_text.outcome_line(ALL_APPLIED[-2], Screen(10_000))
        == "✓ trigger/publish-prices started in 0.3s (verified, run 4711)"
    )


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", Status)
def test_every_outcome_has_words(action: Action, status: Status) -> None:
    change = Change(schedule("a", "b"), action, Reason.EDITED)
    page = apply_text.outcomes([Outcome(change, status)], Plan("p", "default", (change,)), Screen(80))
    assert status is Status.APPLIED or ("schedule/a/b" in page and "next: " in page)
    assert apply_text.outcome_line(Outcome(change, status), Screen(10_000)).endswith(("s", ")", "else", "sent"))


def test_an_unknown_start_names_the_command_that_settles_it() -> None:
    page = apply_text.outcomes([OUTCOMES[7]], Plan("p", "default", (STARTED,)), Screen(120))
    assert "`reconciler resolve trigger/publish-prices --ran | --not-ran`" in page


def test_the_summary_counts_everything_that_was_planned() -> None:
    assert apply_text.outcomes(ALL_APPLIED[4:5], Plan("p", "default", (UPDATED,)), Screen(80)) == "Applied 1 change.\n"
    page = apply_text.outcomes(ALL_APPLIED, replace(PLAN, blocked=()), Screen(80))
    assert page == "Applied all 9 changes.\nnext: `reconciler drift` tells from now on what is changed by hand.\n"
    page = apply_text.outcomes(OUTCOMES[:2], PLAN, Screen(80))
    assert page.startswith("Applied 2 of 9 changes: 7 not begun, 3 blocked.\nnext: Settle what is blocked;")
    assert apply_text.outcomes([], EMPTY, Screen(80)) == "Nothing to apply.\n"


def test_drift_that_could_not_be_read_is_no_clean_bill() -> None:
    unreadable = replace(DRIFT, findings=DRIFT.findings[1:2])
    assert "No drift in what could be read; 1 unreadable." in drift_text.drift(unreadable, Screen(80))
    assert drift_text.drift(replace(DRIFT, findings=()), Screen(80)).endswith("\nNo drift.\n")


def test_drift_lists_what_is_in_sync_on_request() -> None:
    assert "schedule/retail-prices/weekly" not in drift_text.drift(DRIFT, Screen(80))
    assert "schedule/retail-prices/weekly" in drift_text.drift(DRIFT, Screen(80), verbose=True)


def test_the_caret_stands_under_the_spot() -> None:
    lines = problems_text.problems(PROBLEMS, Screen(100), line_of=line_of).splitlines()
    at = next(number for number, line in enumerate(lines) if "Australia/Sidney" in line and "|" in line)
    assert lines[at].index("Australia") == lines[at + 1].index("^")


def test_a_long_source_line_is_moved_until_the_caret_is_in_view() -> None:
    problem = Problem("a.yaml", 1, 301, "", "code", "message")
    page = problems_text.problems([problem], Screen(80), line_of=lambda path, number: "x" * 300 + "HERE" + "y" * 300)
    source, caret = page.splitlines()[1:3]
    assert columns(source) <= 80
    assert source[caret.index("^") :].startswith("HERE")


@pytest.mark.parametrize(
    "line", ["  token: abc123", "{url: x, token: abc123}", "  privateKey: 'abc123'", '"token": "abc123"']
)
def test_a_credential_in_the_source_line_is_not_repeated(line: str) -> None:
    page = problems_text.problems(
        [Problem("a.yaml", 1, 3, "", "code", "message")], Screen(80), line_of=lambda path, number: line
    )
    assert "abc123" not in page
    assert "(secret)" in page


def test_a_reference_to_a_credential_is_shown() -> None:
    assert "token: ${env:ACC_TOKEN}" in problems_text.problems(PROBLEMS, Screen(80), line_of=line_of)


def test_problems_are_counted() -> None:
    assert problems_text.problems(PROBLEMS, Screen(80)).endswith("\n3 errors, 1 warning in 3 files.\n")
    assert problems_text.problems((), Screen(80)) == "No problems found.\n"
