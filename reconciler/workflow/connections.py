"""How the connections of a project are: each product asked once, briefly, with what to do about the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError, Missing, NoAccessToken, ProductError, Unauthorised
from reconciler.kind import Product
from reconciler.kinds.registry import KINDS
from reconciler.model.condition import Check, Gauge, Level
from reconciler.model.copies import replace
from reconciler.model.project import Connection, Project
from reconciler.model.resource import Desired, Problem
from reconciler.quantities import counted_or_no
from reconciler.workflow.context import CommandContext
from reconciler.workflow.planning import SOON

if TYPE_CHECKING:
    from reconciler.clients.calls import SessionOptions
    from reconciler.clients.mft import License

_SKEW = 30.0
_LICENCE_TIGHT = 0.9
_YEAR = 365.0
_TIMEOUT = 10.0
_DEADLINE = 15.0
_NOBODY = "reconciler/doctor"
"""A path to ask for where no agent is declared: any answer to it shows that ACC is there."""


def checks(
    context: CommandContext, project: Project, secrets: frozenset[str], desired: Desired | None, now: datetime
) -> Iterator[Check]:
    """Those of both products: also what is wrong with a connection's settings, and none where nobody needs it.

    `desired` is None while the manifests have errors.
    """
    from reconciler.clients.calls import SessionOptions
    from reconciler.clients.redaction import Redactor

    needed = {KINDS[resource.address.kind].product for resource in desired.resources} if desired is not None else set()
    agent = _NOBODY
    if desired is not None:
        secrets |= desired.secret_values
        if desired.agents:
            needed.add(Product.ACC)
            agent = desired.agents[0].path
    options = SessionOptions(clock=context.clock, redact=Redactor(secrets), interrupted=context.stop)
    for name in (Product.ACC, Product.MFT):
        try:
            connection = project.connections.get(name)
        except ManifestError as error:
            yield broken(name, error.problems)
            continue
        if connection is None:
            if name in needed:
                found = "the manifests need this connection, and the project file has none"
                yield Check(name, Level.FAILED, found, f"add `connections.{name}` to reconciler.yaml")
            continue
        hasty = replace(connection, timeout=min(connection.timeout, _TIMEOUT))
        try:
            if name is Product.ACC:
                yield from _acc(hasty, options, agent, now)
            else:
                yield from _mft(hasty, options, now)
        except ProductError as error:
            yield Check(name, Level.FAILED, error.message, error.hint)
        for path in connection.open_files:
            yield Check(f"{name} file", Level.WARNING, f"others on this machine may read {path}", f"chmod 600 {path}")


def broken(name: str, problems: Sequence[Problem]) -> Check:
    """The check of something in the project file that cannot be used."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more: `reconciler validate`)" if len(problems) > 1 else ""
    return Check(name, Level.FAILED, f"{first.path}:{first.line}: {first.message}{more}", "correct that line")


def graded(
    name: str, found: str, next_step: str, *, is_doubtful: bool, is_failed: bool = False, gauge: Gauge | None = None
) -> Check:
    """A check of something that may also be well, whose next step is told only where it is not."""
    level = Level.FAILED if is_failed else Level.WARNING if is_doubtful else Level.OK
    return Check(name, level, found, next_step if level is not Level.OK else "", gauge)


def _acc(connection: Connection, options: SessionOptions, agent: str, now: datetime) -> Iterator[Check]:
    """Those of ACC, by asking for an agent. Raises ProductError where the connection cannot be opened at all."""
    from reconciler.clients import acc
    from reconciler.clients.calls import RetryPolicy

    answers = f"{connection.url} answers, and takes the token"
    client = acc.connect(connection, replace(options, retry_policy=RetryPolicy(tries=2, deadline=_DEADLINE)))
    with client.session:
        try:
            client.get_agent(agent)
        except Missing:
            where = "" if agent == _NOBODY else f", but shows no agent at {agent}"
            step = "look at its path, and whether the token's organisation holds it"
            yield graded("acc", answers + where, step, is_doubtful=bool(where))
        except Unauthorised as error:
            yield _unauthorised(error, agent)
        except ProductError as error:
            yield Check("acc", Level.FAILED, error.message, error.hint or "look at the url, and at the network")
        else:
            yield Check("acc", Level.OK, f"{answers}, and shows {agent}")
        yield Check("acc, writing", Level.OK, "not tested: ACC tells only by refusing a write")
        yield from _clock("acc", client.session.clock_skew())
    yield _token(connection, now)


