"""One table of URLs, and everybody who reads one: `validate`, the clients, the ledger, and the proxies' way round."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.clients import wire
from reconciler.errors import LedgerError, Refused
from reconciler.ledger.location import locate
from reconciler.manifests import check
from reconciler.model.project import Connection
from reconciler.model.resource import Severity
from reconciler.urls import is_loopback, ledger_kind

GOOD = (
    "https://acc.sequentum.com",
    "https://acc.sequentum.com/",
    "https://acc.sequentum.com:8443/portal",
    "https://api.example.com",
    "https://acc.example.com/apis",
    "https://acc.example.com/api/acc",
    "http://127.0.0.1:8080",
    "http://127.8.9.10",
    "http://localhost",
    "http://localhost.:80",
    "http://[::1]:80",
    "http://[::ffff:127.0.0.1]:80",
    "https://[2001:db8::1]/",
)
BAD = {
    "https://acc.sequentum.com/api": "ends in /api, which every call adds by itself: write https://acc.sequentum.com",
    "https://acc.sequentum.com/api/": "write https://acc.sequentum.com",
    "https://acc.sequentum.com/API//": "write https://acc.sequentum.com",
    "https://acc.sequentum.com/portal/api": "write https://acc.sequentum.com/portal",
    "https://acc.sequentum.com//api": "write https://acc.sequentum.com",
    "https://acc.sequentum.com/api?agentPath=a": "query",
    "https://acc.sequentum.com/?": "query",
    "https://acc.sequentum.com/#/login": "fragment",
    "https://acc.sequentum.com/#": "fragment",
    "https://mia:swordfish@acc.sequentum.com": "user or a password",
    "https://@acc.sequentum.com": "user or a password",
    "https://mia:sword fish@acc.sequentum.com/api": "space",
    "https:// acc.sequentum.com": "space",
    "https://acc.sequentum.com ": "space",
    "https://acc.sequentum.com\n": "space",
    "https://acc.sequentum.com\\@example.com": "backslash",
    "https://acc.sequen\u200btum.com": "nobody sees",
    "https://": "and a host",
    "https:///api": "and a host",
    "https://:443": "and a host",
    "https://acc.sequentum.com:0": "and a host",
    "https://acc.sequentum.com:99999": "cannot be read",
    "https://[::1": "cannot be read",
    "ftp://acc.sequentum.com": "must be https",
    "acc.sequentum.com": "must be https",
    "//acc.sequentum.com": "must be https",
    "": "must be https",
    "http://acc.sequentum.com": "plain http",
    "http://127.0.0.1.example.com": "plain http",
    "http://localhost.example.com": "plain http",
    "http://prices.localhost": "plain http",
    "http://[::ffff:10.0.0.1]": "plain http",
    "http://0.0.0.0": "plain http",
    "http://127.1": "plain http",
}


AGENT = "apiVersion: reconciler/v1\nkind: Agent\nmetadata: {name: a}\nspec: {path: a, approval: {state: approved}}\n"
TRIGGER = (
    "apiVersion: reconciler/v1\nkind: TaskTrigger\nmetadata: {name: t}\n"
    "spec: {task: {name: t}, when: {revision: '1'}}\n"
)


def complaint_of_validate(url: str, root: Path, name: str = "acc") -> str:
    """What `validate` says of a project whose connection has this URL."""
    credentials = {"acc": "token: t", "mft": "tenantId: t, keyId: k, privateKey: p"}[name]
    (root / "manifests").mkdir(exist_ok=True)
    (root / "manifests/a.yaml").write_text(AGENT if name == "acc" else TRIGGER)
    (root / "reconciler.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: x}\n"
        f"spec: {{connections: {{{name}: {{url: {json.dumps(url)}, {credentials}}}}}}}\n",
        encoding="utf-8",
    )
    found, problems = check(root, None, {}, as_of=datetime(2026, 5, 4, tzinfo=UTC))
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    assert (found is None) == bool(errors)
    return " ".join(problem.message for problem in errors)


@pytest.mark.parametrize("url", GOOD)
def test_an_address_that_everybody_takes(url: str, tmp_path: Path) -> None:
    assert complaint_of_validate(url, tmp_path) == ""
    assert wire.base_url(Connection("acc", url, {})) == url.rstrip("/")


@pytest.mark.parametrize(("url", "words"), BAD.items(), ids=map(repr, BAD))
def test_an_address_that_nobody_takes(url: str, words: str, tmp_path: Path) -> None:
    if url:
        assert words in complaint_of_validate(url, tmp_path)
    with pytest.raises(Refused, match=r"connections\.acc: ") as caught:
        wire.base_url(Connection("acc", url, {}))
    assert words in caught.value.message
    assert "swordfish" not in str(caught.value)


def test_each_product_has_its_own_beginning(tmp_path: Path) -> None:
    assert "/v1" in complaint_of_validate("https://api.us.mft.progress.com/v1/", tmp_path, "mft")
    assert complaint_of_validate("https://acc.example.com/v1", tmp_path) == ""
    assert complaint_of_validate("https://mft.example.com/api", tmp_path, "mft") == ""


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("localhost.", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("[::1]", True),
        ("0:0:0:0:0:0:0:1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:7f00:1", True),
        ("::ffff:10.0.0.1", False),
        ("128.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("127.1", False),
        ("a.localhost", False),
        ("localhost.example", False),
        ("", False),
        (".", False),
    ],
)
def test_what_is_this_machine(host: str, is_here: bool) -> None:
    assert is_loopback(host) == is_here


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgres+psycopg", "PostgreS"])
def test_a_postgresql_ledger_by_each_of_its_names(scheme: str, tmp_path: Path) -> None:
    url = f"{scheme}://mia:swordfish@db/ledgers"
    assert ledger_kind(url) == "postgresql"
    found = locate(url, tmp_path)
    assert (found.url, found.shown) == ("postgresql://mia:swordfish@db/ledgers", "postgresql://mia@db/ledgers")


@pytest.mark.parametrize(
    "url", ["mysql://h/d", "sqlite:///", "sqlite://x", "postgres://", "postgresql:", "ledger.db", ""]
)
def test_a_ledger_that_is_nowhere(url: str, tmp_path: Path) -> None:
    assert ledger_kind(url) == ""
    with pytest.raises(LedgerError):
        locate(url, tmp_path)
