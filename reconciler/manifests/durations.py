"""Reads times and rates as people write them: `30s`, `1.5h`, `20/s`."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)\s*", re.ASCII)
_RATE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*/\s*([smh])\s*", re.ASCII)


def seconds(text: str) -> float:
    """A duration in seconds. Raises ValueError when the text is none, or is not longer than nothing."""
    match = _DURATION.fullmatch(text)
    value = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < value < 1e9:
        raise ValueError(f"{text[:40]!r} is no duration: write it like 30s, 5m or 1h")
    return round(value, 6)


def per_second(text: str) -> float:
    """A rate in requests per second. Raises ValueError when the text is none, or is zero."""
    match = _RATE.fullmatch(text)
    value = float(match[1]) / _SECONDS[match[2]] if match else 0.0
    if not 0 < value < 1e9:
        raise ValueError(f"{text[:40]!r} is no rate: write it like 20/s, 600/m or 1000/h")
    return value
