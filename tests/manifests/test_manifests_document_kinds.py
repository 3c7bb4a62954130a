"""A kind of document of one's own needs nothing but to be registered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from manifests_projects import AGENT, PROJECT, check, desired, places, state_of, write

from reconciler import manifests
from reconciler.errors import UsageError
from reconciler.manifests.declarations import Declared, Scope, UnconnectedResource
from reconciler.manifests.document_kinds import DOCUMENT_KINDS, BlockSort
from reconciler.manifests.documents import ManifestDocument
from reconciler.manifests.yaml_values import DocumentPath, text_or_nothing
from reconciler.model.address import Address
from reconciler.model.resource import Resource
from reconciler.model.state import State

SCHEMA = {
    "type": "object",
    "required": ["kind", "metadata", "spec"],
    "properties": {
        "kind": {"const": "Bell"},
        "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
        "spec": {
            "type": "object",
            "required": ["tone"],
            "additionalProperties": False,
            "properties": {
                "tone": {"type": "string", "enum": ["high", "low"]},
                "code": {"type": "string"},
                "after": {"type": "string"},
            },
        },
    },
}
BELL = """\
kind: Bell
metadata: {name: door}
spec: {tone: high, code: "${env:CODE}", after: schedule/prices/nightly}
"""


class BellState(State, frozen=True):
    tone: str


class BellDocument:
    document = "Bell"
    connection = ""
    secret_keys = frozenset({"code"})
    is_template = False
    blocks: tuple[BlockSort, ...] = ()

    def schema_text(self) -> str:
        return json.dumps(SCHEMA)

    def declare(self, document: ManifestDocument, scope: Scope, declared: Declared) -> None:
        address = self.address_at(document, ())
        report = document.report.at(str(address))
        origin = document.origin(document.parsed.value, ())
        resource = Resource(address, BellState(str(document.spec_part("tone"))), origin)
        after = text_or_nothing(document.spec_part("after"))
        patterns: list[tuple[str, DocumentPath]] = [(after, ("spec", "after"))] if after else []
        declared.unconnected.append(UnconnectedResource(resource, patterns, report))

    def address_at(self, document: ManifestDocument, path: DocumentPath) -> Address:
        return Address("trigger", "", document.handle)


@pytest.fixture(autouse=True)
def bells() -> Iterator[None]:
    bell = BellDocument()
    DOCUMENT_KINDS[bell.document] = bell
    yield
    del DOCUMENT_KINDS[bell.document]


def test_its_documents_declare_resources_beside_the_others(tmp_path: Path) -> None:
    found = desired(write(tmp_path, {"all.yaml": f"{BELL}---\n{AGENT}"}), {"CODE": "4711", "ACC_TOKEN": "token"})
    bell = next(one for one in found.resources if one.address.name == "door")
    assert state_of(bell, BellState) == BellState("high")
    assert [str(need) for need in bell.needs] == ["schedule/prices/nightly"]
    assert "4711" in found.secret_values


def test_it_needs_no_connection_where_it_names_none(tmp_path: Path) -> None:
    project = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: retail}\nspec: {}\n"
    bell = "kind: Bell\nmetadata: {name: door}\nspec: {tone: low}\n"
    assert [str(one.address) for one in desired(write(tmp_path, {"a.yaml": bell}, project)).resources] == [
        "trigger/door"
    ]


def test_its_schema_is_what_documents_are_held_against(tmp_path: Path) -> None:
    wrong = BELL.replace("tone: high", "tone: hihg, loud: true")
    _, problems = check(write(tmp_path, {"bell.yaml": wrong}), {"CODE": "4711", "ACC_TOKEN": "token"})
    assert [(one.code, one.address) for one in problems] == [
        ("wrong-value", "trigger/door"),
        ("unknown-key", "trigger/door"),
        ("no-match", "trigger/door"),
    ]
    assert [(line, column) for _, line, column, _ in places(problems)] == [(3, 14), (3, 20), (3, 60)]
    assert "did you mean high?" in problems[0].message


def test_its_schema_is_printed_and_its_name_is_known(tmp_path: Path) -> None:
    schema = json.loads(manifests.schema_text("bell"))
    assert schema["properties"]["kind"] == {"const": "Bell"}
    tone = schema["properties"]["spec"]["properties"]["tone"]
    assert [jsonschema.Draft202012Validator(tone).is_valid(one) for one in ("high", "${var:tone}", "x")] == [
        True,
        True,
        False,
    ]
    assert manifests.document_names() == ("Project", "Agent", "ScheduleTemplate", "TaskTrigger", "Bell")
    assert "Bell" in json.loads(manifests.schema_text())["$defs"]
    with pytest.raises(UsageError) as raised:
        manifests.schema_text("Bel")
    assert "Bell" in raised.value.hint
    _, problems = check(write(tmp_path, {"bell.yaml": BELL.replace("kind: Bell", "kind: Bel")}, PROJECT))
    assert "did you mean Bell?" in problems[0].message
