"""`reconciler acc schedule`, by hand: list, write, start, switch and delete job schedules."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

import click

from reconciler.cli.product_calls import (
    acc_client,
    add_for_all,
    agent_argument,
    ask,
    client_and_id,
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

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient

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


def _add_switch(name: str, help_text: str, call: Callable[[AccClient], Callable[[str], object]]) -> None:
    @schedule.command(name, help=help_text)
    @_id_argument
    @form_option
    def command(schedule_id: str, form: str) -> None:
        with acc_client() as client:
            call(client)(schedule_id)
            show_done(f"{name}d {schedule_id}", form=form, scheduleId=schedule_id)


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


def _add_for_all(name: str, help_text: str, call: Callable[[AccClient], Callable[[str], object]]) -> None:
    add_for_all(
        schedule, name, f"{help_text}, whoever made them.", call, things="schedules", more=", whoever made them"
    )


_add_switch("enable", "Switch one schedule on.", lambda client: client.enable_schedule)
_add_switch("disable", "Switch one schedule off.", lambda client: client.disable_schedule)
_add_for_all("enable-all", "Switch ALL schedules of an agent on", lambda client: client.enable_all_schedules)
_add_for_all("disable-all", "Switch ALL schedules of an agent off", lambda client: client.disable_all_schedules)
_add_for_all("delete-all", "Delete ALL schedules of an agent", lambda client: client.delete_all_schedules)
