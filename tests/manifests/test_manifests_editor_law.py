"""What the tool accepts, the schemas for editors accept: in whatever form a value may be written, and filled in or not.

The tool is the judge: a drawn document that it refuses says nothing, one that it accepts must be accepted.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from manifests_projects import ENVIRON, check, write

from reconciler import manifests
from reconciler.manifests import schema_sources
from reconciler.manifests.yaml_values import YAMLValue, mapping_of

Values: TypeAlias = st.SearchStrategy[Any]  # of YAML

NAMES = st.sampled_from(["a", "nightly", "x.1-b_c", "n" * 200])
GUIDS = st.sampled_from(["d9c944df-93a7-ea77-f7b7-fa0b9c579917", " {D9C944DF-93A7-EA77-F7B7-FA0B9C579917} "])
PLAIN = st.one_of(st.booleans(), st.integers(-5, 5), st.sampled_from([1.5, "", "x", "yes", "2026-01-01", "é"]))
DURATIONS = st.sampled_from(["30s", " 1.5 h ", "500ms", "2m", "1d"])


def some(required: dict[str, Values], optional: dict[str, Values]) -> Values:
    return st.fixed_dictionaries(required, optional=optional)


def listed(values: Values) -> Values:
    return st.lists(values, max_size=2)


def mapped(values: Values) -> Values:
    return st.dictionaries(st.sampled_from(["region", "key 1", "password"]), values, max_size=2)


SETTINGS: dict[str, Values] = {
    "inputParameters": mapped(PLAIN),
    "logLevel": st.sampled_from(["none", "high", 0, 3, "1"]),
    "sessionId": st.sampled_from(["1-5/5", 7]),
    "windowless": st.booleans(),
    "enabled": st.sampled_from([True, False, "keep"]),
    "protect": st.booleans(),
    "expect": some({}, {"within": DURATIONS, "errors": st.sampled_from([0, "<10"]), "dataCount": st.just(">0")}),
}
CRON = st.sampled_from(["0 0 2 * * MON-FRI", " 0  30 5 LW * ? ", "0 15 0 0", "0 0 2,4 1-5/2 1#2 *", "*/30 * * * * *"])
EVERY = st.sampled_from(["15m", " 1 5 M ", "30s", "6H", "1d"])
WHEN: dict[str, Values] = {
    "startTime": st.sampled_from(["2026-01-01T02:00:00", "2026-01-01", " 2026-02-28 23:59 ", "2025-12-31T00:00"]),
    "timeZone": st.sampled_from(["UTC", "Australia/Sydney", "AUS Eastern Standard Time"]),
}
NAMED: dict[str, Values] = {"name": NAMES}
SCHEDULES = st.one_of(
    some({**NAMED, **WHEN, "cron": CRON}, {**SETTINGS, "id": GUIDS}),
    some({**NAMED, **WHEN, "every": EVERY}, {**SETTINGS, "movedFrom": st.just("before")}),
)
LABELS = some({}, {"team": PLAIN})
AGENT_SPECS = some(
    {"path": st.sampled_from(["sequentum/Retail/prices", "a", "Ünder score/x y"])},
    {
        "movedFrom": st.just("old/path"),
        "approval": some({"state": st.sampled_from(["approved", "disapproved"])}, {"message": st.just("reviewed")}),
        "inputFilesExclusive": st.booleans(),
        "inputFilesEnabled": st.booleans(),
        "schedules": st.lists(SCHEDULES, max_size=2, unique_by=lambda one: str(one["name"])),
    },
)
TRIGGER_SPECS = some(
    {"task": st.one_of(some({"name": st.just("Publish prices")}, {}), some({"id": GUIDS}, {}))},
    {
        "parameters": mapped(PLAIN),
        "when": some({}, {"revision": PLAIN, "changed": st.just([])}),
        "wait": st.one_of(st.just(False), some({}, {"timeout": DURATIONS, "interval": DURATIONS})),
        "retries": st.integers(0, 10),
    },
)
CONNECTION: dict[str, Values] = {
    "url": st.sampled_from(["https://acc.example.com", "HTTPS://acc.example.com:8443/x/", "http://127.0.0.1:8080"]),
    "concurrency": st.integers(1, 64),
    "rate": st.sampled_from(["20/s", " 1.5 / m "]),
    "timeout": DURATIONS,
    "allowInsecure": st.booleans(),
}
KEYS: dict[str, Values] = {
    "region": st.sampled_from(["us", "eu", "staging"]),
    **{key: st.just("x") for key in ("tenantId", "keyId", "privateKey")},
}
POLICIES = some(
    {},
    {
        "prune": st.sampled_from(["owned", "never"]),
        "maxDeletes": st.sampled_from([0, 7, "30%", "100%", "0.5%"]),
        "environment": st.just("optional"),
    },
)
LEDGERS = st.sampled_from(["sqlite:///x.db", "sqlite:////tmp/x.db", "postgresql://u@h/d", "POSTGRES+psycopg://u@h/d"])
ZONE = WHEN["timeZone"]
BLACKOUTS = st.one_of(
    some({**NAMED, "timeZone": ZONE, "from": st.just("2026-12-24"), "to": st.just("2026-12-27 06:00")}, {}),
    some(
        {**NAMED, "timeZone": ZONE, "cron": st.just("0 0 22 * * FRI"), "duration": DURATIONS},
        {"only": st.just(["schedule/*"]), "policy": st.just("warn")},
    ),
)
SHARED: dict[str, Values] = {"ledger": LEDGERS, "policy": POLICIES, "blackouts": listed(BLACKOUTS)}
PROJECT_SPECS = some(
    {"connections": some({"acc": some({**CONNECTION, "token": st.just("t")}, {}), "mft": some(KEYS, {})}, {})},
    {**SHARED, "environments": some({}, {"prod": some({}, SHARED), "none": st.none()})},
)


def document(kind: str, name: Values, spec: Values) -> Values:
    metadata = some({"name": name}, {} if kind == "Project" else {"labels": LABELS})
    return some({"apiVersion": st.just("reconciler/v1"), "kind": st.just(kind), "metadata": metadata, "spec": spec}, {})


@dataclass
class Reuse:
    """Where drawn documents keep what they do not say themselves."""

    draw: st.DrawFn
    variables: dict[str, YAMLValue] = field(default_factory=dict)
    templates: list[YAMLValue] = field(default_factory=list)
    defaults: dict[str, YAMLValue] = field(default_factory=dict)
    item: dict[str, YAMLValue] = field(default_factory=dict)

    def filled_in(self, part: YAMLValue, *, has_items: bool = False) -> YAMLValue:
        """The same, in which some values come out of variables, some only in part, and some out of an item."""
        if isinstance(part, dict):
            return {
                key: one if key == "kind" else self.filled_in(one, has_items=has_items) for key, one in part.items()
            }
        if isinstance(part, list):
            return [self.filled_in(one, has_items=has_items) for one in part]
        if part is None or self.draw(st.integers(0, 2)):
            return part
        holder, scheme = (self.item, "each.") if has_items and self.draw(st.booleans()) else (self.variables, "var:")
        name = f"v{len(holder)}"
        holder[name] = part
        if isinstance(part, str) and part and self.draw(st.booleans()):
            holder[name], rest = part[:1], part[1:]
            return f"${{{scheme}{name}}}{rest}"
        return f"${{{scheme}{name}}}"

    def lifted(self, block: dict[str, YAMLValue]) -> None:
        """Move some of what a schedule says to a template, and some to the defaults."""
        for key in [one for one in block if one not in ("name", "id", "movedFrom")]:
            where = self.draw(st.sampled_from(["here", "here", "template", "defaults"]))
            if where == "template" and "use" not in block:
                block["use"] = name = f"t{len(self.templates)}"
                metadata: dict[str, YAMLValue] = {"name": name}
                spec: dict[str, YAMLValue] = {key: block.pop(key)}
                self.templates.append(
                    {"apiVersion": "reconciler/v1", "kind": "ScheduleTemplate", "metadata": metadata, "spec": spec}
                )
            elif where == "defaults" and key not in ("cron", "every") and key not in self.defaults:
                self.defaults[key] = block.pop(key)


@st.composite
def projects(draw: st.DrawFn) -> tuple[str, str, str | None]:
    """A project file and a manifest, written as JSON, which is YAML; and the environment that makes it whole."""
    reuse = Reuse(draw)
    project = draw(document("Project", st.sampled_from(["retail", "x-1"]), PROJECT_SPECS))
    agent, trigger = draw(document("Agent", NAMES, AGENT_SPECS)), draw(document("TaskTrigger", NAMES, TRIGGER_SPECS))
    for block in agent["spec"].get("schedules", ()):
        reuse.lifted(block)
    spec: dict[str, Any] = {**project["spec"], "defaults": {"schedule": dict(reuse.defaults), "jobTrigger": {}}}
    if draw(st.booleans()) and "approval" in agent["spec"]:
        state = agent["spec"]["approval"].pop("state")
        spec["defaults"] = {"schedule": dict(reuse.defaults), "agent": {"approval": {"state": state}}}
    if draw(st.booleans()):
        spec["defaults"] = {**mapping_of(spec["defaults"]), "taskTrigger": {"task": trigger["spec"].pop("task")}}
    has_items = draw(st.booleans())
    written = [
        reuse.filled_in(agent, has_items=has_items),
        reuse.filled_in(trigger),
        *map(reuse.filled_in, reuse.templates),
    ]
    if has_items:
        mapping_of(written[0])["forEach"] = [reuse.item or {"unused": 1}]
    if draw(st.booleans()):
        mapping_of(written[0])["x-common"] = {"whatever": [1]}
    environments: dict[str, YAMLValue] = mapping_of(spec.get("environments"))
    if "prod" in environments:
        connection, key = draw(st.sampled_from([("acc", "url"), ("acc", "token"), ("mft", "region"), ("mft", "keyId")]))
        moved: YAMLValue = {connection: {key: spec["connections"][connection].pop(key)}}
        mapping_of(environments["prod"])["connections"] = moved
    whole = mapping_of(reuse.filled_in({**project, "spec": spec}))
    mapping_of(whole["spec"])["variables"] = reuse.variables
    environment = "prod" if "prod" in environments else None
    return json.dumps(whole), "\n---\n".join(map(json.dumps, written)), environment


REFUSED = {"wrong-value", "bad-cron", "duplicate"}
"""Why a drawn project may be no good: a number where text belongs, an interval in a blackout, one name twice."""


@pytest.mark.generated
@given(projects())
def test_what_the_tool_accepts_editors_accept(drawn: tuple[str, str, str | None]) -> None:
    project, manifest, environment = drawn
    with tempfile.TemporaryDirectory() as folder:
        found, problems = check(
            write(Path(folder), {"a.yaml": manifest}, project), ENVIRON, environment
        )  # holds the law
    codes = sorted({one.code for one in problems if one.severity.value == "error"})
    assert set(codes) <= REFUSED
    event("accepted" if found is not None else f"refused: {', '.join(codes)}")


@pytest.mark.parametrize("kind", [None, *manifests.document_names()])
def test_a_schema_for_editors_is_sound(kind: str | None) -> None:
    schema = json.loads(manifests.schema_text(kind))
    Draft202012Validator.check_schema(schema)
    assert not {"x-part-of", "x-without", "x-suppliable", "x-editor"} & set(keys(schema))
    assert all(reference.startswith("#/$defs/") for reference in references(schema))


@pytest.mark.parametrize("name", sorted(path.name for path in schema_sources.FOLDER.glob("*.json")))
def test_a_schema_that_documents_are_checked_against_is_sound(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema_sources.text(name)))


def keys(part: YAMLValue) -> list[str]:
    if isinstance(part, list):
        return [key for one in part for key in keys(one)]
    return [*part, *(key for one in part.values() for key in keys(one))] if isinstance(part, dict) else []


def references(part: YAMLValue) -> list[str]:
    if isinstance(part, list):
        return [found for one in part for found in references(one)]
    if not isinstance(part, dict):
        return []
    here = [str(part["$ref"])] if "$ref" in part else []
    return [*here, *(found for one in part.values() for found in references(one))]
