"""Where a command runs, and what it is for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field

from reconciler.clock import MACHINE, Clock
from reconciler.selection import Selection


class CommandContext(Struct, frozen=True):
    """Where a command runs: the project's folder, the chosen environment, and the world around.

    `progress` is told what is being done, how much of it is done, and how much there is.
    """

    root: Path
    environment: str | None
    environ: Mapping[str, str]
    clock: Clock = MACHINE
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[str, int, int], None] = lambda *_: None


class PlanOptions(Struct, frozen=True):
    """What a plan is for: which resources, and what is allowed this once.

    `gone_agents` are paths of agents that are gone from ACC for good, as `--forget-agent` says. `resend` are
    patterns over the addresses of what is to be sent, or started, once more.
    """

    selection: Selection = field(default_factory=Selection)
    max_deletes: int | None = None
    accepts_new_ledger: bool = False
    destroy: bool = False
    gone_agents: tuple[str, ...] = ()
    resend: tuple[str, ...] = ()
