"""What differs between whole structures; and deepdiff as the judge of `diff.changes`, which we wrote ourselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.diff import changes
from reconciler.model.plan import FieldChange
from reconciler.model.state import JSON
from reconciler.structure_diff import difference_text, differences

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab_0", max_size=3)
STATES = st.recursive(SCALARS, lambda inner: st.dictionaries(st.text("ab_", min_size=1, max_size=3), inner, max_size=4))
DOCUMENTS = st.dictionaries(st.text("ab_", min_size=1, max_size=3), STATES, max_size=4)


def leaves(path: str, value: JSON) -> Iterator[tuple[str, JSON]]:
    """A value as `changes` walks it: mappings to their ends, where None is what is not there."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(f"{path}.{key}" if path else key, inner)
    elif value is not None:
        yield path, value


def judged(before: JSON, after: JSON) -> dict[str, tuple[JSON, JSON]]:
    """What deepdiff finds, in the terms of `changes`: no difference between 1 and True, or between null and nothing."""
    found: dict[str, tuple[JSON, JSON]] = {}
    for each in differences(before, after):
        if each.before == each.after:
            continue
        sides = [side for side in (each.before, each.after) if side is not None]
        if all(isinstance(side, Mapping) for side in sides):
            found |= {path: (value, None) for path, value in leaves(each.path, each.before)}
            found |= {path: (None, value) for path, value in leaves(each.path, each.after)}
        else:
            found[each.path] = (each.before, each.after)
    return found


@given(DOCUMENTS, DOCUMENTS)
@example({"__a": 1}, {"__a": 2})
@example({"a": {}}, {"a": None})
@example({"a": {"b": 1}}, {"a": 1})
@example({"a": True}, {"a": 1})
def test_changes_finds_what_deepdiff_finds(before: JSON, after: JSON) -> None:
    assert {each.path: (each.before, each.after) for each in changes(before, after)} == judged(before, after)


def test_lists_are_walked_and_places_are_named() -> None:
    before = {"files": [{"name": "a.csv"}, {"name": "b.csv"}], "enabled": True}
    after = {"files": [{"name": "a.csv"}, {"name": "c.csv"}], "level": 1}
    assert differences(before, after) == (
        FieldChange("enabled", True, None),
        FieldChange("files[1].name", "b.csv", "c.csv"),
        FieldChange("level", None, 1),
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ({"a": "x"}, {}, 'a: "x" was sent, nothing came back'),
        ({"a": "x" * 99}, {"a": "y"}, f'a: "{"x" * 58}… was sent, "y" came back'),
        (
            dict.fromkeys("abcde", 1),
            dict.fromkeys("abcde", 2),
            "a: 1 was sent, 2 came back; b: 1 was sent, 2 came back; c: 1 was sent, 2 came back and 2 more",
        ),
    ],
)
def test_differences_in_words(before: JSON, after: JSON, said: str) -> None:
    assert difference_text(before, after, was="was sent", now="came back") == said


def test_of_a_field_with_a_secret_nothing_is_shown_but_its_name() -> None:
    before = {"cron": "a", "inputParameters": {"Password": "p", "depth": "1"}, "every": None}
    after = {"cron": "b", "inputParameters": {"password": "p", "depth": "2"}, "every": None}
    said = difference_text(before, after, was="was sent", now="came back", secrets=("inputParameters.Password",))
    assert said == 'cron: "a" was sent, "b" came back; inputParameters'


def test_deepdiff_is_imported_only_when_it_is_asked() -> None:
    code = "import sys, reconciler.planfile, reconciler.structure_diff; sys.exit('deepdiff' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
