"""What the session makes of servers that refuse, hang up, hang, redirect, throttle, or answer nonsense."""

from __future__ import annotations

import gzip
import io
import json
import re
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clients_sockets import Act, answer, closed_port, hang_up, raw, receive, reset, server, stay_silent
from clients_stand_ins import TOKEN, Time, session

from reconciler import __version__
from reconciler.clients import failures, wire
from reconciler.clients.calls import (
    Request,
    RetryPolicy,
    SessionOptions,
    StreamedBody,
    file_chunks,
    query_text,
    segment,
)
from reconciler.clients.transport import Session
from reconciler.errors import Missing, ProductError, Refused, Unauthorised, Uncertain
from reconciler.model.project import Connection

GET = Request("GET", "/api/agent", query_text({"agentPath": "a/b"}), repeatable=True)
START = Request("POST", "/api/job/1/start", body=b"{}", content_type="application/json")
UPSERT = Request("POST", "/api/job/1/schedule", body=b"{}", content_type="application/json", repeatable=True)
DELETE = Request("DELETE", "/api/job/schedule/1", repeatable=True)
OK = answer("200 OK", b'{"a": 1}')
PAGE = answer("200 OK", b"<!DOCTYPE html><title>Sign in &amp; go</title>", "Content-Type: text/html")
REDIRECT = answer("302 Found", b"", "Location: https://login.example/signin?state=tell-nobody")
TRUNCATED = raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
NOT_JSON = answer("200 OK", b"all is well")
DOUBTFUL: dict[str, Act] = {
    "hang up": hang_up,
    "reset": reset,
    "truncated": TRUNCATED,
    "page": PAGE,
    "redirect": REDIRECT,
    "not json": NOT_JSON,
    "empty": answer("200 OK"),
    "500": answer("500 Internal Server Error", b'{"message": "boom"}'),
    "503": answer("503 Service Unavailable"),
}


def test_a_request_goes_out_as_documented() -> None:
    with server(OK) as heard:
        assert session(heard.url).json(GET) == {"a": 1}
    head = heard.requests[0].decode()
    assert head.startswith("GET /api/agent?agentPath=a/b HTTP/1.1\r\n")
    for line in (f"Authorization: Bearer {TOKEN}", f"User-Agent: reconciler/{__version__}", "Accept: */*"):
        assert line in head.split("\r\n")


def test_one_connection_serves_many_calls() -> None:
    with server(OK) as heard:
        api = session(heard.url)
        for _ in range(5):
            api.json(GET)
    assert (heard.connections, len(heard.requests)) == (1, 5)


def test_nothing_listens_so_nothing_happened() -> None:
    time = Time()
    with pytest.raises(Refused, match=r"POST /api/job/1/start at 127\.0\.0\.1:\d+: connection refused\.$") as caught:
        session(f"http://127.0.0.1:{closed_port()}", time=time).json(START)
    assert not isinstance(caught.value, Uncertain)
    assert len(time.slept) == 3, "asking again is safe when nothing left"


def test_a_host_that_nobody_knows() -> None:
    with pytest.raises(Refused, match="host name is not known"):
        session("https://no-such-host.invalid").json(START)


def test_tls_with_a_server_that_says_nothing_never_left() -> None:
    with server(OK) as heard, pytest.raises(Refused, match="no answer within"):
        session(heard.url.replace("http:", "https:"), retry_policy=RetryPolicy(tries=1), timeout=0.2).send(START)


def test_tls_with_a_server_that_speaks_none_never_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_plainly() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer_plainly)
        thread.start()
        with pytest.raises(Refused, match="TLS"):
            session(f"https://127.0.0.1:{listener.getsockname()[1]}", retry_policy=RetryPolicy(tries=1)).send(START)
        thread.join()


@pytest.mark.parametrize("fault", DOUBTFUL)
def test_a_start_without_a_good_answer_is_uncertain_and_sent_once(fault: str) -> None:
    with server(DOUBTFUL[fault], OK) as heard:
        with pytest.raises(Uncertain) as caught:
            session(heard.url).json(START)
        assert len(heard.requests) == 1
    assert caught.value.message.startswith("POST /api/job/1/start")


