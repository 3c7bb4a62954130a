"""The clients of one project, each opened when it is first used, and closed together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import KW_ONLY, InitVar, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.errors import UsageError
from reconciler.kind import Product
from reconciler.model.project import Connection, Project

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient
    from reconciler.clients.calls import SessionOptions
    from reconciler.clients.mft import MftClient


@dataclass(eq=False, repr=False)
class Products(AbstractContextManager["Products"]):
    """`acc` and `mft` for a project. Raises UsageError where the project file has no such connection.

    With `awaits_manifests` no error is worded until `hide` told what the manifests make secret: half of a secret that
    was cut, or one whose white space was collapsed, cannot be found any more.
    """

    _project: Project
    _secrets: frozenset[str]
    _stop: threading.Event
    _clock: Clock
    _: KW_ONLY
    awaits_manifests: InitVar[bool] = False

    def __post_init__(self, awaits_manifests: bool) -> None:
        self._guard = threading.Lock()
        self._all_known = threading.Event()
        if not awaits_manifests:
            self._all_known.set()
        self._opened = ExitStack()
        self._redact: Callable[[str], str] | None = None
        self._require_lease: Callable[[], None] = lambda: None

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def hide(self, secrets: frozenset[str]) -> None:
        """Never print these values either, from now on."""
        with self._guard:
            if not secrets <= self._secrets:
                self._secrets |= secrets
                self._redact = None
        self._all_known.set()

    def write_under(self, require_lease: Callable[[], None]) -> None:
        """From now on ask before every attempt that could change something; what is raised ends it."""
        self._require_lease = require_lease

    def _before_write(self) -> None:
        self._require_lease()

    def redact(self, text: str) -> str:
        """A text without the secrets that are known so far."""
        self._all_known.wait()
        with self._guard:
            if self._redact is None:
                from reconciler.clients.redaction import Redactor

                self._redact = Redactor(self._secrets)
            redact = self._redact
        return redact(text)

    def connection(self, name: str) -> Connection:
        """The connection of this name. Raises UsageError."""
        found = self._project.connections.get(name)
        if found is None:
            raise UsageError(
                f"the project has no connection {name!r}", hint=f"add `connections.{name}` to reconciler.yaml"
            )
        return found

    @cached_property
    def acc(self) -> AccClient:
        from reconciler.clients import acc

        client = acc.connect(self.connection("acc"), self._options())
        self._opened.enter_context(client.session)
        return client

    @cached_property
    def mft(self) -> MftClient:
        from reconciler.clients import mft

        client = mft.connect(self.connection("mft"), self._options())
        self._opened.enter_context(client.session)
        return client

    def _options(self) -> SessionOptions:
        from reconciler.clients.calls import SessionOptions

        return SessionOptions(
            clock=self._clock,
            redact=self.redact,
            interrupted=self._stop,
            before_write=self._before_write,
        )

    def client(self, product: Product) -> AccClient | MftClient:
        """The client of a product."""
        return self.acc if product is Product.ACC else self.mft
