"""Plans, outcomes and audits of any size, as estates of agents have them: mostly alike, with some of everything."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.causes import Cause, because
from reconciler.model.address import Address, Origin
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.copies import replace
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import (
    Action,
    BlockedResource,
    Change,
    FieldChange,
    Finding,
    Plan,
    Preview,
    Reason,
    Unmanaged,
)

SIZES = (1, 25, 300, 5_000)
REGIONS = ("au", "br", "ca", "de", "fr", "in", "jp", "nz", "uk", "us")
SHOPS = ("books", "cars", "fuel", "hotels", "music", "prices", "rentals", "stock", "toys", "wine")

_EVERY_15M = ("2026-11-22T21:00:00+00:00", "2026-11-22T21:15:00+00:00", "2026-11-22T21:30:00+00:00")
_EVERY_45M = ("2026-11-22T21:00:00+00:00", "2026-11-22T21:45:00+00:00", "2026-11-22T22:30:00+00:00")


def agent(number: int) -> str:
    """`prices-au`, and `prices-au-002` from the hundred and first on."""
    shop, region, round_ = SHOPS[number % 10], REGIONS[number // 10 % 10], number // 100
    return f"{shop}-{region}" + (f"-{round_ + 1:03}" if round_ else "")


def place(number: int, line: int) -> Origin:
    """The manifest of the agent's shop, with so many lines an agent."""
    return Origin(f"manifests/{SHOPS[number % 10]}.yaml", 12 * (number // 10) + line, 7)


def retimed(number: int) -> Change:
    """What ran every quarter of an hour runs every three quarters."""
    return Change(
        address=Address("schedule", agent(number), "poll"),
        action=Action.UPDATE,
        reason=Reason.EDITED,
        why=because(Cause.MANIFEST_CHANGED),
        fields=(FieldChange("every", "15m", "45m"),),
        agent_path=f"sequentum/Retail/{agent(number)}",
        origin=place(number, 9),
        preview=Preview(_EVERY_15M, _EVERY_45M, 96.0, 32.0),
    )


def relogged(number: int) -> Change:
    """Only how much is logged changes; one in three was changed by hand."""
    by_hand = number % 3 == 0
    return Change(
        address=Address("schedule", agent(number), "nightly"),
        action=Action.UPDATE,
        reason=Reason.DRIFTED if by_hand else Reason.EDITED,
        why=because(Cause.CHANGED_OUTSIDE if by_hand else Cause.MANIFEST_CHANGED),
        fields=(FieldChange("logLevel", 1, 3),),
        agent_path=f"sequentum/Retail/{agent(number)}",
        origin=place(number, 5),
        preview=Preview(before_per_day=1.0, after_per_day=1.0),
    )


def created(number: int) -> Change:
    """A new schedule, each with a minute and a region of its own."""
    minute = 7 * number % 60
    return Change(
        address=Address("schedule", agent(number), "hourly"),
        action=Action.CREATE,
        reason=Reason.NEW,
        why=because(Cause.NOT_IN_ACC),
        fields=(
            FieldChange("cron", None, f"0 {minute} * * * *"),
            FieldChange("startTime", None, "2026-01-01T00:00:00"),
            FieldChange("timeZone", None, "AUS Eastern Standard Time"),
            FieldChange("inputParameters.region", None, REGIONS[number // 10 % 10]),
            FieldChange("inputParameters.apiKey", None, "hunter2", secret=True),
        ),
        agent_path=f"sequentum/Retail/{agent(number)}",
        origin=place(number, 11),
        preview=Preview(
            after_runs=tuple(f"2026-11-23T{hour:02}:{minute:02}:00+11:00" for hour in (8, 9, 10)), after_per_day=24.0
        ),
    )


def deleted(number: int) -> Change:
    return Change(
        address=Address("schedule", agent(number), "weekend"),
        action=Action.DELETE,
        reason=Reason.REMOVED,
        why=because(Cause.NOT_DECLARED),
        fields=(FieldChange("cron", "0 0 9 ? * SAT,SUN", None), FieldChange("timeZone", "UTC", None)),
        agent_path=f"sequentum/Retail/{agent(number)}",
        preview=Preview(before_runs=("2026-11-28T09:00:00+00:00", "2026-11-29T09:00:00+00:00"), before_per_day=2 / 7),
    )


def disabled(number: int) -> Change:
    return Change(
        address=Address("schedule", agent(number), "monthly"),
        action=Action.DISABLE,
        reason=Reason.EDITED,
        why=because(Cause.MANIFEST_CHANGED),
        fields=(FieldChange("enabled", True, False),),
        origin=place(number, 7),
        preview=Preview(before_runs=("2026-12-01T04:00:00+11:00",), before_per_day=12 / 365.25, after_per_day=0.0),
    )


def adopted(number: int) -> Change:
    return Change(
        address=Address("schedule", agent(number), "legacy"),
        action=Action.ADOPT,
        reason=Reason.NEW,
        why=because(Cause.AS_DECLARED),
        identity=f"d9c944df-93a7-4a77-b7b7-{number:012x}",
        origin=place(number, 3),
    )


def uploaded(number: int) -> Change:
    return Change(
        address=Address("input-files", agent(number)),
        action=Action.UPLOAD,
        reason=Reason.EDITED,
        why=because(Cause.FILES_TO_SEND, count=1),
        fields=(FieldChange("urls.csv", f"1,{100 + number % 900} rows", f"1,{110 + number % 880} rows"),),
        origin=place(number, 2),
    )


def started(number: int) -> Change:
    return Change(
        address=Address("trigger", "", f"publish-{agent(number)}"),
        action=Action.START,
        reason=Reason.DUE,
        why=because(Cause.DUE_FOR, because(Cause.REVISION_CHANGED)),
        fields=(FieldChange("revision", "2026-11-22", "2026-11-23"),),
        needs=(Address("schedule", agent(number), "poll"),),
        origin=place(number, 1),
    )


_MIX = (
    *(retimed,) * 8,
    *(relogged,) * 4,
    *(created,) * 4,
    *(adopted,) * 6,
    uploaded,
    disabled,
    deleted,
)


def changes(count: int) -> list[Change]:
    """So many changes as a grown estate meets them: the first is a retimed schedule, and some are risky."""
    found = [_MIX[number % len(_MIX)](number // len(_MIX) * 25 + number % len(_MIX)) for number in range(count)]
    starts = min(count // 25, 6)
    return sorted([*found[: count - starts], *map(started, range(starts))], key=lambda change: change.address)


def estate_plan(count: int) -> Plan:
    """A plan of so many changes; a larger one also has resources that are blocked, and warnings of three codes."""
    wrong_token = because(Cause.AGENT_UNREAD, said="ACC answered 401 Unauthorized: the token is not accepted")
    blocked = [
        BlockedResource(Address("schedule", f"closed-{number:03}", "daily"), Reason.UNREADABLE, wrong_token)
        for number in range(count // 25)
    ]
    if count >= 25:
        blocked.append(
            BlockedResource(Address("schedule", "prices-au", "audit"), Reason.PROTECTED, because(Cause.PROTECTED))
        )
    warnings = [_warning(number) for number in range(count // 5)]
    return Plan(
        project="retail-data",
        environment="prod",
        changes=tuple(changes(count)),
        blocked=tuple(sorted(blocked, key=lambda one: one.address)),
        unmanaged=tuple(
            Unmanaged(agent(number), f"0b0d6c2e-7a53-4f0e-9f6e-{number:012x}") for number in range(count // 8)
        ),
        unchanged=count // 2,
        warnings=tuple(sorted(warnings)),
        owned_in_sight=count * 3,
    )


def _warning(number: int) -> Finding:
    address = f"schedule/{agent(number)}/hourly"
    match number % 3:
        case 0:
            said = "Daylight saving skips 02:30 on 4 October 2026; it then runs at 03:00"
            return Finding("dst-skipped", address, because(Cause.SAID, said=said))
        case 1:
            said = f"it starts together with {10 + number % 4} others at 02:00:00"
            return Finding("simultaneous-starts", address, because(Cause.SAID, said=said))
    return Finding("stays-on-server", f"input-files/{agent(number)}", because(Cause.FILE_STAYS, name="old.csv"))


def estate_outcomes(count: int) -> tuple[Plan, tuple[Outcome, ...]]:
    """What became of such a plan: most applied, one in twelve refused with the same answer, deletions held back."""
    plan = estate_plan(count)
    return plan, tuple(_outcome(number, change) for number, change in enumerate(plan.changes))


def _outcome(number: int, change: Change) -> Outcome:
    at = f"2026-11-22T20:{45 + number // 1200:02}:{number // 20 % 60:02}Z"
    if change.action is Action.DELETE:
        return Outcome(change, Status.SKIPPED, because(Cause.WITHHELD_AFTER_FAILURE), at=at)
    if number % 12 == 7 and change.action.is_remote:
        refused = because(Cause.SAID, said="ACC answered 401 Unauthorized: the token is not accepted")
        return Outcome(change, Status.FAILED, refused, 0.02, at=at)
    if change.action is Action.START:
        return Outcome(change, Status.APPLIED, None, 41.5, Evidence.VERIFIED, run_id=str(4700 + number), at=at)
    evidence = Evidence.ATTESTED if change.action is Action.UPLOAD else Evidence.VERIFIED
    return Outcome(change, Status.APPLIED, None, 0.05 + number % 7 / 100, evidence, at=at)


def estate_drift(count: int) -> Drift:
    """An audit of so many resources: most in sync, and every way of not being so."""
    return Drift("retail-data", "prod", tuple(_findings(changes(count))))


def _findings(found: Iterable[Change]) -> Iterable[DriftFinding]:
    statuses = {
        Action.UPDATE: DriftStatus.DRIFTED,
        Action.CREATE: DriftStatus.PENDING,
        Action.DELETE: DriftStatus.MISSING,
        Action.UPLOAD: DriftStatus.UNVERIFIABLE,
        Action.DISABLE: DriftStatus.DIVERGED,
        Action.ADOPT: DriftStatus.IN_SYNC,
    }
    for change in found:
        if change.action not in statuses:
            continue
        status = statuses[change.action]
        is_told = status in (DriftStatus.DRIFTED, DriftStatus.DIVERGED, DriftStatus.PENDING)
        known = Evidence.ATTESTED if status is DriftStatus.UNVERIFIABLE else Evidence.VERIFIED
        live_first = tuple(replace(field, before=field.after, after=field.before) for field in change.fields)
        is_pending = status is DriftStatus.PENDING
        fields = (change.fields if is_pending else live_first) if is_told else ()
        yield DriftFinding(change.address, status, known, fields, change.origin)
