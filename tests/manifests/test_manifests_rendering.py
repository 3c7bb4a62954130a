"""What `render` writes out means the same as what it was written from, whatever stands in it."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifests_projects import AGENT, ENVIRON, NOW, PROJECT, write

from reconciler import manifests
from reconciler.manifests.rendering import rendered
from reconciler.model.resource import Desired

Block = dict[str, Any]

TEXTS = st.sampled_from(
    [
        *(
            "plain",
            "yes",
            "null",
            "~",
            "007",
            "1.10",
            "1e3",
            "-",
            "- a",
            "a: b",
            "#x",
            " led",
            "trailed ",
            "",
            "é\n\tx",
        ),
        *(
            "$${env:NOPE}",
            "$$",
            "100%",
            "'",
            '"',
            "\\",
            "[x]",
            "{x}",
            "*x",
            "&x",
            "!x",
            "%x",
            "@x",
            "\u2028",
            "\U0001f600",
        ),
        *(
            "${env:TENANT}",
            "a-${env:TENANT}-b",
            "${file:key.txt}",
            "${file:../root.txt}",
            "${var:v}",
            "x ${var:v}",
            "${var:s}",
        ),
        *("${env:UNSET:-left}",),
    ]
)
EACH = st.sampled_from(["${each.a}", "${each.s}", "x-${each.a}-${each.s}-${env:TENANT}", "$${each.a}", "${each.no:-d}"])
VALUES = TEXTS | st.integers(-5, 5) | st.booleans() | st.sampled_from([1.5, 2.25])
ZONES = st.sampled_from(["UTC", "Europe/Vienna", "AUS Eastern Standard Time"])


def blocks(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Block]:
    """Settings of a schedule, as a template, defaults, or a schedule itself may have them."""
    rhythm = st.fixed_dictionaries(
        {"cron": st.sampled_from(["0 0 2 * * *", "0 30 4 * * MON"])}
    ) | st.fixed_dictionaries({"every": st.sampled_from(["15m", "1d"])})
    others = st.fixed_dictionaries(
        {},
        optional={
            "startTime": st.just("2026-01-01T02:00:00"),
            "timeZone": ZONES,
            "logLevel": st.sampled_from(["low", 2]),
            "sessionId": st.sampled_from(["1-5/5", 7]),
            "enabled": st.sampled_from([True, False, "keep"]),
            "protect": st.booleans(),
            "inputParameters": st.dictionaries(st.sampled_from(["a", "b c", "yes", "${x}"]), values, max_size=3),
            "expect": st.just({"within": "26h", "errors": 0}),
        },
    )
    return st.builds(lambda one, more: {**one, **more}, rhythm | st.just({}), others)


@st.composite
def projects(draw: st.DrawFn) -> tuple[str, dict[str, list[Block]]]:
    """A project file, and documents by file: what is left out anywhere stands in the defaults."""
    sound = {"every": "2h", "startTime": "2026-01-01T02:00:00", "timeZone": "UTC"}
    defaults = {
        "schedule": {**sound, **draw(blocks(VALUES))},
        "agent": draw(st.sampled_from([{}, {"approval": {"state": "approved", "message": "${env:TENANT} x"}}])),
        "taskTrigger": draw(st.sampled_from([{}, {"wait": {"timeout": "5m"}, "parameters": {"p": "${env:TENANT}"}}])),
    }
    if "cron" in defaults["schedule"]:
        del defaults["schedule"]["every"]
    templates = [
        {"apiVersion": "reconciler/v1", "kind": "ScheduleTemplate", "metadata": {"name": name}, "spec": spec}
        for name, spec in (
            ("one", {**draw(blocks(VALUES)), "use": "two"}),
            ("two", draw(blocks(VALUES))),
        )
    ]
    items = draw(st.lists(st.fixed_dictionaries({"a": VALUES, "s": st.just("${env:KEY_ID}") | TEXTS}), max_size=3))
    made = draw(st.booleans())
    schedules = [
        {"name": name, **draw(blocks(VALUES | EACH if made else VALUES)), **draw(st.sampled_from([{}, {"use": "one"}]))}
        for name in draw(st.lists(st.sampled_from(["x", "y", "z"]), unique=True))
    ]
    agent: Block = {"apiVersion": "reconciler/v1", "kind": "Agent", "metadata": {"name": "plain"}}
    agent["spec"] = {"path": "p/plain", "schedules": schedules}
    if made:
        agent["forEach"] = [{**item, "n": number} for number, item in enumerate(items)]
        agent["metadata"] = {"name": "made-${each.n}", "labels": {"n": "${each.n}"}}
        agent["spec"]["path"] = "p/${each.n}"
    trigger = {"apiVersion": "reconciler/v1", "kind": "TaskTrigger", "metadata": {"name": "t"}, "spec": {}}
    trigger["spec"] = {"task": {"name": "T"}, **draw(st.sampled_from([{}, {"wait": False}, {"parameters": {"p": 1}}]))}
    project = PROJECT + '  variables: {v: "$${v} #: x", s: "${env:KEY_ID}"}\n  defaults: ' + json.dumps(defaults) + "\n"
    names = draw(st.permutations(["a.yaml", "sub/b.yaml", "c.yaml"]))
    files = dict(zip(names, ([agent, trigger], templates, [{"kind": "Agent", **agent_of("other")}]), strict=True))
    return project, files


def agent_of(name: str) -> Block:
    return {"apiVersion": "reconciler/v1", "metadata": {"name": name}, "spec": {"path": f"p/{name}"}}


def meaning(found: Desired) -> Any:
    """All that anybody acts on."""
    agents = [(one.handle, one.path, one.labels) for one in found.agents]
    resources = [
        [one.address, one.state, one.agent_path, one.identity, one.protect, one.needs, sorted(one.secrets), one.labels]
        for one in found.resources
    ]
    return agents, resources


def written_out(root: Path, *, with_origins: bool) -> dict[str, str]:
    """The rendered documents by the file that they come from."""
    documents, problems = manifests.check_documents(root, None, ENVIRON, as_of=NOW)
    assert not [one for one in problems if one.severity == "error"], problems
    by_file: dict[str, str] = {}
    for text in rendered(documents, with_origins=with_origins):
        name = text.removeprefix("---\n").split("\n", 1)[0].removeprefix("# ").split(" [", 1)[0]
        by_file[name] = by_file.get(name, "") + text
    return by_file


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(projects(), st.booleans())
def test_what_is_written_out_means_the_same(drawn: tuple[str, dict[str, list[Block]]], with_origins: bool) -> None:
    project, files = drawn
    top = Path(tempfile.mkdtemp())
    root = top / "project"
    beside = {f"./{name}": f"content of {name}\n" for name in ("key.txt", "manifests/key.txt", "manifests/sub/key.txt")}
    beside |= {f"./{name}": f"content of {name}\n" for name in ("root.txt", "manifests/root.txt")}
    try:
        texts = {f"./manifests/{name}": "\n---\n".join(map(json.dumps, listed)) for name, listed in files.items()}
        write(root, {**beside, **texts}, project)
        (top / "root.txt").write_text("content above\n")
        before, problems = manifests.check(root, None, ENVIRON, as_of=NOW)
        assert before is not None, problems
        text = written_out(root, with_origins=with_origins)
        for one in text.values():
            assert not [word for word in ("forEach", " use:", "ScheduleTemplate", "content ", "tenant") if word in one]
        shutil.rmtree(root)
        write(root, {**beside, **{f"./{name}": one for name, one in text.items()}}, project)
        after, problems = manifests.check(root, None, ENVIRON, as_of=NOW)
        assert after is not None, problems
        assert meaning(after) == meaning(before)
        assert after.secret_values <= before.secret_values
    finally:
        shutil.rmtree(top)


def test_a_default_stands_for_what_an_item_has_filled_in_with_nothing(tmp_path: Path) -> None:
    text = AGENT.replace("kind: Agent\n", 'kind: Agent\nforEach: [{k: "${env:NONE:-}"}]\n')
    text += '      inputParameters: {both: "${each.k:-open}-${env:TENANT}"}\n'
    root = write(tmp_path, {"a.yaml": text}, PROJECT)
    assert "open-${env:TENANT}" in "".join(written_out(root, with_origins=False).values())
