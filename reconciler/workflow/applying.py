"""Takes the lock, plans, asks, carries out, and remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from reconciler import __version__, applier, planner, secrecy
from reconciler.diff import field_sealer
from reconciler.errors import LedgerError, PlanRefused
from reconciler.identity import is_owned, server_assigned_facts
from reconciler.kinds import approval, input_files, schedule, trigger
from reconciler.model import Action, Began, Entry, KindName, Outcome, Plan, Resource, Status
from reconciler.products import Products
from reconciler.render import Stamp, json_
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import Recorder, read_from, writing
from reconciler.workflow.reading import reading
from reconciler.workflow.setting import Intention, Setting
from reconciler.workflow.survey import Survey, make_survey

if TYPE_CHECKING:
    from reconciler.ledger import Lease, Ledger

HANDS = applier.Hands(schedule, input_files, approval, trigger)


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did; nothing, where `survey.refusals` says why. `declined`: a person was asked, and said no.

    `notes` is what whoever runs it should know besides.
    """

    survey: Survey
    result: applier.Result
    declined: bool = False
    notes: tuple[str, ...] = ()


class SavedUse(Protocol):
    """A saved plan that is about to be applied, once."""

    @property
    def digest(self) -> str: ...
    def require(self, survey: Survey) -> None: ...
    def use_up(self, survey: Survey) -> None: ...


def apply(
    setting: Setting,
    intention: Intention,
    *,
    confirm: Callable[[Survey], bool],
    tell: Callable[[Began | Outcome], None],
    saved: SavedUse | None = None,
    lock_timeout: float = 0.0,
) -> Applied:
    """Make live what the manifests say.

    `saved` is the saved plan that is applied, if one is; `confirm` is asked once, only when there is something to do;
    `tell` hears every event, one at a time. Raises Locked when somebody else is applying. A plan that a guard refuses
    is not carried out at all.
    """
    everything = intention.selection.is_everything and not intention.gone_agents
    with (
        reading(setting, everything=everything) as found,
        writing(setting, found.desired.project, lock_timeout) as (ledger, lease),
    ):
        found.products.write_under(lease.check)
        if saved is not None and ledger.is_plan_used(saved.digest):
            raise PlanRefused("this saved plan was used already", hint="make a new one with `plan --out FILE`")
        remembered = read_from(ledger)
        # What was seen before the lock was ours counts only if nobody applied meanwhile.
        seen = found.seen if remembered.memory == found.remembered.memory else {}
        survey = make_survey(setting, intention, found.desired, remembered, found.products, seen)
        if saved is not None:
            saved.require(survey)
        if survey.refusals:
            return Applied(survey, applier.Result(()))
        if survey.plan.changes and not confirm(survey):
            return Applied(survey, applier.Result(()), declined=True)
        return _Apply(setting, survey, found.products, ledger, lease, saved).run(tell)


