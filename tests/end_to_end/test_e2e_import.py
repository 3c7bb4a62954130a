"""`import` of many agents: a list in a file, readable names, a summary, and nothing that stops the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from stage import CLOCKED, NIGHTLY, PASSWORD, PRICES, STOCK, Ended, Stage, agent

from reconciler import cli
from reconciler.emulator import alias_agent
from reconciler.identity import owned_id

TIMES = ("0 30 2 * * *", "0 15 0 0", "0 0 9 * * MON-FRI", "0 0 6 * * 1", "0 0 3 1 * *", "0 0 * * * *")
NAMES = ("daily-0230", "every-15m", "hourly", "mondays-0600", "monthly-1-0300", "weekdays-0900")


def populate(stage: Stage, count: int = 50) -> list[str]:
    """So many agents with six schedules each, made by hand; their paths."""
    paths = [f"sequentum/Shops/shop-{number:02}" for number in range(1, count + 1)]
    for path in paths:
        made = stage.estate.add_agent(path, duration=0.0)
        for cron in TIMES:
            stage.estate.add_schedule(made, cron=cron, start_time="2026-01-01T00:00:00", time_zone_id="UTC")
    return paths


def listed(stage: Stage, paths: list[str], *more: str) -> Ended:
    (stage.root / "agents.txt").write_text("\n".join(paths) + "\n", encoding="utf-8")
    return stage.run("import", "--agents-from", str(stage.root / "agents.txt"), *more)


def written(stage: Stage) -> list[str]:
    return sorted(path.name for path in (stage.root / "manifests").iterdir())


def test_fifty_agents_from_a_file_are_written_and_planned_to_nothing(stage: Stage) -> None:
    paths = populate(stage)
    ended = listed(stage, ["# shops", "", *paths, paths[0]])
    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) == 50
    assert "50 agents: 50 written with 300 schedules, 3,250 lines of YAML" in ended.err
    document = yaml.safe_load((stage.root / "manifests" / "shop-01.yaml").read_text(encoding="utf-8"))
    assert [one["name"] for one in document["spec"]["schedules"]] == sorted(NAMES)
    assert {action for _, action, _ in stage.changes()} == {"adopt"}
    assert stage.apply().code == 0
    assert stage.changes() == []
    assert stage.writes() == []


def test_neither_a_declared_agent_nor_one_that_is_gone_stops_the_others(stage: Stage) -> None:
    paths = populate(stage, 4)
    stage.write(agent(NIGHTLY, name="shop-01", path=paths[0].upper()))
    before = (stage.root / "manifests" / "retail.yaml").read_bytes()
    ended = listed(stage, [*paths, "sequentum/Shops/gone"])
    assert ended.code == 1
    assert "5 agents: 3 written with 18 schedules, 1 declared already, 1 not read" in ended.err
    assert f"note: {paths[0].upper()} is declared already, at manifests/retail.yaml:1" in ended.err
    assert "1 of 5 agents could not be read; the others were written\n  sequentum/Shops/gone: " in ended.err
    assert (stage.root / "manifests" / "retail.yaml").read_bytes() == before
    assert written(stage) == ["retail.yaml", "shop-02.yaml", "shop-03.yaml", "shop-04.yaml"]
    again = listed(stage, paths)
    assert (again.code, again.out) == (0, "")
    assert "note: 4 agents are declared already, and left alone" in again.err


@pytest.mark.parametrize("fault", ["schedules$ 403", "schedules$ 503"])
def test_an_agent_that_fails_is_named_and_imported_by_the_next_run(stage: Stage, fault: str) -> None:
    paths = populate(stage, 3)
    broken = stage.estate.agents[paths[1]].agent_id
    stage.emulator.inject(f"GET {broken}/{fault}")
    ended = listed(stage, paths)
    assert ended.code == 1
    assert f"\n  {paths[1]}: " in ended.err
    assert written(stage) == ["shop-01.yaml", "shop-03.yaml"]
    stage.emulator.clear_faults()
    ended = listed(stage, paths)
    assert ended.code == 0, ended.err
    assert written(stage) == ["shop-01.yaml", "shop-02.yaml", "shop-03.yaml"]
    assert {action for _, action, _ in stage.changes()} == {"adopt"}


@pytest.mark.parametrize(
    ("encoding", "line_end"), [("utf-8", "\r\n"), ("utf-8-sig", "\n"), ("utf-16", "\r\n"), ("utf-8", "\r")]
)
def test_lists_are_read_as_editors_and_shells_write_them(stage: Stage, encoding: str, line_end: str) -> None:
    file = stage.root / "agents.txt"
    file.write_bytes(line_end.join(["# all of them", f"  {PRICES} ", "", STOCK, PRICES.upper()]).encode(encoding))
    ended = stage.run("import", "--agents-from", str(file))
    assert ended.code == 0, ended.err
    assert written(stage) == ["prices.yaml", "stock.yaml"]


def test_a_list_comes_from_stdin(stage: Stage) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            str(CLOCKED),
            stage.clock().isoformat(),
            "-C",
            str(stage.root),
            "import",
            "--agents-from",
            "-",
        ],
        input=f"{PRICES}\n{STOCK}\n",
        env={**stage.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert written(stage) == ["prices.yaml", "stock.yaml"]


def test_all_that_is_wrong_with_a_list_is_said_at_once(stage: Stage) -> None:
    ended = listed(stage, [PRICES, "/a/b", "# /c/", "a\\b", "a/b/"], "--agent", " x")
    assert ended.code == 64
    file = stage.root / "agents.txt"
    for place in (f"{file}:2: '/a/b'", f"{file}:4: 'a\\\\b'", f"{file}:5: 'a/b/'", "' x' is no path of an agent"):
        assert place in ended.err
    assert not stage.emulator.requests
    assert written(stage) == []


@pytest.mark.parametrize(
    ("content", "said"), [(b"# nobody\n\n", "names no agent"), (b"a\n\xff\xfa\n", ":2: this is no")]
)
def test_a_list_without_agents_or_text_is_wrong_usage(stage: Stage, content: bytes, said: str) -> None:
    (stage.root / "agents.txt").write_bytes(content)
    ended = stage.run("import", "--agents-from", str(stage.root / "agents.txt"))
    assert (ended.code, said in ended.err) == (64, True)


def test_a_list_that_is_not_there_and_no_agent_at_all_are_wrong_usage(stage: Stage) -> None:
    ended = stage.run("import", "--agents-from", str(stage.root / "nowhere.txt"))
    assert ended.code == 64
    assert "nowhere.txt cannot be read: No such file" in ended.err
    ended = stage.run("import")
    assert ended.code == 64
    assert "--agents-from FILE" in ended.err


def test_two_paths_of_one_agent_stop_no_other(stage: Stage) -> None:
    paths = populate(stage, 2)
    alias_agent(stage.estate, paths[0], "sequentum/Other/alias")
    ended = listed(stage, [*paths, "sequentum/Other/alias"])
    assert ended.code == 64
    assert f"sequentum/Other/alias and {paths[0]} are one agent" in ended.said
    assert written(stage) == ["shop-02.yaml"]


def test_findings_are_counted_and_written_out_on_request(stage: Stage) -> None:
    paths = populate(stage, 5)
    for path in paths:
        made = stage.estate.agents[path]
        stage.estate.add_schedule(made, cron="every full moon")
        for parameters in ('{"password": "hunter2", "region": "au"}', '{"apiKey": "hunter2"}'):
            stage.estate.add_schedule(made, cron="0 0 4 * * *", input_parameters=parameters)
        stage.estate.add_schedule(made, owned_id("retail", "prod", path, "nightly"), cron="0 0 5 * * *")
        stage.estate.add_schedule(made, owned_id("other", "default", path, "nightly"), cron="0 0 5 * * *")
    stage.project("  environments: {prod: {}}\n")
    ended = listed(stage, paths)
    assert ended.code == 0, ended.err
    assert "hunter2" not in ended.said
    assert len(ended.err.splitlines()) < 12
    for said in (
        "5 agents: 5 written with 45 schedules",
        "5 schedules stay unmanaged, since they cannot be said in a manifest; the first: sequentum/Shops/shop-01: ",
        "5 schedules stay unmanaged: other environments manage them (5 agents; -v lists them)",
        "5 schedules were perhaps made by another project or environment",
        "10 parameters look like secrets, and stand in the files: better `${env:NAME}`: apiKey (5), password (5)",
    ):
        assert said in ended.err
    assert {action for _, action, _ in stage.changes()} == {"adopt"}
    for name in written(stage):
        (stage.root / "manifests" / name).unlink()
    ended = stage.run("-v", "import", "--agents-from", str(stage.root / "agents.txt"))
    assert ended.err.count("looks like a secret, and stands in the file") == 10
    assert ended.err.count("made by this project's environment prod, which manages it") == 5


def test_what_another_environment_manages_stays_with_it(stage: Stage) -> None:
    stage.project("  environments: {prod: {}}\n")
    stage.write(agent(NIGHTLY))
    assert stage.run("--env", "prod", "apply", "--auto-approve").code == 0
    (stage.root / "manifests" / "retail.yaml").unlink()
    ended = stage.run("import", "--agent", PRICES)
    assert ended.code == 0, ended.err
    text = (stage.root / "manifests" / "prices.yaml").read_text(encoding="utf-8")
    assert "made by this project's environment prod" in text
    assert len(yaml.safe_load(text)["spec"]["schedules"]) == 1, "the hand-made one alone"
    assert {action for _, action, _ in stage.changes()} == {"adopt"}


def test_names_are_the_same_whatever_the_server_answers_first(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Schedules that run at the same time are told apart by what they do, and only then by their ids."""
    parameters = [f'{{"region": "{region}"}}' for region in ("nz", "au", "sg")]
    for path, order in ((PRICES, parameters), (STOCK, parameters[::-1])):
        for one in order:
            stage.estate.add_schedule(stage.estate.agents[path], cron="0 0 4 * * *", input_parameters=one)
    assert stage.run("import", "--agent", PRICES, "--agent", STOCK).code == 0
    found = []
    for name in ("prices", "stock"):
        spec = yaml.safe_load((stage.root / "manifests" / f"{name}.yaml").read_text(encoding="utf-8"))["spec"]
        found.append(
            [(one["name"], one["inputParameters"]) for one in spec["schedules"] if one["name"][:10] == "daily-0400"]
        )
    assert found[0] == found[1]
    assert [name for name, _ in found[0]] == ["daily-0400", "daily-0400-2", "daily-0400-3"]


