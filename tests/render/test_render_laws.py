"""Whatever a name, a message or a value holds: width, structure and harmlessness of every format hold too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from render_models import drifts, outcomes, plans, problems, texts
from render_samples import STAMP

from reconciler.causes import said
from reconciler.model.condition import Drift
from reconciler.model.copies import replace
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Finding, Plan
from reconciler.model.resource import Problem
from reconciler.render import Screen, github, json_, junit, sarif
from reconciler.render.characters import columns, cut, neutral, wrap
from reconciler.render.text import apply_text, drift_text, plan_text, problems_text

COLOUR = re.compile("\x1b\\[[0-9;]*m")
ENCODINGS = ("utf-8", "ascii", "cp1252", "shift_jis")
widths = st.integers(40, 200)
lawful = settings(deadline=None, max_examples=40)


def schema(name: str) -> Draft202012Validator:
    path = Path(__file__).parents[2] / "schemas" / "output" / f"{name}.schema.json"
    return Draft202012Validator(json.loads(path.read_text()))


def check_page(page: str, width: int, encoding: str) -> None:
    assert page.encode(encoding, errors="strict")
    for line in page.split("\n"):
        assert line.isprintable()
        assert columns(line) <= width
        assert line == line.rstrip()
        assert not re.match(r"\s*::[A-Za-z]|.*##\[", line), "a command to the runner whose log this is"


COMMANDS = said(
    "x" * 58 + "::add-mask::a ::error::boom ##[group]b ##vso[task.setvariable]c " + "long " * 30 + "::warning::d"
)


@lawful
@example(
    plan=Plan("p", "e", warnings=(Finding("::error::", "::stop-commands::x", COMMANDS),)),
    width=62,
    encoding="utf-8",
    verbose=False,
)
@given(plan=plans, width=widths, encoding=st.sampled_from(ENCODINGS), verbose=st.booleans())
@example(
    plan=Plan("p", "e", warnings=(Finding(" ", "x" * 90, said("")),)), width=40, encoding="utf-8", verbose=False
)  # a code of blanks that does not fit beside its address was a line of blanks
def test_a_plan_keeps_its_width(plan: Plan, width: int, encoding: str, verbose: bool) -> None:
    page = plan_text.plan(plan, Screen(width, encoding=encoding), verbose=verbose)
    check_page(page, width, encoding)
    coloured = plan_text.plan(plan, Screen(width, color=True, encoding=encoding), verbose=verbose)
    assert COLOUR.sub("", coloured) == page


@lawful
@given(plan=plans, ended=st.lists(outcomes, max_size=4), width=widths, encoding=st.sampled_from(ENCODINGS))
def test_outcomes_keep_their_width(plan: Plan, ended: list[Outcome], width: int, encoding: str) -> None:
    page = apply_text.outcomes(ended, plan, Screen(width, encoding=encoding), verbose=True)
    check_page(page, width, encoding)
    for outcome in ended:
        check_page(apply_text.outcome_line(outcome, Screen(width, encoding=encoding)), width, encoding)


@lawful
@given(drift=drifts, width=widths, encoding=st.sampled_from(ENCODINGS), verbose=st.booleans())
def test_drift_keeps_its_width(drift: Drift, width: int, encoding: str, verbose: bool) -> None:
    check_page(drift_text.drift(drift, Screen(width, encoding=encoding), verbose=verbose), width, encoding)


@lawful
@given(found=problems, source=texts, width=widths, encoding=st.sampled_from(ENCODINGS))
def test_problems_keep_their_width(found: list[Problem], source: str, width: int, encoding: str) -> None:
    page = problems_text.problems(found, Screen(width, encoding=encoding), line_of=lambda path, number: source)
    check_page(page, width, encoding)


@lawful
@given(plan=plans, ended=st.lists(outcomes, max_size=3), drift=drifts, found=problems)
def test_documents_are_json_of_their_schema(
    plan: Plan, ended: list[Outcome], drift: Drift, found: list[Problem]
) -> None:
    for name, document in (
        ("plan", json_.plan_document(plan, STAMP)),
        ("apply", json_.apply_document(ended, STAMP)),
        ("drift", json_.drift_document(drift, STAMP)),
        ("validate", json_.validate_document(found, STAMP)),
    ):
        written = json_.dumps(document)
        assert written.encode()
        assert json.loads(written) == document
        assert schema(name).is_valid(document)


@lawful
@given(found=problems, drift=drifts, project=texts)
def test_reports_for_machines_stay_whole(found: list[Problem], drift: Drift, project: str) -> None:
    stamp = replace(STAMP, project=project)
    for log in (sarif.problems(found, stamp), sarif.drift(drift, stamp)):
        assert json.loads(log.encode())["runs"]
    for report in (junit.problems(found, stamp), junit.drift(drift, stamp)):
        root = ElementTree.fromstring(report.encode())
        assert int(root.attrib["tests"]) == len(list(root.iter("testcase")))
    commands = github.problems(found)
    assert commands.count("\n") == len(found) == len(re.findall(r"(?m)^::(?:error|warning) ", commands))


@lawful
@given(value=texts, width=st.integers(2, 80))
def test_wrapping_loses_nothing_but_spaces(value: str, width: int) -> None:
    shown = neutral(value)
    lines = wrap(shown, width)
    assert "".join("".join(lines).split()) == "".join(shown.split())
    assert all(columns(line) <= width for line in lines)
    assert columns(cut(shown, width)) <= width
