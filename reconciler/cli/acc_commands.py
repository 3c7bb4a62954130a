"""`reconciler acc`: every call of the Agent Control Center, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from reconciler.cli.acc_schedule_commands import input_, schedule
from reconciler.cli.acc_server_commands import server
from reconciler.cli.agent_argument import agent_argument, agent_id_of, is_id, path_of
from reconciler.cli.product_calls import (
    acc_client,
    confirm,
    count_option,
    form_option,
    output_options,
    parameters_of,
    recorded,
    recorded_start,
    save,
    show,
    show_done,
    show_reply,
    starting,
    yes_option,
)
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.clients.acc import StartOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])

_METHODS = (
    "Restart",
    "Continue",
    "ContinueRefreshAgent",
    "ContinueAndRetryErrors",
    "ContinueAndRetryErrorsRefreshAgent",
    "New",
)
_LEVELS = {"none": 0, "low": 1, "medium": 2, "high": 3, "0": 0, "1": 1, "2": 2, "3": 3}
_STATUSES = ("never-run", "in-progress", "in-progress-with-failure", "succeeded", "failure", "failed")
_RUN_COLUMNS = ("agentRunHistoryId", "startTime", "endTime", "status", "errors", "statusMessage")
_JOB_COLUMNS = ("agentJobHistoryId", "runId", "startTime", "endTime", "status", "totalErrors")


def _not_blank(context: click.Context, parameter: click.Parameter, message: str) -> str:
    if not message.strip():
        raise click.BadParameter("the message is empty, and the file log would say nothing")
    return message


_message_option = click.option(
    "-m", "--message", required=True, callback=_not_blank, help="What the file log will say about it."
)
_run_argument = click.argument("run_id", metavar="RUN_ID")
_job_run_argument = click.argument("job_run_id", metavar="JOB_RUN_ID")


@click.group()
def acc() -> None:
    """Every call of the Agent Control Center API, by hand.

    AGENT is an agent's path in the repository, or its id.
    """


acc.add_command(schedule)
acc.add_command(input_)
acc.add_command(server)


# --- agents ----------------------------------------------------------------------------------------------------------


@acc.group()
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
    from reconciler.workflow.by_hand import Approval

    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        with recorded(Approval("approved"), path=path_of(agent), agent_id=agent_id):
            client.approve(agent_id, message)
        show_done(f"approved {agent}", form=form, agentId=agent_id)


@agent.command("disapprove")
@agent_argument
@_message_option
@yes_option
@form_option
def agent_disapprove(agent: str, message: str, yes: bool, form: str) -> int:
    """Take an agent's approval away, with a message for the file log."""
    from reconciler.workflow.by_hand import Approval

    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        if not confirm(f"Disapprove {agent}?", yes=yes):
            return 1
        with recorded(Approval("disapproved"), path=path_of(agent), agent_id=agent_id):
            client.disapprove(agent_id, message)
        show_done(f"disapproved {agent}", form=form, agentId=agent_id)
        return 0


def _start_options(command: _Command) -> _Command:
    for option in (
        click.option("--delete-input-files", is_flag=True, default=None, help="Delete them once the run succeeded."),
        click.option("--input-file", "input_files", multiple=True, metavar="NAME", help="An uploaded file to use."),
        click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="An input parameter. Repeatable."),
        click.option("--production/--no-production", default=None, help="Whether data and emails go out."),
        click.option("--log-level", type=click.Choice(list(_LEVELS)), help="How much is logged. Default: low."),
        click.option("--session-id", help="The session to start; the agent must support sessions."),
    ):
        command = option(command)
    return command


def _options_of(given: dict[str, Any]) -> StartOptions:
    from reconciler.clients.acc import StartOptions

    level = given["log_level"]
    odd = [name for name in given["input_files"] if not name.lower().endswith((".csv", ".txt"))]
    if odd:
        raise UsageError(f"{odd[0]!r}: a run takes .csv and .txt.", hint="Of a zip file, name what is in it.")
    return StartOptions(
        session_id=given["session_id"],
        log_level=None if level is None else _LEVELS[level],
        is_production_run=given["production"],
        input_parameters=parameters_of(given["params"]),
        input_files=given["input_files"] or None,
        is_delete_input_files_on_completed=given["delete_input_files"],
        use_multiple_sessions=given.get("multiple_sessions"),
        is_synchronous=given.get("synchronous"),
        synchronous_timeout=given.get("timeout"),
    )


