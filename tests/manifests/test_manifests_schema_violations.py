"""Whatever the quick validator refuses is explained by the other one, and nothing is explained that is right."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests_projects import AGENT, ENVIRON, check, write

from reconciler.manifests import json_schemas
from reconciler.manifests.document_kinds import DOCUMENT_KINDS
from reconciler.manifests.json_schemas import Violation, violations
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue, value_at

SCHEMAS = (json_schemas.project_schema_text(), *(kind.schema_text() for kind in DOCUMENT_KINDS.values()))
VALUES: st.SearchStrategy[YAMLValue] = st.one_of(
    st.sampled_from([None, True, 0, 1.5, "", "x", "a\n", "30s\n", "none", "APPROVED", "Yes", "é"]),
    st.builds(list[YAMLValue]),
    st.builds(dict[str, YAMLValue]),
    st.integers(),
    st.text(max_size=5),
)
KEYS = st.sampled_from(["name", "id", "cron", "every", "bogus", "Name", "from", "to", "url", "region", "wait"])
UNEXPLAINED = "the document is not what its schema allows"


def paths(part: YAMLValue, path: DocumentPath = ()) -> list[DocumentPath]:
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [path, *(one for key, value in inside for one in paths(value, (*path, key)))]


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, YAMLValue]:
    """An example of a schema, in which some values were replaced and some keys added or taken out."""
    schema = draw(st.sampled_from(SCHEMAS))
    document = copy.deepcopy(draw(st.sampled_from(json.loads(schema)["examples"])))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(paths(document)))
        holder, last = value_at(document, path[:-1]), path[-1] if path else draw(KEYS)
        if isinstance(holder, dict) and isinstance(last, str):
            holder.pop(last, None)
            holder[draw(st.one_of(st.just(last), KEYS))] = draw(VALUES)
        elif isinstance(holder, list) and isinstance(last, int):
            holder[last] = draw(VALUES)
    return schema, document


@pytest.mark.generated
@given(mangled())
def test_what_is_refused_is_explained_at_a_place_that_is_there(case: tuple[str, YAMLValue]) -> None:
    schema, document = case
    if json_schemas.is_valid(schema, document):
        return
    found = list(violations(schema, document))
    assert found
    assert UNEXPLAINED not in [one.message for one in found]
    for one in found:
        value_at(document, one.path)


def only(schema: object, document: YAMLValue) -> Violation:
    text = json.dumps(schema)
    assert not json_schemas.is_valid(text, document)
    (found,) = violations(text, document)
    return found


def test_alternatives_are_explained_by_the_one_that_comes_closest() -> None:
    schema = {
        "properties": {
            "when": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "additionalProperties": False, "properties": {"cron": {"type": "string"}}},
                ]
            }
        }
    }
    found = only(schema, {"when": {"cron": 5}})
    assert (found.path, found.code) == (("when", "cron"), "wrong-type")
    assert found.message == "`cron` must be text, not a number: put it in quotes"


def test_a_value_that_two_alternatives_allow() -> None:
    found = only({"properties": {"size": {"oneOf": [{"type": "integer"}, {"type": "number"}]}}}, {"size": 5})
    assert (found.path, found.code) == (("size",), "wrong-value")
    assert "`size` is more than one" in found.message


def test_a_key_that_a_schema_forbids_by_false() -> None:
    found = only({"properties": {"never": False}}, {"never": 1})
    assert found.code == "wrong-value"


def test_a_line_end_behind_a_name_is_seen() -> None:
    found = only({"properties": {"name": {"pattern": "^[a-z0-9]+$"}}}, {"name": "prices\n"})
    assert "has something else" in found.message


def test_a_schedule_that_is_no_mapping_is_a_mistake_like_others(tmp_path: Path) -> None:
    text = AGENT.partition("    - name")[0] + "    - true\n"
    _, problems = check(write(tmp_path, {"a.yaml": text}))
    assert [(one.line, one.column, one.code) for one in problems] == [(8, 7, "wrong-type")]


def test_what_explains_is_loaded_only_for_what_is_wrong(tmp_path: Path) -> None:
    code = (
        "import sys, datetime, pathlib\n"
        "import reconciler.kinds.registry\nfrom reconciler import manifests\n"
        f"manifests.check(pathlib.Path({str(tmp_path)!r}), None, {dict(ENVIRON)!r},"
        " as_of=datetime.datetime.now(datetime.UTC))\n"
        "print('jsonschema_rs' in sys.modules, 'jsonschema' in sys.modules)"
    )

    def loaded() -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    write(tmp_path, {"a.yaml": AGENT})
    assert loaded() == "True False"
    write(tmp_path, {"a.yaml": AGENT.replace("cron", "corn")})
    assert loaded() == "True True"
