"""What `ledger list` shows of the ledger: nothing that could be held against guesses."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.address import Address
from reconciler.model.live import Evidence
from reconciler.model.outcome import RunRecord


class Remembered(Struct, frozen=True):
    """One row of `ledger list`: what the ledger holds of an address, with no digest that could be held against guesses.

    `what` is owned, adopted, attested or started, `state` how far a start came, `key` the beginning of the digest that
    it was started for. `run` is the run that reached it last, None where it is older than what is recorded.
    `is_declared` is None where the manifests cannot be read.
    """

    address: Address
    what: str
    is_settled: bool
    evidence: Evidence
    at: str
    agent_path: str
    identity: str
    protect: bool
    state: str = ""
    key: str = ""
    run_id: str = ""
    is_resolved: bool = False
    run: RunRecord | None = None
    is_declared: bool | None = None


class RememberedAgent(Struct, frozen=True):
    """An agent at whose path this project has written: looked at by every plan, declared or not."""

    path: str
    handle: str
    agent_id: str
    is_declared: bool | None = None
