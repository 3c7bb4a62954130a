"""Each switch changes what a client sees, and nothing else."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from emulated import AGENT_ID, OTHER_AGENT_ID, SCHEDULE_ID, Client, Clock, Start, schedule_body

from reconciler.emulator import Switches
from reconciler.emulator.switches import switch_lines
from reconciler.errors import UsageError

CALL = f"/api/job/{AGENT_ID}/schedule"


def put(acc: Client, **changes: Any) -> Any:
    reply = acc.post(CALL, json=schedule_body(**changes))
    assert reply.status_code == 200, reply.text
    return reply


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("lower", SCHEDULE_ID),
        ("upper", SCHEDULE_ID.upper()),
        ("braces", "{" + SCHEDULE_ID.upper() + "}"),
    ],
)
def test_guid_case(start: Start, value: str, shown: str) -> None:
    acc = start(switches=Switches(guid_case=value))
    assert acc.schedules()[0]["scheduleId"] == shown
    agent_id = acc.get("/api/agent?agentPath=sequentum/Test2/quick").json()["agentId"]
    assert acc.schedules(agent_id)[0]["scheduleId"] == shown


def test_guid_case_mixed(start: Start) -> None:
    shown = start(switches=Switches(guid_case="mixed")).schedules()[0]["scheduleId"]
    assert shown.lower() == SCHEDULE_ID
    assert shown not in (SCHEDULE_ID, SCHEDULE_ID.upper())


@pytest.mark.parametrize(("value", "key"), [("pascal", "ScheduleId"), ("lower", "scheduleid")])
def test_key_case(start: Start, value: str, key: str) -> None:
    assert start(switches=Switches(key_case=value)).schedules()[0][key] == SCHEDULE_ID


def test_fractions(start: Start) -> None:
    acc = start(switches=Switches(fractions="none"))
    acc.post(f"/api/job/schedule/{SCHEDULE_ID}/start")
    assert acc.schedules()[0]["lastRunTime"] == "2026-05-04T22:00:00+10:00"


@pytest.mark.parametrize(
    ("value", "shown"), [("fraction", "2019-05-30T15:36:00.0000000"), ("offset", "2019-05-30T15:36:00+10:00")]
)
def test_start_time_style(start: Start, value: str, shown: str) -> None:
    assert start(switches=Switches(start_time_style=value)).schedules()[0]["startTime"] == shown


@pytest.mark.parametrize(("value", "shown"), [("string", "True"), ("number", 1)])
def test_booleans(start: Start, value: str, shown: object) -> None:
    assert start(switches=Switches(booleans=value)).schedules()[0]["isEnabled"] == shown
    assert type(start(switches=Switches(booleans=value)).schedules()[0]["isEnabled"]) is type(shown)


@pytest.mark.parametrize(("value", "shown"), [("unknown", 90), ("text", "Waiting")])
def test_enumerations(start: Start, value: str, shown: object) -> None:
    assert start(switches=Switches(enumerations=value)).schedules()[0]["scheduleStatus"] == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("sorted", '{"a":"1","b":"2"}'),
        ("reversed", '{"a":"1","b":"2"}'),
        ("spaced", '{\n  "b": "2",\n  "a": "1"\n}'),
    ],
)
def test_reserialise_parameters(start: Start, value: str, shown: str) -> None:
    acc = start(switches=Switches(reserialise_parameters=value))
    put(acc, inputParameters='{"b":"2","a":"1"}')
    assert acc.schedules()[1]["inputParameters"] == shown


@pytest.mark.parametrize(("value", "shown"), [("null", None), ("blank", ""), ("braces", "{}")])
def test_empty_parameters(start: Start, value: str, shown: str | None) -> None:
    acc = start(switches=Switches(empty_parameters=value))
    put(acc, inputParameters="")
    assert [entry["inputParameters"] for entry in acc.schedules()] == [shown, shown]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("upper", "0 0 2 * * MON-FRI"), ("lower", "0 0 2 * * mon-fri"), ("spaced", "0  0  2  *  *  Mon-Fri ")],
)
def test_cron_style(start: Start, value: str, shown: str) -> None:
    acc = start(switches=Switches(cron_style=value))
    put(acc, cron="0 0 2 * * Mon-Fri")
    assert acc.schedules()[1]["cron"] == shown


@pytest.mark.parametrize("value", ["upper", "lower"])
def test_zone_case(start: Start, value: str) -> None:
    shown = start(switches=Switches(zone_case=value)).schedules()[0]["timeZoneId"]
    assert shown == getattr("AUS Eastern Standard Time", value)()


@pytest.mark.parametrize(("value", "shown"), [("shifted", "2026-05-05T16:36:00+10:00"), ("null", None)])
def test_next_run_time(start: Start, value: str, shown: str | None) -> None:
    assert start(switches=Switches(next_run_time=value)).schedules()[0]["nextRunTime"] == shown


def next_runs(acc: Client, clock: Clock, start: datetime, count: int) -> list[str]:
    """The next runs of the agent's second schedule, one after the other."""
    clock.now = start
    shown = []
    for _ in range(count):
        text = acc.schedules()[1]["nextRunTime"]
        shown.append(text)
        clock.now = datetime.fromisoformat(text).astimezone(UTC)
    return shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("either", ["2026-05-04T01:00:00+10:00", "2026-05-11T01:00:00+10:00", "2026-05-13T01:00:00+10:00"]),
        ("both", ["2026-07-13T01:00:00+10:00", "2027-09-13T01:00:00+10:00", "2027-12-13T01:00:00+11:00"]),
    ],
)
def test_both_day_fields(start: Start, clock: Clock, value: str, shown: list[str]) -> None:
    acc = start(switches=Switches(both_day_fields=value))
    put(acc, cron="0 0 1 13 * MON")
    assert next_runs(acc, clock, datetime(2026, 5, 1, tzinfo=UTC), 3) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("moved", ["2026-10-03T02:30:00+10:00", "2026-10-04T03:00:00+11:00", "2026-10-05T02:30:00+11:00"]),
        ("lost", ["2026-10-03T02:30:00+10:00", "2026-10-05T02:30:00+11:00", "2026-10-06T02:30:00+11:00"]),
    ],
)
def test_skipped_hour(start: Start, clock: Clock, value: str, shown: list[str]) -> None:
    acc = start(switches=Switches(skipped_hour=value))
    put(acc, cron="0 30 2 * * *")
    assert next_runs(acc, clock, datetime(2026, 10, 2, tzinfo=UTC), 3) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("once", ["2026-04-05T02:15:00+11:00", "2026-04-05T02:45:00+11:00", "2026-04-06T02:15:00+10:00"]),
        ("twice", ["2026-04-05T02:15:00+11:00", "2026-04-05T02:45:00+11:00", "2026-04-05T02:15:00+10:00"]),
        ("wildcards", ["2026-04-05T02:15:00+11:00", "2026-04-05T02:45:00+11:00", "2026-04-05T02:15:00+10:00"]),
    ],
)
def test_repeated_hour(start: Start, clock: Clock, value: str, shown: list[str]) -> None:
    acc = start(switches=Switches(repeated_hour=value))
    put(acc, cron="0 15/30 2 * * *")
    assert next_runs(acc, clock, datetime(2026, 4, 4, 12, tzinfo=UTC), 3) == shown


