"""Whatever is changed by hand in an estate that was imported in short: once accepted, only what was named is left."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import TOKEN, Stage, opened

from reconciler.emulator import Estate, Tenant, Token

REGIONS = ("au", "nz", "us", "jp")
SUBJECTS = ("prices", "stock")
ZONES = ["AUS Eastern Standard Time", "New Zealand Standard Time", "UTC", "Tokyo Standard Time"]
TEXTS = st.sampled_from(["3", "5", "true", "a, b", 'q"q', "two\nlines", "${env:X}", "${each.region}", "a}b", "", " é "])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "cron": st.sampled_from(["0 0 2 * * *", "0 30 3 * * MON-FRI", "0 15 0 0", "0 0 1 0", "0 0 4 1 * *"]),
    "start_time": st.sampled_from(["2026-01-01T02:00:00", "2026-01-01T00:15:00", "2090-03-01T04:05:06"]),
    "time_zone_id": st.sampled_from(ZONES),
    "log_level": st.integers(0, 3),
    "is_enabled": st.booleans(),
    "is_windowless": st.booleans(),
    "session_id": st.sampled_from(["1-5/5", "7"]),
    "depth": TEXTS,
    "mode": TEXTS,
}
BASE = st.fixed_dictionaries(
    {key: FIELDS[key] for key in ("cron", "start_time", "depth")},
    optional={key: FIELDS[key] for key in ("log_level", "session_id", "is_enabled")},
)
DRIFT = st.dictionaries(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(REGIONS), st.integers(0, 1)),
    st.fixed_dictionaries({}, optional=FIELDS),
    min_size=1,
    max_size=6,
)
REFUSED = re.compile(r"not accepted: (schedule/\S+): (?:([\w.]+): )?")


def path_of(subject: str, region: str) -> str:
    return f"sequentum/Shops/{subject}-{region}"


def moved(fields: dict[str, Any], region: str, before: str | None) -> dict[str, Any]:
    """The fields of the emulator's schedule: parameters are written as one text."""
    parameters = json.loads(before or json.dumps({"region": region}))
    parameters |= {key: fields[key] for key in ("depth", "mode") if key in fields}
    own = {key: value for key, value in fields.items() if key not in ("depth", "mode")}
    return {**own, "input_parameters": json.dumps(parameters)} if before is None or parameters else own


def estate(blocks: dict[str, list[dict[str, Any]]], exceptions: dict[int, dict[str, Any]]) -> Estate:
    held = Estate(zone="UTC", tenant=Tenant("tenant-1"))
    held.add_token(Token(TOKEN))
    for subject in SUBJECTS:
        for number, region in enumerate(REGIONS):
            made = held.add_agent(path_of(subject, region), duration=0.0)
            for fields in blocks[subject]:
                whole = {"time_zone_id": ZONES[number], **fields, **exceptions.get(number, {})}
                held.add_schedule(made, **moved(whole, region, None))
    return held


def texts(stage: Stage) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in sorted((stage.root / "manifests").iterdir())}


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.fixed_dictionaries({subject: st.lists(BASE, min_size=2, max_size=2) for subject in SUBJECTS}),
    st.dictionaries(st.integers(0, 3), st.fixed_dictionaries({}, optional={"cron": FIELDS["cron"]}), max_size=1),
    DRIFT,
    st.booleans(),
)
@pytest.mark.generated
def test_after_accept_only_what_was_named_is_left_and_only_its_lines_changed(
    blocks: dict[str, list[dict[str, Any]]],
    exceptions: dict[int, dict[str, Any]],
    drift: dict[tuple[str, str, int], dict[str, Any]],
    everywhere: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for stage in opened(Path(folder), held=estate(blocks, exceptions)):
            paths = [path_of(subject, region) for subject in SUBJECTS for region in REGIONS]
            imported = stage.run("import", "--factor", *(word for path in paths for word in ("--agent", path)))
            assert imported.code == 0, imported.err
            assert stage.apply().code == 0
            for (subject, region, number), fields in drift.items():
                for each in REGIONS if everywhere else (region,):
                    live = list(stage.estate.agents[path_of(subject, each)].schedules.values())[number]
                    for name, value in moved(fields, each, live.input_parameters).items():
                        setattr(live, name, value)
            accepted(stage, {region for _, region, _ in drift} if not everywhere else set(REGIONS))


def accepted(stage: Stage, regions: set[str]) -> None:
    drifted = {one["address"] for one in stage.plan()["changes"]}
    before, held = texts(stage), {key: dict(vars(one)) for key, one in stage.estate.schedules.items()}
    stage.emulator.clear_requests()
    ended = stage.run("accept", "schedule/*")
    assert (stage.writes(), {key: vars(one) for key, one in stage.estate.schedules.items()}) == ([], held)
    refused: dict[str, set[str]] = {}
    for address, field in REFUSED.findall(ended.err):
        refused.setdefault(address, set()).add(field)
    assert (ended.code == 0) == (not refused), ended.err
    assert refused.keys() <= drifted
    for change in stage.plan()["changes"]:
        named = refused.get(change["address"], set())
        assert "" in named or {one["path"] for one in change["fields"]} <= named, (change, ended.err)
    assert {one["address"] for one in stage.plan()["changes"]} <= refused.keys()
    subjects = {address.split("/")[1].rpartition("-")[0] for address in drifted}
    only_what_concerns(before, texts(stage), subjects, regions)
    again = stage.run("accept", "schedule/*")
    assert again.out == ""
    assert stage.run("validate").code == 0


def only_what_concerns(before: dict[str, str], after: dict[str, str], subjects: set[str], regions: set[str]) -> None:
    assert before.keys() == after.keys()
    for name, text in before.items():
        if name in {"templates.yaml"} | {f"{subject}.yaml" for subject in set(SUBJECTS) - subjects}:
            assert after[name] == text
        if name.endswith(".csv") and after[name] != text:
            one, two = (list(csv.reader(io.StringIO(each, newline=""))) for each in (text, after[name]))
            assert two[0][: len(one[0])] == one[0]
            for before_row, row in zip(one[1:], two[1:], strict=True):
                assert row == before_row or any(one in row[0] for one in regions | subjects), (row[0], regions)
