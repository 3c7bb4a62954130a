"""Credentials: an access token as it is (ACC), or one bought with a signed assertion and renewed (Automate MFT)."""

from __future__ import annotations

import base64
import binascii
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.errors import NoAccessToken, ProductError, Refused, Unauthorised

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    SigningKey = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey

_ASSERTION_SECONDS = 240
_EARLY_SECONDS = 30.0
_ATTEMPTS = 3
_KEY_HINT = (
    "Automate MFT takes a P-256 key (ES256), an RSA key of 2048 bits or more, or an Ed25519 key, as PEM: "
    "`openssl ecparam -genkey -name prime256v1 -noout -out mft.pem` makes one."
)


class Credential:
    """The `Authorization` header, and what to do when it is not accepted. This one is none: to ask for a token with."""

    hint = ""
    """The next step for a person when it is not accepted."""

    def header(self) -> str:
        """The header's value ("" for none). May ask for a token; raises Refused when there is none to be had."""
        return ""

    def renew(self, refused: str) -> bool:
        """After 401 or 403 for the header `refused`: whether another one is at hand now."""
        return False

    def secrets(self) -> frozenset[str]:
        """Values that must not be shown."""
        return frozenset()


class BearerToken(Credential):
    """An access token that was made in the product's own pages. Raises Refused when it cannot be one."""

    def __init__(self, token: str, *, hint: str = "") -> None:
        self._token = token.strip()
        if not self._token or not self._token.isascii() or not self._token.isprintable() or " " in self._token:
            raise Refused("The access token is empty, or holds characters that no token has.", hint=hint)
        self.hint = hint or "Look at the connection's token."

    def header(self) -> str:
        return f"Bearer {self._token}"

    def secrets(self) -> frozenset[str]:
        return frozenset({self._token})


