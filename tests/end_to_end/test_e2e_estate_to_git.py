"""The walk from a console to Git, typed as docs/estate.md prints it, on two emulated ACCs and a real PostgreSQL."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from clocks import BEGIN, SkippingClock
from stage import CLOCKED

from reconciler.emulator import DEFAULT_TOKEN, Emulator, Estate, load, regions

pytest_plugins = ["postgres"]
ROOT = Path(__file__).parents[2]


def steps() -> Iterator[tuple[str, list[str]]]:
    """Each command of the page with the lines that it prints there; a `>` goes on with the command before."""
    text = (ROOT / "docs" / "estate.md").read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = step.splitlines()
            end = next((number for number, line in enumerate(lines[1:], 1) if not line.startswith(">")), len(lines))
            yield "\n".join([lines[0], *(line[2:] for line in lines[1:end])]), lines[end:]


def is_printed(line: str, output: str) -> bool:
    """Whether a line of the page stands in what a command printed; `…` is anything."""
    return re.search(".*".join(map(re.escape, line.split("…"))), output) is not None


@dataclass
class Desk:
    """Where the walk is typed: one folder and one environment for all of it, kept from one command to the next."""

    folder: Path
    kept: Path
    environ: dict[str, str] = field(default_factory=dict)

    def type(self, command: str) -> str:
        """Run a command as a shell does: what it printed. The next one finds its folder and its variables."""
        kept = self.kept
        script = f'set -euo pipefail -a\n{command}\nstatus=$?\n{{ pwd; env -0; }} > "$KEPT"\nexit $status\n'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**self.environ, "KEPT": str(kept)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"$ {command}\n{said}"
        folder, variables = kept.read_text().split("\n", 1)
        self.folder = Path(folder)
        self.environ = dict(one.partition("=")[::2] for one in variables.split("\0") if one)
        return said


def test_the_walk_from_a_console_to_git(tmp_path: Path, postgres_url: str) -> None:
    shim = tmp_path / "bin" / "reconciler"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} {CLOCKED} {BEGIN.isoformat()} "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    desk = Desk(
        home, tmp_path / "kept", {"PATH": f"{shim.parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(home)}
    )
    clock = SkippingClock()
    with ExitStack() as open_until_the_end:

        def serve(estate: Estate, name: str) -> Estate:
            emulator = open_until_the_end.enter_context(Emulator(estate, clock=clock))
            desk.environ[f"{name}_URL"] = emulator.url
            desk.environ[f"{name}_TOKEN"] = next(iter(emulator.estate.tokens), DEFAULT_TOKEN)
            return emulator.estate

        for command, printed in steps():
            if command.startswith("reconciler emulator --estate"):
                production = serve(regions(BEGIN), "ACC")
                made_by_hand = dict(production.schedules)
            elif command.startswith("reconciler emulator --state"):
                staging = serve(load(desk.folder / "staging-acc.yaml"), "ACC_STAGING")
            elif command.startswith("export RECONCILER_LEDGER="):
                desk.environ["RECONCILER_LEDGER"] = postgres_url
            elif command.startswith("curl ") and shutil.which("curl") is None:
                production.schedule(desk.environ["id"]).cron = "0 45 3 * * *"
            elif not command.startswith("export "):
                said = desk.type(command)
                for line in printed:
                    assert is_printed(line, said), f"$ {command}\n{said}\n--- and not: {line}"
    manifests = desk.folder / "manifests"
    assert sum(len(path.read_text().splitlines()) for path in manifests.glob("*.yaml")) < 150
    assert len(production.schedules) == len(staging.schedules) == 330
    assert made_by_hand.keys() < production.schedules.keys(), "what was there is still the same"