@pytest.mark.parametrize("fault", DOUBTFUL)
def test_a_read_without_a_good_answer_is_an_error_that_changed_nothing(fault: str) -> None:
    with server(DOUBTFUL[fault]) as heard, pytest.raises(ProductError) as caught:
        session(heard.url).json(GET)
    assert not isinstance(caught.value, Uncertain)


@pytest.mark.parametrize("fault", ["hang up", "reset", "truncated", "503"])
@pytest.mark.parametrize("request_", [GET, UPSERT], ids=["GET", "upsert"])
def test_what_may_be_repeated_is_repeated(fault: str, request_: Request) -> None:
    time = Time()
    with server(DOUBTFUL[fault], DOUBTFUL[fault], OK) as heard:
        assert session(heard.url, time=time).json(request_) == {"a": 1}
        assert len(heard.requests) == 3
    assert time.slept == [1.0, 2.0], "waits double; the jitter is drawn from the whole of them"


@pytest.mark.parametrize("fault", ["page", "redirect", "not json", "500"])
def test_an_answer_that_would_come_again_is_not_asked_for_again(fault: str) -> None:
    with server(DOUBTFUL[fault]) as heard:
        with pytest.raises(ProductError):
            session(heard.url).json(GET)
        assert len(heard.requests) == 1


def test_silence_ends_after_the_timeout() -> None:
    with server(stay_silent) as heard, pytest.raises(Uncertain, match=r"no answer within 0\.2 s"):
        session(heard.url, timeout=0.2).json(START)


def test_doubt_stays_when_the_next_attempt_fails_in_another_way() -> None:
    with server(hang_up, answer("400 Bad Request", b'"no such cron"')) as heard:
        with pytest.raises(Uncertain, match=r"closed without an answer.* Asked again: .*no such cron"):
            session(heard.url).json(UPSERT)
        assert len(heard.requests) == 2


def test_a_delete_that_is_repeated_and_finds_nothing_is_done() -> None:
    with server(hang_up, answer("404 Not Found")) as heard:
        session(heard.url).send(DELETE)
        assert len(heard.requests) == 2


def test_a_delete_that_finds_nothing_at_once_says_so() -> None:
    with server(answer("404 Not Found")) as heard, pytest.raises(Missing):
        session(heard.url).send(DELETE)


@pytest.mark.parametrize(
    ("status", "error"),
    [("400 Bad", Refused), ("404 Gone", Missing), ("401 No", Unauthorised), ("403 No", Unauthorised)],
)
def test_a_plain_no_means_that_nothing_happened(status: str, error: type[ProductError]) -> None:
    with server(answer(status, b'{"message": "because"}')) as heard:
        with pytest.raises(error) as caught:
            session(heard.url).json(START)
        assert len(heard.requests) == 1
    assert type(caught.value) is error
    assert caught.value.status == int(status[:3])
    assert "because" in caught.value.message
    assert bool(caught.value.hint) == (error is Unauthorised)


# --- waiting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("0", 0.0), ("2.5", 2.5)])
def test_a_start_waits_as_it_is_told_to(value: str, seconds: float) -> None:
    time = Time()
    with server(answer("429 Slow down", b"", f"Retry-After: {value}"), OK) as heard:
        assert session(heard.url, time=time).json(START) == {"a": 1}
    assert time.slept == [seconds + 1.0], "never earlier, and not all at the same moment"


def test_retry_after_as_a_date() -> None:
    def now() -> datetime:
        return datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)

    assert failures.retry_after("Sun, 22 Nov 2026 08:00:30 GMT", now) == 30.0
    assert failures.retry_after("Sun, 22 Nov 2026 07:00:00 GMT", now) == 0.0
    for nonsense in ("soon", "-5", "inf", "nan", "1e400", "", None, "99999999999999999999"):
        assert failures.retry_after(nonsense, now) is None


