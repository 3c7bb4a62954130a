"""An edit of an item says what was meant, reads back as it, and leaves every other byte of the file as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import item_files
from reconciler.manifests.item_edit import EditedJSON, EditedTable, edited_list
from reconciler.manifests.yaml_document_edit import CannotEdit
from reconciler.manifests.yaml_values import YAMLValue, mapping_of, text_of

TEXTS = st.text(
    st.one_of(st.sampled_from(",\"\r\n\t ;#'\\{}[]:-$é\u2028"), st.characters(exclude_categories=["Cs", "Cc"])),
    max_size=8,
)
CELLS = st.one_of(TEXTS, st.sampled_from(["5", "true", "007", "a,b", '"', ""]))


@st.composite
def tables(draw: Any) -> tuple[str, list[list[str]]]:
    """A table as people and programs write it, and the cells of its rows: short ones, quotes, empty lines, any end."""
    columns = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(CELLS, min_size=1, max_size=columns), min_size=1, max_size=4))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = [",".join(f"k{number}" for number in range(columns))]
    for row in rows:
        if len(row) == 1 and not row[0].strip():
            row[0] = "x"
        quoted = [draw(st.booleans()) or any(char in cell for char in ',"\r\n') for cell in row]
        cells = zip(row, quoted, strict=True)
        lines.append(",".join('"' + cell.replace('"', '""') + '"' if has else cell for cell, has in cells))
        lines += [""] * draw(st.integers(0, 1))
    text = draw(st.sampled_from(["", "\ufeff"])) + end.join(lines) + draw(st.sampled_from(["", end]))
    return text, rows


EDITS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["k0", "k1", "k3", "new", "more"]), CELLS), max_size=4)


@given(tables(), EDITS)
def test_a_table_holds_the_edits_and_nothing_else_moved(
    table: tuple[str, list[list[str]]], edits: list[tuple[int, str, str]]
) -> None:
    text, rows = table
    file = EditedTable(text.encode())
    assert file.text == file.before == text
    before = [mapping_of(row) for row, _ in item_files.read_table(text.removeprefix("\ufeff"))]
    edits = [(number, key, value) for number, key, value in edits if number < len(rows)]
    expected = [dict(row) for row in before]
    for number, key, value in edits:
        assert file.obstacle(number, key) is None
        file.set_value(number, key, value)
        for row in expected:
            row.setdefault(key, "")
        expected[number][key] = item_files.cell_value(value)
    try:
        after = file.text
    except CannotEdit:
        # A line with nothing in it but space is no row.
        assert any(not value.strip() for _, _, value in edits)
        return
    assert [mapping_of(row) for row, _ in item_files.read_table(after.removeprefix("\ufeff"))] == expected
    touched = {number for number, _, _ in edits}
    for number, row in enumerate(before):
        if number not in touched:
            assert expected[number].items() >= row.items()
    assert after.count("\r\n") - text.count("\r\n") == sum(
        value.count("\r\n") for value in {(n, k): v for n, k, v in edits}.values()
    ) - sum(text_of(before[n].get(k)).count("\r\n") for n, k in {(n, k) for n, k, _ in edits})


OBJECTS = st.lists(st.dictionaries(st.sampled_from(["k0", "k1", "k2"]), TEXTS, max_size=3), min_size=1, max_size=3)


@given(OBJECTS, st.sampled_from([None, 0, 1, "\t"]), EDITS)
def test_json_holds_the_edits_and_stays_json(
    items: list[dict[str, str]], indent: Any, edits: list[tuple[int, str, str]]
) -> None:
    text = json.dumps(items, indent=indent, ensure_ascii=False)
    file = EditedJSON(text.encode())
    assert file.text == text
    for number, key, value in edits:
        if number < len(items):
            file.set_value(number, key, value)
            items[number][key] = value
    assert json.loads(file.text) == items
    if indent is not None and all(items) and all(json.loads(text)):
        assert file.text == json.dumps(items, indent=indent, ensure_ascii=False), "as whoever wrote it would have"


@pytest.mark.parametrize("value", ["a: b", True, 5, "5", "${x}", ""])
def test_yaml_holds_what_was_set(value: YAMLValue) -> None:
    items = edited_list(b"---\n# empty\n---\n- a: 1  # one\n- {b: 2}\n")
    items.set_value(0, "new", value)
    items.set_value(1, "b", value)
    assert items.keys() == {"a", "new", "b"}
    assert "- a: 1  # one\n  new: " in items.file.text
    assert items.value(1, "b") == value
