"""The schedule calls: what is accepted, what is refused, and what is read back."""

from __future__ import annotations

from typing import Any

import pytest
from emulated import AGENT_ID, OTHER_AGENT_ID, PATH, SCHEDULE_ID, Client, Clock, Start, schedule_body

NEW_ID = "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95"
CALL = f"/api/job/{AGENT_ID}/schedule"


def test_a_listing_has_every_documented_field(acc: Client) -> None:
    (schedule,) = acc.schedules()
    assert schedule == {
        "scheduleId": SCHEDULE_ID,
        "agentId": AGENT_ID,
        "cron": "0 0 0 1",
        "cronDescription": "Runs every day at 3:36:00 PM (AET).",
        "sessionId": None,
        "startTime": "2019-05-30T15:36:00",
        "timeZoneId": "AUS Eastern Standard Time",
        "nextRunTime": "2026-05-05T15:36:00+10:00",
        "inputParameters": "{}",
        "logLevel": 1,
        "isWindowless": True,
        "errorMessage": None,
        "scheduleStatus": 0,
        "lastRunTime": None,
        "completedTime": None,
        "isEnabled": True,
    }


def test_the_next_run_moves_with_the_clock(acc: Client, clock: Clock) -> None:
    assert acc.schedules()[0]["nextRunTime"] == "2026-05-05T15:36:00+10:00"
    clock.advance(86400)
    assert acc.schedules()[0]["nextRunTime"] == "2026-05-06T15:36:00+10:00"


def test_a_disabled_schedule_has_no_next_run(acc: Client) -> None:
    acc.post(f"/api/job/schedule/{SCHEDULE_ID}/off")
    assert acc.schedules()[0]["nextRunTime"] is None


def test_an_unseen_id_is_added_and_a_known_one_updated(acc: Client) -> None:
    assert acc.post(CALL, json=schedule_body()).status_code == 200
    assert acc.post(CALL, json=schedule_body(cron="0 0 2 * * MON-FRI", isEnabled=False)).status_code == 200
    _, schedule = acc.schedules()
    assert (schedule["cron"], schedule["isEnabled"]) == ("0 0 2 * * MON-FRI", False)
    assert [request.effect for request in acc.emulator.requests][:2] == ["schedule-created", "schedule-updated"]


def test_ids_are_found_in_any_spelling(acc: Client) -> None:
    acc.post(CALL, json=schedule_body())
    acc.post(CALL, json=schedule_body(scheduleId="{" + NEW_ID.upper() + "}", logLevel=3))
    assert [entry["logLevel"] for entry in acc.schedules()] == [1, 3]
    assert acc.delete(f"/api/job/schedule/{NEW_ID.upper()}").status_code == 200
    assert len(acc.schedules()) == 1


def test_what_is_optional_may_be_left_out(acc: Client) -> None:
    body = schedule_body()
    for name in ("sessionId", "inputParameters", "logLevel"):
        del body[name]
    assert acc.post(CALL, json=body).status_code == 200
    schedule = acc.schedules()[1]
    assert (schedule["sessionId"], schedule["inputParameters"], schedule["logLevel"]) == (None, "{}", 1)


