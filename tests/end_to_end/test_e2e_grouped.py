"""A plan of many changes as the installed command shows it: grouped, folded, risky first, saved or not."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from shops import REGIONS, WEEKLY, apply_shops, write_shops
from stage import POLL, Stage, agent

ESTATE = """\
apiVersion: reconciler/v1
kind: ScheduleTemplate
metadata: {{name: poll}}
spec: {{every: {every}, startTime: 2026-01-01T00:00:00, timeZone: UTC, enabled: {enabled}}}
---
apiVersion: reconciler/v1
kind: Agent
forEach: [{items}]
metadata: {{name: "shop-${{each.region}}"}}
spec:
  path: sequentum/Shops/shop-${{each.region}}
  schedules:
    - {{name: poll, use: poll}}
    - {{name: nightly, cron: "0 ${{each.region}} 2 * * *", startTime: 2026-01-01T02:00:00, timeZone: UTC}}
{more}"""


write = partial(write_shops, estate=ESTATE)


@pytest.fixture
def shops(stage: Stage) -> Stage:
    """Thirty agents with two schedules each, applied."""
    apply_shops(stage, ESTATE)
    return stage


def test_what_is_alike_is_one_block_and_what_is_risky_comes_first(shops: Stage) -> None:
    write(shops, every="45m")
    page = shops.run("plan").out
    assert "~ 30 schedules: every 15m → 45m, 96 → 32 runs a day" in page
    assert "    schedule/shop-{01..30}/poll\n" in page
    assert "- 30 schedules will be deleted: 1 run a week" in page
    assert "    schedule/shop-{01..30}/weekly\n" in page
    assert "(30 items)\n" in page
    assert page.index("deleted") < page.index("every 15m")
    assert len(page.splitlines()) < 40
    assert "\nPlan: 30 to update, 30 to delete, 30 unchanged, " in page


def test_what_to_do_next_is_said_beside_the_plan(shops: Stage) -> None:
    assert "reconciler apply" not in shops.run("plan").err
    write(shops, every="45m", more=WEEKLY)
    assert "next: `reconciler apply`" in shops.run("plan").err
    assert "next: " not in shops.run("plan", "--format", "json").err


def test_v_writes_all_of_it_out(shops: Stage) -> None:
    write(shops, every="45m")
    page = shops.run("plan", "-v").out
    for region in REGIONS:
        assert f"~ schedule/shop-{region}/poll will be updated" in page
        assert f"- schedule/shop-{region}/weekly will be deleted" in page
    assert page.count('every: "15m" → "45m"') == page.count("removes it") == len(REGIONS)
    assert "{" not in page


def test_what_is_switched_off_says_that_nothing_follows(shops: Stage) -> None:
    write(shops, enabled="false", more=WEEKLY)
    page = shops.run("plan").out
    assert "○ 30 schedules will be disabled: no further run; the next was due " in page
    assert shops.apply().code == 0
    write(shops, more=WEEKLY)
    assert re.search(
        r"● 30 schedules will be enabled: next run \w{3} \d+ \w{3} \d\d:\d\d \(UTC\)", shops.run("plan").out
    )


@pytest.mark.parametrize("verbose", [(), ("-v",)])
def test_a_start_in_years_is_risky_and_says_when(shops: Stage, verbose: tuple[str, ...]) -> None:
    write(shops, more=WEEKLY.replace("2026", "2095"))
    page = shops.run("plan", *verbose).said
    assert "Risky: 30 changes" in page
    assert "no run before Sun 2 Jan 2095 06:00 (UTC)" in page


def test_what_is_created_to_run_every_second_is_risky(shops: Stage) -> None:
    busy = '    - {name: busy, cron: "* * * * * *", startTime: 2026-01-01T02:00:00, timeZone: UTC}\n'
    write(shops, every="15m", more=WEEKLY + busy + busy.replace("busy", "calm").replace("* * * * *", "0 0 6 1 *"))
    page = shops.run("plan").out
    assert "Risky: 30 changes\n+ 30 schedules will be created: 86400 runs a day" in page
    assert "Other: 30 changes" in page


def test_what_is_created_to_start_in_years_says_so(stage: Stage) -> None:
    stage.write(agent(POLL.replace("2026-01-01", "2095-01-01")))
    assert "no run before then, in more than a year" in stage.run("plan").out


def test_what_is_switched_off_with_another_rhythm_says_no_rate(shops: Stage) -> None:
    write(shops, every="45m", enabled="false", more=WEEKLY)
    for page in (shops.run("plan").out, shops.run("plan", "-v").out, shops.run("plan", "--only", "*/shop-07/*").out):
        assert "a day" not in page


def test_a_saved_plan_folds_the_same_in_a_process_that_knows_nothing_else(shops: Stage, tmp_path: Path) -> None:
    write(shops, every="45m", more=WEEKLY)
    path = shops.root / "tonight.plan"
    planned = shops.start("plan", "--out", str(path))
    page, _ = planned.communicate()
    assert planned.returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for verbose in ([], ["-v"]):
        shown = shops.start("show", str(path), *verbose, HOME=str(elsewhere), ACC_TOKEN="")
        out, err = shown.communicate()
        assert shown.returncode == 0, err
        # Another plan is made at another moment, which may be beyond the next run.
        assert out == (page if not verbose else shops.run("show", str(path), "-v").out)


def test_a_wrong_token_is_told_once(shops: Stage) -> None:
    shops.environ["ACC_TOKEN"] = "wrong"
    ended = shops.run("plan")
    assert ended.code == 1
    assert "! 90 schedules: unreadable" in ended.out
    assert ended.out.count("answered 401") == ended.out.count("next: ") == 1
    assert "wrong" not in ended.out
    assert len(ended.out.splitlines()) < 25
    audit = shops.run("drift")
    assert audit.out.count("answered 401") == 1
    assert "! 90 schedules" in audit.out
    whole = shops.run("plan", "-v").out
    assert whole.count("answered 401") == 90
    calendar = shops.run("calendar").out
    assert calendar.count("answered 401") == 1 and "30 agents, sequentum/Shops/shop-01, " in calendar
    assert "Nothing of what could be read runs in these days." in calendar
    assert shops.run("calendar", "-v").out.count("sequentum/Shops/shop-30") == 1


def test_two_causes_with_one_next_step_name_it_once(shops: Stage) -> None:
    shops.emulator.inject("GET agentPath=.*shop-0 403")
    shops.emulator.inject("GET agentPath=.*shop-[12] 400")
    page = shops.run("plan").out
    assert page.count(" answered 403") == page.count(" answered 400") == 1
    assert page.count("next: Run `reconciler doctor`") == 1


def test_adoption_takes_a_line(shops: Stage) -> None:
    shops.ledger.unlink()
    page = shops.run("plan").out
    assert "= 90 schedules will be adopted: no change to ACC; recorded in the ledger" in page
    assert len(page.splitlines()) < 12


def test_what_somebody_switched_off_by_hand_is_one_finding(shops: Stage) -> None:
    for region in REGIONS:
        shops.live("poll", f"sequentum/Shops/shop-{region}").is_enabled = False
    page = shops.run("drift").out
    assert "Drifted (30)" in page
    assert "≠ 30 schedules: enabled is false, declared true   verified\n    schedule/shop-{01..30}/poll\n" in page
    assert page.count("verified") == 1
    status = shops.run("status").out
    assert status.count("disabled in ACC") == 1 and "Notes\n○ 30 schedules\n" in status
    assert shops.run("status", "-v").out.count("disabled in ACC") == 30
    assert "~ " not in shops.run("plan").out and "● 30 schedules will be enabled" in shops.run("plan").out


def test_one_mistake_in_many_places_is_one_problem(stage: Stage) -> None:
    blocks = "".join(
        f'    - {{name: s{number}, cron: "0 0 2 * * *", startTime: 2026-01-01T02:00:00, timeZone: Mars/Base}}\n'
        for number in range(20)
    )
    stage.write(
        "apiVersion: reconciler/v1\nkind: Agent\nmetadata: {name: prices}\n"
        f"spec:\n  path: sequentum/Retail/prices\n  schedules:\n{blocks}"
    )
    ended = stage.run("validate")
    assert ended.code == 1
    assert ended.out.count("Mars/Base") == 2, "the message and the line itself"
    assert "the same at 19 more places:" in ended.out
    assert "20 errors in 1 file." in ended.out
    assert stage.run("validate", "-v").out.count("error[") == 20
    planned = stage.run("plan")
    assert planned.err.count("error[") == 1 and "20 errors" in planned.err
