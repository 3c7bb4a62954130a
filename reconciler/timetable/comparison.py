"""Whether the starts of two timings make a difference to what they run from now on."""

from __future__ import annotations

from datetime import datetime

from reconciler.timetable.runs import next_runs
from reconciler.timetable.timing import Timing
from reconciler.timetable.wallclock import instant_of, seconds_of, whole_second


def same_start(a: Timing, b: Timing, as_of: datetime) -> bool:
    """Whether two starts make no difference after an aware moment, given that expression and zone agree.

    Intervals: the same phase and the same first run. Cron: starts that have passed make none; otherwise the first
    run decides.
    """
    if a.start == b.start:
        return True
    if a.expression.is_interval and phase(a) != phase(b):
        return False
    zone = a.rules
    if zone is None:
        # Nobody knows when it is what time there; a day and a bit covers every offset there is.
        threshold = whole_second(as_of) - 26 * 3600
        return seconds_of(a.start) <= threshold and seconds_of(b.start) <= threshold
    now = whole_second(as_of)
    if instant_of(a.start, zone)[0] <= now and instant_of(b.start, zone)[0] <= now:
        return True
    first, second = ([run.at.timestamp() for run in next_runs(each, as_of, 1)] for each in (a, b))
    return first == second


def phase(timing: Timing) -> str:
    """What of a start matters for good, as a text without a clock: its remainder by the interval; "" for cron.

    Whole days: the day within the cycle and the time on the clock. Other intervals: seconds of real time.
    """
    expression = timing.expression
    if expression.interval is None:
        return ""
    if days := expression.whole_days:
        return f"day {timing.start.toordinal() % days} of {days} at {timing.start:%H:%M:%S}"
    step = int(expression.interval.total_seconds())
    zone = timing.rules
    if zone is None:
        return f"second {seconds_of(timing.start) % step} of {step} on its clock"
    return f"second {instant_of(timing.start, zone)[0] % step} of {step}"
