"""The note of a plan as the installed command writes it: named within any room, and the same from a saved plan."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from shops import REGIONS, WEEKLY, apply_shops, write_shops
from stage import Stage

ESTATE = """\
apiVersion: reconciler/v1
kind: Agent
forEach: [{items}]
metadata: {{name: "shop-${{each.region}}"}}
spec:
  path: sequentum/Shops/shop-${{each.region}}
  schedules:
    - {{name: poll, every: {every}, startTime: 2026-01-01T00:00:00, timeZone: UTC, enabled: {enabled}}}
    - {{name: nightly, cron: "0 ${{each.region}} 2 * * *", startTime: 2026-01-01T02:00:00, timeZone: Europe/Berlin}}
{more}"""


write = partial(write_shops, estate=ESTATE)


@pytest.fixture
def shops(stage: Stage) -> Stage:
    """Thirty agents with three schedules each, applied."""
    apply_shops(stage, ESTATE)
    return stage


def note(stage: Stage, *words: str, room: int = 65_000) -> str:
    ended = stage.run(*words, "--format", "markdown", "--max-bytes", str(room))
    assert len(ended.out.encode()) <= room + 1
    return ended.out


@pytest.mark.parametrize("room", [65_000, 1_500])
def test_deletions_and_new_frequencies_stand_by_name_in_any_room(shops: Stage, room: int) -> None:
    write(shops, every="45m")
    page = note(shops, "plan", room=room)
    assert "**30 schedules** will be deleted: 1 run a week" in page
    assert "`schedule/shop-{01..30}/weekly`" in page
    assert "**30 schedules**: every 15m → 45m, 96 → 32 runs a day" in page
    assert "`schedule/shop-{01..30}/poll`" in page
    assert "Not named" not in page
    assert page.index("deleted") < page.index("every 15m")
    assert ("**dst-" in page) == (room == 65_000)


def test_a_saved_plan_has_the_note_of_its_plan_but_for_the_moment(shops: Stage, tmp_path: Path) -> None:
    write(shops, every="45m", enabled="false", more=WEEKLY)
    file = str(tmp_path / "plan.json")
    for room in (65_000, 2_000, 300, 0):
        made = note(shops, "plan", "--out", file, room=room)
        assert re.sub(r"`\S+Z`", "", note(shops, "show", file, room=room)) == re.sub(r"`\S+Z`", "", made)


def test_a_refused_plan_says_so_before_all_else(shops: Stage, tmp_path: Path) -> None:
    shops.write(
        "apiVersion: reconciler/v1\nkind: Agent\nmetadata: {name: other}\nspec: {path: sequentum/Retail/stock}\n"
    )
    page = note(shops, "plan")
    assert page.index("**prune-to-nothing**") < page.index("### Risky")
    assert "`reconciler apply --max-deletes 90`" in page
    file = str(tmp_path / "plan.json")
    ended = shops.run("plan", "--out", file)
    assert (ended.code, f"`reconciler apply {file}` does nothing, since it is refused" in ended.err) == (3, True)
    for form in ("text", "json", "markdown", "html"):
        assert "prune-to-nothing" in shops.run("show", file, "--format", form).out
    assert shops.run("show", file, "--format", "json").document["digest"] == shops.plan()["digest"]
    assert shops.run("apply", file).code == 3


def test_a_wrong_token_is_told_once(shops: Stage) -> None:
    shops.environ["ACC_TOKEN"] = "wrong"
    for command in ("plan", "drift"):
        page = shops.run(command, "--format", "markdown").out
        assert page.count("answered 401") == 1
        assert "schedule/shop-{01..30}/{nightly,poll,weekly}" in page


def test_drift_that_is_alike_is_one_block(shops: Stage) -> None:
    for region in REGIONS:
        shops.live("weekly", f"sequentum/Shops/shop-{region}").cron = "0 0 7 * * SUN"
    page = shops.run("drift", "--format", "markdown").out
    assert "**30 schedules**: cron is 0 0 7 \\* \\* SUN, declared 0 0 6 \\* \\* SUN (verified)" in page
    assert "`schedule/shop-{01..30}/weekly`" in page
