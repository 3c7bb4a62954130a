"""A server of raw sockets that says exactly what a test tells it to, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Heard:
    """What the server received: one entry a request, head and body as bytes."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Act = Callable[[socket.socket], bool]
"""Answers one request; says whether the connection stays open."""


def answer(status: str, body: bytes = b"", headers: str = "Content-Type: application/json") -> Act:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n\r\n".encode()

    def act(peer: socket.socket) -> bool:
        peer.sendall(head + body)
        return True

    return act


def raw(data: bytes) -> Act:
    def act(peer: socket.socket) -> bool:
        peer.sendall(data)
        return False

    return act


def hang_up(peer: socket.socket) -> bool:
    return False


def reset(peer: socket.socket) -> bool:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    return False


def stay_silent(peer: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        peer.recv(1)  # returns when the client gives up
    return False


@contextmanager
def server(*acts: Act) -> Iterator[Heard]:
    """Answers the n-th request with the n-th act, and the last one for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard = Heard(listener.getsockname()[1])
    lock = threading.Lock()
    stop = threading.Event()

    def serve(peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            while (request := receive(peer)) is not None:
                with lock:
                    heard.requests.append(request)
                    act = acts[min(len(heard.requests), len(acts)) - 1]
                if not act(peer):
                    return

    def accept() -> None:
        while not stop.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            heard.connections += 1
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def receive(peer: socket.socket) -> bytes | None:
    """One request, as far as its Content-Length says; None when the peer has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = peer.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = peer.recv(65536)
        if not piece:
            return head + b"\r\n\r\n" + body
        body += piece
    return head + b"\r\n\r\n" + body


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
