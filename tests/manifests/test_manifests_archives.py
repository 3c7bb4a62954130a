"""Zip files are held to what files are held to: names, endings, contents, and what comes out beside the rest."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from archive_samples import damaged, packed, twice, with_flag
from manifests_projects import check, desired, places
from test_manifests_files import with_files

SHEET = b"url\nhttps://shop.example/1\n"

WRONG = {
    "climbs": (packed({"../a.csv": SHEET}), "zip-climbs-out"),
    "absolute": (packed({"/etc/a.csv": SHEET}), "zip-climbs-out"),
    "climbs back": (packed({"a/../../b.csv": SHEET}), "zip-climbs-out"),
    "climbs in Windows": (packed({"..\\b.csv": SHEET}), "zip-climbs-out"),
    "a drive": (packed({"C:/b.csv": SHEET}), "zip-climbs-out"),
    "a drive's own folder": (packed({"C:b.csv": SHEET}), "zip-climbs-out"),
    "a folder": (packed({"in/a.csv": SHEET}), "zip-folder"),
    "a folder of Windows": (packed({"in\\a.csv": SHEET}), "zip-folder"),
    "an empty folder": (packed({"a.csv": SHEET, "in/": b""}), "zip-folder"),
    "what macOS adds": (packed({"a.csv": SHEET, "__MACOSX/._a.csv": b"x"}), "zip-folder"),
    "a link": (packed({"a.csv": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), "zip-not-a-file"),
    "a pipe": (packed({"a.csv": b"x"}, mode=stat.S_IFIFO | 0o644), "zip-not-a-file"),
    "another sort": (packed({"a.csv": SHEET, "b.xlsx": b"x"}), "wrong-ending"),
    "no ending": (packed({"urls": SHEET}), "wrong-ending"),
    "a large ending": (packed({"A.CSV": SHEET}), "wrong-ending"),
    "a zip in a zip": (packed({"in.zip": packed({"a.csv": SHEET})}), "wrong-ending"),
    "control characters": (packed({"a\x1b.csv": SHEET}), "bad-file-name"),
    "twice": (twice("a.csv", "a.csv"), "zip-duplicate"),
    "twice in another case": (twice("a.csv", "A.csv"), "zip-duplicate"),
    "encrypted": (with_flag(packed({"a.csv": SHEET}), 0x1), "zip-encrypted"),
    "bzip2": (packed({"a.csv": SHEET}, zipfile.ZIP_BZIP2), "zip-method"),
    "lzma": (packed({"a.csv": SHEET}, zipfile.ZIP_LZMA), "zip-method"),
    "an empty member": (packed({"a.csv": b""}), "empty-file"),
    "nothing": (packed({}), "empty-file"),
    "a bomb": (packed({"zeros.csv": bytes(60_000_000)}), "zip-bomb"),
    "many": (packed({f"{number}.csv": b"x" for number in range(10_001)}, zipfile.ZIP_STORED), "zip-bomb"),
    "no zip": (b"PK\x03\x04 no zip", "bad-zip"),
    "cut": (packed({"a.csv": SHEET})[:-30], "bad-zip"),
    "damaged": (damaged(), "bad-zip"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_zip_that_acc_would_not_take(tmp_path: Path, case: str) -> None:
    content, code = WRONG[case]
    found, problems = check(with_files(tmp_path, "file: a.zip", a__zip=content))
    assert found is None
    assert [(problem.code, problem.line, problem.address) for problem in problems] == [(code, 8, "input-files/prices")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_that_is_fine(tmp_path: Path, method: int) -> None:
    content = packed({"b..c.csv": SHEET, "d.txt": b"y" * 1000, "ümlaut.csv": SHEET}, method, mode=stat.S_IFREG | 0o644)
    assert desired(with_files(tmp_path, "file: a.zip", a__zip=content)).problems == ()


def test_mistakes_of_one_sort_are_one_problem(tmp_path: Path) -> None:
    content = packed({**{f"{number}.pdf": b"x" for number in range(50)}, "in/a.csv": SHEET})
    _, problems = check(with_files(tmp_path, "file: a.zip", a__zip=content))
    assert sorted(problem.code for problem in problems) == ["wrong-ending", "zip-folder"]
    assert "'0.pdf' (and 49 more) in 'a.zip'" in " ".join(problem.message for problem in problems)


def test_a_csv_in_a_zip_is_looked_at_like_any_csv(tmp_path: Path) -> None:
    content = packed({"a.csv": b"url,price\n1,2\n3\n"})
    (problem,) = desired(with_files(tmp_path, "file: a.zip", a__zip=content)).problems
    assert (problem.code, problem.message) == (
        "csv-uneven",
        "line 3 of 'a.csv' in 'a.zip': 1 columns where the header has 2",
    )


def test_a_name_in_an_encoding_that_nobody_tells_is_a_warning(tmp_path: Path) -> None:
    content = twice("ü.csv", "b.csv")
    (problem,) = desired(with_files(tmp_path, "file: a.zip", a__zip=content)).problems
    assert problem.code == "zip-name-encoding"


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        (("file: a.zip", "file: a.csv"), ("manifests/a.yaml", 8, 7, "zip-clash")),
        (("file: a.csv", "file: a.zip"), ("manifests/a.yaml", 9, 7, "zip-clash")),
        (("{file: b.csv, name: A.csv}", "file: a.zip"), ("manifests/a.yaml", 9, 7, "zip-clash")),
        (("file: a.zip", "file: b.zip"), ("manifests/a.yaml", 9, 7, "zip-clash")),
    ],
)
def test_a_member_with_the_name_of_another_file(
    tmp_path: Path, entries: tuple[str, ...], place: tuple[str, int, int, str]
) -> None:
    archive, other = packed({"a.csv": SHEET, "c.csv": SHEET}), packed({"A.csv": SHEET, "C.csv": SHEET})
    root = with_files(tmp_path, *entries, a__csv=SHEET, b__csv=SHEET, a__zip=archive, b__zip=other)
    found, problems = check(root)
    assert found is None
    assert places(problems) == [place]


def test_one_archive_for_two_agents_is_no_clash(tmp_path: Path) -> None:
    root = with_files(tmp_path, "file: a.zip", "{file: b.csv}", a__zip=packed({"a.csv": SHEET}), b__csv=SHEET)
    text = (root / "manifests" / "a.yaml").read_text()
    (root / "manifests" / "b.yaml").write_text(text.replace("prices", "stock"))
    assert desired(root).problems == ()
