"""One document for each item: of a list, a table, YAML or JSON; and every mistake named with the item that shows it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests_projects import AGENT, ENVIRON, NOW, PROJECT, TRIGGER, check, desired, places, write

from reconciler import manifests
from reconciler.manifests import item_files
from reconciler.manifests.problems import Problems, SourceFile
from reconciler.manifests.yaml_values import text_of
from reconciler.model.resource import Resource, Severity

MADE = """\
apiVersion: reconciler/v1
kind: Agent
forEach: FOR_EACH
metadata: {name: "prices-${each.region}", labels: {tier: "${each.tier}"}}
spec:
  path: Retail/prices-${each.region}
  approval: {state: approved, message: "100%s ${each.region} $${each.region} ${var:who}"}
  schedules:
    - name: nightly
      cron: "0 0 2 * * *"
      startTime: 2026-01-01T02:00:00
      timeZone: "${each.zone}"
      enabled: "${each.on}"
      inputParameters: {region: "${each.region}", key: "${each.key}", both: "x-${each.key}"}
"""
PROJECT_WITH_WHO = PROJECT + "  variables: {who: 100%d}\n"
INLINE = (
    '[{region: au, zone: UTC, on: true, tier: 1, key: "${env:TENANT}"}, '
    "{region: nz, zone: UTC, on: false, tier: b, key: open}]"
)
TABLE = "region,zone,on,tier,key\nau,UTC,true,1,tenant\nnz,UTC,false,b,open\n"
YAML = """\
- {region: au, zone: UTC, on: true, tier: 1, key: tenant}
- {region: nz, zone: UTC, on: false, tier: b, key: open}
"""
JSON = json.dumps(
    [
        {"region": "au", "zone": "UTC", "on": True, "tier": 1, "key": "tenant"},
        {"region": "nz", "zone": "UTC", "on": False, "tier": "b", "key": "open"},
    ],
    indent=1,
)
FORMS: list[tuple[str, dict[str, str | bytes]]] = [
    (INLINE, {}),
    ("{file: regions.csv}", {"regions.csv": TABLE}),
    ("{file: regions.csv}", {"regions.csv": b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode()}),
    ("{file: ../regions.yaml}", {"./regions.yaml": YAML}),
    ("{file: ../regions.json}", {"./regions.json": JSON}),
]


def made(root: Path, each: str, files: dict[str, str | bytes]) -> Path:
    return write(root, {"m.yaml": MADE.replace("FOR_EACH", each), **files}, PROJECT_WITH_WHO)


@pytest.mark.parametrize(("each", "files"), FORMS, ids=["inline", "csv", "excel", "yaml", "json"])
def test_each_item_makes_a_document(tmp_path: Path, each: str, files: dict[str, str | bytes]) -> None:
    found = desired(made(tmp_path, each, files))
    assert [(one.handle, one.path, one.labels) for one in found.agents] == [
        ("prices-au", "Retail/prices-au", {"tier": "1"}),
        ("prices-nz", "Retail/prices-nz", {"tier": "b"}),
    ]
    schedules = {str(one.address): one for one in found.resources if one.address.kind == "schedule"}
    au: Resource = schedules["schedule/prices-au/nightly"]
    assert au.state.parameters == {"region": "au", "key": "tenant", "both": "x-tenant"}
    assert "enabled=True" in repr(au.state)
    assert "enabled=False" in repr(schedules["schedule/prices-nz/nightly"].state)
    messages = [repr(one.state) for one in found.resources if one.address.kind == "approval"]
    assert "100%s au ${each.region} 100%d" in messages[0]
    assert au.origin.item.startswith("item 1 (region: au)")
    assert not [one for one in found.problems if one.code not in ("secret-in-public",)]


def test_what_came_from_outside_stays_secret_through_an_item(tmp_path: Path) -> None:
    found = desired(made(tmp_path, INLINE, {}))
    by_name = {one.address.agent: one.secrets for one in found.resources if one.address.kind == "schedule"}
    assert by_name == {"prices-au": ("inputParameters.both", "inputParameters.key"), "prices-nz": ()}
    assert {"tenant", "x-tenant"} <= found.secret_values
    hidden = INLINE.replace("region: au, zone: UTC", 'zone: "${env:KEY_ID}", region: au')
    _, problems = check(made(tmp_path, hidden, {}))
    assert problems
    assert "item 1 (region: au)" in problems[0].message


def test_what_stands_in_a_file_of_items_is_data(tmp_path: Path) -> None:
    table = TABLE.replace(",open", ',"${env:TENANT} $${x} ${each.zone}"')
    found = desired(made(tmp_path, "{file: r.csv}", {"r.csv": table}))
    last = next(one for one in found.resources if str(one.address) == "schedule/prices-nz/nightly")
    assert (last.state.parameters or {})["key"] == "${env:TENANT} $${x} ${each.zone}"  # type: ignore[index]
    assert last.secrets == ()


def test_the_file_of_the_items_may_be_named_by_a_variable(tmp_path: Path) -> None:
    made = MADE.replace("FOR_EACH", '{file: "${var:which}.csv"}')
    project = PROJECT + "  variables: {who: 100%d, which: regions}\n"
    root = write(tmp_path, {"m.yaml": made, "regions.csv": TABLE}, project)
    assert [one.handle for one in desired(root).agents] == ["prices-au", "prices-nz"]
    write(root, {}, project.replace("which: regions", 'which: "${env:WHICH}"'))
    assert {one.code for one in check(root)[1]} == {"undefined-env"}
    trigger = TRIGGER + "  when: {changed: [schedule/prices-au/*]}\n"
    write(root, {"t.yaml": trigger}, project.replace("which: regions", 'which: "${env:WHICH}"'))
    found, problems = manifests.check(root, None, ENVIRON, as_of=NOW, unset_severity=Severity.WARNING)
    assert found is not None
    assert [(one.path, one.code) for one in problems] == [("reconciler.yaml", "undefined-env")]


WIDE = ",".join(f"k{number}" for number in range(20_000))

# What stands behind forEach, further files, and the problem: its file, line, code, and a word of its message.
MISTAKES: list[tuple[str, dict[str, str | bytes], tuple[str, int, str], str]] = [
    ("", {}, ("m.yaml", 3, "wrong-type"), "a list"),
    ("{file: [a.csv]}", {}, ("m.yaml", 3, "wrong-type"), "text"),
    ("[au]", {}, ("m.yaml", 3, "wrong-type"), "mapping"),
    ("[{region: {a: b}}]", {}, ("m.yaml", 3, "wrong-type"), "`region` must be plain text"),
    ("[{region: }]", {}, ("m.yaml", 3, "wrong-type"), "empty"),
    ("{file: regions.csv}", {}, ("m.yaml", 3, "missing-file"), "regions.csv"),
    ("{file: regions.txt}", {"regions.txt": "a"}, ("m.yaml", 3, "wrong-ending"), ".csv"),
    ("{file: r.csv}", {"r.csv": "region,region\n"}, ("r.csv", 1, "bad-table"), "twice"),
    ("{file: r.csv}", {"r.csv": "region;zone\n"}, ("r.csv", 1, "bad-table"), "commas"),
    ("{file: r.csv}", {"r.csv": ""}, ("r.csv", 1, "bad-table"), "empty"),
    ("{file: r.csv}", {"r.csv": 'a,b\n"x\ny",1\n2,3,4\n'}, ("r.csv", 4, "bad-table"), "3 cells"),
    ("{file: r.csv}", {"r.csv": "a,b\n1,2,\n"}, ("r.csv", 2, "bad-table"), "3 cells"),
    ("{file: r.csv}", {"r.csv": WIDE + "\n1" * 999}, ("r.csv", 495, "bad-table"), "larger than"),
    ("{file: r.csv}", {"r.csv": 'a\n"b\n'}, ("r.csv", 2, "bad-table"), "row"),
    ("{file: r.csv}", {"r.csv": b"a\nok\n\xe9\n"}, ("r.csv", 3, "encoding"), "UTF-8"),
    ("{file: r.csv}", {"r.csv": "a\n1\n".encode("utf-16")}, ("r.csv", 1, "encoding"), "UTF-8"),
    ("{file: r.yaml}", {"r.yaml": "a: b\n"}, ("r.yaml", 1, "not-items"), "list of mappings"),
    ("{file: r.yaml}", {"r.yaml": "- a: 1\n- a: [1]\n"}, ("r.yaml", 2, "wrong-type"), "`a` must be plain text"),
    ("{file: r.yaml}", {"r.yaml": "- a: 1\n  a: 2\n"}, ("r.yaml", 2, "duplicate-key"), "twice"),
    ("{file: r.yaml}", {"r.yaml": "- a: 1\n---\n- a: 2\n"}, ("r.yaml", 3, "extra-document"), "one list"),
    ("{file: r.json}", {"r.json": "{}"}, ("r.json", 1, "not-items"), "list of mappings"),
    ("{file: r.json}", {"r.json": '[\n{"a": 1}\n{"a": 2}]'}, ("r.json", 3, "syntax"), "comma"),
    ("{file: r.json}", {"r.json": '[\n{"a": 1},\n{"a": }]'}, ("r.json", 3, "syntax"), "JSON"),
    ("{file: r.json}", {"r.json": '[\n{"a": 1, "a": 2}]'}, ("r.json", 2, "syntax"), "twice"),
    ("{file: r.json}", {"r.json": '[\n{"a": NaN}]'}, ("r.json", 2, "syntax"), "NaN"),
    ("{file: r.json}", {"r.json": '[\n{"a": "\\ud800"}]'}, ("r.json", 2, "wrong-value"), "UTF-8"),
    ("{file: r.json}", {"r.json": '[\n{"a": 1}] x'}, ("r.json", 2, "syntax"), "behind"),
    ("{file: r.json}", {"r.json": '[\n\t{"a": 1},\n\t{"a": {}}]'}, ("r.json", 3, "wrong-type"), "plain text"),
    ('[{region: "${env:NOPE}"}]', {}, ("m.yaml", 3, "undefined-env"), "NOPE"),
    ('[{region: "${each.x}"}]', {}, ("m.yaml", 3, "interpolation-each"), "forEach"),
]


@pytest.mark.parametrize(("each", "files", "at", "word"), MISTAKES)
def test_a_mistake_in_the_items_is_said_once_where_it_is(
    tmp_path: Path, each: str, files: dict[str, str | bytes], at: tuple[str, int, str], word: str
) -> None:
    found, problems = check(made(tmp_path, each, files))
    assert found is None
    told = [(one.path.rpartition("/")[2], one.line, one.code) for one in problems if one.code != "unknown-each"]
    assert told == [at]
    assert word in problems[0].message


# An edit of the document, and the problem that follows: what it points at, its code, and its whole end.
IN_DOCUMENTS = [
    (
        "each.zone",
        "each.zoen",
        '"${each.zoen',
        "unknown-each",
        "did you mean zone? [item 1 (region: au) of FILE:2, and for 1 more]",
    ),
    ("cron: ", "cron: x", "x", "bad-cron", "[item 1 (region: au) of FILE:2, and for 1 more]"),
    (
        'metadata: {name: "prices-${each.region}',
        'metadata: {name: "prices-${each.regoin}',
        '"prices-',
        "unknown-each",
        "FILE:2, and for 1 more]",
    ),
    ("${var:who}", "${var:woh}", '"100', "undefined-var", "did you mean who? [item 1 (region: au) of FILE:2]"),
    ('prices-${each.region}"', 'prices"', "apiVersion", "duplicate", "[item 2 (region: nz) of FILE:3]"),
    (
        "name: nightly",
        "name: nightly\n      id: d9c944df-93a7-ea77-f7b7-fa0b9c579917",
        "name: nightly",
        "duplicate",
        "[item 2 (region: nz) of FILE:3]",
    ),
    (
        "timeZone: ",
        "movedFrom: old\n      timeZon: ",
        "timeZon:",
        "unknown-key",
        "[item 1 (region: au) of FILE:2, and for 1 more]",
    ),
    ("${each.on}", "${each.tier}", '"${each.tier}"\n      inp', "wrong-value", "of FILE:2, and for 1 more]"),
]


@pytest.mark.parametrize(("before", "after", "at", "code", "end"), IN_DOCUMENTS)
def test_a_mistake_in_a_made_document_names_its_line_and_the_item(
    tmp_path: Path, before: str, after: str, at: str, code: str, end: str
) -> None:
    text = MADE.replace("FOR_EACH", "{file: r.csv}").replace(before, after, 1)
    found, problems = check(write(tmp_path, {"m.yaml": text, "r.csv": TABLE}, PROJECT_WITH_WHO))
    assert found is None
    one = next(one for one in problems if one.code == code)
    ahead = text[: text.index(at)]
    assert (one.path, one.line) == ("manifests/m.yaml", ahead.count("\n") + 1)
    assert one.message.endswith(end.replace("FILE", "manifests/r.csv"))


def test_each_without_for_each_is_an_error_that_says_so(tmp_path: Path) -> None:
    found, problems = check(write(tmp_path, {"a.yaml": AGENT.replace("UTC", '"${each.zone}"')}))
    assert found is None
    assert places(problems) == [("manifests/a.yaml", 11, 17, "interpolation-each")]


def test_a_template_and_a_project_are_one_document(tmp_path: Path) -> None:
    template = (
        "apiVersion: reconciler/v1\nkind: ScheduleTemplate\nforEach: [{a: b}]\nmetadata: {name: x}\nspec: {every: 1h}\n"
    )
    _, problems = check(write(tmp_path / "a", {"t.yaml": template}))
    assert places(problems) == [("manifests/t.yaml", 3, 1, "for-each-here")]
    _, problems = check(write(tmp_path / "b", {"t.yaml": AGENT}, PROJECT + "forEach: [{a: b}]\n"))
    assert [(one.path, one.code) for one in problems] == [("reconciler.yaml", "unknown-key")]


@pytest.mark.parametrize("each", ["", "forEach: [{n: 1}]\n"])
def test_what_is_filled_in_is_as_long_in_what_is_made_as_in_what_is_written(tmp_path: Path, each: str) -> None:
    number = "${each.n}" if each else "1"
    document = AGENT.replace("kind: Agent\n", f"kind: Agent\n{each}").replace(
        "Retail/prices", f"Retail/${{file:half}}${{file:half}}-{number}"
    )
    assert document.count("file:half") == 2
    found = check(write(tmp_path, {"a.yaml": document, "half": "x" * 600_000}))[1]
    assert [one.code for one in found] == ["interpolation-size"]


def test_digits_in_a_cell_are_text_where_only_text_can_stand(tmp_path: Path) -> None:
    text = (
        'apiVersion: reconciler/v1\nkind: Agent\nforEach: {file: r.csv}\nmetadata: {name: "${each.store}"}\n'
        'spec:\n  path: "${each.store}"\n  inputFilesEnabled: "${each.on}"\n'
        '  schedules: [{name: "${each.store}", every: 1h, startTime: "${each.at}", timeZone: UTC, '
        'windowless: "${each.on}", inputParameters: {a: "${each.store}"}}]\n'
    )
    table = "store,at,on\n1001,2026-01-01T00:00:00,true\n007,2026-01-01T00:00:00,false\n"
    found = desired(
        write(tmp_path, {"m.yaml": text, "r.csv": table}, PROJECT + "  defaults: {schedule: {logLevel: 1}}\n")
    )
    assert [(one.handle, one.path) for one in found.agents] == [("007", "007"), ("1001", "1001")]
    wrong = table.replace("2026-01-01T00:00:00", "5", 1).replace("true", "7")
    told = check(write(tmp_path, {"m.yaml": text, "r.csv": wrong}))[1]
    assert {(one.line, one.code) for one in told} == {(7, "wrong-type"), (8, "wrong-type"), (8, "bad-time")}


def test_a_file_of_items_that_a_pattern_names_is_no_manifest(tmp_path: Path) -> None:
    root = made(tmp_path, "{file: regions.yaml}", {"regions.yaml": YAML})
    found, problems = manifests.check(root, None, ENVIRON, as_of=NOW)
    assert found is not None
    assert [one.handle for one in found.agents] == ["prices-au", "prices-nz"]
    assert problems == ()


def test_no_items_make_no_documents_and_that_is_said(tmp_path: Path) -> None:
    for number, (each, files) in enumerate([("[]", {}), ("{file: r.csv}", {"r.csv": "region,zone\n"})]):
        found, problems = check(made(tmp_path / str(number), each, files))  # type: ignore[arg-type]
        assert found is not None
        assert found.agents == ()
        assert [one.code for one in problems] == ["no-items"]
        assert ("r.csv" in problems[0].message) == ("r.csv" in each)


def test_a_free_key_holds_anchors_and_nothing_else_reads_it(tmp_path: Path) -> None:
    free = 'x-zones:\n  - &zone Nowhere\n  - {whatever: "${env:NOPE} ${", 5: [a]}\n' + AGENT.replace("UTC", "*zone")
    found, problems = check(write(tmp_path, {"a.yaml": free}, PROJECT + 'x-free: "${env:NOPE}"\n'))
    assert found is None
    assert places(problems) == [("manifests/a.yaml", 2, 5, "bad-zone")]


@given(
    st.lists(
        st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=8), min_size=2, max_size=2),
        max_size=5,
    )
)
def test_a_cell_reads_back_as_its_text(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], *rows])
    path = tmp_path_factory.mktemp("items") / "items.csv"
    path.write_bytes(text.getvalue().encode())
    found = item_files.read(SourceFile("items.csv", path), Problems())
    assert found is not None
    assert [[text_of(one) for one in value.values()] for value, _ in found.rows] == rows  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("each", "files"),
    [
        ("[{region: au}, {region: nz, hour: 3, on: false}, {region: sg, hour: '', id: ''}]", {}),
        ("{file: r.csv}", {"r.csv": "region,hour,on,id\nau,,,\nnz,3,false,\nsg,,true,\n"}),
        ("{file: r.csv}", {"r.csv": "region,hour,on,id\r\nau\r\n\r\n  \r\nnz,3,false\r\nsg,,true"}),
    ],
)
def test_what_an_item_does_not_have_takes_the_default(tmp_path: Path, each: str, files: dict[str, str | bytes]) -> None:
    """Exceptions stand in the table alone, and a new line needs no id of a schedule that is not there yet."""
    text = MADE.replace("FOR_EACH", each).replace('"0 0 2 * * *"', '"0 0 ${each.hour:-2} * * *"')
    text = text.replace('"${each.on}"', '"${each.on:-true}"\n      id: "${each.id:-}"').replace(
        '"${each.zone}"', "${each.zone:-UTC}"
    )
    text = text.replace("${each.tier}", "x").replace("${each.key}", "${each.none:-}")
    found = desired(write(tmp_path, {"m.yaml": text, **files}, PROJECT_WITH_WHO))
    states = {one.address.agent: one for one in found.resources if one.address.kind == "schedule"}
    assert [getattr(states[f"prices-{name}"].state, "cron", "") for name in ("au", "nz", "sg")] == [
        "0 0 2 * * *",
        "0 0 3 * * *",
        "0 0 2 * * *",
    ]
    assert [getattr(states[f"prices-{name}"].state, "enabled", None) for name in ("au", "nz", "sg")] == [
        True,
        False,
        True,
    ]
    assert not any(one.adopted for one in states.values())
    assert len({one.identity for one in states.values()}) == 3


@pytest.mark.parametrize("written", ['""', '"${var:nothing}"', "${env:EMPTY:-}"])
@pytest.mark.parametrize("each", ["", "forEach: [{id: ''}]\n"])
def test_an_empty_id_is_none_only_where_an_item_has_none(tmp_path: Path, written: str, each: str) -> None:
    text = AGENT.replace("kind: Agent\n", f"kind: Agent\n{each}")
    files = {"manifests/a.yaml": text.replace("name: nightly", f"name: nightly\n      id: {written}", 1)}
    found, problems = check(write(tmp_path, files, PROJECT + "  variables: {nothing: ''}\n"))
    assert found is None
    assert [one.code for one in problems] == ["empty-id"]
    files = {name: one.replace(written, '"${each.id}"') for name, one in files.items()}
    found, problems = check(write(tmp_path, files, PROJECT))
    assert (found is None) == (not each)


@pytest.mark.parametrize("each", ["[{region: au, was: old}, {region: nz, was: ''}]", "{file: r.csv}"])
def test_only_the_item_that_has_an_old_name_was_moved(tmp_path: Path, each: str) -> None:
    text = MADE.replace("FOR_EACH", each).replace("labels: {tier:", 'movedFrom: "${each.was}", labels: {tier:')
    text = text.replace("  path: Retail", '  movedFrom: "${each.was}"\n  path: Retail')
    text = text.replace("name: nightly\n", 'name: nightly\n      movedFrom: "${each.was}"\n')
    for key, word in (("zone", "UTC"), ("on", "true"), ("tier", "x"), ("key", "x")):
        text = text.replace(f'"${{each.{key}}}"', word).replace(f"${{each.{key}}}", word)
    found = desired(write(tmp_path, {"m.yaml": text, "r.csv": "region,was\nau,old\nnz,\n"}, PROJECT_WITH_WHO))
    assert [(one.handle, one.moved_from, one.path_before) for one in found.agents] == [
        ("prices-au", "old", "old"),
        ("prices-nz", "", ""),
    ]
    moved = {one.address.agent: one.moved_from for one in found.resources if one.address.kind == "schedule"}
    assert moved == {"prices-au": "old", "prices-nz": ""}


def test_a_folder_in_place_of_a_file_of_items_is_not_called_missing(tmp_path: Path) -> None:
    root = made(tmp_path, "{file: r.csv}", {})
    (root / "manifests" / "r.csv").mkdir()
    found, problems = check(root)
    assert found is None
    assert "a folder" in problems[0].message


@pytest.mark.parametrize("each", ["", "forEach: [{key: region}, {key: zone}]\n"])
@pytest.mark.parametrize("key", ['"${each.key}"', "pre-${env:TENANT}-x", '"a ${var:who}"'])
def test_a_key_that_looks_as_if_it_were_filled_in_is_a_warning(tmp_path: Path, each: str, key: str) -> None:
    text = AGENT.replace("kind: Agent\n", f"kind: Agent\n{each}").replace(
        "name: prices", 'name: "p${each.key}"' if each else "name: p"
    )
    text = text.replace("Retail/prices", "Retail/${each.key}" if each else "Retail/p")
    text += f"      inputParameters:\n        $${{x}}: 1\n        {key}: 1\n"
    found, problems = check(write(tmp_path, {"a.yaml": text}, PROJECT))
    assert found is not None
    assert [(one.code, one.line) for one in problems] == [("literal-key", text.count("\n"))]
