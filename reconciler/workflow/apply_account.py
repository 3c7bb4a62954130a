"""What is known of one apply while it goes on, so that it can be told of however it ends."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from reconciler.clock import at_text
from reconciler.errors import ManifestError, ReconcilerError, internal_error_text
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.outcome import ApplyBegan, ApplyEvent, ApplyReport, Began, Ending, Outcome, RunRecord, Span
from reconciler.model.plan import Plan
from reconciler.render.reasons import words
from reconciler.workflow.applying import Applied, plan_digest
from reconciler.workflow.context import CommandContext
from reconciler.workflow.git import commit_of
from reconciler.workflow.memory import this_owner


class ApplyAccount(Struct):
    """Listens to an apply from when it is asked for. Events come from many threads, each about a change of its own.

    `plan` is what is being applied; None while nothing is.
    """

    context: CommandContext
    command: str
    started: str = ""
    plan: Plan | None = None
    began: dict[Address, float] = field(default_factory=dict)
    ended: dict[Address, float] = field(default_factory=dict)
    outcomes: dict[Address, Outcome] = field(default_factory=dict)
    _since: float = 0.0

    def __post_init__(self) -> None:
        self.started, self._since = at_text(self.context.clock()), self.context.clock.monotonic()

    def hearing(self, tell: Callable[[ApplyEvent], None]) -> Callable[[ApplyEvent], None]:
        """`tell`, and this account as well."""

        def heard(event: ApplyEvent) -> None:
            moment = self._now()
            match event:
                case ApplyBegan(plan=plan):
                    self.plan = plan
                case Began(change=change):
                    self.began.setdefault(change.address, moment)
                case Outcome(change=change):
                    self.ended[change.address], self.outcomes[change.address] = moment, event
            tell(event)

        return heard

    def of_applied(self, done: Applied) -> ApplyReport:
        """How an apply ended that came back."""
        said = [(f"{words(one.why)} [{one.code}]", "") for one in done.planned.refusals]
        if done.result.broken is not None:
            said.append((done.result.broken.message, done.result.broken.hint))
        if done.declined:
            ending = Ending.DECLINED
        elif done.planned.refusals:
            ending = Ending.REFUSED
        elif self.context.stop.is_set():
            ending = Ending.INTERRUPTED
        else:
            ending = Ending.FINISHED if done.result.broken is None else Ending.BROKEN
        report = self._report(done.planned.plan, ending, tuple(said))
        return replace(report, outcomes=done.result.outcomes)

    def of_error(self, error: BaseException, project: str, environment: str) -> ApplyReport:
        """How one ended that did not come back: nothing may have been done yet, or a second interruption cut it off."""
        is_interrupted = self.context.stop.is_set() or isinstance(error, KeyboardInterrupt)
        ending = Ending.INTERRUPTED if is_interrupted else Ending.BROKEN if self.began else Ending.REFUSED
        return self._report(self.plan or Plan(project, environment), ending, _told(error))

    def _report(self, plan: Plan, ending: Ending, said: tuple[tuple[str, str], ...]) -> ApplyReport:
        context = self.context
        run = RunRecord(
            id="",
            owner=this_owner(context),
            commit=commit_of(context.root),
            plan_digest=plan_digest(plan) if plan.changes else "",
            command=self.command,
            started=self.started,
            finished=at_text(context.clock()),
            result=ending.value,
        )
        spans = {address: Span(began, self.ended.get(address)) for address, began in self.began.items()}
        outcomes = tuple(self.outcomes[address] for address in sorted(self.outcomes))
        return ApplyReport(plan, run, ending, outcomes, spans, self._now(), said)

    def _now(self) -> float:
        return round(self.context.clock.monotonic() - self._since, 3)


def _told(error: BaseException) -> tuple[tuple[str, str], ...]:
    if isinstance(error, ManifestError):
        return tuple((f"{one.path}:{one.line}: {one.message}", "") for one in error.problems)
    if isinstance(error, ReconcilerError):
        return ((error.message, error.hint),)
    if isinstance(error, KeyboardInterrupt):
        return ()
    return ((f"internal error: {internal_error_text(error)}", "run it again with -v, and report what it prints"),)
