"""How the emulated products behave where the vendors' documents leave it open: one switch for each unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from reconciler.errors import UsageError

_YES = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


def _choice(help_text: str, *choices: str) -> str:
    return field(default=choices[0], metadata={"choices": choices, "help": help_text})


def _flag(help_text: str) -> bool:
    return field(default=False, metadata={"choices": ("no", "yes"), "help": help_text})


@dataclass(frozen=True)
class Switches:
    """One value for each thing that is not documented. The first choice is the default."""

    # what is read
    guid_case: str = _choice("how GUIDs are written in replies", "keep", "lower", "upper", "mixed", "braces")
    key_case: str = _choice("how keys of ACC's replies are written", "camel", "pascal", "lower")
    fractions: str = _choice("fraction of a second in times of runs", "seven", "none")
    start_time_style: str = _choice("how a schedule's startTime comes back", "plain", "fraction", "offset")
    booleans: str = _choice("how booleans are written in replies", "bool", "string", "number")
    enumerations: str = _choice("status values in replies", "known", "unknown", "text")
    reserialise_parameters: str = _choice(
        "spelling of inputParameters when read", "keep", "sorted", "reversed", "spaced"
    )
    empty_parameters: str = _choice("how no inputParameters are shown", "keep", "null", "blank", "braces")
    cron_style: str = _choice("how a cron expression comes back", "keep", "upper", "lower", "spaced")
    zone_case: str = _choice("how timeZoneId comes back", "keep", "upper", "lower")
    cron_description: str = _choice("cronDescription in replies", "full", "plain", "null")
    next_run_time: str = _choice("nextRunTime in replies", "predicted", "shifted", "null")
    both_day_fields: str = _choice("a cron expression with both day fields runs when", "either", "both")
    skipped_hour: str = _choice("a local time that daylight saving skips", "moved", "lost")
    repeated_hour: str = _choice("a local time that daylight saving repeats runs", "once", "twice", "wildcards")
    empty_list: str = _choice("the reply when an agent has no schedules", "list", "null", "nothing")
    path_case: str = _choice("whether the case of an agent's path matters", "matters", "ignored")
    missing_agent: str = _choice("the reply for a path that is not there", "404", "403", "null")
    # what is written
    ignore_new_ids: bool = _flag("an unseen scheduleId is replaced by one of the server's own")
    omitted: str = _choice("a field left out of an update", "refuse", "keep", "reset")
    unknown_keys: str = _choice("a key that the schedule call does not document", "refuse", "ignore")
    several_units: str = _choice("an interval of more than one unit", "accept", "refuse")
    undocumented_cron: str = _choice("a cron expression such as 1,2W, that no document promises", "accept", "refuse")
    foreign_id: str = _choice("a scheduleId that lives on another agent", "409", "400", "move")
    post_reply: str = _choice("the reply to a write that shows none", "empty", "id", "object")
    silently_ignore_writes: bool = _flag("writes to schedules answer 200 and change nothing")
    mangle_field: str = _choice(
        "a field that the server spoils when it is written",
        "none",
        "lower-parameters",
        "drop-parameters",
        "truncate-session",
        "log-level",
        "drop-seconds",
    )
    roll_start_time: bool = _flag("startTime of an enabled interval schedule moves on to its next run")
    empty_message: str = _choice("an approval or disapproval without a message", "refuse", "accept")
    delete_unknown: str = _choice("deleting, starting or switching a schedule that is not there", "404", "200")
    # runs and files
    schedules_fire: bool = _flag("enabled schedules start jobs by themselves when they are due")
    busy_job: str = _choice("a second start while a job of the agent runs", "409", "400")
    input_files_deleted_by_runs: str = _choice("runs that end well delete input files", "asked", "always", "never")
    undeployed_start: str = _choice("starting an agent that is not deployed", "409", "400", "404", "failed-run")
    disapproved_start: str = _choice(
        "starting an agent that is not approved", "409", "403", "400", "failed-run", "starts"
    )
    unsupported_session: str = _choice("a session where the agent supports none", "refuse", "ignore")
    csv_ending: str = _choice("endings of input files in capitals", "refuse", "accept")
    empty_file: str = _choice("an input file without content", "refuse", "accept")
    zip_files: str = _choice("an uploaded zip file is", "unpacked", "kept")
    zip_content: str = _choice("damaged zip files, and other members than .csv and .txt", "refuse", "accept")
    upload_enables: bool = field(
        default=True, metadata={"choices": ("yes", "no"), "help": "uploading again enables a disabled input file"}
    )
    # refusals
    unauthorised: str = _choice("ACC's reply without a valid token", "401", "403", "redirect", "html")
    body_limit: str = _choice("bytes in a body before 413", "30000000", "none", "1000000", "10000")
    rate_limit: str = _choice(
        "calls a second to each product before 429 with Retry-After", "none", "1/s", "10/s", "100/s"
    )
    error_body: str = _choice("the body of an error", "json", "text", "empty", "html")
    retry_after: str = _choice("Retry-After on injected 429 and 503", "none", "seconds", "date")
    # Automate MFT
    access_tokens: str = _choice("access tokens of Automate MFT", "opaque", "jwt")
    expires_in: str = _choice("expires_in in the token reply", "present", "absent")
    expired_token: str = _choice("Automate MFT's reply to an expired access token", "403", "401")
    unknown_token: str = _choice("Automate MFT's reply to an access token that it does not know", "401", "403")
    licence_exhausted: str = _choice("a start when no task executions are left", "402", "403")
    task_run_status: str = _choice("states of a task run", "known", "unknown")

    @classmethod
    def parse(cls, settings: Iterable[str], start: Switches | None = None) -> Switches:
        """Read `name=value` texts. Raises UsageError that names what is possible."""
        values: dict[str, str] = {}
        for text in settings:
            name, equals, value = text.partition("=")
            values[name] = value if equals else "yes"
        return cls.of(values, start)

    @classmethod
    def of(cls, values: Mapping[str, object], start: Switches | None = None) -> Switches:
        """Switches from plain data, such as a state file's. Raises UsageError that names what is possible."""
        known = {entry.name: entry for entry in fields(cls)}
        changes: dict[str, str | bool] = {}
        for given, value in values.items():
            name = given.strip().replace("-", "_")
            if name not in known:
                raise UsageError(f"there is no switch {given!r}", hint="known are: " + ", ".join(sorted(known)))
            choices = known[name].metadata["choices"]
            if choices[0] in ("yes", "no"):
                word = str(value).strip().lower()
                if word not in _YES:
                    raise UsageError(f"switch {name}: {value!r} is neither yes nor no")
                changes[name] = _YES[word]
            elif str(value) in choices:
                changes[name] = str(value)
            else:
                raise UsageError(f"switch {name}: {value!r} is none of {', '.join(choices)}")
        return replace(start or cls(), **changes)  # type: ignore[arg-type]  # each name was looked up above


def switch_lines() -> list[tuple[str, str]]:
    """For each switch `name=choices`, the default first, and what it means."""
    return [
        (f"{entry.name}={'|'.join(entry.metadata['choices'])}", entry.metadata["help"]) for entry in fields(Switches)
    ]
