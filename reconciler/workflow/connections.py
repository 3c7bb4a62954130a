"""How the connections of a project are: each product asked once, briefly, with what to do about the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.errors import ManifestError, Missing, ProductError, Unauthorised
from reconciler.kind import Product
from reconciler.kinds.registry import KINDS
from reconciler.model import Check, Connection, Desired, Level, Problem, Project
from reconciler.quantities import counted_or_no
from reconciler.workflow.context import CommandContext
from reconciler.workflow.planning import SOON

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient
    from reconciler.clients.calls import RetryPolicy, SessionOptions
    from reconciler.clients.mft import License, MftClient

_SKEW = 30.0
_LICENCE_TIGHT = 0.9
_TIMEOUT = 10.0
_DEADLINE = 15.0
_NOBODY = "reconciler/doctor"
"""A path to ask for where no agent is declared: any answer to it shows that ACC is there."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What the examination of each connection needs to know. `desired` is None while the manifests have errors."""

    context: CommandContext
    project: Project
    secrets: frozenset[str]
    desired: Desired | None
    now: datetime

    def checks(self) -> Iterator[Check]:
        """Those of both products."""
        yield from self._product("acc", _acc)
        yield from self._product("mft", _mft)

    def _product(self, name: str, examine_it: Callable[[_Reach], Iterator[Check]]) -> Iterator[Check]:
        """The checks of one connection; what is wrong with its settings; nothing, where nobody needs it."""
        from reconciler.clients.redaction import Redactor

        try:
            connection = self.project.connections.get(name)
        except ManifestError as error:
            yield broken(name, error.problems)
            return
        if connection is None:
            if self._needs(name):
                found = "the manifests need this connection, and the project file has none"
                yield Check(name, Level.FAILED, found, f"add `connections.{name}` to reconciler.yaml")
            return
        hasty = replace(connection, timeout=min(connection.timeout, _TIMEOUT))
        agents = self.desired.agents if self.desired is not None else ()
        agent = agents[0].path if agents else _NOBODY
        secrets = self.secrets | (self.desired.secret_values if self.desired is not None else frozenset())
        yield from examine_it(_Reach(self.context, hasty, Redactor(secrets), agent, self.now))
        for path in connection.open_files:
            yield Check(f"{name} file", Level.WARNING, f"others on this machine may read {path}", f"chmod 600 {path}")

    def _needs(self, name: str) -> bool:
        if self.desired is None:
            return False
        uses = {KINDS[resource.address.kind].product.value for resource in self.desired.resources}
        return name in uses or (name == Product.ACC and bool(self.desired.agents))


