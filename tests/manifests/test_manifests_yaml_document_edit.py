"""Whatever is edited in a file that people wrote, the file says just that anew, and stays as it is around it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from yaml_texts import KEYS, VALUES, files

from reconciler.manifests.yaml_document_edit import CannotEdit, EditedFile, Obstacle, spliced
from reconciler.manifests.yaml_reading import read
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.manifests.yaml_writing import entry_lines, inline, same


def paths_of(value: Any, path: DocumentPath = ()) -> list[DocumentPath]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, one in steps for found in paths_of(one, (*path, step)))]


def at(value: Any, path: DocumentPath) -> Any:
    for step in path:
        value = value[step]
    return value


def values_in(data: bytes) -> dict[int, Any]:
    return {document.index: document.value for document in read(data)}


def assert_says(text: str, said: dict[int, Any]) -> None:
    found = values_in(text.encode())
    assert found.keys() == said.keys()
    assert all(same(value, said[index]) for index, value in found.items())


def changed_lines(before: str, after: str) -> int:
    """How many lines of the text before are no longer there."""
    return (Counter(before.splitlines(keepends=True)) - Counter(after.splitlines(keepends=True))).total()


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=300)
@given(files(), st.data())
def test_an_edit_changes_what_it_says_and_nothing_around_it(
    drawn: tuple[bytes, list[Any]], data: st.DataObject
) -> None:
    content, documents = drawn
    said = values_in(content)
    assert same(list(said.values()), documents)
    index = data.draw(st.sampled_from(sorted(said)))
    path = data.draw(st.sampled_from([path for path in paths_of(said[index]) if path]))
    around, here = at(said[index], path[:-1]), at(said[index], path)
    action = data.draw(st.sampled_from(["set", "add", "remove", "append"]))
    value = data.draw(VALUES)
    edited = EditedFile(content)
    if action == "append" and (here is None or isinstance(here, list)):
        items = data.draw(st.lists(VALUES, min_size=1, max_size=3))
        edited.append(index, path, [item_text(item) for item in items])
        around[path[-1]] = [*(here or ()), *items]
    elif isinstance(around, dict) and action in ("add", "append"):
        path = (*path[:-1], data.draw(KEYS.filter(lambda one: one not in around)))
        if action == "append":
            edited.append(index, path, [item_text(value)])
        else:
            edited.set_value(index, path, value)
        around[path[-1]] = value if action == "add" else [value]
    elif isinstance(around, dict) and action == "remove":
        edited.remove(index, path)
        del around[path[-1]]
    else:
        edited.set_value(index, path, value)
        around[path[-1]] = value
        action = "set"
    note(f"{content.decode()!r}\n{spliced(edited.before, edited.splices())!r}")
    text = edited.text
    assert_says(text, said)
    assert text.startswith("\ufeff") == edited.before.startswith("\ufeff")
    assert "\r\n" not in edited.before or not re.search("(?<!\r)\n", text)
    if action in ("add", "append") or (action == "set" and not isinstance(here, dict | list)):
        assert changed_lines(edited.before, text) <= 1 + str(here).count("\n")
        assert_comments_stay(edited.before, text)


def assert_comments_stay(before: str, after: str) -> None:
    kept = iter(line.strip() for line in after.splitlines())
    assert all(line.strip() in kept for line in before.splitlines() if line.strip().startswith("#"))


def item_text(value: Any) -> str:
    """An item as somebody would hand it over: a mapping line by line, with comments."""
    if not isinstance(value, dict) or not value:
        return inline(value, in_flow=False)
    return "\n".join(["# of the item", *(line for key, one in value.items() for line in entry_lines(key, one))])


FILE = """\
# Prices of the region
apiVersion: reconciler/v1
kind: Agent
spec:
    path:   sequentum/Retail/prices     # where it lies
    schedules:

      # first thing in the morning
      -   name: nightly
          cron: '0 0 2 * * *'   # UTC!
          inputParameters: {region: au, "mode": full}   # two

      - {name: poll, every: 15m,  startTime: 2026-01-01T00:00:00}
      - name: last
        inputParameters:
          region: au   # Australia
          # the mode is decided at head office
          mode: full
        logLevel: low
