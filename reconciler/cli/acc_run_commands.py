"""`reconciler acc run` and `reconciler acc job`, by hand: runs of agents and of jobs, their logs and their data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from reconciler.cli.agent_argument import agent_argument, client_and_id
from reconciler.cli.product_calls import (
    acc_client,
    ask,
    count_option,
    form_option,
    output_options,
    recorded_start,
    save,
    show,
    show_done,
    show_reply,
    starting,
    yes_option,
)
from reconciler.cli.start_options import start_options

if TYPE_CHECKING:
    from reconciler.clients.acc_options import StartOptions
    from reconciler.clients.replies import AgentRun, JobRun
    from reconciler.model import JSON

_METHODS = (
    "Restart",
    "Continue",
    "ContinueRefreshAgent",
    "ContinueAndRetryErrors",
    "ContinueAndRetryErrorsRefreshAgent",
    "New",
)
_STATUSES = ("never-run", "in-progress", "in-progress-with-failure", "succeeded", "failure", "failed")
_RUN_COLUMNS = ("agentRunHistoryId", "startTime", "endTime", "status", "errors", "statusMessage")
_JOB_COLUMNS = ("agentJobHistoryId", "runId", "startTime", "endTime", "status", "totalErrors")
_run_argument = click.argument("run_id", metavar="RUN_ID")
_job_run_argument = click.argument("job_run_id", metavar="JOB_RUN_ID")


@click.group()
def run() -> None:
    """Show, restart and retry agent runs; fetch their logs and data."""


@run.command("show")
@_run_argument
@form_option
def run_show(run_id: str, form: str) -> None:
    """Show one agent run, with its status in words."""
    with acc_client() as client:
        found = client.get_run(run_id)
        show(_in_words(found, form), form=form)


@run.command("history")
@agent_argument
@count_option
@form_option
def run_history(agent: str, count: int | None, form: str) -> None:
    """List the latest runs of an agent."""
    with client_and_id(agent) as (client, agent_id):
        runs = client.run_history(agent_id, count=count)
        show([_in_words(each, form) for each in runs], form=form, columns=_RUN_COLUMNS)


@run.command("restart")
@_run_argument
@form_option
def run_restart(run_id: str, form: str) -> None:
    """Start a run anew."""
    with acc_client() as client, starting():
        reply = client.restart_run(run_id)
        show_reply(reply, f"restarted {run_id}", form=form, agentRunHistoryId=run_id)


@run.command("retry")
@_run_argument
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    default=_METHODS[4],
    show_default=True,
    metavar="METHOD",
    help=f"One of {', '.join(_METHODS)}.",
)
@form_option
def run_retry(run_id: str, method: str, form: str) -> None:
    """Retry the errors of a run."""
    from reconciler.clients.acc_options import RunMethod

    with acc_client() as client, starting():
        reply = client.retry_run(run_id, RunMethod(method))
        show_reply(reply, f"retried {run_id}: {method}", form=form, agentRunHistoryId=run_id)


@run.command("log")
@_run_argument
@output_options
def run_log(run_id: str, target: str, force: bool) -> None:
    """Fetch the log of a run, as a zip file."""
    with acc_client() as client:
        save(target, lambda sink: client.download_run_log(run_id, sink), force=force)


@run.command("data")
@_run_argument
@output_options
def run_data(run_id: str, target: str, force: bool) -> None:
    """Fetch the data of a run, as a zip file, where backups of data are kept."""
    with acc_client() as client:
        save(target, lambda sink: client.download_run_data(run_id, sink), force=force)


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


@job.command("show")
@_job_run_argument
@form_option
def job_show(job_run_id: str, form: str) -> None:
    """Show one job run, with its status in words."""
    with acc_client() as client:
        found = client.get_job_run(job_run_id)
        show(_in_words(found, form), form=form)


@job.command("history")
@agent_argument
@count_option
@form_option
def job_history(agent: str, count: int | None, form: str) -> None:
    """List the latest job runs of an agent."""
    with client_and_id(agent) as (client, agent_id):
        runs = client.job_history(agent_id, count=count)
        show([_in_words(each, form) for each in runs], form=form, columns=_JOB_COLUMNS)


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
@click.argument("status", type=click.Choice(_STATUSES))
@yes_option
@form_option
def job_status(agent: str, status: str, yes: bool, form: str) -> None:
    """Overwrite the status of an agent's latest job run."""
    from reconciler.clients.acc_options import JobStatus

    with client_and_id(agent) as (client, agent_id):
        ask(f"Set the latest job run of {agent} to {status}?", yes=yes)
        client.set_job_status(agent_id, list(JobStatus)[_STATUSES.index(status)])
        show_done(f"set the latest job run of {agent} to {status}", form=form, agentId=agent_id, status=status)


@job.command("logs")
@_job_run_argument
@output_options
def job_logs(job_run_id: str, target: str, force: bool) -> None:
    """Fetch all logs of a job run, as a zip file."""
    with acc_client() as client:
        save(target, lambda sink: client.download_job_logs(job_run_id, sink), force=force)


@job.command("data")
@_job_run_argument
@output_options
def job_data(job_run_id: str, target: str, force: bool) -> None:
    """Fetch all data of a job run, as a zip file, where backups of data are kept."""
    with acc_client() as client:
        save(target, lambda sink: client.download_job_data(job_run_id, sink), force=force)


def _in_words(run: AgentRun | JobRun, form: str) -> Mapping[str, JSON]:
    return {**run.raw, "status": run.status} if form == "text" else run.raw
