"""Assertions and tokens: what Automate MFT is shown, when it is asked again, and which keys are taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from clients_stand_ins import BEGIN, Time
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from reconciler.clients.auth import BearerToken, PrivateKeyJwt, signing_key, token_expiry
from reconciler.errors import Missing, NoAccessToken, ProductError, Refused, Unauthorised, Uncertain

NO_CLOCK: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
"""What the library checks by the machine's clock; the tests check it by theirs."""

TOKEN_URL = "https://api.us.mft.progress.com/v1/oauth/token"


def pem(key: Any, password: bytes | None = None) -> str:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection).decode())


P256 = ec.generate_private_key(ec.SECP256R1())
KEYS: dict[str, Any] = {
    "ES256": P256,
    "RS256": rsa.generate_private_key(65537, 2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def credential(ask: Callable[[Any], Any], *, key: Any = P256, time: Time | None = None) -> PrivateKeyJwt:
    time = time or Time()
    return PrivateKeyJwt(
        tenant_id=" tenant-1\n", key_id="key-1", private_key=pem(key), token_url=TOKEN_URL, ask=ask, clock=time
    )


@pytest.mark.parametrize("algorithm", KEYS)
def test_the_assertion_is_what_the_sample_makes(algorithm: str) -> None:
    asked: list[Any] = []

    def ask(body: Any) -> Any:
        asked.append(body)
        return {"access_token": "opaque-1"}

    key = KEYS[algorithm]
    assert credential(ask, key=key).header() == "bearer opaque-1"
    assertion = asked[0].pop("client_assertion")
    assert asked == [
        {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
    ]
    assert jwt.get_unverified_header(assertion) == {"alg": algorithm, "typ": "JWT", "kid": "key-1"}
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(assertion, public, algorithms=[algorithm], audience=TOKEN_URL, options=NO_CLOCK)
    assert claims["iss"] == claims["sub"] == "tenant-1"
    assert claims["iat"] == claims["nbf"] == BEGIN.timestamp()
    assert claims["exp"] - claims["iat"] == 240
    assert claims["jti"]


def test_every_assertion_has_an_id_of_its_own() -> None:
    who = credential(lambda body: {})
    ids = {jwt.decode(who.assertion(), options={"verify_signature": False})["jti"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (pem(ec.generate_private_key(ec.SECP256K1())), "secp256k1"),
        (pem(dsa.generate_private_key(2048)), "of a kind"),
        (pem(P256, b"passphrase"), "passphrase"),
        ("", "not a PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "not a PEM"),
        (P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), "not a PEM"),
    ],
)
def test_keys_that_are_not_taken(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        signing_key(text)
    assert caught.value.hint


def test_a_token_is_bought_once_for_all_threads() -> None:
    asked = []
    gate = threading.Barrier(8, timeout=10)

    def ask(body: Any) -> Any:
        asked.append(body)
        return {"access_token": f"token-{len(asked)}"}

    who = credential(ask)
    headers: list[str] = []

    def use() -> None:
        gate.wait()
        headers.append(who.header())
        gate.wait()
        assert who.renew("bearer token-1")
        headers.append(who.header())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 2, "eight threads were refused with the same token: one of them asks"
    assert sorted(headers) == ["bearer token-1"] * 8 + ["bearer token-2"] * 8


def test_a_purchase_that_failed_fails_for_all_who_waited_for_it() -> None:
    """Otherwise each thread in turn would wait for a token endpoint that does not answer."""
    asked: list[Any] = []
    all_here = threading.Barrier(8, timeout=10)

    def ask(body: Any) -> Any:
        asked.append(body)
        time.sleep(0.1)
        raise ProductError("no answer within 2 s")

    def get() -> None:
        all_here.wait()
        with pytest.raises(Refused, match="No access token: no answer"):
            who.header()

    who = credential(ask)
    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) < 12, "three attempts for one, not for each of eight"
    with pytest.raises(Refused):
        who.header()
    assert len(asked) >= 6, "who comes later asks again"


def test_the_life_of_a_token_is_honoured_where_it_is_told() -> None:
    time, count = Time(), iter(range(10))
    who = credential(lambda body: {"Access_Token": f"token-{next(count)}", "expires_in": "600"}, time=time)
    assert who.header() == "bearer token-0"
    time.at = 569
    assert who.header() == "bearer token-0"
    time.at = 570
    assert who.header() == "bearer token-1"


@pytest.mark.parametrize("life", [None, 0, -5, "soon", True, []])
def test_a_life_without_sense_is_for_ever(life: Any) -> None:
    time, count = Time(), iter(range(10))
    who = credential(lambda body: {"access_token": f"token-{next(count)}", "expires_in": life}, time=time)
    assert who.header() == "bearer token-0"
    time.at = 1e9
    assert who.header() == "bearer token-0"


def test_a_lost_answer_is_asked_for_again_with_a_fresh_assertion() -> None:
    asked: list[str] = []

    def ask(body: Any) -> Any:
        asked.append(body["client_assertion"])
        if len(asked) < 3:
            raise Uncertain("the connection was closed")
        return {"access_token": "t-1"}

    assert credential(ask).header() == "bearer t-1"
    assert len(set(asked)) == 3


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Uncertain("lost"), Refused),
        (ProductError("odd"), Refused),
        (Missing("no such page", status=404), Refused),
        (Unauthorised("no", status=401), NoAccessToken),
        (Refused("bad assertion", status=400), NoAccessToken),
    ],
)
def test_without_a_token_nothing_was_asked_of_the_product(error: ProductError, kind: type[ProductError]) -> None:
    def ask(body: Any) -> Any:
        raise error

    with pytest.raises(Refused, match="No access token") as caught:
        credential(ask).header()
    assert type(caught.value) is kind


@pytest.mark.parametrize("reply", [None, [], {}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a\nb"}])
def test_an_answer_without_a_token(reply: Any) -> None:
    with pytest.raises(Refused, match="without an access_token"):
        credential(lambda body: reply).header()


def test_tokens_from_files_end_in_a_line_end() -> None:
    assert BearerToken("abc-def\n").header() == "Bearer abc-def"
    for bad in ("", " ", "a b", "a\nb", "tökén"):
        with pytest.raises(Refused, match="access token"):
            BearerToken(bad)


def test_the_expiry_is_read_without_verifying() -> None:
    when = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    token = jwt.encode({"exp": when}, "k" * 32, algorithm="HS256")
    assert token_expiry(token + "\n") == when
    forever = jwt.encode({"sub": "x"}, "k" * 32, algorithm="HS256")
    endless = jwt.encode({"exp": 10**30}, "k" * 32, algorithm="HS256")
    for other in (forever, endless, "opaque", "a.b.c", "", "..", "é.é.é"):
        assert token_expiry(other) is None
