"""The records that the ledger keeps, how each becomes a row and is read back, and the journal's chain of hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from sys import intern
from typing import NamedTuple, TypeAlias, TypeVar

from msgspec import Struct

from reconciler.causes import said
from reconciler.diff import canonical_json, octets
from reconciler.errors import LedgerError
from reconciler.ledger.database import Row, Value
from reconciler.model.address import Address
from reconciler.model.entry import Entry, Memo
from reconciler.model.outcome import Outcome, Owner, RunRecord
from reconciler.model.plan import Change, Finding
from reconciler.model.state import JSON

MemoReader: TypeAlias = Callable[[str, Mapping[str, JSON]], Memo]
"""Types what is kept of a resource of a kind. Raises ValueError or TypeError when it makes no sense."""

V = TypeVar("V", bound=Value)
_DETAIL_LIMIT = 500
FIRST_PREVIOUS = "0" * 64
"""What the first event names as the hash before it."""


class Holder(Struct, frozen=True):
    """Who holds the lease: since when (RFC 3339), under which fencing number, and whether it has run out.

    `silent` is how many seconds ago the owner last said that it lives.
    """

    owner: Owner
    since: str
    fencing: int
    silent: float
    expired: bool


def run_of(row: Row) -> RunRecord:
    """A run from a row of `statements.RUNS`."""
    run, user, host, pid, ci_link, commit, plan_digest, command, started, finished, result, summary = row
    counts = json.loads(summary) if finished else None
    owner = Owner(user, host, pid, ci_link)
    return RunRecord(run, owner, commit, plan_digest, command, started, finished, result, counts)


class Event(NamedTuple):
    """One line of the journal. `hash` covers all the rest, and through `previous` all lines before."""

    seq: int
    at: str
    run: str
    kind: str
    address: str
    body: str
    previous: str
    hash: str


class Note(NamedTuple):
    """An event that has no place in the chain yet."""

    at: str
    run: str
    kind: str
    address: str
    body: Mapping[str, JSON]


# --- entries ---------------------------------------------------------------------------------------------------------


def row_of(entry: Entry) -> dict[str, Value]:
    """An entry as column values, without project and environment. Raises LedgerError if it could not be read back."""
    address = str(entry.address)
    if not entry.address.is_readable:
        raise LedgerError(f"{address!r} is no whole address, and would make the ledger unreadable", hint="report this")
    return {
        "address": address,
        "identity": entry.identity,
        "agent_path": entry.agent_path,
        "declared": entry.declared,
        "applied": canonical_json(dict(entry.applied)),
        "settled": int(entry.settled),
        "protect": int(entry.protect),
        "adopted": int(entry.adopted),
        "needs": canonical_json([str(need) for need in entry.needs]),
        "facts": canonical_json(entry.memo.to_json()),
        "at": entry.at,
        "agent_id": entry.agent_id,
        "known_as": entry.known_as,
    }


def entry_of(row: Row, memo_of: MemoReader) -> Entry:
    """An entry from a row of `statements.ENTRIES`. Raises ValueError when the row makes no sense."""
    address, identity, agent_path, declared, applied, settled, protect, adopted, needs, facts, at = row[:11]
    agent_id, known_as = row[11:]
    at_address = Address.parse(address)
    return Entry(
        address=at_address,
        identity=intern(identity),
        agent_path=intern(agent_path),
        declared=declared,
        applied=_EMPTY if applied == "{}" else _shared(json.loads(applied)),
        settled=bool(settled),
        protect=bool(protect),
        adopted=bool(adopted),
        needs=() if needs == "[]" else tuple(map(Address.parse, json.loads(needs))),
        memo=_memo(at_address.kind, facts, memo_of),
        at=intern(at),
        agent_id=intern(agent_id),
        known_as=known_as,
    )


_EMPTY: dict[str, str] = {}


def _shared(applied: Mapping[str, str]) -> dict[str, str]:
    """Digests by field, each text held once: most schedules are alike in most of their fields."""
    return {intern(field): intern(digest) for field, digest in applied.items()}


@lru_cache(maxsize=4096)
def _memo(kind: str, kept: str, memo_of: MemoReader) -> Memo:
    """The memo of a row; one for all that keep the same: most schedules are alike in it too."""
    try:
        return memo_of(kind, json.loads(kept))
    except (LookupError, AttributeError) as error:
        raise ValueError(f"what is kept of a {kind} makes no sense: {error}") from None


def storable(value: V) -> V | str:
    """A value as every database takes it: lone surrogates and NUL in a text become the escapes that JSON has."""
    if not isinstance(value, str) or (value.isascii() and "\0" not in value):
        return value
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\u0000")


# --- events ----------------------------------------------------------------------------------------------------------


def began_body(change: Change, declared: str) -> dict[str, JSON]:
    """What the journal says about a change that is about to be sent: no state and no field."""
    return {
        "action": change.action.value,
        "reason": change.reason.value,
        "identity": change.identity,
        "declared": declared,
    }


def outcome_body(outcome: Outcome, detail: str) -> dict[str, JSON]:
    """What the journal says about how a change ended. `detail` comes redacted from the clients, and is kept short."""
    body: dict[str, JSON] = {
        "action": outcome.change.action.value,
        "status": outcome.status.value,
        "evidence": outcome.evidence.value,
        "identity": outcome.identity,
        "seconds": round(outcome.seconds, 3),
    }
    if detail:
        body["detail"] = detail[:_DETAIL_LIMIT]
    if outcome.run_id:
        body["run_id"] = outcome.run_id
    return body


def chain(notes: Iterable[Note], seq: int, previous: str) -> list[Event]:
    """Give notes their place after event `seq`, whose hash is `previous`."""
    events = []
    for note in notes:
        seq += 1
        body, address = storable(canonical_json(note.body)), storable(note.address)
        event_hash = _hash((seq, note.at, note.run, note.kind, address, body, previous))
        events.append(Event(seq, note.at, note.run, note.kind, address, body, previous, event_hash))
        previous = event_hash
    return events


def broken_links(events: Iterable[Event], head: tuple[int, str] | None) -> Iterable[Finding]:
    """Walk the journal and name the first thing that does not fit; nothing when all is as it was written.

    `head` is the last event's number and hash as kept apart from the journal, None where nothing was ever written.
    """
    seq, previous = 0, FIRST_PREVIOUS
    for event in events:
        if event.seq != seq + 1:
            yield Finding(
                "event-missing", "", said(f"event {seq + 1} of the journal is missing; the next one is {event.seq}")
            )
            return
        if event.previous != previous:
            yield Finding("chain-broken", event.address, said(f"event {event.seq} does not follow from event {seq}"))
            return
        if event.hash != _hash(event[:7]):
            yield Finding("event-altered", event.address, said(f"event {event.seq} was altered after it was written"))
            return
        seq, previous = event.seq, event.hash
    head_seq, head_hash = head or (0, FIRST_PREVIOUS)
    if seq < head_seq:
        yield Finding("journal-cut", "", said(f"the journal ends at event {seq}, but {head_seq} were written"))
    elif (seq, previous) != (head_seq, head_hash):
        yield Finding("head-differs", "", said(f"the journal's last event {seq} is not the one that was noted as last"))


def _hash(fields: Sequence[JSON]) -> str:
    """Over number, time, run, kind, address, body and the hash before, in this order."""
    return hashlib.sha256(octets(canonical_json(list(fields)))).hexdigest()
