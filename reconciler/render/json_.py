"""Plan, outcomes, drift and problems as JSON documents: sorted, so that equal input gives equal bytes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import TypeAlias

from msgspec.structs import asdict

from reconciler.diff import canonical_json, digest
from reconciler.model.address import Origin
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.outcome import Began, Outcome, Status
from reconciler.model.plan import Change, FieldChange, Finding, Plan
from reconciler.model.resource import Problem
from reconciler.model.state import JSON
from reconciler.render import FORMAT_VERSION, Stamp
from reconciler.render.characters import plain
from reconciler.render.reasons import words
from reconciler.render.wording import finding_words, plan_counts

Document: TypeAlias = dict[str, JSON]
"""A document, or an object in one, in the order of its keys."""

_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
_ALWAYS_COUNTED = (Status.APPLIED, Status.FAILED, Status.SKIPPED, Status.UNKNOWN, Status.UNVERIFIED)


def plan_document(plan: Plan, stamp: Stamp) -> Document:
    """A plan; `digest` covers all but itself and `created_at`. Next runs depend on the clock and are left out."""
    document = header(stamp) | {
        "digest": "",
        "summary": dict(plan_counts(plan)),
        "changes": _sorted((_change(change) for change in plan.changes), "address", "action"),
        "blocked": _sorted(
            (
                {"address": str(blocked.address), "reason": blocked.reason.value, "message": words(blocked.why)}
                for blocked in plan.blocked
            ),
            "address",
            "reason",
        ),
        "unmanaged": _sorted(({"agent": item.agent, "id": item.id} for item in plan.unmanaged), "agent", "id"),
        "warnings": warning_objects(plan.warnings),
    }
    covered = {key: value for key, value in document.items() if key not in ("created_at", "digest")}
    document["digest"] = document_digest(covered)
    return document


def warning_objects(warnings: Iterable[Finding]) -> list[JSON]:
    """What somebody should know beside the rest, sorted."""
    listed = ({"code": one.code, "address": one.address, "message": words(one.why)} for one in warnings)
    return _sorted(listed, "code", "address", "message")


def apply_document(outcomes: Iterable[Outcome], stamp: Stamp) -> Document:
    """How each change ended. `stale` is counted where there is one; a run id stands where a task ran."""
    listed = [outcome_object(outcome) for outcome in outcomes]
    counts = Counter(item["status"] for item in listed)
    summary = {status.value: counts[status.value] for status in Status if status in _ALWAYS_COUNTED or counts[status]}
    return header(stamp) | {"summary": summary, "outcomes": _sorted(listed, "address", "action")}


def outcome_object(outcome: Outcome) -> Document:
    """One outcome as it stands in the document and in a stream of events. `seconds` has three decimals."""
    shown: Document = {
        "address": str(outcome.change.address),
        "action": outcome.change.action.value,
        "status": outcome.status.value,
        "detail": words(outcome.why),
        "seconds": round(outcome.seconds, 3),
        "evidence": outcome.evidence.value,
    }
    if outcome.run_id:
        shown["run_id"] = outcome.run_id
    return shown


def drift_document(drift: Drift, stamp: Stamp) -> Document:
    """An audit: how many resources stand how, and each finding with its fields (`before` is live).

    A field that the manifest does not set, and that is therefore no drift, says `"set": false`.
    """
    counts = Counter(finding.status for finding in drift.findings)
    return header(stamp) | {
        "summary": {status.value: counts[status] for status in DriftStatus},
        "findings": _sorted((_finding(finding) for finding in drift.findings), "address", "status"),
        "warnings": warning_objects(drift.warnings),
    }


def validate_document(problems: Sequence[Problem], stamp: Stamp) -> Document:
    """All problems of the files, in file order."""
    return header(stamp) | {"problems": [asdict(problem) for problem in sorted(problems)]}


def document_digest(covered: Mapping[str, object]) -> str:
    """`sha256:…` over the canonical JSON; half a surrogate pair, which UTF-8 cannot carry, counts as its escape."""
    try:
        return digest(covered)
    except UnicodeEncodeError:
        return digest(json.loads(_LONE.sub(lambda match: f"\\\\u{ord(match.group()):04x}", canonical_json(covered))))


def dumps(document: Mapping[str, object]) -> str:
    """The document with two spaces of indentation, keys as they stand, UTF-8 as it is, and a line end.

    Characters that a terminal obeys, or that UTF-8 cannot carry, are written as escapes.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match.group()):04x}", text) + "\n"


def header(stamp: Stamp) -> Document:
    """The keys that every document begins with."""
    return {
        "format_version": FORMAT_VERSION,
        "reconciler_version": stamp.reconciler_version,
        "project": stamp.project,
        "environment": stamp.environment,
        "created_at": stamp.created_at,
    }


def _change(change: Change) -> Document:
    shown: Document = {
        "address": str(change.address),
        "action": change.action.value,
        "reason": change.reason.value,
        "message": words(change.why),
        "needs": sorted(map(str, change.needs)),
        "origin": _origin(change.origin),
        "fields": [_field(field) for field in sorted(change.fields, key=attrgetter("path"))],
    }
    preview = change.preview
    if preview is not None and (preview.before_per_day is not None or preview.after_per_day is not None):
        shown["runs_per_day"] = {"before": preview.before_per_day, "after": preview.after_per_day}
    return shown


def _finding(finding: DriftFinding) -> Document:
    shown: Document = {
        "address": str(finding.address),
        "status": finding.status.value,
        "evidence": finding.evidence.value,
        "fields": sorted(
            [*map(_field, finding.fields), *({**_field(field), "set": False} for field in finding.unset)],
            key=lambda field: str(field["path"]),
        ),
        "origin": _origin(finding.origin),
    }
    if message := finding_words(finding):
        shown["message"] = message
    return shown


def _origin(origin: Origin | None) -> Document | None:
    if origin is None:
        return None
    return {"path": origin.path, "line": origin.line} | ({"item": origin.item} if origin.item else {})


def _field(field: FieldChange) -> Document:
    before, after = map(plain, field.shown)
    shown: Document = {"path": field.path, "before": before, "after": after}
    if field.secret:
        shown["secret"] = True
    if field.origin is not None:
        shown["origin"] = _origin(field.origin)
    return shown


def _sorted(items: Iterable[Document], *keys: str) -> list[Document]:
    return sorted(items, key=itemgetter(*keys))


def event_object(event: Began | Outcome) -> Document:
    """One line of the stream of events: what began, or how it ended."""
    if isinstance(event, Began):
        change = event.change
        return {"event": "began", "at": event.at, "address": str(change.address), "action": change.action.value}
    return {"event": "outcome", "at": event.at} | outcome_object(event)