def _unauthorised(error: Unauthorised, path: str) -> Check:
    """A token that is not taken; or, where ACC says 403 of a path that may not be there, one that perhaps is."""
    if error.status != 403 or path != _NOBODY:
        return Check("acc", Level.FAILED, error.message, error.hint or "make a new token in ACC, Users, API Access")
    found = "ACC answers, and refuses to show an agent that is not there: whether it takes the token is not known"
    return Check("acc", Level.WARNING, found, "declare an agent, and ask again")


def _token(connection: Connection, now: datetime) -> Check:
    from reconciler.clients.auth import token_expiry

    expiry = token_expiry(connection.settings.get("token", ""))
    if expiry is None:
        return Check("acc token", Level.OK, "it does not say when it runs out")
    day, left = f"{expiry:%Y-%m-%d}", expiry - now
    is_over, is_near = expiry <= now, left <= SOON
    soon = f"runs out on {day}, in {counted_or_no(left.days, 'day')}" if is_near else f"good until {day}"
    found = f"ran out on {day}" if is_over else soon
    step = "make a new one in ACC, Users, API Access"
    return graded("acc token", found, step, is_doubtful=is_near, is_failed=is_over, gauge=_days_left(left))


def _mft(connection: Connection, options: SessionOptions, now: datetime) -> Iterator[Check]:
    """Those of Automate MFT, by asking for the licence. Raises ProductError where it gives no access at all."""
    from reconciler.clients import mft

    answers = f"{connection.url} answers, and takes the key"
    retry_policy = replace(mft.RETRY_POLICY, tries=1, deadline=_DEADLINE)
    client = mft.connect(connection, replace(options, retry_policy=retry_policy))
    with client.session:
        try:
            licence = client.license()
        except NoAccessToken:
            raise
        except Unauthorised:
            found = f"{answers}, but does not show the licence: how many starts are left is not known"
            yield Check("mft", Level.WARNING, found, "let this key see the licence, if starts must not run out unseen")
        except ProductError as error:
            yield Check("mft", Level.FAILED, error.message, error.hint or "look at the region, and at the network")
            return
        else:
            yield Check("mft", Level.OK, answers)
            yield from _licence(licence, now)
        yield from _clock("mft", client.session.clock_skew())


def _licence(licence: License, now: datetime) -> Iterator[Check]:
    used, limit = licence.executions, licence.executions_limit
    if used is not None and limit is not None:
        found = f"{used:,} of {limit:,} task executions used{_forecast(licence, used, limit, now)}"
        step = "ask Progress for more executions, or start fewer tasks"
        tight = used >= limit * _LICENCE_TIGHT
        gauge = Gauge(used, 0, limit, 0, limit * _LICENCE_TIGHT, "task executions")
        yield graded("mft licence", found, step, is_doubtful=tight, is_failed=used >= limit, gauge=gauge)
    elif used is not None:
        yield Check("mft licence", Level.OK, f"{used:,} task executions used, without a limit")
    end = _date(licence.end)
    if end is not None:
        found = f"{'ended' if end <= now else 'ends'} on {end:%Y-%m-%d}"
        step = "renew it with Progress"
        left = end - now
        yield graded(
            "mft licence end", found, step, is_doubtful=left <= SOON, is_failed=end <= now, gauge=_days_left(left)
        )


def _forecast(licence: License, used: int, limit: int, now: datetime) -> str:
    """When the executions run out if they go on as they did since the licence began."""
    began = _date(licence.start)
    if began is None or not 0 < used < limit or now <= began:
        return ""
    days = (limit - used) / used * ((now - began) / timedelta(days=1))
    if days > 3650:
        return ""
    end, lasts = _date(licence.end), now + timedelta(days=days)
    if end is not None and lasts > end:
        return "; at this pace they outlast the licence"
    return f"; at this pace they last until {lasts:%Y-%m-%d}"


def _date(text: str | None) -> datetime | None:
    from reconciler.clients.replies import moment

    found = moment(text)
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _clock(name: str, seconds: float | None) -> Iterator[Check]:
    """The product's clock against ours, where its answer told the time."""
    if seconds is None:
        return
    off = abs(seconds) > _SKEW
    step = "set this machine's clock: signed requests and next runs depend on it"
    found = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours" if off else "agrees with ours"
    gauge = Gauge(seconds, -2 * _SKEW, 2 * _SKEW, -_SKEW, _SKEW, "s")
    yield graded(f"{name} clock", found, step, is_doubtful=off, gauge=gauge)


def _days_left(left: timedelta) -> Gauge:
    """Against a year, or as long as it lasts."""
    days = left / timedelta(days=1)
    return Gauge(days, 0, max(days, _YEAR), SOON.days, max(days, _YEAR), "days left")
