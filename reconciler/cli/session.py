"""What every command shares: where it runs, how it prints, how it is interrupted, and how an error is worded."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from reconciler.cli.live_line import LiveLine, ReadingProgress
from reconciler.clock import MACHINE, Clock
from reconciler.errors import ManifestError, ReconcilerError, internal_error_text

if TYPE_CHECKING:
    from types import FrameType

    from reconciler.model.project import Connection
    from reconciler.render import Screen, Stamp
    from reconciler.render.html.links import Links
    from reconciler.secrecy import Secrecy
    from reconciler.workflow.context import CommandContext

_WIDEST = 200
_NARROWEST = 40
_LONG_VALUE = 8


@dataclass
class Session:
    """One run of the program. Commands get it as `click`'s context object."""

    folder: Path | None
    environment: str | None
    environ: Mapping[str, str]
    clock: Clock = MACHINE
    no_color: bool = False
    verbose: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    is_unwritten: bool = False

    @cached_property
    def line(self) -> LiveLine:
        """The line of progress on stderr."""
        return LiveLine(self.clock, self.environ)

    @property
    def root(self) -> Path:
        """The project's folder. Raises UsageError when there is none."""
        from reconciler import manifests

        return manifests.find_root(self.folder or Path.cwd())

    def context(self) -> CommandContext:
        """The world as the workflow sees it, with progress on stderr."""
        from reconciler.workflow.context import CommandContext

        progress = ReadingProgress(self.line, self.clock)
        return CommandContext(
            self.root, self.environment, self.environ, clock=self.clock, stop=self.stop, progress=progress
        )

    @property
    def screen(self) -> Screen:
        """Where results are read: as wide as the terminal, within what the layout is made for."""
        from reconciler.render import Screen

        width = max(_NARROWEST, min(_WIDEST, terminal_columns()))
        return Screen(width, color=self._has_color(sys.stdout), encoding=sys.stdout.encoding or "utf-8")

    @property
    def log_screen(self) -> Screen:
        """The same for stderr, where progress and logs are read."""
        from reconciler.render import Screen

        width = max(_NARROWEST, min(_WIDEST, terminal_columns()))
        return Screen(width, color=self._has_color(sys.stderr), encoding=sys.stderr.encoding or "utf-8")

    def _has_color(self, stream: TextIO) -> bool:
        is_wanted = not self.no_color and not self.environ.get("NO_COLOR")
        return is_wanted and stream.isatty() and self.environ.get("TERM") != "dumb"

    def stamp_for(self, project: str, environment: str) -> Stamp:
        """The head of a document."""
        from reconciler import __version__
        from reconciler.clock import at_text
        from reconciler.render import Stamp

        return Stamp(__version__, project, environment, at_text(self.clock()))

    def links(self, repository: str = "") -> Links:
        """What a page of this project leads to: manifests' lines, where the repository's URL and the commit are known.

        `repository` is a URL that somebody gave. Raises UsageError where it is none.
        """
        from reconciler.errors import UsageError
        from reconciler.render.html.links import Links, Repository
        from reconciler.workflow.git import checkout_of

        if repository and not Repository.of(repository, "").web:
            raise UsageError("--repository takes the URL of a repository's web page", hint="https://HOST/PATH")
        found = checkout_of(self.root, self.environ, repository)
        if found is None:
            return Links()
        forge = found.forge or ("github" if repository else "")
        known = Repository.of(found.remote, found.commit, found.folder, forge=forge, committed=found.committed)
        return Links(repository=known)

    def load_connection(self, name: str) -> tuple[Connection, Secrecy]:
        """A connection of the project and what must not be printed. Raises ManifestError or UsageError."""
        from reconciler.render.reasons import words
        from reconciler.workflow.call_connection import connection_for_call

        return connection_for_call(self.context(), name, lambda why: self.say(harmless(f"note: {words(why)}")))

    def say(self, text: str) -> None:
        """A line of progress or of a log, on stderr."""
        with self.line.aside():
            click.echo(text, err=True)

    def write_file(self, path: Path, text: str) -> None:
        """Write a file beside the answer. That it cannot be written is said, and counts at the end."""
        from reconciler.files import write_whole

        try:
            write_whole(path, text)
        except OSError as error:
            self.fail_to_write(path, error)

    def fail_to_write(self, path: Path, error: OSError, *, more: str = "") -> None:
        """Say that a file could not be written. What is being done goes on, and the exit code tells of it."""
        self.is_unwritten = True
        self.say(harmless(f"error: {path} could not be written: {error.strerror or error}{more}"))

    def show(self, text: str) -> None:
        """Data, on stdout."""
        with self.line.aside():
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let the first SIGINT or SIGTERM finish what is in flight and start nothing new; a second one ends at once."""

        # Over the line of progress, and what the terminal shows of the key that was pressed.
        beginning = b"\r\x1b[K" if self.line.is_live else b""

        def heard(number: int, frame: FrameType | None) -> None:
            if self.stop.is_set():
                raise KeyboardInterrupt
            self.stop.set()
            with suppress(OSError):
                os.write(2, beginning + b"interrupted: finishing what is in flight; once more to end at once\n")

        try:
            with signals(heard):
                yield
        finally:
            self.line.clear()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While products are read: an interruption ends the command with exit code 130, and shows nothing of it."""
        with self.interruptible():
            yield
        if self.stop.is_set():
            raise click.exceptions.Exit(130)


@contextmanager
def signals(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """While it lasts, SIGINT and SIGTERM are heard by this."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def terminal_columns() -> int:
    """The terminal's width; 100 where there is none."""
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def harmless(text: str) -> str:
    """A text that may hold words from elsewhere, with whatever a terminal would obey made visible."""
    from reconciler.render.characters import neutral, not_a_command

    return "\n".join(not_a_command(neutral(line)) for line in text.split("\n"))


def complain(error: Exception, *, verbose: bool) -> int:
    """Word an error on stderr, and return its exit code."""
    if isinstance(error, ManifestError):
        from reconciler.render import Screen
        from reconciler.render.text import problems_text

        click.echo(problems_text.problems(error.problems, Screen(terminal_columns()), verbose=verbose), err=True)
        return error.exit_code
    if isinstance(error, ReconcilerError):
        click.echo(harmless(f"error: {error.message}"), err=True)
        if error.hint:
            click.echo(harmless(f"  next: {error.hint}"), err=True)
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename is not None else ""
        click.echo(harmless(f"error: {place}{error.strerror}"), err=True)
        return 1
    said = f"internal error: {internal_error_text(error)}\n  next: run it again with -v, and report what it prints"
    if verbose:
        import traceback

        said = "".join(traceback.format_exception(error)) + said
    click.echo(_without_environment(said), err=True)
    return 1


def _without_environment(text: str) -> str:
    """A text without the values of this process's environment: nobody knows any more which of them are secret."""
    from reconciler.clients.redaction import Redactor

    values = (value for value in os.environ.values() if len(value) >= _LONG_VALUE and not value.startswith("/"))
    return Redactor(values)(text)
