"""`reconciler acc schedule`, by hand: list, write, start, switch and delete job schedules."""

from __future__ import annotations

import json
from typing import TextIO

import click

from reconciler.cli.agent_argument import agent_argument, client_and_id
from reconciler.cli.product_calls import (
    acc_client,
    ask,
    form_option,
    show,
    show_done,
    show_reply,
    starting,
    yes_option,
)
from reconciler.errors import UsageError
from reconciler.files import VALUE_BYTES
from reconciler.quantities import size_text

_COLUMNS = ("scheduleId", "cron", "startTime", "timeZoneId", "isEnabled", "scheduleStatus", "nextRunTime")
_id_argument = click.argument("schedule_id", metavar="SCHEDULE_ID")


@click.group()
def schedule() -> None:
    """List, write, start, switch and delete job schedules."""


@schedule.command("list")
@agent_argument
@form_option
def schedule_list(agent: str, form: str) -> None:
    """List all schedules of an agent's job."""
    with client_and_id(agent) as (client, agent_id):
        found = client.job_schedules(agent_id)
        rows = [
            {**each.raw, "scheduleStatus": each.schedule_status, "isEnabled": each.is_enabled}
            if form == "text"
            else each.raw
            for each in found
        ]
        show(rows, form=form, columns=_COLUMNS)


@schedule.command("put")
@agent_argument
@click.argument("file", type=click.File("r", encoding="utf-8"))
@yes_option
@form_option
def schedule_put(agent: str, file: TextIO, yes: bool, form: str) -> None:
    """Add a schedule, or overwrite the one with the same scheduleId.

    FILE holds the nine keys of the documented call as JSON; - is stdin. inputParameters may be an object.
    """
    text = file.read(VALUE_BYTES + 1)
    if len(text) > VALUE_BYTES:
        raise UsageError(f"{file.name} is larger than {size_text(VALUE_BYTES)}, the most that is read.")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file.name} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise UsageError(f"{file.name} holds no object.")
    with client_and_id(agent) as (client, agent_id):
        ask(f"Write schedule {body.get('scheduleId')} of {agent}?", yes=yes)
        reply = client.put_schedule(agent_id, body, once=True)
        show_reply(reply, f"wrote {body['scheduleId']}", form=form, agentId=agent_id, scheduleId=body["scheduleId"])


@schedule.command("start")
@_id_argument
@form_option
def schedule_start(schedule_id: str, form: str) -> None:
    """Run one schedule now."""
    with acc_client() as client, starting():
        reply = client.start_schedule(schedule_id)
        show_reply(reply, f"started {schedule_id}", form=form, scheduleId=schedule_id)


@schedule.command("enable")
@_id_argument
@form_option
def schedule_enable(schedule_id: str, form: str) -> None:
    """Switch one schedule on."""
    with acc_client() as client:
        client.enable_schedule(schedule_id)
        show_done(f"enabled {schedule_id}", form=form, scheduleId=schedule_id)


@schedule.command("disable")
@_id_argument
@form_option
def schedule_disable(schedule_id: str, form: str) -> None:
    """Switch one schedule off."""
    with acc_client() as client:
        client.disable_schedule(schedule_id)
        show_done(f"disabled {schedule_id}", form=form, scheduleId=schedule_id)


@schedule.command("delete")
@_id_argument
@yes_option
@form_option
def schedule_delete(schedule_id: str, yes: bool, form: str) -> None:
    """Delete one schedule, whoever made it."""
    with acc_client() as client:
        ask(f"Delete schedule {schedule_id}?", yes=yes)
        client.delete_schedule(schedule_id)
        show_done(f"deleted {schedule_id}", form=form, scheduleId=schedule_id)


@schedule.command("enable-all")
@agent_argument
@yes_option
@form_option
def schedule_enable_all(agent: str, yes: bool, form: str) -> None:
    """Switch ALL schedules of an agent on, whoever made them."""
    with client_and_id(agent) as (client, agent_id):
        ask(f"Enable ALL schedules of {agent}, whoever made them?", yes=yes)
        client.enable_all_schedules(agent_id)
        show_done(f"enabled all schedules of {agent}", form=form, agentId=agent_id)


@schedule.command("disable-all")
@agent_argument
@yes_option
@form_option
def schedule_disable_all(agent: str, yes: bool, form: str) -> None:
    """Switch ALL schedules of an agent off, whoever made them."""
    with client_and_id(agent) as (client, agent_id):
        ask(f"Disable ALL schedules of {agent}, whoever made them?", yes=yes)
        client.disable_all_schedules(agent_id)
        show_done(f"disabled all schedules of {agent}", form=form, agentId=agent_id)


@schedule.command("delete-all")
@agent_argument
@yes_option
@form_option
def schedule_delete_all(agent: str, yes: bool, form: str) -> None:
    """Delete ALL schedules of an agent, whoever made them."""
    with client_and_id(agent) as (client, agent_id):
        ask(f"Delete ALL schedules of {agent}, whoever made them?", yes=yes)
        client.delete_all_schedules(agent_id)
        show_done(f"deleted all schedules of {agent}", form=form, agentId=agent_id)