@agent.command("start")
@agent_argument
@_start_options
@click.option("--multiple-sessions", is_flag=True, default=None, help="Start new sessions on its own.")
@click.option("--synchronous", is_flag=True, default=None, help="Wait until the run has ended.")
@click.option("--timeout", type=click.IntRange(1), help="Seconds a synchronous run may take. Default: 60.")
@click.option("--deliver", type=click.Choice(["plain", "zip"]), help="Wait, and fetch what was extracted (with -o).")
@click.option("-o", "--output", "target", metavar="FILE", help="Where to write what was extracted; - is stdout.")
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@form_option
def agent_start(agent: str, deliver: str | None, target: str | None, force: bool, form: str, **given: Any) -> None:
    """Start an agent on the cluster where it is deployed, and show the ids of its runs."""
    from reconciler.clients.acc import Delivery

    if (deliver is None) != (target is None):
        raise UsageError("--deliver and -o belong together.")
    if given["multiple_sessions"] and given["session_id"]:
        raise UsageError("--session-id and --multiple-sessions exclude each other.")
    if given["timeout"] is not None and not given["synchronous"] and deliver is None:
        raise UsageError(
            "--timeout is for a run that is waited for.", hint="--synchronous waits, and so does --deliver."
        )
    options = _options_of(given)
    with acc_client() as client, starting():
        if deliver is not None and target is not None:
            agent_id, delivery = agent_id_of(client, agent), Delivery(deliver.capitalize())

            def fetch(sink: BinaryIO) -> int:
                with recorded_start(agent, agent_id, deletes=given["delete_input_files"]):
                    return client.run_agent_for_data(agent_id, delivery, options, sink)

            save(target, fetch, force=force)
            return
        # The path may be another way to write that of an agent which the ledger knows.
        agent_id = agent_id_of(client, agent) if given["delete_input_files"] else ""
        with recorded_start(agent, agent_id, deletes=given["delete_input_files"]):
            started = client.start_agent(agent, options) if is_id(agent) else client.start_agent_at(agent, options)
        show(started.raw, form=form)


# --- runs ------------------------------------------------------------------------------------------------------------


@acc.group()
def run() -> None:
    """Show, restart and retry agent runs; fetch their logs and data."""


@run.command("show")
@_run_argument
@form_option
def run_show(run_id: str, form: str) -> None:
    """Show one agent run, with its status in words."""
    with acc_client() as client:
        found = client.get_run(run_id)
        show({**found.raw, "status": found.status} if form == "text" else found.raw, form=form)


@run.command("history")
@agent_argument
@count_option
@form_option
def run_history(agent: str, count: int | None, form: str) -> None:
    """List the latest runs of an agent."""
    with acc_client() as client:
        runs = client.run_history(agent_id_of(client, agent), count=count)
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
    from reconciler.clients.acc import RunMethod

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


# --- jobs ------------------------------------------------------------------------------------------------------------


@acc.group()
def job() -> None:
    """Start jobs and look at their runs; fetch their logs and data."""


@job.command("start")
@agent_argument
@_start_options
@form_option
def job_start(agent: str, form: str, **given: Any) -> None:
    """Start an agent's job, and show the id of its run."""
    options = _options_of(given)
    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        with starting():
            with recorded_start(agent, agent_id, deletes=given["delete_input_files"]):
                started = client.start_job(agent_id, options)
            show(started.raw, form=form)


@job.command("show")
@_job_run_argument
@form_option
def job_show(job_run_id: str, form: str) -> None:
    """Show one job run, with its status in words."""
    with acc_client() as client:
        found = client.get_job_run(job_run_id)
        show({**found.raw, "status": found.status} if form == "text" else found.raw, form=form)


@job.command("history")
@agent_argument
@count_option
@form_option
def job_history(agent: str, count: int | None, form: str) -> None:
    """List the latest job runs of an agent."""
    with acc_client() as client:
        runs = client.job_history(agent_id_of(client, agent), count=count)
        show([_in_words(each, form) for each in runs], form=form, columns=_JOB_COLUMNS)


@job.command("runs")
@agent_argument
@click.argument("number", type=click.IntRange(0), metavar="RUN_NUMBER")
@count_option
@form_option
def job_runs(agent: str, number: int, count: int | None, form: str) -> None:
    """List the agent runs of one job run, by the number that `job history` shows as runId."""
    with acc_client() as client:
        runs = client.runs_of_job_run(agent_id_of(client, agent), number, count=count)
        show([_in_words(each, form) for each in runs], form=form, columns=_RUN_COLUMNS)


@job.command("status")
@agent_argument
@click.argument("status", type=click.Choice(_STATUSES))
@yes_option
@form_option
def job_status(agent: str, status: str, yes: bool, form: str) -> int:
    """Overwrite the status of an agent's latest job run."""
    from reconciler.clients.acc import JobStatus

    with acc_client() as client:
        agent_id = agent_id_of(client, agent)
        if not confirm(f"Set the latest job run of {agent} to {status}?", yes=yes):
            return 1
        client.set_job_status(agent_id, list(JobStatus)[_STATUSES.index(status)])
        show_done(f"set the latest job run of {agent} to {status}", form=form, agentId=agent_id, status=status)
        return 0


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


def _in_words(run: Any, form: str) -> Any:
    return {**run.raw, "status": run.status} if form == "text" else run.raw
