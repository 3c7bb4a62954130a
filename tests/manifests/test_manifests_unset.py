"""Laws of checking a project whose secrets are not there: nothing is made up about what is not known, and all else is
found as ever."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from manifests_projects import NOW, write

from reconciler import manifests
from reconciler.manifests.declarations import may_both_match
from reconciler.model.resource import Problem, Severity

PROJECT: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "Project",
    "metadata": {"name": "retail"},
    "spec": {
        "manifests": ["manifests/*.yaml"],
        "connections": {
            "acc": {"url": "https://acc.example.com", "token": "acc-token", "rate": "20/s", "timeout": "10s"},
            "mft": {"region": "us", "tenantId": "tenant", "keyId": "key-1", "privateKey": "mft-private-key"},
        },
        "ledger": "postgresql://u:p@db.example.com/ledger",
        "policy": {"prune": "never", "maxDeletes": "20%"},
        "defaults": {
            "agent": {"approval": {"state": "approved", "message": "Reviewed by all"}},
            "schedule": {"timeZone": "UTC", "inputParameters": {"customer": "all"}},
            "taskTrigger": {"wait": {"timeout": "20m"}},
        },
        "variables": {"zone": "Australia/Sydney", "stage": "prod"},
        "blackouts": [
            {
                "name": "eve",
                "from": "2026-12-24",
                "to": "2026-12-27T06:00",
                "timeZone": "UTC",
                "only": ["schedule/prices/*"],
            },
            {
                "name": "fridays",
                "cron": "0 0 22 * * FRI",
                "duration": "8h",
                "timeZone": "UTC",
                "exclude": ["*/stock/*"],
            },
        ],
    },
}
AGENTS: list[dict[str, Any]] = [
    {
        "apiVersion": "reconciler/v1",
        "kind": "Agent",
        "metadata": {"name": "prices", "movedFrom": "old-prices", "labels": {"team": "pricing"}},
        "spec": {
            "path": "sequentum/${var:stage}/prices",
            "movedFrom": "sequentum/old/prices",
            "approval": {"state": "approved", "message": "Reviewed"},
            "inputFiles": [{"file": "data/urls.csv", "name": "all.csv"}, {"file": "data/more.txt"}],
            "schedules": [
                {
                    "name": "nightly",
                    "movedFrom": "daily",
                    "id": "d9c944df-93a7-ea77-f7b7-fa0b9c579917",
                    "cron": "0 0 2 * * MON-FRI",
                    "startTime": "2026-01-01T02:00:00",
                    "timeZone": "${var:zone}",
                    "inputParameters": {"region": "au", "password": "swordfish"},
                    "logLevel": "low",
                    "sessionId": "1-5/5",
                },
                {"name": "poll", "every": "15m", "startTime": "2026-01-01T00:00:00", "timeZone": "UTC"},
            ],
        },
    },
    {
        "apiVersion": "reconciler/v1",
        "kind": "Agent",
        "metadata": {"name": "stock"},
        "spec": {
            "path": "sequentum/prod/stock",
            "schedules": [
                {
                    "name": "nightly",
                    "id": "aaaaaaaa-93a7-ea77-f7b7-fa0b9c579917",
                    "cron": "0 30 12 * * *",
                    "startTime": "2026-01-01T02:00:00",
                    "timeZone": "Europe/Berlin",
                },
                {"name": "weekly", "use": "weekly", "timeZone": "Europe/Berlin"},
            ],
        },
    },
    {
        "apiVersion": "reconciler/v1",
        "kind": "ScheduleTemplate",
        "metadata": {"name": "weekly"},
        "spec": {"use": "base", "cron": "0 0 4 * * SUN", "inputParameters": {"region": "nz"}, "logLevel": "high"},
    },
    {
        "apiVersion": "reconciler/v1",
        "kind": "ScheduleTemplate",
        "metadata": {"name": "base"},
        "spec": {"startTime": "2026-01-01T04:00:00", "sessionId": "1"},
    },
]
MADE: list[dict[str, Any]] = [
    {
        "apiVersion": "reconciler/v1",
        "kind": "Agent",
        "forEach": [
            {"region": "australia", "zone": "Australia/Sydney"},
            {"region": "newzealand", "zone": "Pacific/Auckland"},
        ],
        "metadata": {"name": "made-${each.region}"},
        "spec": {
            "path": "sequentum/made/${each.region}",
            "approval": {"state": "approved", "message": "Reviewed for ${each.region}"},
            "schedules": [
                {
                    "name": "nightly",
                    "cron": "0 0 5 * * *",
                    "startTime": "2026-01-01T02:00:00",
                    "timeZone": "${each.zone}",
                    "inputParameters": {"region": "${each.region}", "customer": "us"},
                }
            ],
        },
    }
]
TRIGGERS: list[dict[str, Any]] = [
    {
        "apiVersion": "reconciler/v1",
        "kind": "TaskTrigger",
        "metadata": {"name": "publish", "labels": {"team": "web"}},
        "spec": {
            "task": {"name": "Publish prices"},
            "parameters": {"folder": "/out/prices"},
            "when": {"revision": "1", "changed": ["input-files/prices", "schedule/*/nightly", "trigger/index"]},
            "wait": {"timeout": "30m", "interval": "5s"},
        },
    },
    {
        "apiVersion": "reconciler/v1",
        "kind": "TaskTrigger",
        "metadata": {"name": "index"},
        "spec": {"task": {"id": "02115928-16fe-4493-949b-d77d302a88ee"}, "when": {"changed": ["schedule/prices/poll"]}},
    },
]
FILES: dict[str, Any] = {
    "reconciler.yaml": [PROJECT],
    "manifests/a.yaml": AGENTS,
    "manifests/m.yaml": MADE,
    "manifests/t.yaml": TRIGGERS,
}
Place = tuple[str, int, tuple[str | int, ...]]


def leaves(part: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all texts in a document but its `apiVersion` and `kind`, which say what it is."""
    steps = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for step, below in steps:
        if step not in ("apiVersion", "kind"):
            yield from leaves(below, (*path, step))
    if isinstance(part, str):
        yield path


