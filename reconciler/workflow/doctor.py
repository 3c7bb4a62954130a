"""Looks at everything that has to be well before a plan can be trusted, and says what to do about the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler import __version__, manifests, timetable
from reconciler.errors import LedgerError, Missing, ProductError, ReconcilerError
from reconciler.model import Check, Desired, Level, Project, Severity
from reconciler.products import Products
from reconciler.workflow.memory import open_ledger
from reconciler.workflow.setting import Setting
from reconciler.workflow.survey import SOON, expiring_token

_SKEW = 30.0
_LICENCE_TIGHT = 0.9


def examine(setting: Setting) -> tuple[Project, tuple[Check, ...]]:
    """Every check, each with what to do. Nothing is written. Raises ManifestError for an unreadable project file."""
    now = setting.clock()
    project, secrets = manifests.load_project(setting.root, setting.environment, setting.environ, as_of=now)
    desired, problems = manifests.check(setting.root, setting.environment, setting.environ, as_of=now)
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    zones = f"zone rules {timetable.zones.rules_version()}, CLDR {timetable.zones.CLDR_VERSION}"
    checks = [
        Check("program", Level.OK, f"reconciler {__version__}"),
        Check("zones", Level.OK, zones),
        Check(
            "manifests",
            Level.FAILED if errors else Level.WARNING if warnings else Level.OK,
            f"{errors} errors, {warnings} warnings",
            "reconciler validate" if problems else "",
        ),
    ]
    with Products(project, secrets, setting.stop) as products:
        if "acc" in project.connections:
            checks.extend(_acc(project, desired, products, now))
        if "mft" in project.connections:
            checks.extend(_mft(products, now))
    checks.extend(_ledger(setting, project))
    return project, tuple(checks)


def _acc(project: Project, desired: Desired | None, products: Products, now: datetime) -> Iterator[Check]:
    path = desired.agents[0].path if desired is not None and desired.agents else "reconciler/doctor"
    try:
        products.acc.get_agent(path)
    except Missing:
        yield Check("acc", Level.OK, f"{products.connection('acc').url} answers, and takes the token")
    except ProductError as error:
        yield Check("acc", Level.FAILED, error.message, error.hint)
    else:
        yield Check("acc", Level.OK, f"{products.connection('acc').url} answers, and shows {path}")
    yield Check("acc, writing", Level.OK, "not tested: ACC tells only by refusing a write")
    yield from _skew("acc", products.acc.session.clock_skew())
    yield _token(project, now)


def _token(project: Project, now: datetime) -> Check:
    from reconciler.clients.auth import token_expiry

    expiry = token_expiry(project.connections["acc"].settings.get("token", ""))
    if expiry is None:
        return Check("acc token", Level.OK, "it does not say when it runs out")
    found = expiring_token(project, now)
    if found is None:
        return Check("acc token", Level.OK, f"good until {expiry:%Y-%m-%d}")
    level = Level.FAILED if expiry <= now else Level.WARNING
    return Check("acc token", level, f"runs out on {expiry:%Y-%m-%d}", "make a new one in ACC, Users, API Access")


def _mft(products: Products, now: datetime) -> Iterator[Check]:
    try:
        licence = products.mft.license()
    except ProductError as error:
        yield Check("mft", Level.FAILED, error.message, error.hint)
        return
    yield Check("mft", Level.OK, f"{products.connection('mft').url} answers, and takes the key")
    yield from _skew("mft", products.mft.session.clock_skew())
    used, limit = licence.executions, licence.executions_limit
    if used is not None and limit is not None:
        tight = used >= limit * _LICENCE_TIGHT
        found = f"{used} of {limit} task executions used{_forecast(licence.start, used, limit, now)}"
        step = "ask Progress for more executions, or start fewer tasks" if tight else ""
        yield Check("mft licence", Level.WARNING if tight else Level.OK, found, step)
    end = _date(licence.end)
    if end is not None:
        near = end - now <= SOON
        found = f"ends on {end:%Y-%m-%d}"
        yield Check("mft licence end", Level.WARNING if near else Level.OK, found, "renew it" if near else "")


def _forecast(start: str | None, used: int, limit: int, now: datetime) -> str:
    """When the executions run out if they go on as they did since the licence began."""
    began = _date(start)
    if began is None or used <= 0 or now <= began:
        return ""
    left = (limit - used) * (now - began) / used
    if left > timedelta(days=3650):
        return ""
    return f"; at this pace they last until {now + left:%Y-%m-%d}"


def _date(text: str | None) -> datetime | None:
    from datetime import UTC

    from reconciler.clients.replies import moment

    found = moment(text)
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _skew(name: str, seconds: float | None) -> Iterator[Check]:
    if seconds is None:
        return
    off = abs(seconds) > _SKEW
    step = "set this machine's clock: signed requests and next runs depend on it" if off else ""
    found = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours" if off else "agrees with ours"
    yield Check(f"{name} clock", Level.WARNING if off else Level.OK, found, step)


def _ledger(setting: Setting, project: Project) -> Iterator[Check]:
    from reconciler.ledger import Ledger

    try:
        if not Ledger.exists(project.ledger, project.root):
            yield Check("ledger", Level.OK, "there is none yet: the first apply makes it")
            return
        with open_ledger(setting, project, create=False) as ledger:
            entries = ledger.memory().entries
            broken = ledger.verify()
            held = ledger.holder()
    except (LedgerError, ReconcilerError) as error:
        yield Check("ledger", Level.FAILED, error.message, error.hint)
        return
    unsettled = sorted(str(address) for address, entry in entries.items() if not entry.settled)
    yield Check("ledger", Level.OK, f"{len(entries)} entries")
    if broken:
        yield Check("ledger events", Level.FAILED, broken[0].message, "reconciler history --verify")
    else:
        yield Check("ledger events", Level.OK, "every event follows from the one before it")
    if unsettled:
        step = "reconciler plan shows what each needs"
        yield Check("unsettled", Level.WARNING, ", ".join(unsettled[:5]), step)
    if held is not None:
        step = "reconciler unlock" if held.expired else ""
        yield Check(
            "lock", Level.WARNING if held.expired else Level.OK, f"held by {held.owner} since {held.since}", step
        )
