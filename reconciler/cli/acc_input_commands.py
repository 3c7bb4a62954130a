"""`reconciler acc input`, by hand: upload, disable and delete the input files of agents."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.product_calls import add_for_all, agent_argument, client_and_id, form_option, recorded, show_done
from reconciler.errors import UsageError
from reconciler.model import Action


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
    from reconciler.clients.uploads import InputFile
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