PLACES = [
    (name, index, path) for name, listed in FILES.items() for index, one in enumerate(listed) for path in leaves(one)
]

MISTAKES: list[tuple[Place, Any]] = [
    (("manifests/a.yaml", 0, ("spec", "schedules", 1, "every")), "15 moons"),
    (("manifests/a.yaml", 0, ("spec", "schedules", 1, "name")), "nightly"),
    (("manifests/a.yaml", 0, ("spec", "schedules", 0, "windowless")), "yes please"),
    (("manifests/a.yaml", 0, ("spec", "schedules", 0, "frequency")), "daily"),
    (("manifests/a.yaml", 0, ("spec", "inputFiles", 1, "file")), "data/gone.txt"),
    (("manifests/a.yaml", 0, ("spec", "inputFiles", 0, "name")), "all.exe"),
    (("manifests/a.yaml", 1, ("metadata", "name")), "prices"),
    (("manifests/a.yaml", 1, ("spec", "path")), "sequentum/prod/prices"),
    (("manifests/a.yaml", 1, ("spec", "schedules", 0, "id")), "D9C944DF-93A7-EA77-F7B7-FA0B9C579917"),
    (("manifests/a.yaml", 1, ("spec", "schedules", 0, "timeZone")), "Atlantis"),
    (("manifests/a.yaml", 1, ("spec", "schedules", 0, "startTime")), "tomorrow"),
    (("manifests/a.yaml", 1, ("spec", "schedules", 1, "use")), "monthly"),
    (("manifests/a.yaml", 2, ("spec", "cron")), "0 0 4 * SUN"),
    (("manifests/a.yaml", 3, ("spec", "use")), "weekly"),
    (("reconciler.yaml", 0, ("spec", "defaults", "schedule", "timeZone")), "Atlantis"),
    (("manifests/m.yaml", 0, ("forEach", 1, "region")), "australia"),
    (("manifests/m.yaml", 0, ("forEach", 1, "zone")), "Atlantis"),
    (("manifests/m.yaml", 0, ("spec", "schedules", 0, "cron")), "0 0 25 * * *"),
    (("manifests/m.yaml", 0, ("spec", "schedules", 0, "name")), "${each.regoin}"),
    (("manifests/t.yaml", 0, ("spec", "wait", "timeout")), "soon"),
    (("manifests/t.yaml", 0, ("spec", "when", "changed", 2)), "schedule/orders/*"),
    (("manifests/t.yaml", 1, ("metadata", "name")), "publish"),
    (("manifests/t.yaml", 1, ("spec", "when", "changed", 0)), "trigger/publish"),
    (("reconciler.yaml", 0, ("spec", "blackouts", 1, "timeZone")), "Atlantis"),
    (("reconciler.yaml", 0, ("spec", "blackouts", 0, "to")), "2026-12-01"),
    (("reconciler.yaml", 0, ("spec", "connections", "acc", "url")), "http://acc.example.com"),
    (("reconciler.yaml", 0, ("spec", "connections", "acc", "rate")), "fast"),
    (("reconciler.yaml", 0, ("spec", "connections", "mft", "caBundle")), "gone.pem"),
    (("reconciler.yaml", 0, ("spec", "ledger")), "mysql://h/d"),
]


def put(files: Any, place: Place, value: Any) -> str:
    """Write a value at a place, and return what was there, as far as it was text."""
    name, index, path = place
    holder: Any = files[name][index]
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    before = holder.get(last, "") if isinstance(holder, dict) else holder[last]
    holder[last] = value
    return before if isinstance(before, str) else ""


