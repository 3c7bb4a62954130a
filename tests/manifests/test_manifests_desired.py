"""What manifests mean: resources, ids, needs, secrets, variables, environments, connections."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests_projects import (
    AGENT,
    ENVIRON,
    NOW,
    PROJECT,
    TRIGGER,
    check,
    desired,
    places,
    schedule_of,
    state_of,
    write,
)

from reconciler import manifests, timetable
from reconciler.errors import ManifestError, UsageError
from reconciler.identity import owned_id
from reconciler.kind import Wait
from reconciler.kinds.approval import ApprovalState
from reconciler.kinds.input_files import InputFilesState
from reconciler.kinds.schedule_state import AsWritten, ScheduleState
from reconciler.kinds.trigger import DEFAULT_WAIT, Task, TriggerState
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.project import Blackout
from reconciler.model.resource import Resource, Severity

FULL = """\
apiVersion: reconciler/v1
kind: Agent
metadata:
  name: prices
  labels: {team: pricing, floor: 3}
spec:
  path: sequentum/Retail/prices
  approval: {state: approved, message: Reviewed in change 412}
  inputFiles:
    - file: data/urls.csv
    - {file: data/a.txt, name: Z.txt}
  inputFilesExclusive: false
  schedules:
    - name: nightly
      cron: "0 0 2 * * MON-FRI"
      startTime: 2026-01-01T02:00:00
      timeZone: Australia/Sydney
      inputParameters: {n: 5, price: 1.10, old: 007, on: yes, flag: true, ratio: 1.5, day: 2026-01-01, empty: ""}
      logLevel: high
      sessionId: 1-5/5
      windowless: false
    - name: legacy
      id: "{D9C944DF-93a7-ea77-f7b7-fa0b9c579917}"
      every: 1d
      startTime: 2019-05-30T15:36:00
      timeZone: AUS Eastern Standard Time
      sessionId: 7
      protect: true