def test_throttled_for_ever_is_refused() -> None:
    time = Time()
    with server(answer("429 Slow down")) as heard:
        with pytest.raises(Refused, match="429"):
            session(heard.url, time=time).json(START)
        assert len(heard.requests) == 8
    assert time.slept == [1.0 * min(20, 0.5 * 2**n) for n in range(1, 8)]


def test_a_wait_longer_than_the_deadline_is_not_begun() -> None:
    time = Time()
    with server(answer("429 Slow down", b"", "Retry-After: 3600")) as heard, pytest.raises(Refused):
        session(heard.url, time=time).json(START)
    assert time.slept == []


def test_an_interrupt_ends_the_waiting_but_not_new_calls() -> None:
    interrupted = threading.Event()
    interrupted.set()
    with server(answer("503 Busy"), OK) as heard:
        api = session(heard.url, interrupted=interrupted)
        with pytest.raises(ProductError, match="503"):
            api.json(GET)
        assert api.json(GET) == {"a": 1}, "the second look after a write must still be possible"


def test_when_call_after_call_meets_silence_the_rest_are_spared() -> None:
    time = Time()
    api = session(f"http://127.0.0.1:{closed_port()}", time=time, concurrency=1, retry_policy=RetryPolicy(tries=1))
    for _ in range(4):
        with pytest.raises(Refused, match="connection refused"):
            api.json(GET)
    with pytest.raises(Refused, match=r"was not sent.*did not answer 4 calls in a row"):
        api.json(GET)
    time.at += 6
    with pytest.raises(Refused, match="connection refused"):
        api.json(GET)


def test_the_rate_holds_over_all_threads() -> None:
    time = Time()
    with server(OK) as heard:
        api = session(heard.url, time=time, rate=4.0)
        for _ in range(5):
            api.json(GET)
    assert time.slept == [0.25] * 4


def test_no_more_at_once_than_allowed() -> None:
    active, most, lock, full = 0, 0, threading.Lock(), threading.Barrier(2, timeout=10)

    def act(peer: socket.socket) -> bool:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        full.wait()
        with lock:
            active -= 1
        full.wait()
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        return True

    with server(act) as heard:
        api = session(heard.url, concurrency=2)
        threads = [threading.Thread(target=api.json, args=(GET,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(heard.requests), most) == (8, 2)
        assert heard.connections <= 2


# --- bodies ----------------------------------------------------------------------------------------------------------


def test_gzip_and_a_byte_order_mark_are_understood() -> None:
    body = gzip.compress(b"\xef\xbb\xbf" + json.dumps({"ä": 1}).encode())
    with server(answer("200 OK", body, "Content-Encoding: gzip")) as heard:
        assert session(heard.url).json(GET) == {"ä": 1}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a": 1', b"\xff\xfe\x00", b"1" * 5000])
def test_odd_json_is_a_clear_error(body: bytes) -> None:
    with server(answer("200 OK", body)) as heard, pytest.raises(ProductError, match="where JSON is due"):
        session(heard.url).json(GET)


def test_a_body_beyond_all_measure_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.clients.sender._LARGEST_JSON", 1000)
    with server(answer("200 OK", b"[" + b"1," * 2000 + b"1]")) as heard, pytest.raises(ProductError, match="more than"):
        session(heard.url).json(GET)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "204 No Content"])
def test_any_2xx_will_do_where_nothing_is_due(status: str) -> None:
    with server(answer(status, b"", "X: y")) as heard:
        assert session(heard.url).send(DELETE).status == int(status[:3])


def test_a_page_is_never_a_success() -> None:
    with server(PAGE) as heard, pytest.raises(Uncertain, match=r"HTML page titled 'Sign in & go'.*sign-in page"):
        session(heard.url).send(START)


def test_a_redirect_is_not_followed_and_its_query_not_shown() -> None:
    with (
        server(REDIRECT) as heard,
        pytest.raises(ProductError, match=r"302, a redirect to login\.example/signin") as caught,
    ):
        session(heard.url).json(GET)
    assert "tell-nobody" not in caught.value.message


