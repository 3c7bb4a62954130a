"""The reader of the plain style and the parser of all of YAML say the same, and manifests are written plainly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests_projects import AGENT, TRIGGER

from reconciler.manifests import fast_path, yaml_parsing, yaml_reading
from reconciler.manifests.yaml_values import Place

PIECES = st.sampled_from(
    [
        *(
            "a:",
            "bc:",
            "kind:",
            " ",
            "  ",
            "    ",
            "- ",
            "-",
            "\n",
            "\n",
            "\n",
            "\n  ",
            "\n    ",
            "\n- ",
            "\n  - ",
            "---\n",
        ),
        *(" 5", " 007", " true", " ~", " on", " x y", " 2026-01-01T02:00:00", " https://x.y/z", " ${var:x}", " a: b"),
        *(" 'q'", ' "q"', " 'it''s'", ' "\\n"', " {a: 1, b: x}", " [1, two]", " {}", " []", " {a: {b: 1}}", " {a: 1"),
        *(
            " # note",
            "# note",
            " #",
            "x#y",
            " &a 1",
            " *a",
            " !t 1",
            " |",
            " >",
            "\t",
            "?",
            ",",
            "]",
            "}",
            ":",
            "'",
            '"',
            "é",
        ),
    ]
)
STYLED = st.lists(PIECES, max_size=25).map("".join)
LINES = st.lists(
    st.builds(
        "{}{}{}:{}{}".format,
        st.sampled_from(["", "  ", "    ", "      "]),
        st.sampled_from(["", "", "- "]),
        st.sampled_from("abcd"),
        st.sampled_from(["", "", " x", " 5", " {p: q}", " [1]", ' "x: y"', " a b", " ''"]),
        st.sampled_from(["", "", " ", " # c", "\n", "\n---", "\n  # c"]),
    ),
    max_size=12,
).map("\n".join)


@st.composite
def mangled(draw: st.DrawFn, text: str) -> str:
    """A manifest into which some of the pieces were typed."""
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(PIECES) + text[draw(st.integers(start, min(len(text), start + 12))) :]
    return text


def _outcome(reader: Callable[[str], list[yaml_parsing.YAMLDocument]], text: str) -> object:
    try:
        documents = reader(text)
    except yaml_parsing.SourceError as error:
        return (error.code, error.line, error.column)
    return [
        (document.index, document.place, _placed(document.value, document), [str(one) for one in document.problems])
        for document in documents
    ]


def _place_of(container: object, document: yaml_parsing.YAMLDocument) -> Place:
    return document.places.get(id(container), document.place)


def _placed(value: Any, document: yaml_parsing.YAMLDocument) -> Any:
    """A value in which every container shows its place, and every scalar its type."""
    if isinstance(value, dict):
        return _place_of(value, document), [(key, _placed(one, document)) for key, one in value.items()]
    if isinstance(value, list):
        return _place_of(value, document), [_placed(one, document) for one in value]
    return type(value).__name__, value


@settings(deadline=None, max_examples=400)
@given(STYLED | LINES | mangled(AGENT + "---\n" + TRIGGER))
def test_the_plain_reader_says_what_the_parser_says(text: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    assert _outcome(lambda _: yaml_reading.read(data), text) == _outcome(yaml_reading.parse, yaml_parsing.decode(data))


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "examples" / "manifests").glob("*.yaml")), ids=str)
def test_the_examples_are_written_in_the_plain_style(path: Path) -> None:
    documents = fast_path.read(path.read_text(), lambda text: yaml_reading.parse(text)[0].value)
    assert [document[0] for document in documents] == [
        document.value for document in yaml_reading.parse(path.read_text())
    ]
