"""No form of a secret survives, and what is no secret does."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
import time
from collections.abc import Callable
from html.entities import codepoint2name
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.clients.redaction import Redactor

NASTY = st.sampled_from(list("aZ09 \n\t\"'\\/&<>+%#;=`$(){}[]_-.~!*?:@äß€\u00a0😀"))
SECRETS = st.text(
    st.one_of(NASTY, st.characters(codec="utf-8", exclude_categories=("Cc", "Cf"))), min_size=4, max_size=30
)
SECRETS = SECRETS.map(str.strip).filter(lambda text: len(text) >= 4 and text not in "(secret) at the left right")


def chars(text: str, escaped: Callable[[str], bool], write: Callable[[str], str]) -> str:
    return "".join(write(char) if escaped(char) else char for char in text)


def utf_16(char: str, form: str = "\\u{:04X}") -> str:
    raw = char.encode("utf-16-be", "surrogatepass")
    return "".join(form.format(int.from_bytes(raw[at : at + 2], "big")) for at in range(0, len(raw), 2))


def is_odd(char: str) -> bool:
    return not char.isascii() or not char.isalnum()


NOTATIONS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON, slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "System.Text.Json": lambda text: chars(text, is_odd, utf_16),
    "JavaScriptStringEncode": lambda text: chars(text, lambda c: c in "<>&'\"\\\n\t+", lambda c: f"\\u{ord(c):04x}"),
    "C# literal": lambda text: text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t"),
    "C# verbatim": lambda text: text.replace('"', '""'),
    "SQL": lambda text: text.replace("'", "''"),
    "Regex.Escape": re.escape,
    "Python": lambda text: repr(text)[1:-1],
    "URL": lambda text: quote(text, safe=""),
    "URL path": quote,
    "URL form": quote_plus,
    "UrlEncode": lambda text: re.sub("%..", lambda found: found[0].lower(), quote_plus(text, safe="!*()-_.")),
    "escape()": lambda text: chars(text, is_odd, lambda c: utf_16(c, "%u{:04X}")),
    "HTML": html.escape,
    "XML": lambda text: html.escape(text).replace("&#x27;", "&apos;"),
    "HtmlEncode": lambda text: chars(html.escape(text), lambda c: not c.isascii(), lambda c: f"&#{ord(c)};"),
    "HtmlEncoder": lambda text: chars(text, is_odd, lambda c: f"&#x{ord(c):X};"),
    "HTML, named": lambda text: chars(text, is_odd, lambda c: f"&{codepoint2name.get(ord(c), f'#{ord(c)}')};"),
}
BLANKS: dict[str, Callable[[str], str]] = {
    "kept": lambda text: text,
    "collapsed": lambda text: " ".join(text.split()),
    "Windows": lambda text: text.replace("\n", "\r\n"),
    "joined": lambda text: text.replace("\n", ""),
    "broken": lambda text: text.replace("\n", "<br>"),
    "listed": lambda text: text.replace("\n", " | "),
    "indented": lambda text: text.replace("\n", "\n        "),
}


@settings(deadline=None, max_examples=150)
@given(SECRETS)
def test_no_notation_of_a_secret_survives_nor_one_within_another(secret: str) -> None:
    redact = Redactor([secret, "another one"])
    for blanks, laid_out in BLANKS.items():
        for outer, write in NOTATIONS.items():
            for inner in NOTATIONS if blanks == "kept" else ["as it is", outer]:
                form = write(NOTATIONS[inner](laid_out(secret)))
                shown = redact(f"at the left <{form}> at the right")
                assert shown == "at the left <(secret)> at the right", (blanks, outer, inner, form)


@settings(deadline=None, max_examples=150)
@given(SECRETS, st.text(max_size=5), st.text(max_size=5), st.sampled_from(["utf-8", "utf-16-le"]))
def test_no_base64_of_a_secret_survives_wherever_it_begins(secret: str, before: str, after: str, coding: str) -> None:
    raw = f"{before}{secret}{after}".encode(coding, errors="replace")
    for coded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw), base64.encodebytes(raw)):
        text = coded.decode()
        for form in (text, text.rstrip("=\n"), quote(text, safe=""), json.dumps(text)):
            shown = Redactor([secret])(f"<{form}>")
            assert "(secret)" in shown, (form, shown)
            found = re.sub(r"\(secret\)", "", shown)
            for cut in range(4):
                with contextlib.suppress(ValueError):
                    left = base64.b64decode(found[1:-1].rstrip("=")[cut:] + "===")
                    assert secret.encode(coding, errors="replace") not in left


def test_short_values_are_left_alone() -> None:
    assert Redactor(["au", "1"])("region au, 1 run") == "region au, 1 run"


def test_the_longest_goes_first() -> None:
    assert Redactor(["pass", "password-1"])("password-1 pass") == "(secret) (secret)"


def test_the_blot_is_not_blotted() -> None:
    assert Redactor(["secret", "other-one"])("other-one") == "(secret)"


def test_what_looks_like_a_credential() -> None:
    redact = Redactor()
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc_DEF-123"
    assert redact(f"token {token}!") == "token (secret)!"
    assert redact("Authorization: bearer 0123456789abc") == "Authorization: bearer (secret)"
    assert redact("needs Bearer authentication") == "needs Bearer authentication"


def test_every_line_of_a_key_is_secret() -> None:
    lines = ["MIGHAgEAMBMGByqGSM49AgEGCCqGSM49", "AwEHBG0wawIBAQQgevZzL1gdAFr88hb2"]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])
    redact = Redactor([key])
    for line in lines:
        assert redact(f"odd line {line}") == "odd line (secret)"
    assert "MIGH" not in redact("read " + key)
    assert "MIGH" not in Redactor()("read " + key[:50])


def test_many_secrets_are_found_in_one_pass() -> None:
    secrets = [f"value-{number:05}" for number in range(5000)]
    assert Redactor(secrets)("a value-04999 b value-00000 c") == "a (secret) b (secret) c"


def test_values_that_overlap_leave_nothing_behind() -> None:
    assert Redactor(["abcdef", "defghi"])("x abcdefghi y") == "x (secret) y"


def test_lines_of_a_secret_are_hidden_one_by_one_and_joined_in_any_way() -> None:
    value = "user: scraper\npassword: tiny\nhost: db.internal.example\n"
    redact = Redactor([value])
    for joint in ("\n", "\r\n", " ", "", "; ", " | ", "\\n", "\\r\\n", "<br/>", "\n    ", "\u2028"):
        text = joint.join(value.splitlines())
        assert redact(f"odd [{text}] end") == "odd [(secret)] end", joint
    assert redact("cannot reach host: db.internal.example!") == "cannot reach (secret)!"


def test_a_broken_line_does_not_break_a_secret_in_two() -> None:
    value = "a-very-long-token-without-any-blank"
    assert Redactor([value])("x a-very-long-token-\r\n    without-any-blank y") == "x (secret) y"


def test_large_texts_and_many_secrets_take_a_time_that_grows_with_them_only() -> None:
    """Nothing here is quadratic: twice the text takes twice the time, give or take the machine."""
    redact = Redactor([f"value {number:05} + more" for number in range(2000)])
    redact("warm")
    texts = ["bearer+" * 9000, "-eyJ" + "-eyJAAAA" * 8000, "\\" * 60000, "%41" * 20000, "&lt;" * 15000, " " * 60000]
    texts += ["value " * 10000, "-----BEGIN PRIVATE KEY-----" * 2000, "\\u0022" * 10000, "x\n" * 30000]
    for text in texts:
        began = time.perf_counter()
        redact(text)
        assert time.perf_counter() - began < 5, text[:20]