def test_a_file_is_sent_whole_and_by_pieces(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(bytes(range(256)) * 2000)
    body = StreamedBody(path.stat().st_size, lambda: file_chunks(path))
    with server(answer("200 OK")) as heard:
        session(heard.url).send(Request("POST", "/x", body=body))
    head, _, sent = heard.requests[0].partition(b"\r\n\r\n")
    assert sent == path.read_bytes()
    assert b"Content-Length: 512000" in head
    assert b"chunked" not in head


@pytest.mark.parametrize(("size", "words"), [(10, "grew"), (30, "shrank")])
def test_a_file_that_changes_on_the_way_never_arrives_as_if_whole(size: int, words: str) -> None:
    with server(answer("200 OK")) as heard, pytest.raises(ProductError, match=words):
        session(heard.url).send(Request("POST", "/x", body=StreamedBody(size, lambda: iter([b"x" * 10] * 2))))
    assert all(len(each.partition(b"\r\n\r\n")[2]) < size for each in heard.requests)


def test_a_file_that_has_gone_is_named(tmp_path: Path) -> None:
    body = StreamedBody(3, lambda: file_chunks(tmp_path / "gone"))
    with server(answer("200 OK")) as heard, pytest.raises(ProductError, match="No such file"):
        session(heard.url).send(Request("POST", "/x", body=body))


def test_a_download_goes_to_its_sink() -> None:
    data = bytes(1_000_000)
    sink = io.BytesIO()
    with server(answer("200 OK", data, "Content-Type: application/zip")) as heard:
        assert session(heard.url).download(GET, sink) == len(data)
    assert sink.getvalue() == data


def test_a_download_that_breaks_off_is_not_begun_again() -> None:
    broken = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n" + b"x" * 400_000)
    with server(broken, OK) as heard:
        with pytest.raises(ProductError, match="broke off"):
            session(heard.url).download(GET, io.BytesIO())
        assert len(heard.requests) == 1


# --- where to --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://acc.example", "plain http"),
        ("ftp://acc.example", "must be https"),
        ("acc.example", "must be https"),
        ("https://", "and a host"),
        ("https://user:pw-of-someone@acc.example", "user or a password"),
        ("https://acc.example/?a=b", "query"),
        ("https://acc.example:99999", "cannot be read"),
    ],
)
def test_urls_that_cannot_be_used(url: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        session(url)
    assert "pw-of-someone" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1", "https://acc.example/x/"]
)
def test_urls_that_can(url: str) -> None:
    assert session(url).url == url.rstrip("/")


def test_plain_http_can_be_allowed() -> None:
    assert session("http://acc.example", allow_insecure=True).url == "http://acc.example"


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(OK) as heard:
        monkeypatch.setenv("HTTP_PROXY", heard.url)
        monkeypatch.setenv("NO_PROXY", "other.example")
        assert session("http://acc.example", allow_insecure=True).json(GET) == {"a": 1}
    assert heard.requests[0].startswith(b"GET http://acc.example/api/agent?agentPath=a/b HTTP/1.1\r\n")


def test_no_proxy_and_loopback_go_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(OK) as heard:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
        monkeypatch.setenv("NO_PROXY", "")
        assert session(heard.url).json(GET) == {"a": 1}
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
        monkeypatch.setenv("NO_PROXY", "acc.example")
        assert wire.proxies_for("https://acc.example") == {}
        assert wire.proxies_for("https://mft.example") == {"https": "http://proxy.example"}


def test_a_dead_or_unwilling_proxy_means_that_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(Refused, match=r"proxy|connection refused"):
        session("https://acc.example", retry_policy=RetryPolicy(tries=1)).json(START)
    with server(answer("403 Forbidden")) as heard:
        monkeypatch.setenv("HTTPS_PROXY", heard.url)
        with pytest.raises(Refused, match="proxy"):
            session("https://acc.example", retry_policy=RetryPolicy(tries=1)).json(START)
    assert heard.requests[0].startswith(b"CONNECT acc.example:443")
    assert TOKEN.encode() not in heard.requests[0]


