"""Pages say no more than is known: not before the first apply, not of a part, and not where nothing could be read."""

from __future__ import annotations

from pathlib import Path

from stage import NIGHTLY, POLL, Stage, agent

APPROVED = "  approval: {state: approved}\n"


def overview(stage: Stage, out: Path) -> str:
    assert stage.run("report", "--out", str(out)).code == 0
    return " ".join((out / "index.html").read_text(encoding="utf-8").split())


def test_before_the_first_apply_nothing_is_said_to_be_as_applied(stage: Stage, tmp_path: Path) -> None:
    stage.write(agent(NIGHTLY, POLL, extra=APPROVED))
    shown = overview(stage, tmp_path / "site")
    assert "as it was last applied" not in shown
    assert "does its work" not in shown
    assert "3 changes wait for an apply" in shown
    assert stage.apply().code == 0
    shown = overview(stage, tmp_path / "site")
    assert "wait for an apply" not in shown
    assert "1 cannot be read back" in shown


def test_an_agent_that_declares_nothing_else_is_declared(stage: Stage, tmp_path: Path) -> None:
    stage.write(agent())
    shown = overview(stage, tmp_path / "site")
    assert "No manifest declares anything" not in shown
    assert "0 resources of 1 agent" in shown
    assert 'href="#' not in shown.partition("<main")[2]  # there is no list that could be filtered


def test_a_refused_plan_is_not_passed_over(stage: Stage, tmp_path: Path) -> None:
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    stage.write(agent())
    assert stage.run("plan").code == 3
    shown = overview(stage, tmp_path / "site")
    assert "Nothing needs attention" not in shown


def test_what_is_left_out_by_a_selector_is_not_called_undeclared(stage: Stage, tmp_path: Path) -> None:
    stage.write(agent(NIGHTLY, extra=APPROVED))
    assert stage.apply().code == 0
    only = ("--only", "approval/*")
    for said in (stage.run("status", *only).out, stage.run("status", "--format", "html", *only).out):
        assert "No schedule and no trigger is selected" in said
        assert "is declared" not in said
    assert stage.run("report", "--out", str(tmp_path / "site"), *only).code == 0
    assert "is declared" not in (tmp_path / "site" / "status.html").read_text(encoding="utf-8")


def test_a_status_of_what_has_no_health_is_incomplete_where_it_could_not_be_read(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, extra=APPROVED))
    assert stage.apply().code == 0
    stage.emulator.inject("GET agent #* 500")
    for form in ("text", "json", "html"):
        ended = stage.run("status", "--only", "approval/*", "--format", form)
        assert ended.code == 1, form
        if form != "json":
            assert "could not be read" in ended.said, form
