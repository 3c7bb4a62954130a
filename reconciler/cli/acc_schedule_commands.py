"""`reconciler acc schedule` and `reconciler acc input`, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from reconciler.cli.agent_argument import agent_argument, agent_id_of, path_of
from reconciler.cli.product_calls import (
    acc_client,
    confirm,
    form_option,
    recorded,
    show,
    show_done,
    show_reply,
    starting,
    yes_option,
)
from reconciler.errors import UsageError
from reconciler.files import VALUE_BYTES
from reconciler.model import Action
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
    with acc_client() as client:
        found = client.job_schedules(agent_id_of(client, agent))
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
def schedule_put(agent: str, file: Any, yes: bool, form: str) -> int:
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
    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        if not confirm(f"Write schedule {body.get('scheduleId')} of {agent}?", yes=yes):
            return 1
        reply = client.put_schedule(agent_id, body, once=True)
        show_reply(reply, f"wrote {body['scheduleId']}", form=form, agentId=agent_id, scheduleId=body["scheduleId"])
        return 0


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
def schedule_delete(schedule_id: str, yes: bool, form: str) -> int:
    """Delete one schedule, whoever made it."""
    with acc_client() as client:
        if not confirm(f"Delete schedule {schedule_id}?", yes=yes):
            return 1
        client.delete_schedule(schedule_id)
        show_done(f"deleted {schedule_id}", form=form, scheduleId=schedule_id)
        return 0


@schedule.command("enable-all")
@agent_argument
@yes_option
@form_option
def schedule_enable_all(agent: str, yes: bool, form: str) -> int:
    """Switch ALL schedules of an agent on, whoever made them."""
    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        if not confirm(f"Enable ALL schedules of {agent}, whoever made them?", yes=yes):
            return 1
        client.enable_all_schedules(agent_id)
        show_done(f"enabled all schedules of {agent}", form=form, agentId=agent_id)
        return 0


@schedule.command("disable-all")
@agent_argument
@yes_option
@form_option
def schedule_disable_all(agent: str, yes: bool, form: str) -> int:
    """Switch ALL schedules of an agent off, whoever made them."""
    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        if not confirm(f"Disable ALL schedules of {agent}, whoever made them?", yes=yes):
            return 1
        client.disable_all_schedules(agent_id)
        show_done(f"disabled all schedules of {agent}", form=form, agentId=agent_id)
        return 0


@schedule.command("delete-all")
@agent_argument
@yes_option
@form_option
def schedule_delete_all(agent: str, yes: bool, form: str) -> int:
    """Delete ALL schedules of an agent, whoever made them."""
    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        if not confirm(f"Delete ALL schedules of {agent}, whoever made them?", yes=yes):
            return 1
        client.delete_all_schedules(agent_id)
        show_done(f"deleted all schedules of {agent}", form=form, agentId=agent_id)
        return 0


# --- input files -----------------------------------------------------------------------------------------------------


@click.group("input")
def input_() -> None:
    """Upload, disable and delete the input files of agents."""


@input_.command("upload")
@agent_argument
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--name", help="The name it gets there; for one file. Default: its own.")
@click.option("--multipart", is_flag=True, help="Send .csv as multipart/form-data too, in one request with the rest.")
@form_option
def input_upload(agent: str, files: tuple[Path, ...], name: str | None, multipart: bool, form: str) -> None:
    """Upload input files: .csv, .txt or .zip. A file of the same name is replaced.

    A .csv goes as plain content under its name, one call each; with --multipart all go together, or none.
    """
    from reconciler.clients.acc import InputFile
    from reconciler.manifests import input_file_checks
    from reconciler.workflow.by_hand import Upload

    if name is not None and len(files) > 1:
        raise UsageError("--name is for one file.")
    named = [InputFile(name or path.name, path) for path in files]
    for file in named:
        if complaint := input_file_checks.complaint(file.name, file.path):
            raise UsageError(f"{file.path}: {complaint}.")
    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        sheets = [] if multipart else [file for file in named if file.name.endswith(".csv")]
        others = [file for file in named if file not in sheets]
        effect = Upload({file.name: file.path for file in named})
        with recorded(effect, path=path_of(agent), agent_id=agent_id):
            for file in sheets:
                client.put_input_csv(agent_id, file)
            if others:
                client.upload_input_files(agent_id, others)
        names = [file.name for file in named]
        show_done(f"uploaded {', '.join(names)}", form=form, agentId=agent_id, files=names)


@input_.command("disable")
@agent_argument
@yes_option
@form_option
def input_disable(agent: str, yes: bool, form: str) -> int:
    """Disable ALL input files of an agent. Only uploading them again brings them back."""
    from reconciler.workflow.by_hand import NoFiles

    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        if not confirm(f"Disable ALL input files of {agent}?", yes=yes):
            return 1
        with recorded(NoFiles(Action.DISABLE), path=path_of(agent), agent_id=agent_id):
            client.disable_input_files(agent_id)
        show_done(f"disabled all input files of {agent}", form=form, agentId=agent_id)
        return 0


@input_.command("delete")
@agent_argument
@yes_option
@form_option
def input_delete(agent: str, yes: bool, form: str) -> int:
    """Delete ALL input files of an agent."""
    from reconciler.workflow.by_hand import NoFiles

    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        if not confirm(f"Delete ALL input files of {agent}?", yes=yes):
            return 1
        with recorded(NoFiles(Action.DELETE), path=path_of(agent), agent_id=agent_id):
            client.delete_input_files(agent_id)
        show_done(f"deleted all input files of {agent}", form=form, agentId=agent_id)
        return 0
