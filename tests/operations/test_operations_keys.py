"""Which private keys Automate MFT takes: said by `validate` at the line of the key, by `doctor`, and by a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from operations_desk import Desk, desk

TRIGGER = (
    "apiVersion: reconciler/v1\nkind: TaskTrigger\nmetadata: {name: publish}\n"
    'spec: {task: {name: Publish prices}, when: {revision: "1"}}\n'
)
REFUSED = {
    "P-384": "secp384r1",
    "P-521": "secp521r1",
    "P-224": "secp224r1",
    "secp256k1": "secp256k1",
    "brainpool": "brainpoolP256r1",
    "RSA-1024": "1024 bits",
    "RSA-2047": "2047 bits",
    "DSA": "of a kind",
    "Ed448": "of a kind",
    "X25519": "of a kind",
    "passphrase": "passphrase",
    "SEC1 P-384": "secp384r1",
    "nonsense": "not a PEM",
}
TAKEN = ("P-256", "RSA-2048", "RSA-3072", "Ed25519", "SEC1 P-256", "PKCS1")


@cache
def key(name: str) -> str:
    """A private key in PEM."""
    curves: dict[str, ec.EllipticCurve] = {
        "P-256": ec.SECP256R1(),
        "P-224": ec.SECP224R1(),
        "P-384": ec.SECP384R1(),
        "P-521": ec.SECP521R1(),
        "secp256k1": ec.SECP256K1(),
        "brainpool": ec.BrainpoolP256R1(),
    }
    curve = curves.get(name.removeprefix("SEC1 "))
    if name == "nonsense":
        return "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    if curve is not None:
        form = PrivateFormat.TraditionalOpenSSL if name.startswith("SEC1") else PrivateFormat.PKCS8
        return ec.generate_private_key(curve).private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    if name.startswith("RSA-"):
        made = rsa.generate_private_key(65537, int(name.removeprefix("RSA-")))
        return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    if name == "PKCS1":
        made = rsa.generate_private_key(65537, 2048)
        return made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    if name == "passphrase":
        other = ec.generate_private_key(ec.SECP256R1())
        return other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    kinds: dict[str, Callable[[], Any]] = {
        "DSA": lambda: dsa.generate_private_key(2048),
        "Ed448": ed448.Ed448PrivateKey.generate,
        "X25519": x25519.X25519PrivateKey.generate,
        "Ed25519": ed25519.Ed25519PrivateKey.generate,
    }
    return str(kinds[name]().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("keys")) as made:
        made.write("manifests/publish.yaml", TRIGGER)
        yield made


@pytest.mark.parametrize(("name", "words"), REFUSED.items())
def test_a_key_that_is_not_taken_is_named_before_anything_is_sent(at: Desk, name: str, words: str) -> None:
    at.write("mft.pem", key(name))
    at.emulator.clear_requests()
    found = at.type("validate", "--format", "json")
    (problem,) = found.json["problems"]
    assert (found.code, problem["code"], problem["line"]) == (1, "bad-key", 13)
    for said in (problem["message"], at.type("doctor").out, at.type("mft", "license").err):
        flat = " ".join(said.split())
        assert words in flat
        assert "Automate MFT takes a P-256 key (ES256), an RSA key of 2048 bits or more, or an Ed25519 key" in flat or (
            name == "passphrase"
        )
    assert [each for each in at.emulator.requests if each.path.startswith("/v1")] == []


@pytest.mark.parametrize("name", TAKEN)
def test_a_key_that_is_taken(at: Desk, name: str) -> None:
    at.write("mft.pem", key(name))
    assert at.type("validate").code == 0


def test_a_key_that_nobody_needs_is_not_looked_at(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.write("mft.pem", key("P-384"))
        at.write(
            "manifests/a.yaml",
            "apiVersion: reconciler/v1\nkind: Agent\nmetadata: {name: a}\nspec: {path: a, schedules: []}\n",
        )
        assert at.type("validate").code == 0
