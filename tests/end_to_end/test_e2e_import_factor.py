"""`import --factor`: what an engineer would have written, and nothing but what is there."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import PASSWORD, PRICES, TOKEN, Open, Stage, agent, as_bytes

from reconciler.emulator import Estate, Tenant, Token, regions


@pytest.fixture
def estate(open_stage: Open) -> Iterator[Stage]:
    """Fifty agents with three hundred schedules, made by hand."""
    yield opened(open_stage, regions())


def opened(open_stage: Open, held: Estate) -> Stage:
    assert held.tenant is not None
    held.add_token(Token(TOKEN))
    return open_stage(held=held)


def lists(stage: Stage) -> None:
    text = "".join(f"{path}\n" for path in sorted(stage.estate.agents) if not path.endswith("-sg"))
    (stage.root / "agents.txt").write_text(text, encoding="utf-8")


def imported(stage: Stage, *more: str, out: str = "manifests") -> dict[str, str]:
    """Import every agent, and what was written, by file."""
    lists(stage)
    folder = stage.root / out
    ended = stage.run("import", "--agents-from", str(stage.root / "agents.txt"), "--out", str(folder), *more)
    assert ended.code == 0, ended.err
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


def lines(files: dict[str, str]) -> int:
    return sum(text.count("\n") for name, text in files.items() if name.endswith(".yaml"))


def plans_to_nothing(stage: Stage) -> None:
    assert stage.run("validate").code == 0
    planned = stage.plan()
    assert {one["action"] for one in planned["changes"]} <= {"adopt"}
    assert planned["blocked"] == []
    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert stage.writes() == []
    assert stage.changes() == []


def rendered(stage: Stage) -> dict[str, Any]:
    """All documents as they are written out, by the agent's handle, schedules by name. Parameters are text to ACC."""
    found = {one["metadata"]["name"]: one for one in yaml.safe_load_all(stage.run("render").out)}
    for one in found.values():
        for block in one["spec"]["schedules"]:
            block["inputParameters"] = {key: str(value) for key, value in block.get("inputParameters", {}).items()}
        one["spec"]["schedules"] = {each["name"]: each for each in one["spec"]["schedules"]}
    return found


def said(stage: Stage) -> dict[str, Any]:
    """Everything that the manifests say, by agent."""
    found = {}
    for one in stage.plan()["changes"]:
        found[one["address"]] = (one["action"], one["fields"])
    return found


def test_an_estate_becomes_a_few_lines_and_plans_to_nothing(estate: Stage) -> None:
    files = imported(estate, "--factor")
    assert lines(files) < 150
    assert [name for name in files if name.endswith(".csv")] == ["regions.csv"]
    plans_to_nothing(estate)


def test_short_and_whole_say_the_same(open_stage: Open) -> None:
    whole, short = opened(open_stage, regions()), opened(open_stage, regions())
    imported(whole)
    imported(short, "--factor")
    assert said(whole) == said(short)
    assert len(said(whole)) == 300
    assert rendered(whole) == rendered(short)


def test_one_region_more_is_one_line_more(estate: Stage) -> None:
    imported(estate, "--factor")
    assert estate.apply().code == 0
    file = estate.root / "manifests" / "regions.csv"
    head = file.read_text(encoding="utf-8").splitlines()[0].split(",")
    with file.open("a", encoding="utf-8") as stream:
        stream.write("sg,Singapore Standard Time\n")
    assert head[:2] == ["region", "zone"]
    changes = estate.changes()
    assert {action for _, action, _ in changes} == {"create"}
    assert len(changes) == 30
    assert estate.apply().code == 0
    assert estate.changes() == []
    made = estate.schedules("sequentum/Shops/prices-sg")
    assert {one.time_zone_id for one in made} == {"Singapore Standard Time", "UTC"}
    assert all(json.loads(one.input_parameters or "")["region"] == "sg" for one in made)


def test_what_a_new_line_needs_comes_first(open_stage: Open) -> None:
    """Shops whose schedules are spread over the hour: each has a time of its own, and the ids stand behind."""
    held = Estate(zone="UTC", tenant=Tenant("tenant-1"))
    for number in range(12):
        made = held.add_agent(f"sequentum/Shops/shop-{number:02}", duration=0.0)
        for hour in (2, 9):
            cron = f"0 {number * 5} {hour} * * *"
            held.add_schedule(made, cron=cron, start_time="2026-01-01T00:00:00", time_zone_id="UTC")
    stage = opened(open_stage, held)
    files = imported(stage, "--factor")
    assert lines(files) < 25
    plans_to_nothing(stage)
    head = files["shop.csv"].splitlines()[0].split(",")
    assert head == ["name", "daily_name", "daily_cron", "daily_2_name", "daily_2_cron", "daily_id", "daily_2_id"]
    held.add_agent("sequentum/Shops/shop-12", duration=0.0)
    with (stage.root / "manifests" / "shop.csv").open("a", encoding="utf-8") as stream:
        stream.write("12,daily-0201,0 1 2 * * *,daily-0901,0 1 9 * * *\n")
    assert [(address, action) for address, action, _ in stage.changes()] == [
        ("schedule/shop-12/daily-0201", "create"),
        ("schedule/shop-12/daily-0901", "create"),
    ]


