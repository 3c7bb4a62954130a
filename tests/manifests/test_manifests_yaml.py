"""YAML is read the way people mean it, and its traps are refused clearly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests_projects import AGENT, ENVIRON, PROJECT, TRIGGER, check, desired, places, schedule_of, write

from reconciler.manifests import yaml_reading
from reconciler.manifests.yaml_values import plain_value, text_of


def value_of(text: str) -> Any:
    (document,) = yaml_reading.read(text.encode())
    return document.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T02:00:00", "2026-01-01T02:00:00"),
        ("12:30:45", "12:30:45"),
        ("5", 5),
        ("-5", -5),
        ("1.5", 1.5),
        ("1.10", "1.10"),
        ("007", "007"),
        ("0o17", "0o17"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("-0", "-0"),
        (".inf", ".inf"),
        ("nan", "nan"),
        ("9" * 30, "9" * 30),
        ("~", None),
        ("null", None),
        ("", None),
        ("Null", "Null"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("! 5", "5"),
    ],
)
def test_a_word_means_what_it_looks_like(written: str, meant: Any) -> None:
    found = value_of(f"a: {written}")["a"]
    assert found == meant
    assert type(found) is type(meant)


@given(st.text(alphabet="0123456789+-._eExo:TZabt", max_size=12))
def test_nothing_that_was_written_is_lost(word: str) -> None:
    assert text_of(plain_value(word)) == word or plain_value(word) is None


def test_aliases_and_merge_keys(tmp_path: Path) -> None:
    text = AGENT.replace("- name: nightly", "- &usual\n      name: nightly") + (
        "    - <<: *usual\n      name: later\n      cron: 0 0 5 * * *\n"
    )
    found = desired(write(tmp_path, {"a.yaml": text}))
    later, nightly = found.resources
    assert later.address.name == "later"
    assert (schedule_of(later).cron, schedule_of(later).time_zone) == ("0 0 5 * * *", "UTC")
    assert schedule_of(nightly).cron == "0 0 2 * * *"
    assert later.origin.line == 13


def test_an_earlier_merge_wins_and_own_keys_win_over_all() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\n"
    assert value_of(text)["c"] == {"x": 1, "y": 1, "z": 3}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)

REFUSED: list[tuple[bytes, tuple[int, int, str]]] = [
    (b"\ta: 1\n", (1, 1, "tab")),
    (b"a:\n  b: 1\n\tc: 1\n", (3, 1, "tab")),
    (b"a: b: c\n", (1, 5, "syntax")),
    (b"a: @x\n", (1, 4, "syntax")),
    (b"a: [1\nb: 2\n", (2, 2, "syntax")),
    (b"a: 'x\n", (2, 1, "syntax")),
    (b"a: \x00\n", (1, 1, "encoding")),
    (b"abc: \x07\n", (1, 6, "control-character")),
    (b"abcdef: \x00\n", (1, 9, "control-character")),
    (b"a: 1\nb: \xff\n", (2, 4, "encoding")),
    (b"\xff\xfea\x00:\x00", (1, 1, "encoding")),
    ("a: 1\n".encode("utf-16-be"), (1, 1, "encoding")),
    (b"a: !foo 1\n", (1, 4, "tag")),
    (b"a: !!python/object/apply:os.system [x]\n", (1, 4, "tag")),
    (b"a: !!binary aGk=\n", (1, 4, "tag")),
    (b"a: !!set {x}\n", (1, 4, "tag")),
    (b"a: *b\n", (1, 4, "unknown-alias")),
    (b"a: &a [*a]\n", (1, 8, "alias-in-itself")),
    (b"a: &a\n  b: *a\n", (2, 6, "alias-in-itself")),
    (b"? [a]\n: 1\n", (1, 3, "key-type")),
    (b"a: {<<: 1}\n", (1, 5, "merge")),
    (BOMB.encode(), (5, 45, "alias-budget")),
    (b"[" * 100_000, (1, 101, "too-deep")),
    (b"- " * 100_000, (1, 201, "too-deep")),
    (b"{a: " * 100_000, (1, 401, "too-deep")),
    (b"a: 1\n" * 2_100_000, (1, 1, "file-too-large")),
]


@pytest.mark.parametrize(("data", "place"), REFUSED, ids=[place[2] + str(n) for n, (_, place) in enumerate(REFUSED)])
def test_a_trap_is_refused_at_its_place(tmp_path: Path, data: bytes, place: tuple[int, int, str]) -> None:
    found, problems = check(write(tmp_path, {"a.yaml": data, "b.yaml": AGENT}))
    assert found is None
    assert places(problems) == [("manifests/a.yaml", *place)]


@pytest.mark.parametrize(
    ("text", "place"), [("a: 1\na: 2\n", (2, 1)), ("a: {b: 1, 'b': 2}\n", (1, 11)), ("1: a\n'1': b\n", (2, 1))]
)
def test_a_duplicate_key_is_told_and_the_first_value_counts(text: str, place: tuple[int, int]) -> None:
    (document,) = yaml_reading.read(text.encode())
    (problem,) = document.problems
    assert (problem.line, problem.column, problem.code) == (*place, "duplicate-key")
    assert document.value in ({"a": 1}, {"a": {"b": 1}}, {"1": "a"})


def test_a_duplicate_key_hides_no_other_mistake(tmp_path: Path) -> None:
    doubled = AGENT.replace("  schedules:", "  path: sequentum/other\n  schedules:").replace("cron:", "crom:")
    found, problems = check(write(tmp_path, {"a.yaml": doubled.replace("UTC", "Sydnee")}))
    assert found is None
    assert {problem.code for problem in problems} == {"duplicate-key", "unknown-key", "exactly-one", "bad-zone"}


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(tmp_path: Path) -> None:
    plain = desired(write(tmp_path / "plain", {"a.yaml": AGENT}))
    marked = desired(write(tmp_path / "marked", {"a.yaml": b"\xef\xbb\xbf" + AGENT.replace("\n", "\r\n").encode()}))
    assert marked.resources == plain.resources


def test_several_documents_share_a_file_and_empty_ones_are_skipped(tmp_path: Path) -> None:
    text = f"---\n# nothing\n---\n{AGENT}---\n---\n{TRIGGER}...\n"
    found = desired(write(tmp_path, {"a.yaml": text, "empty.yaml": "", "comment.yaml": "# only\n"}))
    assert [str(resource.address) for resource in found.resources] == ["schedule/prices/nightly", "trigger/publish"]
    assert [resource.origin.line for resource in found.resources] == [11, 17]


def test_many_documents_with_a_mistake_each_are_no_matter(tmp_path: Path) -> None:
    text = "---\n".join(AGENT.replace("prices", f"p{number}").replace("cron:", "crom:") for number in range(300))
    _, problems = check(write(tmp_path, {"a.yaml": text}))
    unknown = [problem for problem in problems if problem.code == "unknown-key"]
    assert [problem.line for problem in unknown] == [12 * number + 9 for number in range(300)]


@pytest.mark.parametrize("text", ["just text\n", "- a\n- b\n", "5\n", "'${env:HOME}'\n"])
def test_a_document_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    _, problems = check(write(tmp_path, {"a.yaml": text}))
    assert places(problems) == [("manifests/a.yaml", 1, 1, "not-a-mapping")]


PRINTABLE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff")
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PRINTABLE,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(PRINTABLE, children, max_size=4),
    max_leaves=15,
)
JSON_DOCUMENTS = st.dictionaries(PRINTABLE.filter(lambda key: key != "<<"), JSON_VALUES, max_size=5)


@settings(deadline=None)
@given(JSON_DOCUMENTS)
def test_json_is_yaml(document: dict[str, Any]) -> None:
    assert (value_of(json.dumps(document, ensure_ascii=False)) or {}) == document


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        PRINTABLE, st.recursive(PRINTABLE, lambda c: st.lists(c) | st.dictionaries(PRINTABLE, c), max_leaves=9)
    )
)
def test_what_a_dumper_writes_is_read_back(document: dict[str, Any]) -> None:
    dumped = yaml.safe_dump(document, default_flow_style=False, allow_unicode=True)
    assert (value_of(dumped) or {}) == document


TYPED = ["\n", "  ", ": ", "- ", "${", "}", "{", "[", "&a ", "*a", "!x ", "|\n", "null", "5", '"', "'"]


@st.composite
def mangling(draw: st.DrawFn, text: str) -> str:
    """A text into which somebody types up to three times at random."""
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(st.sampled_from(TYPED) | st.text(max_size=4)) + text[end:]
    return text


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_whatever_is_written_ends_in_problems_and_never_in_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    mangled = {}
    for name, text in (("a.yaml", AGENT + "---\n" + TRIGGER), ("./reconciler.yaml", PROJECT)):
        mangled[name] = data.draw(mangling(text)).encode("utf-8", "surrogatepass")
    root = write(tmp_path_factory.mktemp("mangled"), {"a.yaml": mangled["a.yaml"]}, mangled["./reconciler.yaml"])
    found, problems = check(root)
    assert (found is None) == any(problem.severity == "error" for problem in problems)
    for problem in problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.code
        assert problem.message


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60))
def test_garbage_ends_in_problems(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    root = write(tmp_path_factory.mktemp("garbage"), {"a.yaml": AGENT.encode() + garbage})
    check(root, ENVIRON)


def test_the_parser_in_python_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = AGENT + "---\n" + TRIGGER
    quick = yaml_reading.read(text.encode())
    monkeypatch.delattr(yaml, "CSafeLoader")
    slow = yaml_reading.read(text.encode())
    assert [document.value for document in slow] == [document.value for document in quick]
    assert [document.place for document in slow] == [document.place for document in quick]
    (document,) = yaml_reading.read(b"a: 1\na: 2\n")
    assert [problem.code for problem in document.problems] == ["duplicate-key"]