DEFAULTS = """\
  defaults:
    schedule: {timeZone: Australia/Sydney, logLevel: high, sessionId: 1-5/5, windowless: false, expect: {within: 26h},
      inputParameters: {a: "9"}}
"""


@pytest.mark.parametrize("way", [[], ["--factor"], ["--update"]])
def test_defaults_of_the_project_change_nothing_that_is_taken_over(stage: Stage, way: list[str]) -> None:
    stage.project(DEFAULTS)
    made = stage.estate.agents[PRICES]
    stage.estate.add_schedule(made, cron="0 0 4 * * *", input_parameters='{"b": "1"}')
    stage.estate.add_schedule(made, cron="0 0 5 * * *", input_parameters='{"a": "1"}', session_id="2-5/5")
    if way == ["--update"]:
        stage.write(agent(name="prices"))
    ended = stage.run("import", "--agent", PRICES, *way)
    assert ended.code == 0, ended.err
    assert "spec.defaults would give it inputParameters.a, which it does not have in ACC" in ended.said
    assert stage.run("validate").code == 0
    assert [(address, action) for address, action, _ in stage.changes()] == [
        ("schedule/prices/daily-0500", "adopt"),
        ("schedule/prices/daily-1536", "adopt"),
    ]
    assert stage.apply().code == 0
    assert stage.writes() == []


