"""A plan as plain data, and back: nothing that a file says is taken for something that it is not."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from msgspec import Struct

from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.entry import as_plain
from reconciler.model.plan import FieldChange, Plan
from reconciler.model.state import JSON

_DEEPEST = 50


def plan_to(plan: Plan) -> dict[str, JSON]:
    """A plan without secrets and full states."""
    shown = [
        replace(change, before=None, after=None, fields=tuple(map(_masked, change.fields))) for change in plan.changes
    ]
    body: dict[str, JSON] = as_plain(replace(plan, changes=tuple(shown)))
    for change in body["changes"]:
        del change["before"], change["after"], change["basis"], change["secrets"]
    return body


def _masked(field: FieldChange) -> FieldChange:
    before, after = field.shown
    return replace(field, before=before, after=after)


def plan_from(body: JSON) -> Plan:
    """The plan that `plan_to` made plain. Raises ValueError for anything else."""
    found: Plan = _read(Plan, body)
    for preview in (change.preview for change in found.changes):
        for run in () if preview is None else (*preview.before_runs, *preview.after_runs):
            datetime.fromisoformat(run)
    return found


_PLAIN: dict[Any, Callable[[JSON], bool]] = {
    Any: lambda value: True,
    str: lambda value: type(value) is str,
    bool: lambda value: type(value) is bool,
    int: lambda value: type(value) is int and value >= 0,
    float: lambda value: type(value) in (int, float) and value - value == 0,
}


def _read(hint: Any, value: JSON) -> Any:
    """A value as the type that is declared for it. Raises ValueError when it is not of that type."""
    if hint in _PLAIN:
        return value if _PLAIN[hint](value) else _refuse(hint)
    if hint is Address:
        return Address.parse(_read(str, value))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _noun(hint, value)
    return _read_generic(hint, value)


def _read_generic(hint: Any, value: JSON) -> Any:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return tuple(_read(inside[0], one) for one in value) if type(value) is list else _refuse(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in inside:
            return None
        (kind,) = (one for one in inside if one is not type(None))
        return _read(kind, value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {_read(str, key): _read(inside[1], one) for key, one in _mapping(value).items()}
    raise TypeError(f"nobody said how to read {hint}")  # pragma: no cover - a noun got a field of a new sort


def _noun(kind: type[Struct], value: JSON) -> Any:
    fields = _fields(kind)
    given = _mapping(value)
    if not given.keys() <= fields.keys():
        _refuse(kind)
    try:
        return kind(**{name: _read(fields[name], one) for name, one in given.items()})
    except TypeError as error:
        raise ValueError(str(error)) from None  # a field that has no default is missing


@functools.cache
def _fields(kind: type[Struct]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__}


def _mapping(value: JSON) -> dict[str, JSON]:
    return value if type(value) is dict else _refuse(dict)


def is_shallow(value: JSON, levels: int = _DEEPEST) -> bool:
    """Whether plain data is nested no deeper than anybody needs, so that whoever walks through it comes back."""
    inside = value.values() if type(value) is dict else value if type(value) is list else ()
    return levels >= 0 and all(is_shallow(one, levels - 1) for one in inside)


def _refuse(hint: Any) -> typing.NoReturn:
    raise ValueError(f"something is not {hint}")
