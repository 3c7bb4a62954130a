"""May this plan run? Pure predicates that return findings; an empty answer is a yes."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.causes import Cause, because
from reconciler.model.plan import Action, Finding, Plan
from reconciler.model.project import Policy

_COUNTS_FROM = 10


def refusals(
    plan: Plan, policy: Policy, *, allowed_deletes: int | None = None, starts_left: int | None = None
) -> tuple[Finding, ...]:
    """Why the plan as a whole must not run.

    `allowed_deletes` is what the caller allows this once (`--max-deletes`); `starts_left` what the MFT licence still
    holds, None where that is not known.
    """
    return (*_deletions(plan, policy, allowed_deletes), *_licence(plan, starts_left))


def _deletions(plan: Plan, policy: Policy, allowed: int | None) -> Iterator[Finding]:
    doomed = [change for change in plan.changes if change.action is Action.DELETE]
    if not doomed or (allowed is not None and len(doomed) <= allowed):
        return
    owned = plan.owned_in_sight
    names = tuple(str(change.address) for change in doomed)
    if allowed is not None:
        yield Finding("max-deletes", "", because(Cause.MORE_DELETES_THAN_ALLOWED, names=names, allowed=allowed))
    elif len(doomed) >= owned >= 2:
        yield Finding("prune-to-nothing", "", because(Cause.DELETES_ALL, names=names, owned=owned))
    elif owned >= _COUNTS_FROM and len(doomed) > _limit(policy, owned):
        limit = f"{policy.max_deletes:.0%}" if policy.max_deletes_is_share else f"{policy.max_deletes:.0f}"
        yield Finding("max-deletes", "", because(Cause.DELETES_TOO_MANY, names=names, owned=owned, limit=limit))


def _limit(policy: Policy, owned: int) -> float:
    # Rounded, since 29 of 100 must not exceed 29 %, which a float makes 28.999999999999996.
    return round(policy.max_deletes * owned, 6) if policy.max_deletes_is_share else policy.max_deletes


def _licence(plan: Plan, starts_left: int | None) -> Iterator[Finding]:
    starts = plan.count(Action.START)
    if starts_left is not None and starts > starts_left:
        yield Finding("licence", "", because(Cause.LICENCE_TOO_SMALL, starts=starts, left=starts_left))
