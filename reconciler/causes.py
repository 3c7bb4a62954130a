"""Why something is as it is, as data: a cause, and the values that it is about. `render.reasons` has the words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What can be the cause of a change, of a block, or of how a change ended; one member for each sentence."""

    SAID = "said"
    """The words of a product, of an error, or of a kind that brings its own: `said`."""

    # Why a change stands in a plan.
    ACCEPTED_AT = "accepted-at"
    AGENT_GIVEN_UP = "agent-given-up"
    AGENT_MADE_ANEW = "agent-made-anew"
    ALL_DESTROYED = "all-destroyed"
    APPROVAL_DECLARED = "approval-declared"
    AS_DECLARED = "as-declared"
    ATTEMPT_FAILED = "attempt-failed"
    CHANGED_BY_HAND = "changed-by-hand"
    CHANGED_OUTSIDE = "changed-outside"
    CONTENT_CHANGED = "content-changed"
    DECLARED_ELSEWHERE = "declared-elsewhere"
    DIFFERS_IN = "differs-in"
    DIFFERS_UNREMEMBERED = "differs-unremembered"
    DUE_FOR = "due-for"
    FILES_DISABLED = "files-disabled"
    FILES_REMOVED = "files-removed"
    FILES_REPLACED = "files-replaced"
    FILES_TO_SEND = "files-to-send"
    GONE_FROM_ACC = "gone-from-acc"
    HAS_NONE_ANEW = "has-none-anew"
    INTERRUPTED = "interrupted"
    INTERRUPTED_BY_HAND = "interrupted-by-hand"
    IT_RAN_BEFORE = "it-ran-before"
    LIVE_AS_DECLARED = "live-as-declared"
    MANIFEST_AND_LIVE_CHANGED = "manifest-and-live-changed"
    MANIFEST_CHANGED = "manifest-changed"
    NEED_CHANGED = "need-changed"
    NEVER_STARTED = "never-started"
    NOT_DECLARED = "not-declared"
    NOT_DECLARED_ATTESTED = "not-declared-attested"
    NOT_IN_ACC = "not-in-acc"
    NOT_IN_LEDGER = "not-in-ledger"
    NOT_LIVE = "not-live"
    NOT_RAN = "not-ran"
    ON_BY_DEFAULT_NOW = "on-by-default-now"
    PARAMETERS_CHANGED = "parameters-changed"
    RENAMED = "renamed"
    RESENT = "resent"
    RESTARTED = "restarted"
    REVISION_CHANGED = "revision-changed"
    RUN_FAILED_BEFORE = "run-failed-before"
    RUN_FOLLOWED = "run-followed"
    RUN_NOT_FOLLOWED = "run-not-followed"
    SENDING_UNKNOWN = "sending-unknown"
    STARTED_AT = "started-at"
    STARTED_BEFORE = "started-before"
    TASK_CHANGED = "task-changed"
    VANISHED = "vanished"
    WAS_STARTED_BEFORE = "was-started-before"

    # Why a resource is blocked.
    AGENT_ELSEWHERE = "agent-elsewhere"
    AGENT_NOT_ASKED = "agent-not-asked"
    AGENT_UNREAD = "agent-unread"
    AGENT_UNREAD_UNDECLARED = "agent-unread-undeclared"
    ID_ELSEWHERE = "id-elsewhere"
    ID_PERHAPS_ELSEWHERE = "id-perhaps-elsewhere"
    LAST_START_UNKNOWN = "last-start-unknown"
    LEDGER_LOST = "ledger-lost"
    LEDGER_NEW_OR_LOST = "ledger-new-or-lost"
    NEEDS_BLOCKED = "needs-blocked"
    NEEDS_UNSELECTED = "needs-unselected"
    NOTHING_TO_SEND = "nothing-to-send"
    OFF_IN_ACC = "off-in-acc"
    PERHAPS_PROTECTED = "perhaps-protected"
    PROTECTED = "protected"
    PROTECTED_PERHAPS_LIVE = "protected-perhaps-live"
    RUN_ACTIVE = "run-active"
    SERVER_ASSIGNED_ID = "server-assigned-id"
    SERVER_ASSIGNS_IDS = "server-assigns-ids"
    SERVER_IDS_UNREAD = "server-ids-unread"
    START_UNKNOWN = "start-unknown"
    UNOWNED = "unowned"

    # What a plan warns of, and why a guard refuses it.
    AGENT_AT_PATH_MADE_ANEW = "agent-at-path-made-anew"
    AGENT_MOVED = "agent-moved"
    DELETES_ALL = "deletes-all"
    DELETES_TOO_MANY = "deletes-too-many"
    DELETIONS_WITHHELD = "deletions-withheld"
    EARLIER_NAME = "earlier-name"
    FILE_STAYS = "file-stays"
    LICENCE_TOO_SMALL = "licence-too-small"
    MORE_DELETES_THAN_ALLOWED = "more-deletes-than-allowed"
    ORPHAN_KEPT = "orphan-kept"
    OTHER_ENVIRONMENT = "other-environment"
    RESEND_WAITS = "resend-waits"
    RUN_FAILED = "run-failed"
    ACCESS_ENDED = "access-ended"
    ACCESS_ENDS = "access-ends"


@dataclass(frozen=True, slots=True, order=True)
class Why:
    """A cause with what it is about: values by name, `names` of things, and further causes."""

    cause: Cause
    about: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    more: tuple[Why, ...] = ()


def because(cause: Cause, *more: Why, names: tuple[str, ...] = (), **about: object) -> Why:
    """A `Why` about these values, which are kept as text."""
    return Why(cause, tuple((name, str(value)) for name, value in about.items()), names, more)


def said(words: str) -> Why:
    """What somebody else says, in their own words."""
    return Why(Cause.SAID, (("said", words),))
