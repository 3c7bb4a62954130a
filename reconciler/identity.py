"""The ids by which a schedule of ours is recognised without any memory (RFC 9562, version 8)."""

from __future__ import annotations

import functools
import hashlib
import sys
import uuid

from reconciler.product_terms import is_guid

_MARK_BITS = 48


def owned_id(project: str, environment: str, agent_path: str, schedule: str) -> str:
    """The id of a schedule that we create, lower case.

    Bits 0-47 are the first 48 bits of SHA-256("project/environment"). The 74 bits that version and variant leave free
    are the first 74 bits of SHA-256("project/environment/agent path/schedule"), in order: 12, then 62.
    """
    scope = f"{project}/{environment}"
    own = int.from_bytes(hashlib.sha256(f"{scope}/{agent_path}/{schedule}".encode()).digest()) >> (256 - 74)
    bits = (
        (mark_of(project, environment) << 80) | (8 << 76) | ((own >> 62) << 64) | (0b10 << 62) | (own & ((1 << 62) - 1))
    )
    digits = f"{bits:032x}"
    return sys.intern(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def is_owned(schedule_id: str, project: str, environment: str) -> bool:
    """Whether a live id carries the mark of this project and environment, and version 8."""
    return mark_in(schedule_id) == mark_of(project, environment)


def mark_in(schedule_id: str) -> int | None:
    """The mark that an id carries, if it is of version 8; whose it is, `mark_of` says."""
    text = schedule_id.strip().lower()
    if not is_guid(text):
        return None
    bits = uuid.UUID(text).int
    return bits >> 80 if (bits >> 76) & 0xF == 8 else None


def normal_id(schedule_id: str) -> str:
    """An id as it is compared: lower case, without braces or space around it.

    Manifest, ledger and product name the same ids; the text of each is held once.
    """
    return sys.intern(schedule_id.strip().strip("{}").lower())


@functools.lru_cache(maxsize=64)
def mark_of(project: str, environment: str) -> int:
    """The first 48 bits of every id that this project and environment makes."""
    return int.from_bytes(hashlib.sha256(f"{project}/{environment}".encode()).digest()) >> (256 - _MARK_BITS)
