"""What the commands by hand share: a client for a connection, how a reply is shown, a question, a download."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, TypeVar

import click

from reconciler.errors import Uncertain, UsageError
from reconciler.identity import normal_id
from reconciler.model.plan import Action
from reconciler.model.project import Connection
from reconciler.model.state import JSON
from reconciler.product_terms import is_guid

if TYPE_CHECKING:
    from reconciler.cli.reply_mask import ReplyMask
    from reconciler.cli.session import Session
    from reconciler.clients.acc import AccClient
    from reconciler.clients.calls import Reply
    from reconciler.clients.mft import MftClient
    from reconciler.workflow.by_hand import Effect

_Command = TypeVar("_Command", bound=Callable[..., object])


class UnknownStart(Uncertain):
    """A start by hand whose outcome nobody knows."""

    exit_code: ClassVar[int] = 5


agent_argument = click.argument("agent", metavar="AGENT")
form_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it; json is the product's own object.",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
count_option = click.option("--count", type=click.IntRange(1), help="How many of the latest. Default: 100.")


def output_options(command: _Command) -> _Command:
    """`-o FILE` and `--force`, for what is downloaded."""
    command = click.option("--force", is_flag=True, help="Overwrite the file if it exists.")(command)
    return click.option(
        "-o", "--output", "target", required=True, metavar="FILE", help="Where to write it; - is stdout."
    )(command)


# --- clients ---------------------------------------------------------------------------------------------------------


@contextmanager
def acc_client(*, secrets: frozenset[str] = frozenset()) -> Iterator[AccClient]:
    """A client for the project's `acc` connection; `secrets` are not shown either."""
    from reconciler.clients import acc
    from reconciler.clients.calls import SessionOptions

    connection, mask = _connection("acc", secrets)
    context = click.get_current_context()

    def ask_lease() -> None:
        """The lock under which the call is recorded, if it is."""
        if (require := context.meta.get(_LEASE)) is not None:
            require()

    options = SessionOptions(clock=session_now().clock, redact=mask.redact, before_write=ask_lease)
    client = acc.connect(connection, options)
    mask.schedules_of = client.job_schedules
    with client.session:
        yield client


_LEASE = f"{__name__}.lease"


def is_id(agent: str) -> bool:
    return is_guid(agent.strip().removeprefix("{").removesuffix("}"))


def agent_id_of(client: AccClient, agent: str) -> str:
    """The agent's id, asked of the product when a path is given. Raises Missing."""
    return normal_id(agent) if is_id(agent) else client.get_agent(agent).agent_id


@contextmanager
def client_and_id(agent: str) -> Iterator[tuple[AccClient, str]]:
    """A client for the project's `acc` connection, and the id of an agent that is given by its path or its id."""
    with acc_client() as client:
        yield client, agent_id_of(client, agent)


@contextmanager
def mft_client() -> Iterator[MftClient]:
    """A client for the project's `mft` connection."""
    from reconciler.clients import mft
    from reconciler.clients.calls import SessionOptions

    connection, mask = _connection("mft", frozenset())
    client = mft.connect(connection, SessionOptions(clock=session_now().clock, redact=mask.redact))
    with client.session:
        yield client


def session_now() -> Session:
    """The session that the root group has left."""
    found: Session = click.get_current_context().obj
    return found


@contextmanager
def starting() -> Iterator[None]:
    """Within this block something is started: not knowing whether it was has an exit code of its own."""
    try:
        yield
    except Uncertain as error:
        hint = error.hint or "Look in the product whether it runs before you start it again."
        raise UnknownStart(error.message, hint=hint, status=error.status) from error


@contextmanager
def recorded(effect: Effect, agent: str, agent_id: str) -> Iterator[None]:
    """Around a call that changes what the ledger attests of an agent: it is recorded in the ledger.

    Raises Locked before anything is sent while somebody is applying.
    """
    from reconciler.workflow import by_hand

    context = click.get_current_context()
    project = session_now()
    command = context.command_path.partition(" ")[2]
    target = by_hand.Target("" if is_id(agent) else agent, agent_id)
    with by_hand.recorded(project.context(), command, effect, target) as recording:
        context.meta[_LEASE] = recording.require_lease
        yield
    if recording.why_not is not None and project.verbose:
        from reconciler.render.reasons import words

        project.say(words(recording.why_not))


@contextmanager
def recorded_start(agent: str, agent_id: str, *, deletes: bool | None) -> Iterator[None]:
    """Around a start; recorded in the ledger where it deletes the agent's input files when it is done."""
    if not deletes:
        yield
        return
    from reconciler.workflow.by_hand import emptied

    with recorded(emptied(Action.START), agent, agent_id):
        yield


