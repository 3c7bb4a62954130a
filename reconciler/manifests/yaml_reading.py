"""Reads the bytes of a file as YAML, fast where it is written plainly, and says why a file is none."""

from __future__ import annotations

import re

import yaml

from reconciler.manifests import fast_path
from reconciler.manifests.problems import Problems, SourceFile
from reconciler.manifests.yaml_parsing import SourceError, YAMLDocument, decode, documents
from reconciler.manifests.yaml_values import YAMLValue

_FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def read_file(file: SourceFile, problems: Problems) -> list[YAMLDocument]:
    """The documents of a file that hold anything; what is wrong goes to `problems`, and is not read."""
    if not file.read(problems):
        return []
    try:
        found = read(file.data)
    except SourceError as error:
        problems.add(file, (error.line, error.column), error.code, error.message)
        return []
    for problem in (problem for document in found for problem in document.problems):
        problems.add(file, (problem.line, problem.column), problem.code, problem.message)
    return found


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
    message = f"this is no YAML: {words}"
    if "found character" in words and column <= len(written) and written[column - 1] in "@`%":
        message = f"plain text cannot begin with {written[column - 1]}: put it in quotes"
    elif "mapping values are not allowed" in words:
        message = "a colon here makes no sense: put text that contains `: ` in quotes, or check the indentation"
    elif "flow" in words and "${" in written:
        message = "inside { } or [ ] a text with ${…} needs quotes around it"
    return SourceError("syntax", message, line, column)
