"""Files that nobody would write: whatever lies in a project, commands end in time, in words, and as documented."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bounded import ends_within
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import NIGHTLY, POLL, PROJECT, Stage, agent, task_trigger

DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 64, 130}
PLACE = re.compile(r"(reconciler\.yaml|manifests/[^\n:]*):\d+")
SECONDS = 30

MANIFEST = agent(NIGHTLY, POLL, extra="  approval: {state: approved}\n") + "---\n" + task_trigger()

LAUGHS = "".join(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
CORPUS: dict[str, bytes | str] = {
    "empty": "",
    "blank": " \n\n",
    "comment": "# nothing\n",
    "NUL": b"\0",
    "binary": bytes(range(256)),
    "UTF-16": MANIFEST.encode("utf-16"),
    "BOM": b"\xef\xbb\xbf" + MANIFEST.encode(),
    "Latin-1": MANIFEST.replace("retail", "détail").encode("latin-1"),
    "surrogates as bytes": b'a: "\xed\xa0\x80"\n',
    "escaped surrogate": 'a: "\\ud800"\n',
    "huge escape": 'a: "\\U7fffffff"\n',
    "CRLF": MANIFEST.replace("\n", "\r\n"),
    "CR": MANIFEST.replace("\n", "\r"),
    "tabs": MANIFEST.replace("  ", "\t"),
    "scalar": "42\n",
    "list": "- a\n- b\n",
    "null": "null\n",
    "documents": "---\n" * 5000,
    "ends": "...\n" * 5000,
    "directive": "%YAML 9.9\n---\na: b\n",
    "directives": "%TAG ! tag:x,2000:\n" * 3 + "---\n!x a\n",
    "python": "!!python/object/apply:os.system [exit]\n",
    "tag": "a: !!binary aGVsbG8=\n",
    "set": "!!set {a, b}\n",
    "deep lists": "[" * 20_000,
    "deep mappings": "{a: " * 20_000,
    "deep blocks": "".join(" " * n + "a:\n" for n in range(500)),
    "deep dashes": "- " * 20_000 + "a",
    "laughs": "x-0: &a0 [lol]\n" + LAUGHS + MANIFEST,
    "merges": "x-0: &a0 {a: b}\n" + "".join(f"x-{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 90)),
    "alias of nothing": "a: *nothing\n",
    "alias in itself": "a: &a [*a]\n",
    "anchors": "".join(f"x-{n}: &{'a' * 1000}{n} b\n" for n in range(1000)),
    "complex keys": "? [a, b]\n: c\n",
    "question marks": "? " * 5000,
    "colons": ": " * 5000,
    "quote": '"' + "a" * 1_000_000,
    "block": "a: |\n" + "  x\n" * 100_000,
    "long line": "a: " + "x" * 1_000_000 + "\n",
    "long key": "k" * 1_000_000 + ": a\n",
    "keys": "".join(f"k{n}: a\n" for n in range(20_000)),
    "one key": "k: a\n" * 20_000,
    "flow keys": "{" + ", ".join(f"k{n}: a" for n in range(20_000)) + "}\n",
    "numbers": "a: " + "9" * 100_000 + "\nb: 1e999\nc: -.inf\nd: .nan\ne: 0x" + "f" * 9999 + "\n",
    "dollars": "a: " + "${" * 50_000 + "\n",
    "closed dollars": "a: '" + "${var:x}" * 20_000 + "'\n",
    "kind": MANIFEST.replace("kind: Agent", "kind: [Agent]"),
    "kind of text": MANIFEST.replace("kind: Agent", "kind: " + "Agent" * 20_000),
    "project among manifests": PROJECT.format(url="http://127.0.0.1:9"),
    "regex": MANIFEST.replace("name: prices", "name: " + "a" * 50_000 + "!"),
    "cron": MANIFEST.replace("0 0 2 * * MON-FRI", ",".join(["0"] * 50_000) + " 0 2 * * *"),
    "cron range": MANIFEST.replace("0 0 2", "0-99999999999999999999 0 2"),
    "cron words": MANIFEST.replace("MON-FRI", "-".join(["MON"] * 10_000)),
    "every": MANIFEST.replace("15m", "9" * 5000 + "m"),
    "start": MANIFEST.replace("2026-01-01T00:00:00", "9999-12-31T23:59:59"),
    "year": MANIFEST.replace("2026-01-01T00:00:00", "0001-01-01T00:00:00"),
    "zone": MANIFEST.replace("timeZone: UTC", "timeZone: ../../etc/passwd"),
    "zone NUL": MANIFEST.replace("timeZone: UTC", 'timeZone: "U\\0TC"'),
    "path NUL": MANIFEST.replace("path: sequentum", 'path: "a\\0" #'),
    "file NUL": agent(extra='  inputFiles: [{file: "a\\0.csv"}]\n'),
    "file long": agent(extra=f"  inputFiles: [{{file: {'a' * 5000}.csv}}]\n"),
    "file out": agent(extra="  inputFiles: [{file: ../../../../../../etc/hosts.txt}]\n"),
    "home": agent(NIGHTLY + "      inputParameters: {a: '${file:~nobody-at-all/x}'}\n"),
    "wait": task_trigger(extra="  wait: {timeout: 99999999999999d}\n"),
    "retries": task_trigger(extra=f"  retries: {'9' * 400}\n"),
    "parameters": task_trigger(extra="  parameters: {a: {b: {c: d}}}\n"),
    "itself": task_trigger(extra="").replace('revision: "1"', "changed: ['*']"),
}


_tried: Counter[int] = Counter()
"""How the commands of this module ended, by exit code."""


@pytest.fixture(autouse=True)
def counted(record_count: Callable[[str, int], None]) -> Iterator[None]:
    before = _tried.total()
    yield
    record_count("commands on hostile files", _tried.total() - before)


def tried(stage: Stage, line: str, *, about: str = "") -> int:
    """One command; `about` a file it must be about wherever it exits with 1 for the sake of one."""
    with ends_within(SECONDS):
        ended = stage.run(*line.split())
    _tried[ended.code] += 1
    assert ended.code in DOCUMENTED, ended.err
    if ended.code:
        assert ended.err.strip() or ended.out.strip()
    said = ended.out + ended.err
    if about and ended.code == 1 and "--format" not in line:
        assert PLACE.search(said) or about in said or "no ledger yet" in said, said[-2000:]
    return ended.code


@pytest.fixture
def offline(stage: Stage) -> Stage:
    stage.write(MANIFEST)
    return stage


@pytest.mark.parametrize("name", CORPUS)
def test_manifests_of_the_corpus(offline: Stage, name: str) -> None:
    content = CORPUS[name]
    path = offline.root / "manifests" / "retail.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for form in ("", " --format json", " --format sarif", " --format junit", " --format github"):
        tried(offline, "validate" + form, about="manifests/retail.yaml")
    tried(offline, "plan", about="manifests/retail.yaml")


@pytest.mark.parametrize("name", CORPUS)
def test_project_files_of_the_corpus(offline: Stage, name: str) -> None:
    content = CORPUS[name]
    path = offline.root / "reconciler.yaml"
    for more in (False, True):
        raw = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(path.read_bytes() + raw if more else raw)
        for line in ("validate", "validate --format json", "plan", "history", "unlock", "doctor"):
            tried(offline, line, about="reconciler.yaml")


def scrambled(text: str, seed: int) -> str:
    """A text with a few pieces gone, doubled, moved or replaced by something hostile."""
    dice = random.Random(seed)
    pieces = re.split(r"(\s+|[:{}\[\],\"'])", text)
    hostile = ["*x", "&x", "!!x", "${", "}", "[", "{", "- ", ": ", "\0", "\ud7ff", "~", "<<: ", "1e999", "\t", '"', "'"]
    hostile += [
        "${env:HOME}",
        "${file:/etc/hosts}",
        "${var:x}",
        "null",
        "[]",
        "{}",
        "-1",
        "0",
        "true",
        "|",
        ">",
        "%",
        "@",
    ]
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(pieces))
        match dice.randrange(4):
            case 0:
                del pieces[at : at + dice.randint(1, 4)]
                pieces = pieces or [""]
            case 1:
                pieces[at:at] = pieces[at : at + dice.randint(1, 8)]
            case 2:
                pieces[at] = dice.choice(hostile)
            case _:
                other = dice.randrange(len(pieces))
                pieces[at], pieces[other] = pieces[other], pieces[at]
    return "".join(pieces)


SEEDS = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SEEDS
@given(seed=st.integers(0, 2**32))
def test_scrambled_manifests(offline: Stage, seed: int) -> None:
    offline.write(scrambled(MANIFEST, seed))
    tried(offline, "validate", about="manifests/retail.yaml")


@SEEDS
@given(seed=st.integers(0, 2**32))
def test_scrambled_project_files(offline: Stage, seed: int) -> None:
    more = "  policy: {maxDeletes: 30%}\n  environments: {prod: {variables: {zone: Australia/Perth}}}\n"
    text = scrambled(PROJECT.format(url=offline.emulator.url) + more, seed)
    (offline.root / "reconciler.yaml").write_text(text, encoding="utf-8")
    tried(offline, ("validate", "history", "--env prod validate")[seed % 3], about="reconciler.yaml")


# --- plan files ------------------------------------------------------------------------------------------------------

JUNK: tuple[Any, ...] = (None, True, -1, 10**30, 1.5, "", "x", "\ud800", "\0", [], {}, [[]], {"a": None}, "x" * 100_000)


def places_in(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key in plain data."""
    for key in document if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from places_in(document[key])