@dataclass(kw_only=True, eq=False, repr=False)
class PrivateKeyJwt(Credential):
    """An access token bought with a signed assertion, shared by all threads and renewed when it is not accepted.

    Automate MFT, "POST /v1/oauth/token": `ask` sends the JSON body to that endpoint and returns what came back. Raises
    Refused for a key that the product does not take; every failure to get a token is Refused too, since the call that
    needs it has not left.
    """

    tenant_id: str
    key_id: str
    private_key: str
    token_url: str
    ask: Callable[[object], object]
    hint: str = ""
    clock: Clock
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())

    def __post_init__(self) -> None:
        self.hint = self.hint or "Look at the connection's tenantId, keyId and privateKey, and at what this key may do."
        self.tenant_id, self.key_id = self.tenant_id.strip(), self.key_id.strip()
        self._lock = threading.Lock()
        self._header = ""
        self._good_until: float | None = None
        self._known: frozenset[str] = frozenset()
        self._failures: list[Refused] = []
        for name, value in (("tenantId", self.tenant_id), ("keyId", self.key_id)):
            if not value:
                raise Refused(f"The connection has no {name}.", hint=self.hint)
        self._key, self.algorithm = signing_key(self.private_key)

    def header(self) -> str:
        known = len(self._failures)
        with self._lock:
            if not self._header or (self._good_until is not None and self.clock.monotonic() >= self._good_until):
                self._buy_once(known)
            return self._header

    def renew(self, refused: str) -> bool:
        known = len(self._failures)
        with self._lock:
            # Another thread may have been refused first, and have a new one already.
            if self._header == refused:
                self._buy_once(known)
            return self._header != refused

    def _buy_once(self, failures: int) -> None:
        """Buy a token, unless that failed while we waited for our turn: or each thread would wait as long again."""
        if len(self._failures) > failures:
            last = self._failures[-1]
            raise type(last)(last.message, hint=last.hint, status=last.status)
        try:
            self._buy()
        except Refused as error:
            self._failures.append(error)
            raise

    def secrets(self) -> frozenset[str]:
        return self._known | {self.private_key}

    def fresh(self) -> Mapping[str, object]:
        """All that the endpoint answers when a token is bought now, the token included."""
        with self._lock:
            return self._buy()

    def assertion(self) -> str:
        """A fresh assertion: four minutes of life, an id of its own."""
        import jwt

        now = int(self.clock().timestamp())
        claims = {
            "aud": self.token_url,
            "jti": self.new_id(),
            "iat": now,
            "nbf": now,
            "exp": now + _ASSERTION_SECONDS,
            "iss": self.tenant_id,
            "sub": self.tenant_id,
        }
        return jwt.encode(claims, self._key, algorithm=self.algorithm, headers={"kid": self.key_id})

    def _buy(self) -> Mapping[str, object]:
        self._header = ""
        answer = self._answer()
        keys = {str(key).lower(): value for key, value in answer.items()}
        token = keys.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
            raise Refused("The token endpoint answered without an access_token.", hint=self.hint)
        life = keys.get("expires_in")
        try:
            seconds = float(life) if isinstance(life, int | float | str) and not isinstance(life, bool) else 0.0
        except ValueError:
            seconds = 0.0
        bought = self.clock.monotonic()
        self._good_until = bought + max(seconds - _EARLY_SECONDS, seconds / 2) if seconds > 0 else None
        self._known = self._known | {token.strip()}
        self._header = f"bearer {token.strip()}"
        return answer

    def _answer(self) -> Mapping[str, object]:
        """What the endpoint says; a lost answer is asked for again with a fresh assertion, since none works twice."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self.ask(
                    {
                        "grant_type": "client_credentials",
                        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                        "client_assertion": self.assertion(),
                    }
                )
                return answer if isinstance(answer, dict) else {}
            except Refused as error:
                kind = NoAccessToken if isinstance(error, Unauthorised) or error.status == 400 else Refused
                raise kind(f"No access token: {error.message}", hint=self.hint, status=error.status) from error
            except ProductError as error:
                if attempt == _ATTEMPTS:
                    raise Refused(f"No access token: {error.message}", hint=error.hint, status=error.status) from error
        raise AssertionError("unreachable")


def signing_key(pem: str) -> tuple[SigningKey, str]:
    """The private key and the algorithm that goes with it. Raises Refused for what the product does not take."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.strip().encode() + b"\n", password=None)
    except TypeError:
        raise Refused(
            "The private key is protected with a passphrase.", hint="Store it without one, where only you can read it."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("The private key is not a PEM private key.", hint=_KEY_HINT) from None
    match key:
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1):
            return key, "ES256"
        case ec.EllipticCurvePrivateKey():
            raise Refused(f"The private key's curve, {key.curve.name}, is not accepted.", hint=_KEY_HINT)
        case rsa.RSAPrivateKey() if key.key_size >= 2048:
            return key, "RS256"
        case rsa.RSAPrivateKey():
            raise Refused(f"The private key has {key.key_size} bits, which is too few.", hint=_KEY_HINT)
        case ed25519.Ed25519PrivateKey():
            return key, "EdDSA"
    raise Refused("The private key is of a kind that is not accepted.", hint=_KEY_HINT)


def key_complaint(pem: str) -> str:
    """Why Automate MFT would not take this private key, and what it takes; "" when it would."""
    try:
        signing_key(pem)
    except Refused as error:
        return f"{error.message} {error.hint}"
    return ""


def token_claims(token: str) -> dict[str, object] | None:
    """What a token says of itself, read without verifying. None for an opaque one."""
    parts = token.strip().split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def token_expiry(token: str) -> datetime | None:
    """When a token runs out, by its own claim. None for an opaque one, or one that never does."""
    expiry = (token_claims(token) or {}).get("exp")
    if not isinstance(expiry, int | float | str):
        return None
    try:
        return datetime.fromtimestamp(float(expiry), UTC)
    except (ValueError, OverflowError, OSError):
        return None
