"""What a reviewer sees in a pull request."""

from __future__ import annotations

import re

import pytest
import render_golden as golden
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from render_models import drifts, plans
from render_samples import (
    AWKWARD,
    AWKWARD_TEXT,
    DELETED,
    DRIFT,
    EMPTY,
    HELD_BACK,
    MULTIPLIED,
    PLAN,
    STAMP,
    UPDATED,
    schedule,
)

from reconciler.model.condition import Drift
from reconciler.model.copies import replace
from reconciler.model.plan import Plan
from reconciler.render import markdown

OURS = re.compile(
    r"<!-- reconciler:\w+ project=\S* environment=\S* -->|<summary>[^<>&]*</summary>|</?(details|code|sub|br)>"
)
GITHUB = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])


def tokens(page: str) -> list[Token]:
    found: list[Token] = []
    for token in GITHUB.parse(page):
        found += [token, *(token.children or ())]
    return found


def readable(page: str) -> str:
    """All text that a reader sees, as the parser understands the page."""
    return "".join(
        token.content if token.type in ("text", "code_inline", "text_special") else " "
        for token in tokens(page)
        if not token.type.startswith("inline")
    ).replace("\u200b", "")


def check_harmless(page: str) -> None:
    for token in tokens(page):
        assert token.type not in ("link_open", "image", "fence", "code_block", "hr", "s_open", "ordered_list_open")
        if token.type in ("html_block", "html_inline"):
            assert OURS.sub("", token.content).strip() == ""
    literal, prose = False, ""
    for token in tokens(page):
        if token.type == "html_inline" and token.content in ("<code>", "</code>"):
            literal = token.content == "<code>"
        is_prose = token.type in ("text", "text_special") and not literal
        prose += token.content if is_prose else "\n"
    assert not re.search(r"@\w|#\d|https?://|\bGH-\d|:\w+:", prose)


def rows_and_widths(page: str) -> list[int]:
    """The cells of each row of each table, as the parser counts them."""
    counts: list[int] = []
    for token in tokens(page):
        if token.type == "tr_open":
            counts.append(0)
        if token.type in ("th_open", "td_open"):
            counts[-1] += 1
    return counts


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("plan", markdown.plan(PLAN, STAMP)),
        ("plan-awkward", markdown.plan(AWKWARD, STAMP)),
        ("plan-empty", markdown.plan(EMPTY, STAMP)),
        ("plan-held-back", markdown.plan(HELD_BACK, STAMP)),
        ("plan-short", markdown.plan(PLAN, STAMP, max_bytes=2600)),
        ("drift", markdown.drift(DRIFT, STAMP)),
    ],
)
def test_every_page_looks_as_it_was_approved_by_eye(name: str, page: str) -> None:
    check_harmless(page)
    golden.check(f"{name}.md", page)


def test_the_marker_is_the_same_for_the_next_note_and_cannot_be_broken_out_of() -> None:
    first = markdown.plan(PLAN, STAMP).splitlines()[0]
    assert first == "<!-- reconciler:plan project=retail-data environment=prod -->"
    assert markdown.plan(EMPTY, STAMP).splitlines()[0] == first
    evil = markdown.plan(replace(EMPTY, project="a--><b>x", environment="--"), STAMP).splitlines()[0]
    assert evil == "<!-- reconciler:plan project=a%2D%2D%3E%3Cb%3Ex environment=%2D%2D -->"


def test_risky_changes_stand_in_full_and_the_gravest_first() -> None:
    page = markdown.plan(PLAN, STAMP)
    shown, folded = page.split("<details>")
    assert [shown.index(f"**{action}**") for action in ("delete", "start", "enable", "update")] == sorted(
        shown.index(f"**{action}**") for action in ("delete", "start", "enable", "update")
    )
    assert "**24 → 72 runs a day, 3×**" in shown  # noqa: RUF001
    assert "schedule/retail-prices/nightly" in folded
    assert "<summary>5 other changes</summary>" in page


