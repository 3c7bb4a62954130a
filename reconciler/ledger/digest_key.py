"""The key of the digests, from outside or made with the ledger, and the fingerprint by which another one is noticed."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from reconciler.diff import Sealer, sealer
from reconciler.errors import LedgerError

_KEY_BYTES = 32
KEPT = "key"
FINGERPRINT = "key_fingerprint"
"""The names under which the ledger keeps its own key, and the fingerprint of the key in use."""


def first_values(key: bytes | None) -> dict[str, str]:
    """What a new ledger keeps: its own random key, unless one comes from outside; and the fingerprint."""
    values = {} if key is not None else {KEPT: secrets.token_hex(_KEY_BYTES)}
    return values | {FINGERPRINT: fingerprint(key if key is not None else bytes.fromhex(values[KEPT]))}


def fitting_sealer(key: bytes | None, kept: str | None, known: str | None, shown: str) -> Sealer:
    """A sealer with the key that the ledger was written with. Raises LedgerError when `key` is another one."""
    if known is None:
        # A ledger that others use and that this environment never wrote to: nothing here can be compared anyway.
        return sealer(key or secrets.token_bytes(_KEY_BYTES))
    used = key if key is not None else bytes.fromhex(kept or "")
    if hmac.compare_digest(fingerprint(used), known):
        return sealer(used)
    raise LedgerError(
        f"the ledger {shown} was written with another key, so no digest in it could be compared",
        hint="unset RECONCILER_KEY: this ledger keeps its own key"
        if kept
        else "set RECONCILER_KEY to the key it was written with; if that is lost, move the ledger away and apply with "
        "`--accept-new-ledger`",
    )


def fingerprint(key: bytes) -> str:
    """Tells keys apart, and reveals none."""
    return hmac.new(key, b"reconciler key fingerprint", hashlib.sha256).hexdigest()[:32]
