"""The README's recipe for CI, line by line as it is printed, in a fresh checkout for each job."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from stage import CLOCKED, NIGHTLY, Stage, agent, task_trigger

pytest_plugins = ["postgres"]
ROOT = Path(__file__).parents[2]
WAIT = "  wait: {timeout: 5s, interval: 1s}\n"
FILES = "  approval: {state: approved}\n  inputFiles:\n    - file: urls.csv\n"


def recipe() -> dict[str, list[str]]:
    """The lines of the README's section: those before any comment under "once", others under its first words."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## In CI\n")[2].partition("\n## ")[0]
    found: dict[str, list[str]] = {}
    for block in re.findall(r"```console\n(.*?)```", section, re.DOTALL):
        name = "once"
        for line in block.splitlines():
            assert line.startswith("$ "), line
            if line.startswith("$ # "):
                name = re.split("[:,]", line.removeprefix("$ # "))[0]
            else:
                found.setdefault(name, []).append(line.removeprefix("$ "))
    return found


def ledger_line() -> str:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## In CI\n")[2]
    (line,) = re.findall(r"```yaml\n(  ledger: .*?)\n```", section)
    return str(line)


@dataclass
class Pipeline:
    """A repository, and jobs that each begin in a checkout of their own, with secrets and what is kept beside it."""

    stage: Stage
    work: Path
    secrets: dict[str, str]
    cache: Path | None = None
    jobs: int = 0
    artefacts: Path = field(init=False)

    def __post_init__(self) -> None:
        self.artefacts = self.work / "artefacts"
        self.artefacts.mkdir(parents=True)
        shim = self.work / "bin" / "reconciler"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} {CLOCKED} "$TESTS_NOW" "$@"\n', encoding="utf-8")
        shim.chmod(0o755)
        self.git("init", "-q", "-b", "main", str(self.stage.root), cwd=self.work)
        (self.stage.root / ".gitignore").write_text(".reconciler/\n", encoding="utf-8")
        self.stage.project(ledger_line() + "\n")

    def environ(self) -> dict[str, str]:
        paths = f"{self.work / 'bin'}:{self.stage.environ['PATH']}"
        identity = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "ann", "GIT_AUTHOR_EMAIL": "a@example.com"}
        identity |= {"GIT_COMMITTER_NAME": "ann", "GIT_COMMITTER_EMAIL": "a@example.com"}
        now = {"TESTS_NOW": self.stage.clock().isoformat(), "PYTHONPATH": str(ROOT)}
        return {**self.stage.environ, "PATH": paths, **identity, **now, **self.secrets}

    def git(self, *words: str, cwd: Path | None = None) -> None:
        subprocess.run(["git", *words], cwd=cwd or self.stage.root, env=self.environ(), check=True, capture_output=True)

    def commit(self, branch: str) -> None:
        self.git("checkout", "-q", "-B", branch)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", branch)

    def merge(self, branch: str) -> None:
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", branch)

    def job(self, name: str, ref: str) -> tuple[int, Path, str]:
        """One job of the recipe in a fresh checkout; how its last line ended, where, and what it said."""
        self.jobs += 1
        home = self.work / f"job-{self.jobs}"
        self.git("clone", "-q", "--branch", ref, str(self.stage.root), str(home), cwd=self.work)
        for artefact in self.artefacts.iterdir():
            shutil.copy(artefact, home)
        kept = home / ".reconciler" / "ledger.db"
        if self.cache is not None and self.cache.exists():
            kept.parent.mkdir()
            shutil.copy(self.cache, kept)
        lines = "\n".join(["set -e", *recipe()[name]])
        done = subprocess.run(
            ["bash", "-c", lines], cwd=home, env=self.environ(), capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        if self.cache is not None and kept.exists():
            shutil.copy(kept, self.cache)
        return done.returncode, home, done.stdout + done.stderr

    def review(self, branch: str) -> tuple[int, str]:
        """A pull request: its plan is kept as an artefact. How it ended, and what is posted."""
        self.commit(branch)
        for former in self.artefacts.iterdir():
            former.unlink()
        code, home, _ = self.job("pull request", branch)
        shutil.copy(home / "plan.json", self.artefacts)
        return code, (home / "plan.md").read_text(encoding="utf-8")


def test_the_recipe_has_these_jobs() -> None:
    assert set(recipe()) == {"once", "pull request", "after the merge", "every night"}


@pytest.fixture
def pipeline(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path | None], Pipeline]:
    def make(ledger: str, cache: Path | None) -> Pipeline:
        (made,) = recipe()["once"]
        key = subprocess.run(["bash", "-c", made], capture_output=True, text=True, check=True).stdout.strip()
        assert len(key) == 64
        secrets = {"RECONCILER_KEY": key} | ({"RECONCILER_LEDGER": ledger} if ledger else {})
        return Pipeline(stage, tmp_path_factory.mktemp("ci"), secrets, cache)

    return make


