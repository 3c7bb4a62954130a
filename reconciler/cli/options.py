"""Options that several commands share, worded once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.cli.session import Session
from reconciler.quantities import seconds_of

if TYPE_CHECKING:
    from reconciler.selection import Selection

_Result = TypeVar("_Result")
_Command = TypeVar("_Command", bound=Callable[..., object])
Option = Callable[[Callable[..., object]], Callable[..., object]]

pass_session = click.make_pass_decorator(Session)


def as_one(
    name: str, make: Callable[..., object], *options: Option
) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """Give a command these options, the last one first in its help, as one argument: what `make` makes of them."""
    parts = tuple(inspect.signature(make).parameters)

    def decorate(command: Callable[..., _Result]) -> Callable[..., _Result]:
        @functools.wraps(command)
        def packed(*arguments: object, **given: object) -> _Result:
            whole = make(**{part: given.pop(part) for part in parts})
            return command(*arguments, **given, **{name: whole})

        for option in options:
            option(packed)
        return packed

    return decorate


def _selection(only: tuple[str, ...], exclude: tuple[str, ...], labels: tuple[str, ...]) -> Selection:
    from reconciler.selection import Selection

    return Selection(only, exclude, labels)


selectors = as_one(
    "selection",
    _selection,
    click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Only what carries this label."),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="All but addresses that match. Repeatable."),
    click.option("--only", multiple=True, metavar="PATTERN", help="Only addresses that match. Repeatable."),
)
"""`--only`, `--exclude` and `--label`."""


def format_option(*formats: str) -> Callable[[_Command], _Command]:
    """`--format` with these choices; the first is the default."""
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print it."
    )


class OutFile(click.Path):
    """A file to write, in a folder that is there: what cannot be written is better known before anything is done."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = super().convert(value, param, ctx)  # type: ignore[arg-type]
        assert isinstance(path, Path)
        if not path.absolute().parent.is_dir():
            self.fail(f"there is no folder {str(path.parent)!r}", param, ctx)
        return path


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases of click only
    """A length of time with one unit: 90s, 30m, 24h, 7d."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return timedelta(seconds=seconds_of(str(value), may_be_zero=True))
        except ValueError:
            self.fail(f"{value!r} is no length of time; write 90s, 30m, 24h or 7d", param, ctx)
