"""The runs of a project and environment: written down when they begin and when they end, and read for `history`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.diff import canonical_json
from reconciler.errors import PlanRefused
from reconciler.ledger import statements
from reconciler.ledger.database import Connection, Row, Value
from reconciler.ledger.records import Note, Owner, RunRecord
from reconciler.ledger.scope import Scope
from reconciler.model import JSON


def begin(scope: Scope, connection: Connection, run: RunRecord) -> None:
    """Write down that a run starts. The scope must be locked."""
    number = int(scope.meta(connection, "last_run") or 0) + 1
    scope.put_meta(connection, {"last_run": str(number)})
    owner = run.owner
    row: dict[str, Value] = {"number": number, "id": run.id, "ci_link": owner.ci_link, "started": run.started}
    row |= {"owner_user": owner.user, "owner_host": owner.host, "owner_pid": owner.pid, "source_commit": run.commit}
    row |= {"plan_digest": run.plan_digest, "command": run.command, "finished": "", "result": "", "summary": "{}"}
    scope.write(connection, statements.PUT_RUN, row)
    body = {"command": run.command, "commit": run.commit, "plan_digest": run.plan_digest}
    body |= {"user": owner.user, "host": owner.host}
    scope.append(connection, [Note(run.started, run.id, "run-began", "", body)])


def use_plan(scope: Scope, connection: Connection, run: RunRecord) -> None:
    """Use the saved plan of this run up. Raises PlanRefused when it was used already."""
    if scope.select(connection, statements.USED_PLAN, plan_digest=run.plan_digest):
        raise PlanRefused("this saved plan was used already", hint="make a new one with `reconciler plan --out FILE`")
    used = {"plan_digest": run.plan_digest, "run": run.id, "at": run.started}
    scope.write(connection, statements.USE_PLAN, used)


def end(scope: Scope, connection: Connection, run: str, at: str, result: str, summary: Mapping[str, JSON]) -> None:
    """Write down how a run ended. The scope must be locked."""
    row = {"run": run, "finished": at, "result": result, "summary": canonical_json(dict(summary))}
    scope.write(connection, statements.END_RUN, row)
    scope.append(connection, [Note(at, run, "run-ended", "", {"result": result, "summary": dict(summary)})])


def run_of(row: Row) -> RunRecord:
    """A run from a row of `statements.RUNS`."""
    run, user, host, pid, ci_link, commit, plan_digest, command, started, finished, result, summary = row
    counts = json.loads(summary) if finished else None
    owner = Owner(user, host, pid, ci_link)
    return RunRecord(run, owner, commit, plan_digest, command, started, finished, result, counts)
