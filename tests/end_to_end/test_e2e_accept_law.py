"""Whatever is changed by hand, and however the manifest is written: once it is accepted, nothing is left to do."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import Stage, opened

from reconciler.emulator.acc_state import Schedule
from reconciler.manifests.yaml_writing import inline

CRONS = ["0 0 2 * * *", "0 30 3 * * MON-FRI", "0 0/20 * * * *", "0 0 4 1 * *"]
INTERVALS = ["0 15 0 0", "0 0 1 0", "0 0 0 1", "30 0 0 0", "0 45 0 0"]
STARTS = ["2026-01-01T02:00:00", "2026-01-01T00:15:00", "2090-03-01T04:05:06", "2019-05-30T15:36:00"]
ZONES = ["AUS Eastern Standard Time", "UTC", "New Zealand Standard Time", "Lord Howe Standard Time"]
TEXTS = st.one_of(
    st.sampled_from(["au", "nz", "5", "true", "a, b", "it's", "${env:X}", "", "# no", "on"]), st.text(max_size=6)
)
NAMES = st.sampled_from(["region", "page", "a b", "on", "a.b"])
TEXTS = TEXTS.filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text))


@st.composite
def fields(draw: Any) -> dict[str, Any]:
    """What a block declares, by the manifest's names."""
    block: dict[str, Any] = {"name": "one"}
    if draw(st.booleans()):
        block["cron"] = draw(st.sampled_from([*CRONS, *INTERVALS]))
    else:
        block["every"] = draw(st.sampled_from(["15m", "1h", "1d", "30s"]))
    block["startTime"] = draw(st.sampled_from(STARTS))
    block["timeZone"] = draw(st.sampled_from(["Australia/Sydney", "UTC", "New Zealand Standard Time"]))
    optional = {
        "inputParameters": st.dictionaries(NAMES, TEXTS.map(lambda text: text.replace("${", "$${")), max_size=3),
        "logLevel": st.sampled_from(["none", "low", 2, "3"]),
        "sessionId": st.sampled_from(["1-5/5", "x"]),
        "windowless": st.booleans(),
        "enabled": st.booleans(),
    }
    return block | {key: draw(values) for key, values in optional.items() if draw(st.booleans())}


MOVES: dict[str, st.SearchStrategy[Any]] = {
    "cron": st.sampled_from([*CRONS, *INTERVALS]),
    "start_time": st.sampled_from(STARTS),
    "time_zone_id": st.sampled_from(ZONES),
    "input_parameters": st.dictionaries(NAMES, TEXTS, max_size=3).map(json.dumps),
    "log_level": st.integers(0, 3),
    "session_id": st.sampled_from([None, "2-5/5", "5"]),
    "is_windowless": st.booleans(),
    "is_enabled": st.booleans(),
}


def written(block: dict[str, Any], style: str, place: str) -> tuple[str, str]:
    """The manifest, and the lines of the project file, where a block declares itself or inherits."""
    whole, defaults, template = dict(block), {}, {}
    moved = {key: whole.pop(key) for key in list(whole) if key != "name"} if place != "block" else {}
    if place == "template":
        template, whole["use"] = moved, "base"
    elif place == "defaults":
        defaults = moved
    if style == "flow":
        item = f"    - {inline(whole, in_flow=True)}  # mine\n"
    else:
        lines = [f"{key}: {inline(value, in_flow=False)}  # {key}" for key, value in whole.items()]
        item = "    - " + "\n      # and\n      ".join(lines) + "\n"
    head = "apiVersion: reconciler/v1\nkind: Agent\nmetadata: {name: prices}\nspec:\n  path: sequentum/Retail/prices\n"
    text = f"{head}  schedules:\n    # first\n{item}    # last\n"
    if place == "template":
        spec = inline(template, in_flow=True)
        text = f"apiVersion: reconciler/v1\nkind: ScheduleTemplate\nmetadata: {{name: base}}\nspec: {spec}\n---\n{text}"
    return text, f"  defaults: {inline({'schedule': defaults}, in_flow=True)}\n" if defaults else ""


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    fields(),
    st.sampled_from(["flow", "block"]),
    st.sampled_from(["block", "block", "template", "defaults"]),
    st.fixed_dictionaries({}, optional=MOVES),
)
def test_after_accept_nothing_is_left_to_do(
    block: dict[str, Any], style: str, place: str, moves: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for stage in opened(Path(folder)):
            text, more = written(block, style, place)
            stage.project(more)
            stage.write(text)
            assert stage.apply().code == 0
            (live,) = stage.owned().values()
            for name, value in moves.items():
                setattr(live, name, value)
            accepted(stage, live, text)


def accepted(stage: Stage, live: Schedule, text: str) -> None:
    pending, held = stage.changes(), dict(vars(live))
    stage.emulator.clear_requests()
    ended = stage.run("accept", "schedule/*")
    after = (stage.root / "manifests" / "retail.yaml").read_text(encoding="utf-8")
    assert (vars(live), stage.writes()) == (held, [])
    if not pending:
        assert (ended.code, after) == (0, text)
        return
    assert pending[0][2] == "drifted"
    comments = [line.strip() for line in text.splitlines() if line.strip().startswith("#")]
    assert [line.strip() for line in after.splitlines() if line.strip().startswith("#")] == comments
    if ended.code:
        # A parameter that a template or the defaults have cannot be taken away from one block.
        assert "it is gone from ACC, and stands at" in ended.err
        return
    assert after != text
    assert stage.changes() == []
    assert stage.run("drift").code == 0
    assert stage.apply().code == 0
    assert (vars(live), stage.changes()) == (held, [])
