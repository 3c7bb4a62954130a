"""The demo: manifests become job schedules on an emulated ACC, and task runs on an emulated Automate MFT.

Run it with `make demo`, or `python3 examples/demo.py`. It makes a virtual environment of its own, installs the program,
starts the emulator on a free loopback port, walks through a reviewer's day, and removes all that it made.
`--here` uses the program that is installed already.
"""

from __future__ import annotations

import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
COLOR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as made:
        folder = Path(made)
        program = installed() if "--here" in sys.argv[1:] else install(folder / "venv")
        project = folder / "project"
        shutil.copytree(HERE, project, ignore=shutil.ignore_patterns("demo.py", "__pycache__", ".reconciler"))
        commit(project, "The estate as it should be")
        with emulator(program, folder) as served:
            Demo(program, project, served).walk()
    return 0


def installed() -> str:
    found = shutil.which("reconciler")
    if found is None:
        raise SystemExit("reconciler is not installed; leave --here out")
    return found


def install(folder: Path) -> str:
    say("A virtual environment of its own, which is removed at the end")
    typed("python3 -m venv … && pip install '.[emulator]'")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    quiet = ["-qq", "--disable-pip-version-check", "--no-warn-script-location"]
    subprocess.run([python, "-m", "pip", "install", *quiet, f"{HERE.parent}[emulator]"], check=True)
    return str(folder / "bin" / "reconciler")


@contextmanager
def emulator(program: str, folder: Path) -> Iterator[dict[str, object]]:
    say("Both products on a loopback port, with a dozen agents and some schedules that were made by hand")
    key = folder / "mft.pem"
    arguments = ["emulator", "--estate", "demo", "--format", "json", "--key-file", str(key)]
    typed(f"reconciler {' '.join(arguments[:3])}")
    process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        served = json.loads(process.stdout.readline())
        print(served["url"], flush=True)
        yield {**served, "key": key.read_text(encoding="utf-8")}
    finally:
        process.terminate()
        process.wait(10)


class Demo:
    """One walk: what is typed is printed, and a command that ends otherwise than it should ends the demo."""

    def __init__(self, program: str, project: Path, served: dict[str, object]) -> None:
        self.program = program
        self.project = project
        self.url = str(served["url"])
        tokens = served["tokens"]
        assert isinstance(tokens, list)
        self.environment = {
            **os.environ,
            "ACC_URL": self.url,
            "ACC_TOKEN": next(token["value"] for token in tokens if not token["readOnly"]),
            "MFT_URL": self.url,
            "MFT_TENANT_ID": str(served["tenantId"]),
            "MFT_KEY_ID": str(next(iter(served["keyIds"] or ["demo-key"]))),  # type: ignore[call-overload]
            "MFT_PRIVATE_KEY": str(served["key"]),
            "PRICES_API_KEY": "not-to-be-seen-anywhere",
            "COLUMNS": "100",
        }

    def walk(self) -> None:
        say("Check all that needs no network")
        self.run("validate")
        say("What would change? Live is read, nothing is written")
        self.run("plan", "--out", "plan.json", "--detailed-exitcode", expect=2)
        say("Do exactly that; every write is read back")
        self.run("apply", "plan.json")
        say("A second plan is empty")
        self.run("plan", "--detailed-exitcode")
        say("Somebody edits a manifest, and a reviewer sees what that means")
        self.edit("manifests/prices.yaml", "every: 1h", "every: 20m")
        self.edit("manifests/prices.yaml", 'revision: "2026-11-22"', 'revision: "2026-11-23"')
        self.run("plan", "--out", "plan.json")
        say("Exactly what was reviewed is applied, and only once")
        self.run("apply", "plan.json")
        self.run("apply", "plan.json", expect=7)
        say("Somebody changes a schedule by hand, in the product")
        self.by_hand()
        self.run("drift", expect=2)
        self.run("apply", "--auto-approve")
        say("A schedule is removed from the manifests. Deletions come last; what was made by hand stays")
        self.remove("manifests/stock.yaml", "    - name: weekend", "    - name: ")
        self.run("apply", "--auto-approve")
        say("What was applied, when, by whom; and how everything is doing")
        self.run("history")
        self.run("status", expect=None)
        say("What runs in the next two days, and what collides; and which token or licence runs out first")
        self.run("calendar", "--days", "2")
        self.run("doctor")
        say("All of this ran against an emulator. For the real products, write a project of your own:")
        for line in (
            "pip install acc-mft-reconciler",
            "reconciler init my-project && cd my-project",
            "export ACC_TOKEN=…                                    # ACC: Users, API Access, Add Access Token",
            "reconciler import --agent 'path/of/an/agent'          # or write manifests by hand",
            "reconciler plan",
        ):
            typed(line)

    def run(self, *arguments: str, expect: int | None = 0) -> None:
        typed("reconciler " + " ".join(arguments))
        done = subprocess.run([self.program, *arguments], cwd=self.project, env=self.environment, check=False)
        if expect is not None and done.returncode != expect:
            raise SystemExit(f"the demo is broken: exit {done.returncode}, not {expect}")
        if done.returncode:
            print(dim(f"exit {done.returncode}"), flush=True)

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.project / name
        text = path.read_text(encoding="utf-8")
        if before not in text:
            raise SystemExit(f"the demo is broken: {name} has no {before!r}")
        changed = text.replace(before, after, 1)
        self.show_edit(name, text, changed)
        path.write_text(changed, encoding="utf-8")
        commit(self.project, f"Change {name}")

    def remove(self, name: str, first: str, following: str) -> None:
        """Remove a block that starts with `first`, up to the next block or the end of the list."""
        path = self.project / name
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        start = next(number for number, line in enumerate(lines) if line.startswith(first))
        end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith((following, "---"))), len(lines))
        changed = "".join(lines[:start] + lines[end:])
        self.show_edit(name, text, changed)
        path.write_text(changed, encoding="utf-8")
        commit(self.project, f"Shorten {name}")

    def show_edit(self, name: str, before: str, after: str) -> None:
        typed(f"edit {name}")
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        for line in list(lines)[2:]:
            if not line.startswith("@@"):
                print(dim(line))
        sys.stdout.flush()

    def by_hand(self) -> None:
        """Change an owned schedule behind the program's back, as somebody at ACC's own pages would."""
        state = json.load(urllib.request.urlopen(f"{self.url}/_emulator/state"))
        agent = next(one for one in state["agents"] if one["path"] == "sequentum/Retail/prices")
        schedule = next(one for one in agent["schedules"] if one["cron"] == "0 0 2 * * MON-FRI")
        typed(f"(in ACC: the schedule {schedule['scheduleId']} now runs at half past four)")
        body = json.dumps({"cron": "0 30 4 * * MON-FRI"}).encode()
        request = urllib.request.Request(
            f"{self.url}/_emulator/schedules/{schedule['scheduleId']}", body, method="PATCH"
        )
        urllib.request.urlopen(request).close()


def commit(project: Path, message: str) -> None:
    """Keep the project in Git, where there is one: then the history says which commit was applied."""
    if shutil.which("git") is None:
        return
    identity = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", message]):
        subprocess.run(["git", *arguments], cwd=project, check=True)


def say(text: str) -> None:
    print(f"\n{bold('# ' + text)}", flush=True)


def typed(text: str) -> None:
    print(f"{bold('$ ')}{text}", flush=True)


def bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if COLOR else text


def dim(text: str) -> str:
    return f"\x1b[2m{text}\x1b[0m" if COLOR else text


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"\n{dim(f'{time.monotonic() - started:.0f} seconds')}")
    sys.exit(code)
