"""How a Sequentum Enterprise server is doing, and which of its thresholds it is over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reconciler.clients.received import RawObject, Received
from reconciler.errors import ProductError

_USAGE = re.compile(r"(?:([A-Za-z]+)\s*[:=]\s*)?(?<![-\d.,])(\d{1,6}(?:[.,]\d{1,6})?)(?!\d)\s*%?")


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server's answer to "Get SE Server Status"."""

    is_error: bool | None
    message: str | None
    cpu_usages: str | None
    memory_usages: str | None
    disc_usages: str | None
    cpu_threshold: int | None
    memory_threshold: int | None
    raw: RawObject = field(repr=False)

    def judged(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is over its threshold, and what has a threshold and shows no usage to hold against it, in words.

        The threshold is the server's own "maximum utilisation"; what is held against it is the first number, the usage
        now. A threshold of 0 or below is none.
        """
        over: list[str] = []
        unread: list[str] = []
        for what, usages, most in (
            ("CPU", self.cpu_usages, self.cpu_threshold),
            ("memory", self.memory_usages, self.memory_threshold),
        ):
            if most is None or most <= 0:
                continue
            usage = usage_now(usages)
            if usage is None:
                unread.append(
                    f"{what}: no usage can be read from {usages!r}, to hold against the threshold of {most} %"
                )
            elif usage > most:
                over.append(f"{what}: {usage:g} % is used, the threshold is {most} %")
        return tuple(over), tuple(unread)


def read_server(value: object) -> ServerStatus:
    given = Received(value, "a server's status")
    if "iserror" not in given and "message" not in given:
        raise ProductError("A server's status was answered without isError and message")
    return ServerStatus(
        is_error=given.truth("iserror"),
        message=given.text("message"),
        cpu_usages=given.text("cpuusages"),
        memory_usages=given.text("memoryusages"),
        disc_usages=given.text("discusages"),
        cpu_threshold=given.percentage("cputhreshold"),
        memory_threshold=given.percentage("memorythreshold"),
        raw=given.raw,
    )


def usage_now(text: str | None) -> float | None:
    """The usage now, in percent, of a text such as "6%, a:13%, p: 23 % " (now, average, peak); None without one.

    Tolerant of spaces, a decimal comma, the order, and a bare number; what has another label is another's.
    """
    if text is None:
        return None
    for label, number in _USAGE.findall(text):
        if label.lower() in ("", "n", "now", "c", "cur", "current"):
            return float(number.replace(",", "."))
    return None
