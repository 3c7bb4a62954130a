"""A believable plan, its outcomes, an audit and a page of problems, as the other rooms would hand them over."""

from __future__ import annotations

from reconciler.causes import said
from reconciler.kind import AnyKind
from reconciler.kinds import approval, input_files, trigger
from reconciler.kinds import schedule as schedule_kind
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.model.address import Address, Origin
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
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
    Unchanged,
    Unmanaged,
)
from reconciler.model.resource import Problem, Severity
from reconciler.render import Stamp

STAMP = Stamp("1.2.3", "retail-data", "prod", "2026-11-22T20:45:00Z")


def schedule(agent: str, name: str) -> Address:
    return Address("schedule", agent, name)


def unchanged(kind: AnyKind, count: int, first: str = "", last: str = "") -> Unchanged:
    return Unchanged(kind.name, count, first, last, kind.visibility, kind.noun)


CREATED = Change(
    address=schedule("retail-prices", "hourly"),
    action=Action.CREATE,
    reason=Reason.NEW,
    why=said("the manifest declares it"),
    fields=(
        FieldChange("cron", None, "0 0 * * * *"),
        FieldChange("enabled", None, True),
        FieldChange("inputParameters.apiKey", None, "hunter2", secret=True),
        FieldChange("inputParameters.region", None, "au"),
        FieldChange("startTime", None, "2026-01-01T00:00:00"),
        FieldChange("timeZone", None, "AUS Eastern Standard Time"),
    ),
    identity="8f14e45f-ceea-8671-9b2e-0d4a6c1f2b3c",
    agent_path="sequentum/Retail/prices",
    needs=(Address("approval", "retail-prices"), Address("input-files", "retail-prices")),
    origin=Origin("manifests/retail.yaml", 31, 7),
    preview=Preview(
        after_runs=("2026-11-23T08:00:00+11:00", "2026-11-23T09:00:00+11:00", "2026-11-23T10:00:00+11:00"),
        after_per_day=24.0,
    ),
)

UPDATED = Change(
    address=schedule("retail-prices", "nightly"),
    action=Action.UPDATE,
    reason=Reason.EDITED,
    why=said("the manifest changed"),
    fields=(FieldChange("cron", "0 0 2 * * *", "0 0 3 * * *"), FieldChange("logLevel", 1, 3)),
    origin=Origin("manifests/retail.yaml", 24, 7),
    preview=Preview(
        before_runs=("2026-11-23T02:00:00+11:00", "2026-11-24T02:00:00+11:00", "2026-11-25T02:00:00+11:00"),
        after_runs=("2026-11-23T03:00:00+11:00", "2026-11-24T03:00:00+11:00", "2026-11-25T03:00:00+11:00"),
        before_per_day=1.0,
        after_per_day=1.0,
        notes=("Predicted: daylight saving skips 02:30 on 4 October 2026; it then runs at 03:00.",),
    ),
)

MULTIPLIED = Change(
    address=schedule("retail-stock", "poll"),
    action=Action.UPDATE,
    reason=Reason.DIVERGED,
    why=said("the manifest and live both changed"),
    fields=(
        FieldChange("every", "1h", "20m"),
        FieldChange(
            "inputParameters",
            {"categories": "shoes,hats,coats,scarves,gloves,umbrellas", "region": "au"},
            {"categories": "shoes,hats,coats,scarves,gloves,umbrellas,belts", "region": "au"},
        ),
    ),
    origin=Origin("manifests/stock.yaml", 12, 7),
    preview=Preview(
        before_runs=("2026-11-22T21:00:00+00:00", "2026-11-22T22:00:00+00:00"),
        after_runs=("2026-11-22T21:00:00+00:00", "2026-11-22T21:20:00+00:00"),
        before_per_day=24.0,
        after_per_day=72.0,
    ),
)

DELETED = Change(
    address=schedule("retail-prices", "8f14e45f-ceea-8671-9b2e-0d4a6c1f2bff"),
    action=Action.DELETE,
    reason=Reason.REMOVED,
    why=said("no manifest declares it any more"),
    fields=(FieldChange("cron", "0 30 4 * * MON", None), FieldChange("timeZone", "UTC", None)),
    before=ScheduleState(cron="0 30 4 * * MON", time_zone="UTC", input_parameters={"password": "hunter2"}),
    identity="8f14e45f-ceea-8671-9b2e-0d4a6c1f2bff",
    agent_path="sequentum/Retail/prices",
    preview=Preview(before_runs=("2026-11-23T04:30:00+00:00",), before_per_day=1 / 7),
)

UPLOADED = Change(
    address=Address("input-files", "retail-prices"),
    action=Action.UPLOAD,
    reason=Reason.EDITED,
    why=said("1 of 2 files changed"),
    fields=(FieldChange("urls.csv", "1,204 rows", "1,310 rows"),),
    origin=Origin("manifests/retail.yaml", 9, 3),
)

APPROVED = Change(
    address=Address("approval", "retail-prices"),
    action=Action.APPROVE,
    reason=Reason.NEW,
    why=said("the manifest declares it"),
    fields=(FieldChange("state", None, "approved"),),
    origin=Origin("manifests/retail.yaml", 7, 3),
)