@pytest.mark.parametrize("name", ["scheduleId", "cron", "startTime", "timeZoneId", "isWindowless", "isEnabled"])
def test_what_is_required_must_be_there(acc: Client, name: str) -> None:
    body = schedule_body()
    del body[name]
    assert acc.post(CALL, json=body).status_code == 400
    assert len(acc.schedules()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scheduleId", "not-a-guid"),
        ("scheduleId", None),
        ("cron", "0 0 2 * *"),
        ("cron", "@daily"),
        ("cron", "0 0 0 0"),
        ("cron", "0 0 25 * * *"),
        ("cron", 5),
        ("startTime", "2019-07-16"),
        ("startTime", "2019-07-16T11:21:20Z"),
        ("startTime", "2019-02-30T11:21:20"),
        ("timeZoneId", "Australia/Sydney"),
        ("timeZoneId", ""),
        ("timeZoneId", None),
        ("sessionId", 4),
        ("inputParameters", {"a": "b"}),
        ("inputParameters", "[1]"),
        ("inputParameters", '{"a": 1}'),
        ("inputParameters", "{"),
        ("logLevel", 4),
        ("logLevel", "1"),
        ("logLevel", True),
        ("isWindowless", "true"),
        ("isEnabled", 1),
        ("isEnabled", None),
        ("description", "schedules have none"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(acc: Client, name: str, value: Any) -> None:
    reply = acc.post(CALL, json=schedule_body(**{name: value}))
    assert reply.status_code == 400
    assert reply.json()["message"]
    assert len(acc.schedules()) == 1


@pytest.mark.parametrize("cron", ["0 0/15 * ? * *", "0 0 1 LW * ?", "0 0 1 ? * 5#3", "30 0 0 0", "0 0 2 15W * *"])
def test_both_languages_of_cron_are_accepted(acc: Client, cron: str) -> None:
    assert acc.post(CALL, json=schedule_body(cron=cron)).status_code == 200
    schedule = acc.schedules()[1]
    assert schedule["cron"] == cron
    assert schedule["nextRunTime"]


@pytest.mark.parametrize("value", [None, "", "{}", '{"a":"b"}'])
def test_parameters_come_back_as_they_were_sent(acc: Client, value: str | None) -> None:
    acc.post(CALL, json=schedule_body(inputParameters=value))
    assert acc.schedules()[1]["inputParameters"] == value


def test_a_body_must_be_json_and_say_so(acc: Client) -> None:
    assert acc.post(CALL, data=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert acc.post(CALL, data=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert acc.post(CALL, data=b"[]", headers={"Content-Type": "application/json"}).status_code == 400


def test_an_id_of_another_agent_is_refused(acc: Client) -> None:
    reply = acc.post(f"/api/job/{OTHER_AGENT_ID}/schedule", json=schedule_body(scheduleId=SCHEDULE_ID))
    assert reply.status_code == 409
    assert acc.schedules()[0]["cron"] == "0 0 0 1"
    assert acc.schedules(OTHER_AGENT_ID) == []


def test_one_or_all_are_deleted(acc: Client) -> None:
    acc.post(CALL, json=schedule_body())
    assert acc.delete(f"/api/job/schedule/{SCHEDULE_ID}").status_code == 200
    assert [entry["scheduleId"] for entry in acc.schedules()] == [NEW_ID]
    assert acc.delete(f"/api/job/schedule/{SCHEDULE_ID}").status_code == 404
    assert acc.delete(f"/api/job/{AGENT_ID}/schedules").status_code == 200
    assert acc.schedules() == []


@pytest.mark.parametrize("path", [f"/api/job/{AGENT_ID}/schedules/on", f"/api/job/{AGENT_ID}schedules/on"])
def test_all_are_enabled_with_and_without_the_missing_slash(acc: Client, path: str) -> None:
    acc.post(f"/api/job/{AGENT_ID}/schedules/off")
    assert acc.schedules()[0]["isEnabled"] is False
    assert acc.post(path).status_code == 200
    assert acc.schedules()[0]["isEnabled"] is True


def test_a_started_schedule_shows_its_run(acc: Client, clock: Clock) -> None:
    assert acc.post(f"/api/job/schedule/{SCHEDULE_ID}/start").status_code == 200
    assert acc.schedules()[0]["scheduleStatus"] == 1
    assert acc.schedules()[0]["lastRunTime"] == "2026-05-04T22:00:00.0000000+10:00"
    assert acc.post(f"/api/job/schedule/{SCHEDULE_ID}/start").status_code == 409
    clock.advance(11)
    schedule = acc.schedules()[0]
    assert schedule["scheduleStatus"] == 2
    assert schedule["completedTime"] == "2026-05-04T22:00:10.0000000+10:00"
    (run,) = acc.get(f"/api/agent/{AGENT_ID}/history").json()
    assert run["agentJobScheduleId"] == SCHEDULE_ID


def test_a_failed_run_is_shown_on_the_schedule(acc: Client, clock: Clock) -> None:
    from reconciler.emulator.acc_state import RunStatus

    acc.emulator.estate.agents[PATH].outcomes = (RunStatus.FAILED,)
    acc.post(f"/api/job/schedule/{SCHEDULE_ID}/start")
    clock.advance(11)
    schedule = acc.schedules()[0]
    assert schedule["scheduleStatus"] == 3
    assert schedule["errorMessage"]


@pytest.mark.parametrize("word", ["on", "off", "start"])
def test_an_unknown_schedule_is_404(acc: Client, word: str) -> None:
    assert acc.post(f"/api/job/schedule/{NEW_ID}/{word}").status_code == 404


def test_a_field_that_is_set_in_the_estate_is_read_at_once(acc: Client) -> None:
    acc.schedules()
    acc.emulator.estate.schedule(SCHEDULE_ID).cron = "0 0 6 0"
    assert acc.schedules()[0]["cron"] == "0 0 6 0"


def test_a_listing_of_an_unknown_agent_is_404(acc: Client) -> None:
    assert acc.get(f"/api/job/{NEW_ID}/schedules").status_code == 404


def test_schedules_that_fire_run_when_they_are_due(start: Start, clock: Clock) -> None:
    from reconciler.emulator import Switches

    acc = start(switches=Switches(schedules_fire=True))
    acc.schedules()
    assert acc.get(f"/api/agent/{AGENT_ID}/history").json() == []
    clock.advance(3 * 86400)
    history = acc.get(f"/api/agent/{AGENT_ID}/history").json()
    assert [run["startTime"][:19] for run in history] == [
        "2026-05-07T15:36:00",
        "2026-05-06T15:36:00",
        "2026-05-05T15:36:00",
    ]
    assert acc.schedules()[0]["lastRunTime"] == "2026-05-07T15:36:00.0000000+10:00"