def test_what_defaults_give_every_agent_is_said(stage: Stage) -> None:
    stage.project("  defaults: {agent: {approval: {state: approved}}}\n")
    ended = stage.run("import", "--agent", PRICES)
    assert ended.code == 0, ended.err
    assert "spec.defaults.agent gives the imported agents approval too" in ended.err
    assert "no remote change" not in ended.err
    assert {action for _, action, _ in stage.changes()} == {"adopt", "approve"}


@pytest.mark.parametrize("way", [[], ["--factor"]])
@pytest.mark.parametrize("why", ["defaults", "cron"])
def test_nothing_is_declared_without_a_schedule_of_ours_that_pruning_would_then_delete(
    stage: Stage, why: str, way: list[str]
) -> None:
    """Its document is gone, and nothing can say it: beside others that are declared it would be one too many."""
    ours = owned_id("retail", "default", PRICES, "nightly")
    lost = {"cron": "0 0 2 L-3 * ?"} if why == "cron" else {"input_parameters": '{"b": "1"}'}
    stage.estate.add_schedule(stage.estate.agents[PRICES], ours, **lost)
    stage.project(DEFAULTS if why == "defaults" else "")
    (stage.root / "agents.txt").write_text(f"{PRICES}\n{STOCK}\n", encoding="utf-8")
    ended = stage.run("import", "--agents-from", str(stage.root / "agents.txt"), *way)
    assert ended.code == 1
    assert f"{PRICES}: this project made the schedule {ours}, which cannot be declared" in ended.err
    assert "2 agents: 1 written with 0 schedules, 1 not imported" in ended.err
    assert "stock.yaml" in written(stage)
    assert "prices.yaml" not in written(stage)
    assert stage.changes() == []
    assert stage.apply().code == 0
    assert stage.writes() == []


def test_a_wrong_token_is_told_once_for_all_agents(stage: Stage) -> None:
    paths = [f"sequentum/Retail/shop-{number:03}" for number in range(300)]
    for path in paths:
        stage.estate.add_agent(path, duration=0.0)
    stage.emulator.inject("GET agentPath=.* #* 401")
    ended = listed(stage, paths)
    assert ended.code == 1
    assert ended.err.count("401") == 1
    assert "300 of 300 agents could not be read; nothing was written\n  300 agents: GET " in ended.err
    assert "agents: GET /api/agent?agentPath=sequentum/Retail/… answered 401" in ended.err
    assert "shop-000, sequentum/Retail/shop-001, " in ended.err and " and 280 more\n" in ended.err
    assert len(ended.err.splitlines()) < 8


def test_a_secret_of_the_manifests_is_hidden_in_an_answer_to_an_import(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + "      inputParameters: {password: '${env:PASSWORD}'}\n"))
    stage.emulator.inject(f"GET agentPath= 400 body=it was {PASSWORD}, and is refused")
    for more in (["--agent", STOCK], ["--agent", PRICES, "--update"]):
        ended = stage.run("import", *more, "--out", str(stage.root / "manifests"))
        assert ended.code == 1
        assert "it was (secret), and is refused" in ended.said