def problems_of(root: Path, environ: Mapping[str, str], severity: Severity | None = None) -> tuple[Problem, ...]:
    found = manifests.check(root, None, environ, as_of=NOW, unset_severity=severity)
    return found[1]


def taken_out(files: Any, places: list[tuple[Place, str]]) -> dict[str, str]:
    """Take texts out of the files and into variables: what the environment has to hold then.

    `whole` is all of a text, `part` its first half, `shared` the same in a variable of the project.
    """
    environ = {}
    for number, (place, how) in enumerate(places):
        name = f"V{number}"
        text = put(files, place, "")
        if "${" in text:
            put(files, place, text)
            continue
        cut = len(text) if how != "part" else max(1, len(text) // 2)
        source = f"${{env:{name}}}"
        if how == "shared" and place[0] != "reconciler.yaml":
            files["reconciler.yaml"][0]["spec"]["variables"][name] = source
            source = f"${{var:{name}}}"
        put(files, place, source + text[cut:])
        environ[name] = text[:cut]
    return environ


def written(root: Path, files: Any) -> Path:
    texts = {name: yaml.safe_dump_all(listed, sort_keys=False) for name, listed in files.items()}
    data = {"manifests/data/urls.csv": "url\nhttps://a\n", "manifests/data/more.txt": "a\n"}
    return write(
        root,
        {**{name: text for name, text in texts.items() if name != "reconciler.yaml"}, **data},
        texts["reconciler.yaml"],
    )


outside = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(("whole", "part", "shared"))),
    max_size=6,
    unique_by=lambda one: one[0],
)


def checked(mistakes: list[tuple[Place, Any]], places: list[tuple[Place, str]]) -> tuple[set[Problem], set[Problem]]:
    """The problems of one project when all is set, and when nothing is, without those that say so."""
    files = copy.deepcopy(FILES)
    for place, value in mistakes:
        put(files, place, value)
    environ = taken_out(files, [one for one in places if one[0] not in {place for place, _ in mistakes}])
    with tempfile.TemporaryDirectory() as folder:
        root = written(Path(folder), files)
        some = dict(list(environ.items())[::2])
        known, unknown = problems_of(root, environ), problems_of(root, {}, Severity.WARNING)
        partly = {one for one in problems_of(root, some, Severity.WARNING) if one.code != "undefined-env"}
    said = [one for one in unknown if one.code == "undefined-env"]
    assert all(one.severity is Severity.WARNING for one in said)
    assert len(said) == len({one.message for one in said})
    assert len(mistakes) > 1 or {(one.line, one.code) for one in partly} <= {(one.line, one.code) for one in known}
    return set(known), set(unknown) - set(said)


def test_the_sample_has_no_problem(tmp_path: Path) -> None:
    codes = {one.code for one in problems_of(written(tmp_path, FILES), {})}
    assert codes <= {"secret-parameter"}


@pytest.mark.parametrize("how", ["whole", "part", "shared"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: "/".join(map(str, place[2])))
def test_any_one_text_may_be_unknown(place: Place, how: str) -> None:
    known, unknown = checked([], [(place, how)])
    assert not [one for one in known if one.severity is Severity.ERROR]
    assert unknown == known


@given(st.lists(st.sampled_from(MISTAKES), max_size=1), outside)
def test_what_is_not_known_causes_no_problem(
    mistakes: list[tuple[Place, Any]], places: list[tuple[Place, str]]
) -> None:
    # Of one mistake at most, since a first one may hide what a second one would cause.
    known, unknown = checked(mistakes, places)
    assert {(one.path, one.line, one.code) for one in unknown} <= {(one.path, one.line, one.code) for one in known}


FREE = {"logLevel", "sessionId", "message", "inputParameters", "parameters"}
BESIDE = [(place, "whole") for place in PLACES if FREE & set(place[2])]


@given(
    st.lists(st.sampled_from(MISTAKES), min_size=1, max_size=4, unique_by=lambda one: one[0]),
    st.lists(st.sampled_from(BESIDE), max_size=6, unique=True),
)
def test_what_does_not_depend_on_it_is_found_as_ever(
    mistakes: list[tuple[Place, Any]], places: list[tuple[Place, str]]
) -> None:
    known, unknown = checked(mistakes, places)
    assert unknown == known


words = st.text("ab*?", max_size=6)


@given(words, words, st.text("ab", max_size=6))
def test_two_patterns_that_one_text_matches_may_both_match(one: str, other: str, text: str) -> None:
    from fnmatch import fnmatchcase

    if fnmatchcase(text, one) and fnmatchcase(text, other):
        assert may_both_match(one, other)
    if not set("*?") & set(other):
        assert may_both_match(one, other) == fnmatchcase(other, one)
        assert may_both_match(other, one) == fnmatchcase(other, one)
