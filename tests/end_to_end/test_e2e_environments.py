"""Environments: chosen or refused, promoted as docs/environments.md has it, and told of where two share agents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stage import HAND_MADE, NIGHTLY, POLL, PRICES, STOCK, TOKEN, Open, Stage, agent

from reconciler.emulator import Estate, Tenant, Token
from reconciler.identity import is_owned

PAGE = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
_, PROJECT, MANIFEST, SHARED_PROJECT, SHARED_MANIFEST = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
REQUIRED = "  policy: {environment: required}\n  environments: {prod: {}, staging: {}}\n"

IN_AN_ENVIRONMENT = [
    ("validate",),
    ("validate", "--format", "json"),
    ("plan",),
    ("plan", "--out", "p.plan"),
    ("plan", "--only", "schedule/*"),
    ("apply", "--auto-approve"),
    ("drift",),
    ("status",),
    ("destroy", "--auto-approve"),
    ("calendar",),
    ("render",),
    ("doctor",),
    ("history",),
    ("unlock",),
    ("unlock", "--force"),
    ("resolve", "trigger/publish", "--ran"),
    ("import", "--agent", STOCK),
    ("accept", "schedule/prices/nightly"),
    ("ledger", "list"),
    ("ledger", "backup", "ledger.copy"),
    ("ledger", "migrate", "--to", "sqlite:///other.db"),
    ("ledger", "forget", "schedule/prices/nightly"),
    ("acc", "schedule", "list", PRICES),
    ("acc", "schedule", "delete-all", PRICES, "--yes"),
    ("mft", "license"),
]


def mine(estate: Estate, environment: str) -> dict[str, str]:
    """The live schedules of an environment: where they are, by id."""
    return {key: one.agent.path for key, one in estate.schedules.items() if is_owned(key, "retail", environment)}


@pytest.mark.parametrize("command", IN_AN_ENVIRONMENT, ids=" ".join)
def test_a_command_without_an_environment_is_wrong_usage_where_one_is_required(
    stage: Stage, command: tuple[str, ...]
) -> None:
    stage.project(REQUIRED)
    stage.write(agent(NIGHTLY))
    for chosen in ((), ("--env", "default")):
        ended = stage.run(*chosen, *command)
        assert ended.code == 64
        assert "policy.environment: required" in ended.said
        assert "give --env NAME: prod, staging" in ended.said
    assert stage.emulator.requests == []
    assert not stage.ledger.exists()


def test_what_needs_no_environment_is_not_asked_for_one(stage: Stage) -> None:
    stage.project(REQUIRED)
    stage.write(agent(NIGHTLY))
    file = str(stage.root / "p.plan")
    assert stage.run("--env", "prod", "plan", "--out", file).code == 0
    assert stage.run("show", file).code == 0
    assert stage.run("schema", "Agent").code == 0
    assert stage.run("init", str(stage.root / "other")).code == 0
    assert stage.run("apply", file).code == 64
    assert stage.run("--env", "staging", "apply", file).code == 7
    assert stage.writes() == []
    assert stage.run("--env", "prod", "apply", file).code == 0


@pytest.mark.parametrize(
    ("settings", "arguments", "code"),
    [
        ("  policy: {environment: optional}\n  environments: {prod: {}}\n", (), 0),
        ("  policy: {environment: required}\n  environments: {default: {}}\n", ("--env", "default"), 0),
        ("  policy: {environment: required}\n  environments: {default: {}}\n", (), 64),
        ("  policy: {environment: '${var:how}'}\n  variables: {how: required}\n", (), 64),
        ("  policy: {environment: requird}\n", (), 1),
        ("  environments: {default: {policy: {environment: required}}}\n", (), 64),
        ("  policy: {environment: required}\n", (), 64),
    ],
)
def test_how_an_environment_may_be_required(stage: Stage, settings: str, arguments: tuple[str, ...], code: int) -> None:
    file = stage.root / "reconciler.yaml"
    file.write_text(file.read_text().split("  variables:")[0] + settings)
    stage.write(agent(POLL))
    assert stage.run(*arguments, "validate").code == code


def test_a_change_is_promoted_to_another_acc(open_stage: Open) -> None:
    """The page's own files and commands; the two addresses and a token are the test's."""
    stage, other = open_stage(), open_stage()
    prod, staging = stage.estate, other.estate
    staging.add_token(Token("staging-token"))
    stage.environ["ACC_STAGING_TOKEN"] = "staging-token"
    project = PROJECT.replace("https://acc-staging.example.com", other.emulator.url)
    (stage.root / "reconciler.yaml").write_text(project.replace("https://acc.sequentum.com", stage.emulator.url))
    stage.write(MANIFEST)
    commands = [line.partition("#")[0].split()[2:] for line in re.findall(r"^\$ reconciler .*", PAGE, re.MULTILINE)[:4]]
    commands = [[str(stage.root / "prod.plan") if word == "prod.plan" else word for word in one] for one in commands]
    apply, drift, plan, apply_plan = commands
    assert stage.run(*apply).code == 0
    assert stage.run(*drift).code == 0
    assert set(mine(staging, "staging").values()) == {PRICES}
    assert not mine(prod, "prod") and not stage.writes(), "the other ACC was not written to"
    assert stage.run(*plan).code == 0
    writes = other.writes()
    assert stage.run("--env", "staging", *apply_plan[2:]).code == 7, "a plan belongs to its environment"
    assert (stage.writes(), other.writes()) == ([], writes)
    assert stage.run(*apply_plan).code == 0
    assert other.writes() == writes
    levels = {one.log_level for estate in (prod, staging) for key, one in estate.schedules.items() if key != HAND_MADE}
    assert levels == {1, 3}
    assert mine(prod, "prod").keys().isdisjoint(mine(staging, "staging"))

    # A block that is gone is pruned where it is applied, and stays where it is not yet.
    stage.write(MANIFEST.replace("name: nightly", "name: daily").replace("0 0 2", "0 0 3"))
    assert stage.run(*apply, "--max-deletes", "1").code == 0
    assert len(mine(staging, "staging")) == 1
    before = mine(prod, "prod")
    assert stage.run("--env", "prod", "drift").code == 0
    assert mine(prod, "prod") == before


def test_two_environments_on_one_acc_prune_only_their_own(stage: Stage) -> None:
    for name in ("staging", "prod"):
        stage.estate.add_agent(f"sequentum/{name}/prices", duration=0.0)
    project = SHARED_PROJECT.replace("https://acc.sequentum.com", stage.emulator.url)
    (stage.root / "reconciler.yaml").write_text(project)
    stage.write(SHARED_MANIFEST)
    for name in ("staging", "prod"):
        assert stage.run("--env", name, "apply", "--auto-approve").code == 0
        assert set(mine(stage.estate, name).values()) == {f"sequentum/{name}/prices"}
    for name in ("staging", "prod"):
        document = stage.plan("--env", name)
        assert (document["changes"], document["warnings"]) == ([], [])
    stage.write(SHARED_MANIFEST[: SHARED_MANIFEST.index("    - name: poll")])
    assert stage.run("--env", "staging", "apply", "--auto-approve").code == 0
    assert (len(mine(stage.estate, "staging")), len(mine(stage.estate, "prod"))) == (1, 2)
    assert stage.run("--env", "staging", "destroy", "--auto-approve").code == 0
    assert (len(mine(stage.estate, "staging")), len(mine(stage.estate, "prod"))) == (0, 2)
    assert HAND_MADE in stage.estate.schedules


def test_the_warning_where_agents_carry_schedules_of_another_environment(stage: Stage) -> None:
    """One for each environment, in every command and format that looks; and nothing of them is touched."""
    stage.project("  environments: {prod: {}, staging: {}, spare: {}}\n")
    stage.write(agent(NIGHTLY, POLL))
    stage.write(agent(NIGHTLY, name="stock", path=STOCK), "stock.yaml")
    assert stage.apply().code == 0
    assert stage.run("--env", "staging", "apply", "--auto-approve").code == 0
    before = {**mine(stage.estate, "default"), **mine(stage.estate, "staging")}
    plan = stage.plan("--env", "prod")
    told = [one["message"] for one in plan["warnings"] if one["code"] == "other-environment"]
    agents = f"3 schedules of 2 agents ({PRICES}, {STOCK}) belong to environment"
    assert [one[: len(agents) + 8] for one in told] == [f"{agents} default", f"{agents} staging"]
    for command in (("plan",), ("drift",), ("status",)):
        text = stage.run("--env", "prod", *command)
        assert f"{agents} default" in text.said
        assert f"{agents} staging" in text.said
        assert "spare" not in text.said
        document = stage.run("--env", "prod", *command, "--format", "json").document
        assert [one["message"] for one in document["warnings"] if one["code"] == "other-environment"] == told
    for name, form in (("plan", "markdown"), ("plan", "html"), ("drift", "markdown"), ("drift", "html")):
        page = stage.run("--env", "prod", name, "--format", form).said
        assert "other-environment" in page
        assert f"{agents} default" in page
        assert f"{agents} staging" in page
    assert stage.run("--env", "prod", "plan", "--only", "schedule/stock/*").said.count("of this project") == 2
    assert stage.run("--env", "prod", "apply", "--auto-approve").code == 0
    assert stage.run("--env", "prod", "destroy", "--auto-approve").code == 0
    assert {**mine(stage.estate, "default"), **mine(stage.estate, "staging")} == before
    assert not mine(stage.estate, "prod")


def test_the_token_of_one_environment_is_not_needed_for_another(open_stage: Open) -> None:
    stage = open_stage()
    project = PROJECT.replace("https://acc.sequentum.com", stage.emulator.url)
    (stage.root / "reconciler.yaml").write_text(project)
    stage.write(MANIFEST)
    assert stage.environ["ACC_TOKEN"] == TOKEN
    assert stage.run("--env", "prod", "validate", "--strict").code == 0
    assert stage.run("--env", "staging", "validate", "--strict").code == 1
    assert "ACC_STAGING_TOKEN is not set" in stage.run("--env", "staging", "validate").said


@pytest.mark.parametrize("switch", ["foreign_id=move", "foreign_id=409"])
def test_no_environment_takes_a_schedule_of_another_one_by_its_id(open_stage: Open, switch: str) -> None:
    """What was imported names a schedule of one agent; the manifests are shared, and so is the ACC."""
    stage = open_stage(switches=(switch,))
    test_path = PRICES.replace("Retail", "Test")
    stage.estate.add_agent(test_path, duration=0.0)
    stage.project("  environments: {prod: {variables: {tier: Retail}}, test: {variables: {tier: Test}}}\n")
    assert stage.run("--env", "prod", "import", "--agent", PRICES).code == 0
    written = stage.root / "manifests" / "prices.yaml"
    written.write_text(written.read_text().replace(PRICES, PRICES.replace("Retail", "${var:tier}")))
    assert stage.run("--env", "prod", "apply", "--auto-approve").code == 0
    stage.emulator.clear_requests()
    plan = stage.plan("--env", "test")
    assert [(one["address"], one["reason"]) for one in plan["blocked"]] == [("schedule/prices/daily-1536", "unowned")]
    assert f"environment prod, at {PRICES} in the same ACC" in plan["blocked"][0]["message"]
    assert stage.run("--env", "test", "apply", "--auto-approve").code == 3
    assert stage.writes() == []
    assert HAND_MADE in stage.estate.agents[PRICES].schedules
    # Once nobody claims it any more, ACC alone says whose it is.
    assert stage.run("--env", "prod", "ledger", "forget", "schedule/prices/daily-1536").code == 0
    assert stage.plan("--env", "test")["blocked"] == []


def test_the_same_id_in_another_acc_is_another_schedule(open_stage: Open) -> None:
    held = Estate(zone="UTC", tenant=Tenant("tenant-1"))
    held.add_token(Token(TOKEN))
    path = PRICES.replace("Retail", "Test")
    held.add_agent(path, duration=0.0)
    first, second = open_stage(), open_stage(held=held)
    away = f"{{variables: {{tier: Test}}, connections: {{acc: {{url: {second.emulator.url}}}}}}}"
    first.project(f"  environments: {{prod: {{variables: {{tier: Retail}}}}, test: {away}}}\n")
    assert first.run("--env", "prod", "import", "--agent", PRICES).code == 0
    written = first.root / "manifests" / "prices.yaml"
    written.write_text(written.read_text().replace(PRICES, PRICES.replace("Retail", "${var:tier}")))
    assert first.run("--env", "prod", "apply", "--auto-approve").code == 0
    assert first.run("--env", "test", "apply", "--auto-approve").code == 0
    assert set(second.estate.agents[path].schedules) == {HAND_MADE}
    assert first.changes("--env", "prod") == []