def spoilt(text: str, seed: int) -> str:
    """A plan file with a few values gone, or replaced by others; never the same one again."""
    dice = random.Random(seed)
    whole = json.dumps(json.loads(text))
    while True:
        document = json.loads(text)
        for _ in range(dice.randint(1, 3)):
            container, key = dice.choice(list(places_in(document)))
            if dice.randrange(4) == 0 and isinstance(container, dict):
                del container[key]
            else:
                container[key] = dice.choice(JUNK)
        if (changed := json.dumps(document)) != whole:
            return changed


@pytest.fixture
def planned(stage: Stage) -> tuple[Stage, Path, str]:
    stage.write(MANIFEST)
    path = stage.root / "tonight.plan"
    assert stage.run("plan", "--out", str(path)).code == 0
    return stage, path, path.read_text(encoding="utf-8")


@SEEDS
@given(seed=st.integers(0, 2**32))
def test_spoilt_plan_files(planned: tuple[Stage, Path, str], seed: int) -> None:
    stage, path, text = planned
    path.write_text(spoilt(text, seed), encoding="utf-8")
    stage.emulator.clear_requests()
    form = ("text", "json", "markdown", "html")[seed % 4]
    assert tried(stage, f"show {path} --format {form}") in (0, 7)
    assert tried(stage, f"apply {path}") == 7
    assert stage.emulator.requests == []


