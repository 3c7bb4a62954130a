"""`reconciler acc`: every call of the Agent Control Center, by hand; and its one call on servers."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.acc_agent_commands import agent, input_
from reconciler.cli.acc_run_commands import job, run
from reconciler.cli.acc_schedule_commands import schedule
from reconciler.cli.product_calls import acc_client, form_option, show


@click.group()
def acc() -> None:
    """Every call of the Agent Control Center API, by hand.

    AGENT is an agent's path in the repository, or its id.
    """


@click.group()
def server() -> None:
    """Look at Sequentum Enterprise servers."""


@server.command("check")
@click.argument("ip_address", metavar="ADDRESS")
@click.option("--port", type=click.IntRange(1, 65535), default=8004, show_default=True, help="8004, or 8005 with TLS.")
@click.option("--ssl/--no-ssl", default=False, show_default=True, help="Whether that port speaks TLS.")
@click.option("--refresh/--no-refresh", default=True, show_default=True, help="Whether to ask the server anew.")
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    required=True,
    help="A file that holds the server's API key; - is stdin.",
)
@form_option
def server_check(ip_address: str, port: int, ssl: bool, refresh: bool, key_file: Path, form: str) -> int:
    """Ask how a server is doing.

    Exit 2 when it uses more CPU or memory than its own threshold; 1 when it says that something is wrong, or when its
    usage cannot be read.
    """
    with click.open_file(str(key_file), encoding="utf-8") as source:
        key = str(source.read()).strip()
    with acc_client(secrets=frozenset({key})) as client:
        found = client.check_server(key=key, ip_address=ip_address, port=port, use_ssl=ssl, server_refresh=refresh)
    show(found.raw, form=form)
    if found.is_error:
        return 1
    over, unread = found.judged()
    for line in (*over, *unread):
        click.echo(line, err=True)
    return 2 if over else 1 if unread else 0


for _group in (agent, run, job, schedule, input_, server):
    acc.add_command(_group)
