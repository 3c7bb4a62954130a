"""What a reviewer sees in a pull request."""

from __future__ import annotations

import re
from html import unescape

import pytest
import render_golden as golden
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from render_estates import SIZES, estate_drift, estate_plan
from render_models import drifts, plans
from render_samples import AWKWARD, AWKWARD_TEXT, DELETED, DRIFT, EMPTY, HELD_BACK, PLAN, STAMP, schedule

from reconciler import guards
from reconciler.causes import Cause, because
from reconciler.model.address import Address
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.copies import replace
from reconciler.model.live import Evidence
from reconciler.model.plan import BlockedResource, FieldChange, Finding, Plan, Reason
from reconciler.model.project import Policy
from reconciler.render import markdown, wording
from reconciler.render.review import risk_of

REFUSED = replace(
    PLAN,
    warnings=(
        *PLAN.warnings,
        Finding("prune-to-nothing", "", because(Cause.DELETES_ALL, names=(str(DELETED.address),), owned=1)),
    ),
)

OURS = re.compile(
    r"<!-- reconciler:\w+ project=\S* environment=\S* -->"
    r"|<summary>(?:[^<>&]|&(?:lt|gt|amp|quot|#x27);)*</summary>|</?(?:details|code|sub|br)>"
)
DIFF_LINE = re.compile(r"[-+ ] .*|--- live|\+\+\+ (?:declared|last applied)")
GITHUB = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])


def tokens(page: str) -> list[Token]:
    found: list[Token] = []
    for token in GITHUB.parse(page):
        found += [token, *(token.children or ())]
    return found


def readable(page: str) -> str:
    """All text that a reader sees, as the parser understands the page."""
    return "".join(
        token.content if token.type in ("text", "code_inline", "text_special", "fence") else " "
        for token in tokens(page)
        if not token.type.startswith("inline")
    ).replace("\u200b", "")


def check_harmless(page: str) -> None:
    for token in tokens(page):
        assert token.type not in ("link_open", "image", "code_block", "hr", "s_open", "ordered_list_open")
        if token.type in ("html_block", "html_inline"):
            assert OURS.sub("", token.content).strip() == ""
        if token.type == "fence":
            assert token.info in ("diff", "text")
            assert token.info == "text" or all(map(DIFF_LINE.fullmatch, token.content.splitlines()))
    blocks = "".join(token.content for token in tokens(page) if token.type == "html_block")
    assert blocks.count("<details>") == blocks.count("</details>")
    literal, prose = False, ""
    for token in tokens(page):
        if token.type == "html_inline" and token.content in ("<code>", "</code>"):
            literal = token.content == "<code>"
        is_prose = token.type in ("text", "text_special") and not literal
        prose += token.content if is_prose else "\n"
        if token.type == "html_block":
            prose += unescape("\n".join(re.findall("<summary>(.*?)</summary>", token.content)))
    assert not re.search(r"@\w|#\d|https?://|\bGH-\d|:(?!\d\d?:)\w+:", prose)


def rows_and_widths(page: str) -> list[int]:
    """The cells of each row of each table, as the parser counts them."""
    counts: list[int] = []
    for token in tokens(page):
        if token.type == "tr_open":
            counts.append(0)
        if token.type in ("th_open", "td_open"):
            counts[-1] += 1
    return counts


