"""What comes through an alias or `<<` is reported where it is written: there a person has to correct it."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifests_projects import check, places, write

HEAD = "apiVersion: reconciler/v1\nkind: Agent\nmetadata: {name: prices}\nspec:\n  path: a/prices\n  schedules:\n"
FIRST = (
    "    - &first\n      name: one\n      cron: '0 0 2 * * *'\n"
    "      startTime: 2026-01-01T02:00:00\n      timeZone: UTC\n"
)

# What follows the first schedule, the place and code of the problem.
ANCHORED = [
    (FIRST.replace("UTC", "&zone Nowhere") + "    - {<<: *first, name: two}\n", (11, 17, "bad-zone")),
    (FIRST.replace("'0 0 2 * * *'", "&cron 0 0 25 * * *") + "    - {<<: [*first], name: two}\n", (9, 13, "bad-cron")),
    (FIRST + "      inputParameters: &all\n        a: {b: c}\n    - {<<: *first, name: two}\n", (13, 12, "wrong-type")),
    (FIRST + "    - {name: two, <<: *first, timeZone: Nowhere}\n", (12, 41, "bad-zone")),
]


@pytest.mark.parametrize(("schedules", "expected"), ANCHORED)
def test_a_value_is_reported_at_its_anchor(tmp_path: Path, schedules: str, expected: tuple[int, int, str]) -> None:
    found, problems = check(write(tmp_path, {"a.yaml": HEAD + schedules}))
    assert found is None
    assert places(problems) == [("manifests/a.yaml", *expected)]


def test_many_merges_of_each_other_are_no_trap(tmp_path: Path) -> None:
    merges = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 60)]
    found, problems = check(write(tmp_path, {"a.yaml": "kind: Agent\nspec:\n  " + "\n  ".join(merges) + "\n"}))
    assert found is None
    assert problems
