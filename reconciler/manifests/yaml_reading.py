"""Reads the bytes of a file as YAML, fast where it is written plainly, and says why a file is none."""

from __future__ import annotations

import re

import yaml

from reconciler.files import MANIFEST_BYTES
from reconciler.manifests import fast_path
from reconciler.manifests.yaml_parsing import SourceError, YAMLDocument, documents
from reconciler.manifests.yaml_values import YAMLValue
from reconciler.quantities import size_text

_FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00")


def read(data: bytes) -> list[YAMLDocument]:
    """The documents of a file that hold anything. Raises SourceError at the first place that cannot be read."""
    text = decode(data)
    try:
        found = fast_path.read(text, _flow)
        return [YAMLDocument(one[0], index, one[1], one[2]) for index, one in enumerate(found) if one[0] is not None]
    except fast_path.Declined:
        pass
    return parse(text)


def _flow(written: str) -> YAMLValue:
    """A `{…}` or `[…]` that stands in one line, for the reader of the plain style."""
    try:
        (document,) = parse(written)
    except (SourceError, ValueError):
        raise fast_path.Declined from None
    if document.problems:
        raise fast_path.Declined
    return document.value


def parse(text: str) -> list[YAMLDocument]:
    """The same by the YAML parser, which knows all of YAML."""
    try:
        return list(documents(text))
    except yaml.reader.ReaderError as error:
        raise _forbidden_character(text) from error
    except yaml.MarkedYAMLError as error:
        raise _explained(text, error) from error


def decode(data: bytes) -> str:
    """The text of a file: UTF-8, with or without a byte-order mark. Raises SourceError."""
    if len(data) > MANIFEST_BYTES:
        most = size_text(MANIFEST_BYTES)
        raise SourceError("file-too-large", f"the file is larger than {most}, the most that is read: split it")
    if data.startswith(_WIDE_MARKS[:2]) or b"\x00" in data[:4]:
        raise SourceError("encoding", "the file looks like UTF-16 or UTF-32: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").lstrip("\ufeff")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = f"byte 0x{data[error.start]:02x} is no UTF-8: save the file as UTF-8"
        raise SourceError("encoding", message, line, column) from None


def _forbidden_character(text: str) -> SourceError:
    match = _FORBIDDEN.search(text)
    start = match.start() if match else 0
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    shown = f"U+{ord(match[0]):04X}" if match else "a control character"
    return SourceError("control-character", f"the character {shown} may not stand in YAML: remove it", line, column)


def _explained(text: str, error: yaml.MarkedYAMLError) -> SourceError:
    """libyaml's complaint, with the usual cause where the line gives it away."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    indent = written[: len(written) - len(written.lstrip())]
    if "\t" in indent:
        message = "a tab stands in the indentation: YAML indents with spaces"
        return SourceError("tab", message, line, indent.index("\t") + 1)
    if "found character" in words and column <= len(written) and written[column - 1] in "@`%":
        message = f"plain text cannot begin with {written[column - 1]}: put it in quotes"
        return SourceError("syntax", message, line, column)
    if "mapping values are not allowed" in words:
        message = "a colon here makes no sense: put text that contains `: ` in quotes, or check the indentation"
        return SourceError("syntax", message, line, column)
    if "flow" in words and "${" in written:
        message = "inside { } or [ ] a text with ${…} needs quotes around it"
        return SourceError("syntax", message, line, column)
    return SourceError("syntax", f"this is no YAML: {words}", line, column)
