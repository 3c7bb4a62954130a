"""A product that drips: every command that asks it ends in bounded time, by hand and in a plan, and says why."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clients_sockets import Act, server
from stage import NIGHTLY, PROJECT, Ended, Stage, agent, task_trigger

TIMEOUT = 0.5
ENDLESS = 60.0


def drip(start: bytes) -> Act:
    """Send `start`, and then a byte now and then for as long as anybody listens."""

    def act(peer: socket.socket) -> bool:
        until = time.monotonic() + ENDLESS
        with contextlib.suppress(OSError):
            peer.sendall(start)
            while time.monotonic() < until:
                peer.sendall(b" ")
                time.sleep(0.1)
        return False

    return act


PLACES = {
    "status line": drip(b"HTTP/1.1 200"),
    "headers": drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Drip: "),
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"),
    "error body": drip(b"HTTP/1.1 400 Bad\r\nContent-Length: 100000\r\n\r\n"),
}
COMMANDS = {
    "plan": ("plan",),
    "drift": ("drift",),
    "status": ("status",),
    "apply": ("apply", "--auto-approve"),
    "doctor": ("doctor",),
    "acc agent show": ("acc", "agent", "show", "sequentum/Retail/prices"),
    "acc run log": ("acc", "run", "log", "11111111-1111-1111-1111-111111111111", "-o", "log.zip"),
    "mft license": ("mft", "license"),
    "mft start": ("mft", "task", "start", "Publish prices"),
}


@pytest.fixture(params=PLACES)
def dripping(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Stage]:
    """A project whose products both drip."""
    with server(PLACES[request.param]) as heard:
        text = PROJECT.format(url=heard.url).replace("{url:", f"{{timeout: {TIMEOUT}s, url:")
        (stage.root / "reconciler.yaml").write_text(text, encoding="utf-8")
        stage.write(agent(NIGHTLY) + "---\n" + task_trigger())
        yield stage


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_is_held_up(
    dripping: Stage,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_count: Callable[[str, int], None],
) -> None:
    record_count("commands held against a product that drips", 1)
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    ended: Ended = dripping.run(*COMMANDS[command])
    assert time.monotonic() - began < ENDLESS / 2
    assert ended.code not in (0, 64, 2), ended.said
    assert any(words in ended.said for words in ("not complete within 0.5 s", "answered 400", "moved less than")), (
        ended.said
    )
    assert not (tmp_path / "log.zip").exists()
