"""Fills in `${env:…}`, `${file:…}` and `${var:…}`, and remembers what came from outside: such values are secret.

What is filled in is data: it is neither interpolated again nor read as YAML. `${env:NAME:-default}` takes the default
when NAME is unset or empty, as a shell does. A string that is nothing but one `${var:NAME}` takes the variable as it
was written, so a variable may hold `true` or a number.
"""

from __future__ import annotations

import errno
import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from reconciler.files import VALUE_BYTES, read_regular
from reconciler.manifests.placeholders import PLACEHOLDER
from reconciler.manifests.unset_values import UnsetValues
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, is_writable, text_of
from reconciler.model.copies import replace
from reconciler.quantities import size_text
from reconciler.suggestion import Suggestions

_SCHEMES = ("env", "file", "var")
_LONGEST_NAME = 200
_DEEPEST = 32
_DEEPEST_ASKED = 4
_MOST_FILLED = 100_000_000
_TOO_MUCH = (
    f"all that is filled in with ${{…}} is more than {size_text(_MOST_FILLED)} together: use shorter values here"
)
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)


class InterpolationError(Exception):
    """A `${…}` that cannot be filled in. `is_reported`: this was reported before, and once is enough.

    `is_unset`: the variable or the file is not there, which is no mistake of whoever wrote the manifest.
    """

    def __init__(self, code: str, message: str, *, is_reported: bool = False, is_unset: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.is_reported, self.is_unset = code, message, is_reported, is_unset

    def reported(self) -> InterpolationError:
        """The same, once it was reported."""
        return InterpolationError(self.code, self.message, is_reported=True)


class FilledValue(Struct, frozen=True):
    """A value after interpolation. `secrets`: what came from `env` or `file`, raw, and the whole that holds it.

    `files` are those that it was read from. A default that was written in the manifest is no secret. `unset` is what
    of it is not known, as `secrets` would hold it, with `${env:NAME}` where the value would stand; `uses` are the names
    of what is not there, as often as they are written in it.
    """

    value: YAMLValue
    secrets: frozenset[str] = frozenset()
    is_secret: bool = False
    files: frozenset[Path] = frozenset()
    unset: frozenset[str] = frozenset()
    uses: tuple[str, ...] = ()


def joined(parts: Iterable[str | FilledValue]) -> FilledValue:
    """The text that parts are together. Raises InterpolationError where what is filled in makes it too long."""
    texts: list[str] = []
    filled: list[FilledValue] = []
    size = 0
    for part in parts:
        texts.append(part if isinstance(part, str) else text_of(part.value))
        if not isinstance(part, str):
            filled.append(part)
            size += len(texts[-1])
            if size > VALUE_BYTES:
                most = size_text(VALUE_BYTES)
                message = f"what is filled in here is longer than {most}, the most that a value may be"
                raise InterpolationError("interpolation-size", message)
    whole = "".join(texts)
    secrets = {text for one in filled for text in one.secrets}
    unset = {text for one in filled for text in one.unset}
    is_secret = any(one.is_secret for one in filled)
    if is_secret:
        (unset or secrets).add(whole)
    files = frozenset(file for one in filled for file in one.files)
    uses = tuple(use for one in filled for use in one.uses)
    return FilledValue(whole, frozenset(secrets), is_secret, files, unset=frozenset(unset), uses=uses)


@dataclass(slots=True)
class Interpolator:
    """Fills in strings for one project and environment; variables are resolved once, when first asked for.

    `variables` holds each variable's words, `home` the folder that relative `${file:…}` in variables are meant from.
    With `unset` a variable or a file that is not there is told to it, and a value that is not known stands for it.
    How deep variables may stand in each other, and how much may be filled in, is limited: ten lines that double each
    other would be a thousand times as long, and forty would fill any memory.
    """

    environ: Mapping[str, str]
    variables: Mapping[str, YAMLValue]
    home: Path
    unset: UnsetValues | None = None
    _resolved: dict[str, FilledValue | InterpolationError] = field(default_factory=dict)
    _resolving: list[str] = field(default_factory=list)
    _files: dict[Path, str | InterpolationError] = field(default_factory=dict)
    _left: int = _MOST_FILLED
    _like_variable: Suggestions = field(init=False)
    _like_environ: Suggestions = field(init=False)
    _known: str = field(init=False)

    def __post_init__(self) -> None:
        self._like_variable = Suggestions(self.variables)
        self._like_environ = Suggestions(self.environ)
        self._known = f"known: {', '.join(heapq.nsmallest(10, self.variables)) or 'none is declared'}"

    def fill(self, text: str, folder: Path) -> FilledValue:
        """One string, as it stands in a file of `folder`. Raises InterpolationError."""
        if "${" not in text:
            return FilledValue(text)
        self.spend(0)
        filled = self._filled(text, folder)
        self.spend(len(filled.value) if isinstance(filled.value, str) else 0)
        return filled

    def spend(self, size: int) -> None:
        """Count what is filled in. Raises InterpolationError once it is too much, which is reported the first time."""
        if self._left < 0:
            raise InterpolationError("interpolation-budget", _TOO_MUCH, is_reported=True)
        self._left -= size
        if self._left < 0:
            raise InterpolationError("interpolation-budget", _TOO_MUCH)

    def _filled(self, text: str, folder: Path) -> FilledValue:
        if (only := PLACEHOLDER.fullmatch(text)) is not None and only["inside"] is not None and only["end"]:
            return self._look_up(only["inside"], folder)
        return joined(self._parts(text, folder))

    def _parts(self, text: str, folder: Path) -> Iterator[str | FilledValue]:
        """What stands in a text, one after the other; each is looked up once those before it are taken."""
        position = 0
        for match in PLACEHOLDER.finditer(text):
            yield text[position : match.start()]
            position = match.end()
            if match["inside"] is None:
                yield "${"
            elif match["end"]:
                yield self._look_up(match["inside"], folder)
            else:
                message = "a ${ is never closed: write } at its end, or $${ for a literal ${"
                raise InterpolationError("interpolation-open", message)
        yield text[position:]

    def _look_up(self, inside: str, folder: Path) -> FilledValue:
        scheme, colon, rest = inside.partition(":")
        if scheme not in _SCHEMES or not colon:
            raise _unknown_scheme(inside, scheme)
        if "${" in rest:
            raise InterpolationError(
                "interpolation-nested", "a ${ stands inside a ${…}: that is not supported, use a variable"
            )
        if scheme == "file":
            path = self._path(rest, folder)
            try:
                text = self._read(rest, folder)
            except InterpolationError as error:
                return self._unset(f"file:{path}", error)
            if not text and self.unset is not None and self.unset.is_empty_unset:
                message = f"the file {rest[:200]!r} is empty: looked at {path}"
                return self._unset(f"file:{path}", InterpolationError("undefined-file", message, is_unset=True))
            return _secret(text, path)
        name, has_default, default = rest.partition(":-")
        if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
            raise InterpolationError("interpolation-name", f"{name[:60]!r} is no name: write ${{{scheme}:NAME}}")
        if scheme == "env":
            return self._environment(name, default if has_default else None)
        if has_default:
            message = f"a variable has no default here: give {name} a value in spec.variables"
            raise InterpolationError("interpolation-default", message)
        return self._variable(name)

    def _environment(self, name: str, default: str | None) -> FilledValue:
        value = self.environ.get(name)
        if default is not None and not value:
            return FilledValue(default)
        if value is None or (not value and self.unset is not None and self.unset.is_empty_unset):
            near = self._like_environ.nearest(name, 0.8) if value is None else ""
            meant = f"did you mean {near}? Otherwise " if near else ""
            lacks = "is not set" if value is None else "is empty"
            message = f"the environment variable {name} {lacks}; {meant}set it, or write ${{env:{name}:-default}}"
            return self._unset(f"env:{name}", InterpolationError("undefined-env", message, is_unset=True))
        if not is_writable(value):
            raise InterpolationError("undefined-env", f"the environment variable {name} is no UTF-8 text")
        return _secret(value)

    def _unset(self, name: str, error: InterpolationError) -> FilledValue:
        """What stands for a value that is not there, where that is no mistake; otherwise raises the error."""
        if self.unset is None or not error.is_unset:
            raise error
        self.unset.reasons.setdefault(name, (error.code, error.message))
        value = f"${{{name.replace('}', '')}}}"
        return FilledValue(value, is_secret=True, unset=frozenset({value}), uses=(name,))

    def _read(self, written: str, folder: Path) -> str:
        path = self._path(written, folder)
        if path not in self._files:
            self._files[path] = _content(path, written)
        found = self._files[path]
        if isinstance(found, InterpolationError):
            raise found
        return found

    def _path(self, written: str, folder: Path) -> Path:
        if written == "~" or written.startswith("~/"):
            home = self.environ.get("HOME")
            return (Path(home) if home else Path.home()) / written[2:]
        return folder / written

    def _variable(self, name: str) -> FilledValue:
        if name in self._resolved:
            found = self._resolved[name]
            if isinstance(found, InterpolationError):
                raise found
            return found
        if name not in self.variables:
            near = self._like_variable.nearest(name)
            advice = f"did you mean {near}?" if near else f"declare it in spec.variables ({self._known})"
            raise InterpolationError("undefined-var", f"the variable {name} is not declared; {advice}")
        if name in self._resolving:
            circle = " -> ".join((*self._resolving[self._resolving.index(name) :], name))
            raise InterpolationError("variable-cycle", f"variables that need each other: {circle}")
        if len(self._resolving) >= _DEEPEST:
            trail = " -> ".join((*self._resolving[:3], "…", name))
            message = f"variables stand in each other more than {_DEEPEST} deep: {trail}"
            raise InterpolationError("variable-depth", message)
        self._resolving.append(name)
        try:
            words = self.variables[name]
            if isinstance(words, dict | list):
                message = f"the variable {name} is no plain value, and cannot be filled in"
                raise InterpolationError("variable-type", message)
            filled = self.fill(words, self.home) if isinstance(words, str) else FilledValue(words)
        except InterpolationError as error:
            if not error.is_reported:
                self._resolved[name] = error
            raise
        finally:
            self._resolving.pop()
        filled = replace(filled, uses=()) if filled.uses else filled
        self._resolved[name] = filled
        return filled


def _content(path: Path, written: str) -> str | InterpolationError:
    """What a file holds, without the line ends at its end; or why it cannot be taken."""
    try:
        text = read_regular(path, VALUE_BYTES).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return InterpolationError("undefined-file", f"the file {written[:200]!r} is no UTF-8 text")
    except OSError as error:
        message = f"the file {written[:200]!r} cannot be read ({error.strerror}): looked for {path}"
        return InterpolationError("undefined-file", message, is_unset=error.errno in _NOT_THERE)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _secret(text: str, *files: Path) -> FilledValue:
    return FilledValue(text, frozenset({text}), is_secret=True, files=frozenset(files))


def _unknown_scheme(inside: str, scheme: str) -> InterpolationError:
    if re.split(r"[.:]", inside.strip(), maxsplit=1)[0].lower() == "each":
        message = (
            f"${{{inside[:60]}}} is not known here: ${{each.KEY}} stands in a document with forEach, for an item's KEY"
        )
        return InterpolationError("interpolation-each", message)
    if ":" not in inside and _NAME.fullmatch(inside):
        message = (
            f"${{{inside}}} names no source: write ${{env:{inside}}} or ${{var:{inside}}}, or $${{ for a literal ${{"
        )
        return InterpolationError("interpolation-scheme", message)
    near = get_close_matches(scheme.strip().lower(), _SCHEMES, 1)
    meant = f"did you mean {near[0]}?" if near else "known are env, file and var; $${ is a literal ${"
    return InterpolationError("interpolation-scheme", f"${{{scheme[:40]}:…}} is not known; {meant}")


# --- documents ------------------------------------------------------------------------------------------------------


class FilledDocument(Struct):
    """What came of a whole document: its value, the paths of what came from outside with the texts to hide, errors.

    `unset` has the paths of what is not known, with what would be secret of it, and `uses` where it is written.
    Containers in which something was filled in are copies; `sources` has the `id` of what each one was copied from.
    """

    value: YAMLValue
    sources: dict[int, int] = {}
    secrets: dict[DocumentPath, frozenset[str]] = {}
    errors: list[tuple[DocumentPath, InterpolationError]] = []
    files: dict[DocumentPath, frozenset[Path]] = {}
    inside: dict[DocumentPath, list[DocumentPath]] = {}
    unset: dict[DocumentPath, frozenset[str]] = {}
    uses: list[tuple[DocumentPath, str]] = []

    def secrets_under(self, path: DocumentPath) -> list[DocumentPath]:
        """The secret paths at this path and below it, which is `spec`, a block of it, or a mapping in that block."""
        return self.inside.get(path, [])

    def note(self, path: DocumentPath, filled: FilledValue) -> None:
        """Remember what is to be known of a value that was filled in at a path."""
        if filled.is_secret:
            self.add_secret(path, filled.secrets)
        if filled.files:
            self.files[path] = filled.files
        if filled.unset:
            self.add_unset(path, filled.unset, filled.uses)

    def add_secret(self, path: DocumentPath, texts: frozenset[str]) -> None:
        """What stands at a path came from outside."""
        if path not in self.secrets:
            for length in range(min(len(path), _DEEPEST_ASKED) + 1):
                self.inside.setdefault(path[:length], []).append(path)
        self.secrets[path] = texts

    def add_unset(self, path: DocumentPath, texts: frozenset[str], uses: Iterable[str] = ()) -> None:
        """What stands at a path is not known; `uses` are the names of what is not there that are written here."""
        self.unset[path] = texts
        self.uses += [(path, name) for name in uses]


def fill_document(value: YAMLValue, fill: Callable[[str], FilledValue]) -> FilledDocument:
    """Fill in every string of a document; keys are left as they are. A string that cannot be filled in stays as it is.

    The value handed in is never changed: aliases share their parts.
    """
    document = FilledDocument(None)
    document.value = _fill_part(value, (), fill, document)
    return document


def _fill_part(
    part: YAMLValue, path: DocumentPath, fill: Callable[[str], FilledValue], document: FilledDocument
) -> YAMLValue:
    if isinstance(part, str):
        if "${" not in part:
            return part
        try:
            filled = fill(part)
        except InterpolationError as error:
            document.errors.append((path, error))
            return part
        document.note(path, filled)
        return filled.value
    filled_in: YAMLValue
    if isinstance(part, dict):
        filled_in = {key: _fill_part(one, (*path, key), fill, document) for key, one in part.items()}
        is_changed = any(filled_in[key] is not one for key, one in part.items())
    elif isinstance(part, list):
        filled_in = [_fill_part(one, (*path, index), fill, document) for index, one in enumerate(part)]
        is_changed = any(new is not one for new, one in zip(filled_in, part, strict=True))
    else:
        return part
    if not is_changed:
        return part
    document.sources[id(filled_in)] = id(part)
    return filled_in