def broken(name: str, problems: Sequence[Problem]) -> Check:
    """The check of something in the project file that cannot be used."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more: `reconciler validate`)" if len(problems) > 1 else ""
    return Check(name, Level.FAILED, f"{first.path}:{first.line}: {first.message}{more}", "correct that line")


@dataclass(frozen=True, slots=True)
class _Reach:
    """A connection, and how to open its client: one that soon gives up, since somebody waits for the answer.

    `agent` is the path of an agent to ask for.
    """

    context: CommandContext
    connection: Connection
    redact: Callable[[str], str]
    agent: str
    now: datetime

    def acc(self) -> AccClient:
        from reconciler.clients import acc
        from reconciler.clients.calls import RetryPolicy

        return acc.connect(self.connection, self._options(RetryPolicy(tries=2, deadline=_DEADLINE)))

    def mft(self) -> MftClient:
        from reconciler.clients import mft

        return mft.connect(self.connection, self._options(replace(mft.RETRY_POLICY, tries=1, deadline=_DEADLINE)))

    def _options(self, retry_policy: RetryPolicy) -> SessionOptions:
        from reconciler.clients.calls import SessionOptions

        return SessionOptions(
            clock=self.context.clock,
            redact=self.redact,
            interrupted=self.context.stop,
            retry_policy=retry_policy,
        )


# --- ACC -------------------------------------------------------------------------------------------------------------


def _acc(reach: _Reach) -> Iterator[Check]:
    path = reach.agent
    answers = f"{reach.connection.url} answers, and takes the token"
    try:
        client = reach.acc()
    except ProductError as error:
        yield Check("acc", Level.FAILED, error.message, error.hint)
        return
    with client.session:
        try:
            client.get_agent(path)
        except Missing:
            where = "" if path == _NOBODY else f", but shows no agent at {path}"
            step = "look at its path, and whether the token's organisation holds it" if where else ""
            yield Check("acc", Level.WARNING if where else Level.OK, answers + where, step)
        except Unauthorised as error:
            yield _unauthorised(error, path)
        except ProductError as error:
            yield Check("acc", Level.FAILED, error.message, error.hint or "look at the url, and at the network")
        else:
            yield Check("acc", Level.OK, f"{answers}, and shows {path}")
        yield Check("acc, writing", Level.OK, "not tested: ACC tells only by refusing a write")
        yield from _clock("acc", client.session.clock_skew())
    yield _token(reach.connection, reach.now)


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
    day = f"{expiry:%Y-%m-%d}"
    if expiry - now > SOON:
        return Check("acc token", Level.OK, f"good until {day}")
    step = "make a new one in ACC, Users, API Access"
    if expiry <= now:
        return Check("acc token", Level.FAILED, f"ran out on {day}", step)
    return Check("acc token", Level.WARNING, f"runs out on {day}, in {counted_or_no((expiry - now).days, 'day')}", step)


# --- Automate MFT ----------------------------------------------------------------------------------------------------


def _mft(reach: _Reach) -> Iterator[Check]:
    answers = f"{reach.connection.url} answers, and takes the key"
    try:
        client = reach.mft()
    except ProductError as error:
        yield Check("mft", Level.FAILED, error.message, error.hint)
        return
    with client.session:
        try:
            licence = client.license()
        except Unauthorised as error:
            if error.message.startswith("No access token"):
                yield Check("mft", Level.FAILED, error.message, error.hint)
                return
            found = f"{answers}, but does not show the licence: how many starts are left is not known"
            yield Check("mft", Level.WARNING, found, "let this key see the licence, if starts must not run out unseen")
        except ProductError as error:
            yield Check("mft", Level.FAILED, error.message, error.hint or "look at the region, and at the network")
            return
        else:
            yield Check("mft", Level.OK, answers)
            yield from _licence(licence, reach.now)
        yield from _clock("mft", client.session.clock_skew())


def _licence(licence: License, now: datetime) -> Iterator[Check]:
    used, limit = licence.executions, licence.executions_limit
    if used is not None and limit is not None:
        tight = used >= limit * _LICENCE_TIGHT
        level = Level.FAILED if used >= limit else Level.WARNING if tight else Level.OK
        step = "ask Progress for more executions, or start fewer tasks" if tight else ""
        found = f"{used} of {limit} task executions used{_forecast(licence, used, limit, now)}"
        yield Check("mft licence", level, found, step)
    elif used is not None:
        yield Check("mft licence", Level.OK, f"{used} task executions used, without a limit")
    end = _date(licence.end)
    if end is not None:
        near = end - now <= SOON
        ended = end <= now
        level = Level.FAILED if ended else Level.WARNING if near else Level.OK
        found = f"{'ended' if ended else 'ends'} on {end:%Y-%m-%d}"
        yield Check("mft licence end", level, found, "renew it with Progress" if near else "")


def _forecast(licence: License, used: int, limit: int, now: datetime) -> str:
    """When the executions run out if they go on as they did since the licence began."""
    began = _date(licence.start)
    if began is None or not 0 < used < limit or now <= began:
        return ""
    seconds = (limit - used) * (now - began).total_seconds() / used
    end = _date(licence.end)
    if seconds > timedelta(days=3650).total_seconds():
        return ""
    lasts = now + timedelta(seconds=seconds)
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
    step = "set this machine's clock: signed requests and next runs depend on it" if off else ""
    found = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours" if off else "agrees with ours"
    yield Check(f"{name} clock", Level.WARNING if off else Level.OK, found, step)