# the end
---
x-empty: {}
schedules: []   # none yet
nothing:
list: [a]
"""
SCHEDULES: DocumentPath = ("spec", "schedules")


@pytest.mark.parametrize(
    ("path", "value", "line", "becomes"),
    [
        ((*SCHEDULES, 0, "cron"), "0 0 3 * * *", 10, "          cron: '0 0 3 * * *'   # UTC!"),
        ((*SCHEDULES, 0, "cron"), "a\u202eb", 10, '          cron: "a\\u202eb"   # UTC!'),
        ((*SCHEDULES, 0, "cron"), "it's", 10, "          cron: 'it''s'   # UTC!"),
        (("spec", "path"), "a: b", 5, '    path:   "a: b"     # where it lies'),
        ((*SCHEDULES, 0, "inputParameters", "mode"), "a, b", 11, '{region: au, "mode": "a, b"}   # two'),
        ((*SCHEDULES, 0, "inputParameters", "new"), "5", 11, '{region: au, "mode": full, new: "5"}   # two'),
        ((*SCHEDULES, 1, "every"), "1h", 13, "{name: poll, every: 1h,  startTime: 2026-01-01T00:00:00}"),
        ((*SCHEDULES, 1, "enabled"), False, 13, "startTime: 2026-01-01T00:00:00, enabled: false}"),
        ((*SCHEDULES, 2, "inputParameters", "region"), "nz", 16, "          region: nz   # Australia"),
        ((*SCHEDULES, 2, "inputParameters", "on"), "yes", 19, '          "on": "yes"'),
        ((*SCHEDULES, 2, "inputParameters", "mode"), "010", 18, '          mode: "010"'),
        ((*SCHEDULES, 2, "startTime"), "2026-01-01T02:00:00", 20, "        startTime: 2026-01-01T02:00:00"),
        ((*SCHEDULES, 2, "enabled"), False, 20, "        enabled: false"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_value_is_written_as_its_neighbours_are(
    path: DocumentPath, value: Any, line: int, becomes: str, end: str
) -> None:
    before = FILE.replace("\n", end)
    edited = EditedFile(before.encode())
    edited.set_value(0, path, value)
    assert edited.text.split(end)[line - 1].endswith(becomes)
    assert_comments_stay(before, edited.text)


@pytest.mark.parametrize(
    ("document", "path", "lines"),
    [
        (0, SCHEDULES, ["      # by hand", "      - name: made", "        every: 1d", "# the end"]),
        (1, ("schedules",), ["schedules:   # none yet", "  # by hand", "  - name: made", "    every: 1d", "nothing:"]),
        (1, ("nothing",), ["nothing:", "  # by hand", "  - name: made", "    every: 1d", "list: [a]"]),
        (1, ("list",), ["list: [a, {name: made, every: 1d}]"]),
        (1, ("other",), ["list: [a]", "other:", "  # by hand", "  - name: made", "    every: 1d"]),
        (1, ("x-empty", "list"), ["x-empty: {list: [{name: made, every: 1d}]}"]),
    ],
)
def test_an_item_is_added_to_any_list(document: int, path: DocumentPath, lines: list[str]) -> None:
    edited = EditedFile(FILE.encode())
    edited.append(document, path, ["# by hand\nname: made\nevery: 1d\n"])
    assert "\n".join(lines) in edited.text
    assert_comments_stay(FILE, edited.text)


def test_a_key_goes_with_its_line_and_the_rest_stays() -> None:
    edited = EditedFile(FILE.encode())
    edited.remove(0, (*SCHEDULES, 0, "name"))
    edited.remove(0, (*SCHEDULES, 0, "inputParameters", "region"))
    edited.remove(0, (*SCHEDULES, 2, "inputParameters", "region"))
    edited.remove(0, (*SCHEDULES, 2, "inputParameters", "mode"))
    edited.remove(0, (*SCHEDULES, 2, "logLevel"))
    text = edited.text
    assert "      -   cron: '0 0 2 * * *'   # UTC!\n          inputParameters: {\"mode\": full}   # two\n" in text
    assert "      - name: last\n        inputParameters: {}\n# the end\n" in text


def test_a_comment_behind_a_first_key_that_goes_stays() -> None:
    edited = EditedFile(b"a:\n  - every: 15m # often\n    # for the start\n    name: x\n    id: y\n    b: 1\n")
    for key in ("every", "id"):
        edited.remove(0, ("a", 0, key))
    assert edited.text == "a:\n  -\n    # for the start\n    name: x\n    b: 1\n"


def test_many_edits_of_one_block_stand_together() -> None:
    edited = EditedFile(FILE.encode())
    block = (*SCHEDULES, 2)
    edited.set_value(0, (*block, "inputParameters", "region"), "nz")
    edited.remove(0, (*block, "inputParameters", "mode"))
    edited.set_value(0, (*block, "inputParameters", "page"), 5)
    edited.set_value(0, (*block, "enabled"), False)
    edited.set_value(0, (*block, "sessionId"), "1-5/5")
    edited.set_value(1, ("x-empty", "one"), 1)
    edited.set_value(1, ("x-empty", "two"), 2)
    assert (
        """\
        inputParameters:
          region: nz   # Australia
          page: 5
          # the mode is decided at head office
        logLevel: low
        enabled: false
        sessionId: 1-5/5
# the end
---
x-empty: {one: 1, two: 2}
"""
        in edited.text
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("---\na: 1\n", "---\n{}\n"),
        ("k: # see:\n  a: 1\nz: 1\n", "k: # see:\n  {}\nz: 1\n"),
        ("k:\n\n  # see -\n  a: 1 # one\n\n# two\nz: 1\n", "k:\n\n  # see -\n  {} # one\n\n# two\nz: 1\n"),
        ("k:\n\n  a: 1 # one\n\n# two\nz: 1\n", "k: {} # one\n\n# two\nz: 1\n"),
    ],
)
def test_a_mapping_that_gets_empty_stands_where_it_stood(before: str, after: str) -> None:
    edited = EditedFile(before.encode())
    edited.remove(0, ("k", "a") if before.startswith("k") else ("a",))
    assert edited.text == after


ANCHORS = """\
x-common: &common {cron: 0 0 2 * * *, inputParameters: &params {region: au}}
x-zone: &zone UTC
a:
  - &first
    <<: *common
    name: a
    timeZone: *zone
  - <<: *first
    name: b
  - &alone {name: c}
