"""Plan <-> file: what a reviewer saw, sealed, so that exactly that is applied, once, and only while it still holds."""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from reconciler import files
from reconciler.causes import Why
from reconciler.clock import at_text
from reconciler.diff import Sealer
from reconciler.errors import PlanRefused, UsageError
from reconciler.model.entry import as_plain
from reconciler.model.plan import Change, Plan
from reconciler.model.resource import Resource
from reconciler.model.state import JSON
from reconciler.planfile.body import is_shallow, plan_from, plan_to
from reconciler.quantities import first_few
from reconciler.structure_diff import difference_text

FORMAT_VERSION = "1.1"


class SavedPlan(Struct, frozen=True):
    """A plan as it lies in a file: to be shown always, to be applied until it expires.

    `plan` holds no secret and no full state. `bases` are keyed digests, by address, of each change with all that it
    rests on; `inputs` is the keyed digest of the manifests and of file contents. `options` is what was asked for.
    """

    plan: Plan
    digest: str
    commit: str
    created_at: str
    expires_at: str
    inputs: str
    bases: Mapping[str, str]
    options: Mapping[str, JSON]
    reconciler_version: str


class PlanFile(Struct, frozen=True):
    """A plan file whose content nobody has looked at: the sealed `body`, its seal, and when it was used, or ""."""

    path: Path
    body: Mapping[str, JSON]
    seal: str
    used_at: str = ""

    def open(self) -> SavedPlan:
        """What it holds. Raises PlanRefused when that makes no sense, which is no wonder before `require`."""
        try:
            bases, options = self.body["bases"], self.body["intention"]
            words = {name: self.body[name] for name in _WORDS}
            if not all(isinstance(one, str) for one in (*words.values(), *bases.values())) or type(options) is not dict:
                raise ValueError("something is no text that must be")
            return SavedPlan(plan=plan_from(self.body["plan"]), bases=dict(bases), options=options, **words)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _no_plan(self.path) from error

    def require(self, project: str, environment: str, *, now: datetime, seal: Sealer) -> SavedPlan:
        """What it holds, once that is known to be what `plan --out` wrote for this project, in time and not used yet.

        Nothing in it is used before its seal is checked. Raises PlanRefused. Whether it still holds is `compare`'s
        business.
        """
        if self.used_at:
            raise PlanRefused(f"this saved plan was used already, at {self.used_at}", hint=MAKE_ANOTHER)
        if not hmac.compare_digest(seal(dict(self.body)).encode(), self.seal.encode("utf-8", "replace")):
            raise PlanRefused(
                f"{self.path} was edited by hand, or made with another ledger's key. {MADE_ELSEWHERE}",
                hint="make the plan again with this ledger, or give both sides the same RECONCILER_KEY",
            )
        saved = self.open()
        if (saved.plan.project, saved.plan.environment) != (project, environment):
            raise PlanRefused(
                f"the plan is for {saved.plan.project}/{saved.plan.environment}, and this is {project}/{environment}",
                hint="choose the environment that it was made for with --env, or make the plan again",
            )
        if at_text(now) > saved.expires_at:
            raise PlanRefused(
                f"the plan expired at {saved.expires_at}",
                hint="make it again, where need be with a longer `plan --expires`",
            )
        return saved

    def mark_used(self, now: datetime, seal: Sealer) -> None:
        """Turn the file into one that was used, for good. Raises OSError when it cannot be written.

        The seal goes, so that nobody makes it good again by taking the mark away; the mark has a seal of its own.
        """
        at = at_text(now)
        used = {"at": at, "seal": seal(["used", self.seal, at])}
        files.write_whole(self.path.resolve(), _text({**self.body, "used": used}))


MADE_ELSEWHERE = "A saved plan that was made elsewhere needs the ledger it was made with, or RECONCILER_KEY"
MAKE_ANOTHER = "make a new one with `reconciler plan --out FILE`"

