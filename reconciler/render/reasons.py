"""The words for why something is as it is: one sentence for each cause, in every format."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from reconciler.causes import Cause, Why
from reconciler.quantities import counted, first_few

_NAMED, _DIGITS = 10, 18
_ALLOW = " If that is meant, allow it once: `reconciler apply --max-deletes {number}`"

_ONE_OF_THEM = (
    "{number:that schedule is|one of them is} in ACC: "
    "{number:declare it with `id: |declare one with its `id}{single}`, "
    "{number:or delete it there|and delete the others there}"
)

_SENTENCES: dict[Cause, str] = {
    Cause.SAID: "{said}",
    Cause.ACCEPTED_AT: "accepted at {at}",
    Cause.AGENT_GIVEN_UP: "`--forget-agent` was given: its agent is gone from ACC for good",
    Cause.AGENT_MADE_ANEW: "the agent was made anew, and the schedule vanished with the old one",
    Cause.ALL_DESTROYED: "all that is owned is to be deleted",
    Cause.APPROVAL_DECLARED: "declared {state}",
    Cause.AS_DECLARED: "live already, just as declared: no change to ACC; recorded in the ledger",
    Cause.ATTEMPT_FAILED: "run {run} failed; attempt {attempt}",
    Cause.CHANGED_BY_HAND: "changed by hand, with `reconciler {call}` by {by} at {at}{then}",
    Cause.CHANGED_OUTSIDE: "live was changed outside this project",
    Cause.CONTENT_CHANGED: "{of} changed",
    Cause.DECLARED_ELSEWHERE: "another address declares this schedule now",
    Cause.DIFFERS_IN: "live differs in {names}, which is not in the ledger: who changed it is not known",
    Cause.DIFFERS_UNREMEMBERED: "live differs; who changed it is not in the ledger",
    Cause.DUE_FOR: "{more}",
    Cause.FILES_DISABLED: (
        "all input files of the agent are disabled; declaring `inputFilesEnabled: true` sends them again"
    ),
    Cause.FILES_REMOVED: "no longer declared: removed from the ledger; ACC is left as it is",
    Cause.FILES_REPLACED: ("the whole set is replaced: all input files of the agent are deleted, then {count} sent"),
    Cause.FILES_TO_SEND: "{count:file} to send",
    Cause.FORGET_SHOWS_SECRET: (
        "its parameters {names} are secret, and what is forgotten would be shown in clear wherever ACC shows it: take "
        "them out of the schedule, apply, and forget it then"
    ),
    Cause.FORGET_PROTECTED: (
        "it is protected, which only the ledger says once its block is gone: forgotten, it would be deleted. Declare "
        "it with `protect: false` and apply first"
    ),
    Cause.FORGET_RUN_OPEN: (
        "its run {run} is not over: let the next apply follow it, or say `reconciler resolve {address} --ran` first"
    ),
    Cause.FORGET_SERVER_IDS: (
        "ACC was asked to create it, and may have made a schedule under an id of its own: forgotten, it would be made "
        "once more. Apply first: that finds it, and says what to do"
    ),
    Cause.FORGET_START_UNKNOWN: (
        "how its start ended is not known, and nothing may start it again until somebody says: `reconciler resolve "
        "{address} --ran` or `--not-ran` first"
    ),
    Cause.FORGOTTEN_ADOPTED: (
        "the schedule stays in ACC and is this project's no more. While a manifest declares it with its `id` it is "
        "adopted again if it is live as declared, and blocked as unowned if not"
    ),
    Cause.FORGOTTEN_ALL: (
        "nothing is left in it, as if it were lost: while schedules of this project are live no task is started, until "
        "`reconciler resolve` of each, or `reconciler apply --accept-new-ledger`"
    ),
    Cause.FORGOTTEN_ATTESTED: (
        "nobody knows any more what ACC has of it: it is sent again by the next apply that finds it declared"
    ),
    Cause.FORGOTTEN_BY_PERSON: "removed from the ledger by hand; the product was not asked",
    Cause.FORGOTTEN_OWNED: (
        "the schedule stays in ACC and this project's, by its id: the next plan adopts it if it is declared, and "
        "deletes it if it is not"
    ),
    Cause.FORGOTTEN_TRIGGER: (
        "nothing will remember that it was started: THE NEXT APPLY THAT FINDS IT DECLARED STARTS IT AGAIN"
    ),
    Cause.GONE_FROM_ACC: "no manifest declares it, and it is no longer in ACC",
    Cause.HAS_NONE_ANEW: "the agent was made anew, and has none of it{then}",
    Cause.INTERRUPTED: "an earlier apply did not finish here{then}",
    Cause.INTERRUPTED_BY_HAND: "whether `reconciler {call}`, by hand by {by} at {at}, was done is not known{then}",
    Cause.IT_RAN_BEFORE: "it ran before",
    Cause.LIVE_AS_DECLARED: "live is just as declared",
    Cause.MANIFEST_AND_LIVE_CHANGED: "the manifest changed, and live was changed outside this project too",
    Cause.MANIFEST_CHANGED: "the manifest changed",
    Cause.NEED_CHANGED: "what it depends on changed",
    Cause.NEVER_STARTED: "never started by this project",
    Cause.NOT_DECLARED: "no manifest declares it any more",
    Cause.NOT_DECLARED_ATTESTED: (
        "no manifest declares it any more: removed from the ledger; the product is left as it is{then}"
    ),
    Cause.NOT_IN_ACC: "declared, and not in ACC",
    Cause.NOT_IN_LEDGER: "not in the ledger: it will be sent again",
    Cause.NOT_LIVE: "it is not in ACC",
    Cause.NOT_RAN: "the last start is known not to have run",
    Cause.ON_BY_DEFAULT_NOW: (
        "it was off when an earlier version applied it, and now a schedule is on unless the manifest says "
        "`enabled: false` or `enabled: keep`, which leaves the switch alone"
    ),
    Cause.PARAMETERS_CHANGED: "the parameters changed",
    Cause.RENAMED: "it was {before} before: no change to the product; recorded in the ledger",
    Cause.RESENT: "--resend asks for it once more{then}",
    Cause.RESTARTED: "--resend asks for one more start{then}",
    Cause.REVISION_CHANGED: "the revision changed",
    Cause.RUN_FAILED_BEFORE: "run {run} failed before",
    Cause.RUN_FOLLOWED: "run {run} was started before: it is followed to its end, not started again",
    Cause.RUN_NOT_FOLLOWED: "nobody follows its run {run} any more",
    Cause.SENDING_UNKNOWN: "whether what was sent last has arrived is not known",
    Cause.STARTED_AT: "started, as recorded at {at}",
    Cause.STARTED_BEFORE: "run {run} was started before",
    Cause.TASK_CHANGED: "the task changed",
    Cause.VANISHED: "applied before, and no longer in ACC",
    Cause.WAS_STARTED_BEFORE: "it was started before",
    Cause.AGENT_ELSEWHERE: (
        "it may live on: its agent is elsewhere now. Declare the agent under its new path and destroy again, or "
        "delete the agent in ACC"
    ),
    Cause.AGENT_NOT_ASKED: "its agent was not read",
    Cause.AGENT_UNREAD: "{said}",
    Cause.AGENT_UNREAD_UNDECLARED: (
        "{bare}. If the agent is gone for good: `reconciler apply --forget-agent {agent_in_shell}`"
    ),
    Cause.ID_ELSEWHERE: (
        "the id {id} belongs to a schedule of another agent, {path}, and ACC's call would change that one. Leave `id` "
        "out for a schedule of its own, or declare it under that agent"
    ),
    Cause.ID_OF_ENVIRONMENT: (
        "the id {id} belongs to a schedule of environment {environment}, at {path} in the same ACC, and ACC's call "
        "would change that one. Leave `id` out for a schedule of its own; or let {environment} `ledger forget` it"
    ),
    Cause.ID_PERHAPS_ELSEWHERE: (
        "{path} cannot be read, and may have the schedule {id}: ACC's call would change that one. Plan again when it "
        "can be read, or leave `id` out for a schedule of its own"
    ),
    Cause.LAST_START_UNKNOWN: (
        "how its last start ended is not known: say `reconciler resolve {address} --ran` or `--not-ran`"
    ),
    Cause.LEDGER_LOST: (
        "the ledger is empty although schedules of this project are live: nobody knows whether this task was started. "
        "Restore the ledger; or say of this one `reconciler resolve {address} --ran` or `--not-ran`; or accept that "
        "all due tasks start: `reconciler apply --accept-new-ledger`"
    ),
    Cause.LEDGER_NEW_OR_LOST: (
        "the ledger is empty, and not every agent could be read: nobody knows whether it is new or was lost, and "
        "whether this task was started. Apply again when all agents can be read; or say of this one "
        "`reconciler resolve {address} --ran` or `--not-ran`; or accept that all due tasks start: "
        "`reconciler apply --accept-new-ledger`"
    ),
    Cause.LEDGER_RESTORED: (
        "the ledger was restored from a backup of {at}: nobody knows whether this task was started since. Say of this "
        "one `reconciler resolve {address} --ran` or `--not-ran`; or accept that all due tasks start: `reconciler "
        "apply --accept-new-ledger`"
    ),
    Cause.RESTORED_FROM_BACKUP: (
        "the ledger was restored from a backup of {at}, and knows of nothing since: input files and approvals that "
        "were sent later are not seen (`--resend` sends them once more), and no task that is due is started. "
        "`reconciler apply --accept-new-ledger` ends this"
    ),
    Cause.NEEDS_BLOCKED: "it needs {few}, which is blocked",
    Cause.NEEDS_UNSELECTED: "it needs {few}, which has changes and is not selected",
    Cause.NOTHING_TO_SEND: "nothing is declared that would be sent",
    Cause.OFF_IN_ACC: (
        "It is off in ACC: `enabled: false` takes it over as it is, `enabled: keep` leaves the switch alone"
    ),
    Cause.PERHAPS_PROTECTED: "it may be {other}, which is protected and not live: the ledger does not know",
    Cause.PROTECTED: "protected: declare it again with `protect: false`, apply, and then remove it",
    Cause.PROTECTED_PERHAPS_LIVE: (
        "it is protected, and may be {id}, which no manifest declares: the ledger that would tell was lost. Declare it "
        "with `id: {id}` if it is that one; else delete that one in ACC, or let it be deleted: `reconciler apply "
        "--accept-new-ledger`"
    ),
    Cause.RUN_ACTIVE: (
        "a run of this agent is active, and its input files are not replaced meanwhile. Apply again when it has ended"
    ),
    Cause.SERVER_ASSIGNED_ID: (
        "ACC did not keep the id that we sent and made its own: {names}. Nothing is sent again while " + _ONE_OF_THEM
    ),
    Cause.SERVER_ASSIGNS_IDS: (
        "ACC does not keep the ids that we send: it made {names} instead of others. Nothing more is created while "
        + _ONE_OF_THEM
    ),
    Cause.SERVER_IDS_UNREAD: (
        "ACC did not keep an id that we sent to {path}, and that agent cannot be read now: whether the schedule that "
        "it made instead is still there is not known, and nothing more is created until it is"
    ),
    Cause.START_UNKNOWN: (
        "how its last start ended is not known, so nothing starts it again. Look at the task's runs in Automate MFT, "
        "then say `reconciler resolve {address} --ran` or `--not-ran`"
    ),
    Cause.UNOWNED: (
        "the schedule {id} was not made by this project and differs ({names}). To take it over, first declare it just "
        "as it is live (`reconciler import` writes that), apply, and then change it{further}"
    ),
    Cause.AGENT_AT_PATH_MADE_ANEW: (
        "the agent at {path} was made anew: its id in ACC is {agent_id} now. Its input files and approval are due "
        "again, and its schedules vanished with the old one"
    ),
    Cause.AGENT_MOVED: (
        "the agent {agent_id}, which was at {path}, lives on elsewhere with {count:schedule}: declare it under its "
        "new path, or delete it in ACC"
    ),
    Cause.DELETES_ALL: "the plan deletes all {owned} owned schedules: {few}." + _ALLOW,
    Cause.DELETES_TOO_MANY: (
        "the plan deletes {number} of {owned} owned schedules, and `policy.maxDeletes` is {limit}: {few}." + _ALLOW
    ),
    Cause.DELETIONS_WITHHELD: "{count:deletion} will be withheld, since {unread} could not be read",
    Cause.EARLIER_NAME: (
        "{count:schedule} of {agents:agent} ({few}) {count:belongs|belong} to "
        "{name}/{environment}, which this ledger knows: if that is an earlier name of the project, give it back "
        "(`metadata.name: {name}`), or every schedule will be there twice"
    ),
    Cause.FILE_STAYS: (
        "{name} is no longer declared, and stays on the server: ACC has no call that removes one file. "
        "`inputFilesExclusive: true` replaces the whole set"
    ),
    Cause.LICENCE_TOO_SMALL: (
        "the plan starts {starts:task}, and the Automate MFT licence has {left:execution} left. Start fewer with "
        "--only, or extend the licence"
    ),
    Cause.MORE_DELETES_THAN_ALLOWED: "the plan deletes {number}, and --max-deletes allows {allowed}: {few}." + _ALLOW,
    Cause.ORPHAN_KEPT: "no manifest declares it, and `policy.prune: never` keeps it",
    Cause.OTHER_ENVIRONMENT: (
        "{count:schedule} of {agents:agent} ({few}) {count:belongs|belong} to environment {environment} of this "
        "project, and {count:is|are} left alone: give each environment agents of its own, by a variable in `path`"
    ),
    Cause.RESEND_WAITS: (
        "not started again while its run {run} is not known to be over. When it is, ask once more: `reconciler apply "
        "--resend {address}`"
    ),
    Cause.RUN_FAILED: (
        "run {run} failed. Once its cause is mended, start the task again: `reconciler apply --resend {address}`, or "
        "with another `when.revision`"
    ),
    Cause.ACCESS_ENDED: "the ACC token ran out on {day}: make a new one in ACC, Users, API Access",
    Cause.ACCESS_ENDS: "the ACC token runs out on {day}: make a new one in ACC, Users, API Access",
    Cause.ACCEPTED: "ACC accepted it",
    Cause.CALL_OF_NOTHING_KNOWN: "not recorded: neither the ledger nor a manifest has this of the agent",
    Cause.CALL_WITHOUT_LEDGER: "not recorded: there is no ledger yet",
    Cause.CHANGED_SINCE_PLANNED: "it was changed after the plan was made: plan again",
    Cause.DONE_THOUGH_REPLY_LOST: "the reply was lost; reading back shows that it is done",
    Cause.EARLIER_RUN_OPEN: "not started, since its earlier {more}",
    Cause.FILE_UNREAD: "{file} could not be read: {said}",
    Cause.IDS_NOT_KEPT: "not sent, since ACC does not keep the ids that we send",
    Cause.IDS_NOT_READ_BACK: "not sent: whether ACC keeps the ids that we send could not be read back",
    Cause.ID_NOT_KEPT: "ACC did not keep the id that we sent and made its own: {names}",
    Cause.INTERRUPTED_BEFORE: "interrupted before it began",
    Cause.LEDGER_UNUSABLE: "the ledger cannot be used: {said}",
    Cause.LEDGER_UNWRITABLE: "the ledger cannot be written",
    Cause.NEEDS_NOT_APPLIED: "it needs {names}, which was not applied",
    Cause.NOTHING_SENT: "nothing was sent: {more}",
    Cause.NOT_READ_AGAIN: "could not be read again before the write: {said}",
    Cause.NOT_READ_BACK: "{more}, but it could not be read back: {said}",
    Cause.NOT_RECORDED: "not recorded: {said}",
    Cause.NOT_SENT_AGAIN: "{bare}. Not sent again: {more}",
    Cause.NOT_THERE: "it is not there",
    Cause.NOT_TRIED: "not tried: {more}",
    Cause.READ_BACK_DIFFERS: "reading back shows something else: {more}",
    Cause.RECORDED: "recorded in the ledger",
    Cause.RUN_ENDED: "ended: {status}",
    Cause.RUN_GOES_ON: "run {run} is still going ({status}); the next apply follows it",
    Cause.RUN_UNREAD: "run {run} cannot be read: {bare}; the next apply follows it",
    Cause.SENT_IN_PART: "perhaps sent in part, and broken off: {more}",
    Cause.SENT_UNCLAIMED: "it was sent, and how it stands now is not known to this run: {said}",
    Cause.STARTED: "started",
    Cause.STARTED_UNCLAIMED: "run {run} was started, and how it stands now is not known to this run: {said}",
    Cause.START_IN_DOUBT: "{bare}. Whether the task started is not known",
    Cause.START_LEFT_BEGUN: (
        "nothing was sent: {more}. The ledger holds it as begun: `reconciler resolve {address} --not-ran` settles it"
    ),
    Cause.STILL_THERE: "it is still there",
    Cause.UNEXPECTED: "unexpected {error}: what became of it is not known. Please report this",
    Cause.WITHHELD_AFTER_FAILURE: "withheld: {failed} was not applied, and nothing is deleted after a failure",
    Cause.WITHHELD_FOR_UNREAD: "withheld: {unread} could not be read, and nothing is deleted after a failure",
    Cause.ABSENT_FROM_ACC: "not in ACC",
    Cause.DISABLED_LEFT_ALONE: "disabled in ACC; `enabled: keep` leaves the switch to the people there",
    Cause.DISABLED_THOUGH_DECLARED: "disabled in ACC although declared enabled",
    Cause.DISABLED_THOUGH_DEFAULT: "disabled in ACC; the manifest says nothing, which means enabled",
    Cause.FOLLOWED_NEXT: "the next apply follows it to its end",
    Cause.IF_SURELY_OVER: "If it is surely over: `reconciler resolve {address} --ran`",
    Cause.LAST_RUNS_FAILED: "its last {count} runs failed, since {since}: {said}",
    Cause.LAST_RUN_FAILED: "run {run} failed",
    Cause.LAST_RUN_SAID: "its last run: {said}",
    Cause.LAST_RUN_STOPPED: "its last run was stopped",
    Cause.LAST_RUN_UNDOCUMENTED: "ACC tells of its last run in a word that nobody documents: {status}",
    Cause.LAST_START_IN_DOUBT: (
        "whether its last start ran is not known: say `reconciler resolve {address} --ran` or `--not-ran`"
    ),
    Cause.LEDGER_NEW: "the ledger is new: whether it ran is not known",
    Cause.NEXT_RUN_DISAGREES: "ACC says {served} next, this program predicts {predicted}",
    Cause.NOBODY_WAITS: "nobody waits for its end",
    Cause.RAN_BY_WORD: "it ran, by a person's word (`reconciler resolve`)",
    Cause.RECORDED_NEXT: "the next apply records it",
    Cause.RUNS_UNREAD: "the agent's runs could not be read",
    Cause.RUN_HAS_ENDED: "run {run} ended: {status}{then}",
    Cause.RUN_IN_STATE: "run {run} is {status}{then}",
    Cause.RUN_IS_LONG: "running for {took}, usually {usual}",
    Cause.RUN_MISSED: "it should have run at {at}",
    Cause.RUN_STARTED_UNREAD: "run {run} was started, and cannot be read: {bare}{further}",
    Cause.RUN_WAS_STARTED: "run {run} was started{then}",
    Cause.SERVER_SAID: "server: {said}",
    Cause.MANIFEST_SECRETS_UNKNOWN: "the manifests have errors, so what they make secret is not known and may be shown",
    Cause.PARAMETERS_HIDDEN: "{said}, so no parameter of a schedule that was applied is shown",
}
"""What it is about in braces: as it is (`{run}`), counted (`{count:file}`), or in words (`{count:belongs|belong}`)."""


def words(why: Why | None) -> str:
    """The sentence, without a full stop; "" where there is nothing to say."""
    if why is None:
        return ""
    sentence = _SENTENCES[why.cause]
    return sentence.format_map(_Values(why)) if "{" in sentence else sentence


class _Value(str):
    """A value as a sentence writes it: a number with its noun, or one of two words for one and for several."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if not spec or len(self) > _DIGITS or not self.removeprefix("-").isdecimal():
            return self
        number = int(self)
        one, _, several = spec.partition("|")
        return counted(number, spec) if not several else one if number == 1 else several


class _Values(dict[str, str]):
    """What a sentence may name: the values that it is about, and what follows from the rest."""

    def __init__(self, why: Why) -> None:
        super().__init__((name, _Value(value)) for name, value in why.about)
        self.why = why

    def __missing__(self, key: str) -> str:
        return _Value(_DERIVED[key](self.why)) if key in _DERIVED else _Value("?")


_DERIVED: dict[str, Callable[[Why], str]] = {
    "names": lambda why: ", ".join(why.names),
    "few": lambda why: first_few(why.names, _NAMED),
    "number": lambda why: str(len(why.names)),
    "single": lambda why: why.names[0] if len(why.names) == 1 else "",
    "more": lambda why: ", ".join(map(words, why.more)),
    "then": lambda why: "".join(f"; {words(one)}" for one in why.more),
    "further": lambda why: "".join(f". {words(one)}" for one in why.more),
    "bare": lambda why: dict(why.about).get("said", "?").rstrip("."),
    "agent_in_shell": lambda why: shlex.quote(dict(why.about).get("agent", "?")),
}