def test_exceptions_stand_in_the_table(estate: Stage) -> None:
    files = imported(estate, "--factor")
    rows = list(csv.DictReader(io.StringIO(files["regions.csv"])))
    rare = {key: [row[key] for row in rows if row[key]] for key in rows[0] if sum(bool(row[key]) for row in rows) == 1}
    assert list(rows[0])[-len(rare) :] == list(rare), "behind the ids"
    assert list(rows[0])[2] == "prices_daily_0200_id"
    assert sorted(rare.values()) == [["0 0 5 * * *"], ["5"], ["daily-0500"], ["false"], ["high"]]
    assert 'enabled: "${each.reviews_monthly_1_0520_enabled:-true}"' in files["reviews.yaml"]


def test_the_same_estate_gives_the_same_bytes(open_stage: Open) -> None:
    first, second = regions(), regions()
    for one in second.agents.values():
        one.schedules = dict(reversed(list(one.schedules.items())))
    second.agents = dict(reversed(list(second.agents.items())))
    assert imported(opened(open_stage, first), "--factor") == imported(opened(open_stage, second), "--factor")


def test_a_second_import_beside_the_first_takes_no_name_that_is_in_use(estate: Stage) -> None:
    paths = sorted(estate.estate.agents)
    for part in (paths[:20], paths[20:]):
        ended = estate.run("import", "--factor", *(word for path in part for word in ("--agent", path)))
        assert ended.code == 0, ended.err
    plans_to_nothing(estate)


def test_secrets_neither_spread_nor_leak(stage: Stage) -> None:
    """What looks like a secret comes into no template; what was one comes into no file at all."""
    for number in range(4):
        made = stage.estate.add_agent(f"sequentum/Shops/shop-{number}", duration=0.0)
        for cron in ("0 0 2 * * *", "0 0 3 * * *"):
            parameters = json.dumps({"apiKey": "same-for-all", "token": f"own-{number}", "region": "au"})
            stage.estate.add_schedule(made, cron=cron, input_parameters=parameters, time_zone_id="UTC")
    stage.write(
        "apiVersion: reconciler/v1\nkind: Agent\nmetadata: {name: shop-0}\nspec:\n  path: sequentum/Shops/shop-0\n"
        "  schedules:\n    - {name: own, every: 1d, startTime: 2026-01-01T00:00:00, timeZone: UTC, "
        "inputParameters: {password: '${env:PASSWORD}', region: au}}\n"
    )
    assert stage.apply().code == 0
    (stage.root / "manifests" / "retail.yaml").unlink()
    shops = [path for path in stage.estate.agents if "shop" in path]
    ended = stage.run("import", "--factor", *(word for path in shops for word in ("--agent", path)))
    assert ended.code == 0, ended.err
    files = {path.name: path.read_text(encoding="utf-8") for path in (stage.root / "manifests").iterdir()}
    assert PASSWORD not in "".join(files.values())
    assert "same-for-all" not in files["templates.yaml"]
    assert "own-" not in files["templates.yaml"]
    assert "parameters look like secrets, and stand in the files" in ended.err
    assert "looks like a secret" in files["shop.yaml"]
    assert {action for _, action, _ in stage.changes()} == {"adopt"}


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_was_secret_of_agents_that_are_alike_stays_in_acc(stage: Stage, is_lost: bool) -> None:
    names = ("shop-au", "shop-nz", "shop-sg", "shop-us")
    block = "    - {name: a, every: 1d, startTime: 2026-01-01T00:00:00, timeZone: UTC, inputParameters: {password: "
    block += "'${env:PASSWORD}', region: au}}\n"
    for name in names:
        stage.estate.add_agent(f"sequentum/Shops/{name}", duration=0.0)
    stage.write("---\n".join(agent(block, name=name, path=f"sequentum/Shops/{name}") for name in names))
    assert stage.apply().code == 0
    before = {key: as_bytes(one) for key, one in stage.owned().items()}
    (stage.root / "manifests" / "retail.yaml").unlink()
    if is_lost:
        stage.ledger.unlink()
    ended = stage.run("import", "--factor", *(word for one in names for word in ("--agent", f"sequentum/Shops/{one}")))
    assert ended.code == 0, ended.err
    files = {path.name: path.read_text(encoding="utf-8") for path in (stage.root / "manifests").iterdir()}
    assert sorted(files) == ["shop.csv", "shop.yaml"]
    assert PASSWORD not in "".join(files.values())
    assert "and 3 more: inputParameters stay as they are in ACC" in files["shop.yaml"]
    assert {action for _, action, _ in stage.changes()} == {"adopt"}
    stage.emulator.clear_requests()
    assert stage.apply().code == 0
    assert stage.writes() == []
    assert {key: as_bytes(one) for key, one in stage.owned().items()} == before


def test_without_anything_alike_it_is_still_right(stage: Stage) -> None:
    stage.estate.add_schedule(stage.estate.agents[PRICES], cron="0 0 4 * * *", time_zone_id="UTC")
    imported(stage, "--factor")
    plans_to_nothing(stage)


