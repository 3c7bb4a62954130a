"""A fifth kind is one module and a line in the registry: it works everywhere, and no file was changed for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import HAND_MADE, PRICES, Stage, opened
from switch_kind import KIND, SwitchDocument

from reconciler.kinds.registry import KINDS, register
from reconciler.manifests.document_kinds import DOCUMENT_KINDS
from reconciler.model.address import ADDRESS_FORMS

ON = f"apiVersion: reconciler/v1\nkind: Switch\nmetadata: {{name: prices}}\nspec: {{path: {PRICES}, on: true}}\n"
OFF = ON.replace("on: true", "on: false")
ADDRESS = "switch/prices"
ON_A_PAGE = "<small>switch/</small>prices"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    document = SwitchDocument()
    register(KIND, document=document)
    try:
        yield from opened(tmp_path)
    finally:
        del DOCUMENT_KINDS[document.document], KINDS[KIND.name], ADDRESS_FORMS[KIND.name]


def test_it_is_validated_against_its_own_schema(stage: Stage) -> None:
    stage.write(ON)
    assert stage.run("validate").code == 0
    stage.write(ON.replace("on: true", "on: treu, of: false"))
    wrong = stage.run("validate", "--format", "json")
    assert wrong.code == 1
    assert {(one["code"], one["address"]) for one in wrong.document["problems"]} == {
        ("wrong-type", ADDRESS),
        ("unknown-key", ADDRESS),
    }


def test_it_is_planned_shown_applied_and_then_nothing_is_left_to_do(stage: Stage, tmp_path: Path) -> None:
    stage.write(OFF)
    planned = stage.run("plan", "--format", "json")
    assert planned.code == 3
    # What this project never adopted it does not touch: as with every kind, that is taken over first as it is.
    assert [(one["address"], one["reason"]) for one in planned.document["blocked"]] == [(ADDRESS, "unowned")]
    stage.write(ON)
    assert stage.run("apply", "--auto-approve").code == 0
    stage.write(OFF)
    saved = str(tmp_path / "off.json")
    planned = stage.run("plan", "--format", "json", "--detailed-exitcode", "--out", saved)
    assert planned.code == 2
    change = planned.document["changes"][0]
    assert (change["address"], change["action"], change["reason"]) == (ADDRESS, "disable", "edited")
    assert change["fields"] == [{"path": "on", "before": True, "after": False}]
    for form, shown in (("text", ADDRESS), ("markdown", ADDRESS), ("html", ON_A_PAGE)):
        assert shown in stage.run("plan", "--format", form).out
        assert shown in stage.run("show", saved, "--format", form).out
    assert stage.run("apply", saved).code == 0
    assert not stage.estate.schedule(HAND_MADE).is_enabled
    again = stage.run("plan", "--format", "json", "--detailed-exitcode")
    assert (again.code, again.document["changes"], again.document["summary"]["unchanged"]) == (0, [], 1)
    assert "1 switch was read and matches the manifests" in stage.run("plan").out


def test_its_drift_is_found_and_mended(stage: Stage) -> None:
    stage.write(ON)
    stage.run("apply", "--auto-approve")
    assert stage.run("drift").code == 0
    stage.estate.schedule(HAND_MADE).is_enabled = False
    found = stage.run("drift", "--format", "json")
    assert found.code == 2
    (finding,) = (one for one in found.document["findings"] if one["address"] == ADDRESS)
    assert (finding["status"], finding["evidence"]) == ("drifted", "verified")
    assert ON_A_PAGE in stage.run("drift", "--format", "html").out
    for form in ("markdown", "sarif", "junit"):
        assert ADDRESS in stage.run("drift", "--format", form).out
    applied = stage.run("apply", "--auto-approve", "--format", "json")
    assert [(one["address"], one["status"], one["evidence"]) for one in applied.document["outcomes"]] == [
        (ADDRESS, "applied", "verified")
    ]
    assert stage.estate.schedule(HAND_MADE).is_enabled


def test_its_health_is_a_row_of_status(stage: Stage) -> None:
    stage.write(ON)
    stage.run("apply", "--auto-approve")
    healthy = stage.run("status", "--format", "json")
    assert healthy.code == 0
    stage.estate.schedule(HAND_MADE).is_enabled = False
    failing = stage.run("status", "--format", "json")
    assert failing.code == 2
    assert ADDRESS in stage.run("status").out
    assert json.dumps(ADDRESS) in failing.out


def test_selectors_and_the_ledger_know_it(stage: Stage) -> None:
    stage.write(ON)
    stage.run("apply", "--auto-approve")
    assert stage.run("plan", "--only", "switch/*").code == 0
    stage.write(f"apiVersion: reconciler/v1\nkind: Agent\nmetadata: {{name: prices}}\nspec: {{path: {PRICES}}}\n")
    gone = stage.run("plan", "--format", "json", "--detailed-exitcode")
    assert [(one["address"], one["action"]) for one in gone.document["changes"]] == [(ADDRESS, "forget")]
    assert stage.run("apply", "--auto-approve").code == 0
    assert stage.run("plan", "--detailed-exitcode").code == 0
