"""Every cause has a sentence, and whoever names a cause gives the values that its sentence is about."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from reconciler.causes import Cause, Why, because, redacted, said
from reconciler.clients.redaction import Redactor
from reconciler.render import reasons
from reconciler.render.reasons import words

PACKAGE = Path(reasons.__file__).parents[1]
PLANTED = "the-password-of-the-site"
FROM = {"bare": "said", "agent_in_shell": "agent"}
FROM_NAMES = {"names", "few", "number", "single"}
FROM_MORE = {"more", "then", "further"}


def placeholders(cause: Cause) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(reasons._SENTENCES[cause]) if name}


def named_causes() -> Iterator[tuple[str, Cause, set[str]]]:
    """Each call of `because` with a cause in plain sight: where, which, and what it is about."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "because"):
                continue
            for one in ast.walk(node.args[0]):
                if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "Cause":
                    given = {keyword.arg or "" for keyword in node.keywords}
                    yield f"{path.name}:{node.lineno}", Cause[one.attr], given


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_sentence(cause: Cause) -> None:
    about = dict.fromkeys(placeholders(cause) - FROM_NAMES - FROM_MORE - FROM.keys() | set(FROM.values()), "a value")
    sentence = words(because(cause, said("more"), names=("one", "two"), **about))
    assert sentence
    assert not set("{}?") & set(sentence)


def test_whoever_names_a_cause_gives_what_its_sentence_is_about() -> None:
    found = list(named_causes())
    assert len(found) > 60
    for where, cause, given in found:
        wanted = {FROM.get(name, name) for name in placeholders(cause) - FROM_MORE - FROM_NAMES}
        assert wanted <= given, f"{where} says too little for {cause}: {wanted - given}"
        assert not placeholders(cause) & FROM_NAMES or "names" in given, where


@pytest.mark.parametrize("cause", Cause)
def test_a_secret_is_masked_wherever_a_cause_can_hold_one(cause: Cause) -> None:
    def about(text: str) -> Why:
        values = dict.fromkeys(placeholders(cause) - FROM_NAMES - FROM_MORE - FROM.keys() | set(FROM.values()), text)
        return because(cause, because(Cause.NEEDS_BLOCKED, said(text), names=(text,)), names=(text, text), **values)

    found = redacted(about(f"it is {PLANTED}."), Redactor([PLANTED]))
    assert found == about("it is (secret).")
    assert PLANTED not in repr(found) + words(found)


def test_a_value_is_never_read_as_a_sentence() -> None:
    assert words(said("{at} {names} {0}")) == "{at} {names} {0}"
    assert words(because(Cause.NEEDS_BLOCKED, names=("schedule/{a}/b",))) == "it needs schedule/{a}/b, which is blocked"


def test_what_a_damaged_file_leaves_out_is_a_question_mark() -> None:
    assert words(Why(Cause.ACCEPTED_AT)) == "accepted at ?"


def test_many_names_are_counted() -> None:
    names = tuple(f"schedule/a/s{number}" for number in range(12))
    assert words(because(Cause.NEEDS_BLOCKED, names=names)).endswith("schedule/a/s9 and 2 more, which is blocked")


def test_one_id_and_several_read_differently() -> None:
    assert words(because(Cause.SERVER_ASSIGNED_ID, names=("7",))) == (
        "ACC did not keep the id that we sent and made its own: 7. Nothing is sent again while that schedule is in "
        "ACC: declare it with `id: 7`, or delete it there"
    )
    assert words(because(Cause.SERVER_ASSIGNS_IDS, names=("7", "8"))) == (
        "ACC does not keep the ids that we send: it made 7, 8 instead of others. Nothing more is created while one of "
        "them is in ACC: declare one with its `id`, and delete the others there"
    )


def test_numbers_fit_their_nouns() -> None:
    assert words(because(Cause.FILES_TO_SEND, count=1)) == "1 file to send"
    assert words(because(Cause.LICENCE_TOO_SMALL, starts=2, left=-1)).startswith("the plan starts 2 tasks, and the")
    assert "licence has -1 executions left" in words(because(Cause.LICENCE_TOO_SMALL, starts=2, left=-1))
