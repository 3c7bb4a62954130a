"""What an editor underlines: every mistake that a schema can see, where it stands, and nothing in what is right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import test_manifests_for_each as for_each
import test_manifests_problems as problems
import test_manifests_reuse as reuse
from language_server import LanguageServer, Squiggle
from manifests_projects import AGENT, PROJECT, TRIGGER
from markdown_it import MarkdownIt

from reconciler import manifests

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted((REPOSITORY / "examples").rglob("*.yaml"))
ANY = Path("/nowhere/x.any.yaml")


@dataclass(frozen=True)
class Mistake:
    """One of those that `validate` is tested with, and what that says of it where; no column: anywhere in the line."""

    kind: str
    text: str
    written: str
    line: int
    column: int | None
    code: str

    @property
    def is_seen(self) -> bool:
        return self.code not in UNSEEN_CODES and not any(part in self.written for part in UNSEEN)


def _mistakes() -> Iterator[Mistake]:
    for kind, base, rows in (
        ("agent", AGENT, problems.AGENT_MISTAKES),
        ("task-trigger", TRIGGER, problems.TRIGGER_MISTAKES),
        ("project", PROJECT, problems.PROJECT_MISTAKES),
    ):
        for before, after, place, *_ in rows:
            yield Mistake(kind, base.replace(before, after, 1), after or f"without {before}", *place)
    for spec, at, code, _ in reuse.TEMPLATE_MISTAKES:
        column = reuse.pointed_at(spec, at)[1] + len("spec: ")
        yield Mistake("schedule-template", reuse.TEMPLATE + spec, spec, 4, column, code)
    for before, after, at, code, *_ in reuse.USE_MISTAKES:
        text = reuse.AGENT.replace(before, after, 1)
        yield Mistake("agent", text, after or f"without {before}", *reuse.pointed_at(text, at), code)
    for each, files, (_, line, code), _ in for_each.MISTAKES:
        if not files:
            yield Mistake("agent", for_each.MADE.replace("FOR_EACH", each), each, line, None, code)


MISTAKES = {f"{mistake.kind}-{number}": mistake for number, mistake in enumerate(_mistakes())}

UNSEEN_CODES = {
    *("undefined-env", "undefined-var", "undefined-file", "variable-cycle"),  # need the environment, or other places
    *("interpolation-scheme", "interpolation-open", "interpolation-name"),
    *("missing-file", "not-a-file", "no-files", "no-match", "cycle", "bad-zone", "insecure-url"),
    *("unknown-template", "template-cycle", "interpolation-each"),
}
UNSEEN = {
    "kind: Project": "the schema of any document cannot know the file's name",
    '"0 0 25 * * *"': "what cron means is not for a pattern",
    "2026-12-27, to: 2026-12-24": "which of two times comes later",
    "timeZone: UTC\n      enabled: True": "YAML's True, which the tool reads as text so that nobody is surprised",
    "retries: 010": "YAML's number 10",
    "timeout: 0s": "an amount is not for a pattern",
    "approval: {}": "defaults may supply it",
    "without       timeZone: UTC\n": "defaults may supply it",
    "without       startTime: 2026-01-01T02:00:00\n": "defaults may supply it",
    "task: {}": "defaults may supply it",
    "without every: 1h,": "defaults may supply it",
    "corn:": "defaults may supply cron; the key itself is underlined",
}
"""What only the tool itself can tell, by what was written, or left out."""


@pytest.fixture(scope="session")
def squiggles(server: LanguageServer) -> dict[tuple[str, str], list[Squiggle]]:
    """What is underlined in each mistake, by its name and by the schema: of any document, or of its kind."""
    texts = {
        (name, schema): (Path(f"/nowhere/{name}.{schema}.yaml"), mistake.text)
        for name, mistake in MISTAKES.items()
        for schema in ("any", mistake.kind)
    }
    found = server.squiggles(dict(texts.values()))
    return {key: found[path] for key, (path, _) in texts.items()}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_underlined_where_it_stands(squiggles: dict[tuple[str, str], list[Squiggle]], name: str) -> None:
    mistake = MISTAKES[name]
    for schema in ("any", mistake.kind):
        found = squiggles[name, schema]
        places = [(one.line, one.column) for one in found]
        if not mistake.is_seen:
            assert schema != "any" or (mistake.line, mistake.column) not in places
            continue
        assert found, "nothing is underlined"
        assert not any("match the pattern" in one.message for one in found), "a pattern is no explanation"
        if mistake.code in ("missing-key", "exactly-one") and "Missing" in found[0].message:
            # An editor underlines the key that the block stands under, or the beginning of the block.
            assert mistake.line - 1 <= found[0].line <= mistake.line
        else:
            assert (mistake.line, mistake.column or found[0].column) in places
        assert all(one.end_line == one.line for one in found)


@pytest.mark.parametrize("part", UNSEEN)
def test_what_an_editor_cannot_see_is_one_mistake_each(part: str) -> None:
    unseen = [mistake for mistake in MISTAKES.values() if part in mistake.written and mistake.code not in UNSEEN_CODES]
    assert len({(mistake.kind, mistake.code) for mistake in unseen}) == len(unseen) > 0


def test_a_kind_that_is_misspelt_is_one_squiggle(server: LanguageServer) -> None:
    found = server.squiggles({ANY: AGENT.replace("kind: Agent", "kind: Agnet")})[ANY]
    assert [(one.line, one.column, one.end_column) for one in found] == [(2, 7, 12)]
    assert '"Agent"' in found[0].message


def test_each_document_of_a_file_is_held_against_its_own_kind(server: LanguageServer) -> None:
    right = f"{AGENT}---\n{TRIGGER}---\n{PROJECT}"
    wrong = right.replace("task:", "tsak:").replace("region: us", "region: uss")
    found = server.squiggles({ANY: right, ANY.with_name("y.any.yaml"): wrong})
    assert found[ANY] == []
    lines = wrong.splitlines()
    places = [(lines[one.line - 1][one.column - 1 : one.end_column - 1]) for one in found[ANY.with_name("y.any.yaml")]]
    assert sorted(places) == ["tsak", "uss"]


def test_anchors_are_followed_to_where_they_stand(server: LanguageServer) -> None:
    right = AGENT.replace("metadata:", "x-common: &common {logLevel: low}\nmetadata:") + "      <<: *common\n"
    found = server.squiggles({ANY: right, ANY.with_name("y.any.yaml"): right.replace("low", "lwo")})
    assert found[ANY] == []
    assert [(one.line, one.column) for one in found[ANY.with_name("y.any.yaml")]] == [(3, 30)]


def test_a_file_of_items_among_the_manifests_is_right_too(server: LanguageServer) -> None:
    right, wrong = "- {region: au, tier: 1}\n- {region: nz}\n", "- {region: [au]}\n- {re gion: nz}\n- nz\n"
    found = server.squiggles({ANY: right, ANY.with_name("y.any.yaml"): wrong})
    assert found[ANY] == []
    assert [(one.line, one.column) for one in found[ANY.with_name("y.any.yaml")]] == [(1, 12), (2, 4), (3, 3)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_modelines_of_the_examples_work(server: LanguageServer, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    documents = text.split("\n---\n")
    broken = "\n---\n".join(f"{document}\nbogus: 1\n" for document in documents)
    assert server.squiggles({path: text})[path] == []
    # Each document has a modeline of its own: without one, nothing would be underlined.
    assert len(server.squiggles({path: broken})[path]) == len(documents)


def test_the_starter_project_is_right_once_it_is_told_of_the_schema(server: LanguageServer, tmp_path: Path) -> None:
    """As its comments say: the schema is printed to a file, and a first line names it."""
    (tmp_path / "reconciler.schema.json").write_text(manifests.schema_text(), encoding="utf-8")
    for path in manifests.write_project(tmp_path):
        if path.suffix != ".yaml":
            continue
        text = path.read_text(encoding="utf-8")
        (modeline,) = re.findall(r"`(# yaml-language-server: .*)`", text)
        written = re.sub(r"^(\s*)# (\s*(?:- )?[A-Za-z]+:(?: .*)?)$", r"\1\2", text, flags=re.MULTILINE)
        assert "kind: " in written
        assert server.squiggles({path: text})[path] == []
        assert server.squiggles({path: f"{modeline}\n{written}"})[path] == []
        assert [one.message for one in server.squiggles({path: f"{modeline}\n{written}bogus: 1\n"})[path]] == [
            "Property bogus is not allowed."
        ]


def blocks_of_the_documentation() -> list[tuple[str, str]]:
    """The YAML of README and docs that shows a document, or a part of the project file."""
    found = []
    for path in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))):
        for token in MarkdownIt().parse(path.read_text(encoding="utf-8")):
            if token.type == "fence" and token.info == "yaml" and token.map:
                if token.content.startswith("spec:"):
                    found.append((f"{path.name}:{token.map[0]}", PROJECT.partition("spec:")[0] + token.content))
                elif "apiVersion: reconciler/v1" in token.content:
                    found.append((f"{path.name}:{token.map[0]}", token.content))
    return found


@pytest.mark.parametrize(("place", "text"), blocks_of_the_documentation(), ids=lambda one: one.partition("\n")[0])
def test_what_the_documentation_shows_is_right(server: LanguageServer, place: str, text: str) -> None:
    assert server.squiggles({ANY: text})[ANY] == [], place


@pytest.mark.parametrize("kind", manifests.document_names())
def test_the_examples_of_a_schema_are_right(server: LanguageServer, kind: str) -> None:
    examples = json.loads(manifests.schema_text(kind))["examples"]
    assert server.squiggles({ANY: "\n---\n".join(map(json.dumps, examples))})[ANY] == []
