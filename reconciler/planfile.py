"""Plan <-> file: what a reviewer saw, sealed, so that exactly that is applied, once, and only while it still holds."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.diff import Sealer
from reconciler.errors import PlanRefused, UsageError
from reconciler.model import (
    JSON,
    Action,
    Address,
    BlockedResource,
    Change,
    FieldChange,
    Finding,
    KindName,
    Origin,
    Plan,
    Preview,
    Reason,
    Resource,
    State,
    Unchanged,
    Unmanaged,
    at_text,
)

FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan as it lies in a file: to be shown always, to be applied while it holds.

    `plan` holds no secret and no full state. `bases` are keyed digests, by address, of each change with all that it
    rests on; `inputs` is the keyed digest of the manifests and of file contents. `intention` is what was asked for.
    """

    plan: Plan
    digest: str
    commit: str
    created_at: str
    expires_at: str
    inputs: str
    bases: Mapping[str, str]
    intention: Mapping[str, JSON]
    reconciler_version: str
    seal: str = ""


def bases_of(plan: Plan, seal: Sealer) -> dict[str, str]:
    """A keyed digest of every change: what is done, to what, resting on what. The clock has no part in it."""
    return {
        str(change.address): seal(
            [
                change.action.value,
                change.identity,
                change.agent_path,
                change.agent_id,
                change.basis,
                change.after,
                [[field.path, field.before, field.after] for field in change.fields],
            ]
        )
        for change in plan.changes
    }


def inputs_of(resources: tuple[Resource, ...], contents: Mapping[Address, State], seal: Sealer) -> str:
    """A keyed digest of all that the manifests say and of the files that they name."""
    said = [[str(one.address), _placeless(one.spec), one.identity, one.protect] for one in resources]
    held = [[str(address), state] for address, state in sorted(contents.items())]
    return seal([said, held])


def _placeless(spec: State) -> State:
    """A spec without absolute paths, so that a plan made in one checkout holds in another."""
    if "files" not in spec:
        return spec
    return {**spec, "files": [file["name"] for file in spec["files"]]}


