"""What a reply by hand must not show: values that are secret, and what stands where a secret stands or once stood."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.clients.redaction import Redactor
from reconciler.errors import ProductError
from reconciler.identity import normal_id
from reconciler.model.state import JSON, SECRET
from reconciler.secrecy import Secrecy, masked

if TYPE_CHECKING:
    from reconciler.clients.replies import JobSchedule

_ITS_SCHEDULE = ("scheduleid", "agentjobscheduleid")
_WORDS = ("statusmessage", "errormessage")


class ReplyMask:
    """Hides what is secret in replies. `more` are further values; `schedules_of` reads an agent's schedules by its id.

    What live shows at a path that was secret is a secret too, though no manifest may know it any more: it is learnt
    from the schedules that are shown, or looked up for the runs that they began, whose messages may quote it.
    """

    def __init__(self, secrecy: Secrecy, more: Iterable[str] = ()) -> None:
        self.schedules_of: Callable[[str], Iterable[JobSchedule]] | None = None
        self._secrecy = secrecy
        self._values = frozenset(secrecy.values) | frozenset(more)
        self._redact = Redactor(self._values)
        self._unread: set[str] = set()

    def redact(self, text: str) -> str:
        """A text without the values that are known so far."""
        return self._redact(text)

    def apply_to(self, raw: JSON) -> JSON:
        """A reply as it may be shown."""
        rows = [row for row in (raw if isinstance(raw, list | tuple) else [raw]) if isinstance(row, Mapping)]
        if rows:
            self._learn(rows)
        return self._clean(raw)

    def _learn(self, rows: Iterable[Mapping[str, JSON]]) -> None:
        from reconciler.clients.replies import read_parameters, read_schedule

        shown: list[JobSchedule] = []
        for row in rows:
            with suppress(ProductError):  # an answer that is documented nowhere may hold an id that is none
                shown += [read_schedule(row)] if "scheduleid" in map(str.lower, row) else []
        found = self._values_of(shown)
        began = [(_schedule_of(row), _get(row, "inputparameters")) for row in rows if _get(row, "agentjobscheduleid")]
        found |= self._secrecy.values_of_runs((one, read_parameters(written)) for one, written in began)
        for agent in {str(_get(row, "agentid")) for row in rows if _get(row, "agentjobscheduleid")}:
            found |= self._asked(agent, {_schedule_of(row) for row in rows if str(_get(row, "agentid")) == agent})
        if not found <= self._values:
            self._values |= found
            self._redact = Redactor(self._values)

    def _asked(self, agent: str, wanted: set[str]) -> frozenset[str]:
        """The secrets that an agent's schedules show; if nobody can read them, `wanted`'s messages are hidden."""
        has_secrets = self._secrecy.is_any or any(map(self._secrecy.paths_in_view, wanted))
        if self.schedules_of is None or not has_secrets:
            return frozenset()
        try:
            live = tuple(self.schedules_of(agent))
        except ProductError:
            self._unread |= wanted
            return frozenset()
        return self._values_of(live)

    def _values_of(self, live: Iterable[JobSchedule]) -> frozenset[str]:
        from reconciler.kinds.schedule_state import live_state

        by_id = [(normal_id(one.schedule_id), live_state(one)) for one in live]
        return self._secrecy.values_of(by_id) | self._secrecy.values_in_doubt(by_id)

    def _clean(self, value: JSON) -> JSON:
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, Mapping):
            return {self._redact(str(key)): self._clean(each) for key, each in self._without_parameters(value).items()}
        if isinstance(value, list | tuple):
            return [self._clean(each) for each in value]
        return value

    def _without_parameters(self, row: Mapping[str, JSON]) -> Mapping[str, JSON]:
        from reconciler.clients.replies import read_parameters

        identity = _schedule_of(row)
        if not identity:
            return row
        hidden = dict(row)
        is_run = _get(row, "scheduleid") is None
        paths = self._secrecy.paths_in_runs(identity) if is_run else self._secrecy.paths_in_view(identity)
        for key, value in row.items():
            if key.lower() == "inputparameters" and paths and value not in (None, "", "{}"):
                parameters = read_parameters(value)
                if parameters is None:
                    hidden[key] = SECRET
                elif isinstance(value, str):
                    hidden[key] = json.dumps(masked(parameters, paths), separators=(",", ":"), ensure_ascii=False)
                else:
                    hidden[key] = masked(parameters, paths)
            elif key.lower() in _WORDS and value and identity in self._unread:
                hidden[key] = SECRET
        return hidden


def _get(row: Mapping[str, JSON], name: str) -> JSON:
    return next((value for key, value in row.items() if key.lower() == name), None)


def _schedule_of(row: Mapping[str, JSON]) -> str:
    """The id of the schedule that a row shows or that began its run, as ids are compared; "" without one."""
    return next((normal_id(str(found)) for name in _ITS_SCHEDULE if (found := _get(row, name))), "")