_WORDS = ("reconciler_version", "commit", "created_at", "expires_at", "digest", "inputs")
"""What a plan file says in plain text, under the names that `SavedPlan` has for it."""


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
                as_plain(change.after),
                [[field.path, field.before, field.after] for field in change.fields],
            ]
        )
        for change in plan.changes
    }


def inputs_of(resources: tuple[Resource, ...], seal: Sealer) -> str:
    """A keyed digest of all that the manifests say and of the files that they name.

    No place on this disk is part of it, so that a plan made in one checkout holds in another.
    """
    return seal([[str(one.address), as_plain(one.state), one.identity, one.protect] for one in resources])


def save(
    path: Path,
    plan: Plan,
    *,
    digest: str,
    commit: str,
    now: datetime,
    expires: timedelta,
    inputs: str,
    options: Mapping[str, JSON],
    version: str,
    seal: Sealer,
) -> SavedPlan:
    """Write a plan to a file, whole or not at all. Raises OSError."""
    saved = SavedPlan(
        plan=plan,
        digest=digest,
        commit=commit,
        created_at=at_text(now),
        expires_at=at_text(now + expires),
        inputs=inputs,
        bases=bases_of(plan, seal),
        options=options,
        reconciler_version=version,
    )
    body = {
        "format_version": FORMAT_VERSION,
        "kind": "Plan",
        **{name: getattr(saved, name) for name in _WORDS},
        "bases": saved.bases,
        "intention": options,
        "plan": plan_to(plan),
    }
    files.write_whole(path, _text({**body, "seal": seal(body)}))
    return saved


def read(path: Path) -> PlanFile:
    """Read a plan file. Raises PlanRefused when it is none, or not of this format; UsageError without a file."""
    try:
        body = json.loads(files.read_regular(path, files.PLAN_BYTES), parse_constant=_finite, parse_float=_finite)
        if not is_shallow(body):
            raise _no_plan(path)
        if body["format_version"] != FORMAT_VERSION or body["kind"] != "Plan":
            raise PlanRefused(f"{path} has format {str(body['format_version'])[:20]!r}", hint="make the plan again")
        used = body.pop("used", None)
        seal = body.pop("seal", "")
        used_at = "" if used is None else str(used["at"])[:40] or "a time that nobody knows"
        return PlanFile(path, body, seal if isinstance(seal, str) and seal.isascii() else "", used_at)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="name a file that `plan --out` wrote"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_plan(path) from error


def _no_plan(path: Path) -> PlanRefused:
    return PlanRefused(
        f"{path} is no plan file of this program, or was damaged", hint="make it with `reconciler plan --out FILE`"
    )


def _finite(word: str) -> float:
    if not math.isfinite(number := float(word)):
        raise ValueError(f"{word} is no number")
    return number


def _text(body: Mapping[str, JSON]) -> str:
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def compare(saved: SavedPlan, plan: Plan, inputs: str, seal: Sealer, words: Callable[[Why | None], str]) -> None:
    """Raise PlanRefused, naming the resource, unless a plan made now does exactly what the file shows.

    `words` says why a change stands in a plan.
    """
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
            moved.append(f"{address} changed since ({words(now[address].why)}): {_moved(told[address], now[address])}")
    if not moved and inputs != saved.inputs:
        moved.append(f"the manifests or the files they name changed since commit {saved.commit[:12] or 'unknown'}")
    if moved:
        told_first = first_few(moved, 5, between="; ")
        raise PlanRefused(f"the plan is stale: {told_first}", hint="make the plan again and review it")


def _moved(told: Change, now: Change) -> str:
    """What of a change is not as the file shows it. Secrets are masked on both sides."""
    shown = difference_text(_shown(told), _shown(now), was="in the plan", now="now")
    return shown or "what is live there, or a secret, is not what it was"


def _shown(change: Change) -> dict[str, JSON]:
    return {
        "action": change.action.value,
        "id": change.identity,
        "agent": change.agent_path,
        **{field.path: dict(zip(("before", "after"), field.shown, strict=True)) for field in change.fields},
    }