def test_a_plan_without_risk_folds_everything() -> None:
    page = markdown.plan(replace(PLAN, changes=(UPDATED,), blocked=(), warnings=()), STAMP)
    assert "Look closely" not in page
    assert "<summary>1 change</summary>" in page


def test_secrets_are_not_shown() -> None:
    assert "hunter" not in markdown.plan(PLAN, STAMP) + markdown.drift(DRIFT, STAMP)


def test_strings_from_outside_are_read_and_not_obeyed() -> None:
    page = markdown.plan(AWKWARD, STAMP)
    check_harmless(page)
    assert r"</script><img src=x onerror=alert(1)>\r\n::error::" in readable(page)
    assert "|@team #1 \\u202eabc\\u2066" in readable(page)
    assert set(rows_and_widths(page)) == {2, 4}


def large_plan() -> Plan:
    many = tuple(replace(UPDATED, address=schedule("retail", f"s{number:04d}")) for number in range(3000))
    risky = tuple(replace(DELETED, address=schedule("retail", f"d{number:04d}")) for number in range(60))
    return replace(PLAN, changes=(*many, *risky, MULTIPLIED))


@pytest.mark.parametrize("max_bytes", [65_000, 20_000, 8_000, 3_000, 1_200, 300, 40, 0])
def test_the_budget_holds_and_what_is_missing_is_told(max_bytes: int) -> None:
    page = markdown.plan(large_plan(), STAMP, max_bytes=max_bytes)
    assert len(page.encode()) <= max_bytes
    if max_bytes >= 1_200:
        assert f"> Shortened to {max_bytes} bytes: " in page
        assert page.count("<details>") == page.count("</details>")
        missing = re.search(r"(\d+) left out\. `reconciler plan`", page)
        assert missing is not None
        named = sum(page.count(f"/{letter}{number:04d}`") for letter in "sd" for number in range(3000))
        named += page.count("schedule/retail-stock/poll")
        assert named + int(missing[1]) >= 3061
    if max_bytes >= 20_000:
        assert page.count("**delete**") == 60
    if max_bytes == 65_000:
        assert "**24 → 72 runs a day, 3×**" in page  # noqa: RUF001


def test_a_small_plan_is_never_shortened() -> None:
    assert "Shortened" not in markdown.plan(PLAN, STAMP)


def test_drift_is_told_by_its_weight() -> None:
    page = markdown.drift(DRIFT, STAMP)
    assert page.index("### Diverged") < page.index("### Drifted") < page.index("### Missing") < page.index("<details>")
    assert '| `cron` | `"0 0 5 * * *"` | `"0 0 2 * * *"` |' in page
    assert "**No drift.**" in markdown.drift(replace(DRIFT, findings=()), STAMP)


@settings(deadline=None, max_examples=60)
@given(plan=plans, max_bytes=st.integers(0, 6000), project=st.sampled_from(("retail", AWKWARD_TEXT, "--", "@a")))
def test_whatever_a_plan_holds_the_page_keeps_its_structure(plan: Plan, max_bytes: int, project: str) -> None:
    plan = replace(plan, project=project)
    page = markdown.plan(plan, STAMP, max_bytes=10**6)
    check_harmless(page)
    headings = [token for token in tokens(page) if token.type == "heading_open"]
    assert len(headings) == 1 + any(
        "Look closely" in line for line in page.splitlines() if line.startswith("###")
    ) + bool(plan.blocked) + bool(plan.warnings)
    assert set(rows_and_widths(page)) <= {3, 4, *rows_and_widths(page)[:1]}
    assert len(markdown.plan(plan, STAMP, max_bytes=max_bytes).encode()) <= max_bytes


@settings(deadline=None, max_examples=40)
@given(drift=drifts, max_bytes=st.integers(0, 6000))
def test_whatever_an_audit_holds_the_page_keeps_its_structure(drift: Drift, max_bytes: int) -> None:
    check_harmless(markdown.drift(drift, STAMP))
    assert len(markdown.drift(drift, STAMP, max_bytes=max_bytes).encode()) <= max_bytes
