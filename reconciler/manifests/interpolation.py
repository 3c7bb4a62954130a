"""Fills in `${env:…}`, `${file:…}` and `${var:…}`, and remembers what came from outside.

What is filled in is data: it is neither interpolated again nor read as YAML. `${env:NAME:-default}` takes the default
when NAME is unset or empty, as a shell does. A string that is nothing but one `${var:NAME}` takes the variable as it
was written, so a variable may hold `true` or a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from reconciler.manifests.scalars import text_of

Path_: TypeAlias = tuple[str | int, ...]
_SCHEMES = ("env", "file", "var")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_MAX_FILE_BYTES = 1_000_000


class InterpolationError(Exception):
    """A `${…}` that cannot be filled in."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Filled:
    """A value after interpolation. `secrets`: what came from `env` or `file`, raw, and the whole that holds it."""

    value: Any
    secrets: frozenset[str] = frozenset()
    is_secret: bool = False


@dataclass(slots=True)
class Interpolator:
    """Fills in strings for one project and environment; variables are resolved once, when first asked for.

    `variables` holds each variable's words, `home` the folder that relative `${file:…}` in variables are meant from.
    """

    environ: Mapping[str, str]
    variables: Mapping[str, Any]
    home: Path
    _resolved: dict[str, Filled] = field(default_factory=dict)
    _resolving: list[str] = field(default_factory=list)
    _files: dict[Path, str] = field(default_factory=dict)

    def fill(self, text: str, folder: Path) -> Filled:
        """One string, as it stands in a file of `folder`. Raises InterpolationError."""
        if "${" not in text:
            return Filled(text)
        parts: list[str] = []
        secrets: set[str] = set()
        is_secret = False
        position = 0
        while (start := text.find("${", position)) >= 0:
            if start > position and text[start - 1] == "$":
                parts += (text[position : start - 1], "${")
                position = start + 2
                continue
            end = text.find("}", start)
            if end < 0:
                raise InterpolationError(
                    "interpolation-open", "a ${ is never closed: write } at its end, or $${ for a literal ${"
                )
            filled = self._look_up(text[start + 2 : end], folder)
            if start == 0 and end == len(text) - 1:
                return filled
            parts += (text[position:start], text_of(filled.value))
            secrets |= filled.secrets
            is_secret = is_secret or filled.is_secret
            position = end + 1
        whole = "".join((*parts, text[position:]))
        return Filled(whole, frozenset(secrets | {whole}) if is_secret else frozenset(), is_secret)

    def _look_up(self, inside: str, folder: Path) -> Filled:
        scheme, colon, rest = inside.partition(":")
        if scheme not in _SCHEMES or not colon:
            raise _unknown_scheme(inside, scheme)
        if "${" in rest:
            raise InterpolationError(
                "interpolation-nested", "a ${ stands inside a ${…}: that is not supported, use a variable"
            )
        if scheme == "file":
            return _secret(self._read(rest, folder))
        name, has_default, default = rest.partition(":-")
        if not _NAME.fullmatch(name):
            raise InterpolationError("interpolation-name", f"{name[:60]!r} is no name: write ${{{scheme}:NAME}}")
        if scheme == "env":
            return _secret(self._environment(name, default if has_default else None))
        if has_default:
            message = f"a variable has no default here: give {name} a value in spec.variables"
            raise InterpolationError("interpolation-default", message)
        return self._variable(name)

    def _environment(self, name: str, default: str | None) -> str:
        value = self.environ.get(name)
        if default is not None and not value:
            return default
        if value is None:
            near = get_close_matches(name, self.environ, 1, 0.8)
            meant = f"did you mean {near[0]}? Otherwise " if near else ""
            message = f"the environment variable {name} is not set; {meant}set it, or write ${{env:{name}:-default}}"
            raise InterpolationError("undefined-env", message)
        if not _is_text(value):
            raise InterpolationError("undefined-env", f"the environment variable {name} is no UTF-8 text")
        return value

    def _read(self, written: str, folder: Path) -> str:
        path = self._path(written, folder)
        if path not in self._files:
            try:
                if path.stat().st_size > _MAX_FILE_BYTES:
                    raise InterpolationError("undefined-file", f"the file {written[:200]!r} is larger than 1 MB")
                self._files[path] = path.read_text(encoding="utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                raise InterpolationError("undefined-file", f"the file {written[:200]!r} is no UTF-8 text") from None
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "not a path"
                message = f"the file {written[:200]!r} cannot be read ({reason}): looked for {path}"
                raise InterpolationError("undefined-file", message) from None
        return self._files[path]

    def _path(self, written: str, folder: Path) -> Path:
        if written == "~" or written.startswith("~/"):
            home = self.environ.get("HOME")
            return (Path(home) if home else Path.home()) / written[2:]
        return folder / written

    def _variable(self, name: str) -> Filled:
        if name in self._resolved:
            return self._resolved[name]
        if name not in self.variables:
            near = get_close_matches(name, self.variables, 1)
            known = ", ".join(sorted(self.variables)[:10]) or "none is declared"
            advice = f"did you mean {near[0]}?" if near else f"declare it in spec.variables (known: {known})"
            raise InterpolationError("undefined-var", f"the variable {name} is not declared; {advice}")
        if name in self._resolving:
            circle = " -> ".join((*self._resolving[self._resolving.index(name) :], name))
            raise InterpolationError("variable-cycle", f"variables that need each other: {circle}")
        self._resolving.append(name)
        try:
            words = self.variables[name]
            filled = self.fill(words, self.home) if isinstance(words, str) else Filled(words)
        finally:
            self._resolving.pop()
        self._resolved[name] = filled
        return filled


@dataclass(slots=True)
class Filling:
    """What came of a whole document: its value, the paths of what came from outside with the texts to hide, errors.

    Containers in which something was filled in are copies; `sources` has the `id` of what each one was copied from.
    """

    value: Any
    sources: dict[int, int] = field(default_factory=dict)
    secrets: dict[Path_, frozenset[str]] = field(default_factory=dict)
    errors: list[tuple[Path_, InterpolationError]] = field(default_factory=list)


def fill_all(value: Any, fill: Callable[[str], Filled]) -> Filling:
    """Fill in every string of a document; keys are left as they are. A string that cannot be filled in stays as it is.

    The value handed in is never changed: aliases share their parts.
    """
    filling = Filling(None)

    def walk(part: Any, path: Path_) -> Any:
        if isinstance(part, str):
            if "${" not in part:
                return part
            try:
                filled = fill(part)
            except InterpolationError as error:
                filling.errors.append((path, error))
                return part
            if filled.is_secret:
                filling.secrets[path] = filled.secrets
            return filled.value
        filled_in: Any
        if isinstance(part, dict):
            filled_in = {key: walk(one, (*path, key)) for key, one in part.items()}
            is_changed = any(filled_in[key] is not one for key, one in part.items())
        elif isinstance(part, list):
            filled_in = [walk(one, (*path, index)) for index, one in enumerate(part)]
            is_changed = any(new is not one for new, one in zip(filled_in, part, strict=True))
        else:
            return part
        if not is_changed:
            return part
        filling.sources[id(filled_in)] = id(part)
        return filled_in

    filling.value = walk(value, ())
    return filling


def _secret(text: str) -> Filled:
    return Filled(text, frozenset({text}), is_secret=True)


def _unknown_scheme(inside: str, scheme: str) -> InterpolationError:
    if ":" not in inside and _NAME.fullmatch(inside):
        message = (
            f"${{{inside}}} names no source: write ${{env:{inside}}} or ${{var:{inside}}}, or $${{ for a literal ${{"
        )
        return InterpolationError("interpolation-scheme", message)
    near = get_close_matches(scheme.strip().lower(), _SCHEMES, 1)
    meant = f"did you mean {near[0]}?" if near else "known are env, file and var; $${ is a literal ${"
    return InterpolationError("interpolation-scheme", f"${{{scheme[:40]}:…}} is not known; {meant}")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
