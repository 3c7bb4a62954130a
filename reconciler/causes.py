"""Why something is as it is, as data: a cause, and the values that it is about. `render.reasons` has the words."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

Cause = StrEnum(
    "Cause",
    # The words of a product, of an error, or of a kind that brings its own.
    "SAID "
    # Why a change stands in a plan.
    "ACCEPTED_AT AGENT_GIVEN_UP AGENT_MADE_ANEW ALL_DESTROYED APPROVAL_DECLARED AS_DECLARED ATTEMPT_FAILED "
    "CHANGED_BY_HAND CHANGED_OUTSIDE CONTENT_CHANGED DECLARED_ELSEWHERE DIFFERS_IN DIFFERS_UNREMEMBERED DUE_FOR "
    "FILES_DISABLED FILES_REMOVED FILES_REPLACED FILES_TO_SEND GONE_FROM_ACC HAS_NONE_ANEW INTERRUPTED "
    "INTERRUPTED_BY_HAND IT_RAN_BEFORE LIVE_AS_DECLARED MANIFEST_AND_LIVE_CHANGED MANIFEST_CHANGED NEED_CHANGED "
    "NEVER_STARTED NOT_DECLARED NOT_DECLARED_ATTESTED NOT_IN_ACC NOT_IN_LEDGER NOT_LIVE NOT_RAN ON_BY_DEFAULT_NOW "
    "PARAMETERS_CHANGED RENAMED RESENT RESTARTED REVISION_CHANGED RUN_FAILED_BEFORE RUN_FOLLOWED RUN_NOT_FOLLOWED "
    "SENDING_UNKNOWN STARTED_AT STARTED_BEFORE TASK_CHANGED VANISHED WAS_STARTED_BEFORE "
    # Why a resource is blocked.
    "AGENT_ELSEWHERE AGENT_NOT_ASKED AGENT_UNREAD AGENT_UNREAD_UNDECLARED ID_ELSEWHERE ID_OF_ENVIRONMENT "
    "ID_PERHAPS_ELSEWHERE LAST_START_UNKNOWN LEDGER_LOST LEDGER_NEW_OR_LOST LEDGER_RESTORED NEEDS_BLOCKED "
    "NEEDS_UNSELECTED NOTHING_TO_SEND OFF_IN_ACC PERHAPS_PROTECTED PROTECTED PROTECTED_PERHAPS_LIVE "
    "RUN_ACTIVE SERVER_ASSIGNED_ID SERVER_ASSIGNS_IDS "
    "SERVER_IDS_UNREAD START_UNKNOWN UNOWNED "
    # What a plan warns of, and why a guard refuses it.
    "AGENT_AT_PATH_MADE_ANEW AGENT_MOVED DELETES_ALL DELETES_TOO_MANY DELETIONS_WITHHELD EARLIER_NAME FILE_STAYS "
    "LICENCE_TOO_SMALL MORE_DELETES_THAN_ALLOWED ORPHAN_KEPT OTHER_ENVIRONMENT RESEND_WAITS RUN_FAILED ACCESS_ENDED "
    "ACCESS_ENDS RESTORED_FROM_BACKUP "
    # How a change ended, and why it was not tried.
    "ACCEPTED CALL_OF_NOTHING_KNOWN CALL_WITHOUT_LEDGER "
    "CHANGED_SINCE_PLANNED DONE_THOUGH_REPLY_LOST EARLIER_RUN_OPEN FILE_UNREAD IDS_NOT_KEPT "
    "IDS_NOT_READ_BACK ID_NOT_KEPT INTERRUPTED_BEFORE LEDGER_UNUSABLE LEDGER_UNWRITABLE NEEDS_NOT_APPLIED "
    "NOTHING_SENT NOT_READ_AGAIN NOT_READ_BACK NOT_RECORDED NOT_SENT_AGAIN NOT_THERE NOT_TRIED READ_BACK_DIFFERS "
    "RECORDED RUN_ENDED RUN_GOES_ON RUN_UNREAD SENT_IN_PART SENT_UNCLAIMED STARTED STARTED_UNCLAIMED START_IN_DOUBT "
    "START_LEFT_BEGUN STILL_THERE UNEXPECTED WITHHELD_AFTER_FAILURE WITHHELD_FOR_UNREAD "
    # What follows once an entry of the ledger is forgotten, and why it may not be.
    "FORGET_SHOWS_SECRET FORGET_PROTECTED FORGET_RUN_OPEN FORGET_SERVER_IDS FORGET_START_UNKNOWN "
    "FORGOTTEN_ADOPTED FORGOTTEN_ALL FORGOTTEN_ATTESTED FORGOTTEN_BY_PERSON FORGOTTEN_OWNED "
    "FORGOTTEN_TRIGGER "
    # What a person should know of the health of a resource.
    "ABSENT_FROM_ACC DISABLED_LEFT_ALONE DISABLED_THOUGH_DECLARED DISABLED_THOUGH_DEFAULT FOLLOWED_NEXT IF_SURELY_OVER "
    "LAST_RUNS_FAILED LAST_RUN_FAILED LAST_RUN_SAID LAST_RUN_STOPPED LAST_RUN_UNDOCUMENTED LAST_START_IN_DOUBT "
    "LEDGER_NEW NEXT_RUN_DISAGREES NOBODY_WAITS RAN_BY_WORD RECORDED_NEXT RUNS_UNREAD RUN_HAS_ENDED RUN_IN_STATE "
    "RUN_IS_LONG RUN_MISSED RUN_STARTED_UNREAD RUN_WAS_STARTED SERVER_SAID "
    # What a call by hand cannot know of what is secret.
    "MANIFEST_SECRETS_UNKNOWN PARAMETERS_HIDDEN",
)
"""What can be the cause of a change, of a block, of how a change ended, of a health; one for each sentence."""


class Why(Struct, frozen=True, order=True):
    """A cause with what it is about: values by name, `names` of things, and further causes."""

    cause: Cause
    about: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    more: tuple[Why, ...] = ()


_ALONE = {cause: Why(cause) for cause in Cause}  # most of what a plan of thousands says is about no value


def because(cause: Cause, *more: Why, names: tuple[str, ...] = (), **about: object) -> Why:
    """A `Why` about these values, which are kept as text."""
    if not (more or names or about):
        return _ALONE[cause]
    return Why(cause, tuple((name, str(value)) for name, value in about.items()), names, more)


def redacted(why: Why, redact: Callable[[str], str]) -> Why:
    """The same without what is secret, which only a value or a name can hold: a sentence knows none."""
    if not (why.about or why.names or why.more):
        return why
    return Why(
        why.cause,
        tuple((name, redact(value)) for name, value in why.about),
        tuple(map(redact, why.names)),
        tuple(redacted(one, redact) for one in why.more),
    )


def said(words: str) -> Why:
    """What somebody else says, in their own words."""
    return Why(Cause.SAID, (("said", words),))
