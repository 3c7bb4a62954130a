"""The options of a start in ACC: of an agent, and of its job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import as_one
from reconciler.cli.product_calls import parameters_of
from reconciler.errors import UsageError
from reconciler.product_terms import LOG_LEVELS

if TYPE_CHECKING:
    from reconciler.clients.acc_options import StartOptions

_LEVELS = {**LOG_LEVELS, **{str(number): number for number in LOG_LEVELS.values()}}


def _options(
    delete_input_files: bool | None,
    input_files: tuple[str, ...],
    params: tuple[str, ...],
    production: bool | None,
    log_level: str | None,
    session_id: str | None,
) -> StartOptions:
    from reconciler.clients.acc_options import StartOptions

    odd = [name for name in input_files if not name.lower().endswith((".csv", ".txt"))]
    if odd:
        raise UsageError(f"{odd[0]!r}: a run takes .csv and .txt.", hint="Of a zip file, name what is in it.")
    return StartOptions(
        session_id=session_id,
        log_level=None if log_level is None else _LEVELS[log_level],
        is_production_run=production,
        input_parameters=parameters_of(params),
        input_files=input_files or None,
        is_delete_input_files_on_completed=delete_input_files,
    )


start_options = as_one(
    "options",
    _options,
    click.option("--delete-input-files", is_flag=True, default=None, help="Delete them once the run succeeded."),
    click.option("--input-file", "input_files", multiple=True, metavar="NAME", help="An uploaded file to use."),
    click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="An input parameter. Repeatable."),
    click.option("--production/--no-production", default=None, help="Whether data and emails go out."),
    click.option("--log-level", type=click.Choice(list(_LEVELS)), help="How much is logged. Default: low."),
    click.option("--session-id", help="The session to start; the agent must support sessions."),
)
