"""What is edited is shown as a patch that Git takes, whatever is added, removed or changed where."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.git_patch import file_patch
from reconciler.manifests.yaml_document_edit import spliced
from reconciler.manifests.yaml_splices import Splice

PIECES = st.text("ab\n\r", max_size=6)


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, list[Splice]]:
    """A text, and places in it with other text for them."""
    text = draw(st.lists(st.sampled_from(["one", "two", "", "three\r"]), max_size=60).map("\n".join))
    text += draw(st.sampled_from(["", "\n"]))
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    places = places[: len(places) // 2 * 2]
    return text, [Splice(begin, end, draw(PIECES)) for begin, end in zip(places[::2], places[1::2], strict=True)]


@given(edits())
def test_a_patch_makes_the_text_before_into_the_text_after(drawn: tuple[str, list[Splice]]) -> None:
    before, splices = drawn
    patch = file_patch("a.yaml", before, splices)
    assert applied(patch, before) == spliced(before, splices)


def applied(patch: str, before: str) -> str:
    """What a patch makes of a text, by its own line numbers, as strictly as Git."""
    lines, done, at = split(before), [], 0
    shown = split(patch)[3:]
    while shown:
        head = shown.pop(0).split()
        begin, size = map(int, head[1][1:].split(","))
        to, length = map(int, head[2][1:].split(","))
        begin -= 1 if size else 0
        done += lines[at:begin]
        assert len(done) == to - (1 if length else 0)
        old, new = [], []
        while shown and not shown[0].startswith("@@"):
            line = shown.pop(0)
            if shown and shown[0].startswith("\\"):
                shown.pop(0)
                line = line[:-1]
            old += [line[1:]] if line[0] in " -" else []
            new += [line[1:]] if line[0] in " +" else []
        assert lines[begin : begin + size] == old
        assert len(new) == length
        done += new
        at = begin + size
    return "".join((*done, *lines[at:]))


def split(text: str) -> list[str]:
    pieces = [f"{line}\n" for line in text.split("\n")]
    return [*pieces[:-1], pieces[-1][:-1]] if pieces[-1] != "\n" else pieces[:-1]


@pytest.mark.parametrize("name", ["plain.yaml", "with space.yaml", 'näme\t"q".yaml'])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_git_takes_the_patch_of_any_file(tmp_path: Path, name: str, end: str) -> None:
    before = (end or "\n").join(f"line {number}" for number in range(40)) + end
    splices = [Splice(at, at + 4, "number") for at in (before.index(f"line {number}") for number in (0, 11, 18))]
    splices.append(Splice(len(before) - len(end), len(before) - len(end), f"0{end or chr(10)}and more"))
    file = tmp_path / name
    file.write_bytes(before.encode())
    for words in (("init", "-q"), ("apply",)):
        given_text = file_patch(name, before, splices).encode() if words[0] == "apply" else b""
        subprocess.run(["git", "-C", str(tmp_path), *words], input=given_text, check=True, capture_output=True)
    assert file.read_bytes() == spliced(before, splices).encode()
    assert file_patch(name, before, []) == ""
