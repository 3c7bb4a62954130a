"""One deadline from the connection to the last byte: servers that drip, byte by byte, at every place of an answer."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from clients_sockets import Act, answer, server, stay_silent
from clients_stand_ins import Time, session

from reconciler.clients import exchange, mft
from reconciler.clients.calls import Request, RetryPolicy, SessionOptions, StreamedBody
from reconciler.emulator import new_key
from reconciler.errors import ProductError, Refused, Uncertain
from reconciler.model.project import Connection

GET = Request("GET", "/api/agent", repeatable=True)
START = Request("POST", "/api/job/1/start", body=b"{}", content_type="application/json")
ONCE = RetryPolicy(tries=1)
TIMEOUT = 0.4
ENDLESS = 30.0
"""Seconds for which a server drips if nobody ends it: a client that waits for all of it fails its test."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def drip(start: bytes, drops: bytes, *, every: float = 0.05) -> Act:
    """Send `start` at once and then `drops`, again and again, a byte at a time."""

    def act(peer: socket.socket) -> bool:
        until = time.monotonic() + ENDLESS
        with contextlib.suppress(OSError):
            peer.sendall(start)
            while time.monotonic() < until:
                for drop in drops:
                    peer.sendall(bytes([drop]))
                    time.sleep(every)
        return False

    return act


def pour(start: bytes, wave: bytes) -> Act:
    """Send `start` and then `wave` without end, as fast as it is read."""

    def act(peer: socket.socket) -> bool:
        until = time.monotonic() + ENDLESS
        with contextlib.suppress(OSError):
            peer.sendall(start)
            while time.monotonic() < until:
                peer.sendall(wave)
        return False

    return act