def _connection(name: str, more: frozenset[str]) -> tuple[Connection, ReplyMask]:
    from reconciler.cli.reply_mask import ReplyMask

    connection, secrecy = session_now().load_connection(name)
    mask = ReplyMask(secrecy, more)
    click.get_current_context().meta[__name__] = mask
    return connection, mask


# --- showing ---------------------------------------------------------------------------------------------------------


def show(raw: JSON, *, form: str, columns: Sequence[str] = ()) -> None:
    """Print a reply without secrets: as JSON, or for people; a list as a table of `columns`."""
    mask: ReplyMask | None = click.get_current_context().meta.get(__name__)
    raw = raw if mask is None else mask.apply_to(raw)
    if form == "json":
        click.echo(json.dumps(raw, indent=2, ensure_ascii=False))
    elif isinstance(raw, list) and columns:
        _show_table(raw, columns)
    elif isinstance(raw, Mapping):
        _show_lines([(_cell(key), _cell(value)) for key, value in raw.items()])
    else:
        click.echo(_cell(raw))


def show_done(text: str, *, form: str, **facts: JSON) -> None:
    """Print that something was done; as JSON, the facts of it."""
    if form == "json":
        show({"done": True, **facts}, form=form)
    else:
        click.echo(text)


def show_reply(reply: Reply, text: str, *, form: str, **facts: JSON) -> None:
    """Print that something was done, and all that was answered: what the reply holds is documented nowhere."""
    said = reply.body.decode("utf-8", "replace").strip()
    if not said:
        show_done(text, form=form, **facts)
        return
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        value = said
    if form != "json":
        click.echo(text)
    show(value, form=form)


def _show_table(rows: Sequence[Mapping[str, JSON]], columns: Sequence[str]) -> None:
    if not rows:
        click.echo("none", err=True)
        return
    folded = [{key.lower(): value for key, value in row.items()} for row in rows]
    _show_lines([columns, *([_cell(row.get(column.lower())) for column in columns] for row in folded)])


def _show_lines(cells: Sequence[Sequence[str]]) -> None:
    from reconciler.render.characters import table

    for line in table(cells):
        click.echo(line)


def _cell(value: JSON) -> str:
    """A value on one line, harmless to a terminal."""
    from reconciler.clients.shown_text import printable

    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


# --- asking and writing ----------------------------------------------------------------------------------------------


def ask(question: str, *, yes: bool) -> None:
    """Go on if somebody says so, or said `--yes`; else end the command with exit code 1."""
    if not confirm(question, yes=yes):
        raise click.exceptions.Exit(1)


def confirm(question: str, *, yes: bool) -> bool:
    """Whether to go on. Raises UsageError where nobody can be asked and nobody said yes beforehand."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("There is no terminal to ask on, and nothing was done.", hint="--yes goes on without asking.")
    if click.confirm(question, default=False, err=True):
        return True
    click.echo("Nothing was done.", err=True)
    return False


def save(target: str, fetch: Callable[[BinaryIO], int], *, force: bool) -> None:
    """Download to a file, which appears only when it is whole; or to stdout, for `-`. Raises UsageError."""
    if target == "-":
        if sys.stdout.isatty():
            raise UsageError("A zip file is not for a terminal.", hint="Name a file with -o FILE, or pipe the output.")
        fetch(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{path} is a folder, or in one that does not exist.")
    if path.exists() and not force:
        raise UsageError(f"{path} exists.", hint="--force overwrites it.")
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as sink:
            size = fetch(sink)
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    click.echo(f"{path}: {size} bytes", err=True)


def parameters_of(pairs: Sequence[str]) -> dict[str, str] | None:
    """`KEY=VALUE` words as an object; None when there are none. Raises UsageError."""
    parameters: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not key or not separator:
            raise UsageError(f"{pair!r} is not KEY=VALUE.")
        if key in parameters:
            raise UsageError(f"The parameter {key!r} is given twice.")
        parameters[key] = value
    return parameters or None


# --- near-alike commands ---------------------------------------------------------------------------------------------


def add_for_all(
    group: click.Group,
    name: str,
    help_text: str,
    call: Callable[[AccClient], Callable[[str], object]],
    *,
    things: str,
    more: str = "",
    action: Action | None = None,
) -> None:
    """Add a command that does something to ALL `things` of an agent, after a question that ends with `more`.

    `call` names the client's method; `action` is what the ledger records, None for what it does not attest.
    """
    verb = name.removesuffix("-all")

    @group.command(name, help=help_text)
    @agent_argument
    @yes_option
    @form_option
    def command(agent: str, yes: bool, form: str) -> None:
        from reconciler.workflow.by_hand import emptied

        with client_and_id(agent) as (client, agent_id):
            ask(f"{verb.capitalize()} ALL {things} of {agent}{more}?", yes=yes)
            with recorded(emptied(action), agent, agent_id) if action else nullcontext():
                call(client)(agent_id)
            show_done(f"{verb}d all {things} of {agent}", form=form, agentId=agent_id)
