"""Private-key JWT as Automate MFT checks it: signature, key id, audience, issuer, and a short life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.emulator.reply import Refusal

ALGORITHMS = ("ES256", "RS256", "EdDSA")
LONGEST_LIFE = 600.0
_LEEWAY = 5.0
_LATEST = 10**11


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that was found good: its `jti` ("" when it has none) and when it ends, in POSIX seconds."""

    unique_id: str
    expires: float


def read_assertion(token: str, *, keys: Mapping[str, str], tenant: str, audience: str, now: datetime) -> Assertion:
    """Check an assertion against the registered public keys (PEM by key id). Raises Refusal, 401."""
    import jwt

    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise _refused("the assertion is no JWT") from error
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise _refused(f"the algorithm must be one of {', '.join(ALGORITHMS)}")
    if not isinstance(key_id, str) or key_id not in keys:
        raise _refused("the key id is not known")
    try:
        claims = jwt.decode(
            token,
            keys[key_id],
            algorithms=[algorithm],
            audience=audience,
            options={
                "require": ["exp", "aud", "iss", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except (
        jwt.PyJWTError,
        ValueError,
        TypeError,
        RecursionError,
    ) as error:  # a key of another kind than `alg` is one of the last two
        raise _refused(str(error)) from error
    if claims["iss"] != tenant or claims["sub"] != tenant:
        raise _refused("iss and sub must be the tenant id")
    return Assertion(str(claims.get("jti") or ""), _check_times(claims, now.timestamp()))


def _check_times(claims: Mapping[str, object], now: float) -> float:
    times: dict[str, float] = {}
    for name in ("exp", "nbf", "iat"):
        time = claims.get(name, 0)
        if isinstance(time, bool) or not isinstance(time, int | float):
            raise _refused(f"{name} must be a number")
        if not abs(time) < _LATEST:
            raise _refused(f"{name} is out of range")
        times[name] = float(time)
    expires = times["exp"]
    if expires <= now:
        raise _refused("the assertion has expired")
    if expires > now + LONGEST_LIFE + _LEEWAY:
        raise _refused("exp is more than ten minutes ahead")
    for name in ("nbf", "iat"):
        if times[name] > now + _LEEWAY:
            raise _refused(f"{name} lies in the future")
    return expires


def _refused(why: str) -> Refusal:
    return Refusal(401, f"invalid_client: {why}")