REGION = st.sampled_from(["au", "nz", "${env:HOME}", "a b", "é", "x,y", 'q"q', "5", "true", "null", "", "#", "-"])
FIELDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "cron": st.sampled_from(
            ["0 0 2 * * *", "0 15 0 0", "0 7 3 * * MON-FRI", "0 0 0 1", "not a cron", "0 0 0 L * ?"]
        ),
        "time_zone_id": st.sampled_from(["UTC", "AUS Eastern Standard Time", "Tokyo Standard Time"]),
        "start_time": st.sampled_from(["2026-01-01T00:00:00", "2025-06-01T04:30:00"]),
    },
    optional={
        "input_parameters": st.dictionaries(
            st.sampled_from(["region", "password", "depth", "odd key: {x}"]), REGION, max_size=3
        ).map(json.dumps),
        "is_enabled": st.booleans(),
        "is_windowless": st.booleans(),
        "log_level": st.sampled_from([0, 1, 3, 7]),
        "session_id": st.sampled_from(["1-5/5", "${x}", "7"]),
    },
)
NAMES = st.sampled_from(["prices-au", "prices-nz", "prices-us", "42", "43", "shop_1", "shop_2", "x.y", "other", "null"])
AGENTS = st.dictionaries(
    st.tuples(st.sampled_from(["a/Shops", "a/Other ${x}", "b"]), NAMES).map("/".join),
    st.lists(FIELDS, max_size=3),
    min_size=1,
    max_size=7,
)


@given(agents=AGENTS, alike=st.lists(FIELDS, max_size=3), exceptions=st.dictionaries(st.integers(0, 6), FIELDS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.generated
def test_whatever_the_estate_is_short_manifests_plan_to_nothing(
    open_stage: Open, agents: dict[str, list[dict[str, Any]]], alike: list[dict[str, Any]], exceptions: dict[int, Any]
) -> None:
    """Agents that are alike but for their region and an exception here and there, and some that are like no other."""
    held = Estate(zone="UTC")
    held.add_token(Token(TOKEN))
    for number, (path, own) in enumerate(sorted(agents.items())):
        made = held.add_agent(path, duration=0.0)
        for fields in own if number % 3 == 2 else alike:
            held.add_schedule(made, **{**fields, **exceptions.get(number, {})})
    held.tenant = Tenant("tenant-1")
    stage = open_stage(held=held)
    stage.project("  manifests: ['whole/*.yaml']\n")
    imported(stage, out="whole")
    expected = said(stage)
    stage.project("")
    imported(stage, "--factor")
    assert said(stage) == expected
    plans_to_nothing(stage)


KILLED = """
import os, signal, sys
from reconciler import cli

def killed(event, arguments, left=[int(sys.argv[1])]):
    if event in ("os.link", "os.rename") or (event == "open" and arguments[2] & os.O_CREAT):
        left[0] -= sys.argv[2] in str(arguments[0])
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(killed)
sys.exit(cli.main(sys.argv[3:]))
"""


@pytest.mark.parametrize("number", range(1, 13))
def test_killed_between_two_files_it_leaves_whole_ones_and_none_that_needs_another(
    open_stage: Open, number: int
) -> None:
    stage = opened(open_stage, regions())
    whole = imported(stage, "--factor", out="whole")
    lists(stage)
    folder = stage.root / "manifests"
    asked = ["-C", str(stage.root), "import", "--factor", "--agents-from", str(stage.root / "agents.txt")]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(number), str(folder), *asked], env=stage.environ, check=False
    )
    assert ended.returncode in (-9, 0)
    left = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name[0] != "."}
    assert left.items() <= whole.items()
    assert stage.run("import", "--factor", "--agents-from", str(stage.root / "agents.txt")).code == 0
    plans_to_nothing(stage)


def test_a_disk_that_is_full_leaves_none_of_the_files(open_stage: Open) -> None:
    stage = opened(open_stage, regions())
    sizes = sorted(len(text.encode()) for text in imported(stage, out="whole").values())

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (sizes[-1] - 1, sizes[-1] - 1))

    asked = ["import", "--agents-from", str(stage.root / "agents.txt")]
    ended = subprocess.run(
        [sys.executable, "-B", "-m", "reconciler", "-C", str(stage.root), *asked],
        env=stage.environ,
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 64
    assert "nothing was written" in ended.stderr
    assert list((stage.root / "manifests").iterdir()) == []


def test_what_is_changed_by_hand_all_over_an_estate_is_accepted_into_its_table(estate: Stage) -> None:
    imported(estate, "--factor")
    assert estate.apply().code == 0
    for number, live in enumerate(estate.estate.schedules.values()):
        live.cron, live.log_level, live.is_enabled = f"0 {number % 60} {number % 7} * * *", number % 4, number % 3 > 0
    ended = estate.run("accept", "schedule/*")
    assert ended.code == 0
    assert "accepted 300 schedules in 6 files" in ended.err
    assert estate.changes() == []
