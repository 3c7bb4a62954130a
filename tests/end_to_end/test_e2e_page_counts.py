"""The overview, the plan and the audit of one site count alike, whatever was changed by hand and could not be read."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from stage import NIGHTLY, POLL, Stage, agent, task_trigger
from test_e2e_report import crawled

CHANGES = (
    *("create", "update", "enable", "disable", "delete", "upload"),
    *("approve", "disapprove", "start", "adopt", "forget"),
)
DRIFT = ("drifted", "diverged", "missing")
SYNCS = ("in-sync", *DRIFT, "unverifiable", "unreadable")
FAULTS = ("GET schedules #2 500", "GET agent #1 500", "GET #* 401", "GET runs #* 500")
_TILE = re.compile(r'class="tile[^"]*"[^>]*><b>([\d,]+)</b><span>(?:<i[^>]*>.</i>)?([^<]+)</span>')


def counts(page: Path) -> dict[str, int]:
    found = _TILE.findall(page.read_text(encoding="utf-8"))
    return {said.strip(): int(number.replace(",", "")) for number, said in found}


def manifests(draw: random.Random, names: list[str]) -> str:
    documents = []
    for name in names:
        blocks = [NIGHTLY, POLL] if draw.random() < 0.6 else [draw.choice([NIGHTLY, POLL])]
        if draw.random() < 0.3:
            blocks = [one.replace("15m", "45m").replace("0 0 2", "0 0 3") for one in blocks]
        extra = "  approval: {state: approved}\n" if draw.random() < 0.6 else ""
        if draw.random() < 0.85:
            documents.append(agent(*blocks, name=name, extra=extra))
    if draw.random() < 0.6 or not documents:
        documents.append(task_trigger(revision=str(draw.randint(1, 2)), extra="  wait: {timeout: 5s, interval: 1s}\n"))
    return "---\n".join(documents)


def by_hand(draw: random.Random, stage: Stage) -> None:
    for one in list(stage.owned().values()):
        chance = draw.random()
        if chance < 0.2:
            one.cron = "0 0 5 * * *"
        elif chance < 0.3:
            stage.estate.remove_schedule(one.schedule_id)
        elif chance < 0.4:
            one.is_enabled = not one.is_enabled


@pytest.mark.parametrize("seed", range(12))
def test_pages_count_alike(stage: Stage, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    names = [f"s{number}" for number in range(draw.randint(1, 4))]
    for name in names:
        stage.estate.add_agent(f"sequentum/Retail/{name}", duration=0.0)
    stage.write(manifests(draw, names))
    if draw.random() < 0.8:
        stage.apply("--max-deletes", "100")
    by_hand(draw, stage)
    if draw.random() < 0.6:
        stage.write(manifests(draw, names))
    if draw.random() < 0.2:
        stage.ledger.unlink(missing_ok=True)
    if draw.random() < 0.4:
        stage.emulator.inject(draw.choice(FAULTS))
    out = tmp_path / "site"
    assert stage.run("report", "--out", str(out)).code in (0, 1)
    crawled(out)
    overview, plan, audit = (counts(out / f"{name}.html") for name in ("index", "plan", "drift"))
    assert overview["pending changes"] == sum(plan.get(word, 0) for word in CHANGES)
    assert overview["blocked"] == plan.get("blocked", 0)
    assert overview.get("unmanaged", 0) == plan["unmanaged"]
    assert overview["drifted"] == sum(audit.get(word, 0) for word in DRIFT)
    assert overview.get("unreadable", 0) == audit.get("unreadable", 0)
    text = (out / "index.html").read_text(encoding="utf-8")
    matrix = {
        sync: int(n) for sync, n in re.findall(r'<span class="([a-z-]+) word">\1</span></th><td><a [^>]*>(\d+)<', text)
    }
    assert {word: matrix.get(word, 0) for word in SYNCS} == {word: audit.get(word, 0) for word in SYNCS}
