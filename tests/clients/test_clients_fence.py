"""Who may forbid a change is asked before each of its attempts, whatever led to it; then nothing more is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from clients_sockets import Act, answer, hang_up, server
from clients_stand_ins import TOKEN, Time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.clients import exchange
from reconciler.clients.auth import BearerToken, PrivateKeyJwt
from reconciler.clients.calls import Request, RetryPolicy, SessionOptions, StreamedBody
from reconciler.clients.transport import Session
from reconciler.emulator import new_key
from reconciler.errors import Fenced, ProductError, Uncertain
from reconciler.model.project import Connection

GET = Request("GET", "/v1/licenses/current", repeatable=True)
BODY = {"body": b"{}", "content_type": "application/json"}
WRITES = {
    "start": Request("POST", "/v1/tasks/1/start", **BODY),  # type: ignore[arg-type]
    "upsert": Request("POST", "/api/job/1/schedule", repeatable=True, **BODY),  # type: ignore[arg-type]
    "delete": Request("DELETE", "/api/job/schedule/1", repeatable=True),
    "delete all": Request("DELETE", "/api/input/agent/1"),
    "upload": Request("POST", "/api/input/agent/1/csv", body=StreamedBody(2, lambda: iter([b"a\n"]))),
}
OK = answer("200 OK", b'{"id": "1"}')
FAILURES: dict[str, Act] = {
    "503": answer("503 Busy", b"", "Retry-After: 0"),
    "429": answer("429 Slow down", b"", "Retry-After: 0"),
    "hang up": hang_up,
    "401": answer("401 No"),
    "403": answer("403 No"),
}
KEY, _ = new_key()


class Lease:
    """Holds for so many questions, and then no more."""

    def __init__(self, good_for: int) -> None:
        self.good_for = good_for
        self.asked = 0

    def check(self) -> None:
        self.asked += 1
        if self.asked > self.good_for:
            raise Fenced("the lock was taken away", hint="plan again")


def opened(url: str, lease: Lease, **more: Any) -> Session:
    time = Time()
    tokens = iter(range(1000))
    who = PrivateKeyJwt(
        tenant_id="t",
        key_id="k",
        private_key=KEY,
        token_url=url,
        ask=lambda _: {"access_token": f"token-{next(tokens)}"},
        clock=time,
    )
    settings: dict[str, Any] = {"clock": time} | more
    options = SessionOptions(before_write=lease.check, retry_policy=RetryPolicy(first_wait=0.0), **settings)
    return Session(Connection("mft", url, {}, timeout=5.0), options, credential=who, token_proof=GET)


def writes(requests: list[bytes]) -> int:
    return sum(not request.startswith(b"GET ") for request in requests)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    write=st.sampled_from(sorted(WRITES)),
    failures=st.lists(st.sampled_from(sorted(FAILURES)), max_size=6),
    good_for=st.integers(0, 6),
)
def test_nothing_is_sent_after_the_fence(
    record_count: Callable[[str, int], None], write: str, failures: list[str], good_for: int
) -> None:
    """Any write, any way to its next attempt, and a lock that is broken before any of them."""
    record_count("calls whose lock is broken before an attempt", 1)
    acts = [FAILURES[each] for each in failures]
    lease = Lease(good_for)
    with server(*acts, OK) as heard:
        api = opened(heard.url, lease)
        fenced: Fenced | None = None
        try:
            api.send(WRITES[write])
        except Fenced as error:
            fenced = error
        except ProductError:
            pass
        api.close()
    sent = writes(heard.requests)
    assert sent == min(lease.asked, good_for), "each attempt was asked about, and sent only after a yes"
    assert (fenced is not None) == (lease.asked > good_for)
    if fenced is not None:
        ambiguous = sent and any(each in ("503", "hang up") for each in failures[: len(heard.requests)])
        assert bool(fenced.left_open) <= bool(sent)
        if write == "upsert" and ambiguous and not {"401", "403"} & set(failures):
            assert isinstance(fenced.left_open, Uncertain)


def test_reads_are_not_asked_about() -> None:
    lease = Lease(0)
    with server(FAILURES["503"], OK) as heard:
        opened(heard.url, lease).send(GET)
    assert (lease.asked, len(heard.requests)) == (0, 2)


def test_a_doubt_from_before_the_fence_is_told() -> None:
    lease = Lease(1)
    with server(hang_up, OK) as heard, pytest.raises(Fenced) as caught:
        opened(heard.url, lease).send(WRITES["upsert"])
    assert len(heard.requests) == 1
    assert caught.value.left_open is not None
    assert "closed without an answer" in caught.value.left_open.message


def test_the_lock_is_asked_after_waiting_for_a_place_and_for_a_connection() -> None:
    """Whoever waits its turn behind a slow call is asked about when its turn comes, not when it began to wait."""
    broken = threading.Event()
    inside = threading.Event()

    def slow(peer: Any) -> bool:
        inside.set()
        broken.wait(10)
        return OK(peer)

    def check() -> None:
        if broken.is_set():
            raise Fenced("broken")

    with server(slow, OK) as heard:
        connection = Connection("acc", heard.url, {}, concurrency=1)
        api = Session(connection, SessionOptions(clock=Time(), before_write=check), credential=BearerToken(TOKEN))
        caught: list[BaseException] = []

        def second() -> None:
            try:
                api.send(WRITES["start"])
            except Fenced as error:
                caught.append(error)

        first = threading.Thread(target=api.send, args=(WRITES["start"],))
        first.start()
        assert inside.wait(10)
        waiting = threading.Thread(target=second)
        waiting.start()
        broken.set()
        first.join()
        waiting.join()
    assert len(heard.requests) == len(caught) == 1


@pytest.mark.parametrize("frozen_after", [0, 1, 2])
def test_a_process_that_was_frozen_while_it_sent_breaks_off(monkeypatch: pytest.MonkeyPatch, frozen_after: int) -> None:
    """Time passes between two pieces of a body, as it does for a process that is stopped: the lock is asked again."""
    monkeypatch.setattr(exchange, "_ASK_AGAIN_SECONDS", 0.2)
    lease = Lease(1)

    def pieces() -> Iterator[bytes]:
        for number in range(4):
            if number == frozen_after + 1:
                time.sleep(0.5)
            yield b"x" * 1000

    body = StreamedBody(4000, pieces)
    with server(OK) as heard:
        with pytest.raises(Fenced) as caught:
            opened(heard.url, lease).send(Request("POST", "/api/input/agent/1/csv", body=body))
        left_open = caught.value.left_open
    assert isinstance(left_open, Uncertain)
    assert "broken off" in left_open.message
    assert all(len(each.partition(b"\r\n\r\n")[2]) < 4000 for each in heard.requests), "never a whole request"


def test_without_a_lease_nobody_is_asked() -> None:
    ask: Callable[[], None] | None = None
    with server(OK) as heard:
        api = Session(
            Connection("acc", heard.url, {}),
            SessionOptions(clock=Time(), before_write=ask),
            credential=BearerToken(TOKEN),
        )
        api.send(WRITES["start"])
    assert len(heard.requests) == 1