def test_wildcards_in_a_repeated_hour_leave_fixed_times_alone(start: Start, clock: Clock) -> None:
    acc = start(switches=Switches(repeated_hour="wildcards"))
    put(acc, cron="0 15,45 2 * * *")
    shown = ["2026-04-05T02:15:00+11:00", "2026-04-05T02:45:00+11:00", "2026-04-06T02:15:00+10:00"]
    assert next_runs(acc, clock, datetime(2026, 4, 4, 12, tzinfo=UTC), 3) == shown


@pytest.mark.parametrize(("value", "shown"), [("null", "null"), ("nothing", ""), ("list", "[]")])
def test_empty_list(start: Start, value: str, shown: str) -> None:
    acc = start(switches=Switches(empty_list=value))
    assert acc.get(f"/api/job/{OTHER_AGENT_ID}/schedules").text == shown


@pytest.mark.parametrize(("value", "status"), [("404", 404), ("403", 403), ("null", 200)])
def test_missing_agent(start: Start, value: str, status: int) -> None:
    reply = start(switches=Switches(missing_agent=value)).get("/api/agent?agentPath=nobody")
    assert reply.status_code == status
    if value == "null":
        assert reply.json() is None


def test_ignore_new_ids(start: Start) -> None:
    acc = start(switches=Switches(ignore_new_ids=True))
    put(acc)
    assert acc.schedules()[1]["scheduleId"] != schedule_body()["scheduleId"]
    put(acc, scheduleId=SCHEDULE_ID, logLevel=3)
    assert [entry["logLevel"] for entry in acc.schedules()] == [3, 1]


@pytest.mark.parametrize(("value", "enabled", "level"), [("keep", False, 3), ("reset", True, 1)])
def test_omitted(start: Start, value: str, enabled: bool, level: int) -> None:
    acc = start(switches=Switches(omitted=value))
    put(acc, isEnabled=False, logLevel=3)
    body = schedule_body(cron="0 0 6 0")
    del body["isEnabled"], body["logLevel"]
    assert acc.post(CALL, json=body).status_code == 200
    schedule = acc.schedules()[1]
    assert (schedule["cron"], schedule["isEnabled"], schedule["logLevel"]) == ("0 0 6 0", enabled, level)


def test_unknown_keys(start: Start) -> None:
    acc = start(switches=Switches(unknown_keys="ignore"))
    put(acc, cronDescription="Runs whenever it likes.")
    assert acc.schedules()[1]["cronDescription"] == "Runs every day at 11:21:20 AM (AET)."


@pytest.mark.parametrize(("value", "status"), [("accept", 200), ("refuse", 400)])
def test_several_units(start: Start, value: str, status: int) -> None:
    acc = start(switches=Switches(several_units=value))
    assert acc.post(CALL, json=schedule_body(cron="0 30 1 0")).status_code == status


