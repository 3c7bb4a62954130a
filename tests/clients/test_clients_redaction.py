"""No form of a secret survives, and what is no secret does."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.clients.redaction import Redactor

SECRETS = st.text(min_size=4, max_size=30).filter(lambda text: len(text.strip()) >= 4 and text not in "(secret)")


@settings(deadline=None, max_examples=60)
@given(SECRETS)
def test_no_form_of_a_secret_survives(secret: str) -> None:
    redact = Redactor([secret])
    raw = secret.encode()
    forms = [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps({"password": secret}))[1:-1],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ]
    for form in forms:
        shown = redact(f"<{form}>")
        assert "(secret)" in shown
        assert form not in shown.replace("(secret)", "")


def test_short_values_are_left_alone() -> None:
    assert Redactor(["au", "1"])("region au, 1 run") == "region au, 1 run"


def test_the_longest_goes_first() -> None:
    assert Redactor(["pass", "password-1"])("password-1 pass") == "(secret) (secret)"


def test_the_blot_is_not_blotted() -> None:
    assert Redactor(["secret", "other-one"])("other-one") == "(secret)"


def test_what_looks_like_a_credential() -> None:
    redact = Redactor()
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc_DEF-123"
    assert redact(f"token {token}!") == "token (secret)!"
    assert redact("Authorization: bearer 0123456789abc") == "Authorization: bearer (secret)"
    assert redact("needs Bearer authentication") == "needs Bearer authentication"


def test_every_line_of_a_key_is_secret() -> None:
    lines = ["MIGHAgEAMBMGByqGSM49AgEGCCqGSM49", "AwEHBG0wawIBAQQgevZzL1gdAFr88hb2"]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])
    redact = Redactor([key])
    for line in lines:
        assert redact(f"odd line {line}") == "odd line (secret)"
    assert "MIGH" not in redact("read " + key)
    assert "MIGH" not in Redactor()("read " + key[:50])


def test_many_secrets_are_found_in_one_pass() -> None:
    secrets = [f"value-{number:05}" for number in range(5000)]
    assert Redactor(secrets)("a value-04999 b value-00000 c") == "a (secret) b (secret) c"