ENABLED = Change(
    address=schedule("retail-reviews", "weekly"),
    action=Action.ENABLE,
    reason=Reason.DRIFTED,
    why=said("somebody switched it off"),
    fields=(FieldChange("enabled", False, True),),
    origin=Origin("manifests/reviews.yaml", 18, 7),
    preview=Preview(
        after_runs=("2026-11-29T06:00:00+10:30", "2026-12-06T06:00:00+10:30"), before_per_day=0.0, after_per_day=1 / 7
    ),
)

STARTED = Change(
    address=Address("trigger", "", "publish-prices"),
    action=Action.START,
    reason=Reason.DUE,
    why=said("revision 2026-11-22 has not run yet"),
    fields=(FieldChange("task", None, "Publish prices"), FieldChange("parameters.folder", None, "/out/prices")),
    needs=(UPLOADED.address, UPDATED.address),
    origin=Origin("manifests/publish.yaml", 3, 1),
)

ADOPTED = Change(
    address=schedule("legacy-feeds", "legacy"),
    action=Action.ADOPT,
    reason=Reason.NEW,
    why=said("it is live exactly as declared: no change to ACC; recorded in the ledger"),
    identity="d9c944df-93a7-ea77-f7b7-fa0b9c579917",
    origin=Origin("manifests/legacy.yaml", 11, 7),
)

PLAN = Plan(
    project="retail-data",
    environment="prod",
    changes=(UPLOADED, APPROVED, ADOPTED, CREATED, UPDATED, ENABLED, MULTIPLIED, STARTED, DELETED),
    blocked=(
        BlockedResource(
            schedule("retail-fuel", "daily"),
            Reason.UNREADABLE,
            said("ACC answered 503 to three reads of sequentum/Retail/fuel"),
            Origin("manifests/fuel.yaml", 10, 7),
        ),
        BlockedResource(
            Address("trigger", "", "publish-fuel"),
            Reason.UNKNOWN_START,
            said("the reply to its last start was lost"),
            Origin("manifests/fuel.yaml", 22, 1),
        ),
        BlockedResource(
            schedule("retail-milk", "daily"), Reason.PROTECTED, said("it is protected and no manifest names it")
        ),
    ),
    unmanaged=(
        Unmanaged("retail-prices", "0b0d6c2e-7a53-4f0e-9f6e-1f6c1c0e6f01"),
        Unmanaged("retail-prices", "5c1b1f0a-8a0a-4a5e-8f67-3b4a9d3c7e02"),
    ),
    unchanged=4,
    unchanged_kinds=(
        unchanged(approval.KIND, 1, "2026-11-01T08:00:00Z", "2026-11-01T08:00:00Z"),
        unchanged(schedule_kind.KIND, 3),
    ),
    warnings=(
        Finding(
            "dst-skipped", "schedule/retail-prices/nightly", said("Daylight saving skips 02:30 on 4 October 2026.")
        ),
        Finding("token-expires", "", said("The ACC token runs out on 3 December 2026, in 11 days. Ask for a new one.")),
    ),
    owned_in_sight=7,
)

EMPTY = Plan(
    project="retail-data",
    environment="prod",
    unchanged=12,
    unchanged_kinds=(
        unchanged(input_files.KIND, 1, "2026-11-22T02:30:00Z", "2026-11-22T02:30:00Z"),
        unchanged(approval.KIND, 2, "2026-11-01T08:00:00Z", "2026-11-20T08:00:00Z"),
        unchanged(schedule_kind.KIND, 8),
        unchanged(trigger.KIND, 1, "2026-11-22T02:31:00Z", "2026-11-22T02:31:00Z"),
    ),
    unmanaged=PLAN.unmanaged,
)

HELD_BACK = Plan(project="retail-data", environment="prod", unchanged=3, blocked=PLAN.blocked[:1])

AWKWARD_TEXT = (
    'x\x1b[2J\x1b]8;;http://evil\x07</script><img src=x onerror=alert(1)>\r\n::error::`|@team #1 \u202eabc\u2066 "\\'
)

AWKWARD = Plan(
    project="retail-data",
    environment="prod",
    changes=(
        Change(
            address=schedule("日本語のエージェント", "毎日の価格"),
            action=Action.UPDATE,
            reason=Reason.EDITED,
            why=said("説明が変わりました。" * 6),
            fields=(
                FieldChange("inputParameters.説明", "価格を毎日更新する", "価格を毎週更新する"),
                FieldChange("inputParameters.note", AWKWARD_TEXT, "plain"),
                FieldChange("inputParameters.query", "line one\nline two\nline three", "select\n" + "x" * 400),
                FieldChange("timeZone", "UTC", None),
            ),
            origin=Origin("manifests/日本.yaml", 3, 1),
        ),
        Change(
            address=schedule("a" * 120, "b" * 90),
            action=Action.CREATE,
            reason=Reason.NEW,
            why=said(AWKWARD_TEXT),
            fields=(FieldChange("p" * 150, None, "v" * 300),),
            origin=Origin("manifests/" + "deep/" * 40 + "x.yaml", 1, 1),
        ),
    ),
    warnings=(Finding("odd\x1b[31m", "schedule/" + AWKWARD_TEXT, said(AWKWARD_TEXT)),),
)

