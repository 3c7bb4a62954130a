"""A schedule that is made is read as fast as one that is written."""

from __future__ import annotations

from tools.reuse_speed import measured


def test_what_is_made_takes_no_longer_than_what_is_written() -> None:
    written, made = measured(20, rounds=5)
    assert made < written