"""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("x-common", "cron"), "x"),
        (("x-zone",), "x"),
        (("x-common",), {}),
        (("a", 0, "name"), "x"),
        (("a", 0, "timeZone"), "x"),
    ],
)
def test_what_others_share_is_not_edited(path: DocumentPath, value: Any) -> None:
    edited = EditedFile(ANCHORS.encode())
    with pytest.raises(CannotEdit) as raised:
        edited.set_value(0, path, value)
    assert raised.value.obstacle is Obstacle.SHARED
    assert edited.text == ANCHORS


def test_a_block_of_its_own_gets_a_value_of_its_own() -> None:
    edited = EditedFile(ANCHORS.encode())
    edited.set_value(0, ("a", 1, "cron"), "0 0 3 * * *")
    edited.set_value(0, ("a", 2, "name"), "d")
    assert edited.text == ANCHORS.replace("name: b", 'name: b\n    cron: "0 0 3 * * *"').replace("name: c", "name: d")
    edited = EditedFile(b"z: &zone UTC\na: {timeZone: *zone}\n")
    edited.set_value(0, ("a", "timeZone"), "Etc/GMT")
    assert edited.text == "z: &zone UTC\na: {timeZone: Etc/GMT}\n"


@pytest.mark.parametrize("path", [("a", 1, "inputParameters", "x"), ("nowhere", "x"), ("a", 7), (), ("x-zone", "y")])
def test_what_is_not_written_there_is_not_edited(path: DocumentPath) -> None:
    with pytest.raises(CannotEdit):
        EditedFile(ANCHORS.encode()).set_value(0, path, 1)


@pytest.mark.parametrize("content", [b"a: [", b"a: 1\na: 2\n", b"\xff\xfea", b"a: !!python/name:x 1\n"])
def test_a_file_that_cannot_be_read_is_not_edited(content: bytes) -> None:
    with pytest.raises(CannotEdit) as raised:
        EditedFile(content)
    assert raised.value.obstacle is Obstacle.UNREADABLE


@pytest.mark.parametrize(
    "content",
    [
        "%YAML 1.1\n---\na: 1\n...\n# end\n",
        "? a\n: 1\n",
        "a: 1",
        "a: !!str 1\n",
        "a: >-\n  folded\n  text\n\nb: 2\n",
        "a: |\n  text",
        "a: one\n  line # more\n",
        "{\n  a: 1, # one\n  b: 2,\n}\n",
        '{\n  "a": 1,\n  "b": 2\n}\n',
        "{a: 1, b}\n",
        "{a: 1, ? b : 2}\n",
        "a:\t1\t# tab\n",
        "--- {a: 1}\n",
        "--- !!map\na: 1\n",
        "a: |+\n  text\n\n\nb: 1\n",
        "a: 1\rb: 2\r",
        "a: 1\x85b: \u2028\n",
        "a: &x 1\nb: 2\n",
        "'a': 1 # x\n\n\n# y\n",
    ],
)
def test_rare_spellings_are_edited_or_refused(content: str) -> None:
    for edit in ("set", "add", "remove"):
        said = values_in(content.encode())
        edited = EditedFile(content.encode())
        if edit == "remove":
            edited.remove(0, ("a",))
            del said[0]["a"]
        else:
            edited.set_value(0, ("a" if edit == "set" else "new",), "new: value")
            said[0]["a" if edit == "set" else "new"] = "new: value"
        try:
            text = edited.text
        except CannotEdit as error:
            assert error.obstacle is Obstacle.UNSURE
            continue
        assert_says(text, said)
        assert_comments_stay(content, text)


@pytest.mark.parametrize("text", ["1e3", "1.5E-3", "0o17", "12e03", "007", "1_000", "0x1f", "on", "1.", ".5", "-1"])
def test_text_that_a_reader_of_either_yaml_takes_for_something_else_is_quoted(text: str) -> None:
    """Editors read YAML 1.2, many libraries 1.1."""
    edited = EditedFile(b"a:\n  b: x\n")
    edited.set_value(0, ("a", "b"), text)
    edited.set_value(0, ("a", "c"), text)
    assert edited.text == f'a:\n  b: "{text}"\n  c: "{text}"\n'


@pytest.mark.parametrize("text", ["1e", "e3", "1.2.3", "1-5/5", "15m", "a1e3"])
def test_text_that_all_take_for_text_stays_plain(text: str) -> None:
    edited = EditedFile(b"a:\n  b: x\n")
    edited.set_value(0, ("a", "b"), text)
    assert edited.text == f"a:\n  b: {text}\n"
