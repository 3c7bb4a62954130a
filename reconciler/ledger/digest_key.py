"""The key of the digests: taken from outside or made with the ledger, and refused when it is not the ledger's own."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from reconciler.diff import Sealer, sealer
from reconciler.errors import LedgerError
from reconciler.ledger.database import Connection
from reconciler.ledger.reader import Reader
from reconciler.ledger.scope import Scope

if TYPE_CHECKING:
    from reconciler.ledger.commits import GroupCommit

_KEY_BYTES = 32
_KEPT = "key"
_FINGERPRINT = "key_fingerprint"
"""The names under which the ledger keeps its own key, and the fingerprint of the key in use."""


def sealer_of(scope: Scope, reader: Reader, commits: GroupCommit | None, key: bytes | None, shown: str) -> Sealer:
    """A sealer with the ledger's key; where there is none yet and `commits` may write, one is kept first.

    `key` comes from outside, None for the ledger's own; `shown` is the ledger's place. Raises LedgerError when the
    ledger was written with another key.
    """
    # The fingerprint first: both are written at once, so whoever sees it sees the key that belongs to it as well.
    known = scope.meta(reader, _FINGERPRINT)
    kept = scope.meta(reader, _KEPT)
    if known is None and commits is not None:
        kept, known = commits.alone(lambda connection: _keep(scope, connection, key))
    if known is None:
        # A ledger that others use and that this environment never wrote to: nothing here can be compared anyway.
        return sealer(key or secrets.token_bytes(_KEY_BYTES))
    used = key if key is not None else bytes.fromhex(kept or "")
    if hmac.compare_digest(_fingerprint(used), known):
        return sealer(used)
    raise LedgerError(
        f"the ledger {shown} was written with another key, so no digest in it could be compared",
        hint="unset RECONCILER_KEY: this ledger keeps its own key"
        if kept
        else "set RECONCILER_KEY to the key it was written with; if that is lost, move the ledger away and apply with "
        "`--accept-new-ledger`",
    )


def _keep(scope: Scope, connection: Connection, key: bytes | None) -> tuple[str | None, str | None]:
    """Keep what a new ledger starts with: its own random key, unless one comes from outside; and the fingerprint."""
    scope.lock(connection)
    if scope.meta(connection, _FINGERPRINT) is None:  # or else another first run was faster
        own = {} if key is not None else {_KEPT: secrets.token_hex(_KEY_BYTES)}
        used = key if key is not None else bytes.fromhex(own[_KEPT])
        scope.put_meta(connection, own | {_FINGERPRINT: _fingerprint(used)})
    return scope.meta(connection, _KEPT), scope.meta(connection, _FINGERPRINT)


def _fingerprint(key: bytes) -> str:
    """Tells keys apart, and reveals none."""
    return hmac.new(key, b"reconciler key fingerprint", hashlib.sha256).hexdigest()[:32]
