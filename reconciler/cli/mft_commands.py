"""`reconciler mft`: every call of Automate MFT, by hand."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Duration
from reconciler.cli.product_calls import form_option, mft_client, parameters_of, session_now, show, starting
from reconciler.clock import Clock
from reconciler.errors import ProductError, UsageError
from reconciler.model.state import SECRET
from reconciler.product_terms import is_guid

if TYPE_CHECKING:
    from reconciler.clients.mft import MftClient, TaskRun


@click.group()
def mft() -> None:
    """Every call of the Automate MFT API, by hand."""


@mft.command()
@form_option
def license(form: str) -> None:
    """Show the licence: its plan, its dates and its counters."""
    with mft_client() as client:
        show(client.license().raw, form=form)


@mft.command()
@click.option("--reveal", is_flag=True, help="Print the token itself, and nothing else. It is a credential.")
@form_option
def token(reveal: bool, form: str) -> None:
    """Buy an access token, and show what it says of itself: its claims, and when it runs out.

    The token stays hidden unless --reveal asks for it, as in: curl -H "Authorization: bearer $(… --reveal)".
    """
    with mft_client() as client:
        found = client.fresh_token()
    if reveal and form == "text":
        click.echo(found.token)
        return
    shown = {key: value if reveal or not _is_credential(key) else SECRET for key, value in found.raw.items()}
    expires = found.expires.isoformat() if found.expires else None
    show({**shown, "expires": expires, "claims": None if found.claims is None else dict(found.claims)}, form=form)


def _is_credential(key: str) -> bool:
    name = key.lower().replace("_", "")
    return "token" in name and name != "tokentype"


@mft.group()
def task() -> None:
    """Start tasks."""


@task.command("start")
@click.argument("task", metavar="TASK")
@click.option("--by", type=click.Choice(["id", "name"]), help="What TASK is. Default: an id if it looks like one.")
@click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="A task parameter. Repeatable.")
@click.option("--wait", is_flag=True, help="Wait for the end of the run; exit 1 when it fails.")
@click.option("--timeout", type=Duration(), default="30m", show_default=True, help="How long to wait.")
@click.option("--interval", type=Duration(), default="5s", show_default=True, help="How often to look.")
@form_option
def task_start(
    task: str,
    by: str | None,
    params: tuple[str, ...],
    wait: bool,
    timeout: timedelta,
    interval: timedelta,
    form: str,
) -> int:
    """Start a task, given by its id or its name, and show its run."""
    parameters = parameters_of(params)
    if interval <= timedelta(0):
        raise UsageError("--interval is longer than 0s.")
    is_id = by == "id" or (by is None and is_guid(task.strip()))
    with mft_client() as client:
        with starting():
            started = (
                client.start_task(id=task, parameters=parameters)
                if is_id
                else client.start_task(name=task, parameters=parameters)
            )
        if not wait:
            show(started.raw, form=form)
            return 0
        click.echo(f"started run {started.run_id}", err=True)
        run = follow(
            client,
            started.run_id,
            timeout=timeout.total_seconds(),
            interval=interval.total_seconds(),
            clock=session_now().clock,
        )
        show(run.raw, form=form)
        return 0 if run.has_succeeded else 1


@mft.group()
def run() -> None:
    """Look at task runs."""


@run.command("show")
@click.argument("run_id", metavar="RUN_ID")
@form_option
def run_show(run_id: str, form: str) -> None:
    """Show the state of a task run."""
    with mft_client() as client:
        show(client.task_run(run_id).raw, form=form)


def follow(
    client: MftClient,
    run_id: str,
    *,
    timeout: float,
    interval: float,
    clock: Clock,
) -> TaskRun:
    """Look at a run every `interval` seconds until it has ended. Raises ProductError after `timeout` seconds."""
    never = threading.Event()
    until = clock.monotonic() + timeout
    while True:
        run = client.task_run(run_id)
        if run.is_final:
            return run
        if clock.monotonic() + interval > until:
            raise ProductError(
                f"Run {run_id} is still {run.status} after {timeout:g} s.",
                hint=f"It goes on. `reconciler mft run show {run_id}` shows how it ends.",
            )
        clock.wait(never, interval)