def save(
    path: Path,
    plan: Plan,
    *,
    digest: str,
    commit: str,
    now: datetime,
    expires: timedelta,
    inputs: str,
    intention: Mapping[str, JSON],
    version: str,
    seal: Sealer,
) -> SavedPlan:
    """Write a plan to a file. Raises OSError."""
    saved = SavedPlan(
        plan=plan,
        digest=digest,
        commit=commit,
        created_at=at_text(now),
        expires_at=at_text(now + expires),
        inputs=inputs,
        bases=bases_of(plan, seal),
        intention=intention,
        reconciler_version=version,
    )
    body = _body(saved)
    path.write_text(json.dumps({**body, "seal": seal(body)}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return saved


def load(path: Path) -> SavedPlan:
    """Read a plan file. Raises PlanRefused when it is none, or not of this format; UsageError without a file."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
        if body["format_version"] != FORMAT_VERSION or body["kind"] != "Plan":
            raise PlanRefused(f"{path} has format {body['format_version']!r}", hint="make the plan again")
        return SavedPlan(
            plan=_plan_from(body["plan"]),
            digest=str(body["digest"]),
            commit=str(body["commit"]),
            created_at=str(body["created_at"]),
            expires_at=str(body["expires_at"]),
            inputs=str(body["inputs"]),
            bases=dict(body["bases"]),
            intention=dict(body["intention"]),
            reconciler_version=str(body["reconciler_version"]),
            seal=str(body["seal"]),
        )
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="name a file that `plan --out` wrote"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = "make it with `reconciler plan --out FILE`"
        raise PlanRefused(f"{path} is no plan file of this program, or was cut short", hint=hint) from error


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def refuse(saved: SavedPlan, project: str, environment: str, *, now: datetime, seal: Sealer) -> None:
    """Raise PlanRefused unless the file is ours, whole and in time. Whether it still holds is `compare`'s business."""
    if (saved.plan.project, saved.plan.environment) != (project, environment):
        raise PlanRefused(
            f"the plan is for {saved.plan.project}/{saved.plan.environment}, and this is {project}/{environment}"
        )
    if not hmac.compare_digest(seal(_body(saved)).encode(), saved.seal.encode()):
        raise PlanRefused(
            "the plan file was edited by hand, or made with another ledger's key",
            hint="make the plan again with this ledger, or give both sides the same RECONCILER_KEY",
        )
    if at_text(now) > saved.expires_at:
        raise PlanRefused(f"the plan expired at {saved.expires_at}", hint="make the plan again, or use --expires")


def compare(saved: SavedPlan, plan: Plan, inputs: str, seal: Sealer) -> None:
    """Raise PlanRefused, naming the resource, unless a plan made now does exactly what the file shows."""
    fresh = bases_of(plan, seal)
    told = {str(change.address): change for change in saved.plan.changes}
    now = {str(change.address): change for change in plan.changes}
    moved: list[str] = []
    for address in sorted({*saved.bases, *fresh}):
        if address not in fresh:
            moved.append(f"{address} no longer needs {told[address].action.value}")
        elif address not in saved.bases:
            moved.append(f"{address} now needs {now[address].action.value}, which the plan does not show")
        elif fresh[address] != saved.bases[address]:
            moved.append(f"{address} changed since ({now[address].message})")
    if not moved and inputs != saved.inputs:
        moved.append(f"the manifests or the files they name changed since commit {saved.commit[:12] or 'unknown'}")
    if moved:
        more = f" and {len(moved) - 5} more" if len(moved) > 5 else ""
        raise PlanRefused(f"the plan is stale: {'; '.join(moved[:5])}{more}", hint="make the plan again and review it")


def _body(saved: SavedPlan) -> dict[str, JSON]:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "Plan",
        "reconciler_version": saved.reconciler_version,
        "commit": saved.commit,
        "created_at": saved.created_at,
        "expires_at": saved.expires_at,
        "digest": saved.digest,
        "inputs": saved.inputs,
        "bases": dict(saved.bases),
        "intention": dict(saved.intention),
        "plan": _plan_to(saved.plan),
    }


def _plan_to(plan: Plan) -> dict[str, JSON]:
    return {
        "project": plan.project,
        "environment": plan.environment,
        "changes": [_change_to(change) for change in plan.changes],
        "blocked": [_with_address(blocked) for blocked in plan.blocked],
        "unmanaged": [asdict(one) for one in plan.unmanaged],
        "unchanged": plan.unchanged,
        "unchanged_kinds": [asdict(one) for one in plan.unchanged_kinds],
        "warnings": [asdict(one) for one in plan.warnings],
        "owned_in_sight": plan.owned_in_sight,
        "filtered": plan.filtered,
    }


def _change_to(change: Change) -> dict[str, JSON]:
    shown = replace(change, before=None, after=None, basis="", fields=tuple(map(_masked, change.fields)))
    body = _with_address(shown)
    del body["before"], body["after"], body["basis"], body["secrets"]
    body["needs"] = [str(need) for need in change.needs]
    return body


def _masked(field: FieldChange) -> FieldChange:
    before, after = field.shown
    return replace(field, before=before, after=after)


def _with_address(noun: Change | BlockedResource) -> dict[str, JSON]:
    return json.loads(json.dumps({**asdict(noun), "address": str(noun.address)}))  # type: ignore[no-any-return]


def _plan_from(body: Mapping[str, Any]) -> Plan:
    return Plan(
        project=str(body["project"]),
        environment=str(body["environment"]),
        changes=tuple(_change_from(one) for one in body["changes"]),
        blocked=tuple(
            BlockedResource(
                Address.parse(one["address"]), Reason(one["reason"]), str(one["message"]), _origin_from(one["origin"])
            )
            for one in body["blocked"]
        ),
        unmanaged=tuple(Unmanaged(**one) for one in body["unmanaged"]),
        unchanged=int(body["unchanged"]),
        unchanged_kinds=tuple(
            Unchanged(**{**one, "kind": KindName(one["kind"])}) for one in body.get("unchanged_kinds", ())
        ),
        warnings=tuple(Finding(**one) for one in body["warnings"]),
        owned_in_sight=int(body["owned_in_sight"]),
        filtered=bool(body["filtered"]),
    )


def _change_from(body: Mapping[str, Any]) -> Change:
    preview = body["preview"]
    return Change(
        address=Address.parse(body["address"]),
        action=Action(body["action"]),
        reason=Reason(body["reason"]),
        message=str(body["message"]),
        fields=tuple(FieldChange(**field) for field in body["fields"]),
        identity=str(body["identity"]),
        agent_path=str(body["agent_path"]),
        agent_id=str(body["agent_id"]),
        needs=tuple(Address.parse(need) for need in body["needs"]),
        origin=_origin_from(body["origin"]),
        preview=None if preview is None else _preview_from(preview),
    )


def _preview_from(body: Mapping[str, Any]) -> Preview:
    return Preview(
        before_runs=tuple(body["before_runs"]),
        after_runs=tuple(body["after_runs"]),
        before_per_day=body["before_per_day"],
        after_per_day=body["after_per_day"],
        notes=tuple(body["notes"]),
    )


def _origin_from(body: Mapping[str, Any] | None) -> Origin | None:
    return None if body is None else Origin(str(body["path"]), int(body["line"]), int(body["column"]))
