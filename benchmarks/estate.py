"""Writes estates of any size: a project folder, and the live schedules that match it, for the emulator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.identity import owned_id

TOKEN = "benchmark-token"  # it guards nothing
_ZONES = (
    ("Australia/Sydney", "AUS Eastern Standard Time"),
    ("UTC", "UTC"),
    ("Europe/Berlin", "W. Europe Standard Time"),
    ("America/New_York", "Eastern Standard Time"),
)
_EVERY = (("6h", "0 0 6 0"), ("12h", "0 0 12 0"), ("1d", "0 0 0 1"))
_DAYS = ("*", "MON-FRI", "SUN", "2,4")


@dataclass(frozen=True, slots=True)
class Block:
    """One schedule, as a manifest says it and as ACC shows it."""

    name: str
    declared: dict[str, Any]
    live: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Estate:
    """`agents` agents with `schedules` schedules each, one manifest an agent, the same for the same name.

    The first `movable` schedules of each agent take their second from the variable `second`, so that a project can be
    made to differ from live by changing one line.
    """

    name: str
    agents: int
    schedules: int = 5
    movable: int = 0
    first: int = 0

    def paths(self) -> Iterator[tuple[int, str]]:
        for number in range(self.first, self.first + self.agents):
            yield number, f"sequentum/Group{number // 100:03d}/agent-{number:05d}"

    def agent_id(self, number: int) -> str:
        text = hashlib.sha256(f"agent {number}".encode()).hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"

    def blocks(self, number: int, path: str) -> Iterator[Block]:
        """Half of them cron, half intervals, spread over hours, days and zones."""
        for which in range(self.schedules):
            chance = hashlib.sha256(f"{path} {which}".encode()).digest()
            zone, windows = _ZONES[chance[0] % len(_ZONES)]
            hour, minute = chance[1] % 24, chance[2] % 60
            start = f"2026-01-{1 + chance[3] % 28:02d}T{hour:02d}:{minute:02d}:00"
            name = f"{('prices', 'stock', 'reviews', 'offers', 'stores')[which % 5]}-{which}"
            declared: dict[str, Any] = {"name": name}
            if which < self.movable:
                declared["cron"] = f"${{var:second}} {minute} {hour} * * *"
                cron = f"0 {minute} {hour} * * *"
            elif which % 2:
                every, cron = _EVERY[chance[4] % len(_EVERY)]
                declared["every"] = every
            else:
                cron = f"0 {minute} {hour} * * {_DAYS[chance[4] % len(_DAYS)]}"
                declared["cron"] = cron
            parameters = {"region": f"r{chance[5] % 8}", "shard": f"s{which}"}
            declared |= {"startTime": start, "timeZone": zone, "inputParameters": parameters, "logLevel": "low"}
            live = {
                "scheduleId": owned_id(self.name, "default", path, name),
                "cron": cron,
                "startTime": start,
                "timeZoneId": windows,
                "inputParameters": json.dumps(parameters),
                "logLevel": 1,
                "isWindowless": True,
                "isEnabled": True,
            }
            yield Block(name, declared, live)

    # --- the files ---------------------------------------------------------------------------------------------------

    def write_project(self, folder: Path, url: str, *, concurrency: int = 32, ledger: str = "") -> Path:
        """A project folder that points at an emulator; returns it."""
        (folder / "manifests").mkdir(parents=True)
        for number, path in self.paths():
            (folder / "manifests" / f"agent-{number:05d}.yaml").write_text(_yaml_of(self.manifest(number, path)))
        self.write_project_file(folder, url, concurrency=concurrency, ledger=ledger)
        return folder

    def write_project_file(
        self, folder: Path, url: str, *, concurrency: int = 32, ledger: str = "", second: int = 0
    ) -> None:
        lines = [
            "apiVersion: reconciler/v1",
            "kind: Project",
            f"metadata: {{name: {self.name}}}",
            "spec:",
            '  manifests: ["manifests/*.yaml"]',
            "  connections:",
            "    acc:",
            f"      url: {url}",
            f"      token: {TOKEN}",
            f"      concurrency: {concurrency}",
            f"  ledger: {ledger or 'sqlite:///.reconciler/ledger.db'}",
            f'  variables: {{second: "{second}"}}',
        ]
        (folder / "reconciler.yaml").write_text("\n".join(lines) + "\n")

    def manifest(self, number: int, path: str) -> dict[str, Any]:
        """An agent's document, as plain data."""
        return {
            "apiVersion": "reconciler/v1",
            "kind": "Agent",
            "metadata": {"name": f"agent-{number:05d}", "labels": {"team": f"team-{number % 7}"}},
            "spec": {"path": path, "schedules": [block.declared for block in self.blocks(number, path)]},
        }

    def live_agents(self) -> Iterator[dict[str, Any]]:
        """The agents of the emulator's state file, each with the schedules that the manifests declare."""
        for number, path in self.paths():
            yield {
                "path": path,
                "agentId": self.agent_id(number),
                "schedules": [block.live for block in self.blocks(number, path)],
            }

    def reads(self) -> Iterator[tuple[str, str]]:
        """The two requests, without the host, that it takes to see each agent."""
        for number, path in self.paths():
            yield f"/api/agent?agentPath={path}", f"/api/job/{self.agent_id(number)}/schedules"

    def writes(self, *, second: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """For each agent the path and the bodies that its movable schedules are sent with."""
        for number, path in self.paths():
            bodies = []
            for block in list(self.blocks(number, path))[: self.movable]:
                cron = f"{second} " + block.live["cron"].partition(" ")[2]
                bodies.append({**block.live, "cron": cron, "sessionId": None})
            yield f"/api/job/{self.agent_id(number)}/schedule", bodies


def write_state(path: Path, *estates: Estate) -> Path:
    """A state file for the emulator with all agents of these estates; returns its path."""
    with path.open("w") as file:
        file.write(f'{{"tokens": [{json.dumps({"value": TOKEN})}], "agents": [')
        first = True
        for estate in estates:
            for agent in estate.live_agents():
                file.write(("" if first else ",\n") + json.dumps(agent))
                first = False
        file.write("]}\n")
    return path


def _yaml_of(value: Any, indent: str = "") -> str:
    """Plain data as people write it: one key a line, a dash before each block, quotes where they are needed."""
    lines = []
    for key, inner in value.items():
        if isinstance(inner, dict):
            lines.append(f"{indent}{key}:\n{_yaml_of(inner, indent + '  ')}")
        elif isinstance(inner, list):
            blocks = [_yaml_of(block, indent + "    ") for block in inner]
            dashed = [f"{indent}  - {block.lstrip()}" for block in blocks]
            lines.append(f"{indent}{key}:\n" + "".join(dashed))
        else:
            lines.append(f"{indent}{key}: {json.dumps(inner) if '*' in str(inner) else inner}\n")
    return "".join(lines)
