"""`doctor`: what is ill, and what to do about it; a broken project is a finding and no reason to die."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from clocks import BEGIN
from operations_desk import PATH, PROJECT, TENANT, TOKEN, Desk, Typed, accepts, desk, estate

from reconciler.emulator import Switches, Token
from reconciler.emulator.key_pairs import jwt_like
from reconciler.kinds.registry import memo_of
from reconciler.ledger import Ledger, Owner
from reconciler.render.characters import columns

AGENT = f"""\
apiVersion: reconciler/v1
kind: Agent
metadata: {{name: prices}}
spec:
  path: {PATH}
  schedules:
    - {{name: nightly, every: 1d, startTime: 2026-01-01T02:00:00, timeZone: UTC}}
"""


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        one.write("manifests/prices.yaml", AGENT)
        yield one


def checks(at: Desk, code: int, **variables: Any) -> dict[str, Any]:
    """All checks by name. JSON follows its schema; text says the same; what needs attention says what to do."""
    typed = at.type("doctor", "--format", "json", **variables)
    assert typed.code == code, typed.out + typed.err
    accepts("doctor", typed.json)
    text = at.type("doctor", **variables)
    assert text.code == code
    for check in typed.json["checks"]:
        assert bool(check["next"]) == (check["level"] != "ok"), check
    said = " ".join(text.out.split())
    for check in typed.json["checks"]:
        assert check["name"] in said
        assert check["next"].split("\n")[0][:40] in said
    return {check["name"]: check for check in typed.json["checks"]}


def test_all_is_well(at: Desk) -> None:
    assert at.type("apply", "--auto-approve").code == 0
    found = checks(at, 0)
    assert {check["level"] for check in found.values()} == {"ok"}
    assert found["acc"]["found"] == f"{at.emulator.url} answers, and takes the token, and shows {PATH}"
    assert found["mft"]["found"] == f"{at.emulator.url} answers, and takes the key"
    assert found["acc clock"]["found"] == "agrees with ours"
    assert found["ledger"]["found"] == "1 resource remembered"
    assert at.type("doctor").out.endswith("\nAll is well.\n")


def test_it_writes_nothing_at_all(at: Desk) -> None:
    checks(at, 0)
    changes = [one for one in at.emulator.requests if one.method != "GET" and not one.path.endswith("/oauth/token")]
    assert not changes
    assert not (at.root / ".reconciler").exists()


def test_a_product_out_of_reach(at: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        found = checks(at, 1, ACC_URL=url)
        assert time.monotonic() - began < 60
    assert (found["acc"]["level"], found["mft"]["level"]) == ("failed", "failed")
    assert url.removeprefix("http://") in found["acc"]["found"]
    assert "acc clock" not in found


@pytest.mark.parametrize("unauthorised", ["401", "403", "redirect", "html"])
def test_a_token_that_is_not_taken(tmp_path: Path, unauthorised: str) -> None:
    with desk(tmp_path, switches=Switches.parse([f"unauthorised={unauthorised}"])) as at:
        at.write("manifests/prices.yaml", AGENT)
        assert checks(at, 1, ACC_TOKEN="another-token")["acc"]["level"] == "failed"


@pytest.mark.parametrize("token", ["", "with a space", "ümlaut"])
def test_a_token_that_can_be_none(at: Desk, token: str) -> None:
    found = checks(at, 1, ACC_TOKEN=token)
    assert found["acc"]["level"] == "failed"
    assert found["mft"]["level"] == "ok"


@pytest.mark.parametrize("key", ["", "no key", "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"])
def test_a_key_that_can_be_none(at: Desk, key: str) -> None:
    at.write("mft.pem", key)
    found = checks(at, 1)
    assert (found["mft"]["level"], found["acc"]["level"]) == ("failed", "ok")


def test_a_tenant_that_is_not_known(at: Desk) -> None:
    assert checks(at, 1, MFT_TENANT="somebody-else")["mft"]["found"].startswith("No access token")


def test_a_key_that_may_not_see_the_licence_is_a_warning(at: Desk) -> None:
    at.emulator.inject("GET licenses 403")
    found = checks(at, 0)
    assert found["mft"]["level"] == "warning"
    assert "does not show the licence" in found["mft"]["found"]


@pytest.mark.parametrize(
    ("left", "level", "word"),
    [
        (timedelta(days=400), "ok", "good until "),
        (timedelta(days=29), "warning", "runs out on "),
        (timedelta(days=-1), "failed", "ran out on "),
    ],
)
def test_a_token_says_itself_when_it_runs_out(at: Desk, left: timedelta, level: str, word: str) -> None:
    expiry = at.clock() + left
    token = jwt_like("deploy", expiry, "write")
    at.emulator.estate.add_token(Token(token, expires=expiry))
    found = checks(at, 1 if level == "failed" else 0, ACC_TOKEN=token)
    assert found["acc token"]["level"] == level
    assert found["acc token"]["found"].startswith(f"{word}{expiry:%Y-%m-%d}")
    planned = at.type("plan", "--format", "json", ACC_TOKEN=token)
    assert token not in planned.out + planned.err
    codes = {warning["code"] for warning in planned.json["warnings"]}
    assert ("token-expires" in codes) == (level != "ok")


@pytest.mark.parametrize(
    ("licence", "name", "level", "word"),
    [
        ({"used": 10, "limit": 5000}, "mft licence", "ok", "10 of 5,000 task executions used"),
        ({"used": 4600, "limit": 5000}, "mft licence", "warning", "at this pace they last until 20"),
        ({"used": 5000, "limit": 5000}, "mft licence", "failed", "5,000 of 5,000"),
        ({"used": 7, "limit": None}, "mft licence", "ok", "without a limit"),
        ({"end_date": f"{BEGIN + timedelta(days=900):%Y-%m-%d}"}, "mft licence end", "ok", "ends on "),
        ({"end_date": f"{BEGIN + timedelta(days=20):%Y-%m-%d}"}, "mft licence end", "warning", "ends on"),
        ({"end_date": "2020-01-01"}, "mft licence end", "failed", "ended on 2020-01-01"),
        ({"used": 4000, "limit": 5000, "end_date": f"{BEGIN + timedelta(days=6):%Y-%m-%d}"}, "mft licence", "ok", ""),
    ],
)
def test_the_licence_is_watched(tmp_path: Path, licence: dict[str, Any], name: str, level: str, word: str) -> None:
    with desk(tmp_path, estate(**licence)) as at:
        at.write("manifests/prices.yaml", AGENT)
        typed = at.type("doctor", "--format", "json")
        found = {check["name"]: check for check in typed.json["checks"]}[name]
        assert (found["level"], word in found["found"]) == (level, True), found


class _Late(BaseHTTPRequestHandler):
    """An ACC whose clock is seven minutes ahead, and that knows one agent."""

    def do_GET(self) -> None:
        body = b'{"agentId": "a2f22850-7c88-4e05-a30a-004aa980ee6c", "name": "prices"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        del timestamp
        return super().date_time_string(BEGIN.timestamp() + 420)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_clock_that_is_wrong_is_told(at: Desk) -> None:
    at.write("reconciler.yaml", PROJECT[: PROJECT.index("    mft:")])
    with ThreadingHTTPServer(("127.0.0.1", 0), _Late) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            found = checks(at, 0, ACC_URL=f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
    assert found["acc clock"]["level"] == "warning"
    assert re.fullmatch(r"4[12]\d s ahead of ours", found["acc clock"]["found"])


# --- a broken project ------------------------------------------------------------------------------------------------


def test_manifests_with_errors_are_counted_and_the_rest_is_examined(at: Desk) -> None:
    at.write("manifests/more.yaml", AGENT.replace("every:", "evry:"))
    found = checks(at, 1)
    assert found["manifests"]["level"] == "failed"
    assert "`reconciler validate`" in found["manifests"]["next"]
    assert found["acc"]["level"] == found["mft"]["level"] == "ok"


def test_without_any_manifest_the_connections_are_examined(at: Desk) -> None:
    (at.root / "manifests/prices.yaml").unlink()
    found = checks(at, 1)
    assert found["manifests"]["found"].startswith("1 error")
    assert found["acc"]["found"] == f"{at.emulator.url} answers, and takes the token"


@pytest.mark.parametrize("reply", ["404", "403", "null"])
def test_without_any_agent_a_refusal_proves_nothing(tmp_path: Path, reply: str) -> None:
    with desk(tmp_path, switches=Switches.parse([f"missing_agent={reply}"])) as at:
        level = {check["name"]: check["level"] for check in at.type("doctor", "--format", "json").json["checks"]}["acc"]
        assert level == ("warning" if reply == "403" else "ok")


def test_an_agent_that_is_not_there(at: Desk) -> None:
    at.write("manifests/prices.yaml", AGENT.replace(PATH, "sequentum/Retail/gone"))
    found = checks(at, 0)
    assert found["acc"]["level"] == "warning"
    assert "shows no agent at sequentum/Retail/gone" in found["acc"]["found"]


@pytest.mark.parametrize(("name", "check"), [("ACC_TOKEN", "acc"), ("MFT_TENANT", "mft")])
def test_an_undefined_variable_is_told_for_its_connection_alone(at: Desk, name: str, check: str) -> None:
    found = checks(at, 1, **{name: None})
    assert found[check]["level"] == "failed"
    assert name in found[check]["found"]
    assert found[check]["found"].startswith("reconciler.yaml:")
    assert found["mft" if check == "acc" else "acc"]["level"] == "ok"


def test_a_connection_that_manifests_need_is_missed(at: Desk) -> None:
    at.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: retail-data}\nspec: {}\n")
    found = checks(at, 1)
    assert found["acc"]["next"] == "add `connections.acc` to reconciler.yaml"
    assert "mft" not in found


def test_connections_that_nobody_needs_are_not_missed(at: Desk) -> None:
    text = "apiVersion: reconciler/v1\nkind: TaskTrigger\nmetadata: {name: x}\nspec: {task: {name: Fail}}\n"
    at.write("manifests/prices.yaml", text)
    path = at.root / "reconciler.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("    acc:")] + text[text.index("    mft:") :])
    found = checks(at, 0)
    assert found["mft"]["level"] == "ok"
    assert "acc" not in found


def test_a_ledger_that_nobody_can_write(at: Desk) -> None:
    path = at.root / "reconciler.yaml"
    path.write_text(path.read_text().replace("spec:\n", "spec:\n  ledger: sqlite:///mft.pem/ledger.db\n", 1))
    assert checks(at, 1)["ledger"]["found"] == f"{at.root}/mft.pem cannot be written by this user"
    assert at.type("apply", "--auto-approve").code == 1


@pytest.mark.parametrize(
    "text", ["", "spec: [", "kind: Project\n", PROJECT.replace("retail-data", "Not A Name"), "\x00", "a: &a [*a]"]
)
def test_a_project_file_that_nobody_can_read(at: Desk, text: str) -> None:
    at.write("reconciler.yaml", text)
    found = checks(at, 1)
    assert found["project file"]["level"] == "failed"
    assert found["project file"]["found"].startswith("reconciler.yaml:")


def test_without_a_project_it_is_wrong_usage(tmp_path: Path) -> None:
    with desk(tmp_path / "project") as at:
        at.root = tmp_path
        assert at.type("doctor").code == 64


def test_an_environment_that_is_not_there(at: Desk) -> None:
    assert at.type("--env", "prdo", "doctor").code == 64
    assert at.type("--env", "prod", "doctor").code == 0


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_there_is_no_ledger_yet(at: Desk) -> None:
    assert checks(at, 0)["ledger"]["found"] == "there is none yet: the first apply makes it"


@pytest.mark.parametrize("damage", ["text", "cut", "table", "newer"])
def test_a_damaged_ledger(at: Desk, damage: str) -> None:
    assert at.type("apply", "--auto-approve").code == 0
    path = at.root / ".reconciler/ledger.db"
    match damage:
        case "text":
            path.write_bytes(b"not a database " * 300)
        case "cut":
            path.write_bytes(path.read_bytes()[:5000])
        case _:
            with sqlite3.connect(path) as database:
                names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                entries = next(name for name in names if "entries" in name)
                newer = "UPDATE reconciler_meta SET value = '999' WHERE name = 'schema_version'"
                assert database.execute(f"DROP TABLE {entries}" if damage == "table" else newer)
            database.close()
    found = checks(at, 1)
    assert found["ledger"]["level"] == "failed"


def test_a_ledger_of_another_key(at: Desk) -> None:
    assert at.type("apply", "--auto-approve").code == 0
    assert "RECONCILER_KEY" in checks(at, 1, RECONCILER_KEY="another")["ledger"]["next"]


def test_what_is_unsettled_and_who_holds_the_lock(at: Desk) -> None:
    trigger = "{apiVersion: reconciler/v1, kind: TaskTrigger, metadata: {name: publish}, spec: {task: {name: Fail}}}\n"
    at.write("manifests/publish.yaml", trigger)
    at.emulator.inject("POST /v1/tasks/ drop-after")
    assert at.type("apply", "--auto-approve").code == 5
    with (
        Ledger.open(
            "sqlite:///.reconciler/ledger.db",
            "retail-data",
            "default",
            root=at.root,
            create=True,
            clock=at.clock,
            memo_of=memo_of,
        ) as ledger,
        ledger.acquire(Owner("bob", "build-7", 99)),
    ):
        found = checks(at, 0)
    assert (found["unsettled"]["level"], found["unsettled"]["found"]) == ("warning", "trigger/publish")
    assert found["lock"]["found"].startswith("held by bob on build-7")


# --- looks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_screen(at: Desk, width: int) -> None:
    typed: Typed = at.type("doctor", columns=width, ACC_TOKEN="another-token", MFT_TENANT=None)
    assert typed.code == 1
    assert max(columns(line) for line in typed.lines) <= width
    assert "\x1b" not in typed.out
    assert TENANT not in typed.out
    assert TOKEN not in typed.out


def test_a_key_that_others_may_read_is_named_with_the_command_that_mends_it(at: Desk) -> None:
    key = at.root / "mft.pem"
    key.chmod(0o644)
    found = checks(at, 0)["mft file"]
    assert (found["level"], found["next"]) == ("warning", f"chmod 600 {key}")
    key.chmod(0o600)
    assert "mft file" not in checks(at, 0)