def test_a_seal_that_no_database_takes(planned: tuple[Stage, Path, str]) -> None:
    stage, path, text = planned
    document = json.loads(text)
    document["seal"] = "\ud800"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert tried(stage, f"apply {path}") == 7


# --- ledgers ---------------------------------------------------------------------------------------------------------


def ledger_of(kind: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        whole = path.read_bytes()
        match kind:
            case "empty":
                path.write_bytes(b"")
            case "text":
                path.write_text("not a database\n" * 1000)
            case "folder":
                path.unlink()
                path.mkdir()
            case "zeros":
                path.unlink()
                path.symlink_to("/dev/zero")
            case "nothing":
                path.unlink()
                path.symlink_to("/dev/null")
            case "loop":
                path.unlink()
                path.symlink_to(path.name)
            case "pipe":
                import os

                path.unlink()
                os.mkfifo(path)
            case "cut":
                path.write_bytes(whole[: len(whole) // 2])
            case _:
                dice = random.Random(kind)
                spoiled = bytearray(whole)
                for _ in range(50):
                    spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
                path.write_bytes(bytes(spoiled))

    return make


LEDGERS = ("empty", "text", "folder", "zeros", "nothing", "loop", "pipe", "cut", *(f"noise {n}" for n in range(12)))


@pytest.mark.parametrize("kind", LEDGERS)
def test_ledgers_that_are_none(offline: Stage, kind: str) -> None:
    assert offline.apply().code == 0
    ledger_of(kind)(offline.ledger)
    starts, owned = offline.starts(), set(offline.owned())
    for line in ("plan", "drift", "status", "doctor", "history", "history --verify", "unlock", "apply --auto-approve"):
        tried(offline, line)
    assert offline.starts() == starts
    assert set(offline.owned()) >= owned
