"""`reconciler emulator`: both products on a loopback port, with faults on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli.session import Session, signals
from reconciler.clock import MACHINE, Clock
from reconciler.errors import UsageError

_FILE = click.Path(dir_okay=False, path_type=Path)


class _Emulator(click.Command):
    """A command whose help ends with all switches, which are too many for option texts."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        from reconciler.emulator.injected_faults import GRAMMAR
        from reconciler.emulator.switches import switch_lines

        with formatter.section("Switches (the default first)"):
            formatter.write_dl(switch_lines())
        with formatter.section("Faults"):
            for line in GRAMMAR.splitlines():
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")


@click.command("emulator", cls=_Emulator)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0, the default, is a free one."
)
@click.option(
    "--state", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Start from this file (JSON or YAML)."
)
@click.option(
    "--estate",
    type=click.Choice(["demo", "regions"]),
    help="Start from a built-in estate: a dozen agents with a past, or fifty with 300 schedules made by hand.",
)
@click.option("--agents", type=click.IntRange(1), help="Start from a generated estate with so many agents.")
@click.option(
    "--schedules", type=click.IntRange(0), default=5, show_default=True, help="Schedules of each generated agent."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the generated estate.")
@click.option("--save", "save_to", type=_FILE, help="Write the state to this file at the end.")
@click.option("--latency", type=click.FloatRange(0), default=0.0, help="Seconds added to each reply.")
@click.option(
    "--fault", "faults", multiple=True, metavar="FAULT", help="Let something go wrong (see below); repeatable."
)
@click.option("--faults", "fault_file", type=_FILE, help="A file of faults: one a line, or a JSON or YAML list.")
@click.option(
    "--switch", "switches", multiple=True, metavar="NAME=VALUE", help="Settle an unknown (see below); repeatable."
)
@click.option(
    "--now",
    metavar="TIME",
    help="Start the clock of the products at this time, such as 2029-01-01T00:00:00Z. Default: the time it is.",
)
@click.option("--log", type=_FILE, help="Append every request to this file, as JSON lines.")
@click.option("--key-file", type=_FILE, help="Write a fresh private key that the emulated Automate MFT knows.")
@click.option("--port-file", type=_FILE, help="Write the port to this file once connections are accepted.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How the address is printed."
)
def emulator(**given: Any) -> None:
    """Serve Sequentum ACC and Automate MFT on a loopback port, until interrupted.

    The address and the access tokens are printed; nothing outside this machine can connect.
    """
    from reconciler.emulator.service import ServeOptions, serve

    options = ServeOptions(**given)
    session = click.get_current_context().find_object(Session)
    clock = session.clock if session is not None else MACHINE
    if options.now is not None:
        clock = Clock(_moment(options.now))
    serve(options, clock, until=_told_to_stop, announce=click.echo)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    stopped = threading.Event()
    with signals(lambda number, frame: stopped.set()):
        yield stopped


def _moment(text: str) -> datetime:
    """An aware time from RFC 3339; UTC where it names no offset. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"--now cannot be {text!r}", hint="write it like 2029-01-01T00:00:00Z") from None
