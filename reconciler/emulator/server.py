"""Serves both products over real HTTP on loopback.

aiohttp's low-level server on uvloop carries it, with a router of our own: it answers some ten thousand listings a
second on one core, and its transport can be closed before or after a request took effect, which the faults need.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

from reconciler.clock import MACHINE
from reconciler.emulator.acc_api import AccApi, refusal_reply
from reconciler.emulator.acc_state import Token
from reconciler.emulator.admin import Admin
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.injected_faults import Fault, fault_from, spoiled
from reconciler.emulator.mft_api import MftApi
from reconciler.emulator.reception import Reception
from reconciler.emulator.reply import Call, DelayedReply, Refusal, Reply
from reconciler.emulator.request_log import Request, RequestLog
from reconciler.emulator.state_file import from_document, load, to_document
from reconciler.emulator.switches import Switches
from reconciler.errors import UsageError
from reconciler.model.state import JSON

if TYPE_CHECKING:
    from aiohttp import web

DEFAULT_TOKEN = "emulator-token"  # noqa: S105  (it guards nothing)
_POLL_SECONDS = 0.01
_CLOSING_SECONDS = 5.0
_TURNS = 5
_SILENT = logging.getLogger("reconciler.emulator")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class Emulator:
    """Both products on one loopback port, in a thread of this process; a context manager.

    `state` is an estate, a state file, or None for an empty one. `latency` is in seconds and added to each reply;
    `faults` are `Fault`s, lines of the fault grammar, or plain data; `clock` returns the aware time that the products
    believe in; `failures` are the emulator's own mistakes, which it answers with 500. An estate without tokens is given
    one that may write, `DEFAULT_TOKEN`.
    """

    def __init__(
        self,
        state: Estate | Path | None = None,
        *,
        port: int = 0,
        latency: float = 0.0,
        faults: Iterable[Fault | str | Mapping[str, JSON]] = (),
        switches: Switches = Switches(),  # noqa: B008  (frozen)
        log: Path | None = None,
        clock: Callable[[], datetime] = MACHINE,
    ) -> None:
        self.estate = load(state) if isinstance(state, Path) else state or Estate()
        if not self.estate.tokens:
            self.estate.add_token(Token(DEFAULT_TOKEN))
        self.switches = switches
        self.latency = latency
        self.clock = clock
        self.faults: list[Fault] = []
        for fault in faults:
            self.inject(fault)
        self.acc = AccApi(self.estate, switches)
        self.mft = MftApi(self.estate, switches)
        self.admin = Admin(self)
        self.failures: list[BaseException] = []
        self._reception = Reception(switches)
        self.port = port
        self._log = RequestLog(log)
        self._numbers = itertools.count(1)
        if self.estate.tenant:
            self.estate.tenant.licence.begin(clock())
        self._opening = zlib.compress(json.dumps(to_document(self.estate)).encode(), 1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._served = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """A token that may write."""
        return next(token.value for token in self.estate.tokens.values() if not token.read_only)

    @property
    def requests(self) -> list[Request]:
        """All that was asked of the two products, in order; calls under /_emulator are not among them."""
        return list(self._log.kept)

    def clear_requests(self) -> None:
        self._log.kept.clear()

    def inject(self, fault: Fault | str | Mapping[str, JSON]) -> Fault:
        """Let something go wrong from now on. Its matches are counted from here."""
        made = fault if isinstance(fault, Fault) else fault_from(fault)
        self.faults = [*self.faults, made]
        return made

    def clear_faults(self) -> None:
        self.faults = []

    def reset(self) -> None:
        """Go back to the state that this emulator was made with; faults and requests are forgotten, keys are not."""
        keys = self.estate.tenant.keys if self.estate.tenant else {}
        self.estate.become(from_document(json.loads(zlib.decompress(self._opening))))
        if self.estate.tenant:
            self.estate.tenant.keys.update(keys)
        self.clear_faults()
        self.clear_requests()

    def start(self) -> None:
        """Listen. Returns when connections are accepted; raises OSError when the port is taken."""
        ready = threading.Event()
        self._served.clear()
        self._log.open()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="emulator", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            self._thread.join()
            self._log.close()
            raise self._failure

    def stop(self) -> None:
        """Close everything; harmless when it is closed already."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop is gone already
            self._loop.call_soon_threadsafe(self._stopping.set)
        # All is answered then. That uvloop never came back from closing its loop was seen once in some hundred times,
        # when a client had just hung up: nobody has to wait for that.
        self._served.wait()
        self._thread.join(_CLOSING_SECONDS)
        self._thread = None
        self._log.close()

    def _run(self, ready: threading.Event) -> None:
        try:
            with asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._serve(ready))
        except BaseException as error:  # handed to the thread that called start
            self._failure = error
            ready.set()
        finally:
            self._served.set()

    async def _serve(self, ready: threading.Event) -> None:
        try:
            from aiohttp import web
        except ImportError as error:
            raise UsageError(
                "the emulator needs aiohttp, which is not installed", hint="pip install 'acc-mft-reconciler[emulator]'"
            ) from error
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._loop.set_exception_handler(lambda loop, context: self._fail(context.get("exception")))
        server = web.Server(self._handle, access_log=None, logger=_SILENT)
        listener = await self._loop.create_server(server, "127.0.0.1", self.port, backlog=1024)
        self.port = listener.sockets[0].getsockname()[1]
        ready.set()
        await self._stopping.wait()
        listener.close()
        # A connection that was being accepted appears within the next turns of the loop, and aiohttp forgets whatever
        # appears while it closes the others. One left open would keep uvloop from closing its loop.
        while True:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if not server.connections:
                break
            await server.shutdown(0.1)
        await listener.wait_closed()
        self._served.set()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        from aiohttp import web

        try:
            return await self._answer(request, time.perf_counter())
        except Exception as error:  # the emulator's own mistake: told to whoever asks `failures`, not to the terminal
            self._fail(error)
            return web.Response(status=500, text=f"The emulator has a mistake: {type(error).__name__}: {error}")

    def _fail(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, ConnectionError):
            self.failures.append(error)

    async def _answer(self, request: web.BaseRequest, began: float) -> web.StreamResponse:
        from aiohttp import web

        fault, is_refused, is_lost = None, False, False
        try:
            call = await self._reception.receive(request, self.clock)
        except Refusal as refusal:
            is_refused = True
            number = next(self._numbers)
            call = Call(request.method, request.raw_path, {}, request.headers, b"", self.clock())
            reply = refusal_reply(refusal, self.switches.error_body, call.now)
        else:
            if call.path.startswith("/_emulator"):
                reply = self.admin.answer(call)
                return web.Response(body=reply.body, status=reply.status, headers={"Content-Type": reply.content_type})
            number = next(self._numbers)
            fault = self._struck(call.method, unquote(request.raw_path)) if self.faults else None
            if self.latency:
                await asyncio.sleep(self.latency)
            reply = await self._reply(call, fault)
            is_lost = fault is not None and fault.effect in ("drop-before", "drop-after", "cut")
        self._note(call, request.raw_path, reply, number=number, began=began, fault=fault, is_lost=is_lost)
        if is_lost:
            _hang_up(request, half_of=reply if fault is not None and fault.effect == "cut" else None)
            return web.Response()
        response = web.Response(body=reply.body, status=reply.status, headers=_headers(reply, call.now))
        if is_refused:
            response.force_close()  # what is left of the request is nobody's
        return response

    def _note(
        self, call: Call, raw: str, reply: Reply, *, number: int, began: float, fault: Fault | None, is_lost: bool
    ) -> None:
        """Enter a request into the log, with its target as it was written."""
        path, _, query = (raw if raw.isascii() else raw.encode("utf-8", "replace").decode()).partition("?")
        self._log.add(
            Request(
                number,
                call.now,
                call.method,
                path,
                query,
                0 if is_lost else reply.status,
                reply.effect,
                str(fault or ""),
                (time.perf_counter() - began) * 1000,
                len(call.body),
                "sha256:" + hashlib.sha256(call.body).hexdigest() if call.body else "",
            )
        )

    async def _reply(self, call: Call, fault: Fault | None) -> Reply:
        """What is answered in the end, with what went wrong on the way."""
        if fault is None:
            return await self._work(call)
        if fault.effect == "sleep":
            await asyncio.sleep(fault.seconds)
            call.now = self.clock()
        reply = await self._work(call) if fault.took_effect else Reply()
        return spoiled(fault, reply, retry_after=self.switches.retry_after, now=call.now)

    async def _work(self, call: Call) -> Reply:
        try:
            self._reception.admit(call)
            product = self.mft if call.path.startswith("/v1/") else self.acc
            answer = product.answer(call)
            if not isinstance(answer, DelayedReply):
                return answer
            while (now := self.clock()) < answer.at:
                await asyncio.sleep(_POLL_SECONDS)
            reply = answer.finish(now)
        except Refusal as refusal:
            return refusal_reply(refusal, self.switches.error_body, call.now)
        else:
            return reply

    def _struck(self, method: str, target: str) -> Fault | None:
        struck = [fault for fault in self.faults if fault.strikes(method, target)]
        return struck[0] if struck else None


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _headers(reply: Reply, now: datetime) -> dict[str, str]:
    """What goes with a reply; its date is that of the products' clock."""
    return {"Content-Type": reply.content_type, "Date": format_datetime(now, usegmt=True), **reply.headers}


def _hang_up(request: web.BaseRequest, *, half_of: Reply | None) -> None:
    transport = request.transport
    if transport is None:
        return
    if half_of is None:
        transport.abort()
        return
    size = max(2, len(half_of.body))
    head = f"HTTP/1.1 {half_of.status} OK\r\nContent-Type: {half_of.content_type}\r\nContent-Length: {size}\r\n\r\n"
    transport.write(head.encode() + half_of.body[: size // 2])
    transport.close()
