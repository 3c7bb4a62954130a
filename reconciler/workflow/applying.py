"""Takes the lock, plans, asks, carries out, and remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler import __version__, applier, planner, secrecy
from reconciler.diff import field_sealer
from reconciler.errors import Interrupted, LedgerError, PlanRefused
from reconciler.identity import is_owned
from reconciler.kind import AttestedKind, ObservedKind
from reconciler.kinds.registry import KINDS
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.outcome import ApplyEvent, Status
from reconciler.model.plan import Action, Plan
from reconciler.model.resource import Resource
from reconciler.observe import has_active_run
from reconciler.products import Products
from reconciler.render import Stamp, json_
from reconciler.render.wording import short_commit
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import Recorder, read_from, writing
from reconciler.workflow.planning import Planned, decide
from reconciler.workflow.reading import reading

if TYPE_CHECKING:
    from reconciler.ledger import Lease, Ledger
    from reconciler.workflow.saved import SavedUse


class Applied(Struct, frozen=True):
    """What an apply did; nothing, where `planned.refusals` says why. `declined`: a person was asked, and said no.

    `notes` is what whoever runs it should know besides.
    """

    planned: Planned
    result: applier.Result
    declined: bool = False
    notes: tuple[str, ...] = ()


def apply(
    context: CommandContext,
    options: PlanOptions,
    *,
    confirm: Callable[[Planned], bool],
    tell: Callable[[ApplyEvent], None],
    saved: SavedUse | None = None,
    lock_timeout: float = 0.0,
) -> Applied:
    """Make live what the manifests say.

    `saved` is the saved plan that is applied, if one is; `confirm` is asked once, only when there is something to do;
    `tell` hears every event, one at a time. Raises Locked when somebody else is applying, Interrupted while nothing was
    done. A plan that a guard refuses is not carried out at all.
    """
    everything = options.selection.is_everything and not options.gone_agents
    with (
        reading(context, everything=everything) as found,
        writing(context, found.desired.project, lock_timeout, tell) as (ledger, lease),
    ):
        found.products.write_under(lease.check)
        if saved is not None:
            require_unused(ledger, saved.digest)
        remembered = read_from(ledger)
        # What was seen before the lock was ours counts only if nobody applied meanwhile.
        seen = found.seen if remembered.memory == found.remembered.memory else {}
        planned = decide(context, options, replace(found, remembered=remembered, seen=seen))
        if context.stop.is_set():
            raise Interrupted("interrupted while reading; nothing was done")
        if saved is not None:
            saved.require(planned)
        if planned.refusals:
            return Applied(planned, applier.Result(()))
        if planned.plan.changes and not confirm(planned):
            return Applied(planned, applier.Result(()), declined=True)
        return _Apply(context, planned, found.products, ledger, lease, saved).run(tell)


class _Apply(Struct, frozen=True):
    """One apply, once it is allowed."""

    context: CommandContext
    planned: Planned
    products: Products
    ledger: Ledger
    lease: Lease
    saved: SavedUse | None = None

    def run(self, tell: Callable[[ApplyEvent], None]) -> Applied:
        plan = self.planned.plan
        commit, digest = commit_of(self.context.root), plan_digest(plan)
        self._accept_ledger()
        if rekeyed := self.planned.inputs.identities.rekeyed:
            # Before anything else: what is written from here on stands at the addresses of today.
            self.ledger.rekey(self.lease, rekeyed)
        run = ""
        if plan.changes or self.saved is not None:
            run = self.ledger.begin_run(
                self.lease,
                commit=commit,
                plan_digest=digest if self.saved is None else self.saved.digest,
                command="destroy" if self.planned.inputs.destroy else "apply",
                once=self.saved is not None,
            )
        if self.saved is not None:
            self.saved.use_up(self.planned)
        apply_context = self._apply_context(tell, _log_words(plan, commit, digest))
        result = applier.apply(plan, apply_context, as_of=self.planned.inputs.as_of)
        if result.broken is None:
            try:
                self._conclude(run, result)
            except LedgerError as error:
                # What was done is recorded; that the run has ended is not, and is not claimed.
                result = replace(result, broken=error)
        return Applied(self.planned, result)

    def _conclude(self, run: str, result: applier.Result) -> None:
        """Write down what went on beside the changes, and how the run ended."""
        if fresh := tuple(self._refreshed()):
            self.ledger.put(self.lease, *fresh)
        for path in self._left_behind(result):
            self.ledger.forget_agent(self.lease, path)
        if run:
            counts = Counter(outcome.status.value for outcome in result.outcomes)
            self.ledger.end_run(self.lease, run, result=self._verdict(result), summary=dict(sorted(counts.items())))

    def _accept_ledger(self) -> None:
        """Take an empty ledger as the one to go by, before anything is written into it: new, or said to be accepted.

        One that was lost stays so until somebody accepts it, however much is learnt of schedules meanwhile.
        """
        inputs = self.planned.inputs
        if inputs.memory.known:
            return
        loss = planner.loss_of(inputs)
        if inputs.accepts_new_ledger or loss is planner.LedgerLoss.NONE:
            self.ledger.accept(self.lease)
        elif loss is planner.LedgerLoss.CERTAIN and not inputs.memory.lost:
            self.ledger.mark_lost(self.lease)

    def _apply_context(self, tell: Callable[[ApplyEvent], None], log_words: str) -> applier.ApplyContext:
        inputs, products = self.planned.inputs, self.products
        project = inputs.desired.project
        in_use = [one for one in self.planned.plan.changes if one.action.is_remote or one.after is not None]
        used = sorted({KINDS[one.address.kind].product for one in in_use})
        return applier.ApplyContext(
            kinds=KINDS,
            clients={product: products.client(product) for product in used},
            concurrency={product: project.connections[product.value].concurrency for product in used},
            resources={resource.address: resource for resource in inputs.desired.resources},
            entries=inputs.memory.entries,
            ledger=Recorder(self.ledger, self.lease),
            seal=inputs.seal,
            stop=self.context.stop,
            tell=tell,
            clock=self.context.clock,
            log_words=log_words,
            is_busy=lambda agent_id: has_active_run(products.acc, agent_id),
            licence=self.planned.licence,
            ids_are_kept=any(
                is_owned(identity, project.name, project.environment)
                for view in inputs.live.agents.values()
                for identity in view.identities
            ),
            redact=products.redact,
        )

    def _verdict(self, result: applier.Result) -> str:
        if self.context.stop.is_set():
            return "interrupted"
        return "applied" if all(one.status is Status.APPLIED for one in result.outcomes) else "in part"

    def _left_behind(self, result: applier.Result) -> Iterator[str]:
        """Paths of agents whose document is gone and where nothing of ours is left: no need to look there again."""
        inputs = self.planned.inputs
        project = inputs.desired.project
        declared = {agent.path for agent in inputs.desired.agents}
        gone = {
            one.change.identity
            for one in result.outcomes
            if one.status is Status.APPLIED and one.change.action is Action.DELETE
        }
        kept = {entry.identity for entry in inputs.memory.entries.values()} - gone
        seen = {view.agent_id for view in inputs.live.agents.values() if not view.problem}
        yield from sorted(inputs.gone_agents)
        for path in sorted(set(inputs.agent_paths) - declared - inputs.gone_agents):
            view = inputs.live.agents.get(path)
            if view is None and inputs.memory.agent_ids.get(path) in seen:
                yield path  # the agent is at another path now
            if view is None or view.problem or inputs.selected is not None:
                continue
            ours = [one for one in view.identities if is_owned(one, project.name, project.environment) or one in kept]
            if all(one in gone for one in ours):
                yield path

    def _refreshed(self) -> Iterator[Entry]:
        """Entries of what needed no change, where the manifest's words, its protection or its place have moved on."""
        inputs = self.planned.inputs
        touched = {change.address for change in self.planned.plan.changes}
        touched |= {blocked.address for blocked in self.planned.plan.blocked}
        hidden, digest_of = planner.secrecy(inputs), field_sealer(inputs.seal)
        for resource in inputs.desired.resources:
            known = inputs.memory.entries.get(resource.address)
            if known is None or inputs.destroy or resource.address in touched or not known.settled:
                continue
            if inputs.selected is not None and resource.address not in inputs.selected:
                continue
            fresh = self._as_remembered(resource, known, hidden, digest_of)
            if fresh != known:
                yield fresh

    def _as_remembered(
        self, resource: Resource, known: Entry, hidden: secrecy.Secrecy, digest_of: Callable[[str, str], str]
    ) -> Entry:
        inputs, kind = self.planned.inputs, KINDS[resource.address.kind]
        declared, applied, memo = known.declared, known.applied, known.memo
        if isinstance(kind, ObservedKind):
            view = inputs.live.agents[resource.agent_path]
            state = view.of(kind.name)[resource.identity].state
            assert state is not None
            declared = kind.declared(resource.state, inputs.seal)
            identity, live = resource.identity, view.of(kind.name)
            memo = secrecy.memo_reached(
                kind, state, resource, known.memo, identity=identity, live=live, paths=hidden.paths(identity)
            )
            applied = {path: digest_of(path, text) for path, text in kind.meaning(state).items()}
        elif isinstance(kind, AttestedKind):
            memo = kind.refreshed(resource.state, known)
        return replace(
            known,
            identity=resource.identity,
            agent_path=resource.agent_path,
            declared=declared,
            applied=applied,
            settled=True,
            memo=memo,
            protect=resource.protect,
            adopted=resource.adopted,
            needs=resource.needs,
        )


def require_unused(ledger: Ledger, digest: str) -> None:
    """Raises PlanRefused when the ledger knows that the saved plan with this digest was used."""
    if digest and ledger.is_plan_used(digest):
        raise PlanRefused("this saved plan was used already", hint="make a new one with `plan --out FILE`")


def plan_digest(plan: Plan) -> str:
    """The digest that the plan's JSON document carries."""
    stamp = Stamp(__version__, plan.project, plan.environment, "")
    return str(json_.plan_document(plan, stamp)["digest"])


def _log_words(plan: Plan, commit: str, digest: str) -> str:
    """What ACC's file log is told, so that an entry there leads back to a commit and a plan."""
    where = f"reconciler {plan.project}/{plan.environment}"
    return f"{where}, commit {short_commit(commit)}, plan {digest[:19]}"