def test_foreign_id(start: Start) -> None:
    other = f"/api/job/{OTHER_AGENT_ID}/schedule"
    body = schedule_body(scheduleId=SCHEDULE_ID)
    assert start(switches=Switches(foreign_id="400")).post(other, json=body).status_code == 400
    acc = start(switches=Switches(foreign_id="move"))
    assert acc.post(other, json=body).status_code == 200
    assert (acc.schedules(), acc.schedules(OTHER_AGENT_ID)[0]["scheduleId"]) == ([], SCHEDULE_ID)


def test_post_reply(start: Start) -> None:
    assert put(start()).content == b""
    assert put(start(switches=Switches(post_reply="id"))).json() == schedule_body()["scheduleId"]
    assert put(start(switches=Switches(post_reply="object"))).json() == schedule_body()


def test_silently_ignore_writes(start: Start) -> None:
    acc = start(switches=Switches(silently_ignore_writes=True))
    put(acc)
    for path in (f"/api/job/schedule/{SCHEDULE_ID}/off", f"/api/job/{AGENT_ID}/schedules/off"):
        assert acc.post(path).status_code == 200
    for path in (f"/api/job/schedule/{SCHEDULE_ID}", f"/api/job/{AGENT_ID}/schedules"):
        assert acc.delete(path).status_code == 200
    (schedule,) = acc.schedules()
    assert schedule["isEnabled"] is True


@pytest.mark.parametrize(
    ("value", "field", "shown"),
    [
        ("lower-parameters", "inputParameters", '{"region":"au"}'),
        ("drop-parameters", "inputParameters", "{}"),
        ("truncate-session", "sessionId", "1-"),
        ("log-level", "logLevel", 0),
        ("drop-seconds", "startTime", "2019-07-16T11:21:00"),
    ],
)
def test_mangle_field(start: Start, value: str, field: str, shown: object) -> None:
    acc = start(switches=Switches(mangle_field=value))
    put(acc, inputParameters='{"Region":"AU"}', sessionId="1-5/5")
    assert acc.schedules()[1][field] == shown


def test_roll_start_time(start: Start, clock: Clock) -> None:
    acc = start(switches=Switches(roll_start_time=True))
    put(acc, cron="0 0 2 * * *")
    shown = [(entry["startTime"], entry["nextRunTime"]) for entry in acc.schedules()]
    assert shown[0] == ("2026-05-05T15:36:00", "2026-05-05T15:36:00+10:00")
    assert shown[1][0] == "2019-07-16T11:21:20"
    clock.advance(86400)
    assert acc.schedules()[0]["startTime"] == "2026-05-06T15:36:00"


def test_delete_unknown(start: Start) -> None:
    acc = start(switches=Switches(delete_unknown="200"))
    path = f"/api/job/schedule/{schedule_body()['scheduleId']}"
    assert [acc.delete(path).status_code, acc.post(f"{path}/on").status_code] == [200, 200]


def test_busy_job(start: Start) -> None:
    acc = start(switches=Switches(busy_job="400"))
    assert [acc.post(f"/api/job/{AGENT_ID}/start").status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(("value", "status"), [("401", 401), ("403", 403), ("redirect", 302), ("html", 200)])
def test_unauthorised(start: Start, value: str, status: int) -> None:
    acc = start(switches=Switches(unauthorised=value))
    reply = acc.get("/api/agent?agentPath=x", headers={"Authorization": "Bearer no"})
    assert reply.status_code == status
    assert ("Sign in" in reply.text) is (value == "html")


@pytest.mark.parametrize(
    ("value", "kind"), [("json", "application/json"), ("text", "text/plain"), ("html", "text/html"), ("empty", "")]
)
def test_error_body(start: Start, value: str, kind: str) -> None:
    reply = start(switches=Switches(error_body=value)).get("/api/agent?agentPath=nobody")
    assert reply.status_code == 404
    if value == "empty":
        assert reply.content == b""
    else:
        assert reply.headers["Content-Type"].startswith(kind)
        assert reply.content
    if value == "json":
        assert json.loads(reply.content)["message"] == "There is no agent nobody"


def test_switches_are_read_from_their_text() -> None:
    read = Switches.parse(["guid-case=upper", "ignore_new_ids", "roll_start_time=no", "upload_enables=no"])
    assert read == Switches(guid_case="upper", ignore_new_ids=True, upload_enables=False)
    for wrong in ("no_such=1", "guid_case=sideways", "ignore_new_ids=perhaps"):
        with pytest.raises(UsageError):
            Switches.parse([wrong])


def test_each_switch_says_what_it_can_be() -> None:
    assert len(switch_lines()) == len(fields(Switches))
    assert all(meaning for _, meaning in switch_lines())
    defaults = Switches()
    for entry in fields(Switches):
        first = entry.metadata["choices"][0]
        assert getattr(defaults, entry.name) == {"yes": True, "no": False}.get(first, first)