"""
FILES = {"a.yaml": FULL, "manifests/data/urls.csv": "a,b\n1,2\n", "manifests/data/a.txt": "x\n"}


def zone_as_written(resource: Resource) -> str:
    written = schedule_of(resource).written
    assert written is not None
    return written.time_zone


def test_an_agent_becomes_resources(tmp_path: Path) -> None:
    root = write(tmp_path, FILES)
    found = desired(root)
    assert found.problems == ()
    by_address = {str(resource.address): resource for resource in found.resources}
    assert list(by_address) == [
        "approval/prices",
        "input-files/prices",
        "schedule/prices/legacy",
        "schedule/prices/nightly",
    ]
    files = state_of(by_address["input-files/prices"], InputFilesState)
    assert [(name, one.place.path, one.digest, one.size) for name, one in files.files.items()] == [
        ("Z.txt", root / "manifests/data/a.txt", "", None),
        ("urls.csv", root / "manifests/data/urls.csv", "", None),
    ]
    assert replace(files, files={}) == InputFilesState(exclusive=False, enabled=None)
    approval = state_of(by_address["approval/prices"], ApprovalState)
    assert (approval.state, approval.message, approval.digest) == ("approved", "Reviewed in change 412", "")
    assert [str(need) for need in by_address["approval/prices"].needs] == ["input-files/prices"]
    nightly, legacy = by_address["schedule/prices/nightly"], by_address["schedule/prices/legacy"]
    assert [str(need) for need in nightly.needs] == ["approval/prices", "input-files/prices"]
    assert schedule_of(nightly) == ScheduleState(
        cron="0 0 2 * * MON-FRI",
        start_time="2026-01-01T02:00:00",
        time_zone="AUS Eastern Standard Time",
        input_parameters={
            "n": "5",
            "price": "1.10",
            "old": "007",
            "on": "yes",
            "flag": "true",
            "ratio": "1.5",
            "day": "2026-01-01",
            "empty": "",
        },
        log_level=3,
        session_id="1-5/5",
        windowless=False,
        enabled=True,
    )
    assert schedule_of(nightly).written == AsWritten(
        "0 0 2 * * MON-FRI",
        says_every=False,
        start_time="2026-01-01T02:00:00",
        time_zone="Australia/Sydney",
        says_enabled=False,
    )
    assert nightly.identity == owned_id("retail", "default", "sequentum/Retail/prices", "nightly")
    assert (nightly.adopted, nightly.protect, nightly.labels) == (False, False, {"team": "pricing", "floor": "3"})
    assert schedule_of(legacy) == ScheduleState(
        cron="0 0 0 1",
        start_time="2019-05-30T15:36:00",
        time_zone="AUS Eastern Standard Time",
        session_id="7",
        enabled=True,
    )
    assert schedule_of(legacy).written == AsWritten(
        "1d",
        says_every=True,
        start_time="2019-05-30T15:36:00",
        time_zone="AUS Eastern Standard Time",
        says_enabled=False,
    )
    assert legacy.identity == "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
    assert (legacy.adopted, legacy.protect) == (True, True)
    assert (nightly.origin.path, nightly.origin.line, nightly.origin.column) == ("manifests/a.yaml", 14, 7)


def test_input_files_may_be_declared_by_a_switch_alone(tmp_path: Path) -> None:
    text = AGENT.replace("  schedules:", "  inputFilesEnabled: false\n  schedules:")
    found = desired(write(tmp_path, {"a.yaml": text}))
    assert state_of(found.resources[0], InputFilesState) == InputFilesState({}, enabled=False, exclusive=False)
    assert [str(need) for need in found.resources[1].needs] == ["input-files/prices"]


def test_a_trigger_needs_all_that_its_patterns_match(tmp_path: Path) -> None:
    text = TRIGGER + (
        "  parameters: {folder: /out, n: 5}\n"
        "  when: {revision: 2026-11-22, changed: ['schedule/prices/*', input-files/prices, 'trigger/*']}\n"
        "  wait: {timeout: 1.5h}\n  retries: 2\n"
    )
    found = desired(write(tmp_path, {**FILES, "t.yaml": text, "u.yaml": TRIGGER.replace("publish", "other")}))
    trigger = found.resources[-1]
    assert state_of(trigger, TriggerState) == TriggerState(
        Task(name="Publish prices"),
        {"folder": "/out", "n": "5"},
        "2026-11-22",
        retries=2,
        wait=Wait(timeout=5400.0, interval=DEFAULT_WAIT.interval),
    )
    assert [str(need) for need in trigger.needs] == [
        "input-files/prices",
        "schedule/prices/legacy",
        "schedule/prices/nightly",
        "trigger/other",
    ]
    assert state_of(found.resources[-2], TriggerState) == TriggerState(
        Task(name="Publish prices"), {}, None, retries=0, wait=DEFAULT_WAIT
    )


def test_wait_false_is_kept(tmp_path: Path) -> None:
    found = desired(write(tmp_path, {"t.yaml": TRIGGER + "  wait: false\n"}))
    assert state_of(found.resources[0], TriggerState).wait is None


# --- interpolation ---------------------------------------------------------------------------------------------------


def test_interpolation_and_what_is_secret(tmp_path: Path) -> None:
    text = AGENT + (
        "      inputParameters:\n"
        "        plain: ${var:region}\n"
        "        whole: ${env:PW}\n"
        "        within: user:${env:PW}@host\n"
        "        file: ${file:secret.txt}\n"
        "        home: ${file:~/home.txt}\n"
        "        through: ${var:hidden}\n"
        "        default: ${env:NOT_SET:-a:-b}\n"
        "        unset: ${env:EMPTY:-x}\n"
        "        literal: $${env:PW}\n"
        "        data: ${env:TRICK}\n"
        "      enabled: ${var:running}\n"
    )
    project = PROJECT + "  variables: {region: au, hidden: '<${env:PW}>', running: false}\n"
    files = {"a.yaml": text, "manifests/secret.txt": "from file\n", "home/home.txt": "from home\r\n"}
    root = write(tmp_path, files, project)
    environ = {**ENVIRON, "PW": "s3cret", "TRICK": "${env:PW}: [yes]", "HOME": str(root / "home"), "EMPTY": ""}
    found = desired(root, environ)
    (schedule,) = found.resources
    assert schedule_of(schedule).input_parameters == {
        "plain": "au",
        "whole": "s3cret",
        "within": "user:s3cret@host",
        "file": "from file",
        "home": "from home",
        "through": "<s3cret>",
        "default": "a:-b",
        "unset": "x",
        "literal": "${env:PW}",
        "data": "${env:PW}: [yes]",
    }
    assert schedule_of(schedule).enabled is False
    hidden = ("data", "file", "home", "through", "whole", "within")
    assert schedule.secrets == tuple(f"inputParameters.{name}" for name in hidden)
    assert {"s3cret", "user:s3cret@host", "<s3cret>", "from file", "from home", "acc-secret"} <= found.secret_values
    assert not found.secret_values & {"", "au", "${env:PW}", "a:-b", "x"}, "a default in the manifest is no secret"
    assert schedule.origin.line == 8


def test_a_value_that_is_no_secret_stays_one_that_may_be_shown(tmp_path: Path) -> None:
    text = AGENT.replace("timeZone: UTC", "timeZone: ${env:ZONE}")
    found = desired(write(tmp_path, {"a.yaml": text}), {**ENVIRON, "ZONE": "Europe/Berlin"})
    assert found.resources[0].secrets == ()
    assert schedule_of(found.resources[0]).time_zone == "W. Europe Standard Time"
    assert zone_as_written(found.resources[0]) == "Europe/Berlin"
    assert "Europe/Berlin" not in found.secret_values


def test_a_secret_in_a_trigger_is_warned_about(tmp_path: Path) -> None:
    found = desired(
        write(tmp_path, {"t.yaml": TRIGGER + "  parameters: {key: '${env:PW}'}\n"}), {**ENVIRON, "PW": "pw"}
    )
    assert found.resources[0].secrets == ("parameters.key",)
    (problem,) = found.problems
    assert (problem.code, problem.severity, problem.line, problem.column) == (
        "secret-parameter",
        Severity.WARNING,
        6,
        21,
    )
    assert "pw" not in problem.message.split()


def test_an_undefined_variable_of_another_environment_is_no_matter(tmp_path: Path) -> None:
    project = (
        PROJECT + "  environments: {prod: {ledger: 'postgresql://u:${env:DB}@h/d', policy: {maxDeletes: '${env:N}'}}}\n"
    )
    root = write(tmp_path, {"a.yaml": AGENT}, project)
    desired(root)
    _, problems = check(root, environment="prod")
    assert [problem.code for problem in problems] == ["undefined-env", "undefined-env"]
    found = desired(root, {**ENVIRON, "DB": "p%40ss", "N": "5%"}, "prod")
    assert found.project.ledger == "postgresql://u:p%40ss@h/d"
    assert {"p%40ss", "p@ss"} <= found.secret_values
    assert found.project.policy.max_deletes == 0.05


# --- environments and connections ------------------------------------------------------------------------------------


def test_an_environment_is_merged_deeply_and_lists_are_replaced(tmp_path: Path) -> None:
    project = PROJECT + (
        "  variables: {zone: Australia/Sydney, level: low}\n"
        "  manifests: [manifests/*.yaml]\n"
        "  environments:\n"
        "    prod:\n"
        "      variables: {zone: Australia/Perth}\n"
        "      manifests: [prod/*.yaml]\n"
        "      connections: {mft: {url: 'http://127.0.0.1:8080/'}, acc: {rate: 600/m, timeout: 2m}}\n"
        "    empty:\n"
    )
    text = AGENT.replace("UTC", "${var:zone}\n      logLevel: ${var:level}") + "---\n" + TRIGGER
    root = write(tmp_path, {"a.yaml": text, "prod/b.yaml": text}, project)
    assert zone_as_written(desired(root).resources[0]) == "Australia/Sydney"
    assert desired(root, environment="empty").project.environment == "empty"
    found = desired(root, environment="prod")
    schedule = found.resources[0]
    assert (zone_as_written(schedule), schedule_of(schedule).log_level) == ("Australia/Perth", 1)
    assert schedule.origin.path == "prod/b.yaml"
    assert schedule.identity == owned_id("retail", "prod", "sequentum/Retail/prices", "nightly")
    assert found.project.connections["mft"].url == "http://127.0.0.1:8080"
    acc = found.project.connections["acc"]
    assert (acc.rate, acc.timeout, acc.settings) == (10.0, 120.0, {"token": "acc-secret"})


def test_a_mistake_in_an_environment_is_reported_where_it_stands(tmp_path: Path) -> None:
    project = PROJECT + "  environments:\n    prod:\n      ledger: ${env:LEDGER}\n      policy: {maxDeletes: -1}\n"
    _, problems = check(write(tmp_path, {"a.yaml": AGENT}, project), environment="prod")
    assert places(problems) == [
        ("reconciler.yaml", 10, 15, "undefined-env"),
        ("reconciler.yaml", 11, 28, "wrong-value"),
    ]


def test_an_environment_that_is_not_declared_is_wrong_usage(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.yaml": AGENT}, PROJECT + "  environments: {prod: {}, test: {}}\n")
    with pytest.raises(UsageError) as raised:
        check(root, environment="prdo")
    assert "did you mean prod?" in raised.value.hint
    assert "prod, test" in raised.value.hint
    assert desired(root, environment="default").project.environment == "default"


def test_the_environment_called_default_is_used_when_none_is_asked_for(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.yaml": AGENT}, PROJECT + "  environments: {default: {policy: {prune: never}}}\n")
    assert desired(root).project.policy.prune == "never"


def test_a_connection_is_needed_only_when_a_manifest_uses_it(tmp_path: Path) -> None:
    environ = {"ACC_TOKEN": "t"}
    root = write(tmp_path, {"a.yaml": AGENT})
    found = desired(root, environ)
    assert list(found.project.connections) == ["acc"]
    write(root, {"t.yaml": TRIGGER})
    _, problems = check(root, environ)
    assert {problem.code for problem in problems} == {"undefined-env"}
    assert len(problems) == 3
    assert manifests.check(root, None, environ, as_of=NOW, connections=False)[0] is not None
    project, secrets = manifests.load_project(root, None, environ)
    assert secrets == {"t"}
    assert project.connections["acc"].url == "https://acc.example.com"
    with pytest.raises(ManifestError):
        project.connections.get("mft")


def test_a_connection_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    project = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: x}\nspec: {}\n"
    _, problems = check(write(tmp_path, {"a.yaml": AGENT}, project))
    assert places(problems) == [("reconciler.yaml", 4, 7, "missing-connection")]


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.1.2.3", "http://[::1]:80", "https://x.example/acc/"])
def test_urls_that_are_fine(tmp_path: Path, url: str) -> None:
    found = desired(write(tmp_path, {"a.yaml": AGENT}, PROJECT.replace("https://acc.example.com", f"'{url}'")))
    assert found.project.connections["acc"].url == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1.example.com", "http://localhost.example", "https://", "acc", "https://x:99999"]
)
def test_urls_that_are_not(tmp_path: Path, url: str) -> None:
    found, _ = check(write(tmp_path, {"a.yaml": AGENT}, PROJECT.replace("https://acc.example.com", f"'{url}'")))
    assert found is None


def test_plain_http_can_be_allowed(tmp_path: Path) -> None:
    project = PROJECT.replace("https://acc.example.com", "http://acc.example.com, allowInsecure: true")
    assert desired(write(tmp_path, {"a.yaml": AGENT}, project)).project.connections["acc"].allow_insecure


@pytest.mark.parametrize(
    ("written", "most", "is_share"), [("30%", 0.3, True), ("5", 5.0, False), ("0", 0.0, False), ("100%", 1.0, True)]
)
def test_max_deletes_is_a_share_or_a_number(tmp_path: Path, written: str, most: float, is_share: bool) -> None:
    policy = desired(
        write(tmp_path, {"a.yaml": AGENT}, PROJECT + f"  policy: {{maxDeletes: {written}}}\n")
    ).project.policy
    assert (policy.max_deletes, policy.max_deletes_is_share) == (most, is_share)


def test_blackouts_have_one_form(tmp_path: Path) -> None:
    project = PROJECT + (
        "  blackouts:\n"
        "    - {name: holidays, from: 2026-12-24, to: 2026-12-27T06:00, timeZone: UTC, policy: block}\n"
        "    - {name: friday, cron: 0 0 22 * * FRI, duration: 8h, timeZone: UTC, only: ['schedule/prices/*']}\n"
    )
    assert desired(write(tmp_path, {"a.yaml": AGENT}, project)).project.blackouts == (
        Blackout("holidays", "UTC", blocks=True, period=(datetime(2026, 12, 24), datetime(2026, 12, 27, 6))),
        Blackout("friday", "UTC", only=("schedule/prices/*",), cron="0 0 22 * * FRI", duration_seconds=28800),
    )


def test_advice_on_timing_comes_as_warnings_at_the_schedule(tmp_path: Path) -> None:
    text = AGENT.replace("0 0 2 * * *", "0 30 2 * * *").replace("UTC", "Australia/Sydney")
    found = desired(write(tmp_path, {"a.yaml": text}))
    assert {(problem.line, problem.column, problem.address) for problem in found.problems} == {
        (9, 13, "schedule/prices/nightly")
    }
    assert {problem.code for problem in found.problems} == {"dst-skipped", "dst-repeated"}
    assert all(problem.severity is Severity.WARNING for problem in found.problems)


def test_addresses_and_agents_come_sorted(tmp_path: Path) -> None:
    files = {f"{name}.yaml": AGENT.replace("prices", name) for name in ("zeta", "alpha", "mid")}
    found = desired(write(tmp_path, files))
    assert [agent.handle for agent in found.agents] == ["alpha", "mid", "zeta"]
    addresses = [resource.address for resource in found.resources]
    assert addresses == sorted(addresses)
    assert isinstance(addresses[0], Address)


CRONS = st.builds(
    "{} {} {} {} {} {}".format,
    st.just(0),
    st.integers(0, 59),
    st.sampled_from(["1", "2", "*/2", "3", "*", "0,2"]),
    st.sampled_from(["*", "?", "1", "L", "29"]),
    st.sampled_from(["*", "3", "10-11"]),
    st.sampled_from(["*", "?", "SUN", "MON-FRI"]),
)


@settings(deadline=None)
@given(
    cron=CRONS | st.none(),
    every=st.sampled_from(["1d", "7d", "31d", "6h", "45m", "2000d"]),
    start=st.datetimes(datetime(1990, 1, 1), datetime(2028, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),
    zone=st.sampled_from(["Europe/Berlin", "Australia/Sydney", "UTC", "America/New_York", "Asia/Kolkata"]),
)
def test_advice_is_what_the_timetable_says(
    tmp_path_factory: pytest.TempPathFactory, cron: str | None, every: str, start: datetime, zone: str
) -> None:
    """However a start is made to look like others, so that advice is asked for once, the advice is the same."""
    timing = f'cron: "{cron}"' if cron else f"every: {every}"
    text = AGENT.replace('cron: "0 0 2 * * *"', timing).replace("2026-01-01T02:00:00", start.isoformat())
    found = desired(write(tmp_path_factory.mktemp("timing"), {"a.yaml": text.replace("UTC", zone)}))
    expression = timetable.parse(cron) if cron else timetable.parse_every(every)
    said = timetable.findings(timetable.Timing(expression, start, zone), NOW)
    assert {(problem.code, problem.message) for problem in found.problems} == set(said)
