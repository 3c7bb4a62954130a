"""The command line: parse, call one workflow function, choose a renderer, turn the result into an exit code."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli.session import Session, complain
from reconciler.cli.streams import guarded
from reconciler.clock import MACHINE, Clock

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = {
    "init": ("project_commands", "Write a commented project that validates."),
    "validate": ("project_commands", "Check everything that needs no network, all problems at once."),
    "schema": ("project_commands", "Print the JSON Schema of a kind, or of any manifest."),
    "plan": ("plan_commands", "Show what apply would change. Writes nothing."),
    "apply": ("apply_commands", "Ask, apply the plan, and read back."),
    "drift": ("plan_commands", "Audit live against what was last applied."),
    "accept": ("accept_command", "Take what was changed by hand in ACC into the manifests."),
    "show": ("plan_commands", "Render a saved plan."),
    "destroy": ("apply_commands", "Plan the deletion of all that is owned, then apply it."),
    "status": ("status_commands", "Show sync, health, last run and next run of everything."),
    "doctor": ("status_commands", "Check connections, tokens, licence, clocks and ledger."),
    "calendar": ("calendar_command", "Show when everything runs; load and collisions."),
    "report": ("report_command", "Write a static site of everything, for GitHub or GitLab Pages."),
    "render": ("render_command", "Print the manifests with templates, defaults and forEach written out."),
    "import": ("import_command", "Write manifests of live schedules, each with its id."),
    "resolve": ("ledger_commands", "Settle an unknown start."),
    "history": ("ledger_commands", "Show what was applied, when, by whom, from which commit."),
    "unlock": ("ledger_commands", "Show the lock; with --force break it."),
    "ledger": ("ledger_group", "What is remembered: list, forget, migrate, backup."),
    "acc": ("acc_commands", "Every call of the ACC API, by hand."),
    "mft": ("mft_commands", "Every call of the Automate MFT API, by hand."),
    "emulator": ("emulator_command", "Serve both products on a loopback port, with faults on demand."),
}
"""Each command's module and its one line of help, so that `--help` imports none of them."""


class _Commands(click.Group):
    """A group that imports a command's module when it is used, since the products' libraries are slow to start."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"reconciler.cli.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name.replace("-", "_") + ("_" if cmd_name == "import" else ""))
        assert isinstance(command, click.Command)
        return _with_global_options(command)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names and lines from the table: a key press should not wait for every command to be imported."""
        from click.shell_completion import CompletionItem

        named = [
            CompletionItem(name, help=line) for name, (_, line) in _COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in _COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, _COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else " `reconciler --help` lists the commands."
            ctx.fail(f"There is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


def _with_global_options(command: click.Command) -> click.Command:
    """The global options are understood after the command as well: `plan --env prod` is what most people type."""
    known = {name for parameter in command.params for name in parameter.opts}
    for declarations, field, settings in (
        (("-C", "--project"), "folder", {"type": click.Path(path_type=Path, file_okay=False)}),
        (("--env",), "environment", {}),
        (("--no-color",), "no_color", {"is_flag": True, "default": None}),
        (("-v", "--verbose"), "verbose", {"is_flag": True, "default": None}),
    ):
        if known.isdisjoint(declarations):
            names = [*declarations, f"global_{field}"]
            command.params.append(
                click.Option(names, expose_value=False, hidden=True, callback=_setter(field), **settings)
            )
    for part in command.commands.values() if isinstance(command, click.Group) else ():
        _with_global_options(part)
    return command


def _setter(field: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def override(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
        if value and (session := ctx.find_object(Session)):
            setattr(session, field, value)

    return override


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "--project",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The project's folder. Default: the nearest one upward with a reconciler.yaml.",
)
@click.option("--env", "environment", metavar="NAME", help="The environment of the project file to work in.")
@click.option("--no-color", is_flag=True, help="No colour, even on a terminal. NO_COLOR does the same.")
@click.option("-v", "--verbose", is_flag=True, help="Say more: what is folded is written out.")
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context, folder: Path | None, environment: str | None, no_color: bool, verbose: bool) -> None:
    """Job schedules, input files, approvals and task triggers as code.

    For Sequentum Agent Control Center and Progress Automate MFT: keep YAML manifests in Git, look at `plan`, run
    `apply` in CI, audit `drift`.
    """
    clock = ctx.find_object(Clock) or MACHINE
    ctx.obj = Session(folder, environment, dict(os.environ), clock, no_color=no_color, verbose=verbose)


def main(arguments: Sequence[str] | None = None, *, clock: Clock = MACHINE) -> int:
    """Run one command and return its exit code. Nothing that a user does ends in a traceback.

    `clock` is the time that the whole command goes by.
    """
    # What is read stays in use to the end: the collector would look through ten thousand agents again and again.
    gc.set_threshold(100_000)
    with guarded() as out:
        code = _run(arguments, clock)
        sys.stdout.flush()
        if out is not None and out.trouble is not None and not isinstance(out.trouble, BrokenPipeError):
            click.echo(f"error: what is printed could not be written: {out.trouble.strerror}", err=True)
            return code or 1
    return code


def _run(arguments: Sequence[str] | None, clock: Clock) -> int:
    try:
        code = root.main(args=arguments, prog_name="reconciler", standalone_mode=False, obj=clock)
    except click.UsageError as error:
        error.show()
        return 64
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 1
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return 130
    except Exception as error:
        return complain(error, verbose="-v" in sys.argv or "--verbose" in sys.argv)
    return code if isinstance(code, int) else 0