SAMPLES = {
    "plan": lambda: markdown.plan(PLAN, STAMP),
    "plan-empty": lambda: markdown.plan(EMPTY, STAMP),
    "plan-held-back": lambda: markdown.plan(HELD_BACK, STAMP),
    "plan-refused": lambda: markdown.plan(REFUSED, STAMP),
    "plan-awkward": lambda: markdown.plan(AWKWARD, STAMP),
    "plan-short": lambda: markdown.plan(PLAN, STAMP, max_bytes=2_600),
    "drift": lambda: markdown.drift(DRIFT, STAMP),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_page_looks_as_it_was_approved_by_eye(name: str) -> None:
    page = SAMPLES[name]()
    check_harmless(page)
    golden.check(f"{name}.md", page)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("max_bytes", [65_000, 8_000])
def test_every_size_looks_as_it_was_approved_by_eye(size: int, max_bytes: int) -> None:
    for document, page in (
        ("plan", markdown.plan(estate_plan(size), STAMP, max_bytes=max_bytes)),
        ("drift", markdown.drift(estate_drift(size), STAMP, max_bytes=max_bytes)),
    ):
        check_harmless(page)
        golden.check(f"notes/{document}-{size}-{max_bytes}.md", page)


def test_the_marker_is_the_same_for_the_next_note_and_cannot_be_broken_out_of() -> None:
    first = markdown.plan(PLAN, STAMP).splitlines()[0]
    assert first == "<!-- reconciler:plan project=retail-data environment=prod -->"
    assert markdown.plan(EMPTY, STAMP).splitlines()[0] == first
    evil = markdown.plan(replace(EMPTY, project="a--><b>x", environment="--"), STAMP).splitlines()[0]
    assert evil == "<!-- reconciler:plan project=a%2D%2D%3E%3Cb%3Ex environment=%2D%2D -->"


def test_a_single_change_stands_without_headings_and_tables() -> None:
    page = markdown.plan(estate_plan(1), STAMP)
    assert page.count("#") == 2
    assert "|" not in page
    assert "<details>" not in page
    assert "```diff\n- every: 15m\n+ every: 45m\n```\n" in page


def test_what_is_risky_comes_first_and_the_gravest_of_it_before_all() -> None:
    page = markdown.plan(PLAN, STAMP)
    order = ["### Risky: 4 changes", "**delete** ", "**enable** ", "**start** ", "**update** "]
    order += ["### Blocked: 3 resources", "### Other: 5 changes", "### 2 warnings"]
    assert sorted(order, key=page.index) == order
    assert "**24 → 72 runs a day, 3×**" in page  # noqa: RUF001


def test_what_is_alike_is_said_once_with_folded_names() -> None:
    page = markdown.plan(estate_plan(300), STAMP)
    assert "**96 schedules**: every 15m → 45m, 96 → 32 runs a day" in page
    assert "`schedule/closed-{000..011}/daily`" in page
    assert page.count("ACC answered 401 Unauthorized") == 1
    assert page.count("reconciler doctor") == 1


def test_why_a_plan_is_refused_stands_before_all_changes() -> None:
    page = markdown.plan(REFUSED, STAMP)
    assert page.index("**prune-to-nothing**") < page.index("### Risky")
    assert page.index("`reconciler apply --max-deletes 1`") < page.index("### Risky")
    assert "### 2 warnings" in page


@pytest.mark.parametrize(
    "found",
    guards.refusals(replace(PLAN, owned_in_sight=1), Policy(), allowed_deletes=0)
    + guards.refusals(replace(PLAN, owned_in_sight=1, changes=(DELETED, DELETED)), Policy(), starts_left=0)
    + guards.refusals(replace(PLAN, owned_in_sight=20, changes=(DELETED,) * 9), Policy())
    + guards.refusals(PLAN, Policy(), starts_left=0),
    ids=lambda found: found.code,
)
def test_every_refusal_counts_as_one(found: Finding) -> None:
    assert wording.is_stop(found.code)


def test_groups_that_change_alike_for_other_reasons_are_told_apart_while_folded() -> None:
    page = markdown.plan(estate_plan(300), STAMP)
    assert "<summary>32 schedules: logLevel 1 → 3</summary>" in page
    assert "<summary>16 schedules: logLevel 1 → 3 (drifted)</summary>" in page
    assert "<summary>69 schedules will be adopted (ledger only)</summary>" in page


def test_of_very_many_fields_the_first_stand_before_the_rest_and_all_where_there_is_room() -> None:
    many = tuple(FieldChange(f"inputParameters.p{number:03}", None, "v") for number in range(60))
    plan = Plan("p", "e", (replace(estate_plan(25).changes[0], fields=many),))
    page = markdown.plan(plan, STAMP)
    assert page.count("+ inputParameters.p") == 60
    check_harmless(page)
    short = markdown.plan(plan, STAMP, max_bytes=1_600)
    assert short.count("+ inputParameters.p") == 24
    assert "Fields left out: 36." in short


def test_what_a_person_has_to_do_about_each_that_is_blocked_is_told_of_each() -> None:
    blocked = tuple(
        BlockedResource(
            Address("trigger", "", name), Reason.UNKNOWN_START, because(Cause.START_UNKNOWN, address=f"trigger/{name}")
        )
        for name in ("a", "b")
    )
    page = readable(markdown.plan(replace(PLAN, blocked=blocked), STAMP))
    for name in ("a", "b"):
        assert f"reconciler resolve trigger/{name} --ran" in page


def test_a_time_is_no_picture() -> None:
    page = markdown.plan(estate_plan(25), STAMP)
    assert "at 02:00:00\n" in page
    assert "\u200b" not in page


def test_secrets_are_not_shown() -> None:
    assert "hunter" not in markdown.plan(PLAN, STAMP) + markdown.drift(DRIFT, STAMP)
    assert "hunter" not in markdown.plan(estate_plan(300), STAMP)


def test_strings_from_outside_are_read_and_not_obeyed() -> None:
    page = markdown.plan(AWKWARD, STAMP)
    check_harmless(page)
    assert r"</script><img src=x onerror=alert(1)>\r\n::error::" in readable(page)
    assert "|@team #1 \\u202eabc\\u2066" in readable(page)


def test_a_small_plan_is_never_shortened() -> None:
    assert "Shortened" not in markdown.plan(PLAN, STAMP)


def test_drift_is_told_by_its_weight() -> None:
    page = markdown.drift(DRIFT, STAMP)
    assert page.index("### Diverged") < page.index("### Drifted") < page.index("### Missing") < page.index("<details>")
    assert "--- live\n+++ declared\n- cron: 0 0 5 * * *\n+ cron: 0 0 2 * * *\n" in page
    assert "**No drift.**" in markdown.drift(replace(DRIFT, findings=()), STAMP)


def test_one_cause_of_what_was_not_read_is_told_once() -> None:
    why = because(Cause.AGENT_UNREAD, said="ACC answered 401 Unauthorized")
    findings = tuple(
        DriftFinding(schedule(f"shop-{number:04}", "poll"), DriftStatus.UNREADABLE, Evidence.UNKNOWN, why=why)
        for number in range(1200)
    )
    for max_bytes in (1_500, 65_000):
        page = markdown.drift(replace(DRIFT, findings=findings), STAMP, max_bytes=max_bytes)
        assert page.count("401") == 1
        assert "`schedule/shop-{0000..1199}/poll`" in page


def test_one_cause_of_what_is_blocked_is_told_once_whatever_path_it_names() -> None:
    blocked = tuple(
        BlockedResource(
            schedule(f"shop-{number:04}", "poll"),
            Reason.UNREADABLE,
            because(Cause.SAID, said=f"GET /shops/shop-{number:04} answered 401"),
        )
        for number in range(1200)
    )
    page = markdown.plan(replace(PLAN, blocked=blocked), STAMP)
    assert page.count("401") == 1
    assert "GET /shops/… answered 401" in page
    assert "`schedule/shop-{0000..1199}/poll`" in page


def expected_headings(plan: Plan) -> int:
    if len(plan.changes) == 1 and not plan.blocked:
        return 1 + any(not wording.is_stop(one.code) for one in plan.warnings)
    is_risky = any(risk_of(change) for change in plan.changes)
    is_routine = any(risk_of(change) is None for change in plan.changes)
    return (
        1
        + is_risky
        + bool(plan.blocked)
        + (is_routine and (is_risky or bool(plan.blocked)))
        + any(not wording.is_stop(one.code) for one in plan.warnings)
    )


@pytest.mark.generated
@settings(deadline=None, max_examples=60)
@given(plan=plans, max_bytes=st.integers(0, 6000), project=st.sampled_from(("retail", AWKWARD_TEXT, "--", "@a")))
def test_whatever_a_plan_holds_the_page_keeps_its_structure(plan: Plan, max_bytes: int, project: str) -> None:
    plan = replace(plan, project=project)
    page = markdown.plan(plan, STAMP, max_bytes=10**6)
    check_harmless(page)
    assert len([token for token in tokens(page) if token.type == "heading_open"]) == expected_headings(plan)
    shortened = markdown.plan(plan, STAMP, max_bytes=max_bytes)
    assert len(shortened.encode()) <= max_bytes
    check_harmless(shortened)


@pytest.mark.generated
@settings(deadline=None, max_examples=40)
@given(drift=drifts, max_bytes=st.integers(0, 6000))
def test_whatever_an_audit_holds_the_page_keeps_its_structure(drift: Drift, max_bytes: int) -> None:
    check_harmless(markdown.drift(drift, STAMP))
    shortened = markdown.drift(drift, STAMP, max_bytes=max_bytes)
    assert len(shortened.encode()) <= max_bytes
    check_harmless(shortened)


@pytest.mark.generated
@settings(deadline=None, max_examples=40)
@given(plan=plans, drift=drifts, max_bytes=st.integers(0, 6000))
def test_no_secret_is_in_a_note_of_any_length(plan: Plan, drift: Drift, max_bytes: int) -> None:
    hidden = FieldChange("inputParameters.key", "hunter1", "hunter2", secret=True)
    secret_plan = replace(plan, changes=tuple(replace(one, fields=(*one.fields, hidden)) for one in plan.changes))
    secret_drift = replace(
        drift,
        findings=tuple(replace(one, fields=(*one.fields, hidden), unset=(hidden,)) for one in drift.findings),
    )
    assert "hunter" not in markdown.plan(secret_plan, STAMP, max_bytes=max_bytes)
    assert "hunter" not in markdown.drift(secret_drift, STAMP, max_bytes=max_bytes)