OUTCOMES = (
    Outcome(UPLOADED, Status.APPLIED, seconds=0.84, evidence=Evidence.ATTESTED, at="2026-11-22T20:45:01Z"),
    Outcome(APPROVED, Status.APPLIED, seconds=0.21, evidence=Evidence.ATTESTED),
    Outcome(ADOPTED, Status.APPLIED, seconds=0.0, evidence=Evidence.VERIFIED),
    Outcome(CREATED, Status.FAILED, said("ACC answered 400: unknown parameter 'region'"), 0.31),
    Outcome(UPDATED, Status.APPLIED, seconds=0.28, evidence=Evidence.VERIFIED),
    Outcome(ENABLED, Status.STALE, said("cron is now 0 0 7 * * SUN"), 0.11, Evidence.VERIFIED),
    Outcome(MULTIPLIED, Status.UNVERIFIED, said("every reads back as 1h"), 0.4, Evidence.VERIFIED),
    Outcome(STARTED, Status.UNKNOWN, said("the connection was lost after the request was sent"), 30.02, run_id=""),
    Outcome(DELETED, Status.SKIPPED, said("no deletions after a failure")),
)

ALL_APPLIED = tuple(
    Outcome(change, Status.APPLIED, seconds=0.3, evidence=Evidence.VERIFIED, run_id="4711" if change is STARTED else "")
    for change in PLAN.changes
)

DRIFT = Drift(
    project="retail-data",
    environment="prod",
    findings=(
        DriftFinding(Address("input-files", "retail-prices"), DriftStatus.UNVERIFIABLE, Evidence.ATTESTED),
        DriftFinding(
            schedule("retail-fuel", "daily"),
            DriftStatus.UNREADABLE,
            Evidence.UNKNOWN,
            origin=Origin("manifests/fuel.yaml", 10, 7),
            why=said("ACC answered 503 to three reads of sequentum/Retail/fuel"),
        ),
        DriftFinding(
            schedule("retail-milk", "daily"),
            DriftStatus.MISSING,
            Evidence.VERIFIED,
            origin=Origin("manifests/milk.yaml", 10, 7),
        ),
        DriftFinding(
            schedule("retail-prices", "hourly"),
            DriftStatus.PENDING,
            Evidence.VERIFIED,
            fields=(FieldChange("logLevel", 1, 2),),
            origin=Origin("manifests/retail.yaml", 31, 7),
        ),
        DriftFinding(
            schedule("retail-prices", "nightly"),
            DriftStatus.DRIFTED,
            Evidence.VERIFIED,
            fields=(
                FieldChange("cron", "0 0 5 * * *", "0 0 2 * * *"),
                FieldChange("inputParameters.apiKey", "hunter3", "hunter2", secret=True),
            ),
            origin=Origin("manifests/retail.yaml", 24, 7),
        ),
        DriftFinding(schedule("retail-prices", "weekly"), DriftStatus.IN_SYNC, Evidence.VERIFIED),
        DriftFinding(
            schedule("retail-prices", "5c1b1f0a-8a0a-4a5e-8f67-3b4a9d3c7e02"), DriftStatus.UNMANAGED, Evidence.VERIFIED
        ),
        DriftFinding(
            schedule("retail-stock", "poll"),
            DriftStatus.DIVERGED,
            Evidence.VERIFIED,
            fields=(FieldChange("every", "1h", "20m"), FieldChange("enabled", False, True)),
            origin=Origin("manifests/stock.yaml", 12, 7),
        ),
    ),
)

PROBLEMS = (
    Problem(
        "manifests/retail.yaml",
        24,
        7,
        "schedule/retail-prices/nightly",
        "unknown-key",
        "Unknown key 'crom'. Did you mean 'cron'?",
    ),
    Problem(
        "manifests/retail.yaml",
        26,
        24,
        "schedule/retail-prices/nightly",
        "unknown-zone",
        "'Australia/Sidney' is no time zone. Did you mean 'Australia/Sydney'?",
    ),
    Problem(
        "manifests/stock.yaml",
        3,
        9,
        "schedule/retail-stock/poll",
        "both-day-fields",
        "Day of month and day of week are both restricted; ACC documents no rule for that.",
        Severity.WARNING,
    ),
    Problem("reconciler.yaml", 9, 14, "", "undefined-variable", "ACC_TOKEN is not set. Export it, or give a default."),
)

SOURCES = {
    ("manifests/retail.yaml", 24): '      crom: "0 0 2 * * *"',
    ("manifests/retail.yaml", 26): "      timeZone:        Australia/Sidney",
    ("manifests/stock.yaml", 3): "\t説明: 15 2 1 * MON",
    ("reconciler.yaml", 9): "      token: ${env:ACC_TOKEN}",
}


def line_of(path: str, number: int) -> str | None:
    return SOURCES.get((path, number))
