"""The choices that calls of ACC take beside ids and paths, in the words of its documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from reconciler.clients.calls import compact_json
from reconciler.clients.replies import JOB_STATUS


class RunMethod(StrEnum):
    """How "Retry run" goes about it."""

    RESTART = "Restart"
    CONTINUE = "Continue"
    CONTINUE_REFRESH_AGENT = "ContinueRefreshAgent"
    CONTINUE_AND_RETRY_ERRORS = "ContinueAndRetryErrors"
    CONTINUE_AND_RETRY_ERRORS_REFRESH_AGENT = "ContinueAndRetryErrorsRefreshAgent"
    NEW = "New"


class JobStatus(StrEnum):
    """What "Set status for latest job run" can set; the code is the place in the list."""

    NEVER_RUN = "Never Run"
    IN_PROGRESS = "In Progress"
    IN_PROGRESS_WITH_FAILURE = "In Progress With Failure"
    SUCCEEDED = "Succeeded"
    FAILURE = "Failure"
    FAILED = "Failed"

    @property
    def code(self) -> int:
        return JOB_STATUS.index(self.value)


class Delivery(StrEnum):
    """What a synchronous start hands back: run ids, the first data file as text, or all data files."""

    NONE = "None"
    PLAIN = "Plain"
    ZIP = "Zip"


class StartOptions(Struct, frozen=True):
    """How an agent or a job is started. What is None is left out, so that the product's default holds.

    `use_multiple_sessions` and `synchronous_timeout` (seconds) are for "Start agent on cluster" alone.
    """

    session_id: str | None = None
    log_level: int | None = None
    is_production_run: bool | None = None
    input_parameters: Mapping[str, str] | None = None
    input_files: Sequence[str] | None = None
    is_delete_input_files_on_completed: bool | None = None
    use_multiple_sessions: bool | None = None
    is_synchronous: bool | None = None
    synchronous_timeout: int | None = None

    def as_body(self) -> dict[str, object]:
        body = {_key(name): value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        if self.input_parameters is not None:
            body["inputParameters"] = parameters_text(self.input_parameters)
        return body


def _key(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def parameters_text(values: Mapping[str, object]) -> str:
    """Input parameters as the product takes them: JSON in a string, every value a text."""
    texts = {key: value if isinstance(value, str) else compact_json(value) for key, value in values.items()}
    return json.dumps(texts, separators=(",", ":"), ensure_ascii=False)
