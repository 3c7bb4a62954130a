"""What the manifests say: resources and agents, and what is wrong in the files."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic

from msgspec import Struct

from reconciler.model.address import Address, Origin
from reconciler.model.project import Project
from reconciler.model.state import S_co


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Problem(Struct, frozen=True, order=True):
    """One thing that is wrong or doubtful in the files, with the next step in `message`."""

    path: str
    line: int
    column: int
    address: str
    code: str
    message: str
    severity: Severity = Severity.ERROR


class Resource(Struct, Generic[S_co], frozen=True):
    """One thing that the manifests declare: its `state` is what shall be, and holds what the block sets.

    `agent_path` is the agent's path in the ACC repository ("" for a trigger). `identity` is the id that the live
    schedule has or will have; `adopted` when the manifest names that id itself. `secrets` are paths
    (`inputParameters.password`) whose values are never shown. `moved_from` is the name that a schedule had before
    (`movedFrom`). `known_as` is the address that triggers know it by, where that is another one than its own.
    `inherited` says where each field stands that it has from a template or from defaults.
    """

    address: Address
    state: S_co
    origin: Origin
    agent_path: str = ""
    identity: str = ""
    adopted: bool = False
    protect: bool = False
    needs: tuple[Address, ...] = ()
    secrets: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    moved_from: str = ""
    known_as: str = ""
    inherited: Mapping[str, Origin] = {}


class Agent(Struct, frozen=True):
    """One `Agent` document: the handle used in addresses, and the path that ACC knows.

    `moved_from` is the handle, `path_before` the path that it had before, where the document says so (`movedFrom`).
    """

    handle: str
    path: str
    origin: Origin
    labels: Mapping[str, str] = {}
    moved_from: str = ""
    path_before: str = ""


class Desired(Struct, frozen=True):
    """All that the manifests say: resources sorted by address, and the warnings found on the way.

    `secret_values` are the strings that must never be printed, wherever they turn up. `templates` are the names of
    those that blocks may use.
    """

    project: Project
    agents: tuple[Agent, ...]
    resources: tuple[Resource, ...]
    problems: tuple[Problem, ...] = ()
    secret_values: frozenset[str] = frozenset()
    templates: tuple[str, ...] = ()