def declare(stage: Stage, hour: int, revision: str) -> None:
    (stage.root / "manifests" / "urls.csv").write_text("url\n", encoding="utf-8")
    schedule = NIGHTLY.replace("0 0 2", f"0 0 {hour}")
    stage.write(agent(schedule, extra=FILES) + "---\n" + task_trigger(revision=revision, extra=WAIT))


@pytest.fixture(params=["postgresql", "cache"])
def kept(
    request: pytest.FixtureRequest,
    pipeline: Callable[[str, Path | None], Pipeline],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pipeline]:
    if request.param == "cache":
        yield pipeline("", tmp_path_factory.mktemp("cache") / "ledger.db")
    else:
        yield pipeline(request.getfixturevalue("postgres_url"), None)


def test_with_key_and_ledger_each_job_knows_what_the_others_did(kept: Pipeline) -> None:
    stage = kept.stage
    declare(stage, 2, "1")
    kept.commit("main")
    code, posted = kept.review("first")
    assert code == 0
    assert "schedule/prices/nightly" in posted
    assert stage.writes() == []
    kept.merge("first")
    code, _, said = kept.job("after the merge", "main")
    assert code == 0, said
    assert (len(stage.owned()), stage.starts()) == (1, 1)
    again, _, said = kept.job("after the merge", "main")
    assert again == 7, "once"
    assert "was used already" in said
    assert kept.job("every night", "main")[0] == 0
    next(iter(stage.owned().values())).is_enabled = False
    code, home, _ = kept.job("every night", "main")
    assert code == 2
    assert "schedule/prices/nightly" in (home / "drift.xml").read_text(encoding="utf-8")
    declare(stage, 3, "2")
    assert kept.review("second")[0] == 0
    kept.merge("second")
    writes = len(stage.writes())
    assert kept.job("after the merge", "main")[0] == 0
    assert stage.starts() == 2
    assert [one for one in stage.writes()[writes:] if "approve" in one or "upload" in one.lower()] == []
    assert kept.job("every night", "main")[0] == 0


def test_without_a_ledger_schedules_work_and_no_task_starts_twice(
    pipeline: Callable[[str, Path | None], Pipeline],
) -> None:
    bare = pipeline("", None)
    stage = bare.stage
    declare(stage, 2, "1")
    bare.commit("main")
    assert bare.review("first")[0] == 0
    bare.merge("first")
    code, _, said = bare.job("after the merge", "main")
    assert code == 0, said
    assert (len(stage.owned()), stage.starts()) == (1, 1)
    assert bare.job("every night", "main")[0] == 0
    declare(stage, 3, "2")
    code, posted = bare.review("second")
    assert code == 3
    assert "trigger/publish" in posted
    assert "the ledger is empty although schedules of this project are live" in posted
    bare.merge("second")
    code, _, _ = bare.job("after the merge", "main")
    assert code == 3
    assert stage.starts() == 1
    (schedule,) = stage.owned().values()
    assert schedule.cron == "0 0 3 * * MON-FRI"


def test_without_the_key_a_plan_from_elsewhere_is_refused(pipeline: Callable[[str, Path | None], Pipeline]) -> None:
    bare = pipeline("", None)
    del bare.secrets["RECONCILER_KEY"]
    declare(bare.stage, 2, "1")
    bare.commit("main")
    assert bare.review("first")[0] == 0
    bare.merge("first")
    code, _, said = bare.job("after the merge", "main")
    assert code == 7
    assert "A saved plan that was made elsewhere needs the ledger it was made with, or RECONCILER_KEY" in said
    assert bare.stage.writes() == []


def test_the_workflows_in_the_documents_run_the_same_lines() -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    github, _, gitlab = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    jobs = {"plan": "pull request", "apply": "after the merge", "drift": "every night"}
    for job, name in jobs.items():
        lines = [step["run"] for step in github["jobs"][job]["steps"] if step.get("run", "").startswith("reconciler")]
        assert lines == gitlab[job]["script"] == recipe()[name]
