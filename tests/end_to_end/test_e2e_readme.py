"""The plan that the README begins with is what the examples' plan prints, to the letter."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler import cli
from reconciler.clock import Clock
from reconciler.emulator import Emulator, demo, new_key

ROOT = Path(__file__).parents[2]
MOMENT = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
EDITS = [("every: 1h", "every: 20m"), ('revision: "2026-11-22"', 'revision: "2026-11-23"')]


def test_the_plan_is_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, project = Clock(MOMENT), tmp_path / "project"
    shutil.copytree(ROOT / "examples", project, ignore=shutil.ignore_patterns("*.py", "__pycache__", ".reconciler"))
    private, public = new_key()
    with Emulator(demo(clock()), clock=clock) as emulator:
        tenant = emulator.estate.tenant
        assert tenant is not None
        tenant.keys["readme"] = public
        given = {
            "ACC_URL": emulator.url,
            "ACC_TOKEN": emulator.token,
            "MFT_URL": emulator.url,
            "MFT_TENANT_ID": tenant.tenant_id,
            "MFT_KEY_ID": "readme",
            "MFT_PRIVATE_KEY": private,
            "PRICES_API_KEY": "not-to-be-seen-anywhere",
            "COLUMNS": "100",
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        assert cli.main(["-C", str(project), "apply", "--auto-approve"], clock=clock) == 0
        manifest = project / "manifests" / "prices.yaml"
        text = manifest.read_text(encoding="utf-8")
        for before, after in EDITS:
            assert before in text
            text = text.replace(before, after)
        manifest.write_text(text, encoding="utf-8")
        capsys.readouterr()
        assert cli.main(["-C", str(project), "plan"], clock=clock) == 0
    shown = (ROOT / "README.md").read_text(encoding="utf-8").partition("$ reconciler plan\n")[2].partition("```")[0]
    assert capsys.readouterr().out == shown
