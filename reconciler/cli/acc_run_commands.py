"""`reconciler acc run` and `reconciler acc job`, by hand: runs of agents and of jobs, their logs and their data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

import click

from reconciler.cli.options import as_one
from reconciler.cli.product_calls import (
    acc_client,
    agent_argument,
    ask,
    client_and_id,
    count_option,
    form_option,
    output_options,
    parameters_of,
    recorded_start,
    save,
    show,
    show_done,
    show_reply,
    starting,
    yes_option,
)
from reconciler.clients.acc_options import JobStatus, RunMethod, StartOptions
from reconciler.errors import UsageError
from reconciler.product_terms import LOG_LEVELS

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient
    from reconciler.clients.replies import AgentRun, JobRun
    from reconciler.model.state import JSON

_STATUSES = {status.lower().replace(" ", "-"): status for status in JobStatus}
_RUN_COLUMNS = ("agentRunHistoryId", "startTime", "endTime", "status", "errors", "statusMessage")
_JOB_COLUMNS = ("agentJobHistoryId", "runId", "startTime", "endTime", "status", "totalErrors")


_LEVELS = {**LOG_LEVELS, **{str(number): number for number in LOG_LEVELS.values()}}


def _options(
    delete_input_files: bool | None,
    input_files: tuple[str, ...],
    params: tuple[str, ...],
    production: bool | None,
    log_level: str | None,
    session_id: str | None,
) -> StartOptions:

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


@click.group()
def run() -> None:
    """Show, restart and retry agent runs; fetch their logs and data."""


@run.command("restart")
@click.argument("run_id", metavar="RUN_ID")
@form_option
def run_restart(run_id: str, form: str) -> None:
    """Start a run anew."""
    with acc_client() as client, starting():
        reply = client.restart_run(run_id)
        show_reply(reply, f"restarted {run_id}", form=form, agentRunHistoryId=run_id)


@run.command("retry")
@click.argument("run_id", metavar="RUN_ID")
@click.option(
    "--method",
    type=click.Choice([method.value for method in RunMethod]),
    default=RunMethod.CONTINUE_AND_RETRY_ERRORS_REFRESH_AGENT.value,
    show_default=True,
    metavar="METHOD",
    help=f"One of {', '.join(RunMethod)}.",
)
@form_option
def run_retry(run_id: str, method: str, form: str) -> None:
    """Retry the errors of a run."""
    with acc_client() as client, starting():
        reply = client.retry_run(run_id, RunMethod(method))
        show_reply(reply, f"retried {run_id}: {method}", form=form, agentRunHistoryId=run_id)


@click.group()
def job() -> None:
    """Start jobs and look at their runs; fetch their logs and data."""


@job.command("start")
@agent_argument
@start_options
@form_option
def job_start(agent: str, options: StartOptions, form: str) -> None:
    """Start an agent's job, and show the id of its run."""
    with client_and_id(agent) as (client, agent_id), starting():
        with recorded_start(agent, agent_id, deletes=options.is_delete_input_files_on_completed):
            started = client.start_job(agent_id, options)
        show(started.raw, form=form)


@job.command("runs")
@agent_argument
@click.argument("number", type=click.IntRange(0), metavar="RUN_NUMBER")
@count_option
@form_option
def job_runs(agent: str, number: int, count: int | None, form: str) -> None:
    """List the agent runs of one job run, by the number that `job history` shows as runId."""
    with client_and_id(agent) as (client, agent_id):
        runs = client.runs_of_job_run(agent_id, number, count=count)
        show([_in_words(each, form) for each in runs], form=form, columns=_RUN_COLUMNS)


@job.command("status")
@agent_argument
@click.argument("status", type=click.Choice(list(_STATUSES)))
@yes_option
@form_option
def job_status(agent: str, status: str, yes: bool, form: str) -> None:
    """Overwrite the status of an agent's latest job run."""
    with client_and_id(agent) as (client, agent_id):
        ask(f"Set the latest job run of {agent} to {status}?", yes=yes)
        client.set_job_status(agent_id, _STATUSES[status])
        show_done(f"set the latest job run of {agent} to {status}", form=form, agentId=agent_id, status=status)


_ids = {run: click.argument("identity", metavar="RUN_ID"), job: click.argument("identity", metavar="JOB_RUN_ID")}


def _in_words(run: AgentRun | JobRun, form: str) -> Mapping[str, JSON]:
    return {**run.raw, "status": run.status} if form == "text" else run.raw


def _add_show(group: click.Group, noun: str, call: Callable[[AccClient], Callable[[str], AgentRun | JobRun]]) -> None:
    @group.command("show", help=f"Show one {noun}, with its status in words.")
    @_ids[group]
    @form_option
    def command(identity: str, form: str) -> None:
        with acc_client() as client:
            show(_in_words(call(client)(identity), form), form=form)


def _add_history(
    group: click.Group,
    noun: str,
    call: Callable[[AccClient, str, int | None], Iterable[AgentRun | JobRun]],
    columns: Sequence[str],
) -> None:
    @group.command("history", help=f"List the latest {noun}s of an agent.")
    @agent_argument
    @count_option
    @form_option
    def command(agent: str, count: int | None, form: str) -> None:
        with client_and_id(agent) as (client, agent_id):
            rows = [_in_words(each, form) for each in call(client, agent_id, count)]
            show(rows, form=form, columns=columns)


def _add_download(
    group: click.Group, name: str, help_text: str, call: Callable[[AccClient], Callable[[str, BinaryIO], int]]
) -> None:
    @group.command(name, help=f"Fetch {help_text}")
    @_ids[group]
    @output_options
    def command(identity: str, target: str, force: bool) -> None:
        with acc_client() as client:
            save(target, lambda sink: call(client)(identity, sink), force=force)


_BACKUPS = "as a zip file, where backups of data are kept."
_add_show(run, "agent run", lambda client: client.get_run)
_add_show(job, "job run", lambda client: client.get_job_run)
_add_history(run, "run", lambda client, agent_id, count: client.run_history(agent_id, count=count), _RUN_COLUMNS)
_add_history(job, "job run", lambda client, agent_id, count: client.job_history(agent_id, count=count), _JOB_COLUMNS)
_add_download(run, "log", "the log of a run, as a zip file.", lambda client: client.download_run_log)
_add_download(run, "data", f"the data of a run, {_BACKUPS}", lambda client: client.download_run_data)
_add_download(job, "logs", "all logs of a job run, as a zip file.", lambda client: client.download_job_logs)
_add_download(job, "data", f"all data of a job run, {_BACKUPS}", lambda client: client.download_job_data)