def test_bundles_are_found_once_and_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    own, other = tmp_path / "own.pem", tmp_path / "other.pem"
    own.touch()
    other.touch()
    assert wire.trusted_bundle(Connection("acc", "", {})) is True
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    assert wire.trusted_bundle(Connection("acc", "", {})) == str(other)
    assert wire.trusted_bundle(Connection("acc", "", {}, ca_bundle=str(own))) == str(own)
    with pytest.raises(Refused, match=r"connections\.acc\.caBundle"):
        wire.trusted_bundle(Connection("acc", "", {}, ca_bundle=str(tmp_path / "none.pem")))


# --- words -----------------------------------------------------------------------------------------------------------


def test_a_token_that_the_server_echoes_is_not_shown() -> None:
    body = json.dumps({"message": f"bad token {TOKEN}\u202e\x1b[31m", "password": 'p"ss wörd'}).encode()
    with server(answer("400 Bad", body)) as heard, pytest.raises(Refused) as caught:
        session(heard.url, secrets=('p"ss wörd',)).json(START)
    message = caught.value.message
    assert TOKEN not in message
    assert message.count("(secret)") == 2
    assert not re.search(r"[\x00-\x1f\u202e]", message)


def test_a_secret_is_not_cut_in_half() -> None:
    secret = "s" * 30 + "THE-END"
    with server(answer("400 Bad", b"x" * 180 + secret.encode())) as heard, pytest.raises(Refused) as caught:
        session(heard.url, secrets=(secret,)).json(START)
    assert "sss" not in caught.value.message


def test_long_query_values_are_shortened_and_secrets_in_them_hidden() -> None:
    request = Request("GET", "/a", query_text({"agentPath": "x" * 80, "key": "the secret & more"}), repeatable=True)
    with server(answer("400 Bad")) as heard, pytest.raises(Refused) as caught:
        session(heard.url, secrets=("the secret & more",)).json(request)
    assert caught.value.message == f"GET /a?agentPath={'x' * 39}…&key=(secret) answered 400."


def test_what_goes_into_a_path_stays_one_part_of_it() -> None:
    assert segment(" a/b?c#d%2e ", "id") == "a%2Fb%3Fc%23d%252e"
    for bad in ("", " ", ".", ".."):
        with pytest.raises(Refused, match="the id is"):
            segment(bad, "the id")


def test_the_products_clock() -> None:
    when = "Date: Mon, 04 May 2026 12:00:30 GMT"
    with server(answer("200 OK", b"{}", when)) as heard:
        from reconciler.clients.auth import BearerToken

        api = Session(
            Connection("acc", heard.url, {}),
            SessionOptions(clock=Time()),
            credential=BearerToken(TOKEN),
        )
        assert api.clock_skew() is None
        api.json(GET)
        assert api.clock_skew() == 30.0


def test_receive_reads_what_its_header_announces() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab")
        left.sendall(b"c")
        assert receive(right) == b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"


def test_white_space_and_cuts_come_after_secrets_were_hidden() -> None:
    """Three lines, a control character, and a body that is cut in the middle of the value."""
    secret = "first line\n  second\x07 line\r\nthird line of it"
    odd = b"x" + secret.encode() + b"y"
    with server(answer("400 Bad", odd)) as heard, pytest.raises(Refused) as caught:
        session(heard.url, secrets=(secret,)).json(START)
    assert caught.value.message.endswith("answered 400: x(secret)y.")
    cut = b" " * (64 * 1024 - 20) + secret.encode()
    with server(answer("400 Bad", b"begin" + cut)) as heard, pytest.raises(Refused) as caught:
        session(heard.url, secrets=(secret,)).json(START)
    assert caught.value.message.endswith("answered 400: begin.")


def test_a_long_query_value_does_not_show_half_a_secret() -> None:
    secret = "a secret that is far too long to be shown"
    request = Request("GET", "/a", query_text({"agentPath": f"prices/{secret}"}), repeatable=True)
    with server(answer("400 Bad", b"")) as heard, pytest.raises(Refused) as caught:
        session(heard.url, secrets=(secret,)).json(request)
    assert caught.value.message == "GET /a?agentPath=prices/(secret) answered 400."
