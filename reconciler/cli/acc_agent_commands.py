"""`reconciler acc agent` and `reconciler acc input`, by hand: agents, their approval, starts and input files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from reconciler.cli.acc_run_commands import start_options
from reconciler.cli.product_calls import (
    acc_client,
    add_for_all,
    agent_argument,
    agent_id_of,
    ask,
    client_and_id,
    form_option,
    is_id,
    recorded,
    recorded_start,
    save,
    show,
    show_done,
    starting,
    yes_option,
)
from reconciler.errors import UsageError
from reconciler.model.copies import replace
from reconciler.model.plan import Action

if TYPE_CHECKING:
    from reconciler.clients.acc_options import StartOptions


def _not_blank(context: click.Context, parameter: click.Parameter, message: str) -> str:
    if not message.strip():
        raise click.BadParameter("the message is empty, and the file log would say nothing")
    return message


_message_option = click.option(
    "-m", "--message", required=True, callback=_not_blank, help="What the file log will say about it."
)


@click.group()
def agent() -> None:
    """Show, approve, disapprove and start agents."""


@agent.command("show")
@click.argument("path", metavar="PATH")
@form_option
def agent_show(path: str, form: str) -> None:
    """Show the id, name, folder and description of the agent at PATH."""
    with acc_client() as client:
        show(client.get_agent(path).raw, form=form)


@agent.command("approve")
@agent_argument
@_message_option
@form_option
def agent_approve(agent: str, message: str, form: str) -> None:
    """Approve an agent, with a message for the file log."""
    from reconciler.workflow.by_hand import decided

    with client_and_id(agent) as (client, agent_id):
        with recorded(decided("approved"), agent, agent_id):
            client.approve(agent_id, message)
        show_done(f"approved {agent}", form=form, agentId=agent_id)


@agent.command("disapprove")
@agent_argument
@_message_option
@yes_option
@form_option
def agent_disapprove(agent: str, message: str, yes: bool, form: str) -> None:
    """Take an agent's approval away, with a message for the file log."""
    from reconciler.workflow.by_hand import decided

    with client_and_id(agent) as (client, agent_id):
        ask(f"Disapprove {agent}?", yes=yes)
        with recorded(decided("disapproved"), agent, agent_id):
            client.disapprove(agent_id, message)
        show_done(f"disapproved {agent}", form=form, agentId=agent_id)


@agent.command("start")
@agent_argument
@start_options
@click.option("--multiple-sessions", is_flag=True, default=None, help="Start new sessions on its own.")
@click.option("--synchronous", is_flag=True, default=None, help="Wait until the run has ended.")
@click.option("--timeout", type=click.IntRange(1), help="Seconds a synchronous run may take. Default: 60.")
@click.option("--deliver", type=click.Choice(["plain", "zip"]), help="Wait, and fetch what was extracted (with -o).")
@click.option("-o", "--output", "target", metavar="FILE", help="Where to write what was extracted; - is stdout.")
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@form_option
def agent_start(
    agent: str,
    options: StartOptions,
    multiple_sessions: bool | None,
    synchronous: bool | None,
    timeout: int | None,
    deliver: str | None,
    target: str | None,
    force: bool,
    form: str,
) -> None:
    """Start an agent on the cluster where it is deployed, and show the ids of its runs."""
    from reconciler.clients.acc_options import Delivery

    if (deliver is None) != (target is None):
        raise UsageError("--deliver and -o belong together.")
    if multiple_sessions and options.session_id:
        raise UsageError("--session-id and --multiple-sessions exclude each other.")
    if timeout is not None and not synchronous and deliver is None:
        raise UsageError(
            "--timeout is for a run that is waited for.", hint="--synchronous waits, and so does --deliver."
        )
    options = replace(
        options, use_multiple_sessions=multiple_sessions, is_synchronous=synchronous, synchronous_timeout=timeout
    )
    deletes = options.is_delete_input_files_on_completed
    with acc_client() as client, starting():
        if deliver is not None and target is not None:
            agent_id, delivery = agent_id_of(client, agent), Delivery(deliver.capitalize())

            def fetch(sink: BinaryIO) -> int:
                with recorded_start(agent, agent_id, deletes=deletes):
                    return client.run_agent_for_data(agent_id, delivery, options, sink)

            save(target, fetch, force=force)
            return
        # The path may be another way to write that of an agent which the ledger knows.
        agent_id = agent_id_of(client, agent) if deletes else ""
        with recorded_start(agent, agent_id, deletes=deletes):
            started = client.start_agent(agent, options) if is_id(agent) else client.start_agent_at(agent, options)
        show(started.raw, form=form)


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
    from reconciler.clients.calls import InputFile
    from reconciler.kinds import input_file_checks
    from reconciler.workflow.by_hand import uploaded

    if name is not None and len(files) > 1:
        raise UsageError("--name is for one file.")
    named = [InputFile(name or path.name, path) for path in files]
    for file in named:
        if complaint := input_file_checks.complaint(file.name, file.path):
            raise UsageError(f"{file.path}: {complaint}.")
    with client_and_id(agent) as (client, agent_id):
        sheets = [] if multipart else [file for file in named if file.name.endswith(".csv")]
        others = [file for file in named if file not in sheets]
        with recorded(uploaded({file.name: file.path for file in named}), agent, agent_id):
            for file in sheets:
                client.put_input_csv(agent_id, file)
            if others:
                client.upload_input_files(agent_id, others)
        names = [file.name for file in named]
        show_done(f"uploaded {', '.join(names)}", form=form, agentId=agent_id, files=names)


add_for_all(
    input_,
    "disable",
    "Disable ALL input files of an agent. Only uploading them again brings them back.",
    lambda client: client.disable_input_files,
    things="input files",
    action=Action.DISABLE,
)
add_for_all(
    input_,
    "delete",
    "Delete ALL input files of an agent.",
    lambda client: client.delete_input_files,
    things="input files",
    action=Action.DELETE,
)
