"""`reconciler acc`: every call of the Agent Control Center, by hand."""

from __future__ import annotations

import click

from reconciler.cli.acc_agent_commands import agent
from reconciler.cli.acc_input_commands import input_
from reconciler.cli.acc_run_commands import job, run
from reconciler.cli.acc_schedule_commands import schedule
from reconciler.cli.acc_server_commands import server


@click.group()
def acc() -> None:
    """Every call of the Agent Control Center API, by hand.

    AGENT is an agent's path in the repository, or its id.
    """


for _group in (agent, run, job, schedule, input_, server):
    acc.add_command(_group)
