"""Whatever stands where in defaults, templates, items and what uses them: it is read, or told; nothing falls over."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from manifests_projects import ENVIRON, NOW, write

from reconciler import manifests
from reconciler.manifests.rendering import rendered

PROJECT: Any = {
    "apiVersion": "reconciler/v1",
    "kind": "Project",
    "metadata": {"name": "retail"},
    "x-free": ["${env:NOPE}"],
    "spec": {
        "connections": {"acc": {"url": "https://acc.example.com", "token": "${env:ACC_TOKEN}"}},
        "variables": {"v": "UTC"},
        "defaults": {
            "agent": {"approval": {"state": "approved"}, "schedules": [{"name": "d", "use": "one"}]},
            "schedule": {
                "timeZone": "${var:v}",
                "inputParameters": {"k": "${env:TENANT}"},
                "expect": {"within": "26h"},
            },
            "taskTrigger": {"wait": {"timeout": "5m"}, "task": {"name": "T"}},
            "jobTrigger": {},
        },
        "environments": {"default": {"defaults": {"schedule": {"logLevel": "low"}}}},
    },
}
DOCUMENTS: Any = [
    {"kind": "ScheduleTemplate", "metadata": {"name": "one"}, "spec": {"use": "two", "cron": "0 0 2 * * *"}},
    {"kind": "ScheduleTemplate", "metadata": {"name": "two"}, "spec": {"startTime": "2026-01-01T02:00:00"}},
    {
        "kind": "Agent",
        "forEach": [{"a": "x", "z": "UTC", "s": "b"}, {"a": "y", "z": "UTC", "s": "${env:TENANT}"}],
        "metadata": {"name": "n-${each.a}", "labels": {"l": "${each.a}"}},
        "spec": {
            "path": "p/${each.a}",
            "schedules": [{"name": "s", "use": "one", "timeZone": "${each.z}", "inputParameters": {"q": "${each.s}"}}],
        },
        "x-more": {"a": 1},
    },
    {"kind": "Agent", "metadata": {"name": "plain"}, "spec": {"path": "p/plain"}},
    {"kind": "TaskTrigger", "forEach": {"file": "i.csv"}, "metadata": {"name": "t-${each.a}"}, "spec": {}},
]
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, 0, True, "", "x", "one", "two", "nope", [], {}, [1], [None], [[]]),
        *({"a": None}, {"use": "one"}, {"file": "i.csv"}, {"file": "i.json"}, {"file": "i.yaml"}, {"file": "gone.csv"}),
        *(
            "${each.a}",
            "${each.b:-c}",
            "${each.",
            "${",
            "${each}",
            "${each:a}",
            "${env:KEY_ID}",
            "${env:NO}",
            "${var:no}",
        ),
        *("$${", "0 0 2 * * *", "15m", "\U0001f600"),
    ]
)
TABLES = st.sampled_from(
    ["a\nx\ny\n", "a,b\nx\n", "", "a\n", 'a\n"', "a;b\n", "\ufeffa\nx\n", "a,a\n", "a\nx,y\n", "\x00"]
)
LISTS = st.sampled_from(
    ['[{"a": "x"}]', "[]", "{}", '[{"a": [1]}]', "[1]", "[", "- a: x\n", "a: b", "null", '[{"a": null}]']
)


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [path, *(one for key, value in inside for one in places(value, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """Everything with some of it replaced, taken out, or put under another key."""
    whole = copy.deepcopy({"project": PROJECT, "documents": DOCUMENTS})
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([one for one in places(whole) if len(one) > 1]))
        part: Any = whole
        for step in path[:-1]:
            part = part[step]
        match draw(st.sampled_from(["replace", "replace", "replace", "drop", "rename"])):
            case "replace":
                part[path[-1]] = copy.deepcopy(draw(JUNK))
            case "rename" if isinstance(part, dict):
                part[draw(st.sampled_from(["use", "forEach", "x-y", "cron", "every", "name", "<<"]))] = part.pop(
                    path[-1]
                )
            case _:
                del part[path[-1]]
    return whole


@settings(max_examples=100, deadline=None)
@given(spoilt(), TABLES, LISTS, st.permutations(range(3)))
def test_whatever_stands_there_is_read_or_told(whole: Any, table: str, listed: str, order: list[int]) -> None:
    documents = [
        json.dumps({"apiVersion": "reconciler/v1", **one} if isinstance(one, dict) else one)
        for one in (whole["documents"] if isinstance(whole["documents"], list) else [])
    ]
    names = [f"{number}.yaml" for number in order]
    texts = dict(
        zip(
            names,
            ("\n---\n".join(documents[:2]), "\n---\n".join(documents[2:4]), "\n---\n".join(documents[4:])),
            strict=True,
        )
    )
    root = Path(tempfile.mkdtemp())
    try:
        write(root, {**texts, "i.csv": table, "i.json": listed, "i.yaml": listed}, json.dumps(whole["project"]))
        found, problems = manifests.check(root, None, ENVIRON, as_of=NOW)
        assert (found is None) == any(one.severity == "error" for one in problems)
        assert all(one.path and one.line >= 1 and one.column >= 1 and one.message for one in problems)
        assert len({(one.path, one.line, one.column, one.code, one.message) for one in problems}) == len(problems)
        assert not any("tenant" in one.message for one in problems)
        made, _ = manifests.check_documents(root, None, ENVIRON, as_of=NOW)
        if found is not None:
            assert "tenant" not in "".join(rendered(made, with_origins=True))
            assert all(at.line >= 1 for one in found.resources for at in one.inherited.values())
    finally:
        shutil.rmtree(root)
