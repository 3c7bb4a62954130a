"""What the project file says: connections, policy, blackouts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct


class Connection(Struct, frozen=True):
    """How to reach one product. `settings` are its own keys (`token`, or `tenantId`, `keyId`, `privateKey`).

    `rate` is in requests per second (None: no limit), `timeout` in seconds. `open_files` are those that a credential
    came from and others than their owner may read, as a shell takes their paths.
    """

    name: str
    url: str
    settings: Mapping[str, str]
    concurrency: int = 8
    rate: float | None = None
    timeout: float = 30.0
    ca_bundle: str | None = None
    allow_insecure: bool = False
    open_files: tuple[str, ...] = ()


class Policy(Struct, frozen=True):
    """What a plan may do. `max_deletes` is a number, or a share such as 0.3 when `max_deletes_is_share`."""

    prune: str = "owned"
    max_deletes: float = 0.3
    max_deletes_is_share: bool = True


class Blackout(Struct, frozen=True):
    """Times in which schedules should not run, on the clock of `time_zone`. With `blocks` they refuse a plan.

    `period` is from a local time up to another; else each time of `cron` begins one of `duration_seconds`. `only` and
    `exclude` are patterns over addresses.
    """

    name: str
    time_zone: str
    blocks: bool = False
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    period: tuple[datetime, datetime] | None = None
    cron: str = ""
    duration_seconds: float = 0.0


class Project(Struct, frozen=True):
    """The project file, resolved for one environment. `root` is the folder of `reconciler.yaml`.

    `environments` are the names of all that the file declares.
    """

    name: str
    environment: str
    root: Path
    connections: Mapping[str, Connection]
    ledger: str
    policy: Policy
    environments: tuple[str, ...] = ()
    blackouts: tuple[Blackout, ...] = ()