PLACES: dict[str, Act] = {
    "status line": drip(b"", b"HTTP/1.1 200 OOOOOOOOOOOOOOOOOOOOOOOOOOOOOO"),
    "headers": drip(HEAD, b"X-Drip: drop\r\n"),
    "100 continue, dripping": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every=0.01),
    "100 continue, without end": pour(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "body by length": drip(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "body in chunks": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", every=0.01),
    "chunk extensions": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "trailers": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-Drip: drop\r\n"),
    "body to the end of the connection": drip(HEAD + b"\r\n", b" "),
    "compressed body": drip(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n\x1f\x8b\x08", b"\x00"),
}
ERRORS: dict[str, Act] = {
    f"{status}": drip(f"HTTP/1.1 {status} No\r\nContent-Length: 100000\r\n\r\n".encode(), b"because ")
    for status in (400, 401, 403, 404, 409, 500, 302)
}


@contextmanager
def in_time(attempts: int = 1) -> Iterator[None]:
    """Within this block the client gives up long before the server does, however busy the machine is."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < ENDLESS / 2 + attempts * TIMEOUT


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("request_", [GET, START], ids=["read", "start"])
def test_an_answer_that_drips_ends_at_the_deadline(
    place: str, request_: Request, record_count: Callable[[str, int], None]
) -> None:
    record_count("answers that drip", 1)
    with server(PLACES[place]) as heard, in_time():
        with pytest.raises(ProductError, match=r"was not complete within 0\.4 s") as caught:
            session(heard.url, timeout=TIMEOUT, retry_policy=ONCE).json(request_)
        assert len(heard.requests) == 1
    assert isinstance(caught.value, Uncertain) == (request_ is START)


@pytest.mark.parametrize("status", ERRORS)
def test_an_error_whose_body_drips_is_told_by_its_status(status: str) -> None:
    with server(ERRORS[status]) as heard, in_time(), pytest.raises(ProductError, match=f"answered {status}") as caught:
        session(heard.url, timeout=TIMEOUT, retry_policy=ONCE).json(START)
    assert caught.value.status == int(status)
    assert isinstance(caught.value, Refused) == (400 <= int(status) < 500)


@pytest.mark.parametrize("place", ["status line", "headers", "body by length"])
def test_repeated_attempts_each_keep_the_deadline(place: str) -> None:
    with server(PLACES[place]) as heard, in_time(attempts=4), pytest.raises(ProductError):
        session(heard.url, timeout=TIMEOUT).json(GET)
    assert len(heard.requests) == 4


def test_a_handshake_that_drips_has_not_left() -> None:
    record = b"\x16\x03\x03\x40\x00"  # the head of a TLS record that never ends
    with server(drip(record, b"\x02")) as heard, in_time(), pytest.raises(Refused, match=r"no answer within|took too"):
        session(heard.url.replace("http:", "https:"), timeout=TIMEOUT, retry_policy=ONCE).send(START)


def test_a_proxy_that_drips_has_not_passed_anything_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(drip(b"", b"HTTP/1.1 200 OOOOOOOOOOOOOOOOOOOOOOOO")) as heard, in_time():
        monkeypatch.setenv("HTTPS_PROXY", heard.url)
        with pytest.raises(Refused):
            session("https://acc.example", timeout=TIMEOUT, retry_policy=ONCE).send(START)
    assert heard.requests[0].startswith(b"CONNECT ")


def test_all_addresses_of_a_host_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many addresses that do not answer take no longer than one."""
    with full_listener() as port:
        address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [address] * 100)
        with in_time(), pytest.raises(Refused, match=r"no answer within|took too long"):
            session(f"http://localhost:{port}", timeout=TIMEOUT, retry_policy=ONCE).json(START)


@contextmanager
def full_listener() -> Iterator[int]:
    """A port that takes no more connections: whoever asks for one waits."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


# --- the token -------------------------------------------------------------------------------------------------------

KEY, _ = new_key()


def mft_client(url: str) -> mft.MftClient:
    settings = {"tenantId": "t", "keyId": "k", "privateKey": KEY}
    options = SessionOptions(clock=Time(), retry_policy=ONCE)
    return mft.connect(Connection("mft", url, settings, timeout=TIMEOUT), options)


@pytest.mark.parametrize("place", PLACES)
def test_a_token_endpoint_that_drips_holds_up_neither_one_nor_many(place: str) -> None:
    with server(PLACES[place]) as heard, in_time(attempts=6):
        client = mft_client(heard.url)
        said: list[ProductError] = []
        threads = [threading.Thread(target=lambda: said.append(_error_of(client.license))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not any(b"/licenses" in request for request in heard.requests)
    assert len(said) == 8
    assert all(isinstance(each, Refused) and "No access token" in each.message for each in said)


def _error_of(call: Callable[[], Any]) -> ProductError:
    with pytest.raises(ProductError) as caught:
        call()
    return caught.value


# --- transfers -------------------------------------------------------------------------------------------------------


def test_a_download_that_drips_ends_although_bytes_come() -> None:
    zip_head = b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 100000\r\n\r\n"
    with server(drip(zip_head, b"PK")) as heard, in_time(), pytest.raises(ProductError, match="less than 16 KiB a sec"):
        session(heard.url, timeout=TIMEOUT, retry_policy=ONCE).download(GET, io.BytesIO())


def test_a_download_that_moves_may_take_longer_than_the_timeout() -> None:
    piece = b"x" * 50_000

    def steady(peer: socket.socket) -> bool:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        for _ in range(20):
            time.sleep(0.05)
            peer.sendall(piece)
        return True

    sink = io.BytesIO()
    with server(steady) as heard:
        assert session(heard.url, timeout=TIMEOUT, retry_policy=ONCE).download(GET, sink) == 1_000_000


def test_no_download_goes_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LONGEST_TRANSFER", 0.8)
    endless = pour(b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\n\r\n", b"x" * 10_000)
    with server(endless) as heard, in_time(), pytest.raises(ProductError, match="took longer than"):
        session(heard.url, timeout=TIMEOUT, retry_policy=ONCE).download(GET, io.BytesIO())


def test_an_upload_that_is_not_taken_ends_at_the_deadline() -> None:
    body = StreamedBody(200_000_000, lambda: iter([bytes(1_000_000)] * 200))
    with stalled_server() as url, in_time(), pytest.raises(Uncertain, match="stood still"):
        session(url, timeout=TIMEOUT, retry_policy=ONCE).send(Request("POST", "/x", body=body))


@contextmanager
def stalled_server() -> Iterator[str]:
    """Takes a connection and reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peers: list[socket.socket] = []
        thread = threading.Thread(target=lambda: peers.append(listener.accept()[0]), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for peer in peers:
            peer.close()


def test_an_upload_that_moves_may_take_longer_than_the_timeout() -> None:
    def slowly() -> Iterator[bytes]:
        for _ in range(20):
            time.sleep(0.05)
            yield bytes(50_000)

    with server(answer("200 OK")) as heard:
        session(heard.url, timeout=TIMEOUT, retry_policy=ONCE).send(
            Request("POST", "/x", body=StreamedBody(1_000_000, slowly))
        )
    assert len(heard.requests) == 1


def test_the_answer_to_an_upload_has_the_timeout_and_no_more() -> None:
    """However much was sent, and however fast: silence after it ends like any other."""
    with server(stay_silent) as heard, in_time(), pytest.raises(Uncertain, match="stood still"):
        session(heard.url, timeout=TIMEOUT, retry_policy=ONCE).send(
            Request("POST", "/x", body=StreamedBody(3_000_000, lambda: iter([bytes(1_000_000)] * 3)))
        )
