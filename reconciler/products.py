"""The clients of one project, opened when first used and closed together."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from reconciler.errors import UsageError
from reconciler.model import Connection, Project

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient
    from reconciler.clients.mft import MftClient


class Products:
    """`acc` and `mft` for a project. Raises UsageError where the project file has no such connection."""

    def __init__(self, project: Project, secrets: frozenset[str], stop: threading.Event) -> None:
        self._project = project
        self._secrets = secrets
        self._stop = stop
        self._acc: AccClient | None = None
        self._mft: MftClient | None = None
        self._close: list[Any] = []

    def __enter__(self) -> Products:
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._close:
            session.close()

    def connection(self, name: str) -> Connection:
        """The connection of this name. Raises UsageError."""
        found = self._project.connections.get(name)
        if found is None:
            hint = f"add `connections.{name}` to reconciler.yaml"
            raise UsageError(f"the project has no connection {name!r}, and a manifest needs it", hint=hint)
        return found

    @property
    def acc(self) -> AccClient:
        if self._acc is None:
            from reconciler.clients import open_acc

            self._acc = open_acc(self.connection("acc"), self._secrets, interrupted=self._stop)
            self._close.append(self._acc)
        return self._acc

    @property
    def mft(self) -> MftClient:
        if self._mft is None:
            from reconciler.clients import open_mft

            self._mft = open_mft(self.connection("mft"), self._secrets, interrupted=self._stop)
            self._close.append(self._mft)
        return self._mft
