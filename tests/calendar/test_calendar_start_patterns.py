"""The starts that a page holds in short are all of them, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.calendar.job_starts import Window
from reconciler.calendar.start_patterns import CompactStarts, StartPatterns, Template

WINDOW = Window(1_774_789_200, 1_774_789_200 + 9 * 86400)


def written_out(pattern: CompactStarts, templates: Sequence[Template]) -> Iterator[int]:
    """What a page makes of a pattern."""
    match pattern:
        case [int(first), int(step), int(count)]:
            yield from (WINDOW.begin + first + each * step for each in range(count))
        case _:
            for part in pattern:
                assert isinstance(part, tuple)
                days, hours, number = int(part[0], 16), int(part[1], 16), part[2]
                runs = templates[number]
                for day in range(days.bit_length()):
                    for hour in range(hours.bit_length()):
                        if days >> day & hours >> hour & 1:
                            for first, step, count in zip(runs[::3], runs[1::3], runs[2::3], strict=True):
                                at = WINDOW.begin + day * 86400 + hour * 3600 + first
                                yield from (at + each * step for each in range(count))


starts = st.one_of(
    st.lists(st.integers(WINDOW.begin, WINDOW.end - 1), max_size=40, unique=True).map(sorted),
    st.builds(
        lambda first, step: range(WINDOW.begin + first, WINDOW.end, step),
        st.integers(0, 86400),
        st.integers(1, 200_000),
    ),
    st.builds(
        lambda minutes, hours, days: [
            WINDOW.begin + day * 86400 + hour * 3600 + 60 * minute
            for day in sorted(days)
            for hour in sorted(hours)
            for minute in sorted(minutes)
        ],
        st.sets(st.integers(0, 59), max_size=8),
        st.sets(st.integers(0, 23), max_size=12),
        st.sets(st.integers(0, 8)),
    ),
)


@settings(deadline=None)
@example([[], range(0)])
@given(st.lists(starts, max_size=6))
def test_starts_in_short_are_the_same_starts(several: list[Sequence[int]]) -> None:
    patterns = StartPatterns(WINDOW)
    numbers = [patterns.number_of(starts) for starts in several]
    for number, expected in zip(numbers, several, strict=True):
        assert sorted(written_out(patterns.patterns[number], patterns.templates)) == list(expected)


def test_what_repeats_is_said_once() -> None:
    patterns = StartPatterns(WINDOW)
    office = [
        WINDOW.begin + day * 86400 + hour * 3600 + 300 for day in range(9) if day % 7 < 5 for hour in range(8, 19)
    ]
    assert patterns.number_of(office) == patterns.number_of(list(office)) == 0
    assert patterns.patterns == [[("19f", "7ff00", 0)]]
    assert patterns.templates == [(300, 1, 1)]