@dataclass(frozen=True, slots=True)
class _Apply:
    """One apply, once it is allowed."""

    setting: Setting
    survey: Survey
    products: Products
    ledger: Ledger
    lease: Lease
    saved: SavedUse | None = None

    def run(self, tell: Callable[[Began | Outcome], None]) -> Applied:
        plan = self.survey.plan
        commit, digest = commit_of(self.setting.root), plan_digest(plan)
        self._accept_ledger()
        if rekeyed := self.survey.scene.identities.rekeyed:
            # Before anything else: what is written from here on stands at the addresses of today.
            self.ledger.rekey(self.lease, rekeyed)
        run = ""
        if plan.changes or self.saved is not None:
            run = self.ledger.begin_run(
                self.lease,
                commit=commit,
                plan_digest=digest if self.saved is None else self.saved.digest,
                command="destroy" if self.survey.scene.destroy else "apply",
                once=self.saved is not None,
            )
        if self.saved is not None:
            self.saved.use_up(self.survey)
        tools = self._tools(tell, _context(plan, commit, digest))
        result = applier.apply(plan, tools, as_of=self.survey.scene.as_of)
        if result.broken is None:
            try:
                self._conclude(run, result)
            except LedgerError as error:
                # What was done is recorded; that the run has ended is not, and is not claimed.
                result = replace(result, broken=error)
        return Applied(self.survey, result)

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
        scene = self.survey.scene
        if scene.memory.known:
            return
        loss = planner.loss_of(scene)
        if scene.accepts_new_ledger or loss is planner.Loss.NONE:
            self.ledger.accept(self.lease)
        elif loss is planner.Loss.CERTAIN and not scene.memory.lost:
            self.ledger.mark_lost(self.lease)

    def _tools(self, tell: Callable[[Began | Outcome], None], context: str) -> applier.Tools:
        scene, products = self.survey.scene, self.products
        kinds = {change.address.kind for change in self.survey.plan.changes if change.action.is_remote}
        kinds |= {change.address.kind for change in self.survey.plan.changes if change.after is not None}
        uses_acc = bool(kinds - {KindName.TRIGGER}) or any(change.agent_id for change in self.survey.plan.changes)
        uses_mft = KindName.TRIGGER in kinds
        project = scene.desired.project
        return applier.Tools(
            acc=products.acc if uses_acc else None,
            mft=products.mft if uses_mft else None,
            hands=HANDS,
            resources={resource.address: resource for resource in scene.desired.resources},
            entries=scene.memory.entries,
            ledger=Recorder(self.ledger, self.lease),
            seal=scene.seal,
            stop=self.setting.stop,
            tell=tell,
            clock=self.setting.clock,
            context=context,
            acc_concurrency=project.connections["acc"].concurrency if uses_acc else 1,
            mft_concurrency=project.connections["mft"].concurrency if uses_mft else 1,
            licence=self.survey.licence,
            ids_are_kept=any(
                is_owned(identity, project.name, project.environment)
                for view in scene.live.agents.values()
                for identity in view.schedules
            ),
            redact=products.redact,
        )

    def _verdict(self, result: applier.Result) -> str:
        if self.setting.stop.is_set():
            return "interrupted"
        return "applied" if all(one.status is Status.APPLIED for one in result.outcomes) else "in part"

    def _left_behind(self, result: applier.Result) -> Iterator[str]:
        """Paths of agents whose document is gone and where nothing of ours is left: no need to look there again."""
        scene = self.survey.scene
        project = scene.desired.project
        declared = {agent.path for agent in scene.desired.agents}
        gone = {
            one.change.identity
            for one in result.outcomes
            if one.status is Status.APPLIED and one.change.action is Action.DELETE
        }
        kept = {entry.identity for entry in scene.memory.entries.values()} - gone
        seen = {view.agent_id for view in scene.live.agents.values() if not view.problem}
        yield from sorted(scene.gone_agents)
        for path in sorted(set(scene.agent_paths) - declared - scene.gone_agents):
            view = scene.live.agents.get(path)
            if view is None and scene.memory.agent_ids.get(path) in seen:
                yield path  # the agent is at another path now
            if view is None or view.problem or scene.selected is not None:
                continue
            ours = [one for one in view.schedules if is_owned(one, project.name, project.environment) or one in kept]
            if all(one in gone for one in ours):
                yield path

    def _refreshed(self) -> Iterator[Entry]:
        """Entries of what needed no change, where the manifest's words, its protection or its place have moved on."""
        scene = self.survey.scene
        touched = {change.address for change in self.survey.plan.changes}
        touched |= {blocked.address for blocked in self.survey.plan.blocked}
        hidden, digest_of = planner.secrecy(scene), field_sealer(scene.seal)
        for resource in scene.desired.resources:
            known = scene.memory.entries.get(resource.address)
            if known is None or scene.destroy or resource.address in touched or not known.settled:
                continue
            if scene.selected is not None and resource.address not in scene.selected:
                continue
            fresh = self._as_remembered(resource, known, hidden, digest_of)
            if fresh != known:
                yield fresh

    def _as_remembered(
        self, resource: Resource, known: Entry, hidden: secrecy.Secrecy, digest_of: Callable[[str, str], str]
    ) -> Entry:
        scene = self.survey.scene
        declared, applied, facts = known.declared, known.applied, known.facts
        if resource.address.kind is KindName.SCHEDULE:
            live = scene.live.agents[resource.agent_path].schedules[resource.identity]
            desired, state = schedule.desired_state(resource.spec), schedule.live_state(live)
            declared = scene.seal(dict(schedule.meaning(desired)))
            kept = secrecy.settled_facts(hidden.paths(resource.identity), resource, state, known.facts)
            facts = {
                **kept,
                **schedule.memo(state, desired, resource.moved_from),
                **server_assigned_facts(
                    known.facts, live=scene.live.agents[resource.agent_path].schedules, identity=resource.identity
                ),
            }
            applied = {field: digest_of(field, text) for field, text in schedule.meaning(state).items()}
        elif resource.address.kind is KindName.INPUT_FILES and scene.contents[resource.address]["enabled"] is not False:
            facts = input_files.facts(scene.contents[resource.address], known)
        return Entry(
            address=resource.address,
            identity=resource.identity,
            agent_path=resource.agent_path,
            declared=declared,
            applied=applied,
            settled=True,
            protect=resource.protect,
            adopted=resource.adopted,
            needs=resource.needs,
            facts=facts,
            at=known.at,
            agent_id=known.agent_id,
            known_as=known.known_as,
        )


def plan_digest(plan: Plan) -> str:
    """The digest that the plan's JSON document carries."""
    stamp = Stamp(__version__, plan.project, plan.environment, "")
    return str(json_.plan_document(plan, stamp)["digest"])


def _context(plan: Plan, commit: str, digest: str) -> str:
    """What ACC's file log is told, so that an entry there leads back to a commit and a plan."""
    where = f"reconciler {plan.project}/{plan.environment}"
    return f"{where}, commit {commit[:12] or 'unknown'}, plan {digest[:19]}"
