"""What `drift` and `status` ask of the products: what they judge, and nothing else."""

from __future__ import annotations

import pytest
from stage import NIGHTLY, POLL, STOCK, Stage, agent, task_trigger

FILES = "  inputFiles:\n    - file: urls.csv\n  inputFilesExclusive: true\n"


def asked(stage: Stage) -> list[str]:
    """Every request, ids as names."""
    names = {one.agent_id: path.rsplit("/", 1)[-1] for path, one in stage.estate.agents.items()}
    found = []
    for one in stage.emulator.requests:
        path = one.path
        for agent_id, name in names.items():
            path = path.replace(agent_id, name)
        found.append(f"{one.method} {path}")
    return sorted(found)


@pytest.fixture
def estate(stage: Stage) -> Stage:
    """Everything that makes a plan ask more: a due start, a set of files to be replaced, a change, an unmanaged one."""
    (stage.root / "manifests").mkdir(exist_ok=True)
    (stage.root / "manifests" / "urls.csv").write_text("url\na\n")
    stage.write(agent(NIGHTLY, extra=FILES) + "---\n" + agent(POLL, name="stock") + "---\n" + task_trigger())
    assert stage.apply().code == 0
    (stage.root / "manifests" / "urls.csv").write_text("url\na\nb\n")
    changed = agent(NIGHTLY.replace("0 0 2", "0 0 3"), extra=FILES)
    stage.write(changed + "---\n" + agent(POLL, name="stock") + "---\n" + task_trigger(revision="2"))
    stage.live("poll", STOCK).log_level = 3
    stage.emulator.clear_requests()
    return stage


LISTED = ["GET /api/agent", "GET /api/agent", "GET /api/job/prices/schedules", "GET /api/job/stock/schedules"]


def test_a_plan_of_it_asks_more(estate: Stage) -> None:
    assert estate.run("plan").code == 0
    assert len(asked(estate)) > len(LISTED), "else the tests below show nothing"


def test_drift_reads_each_agent_once_and_nothing_else(estate: Stage) -> None:
    ended = estate.run("drift", "--format", "json")
    assert ended.code == 0
    assert ended.document["summary"] | {"in-sync": 1, "pending": 3} == ended.document["summary"]
    assert asked(estate) == LISTED


def test_drift_of_a_selection_reads_its_agents(estate: Stage) -> None:
    assert estate.run("drift", "--only", "schedule/stock/*").code == 0
    assert asked(estate) == ["GET /api/agent", "GET /api/job/stock/schedules"]
    estate.emulator.clear_requests()
    assert estate.run("drift", "--only", "trigger/publish").code == 0
    assert asked(estate) == []


def test_drift_needs_no_automate_mft(estate: Stage) -> None:
    """Neither its licence nor a token is asked for, and a key that is wrong is nobody's drift."""
    estate.environ["MFT_KEY"] = "no key at all"
    ended = estate.run("drift", "--format", "json")
    assert ended.code == 0
    assert ended.document["summary"]["unreadable"] == 0


def test_status_reads_the_runs_of_what_it_shows_too(estate: Stage) -> None:
    assert estate.run("status").code in (0, 2)
    runs = [one for one in asked(estate) if one not in LISTED]
    assert len(runs) == 2
    assert all("prices" in one or "stock" in one for one in runs), runs

    estate.emulator.clear_requests()
    needs_stock = task_trigger(revision="2").replace("{revision", '{changed: ["schedule/stock/*"], revision')
    estate.write(agent(NIGHTLY, extra=FILES) + "---\n" + agent(POLL, name="stock") + "---\n" + needs_stock)
    estate.run("status", "--only", "trigger/publish")
    assert asked(estate) == ["GET /api/agent", "GET /api/job/stock/schedules"], "read for its needs, and not shown"

    estate.emulator.clear_requests()
    assert estate.run("status", "--only", "schedule/stock/*").code in (0, 2)
    assert [one for one in asked(estate) if "prices" in one] == []
    assert len(asked(estate)) == 3
