"""The line that tells how far a long read or push has come.

No test sleeps: the clock is turned by hand.
"""

from __future__ import annotations

import io
import logging

import pytest

from invsync.progress import Progress
from invsync.tell.terminal import Terminal

WIPE = "\r\x1b[K"
TERMINAL = Terminal(80, colour=True)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def progress(stream: io.StringIO, clock: Clock) -> Progress:
    return Progress(stream, TERMINAL, clock=clock)


def test_what_is_done_within_two_seconds_shows_nothing(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    with progress:
        for done in (0, 250, 500):
            progress("reading", done, 5000)
            clock.now += 1.0
    assert stream.getvalue() == ""


def test_what_takes_longer_shows_count_and_rate(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    progress("reading", 0, 5000)
    clock.now += 4.0
    progress("reading", 1250, 5000)
    assert stream.getvalue() == WIPE + "reading  [#####---------------]  1,250 of 5,000  312/s"


def test_a_first_answer_that_took_long_counts_as_long(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    clock.now += 10.0
    progress("reading", 25, None)
    assert stream.getvalue() == WIPE + "reading  25  2.5/s"


@pytest.mark.parametrize("total", [None, 0, 1249])
def test_there_is_no_bar_where_nobody_knows_of_how_many(
    progress: Progress, clock: Clock, stream: io.StringIO, total: int | None
) -> None:
    clock.now += 5.0
    progress("reading", 1250, total)
    assert stream.getvalue() == WIPE + "reading  1,250  250/s"


def test_a_full_bar_is_full(progress: Progress, clock: Clock, stream: io.StringIO) -> None:
    clock.now += 5.0
    progress("reading", 50, 50)
    assert "[####################]  50 of 50" in stream.getvalue()


def test_each_thing_has_its_own_two_seconds_and_rate(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    clock.now += 10.0
    progress("pushing", 0, 100)
    stream.truncate(0)
    progress("reading", 0, 100)
    clock.now += 1.0
    progress("reading", 10, 100)
    assert stream.getvalue() == ""
    clock.now += 3.0
    progress("reading", 20, 100)
    assert stream.getvalue().endswith("20 of 100  5.0/s")


def test_the_line_is_not_drawn_more_than_ten_times_a_second(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    clock.now += 5.0
    for done in range(1000):
        progress("reading", done, 1000)
        clock.now += 0.001
    assert stream.getvalue().count(WIPE) <= 11


def test_the_line_fits_the_screen(clock: Clock, stream: io.StringIO) -> None:
    progress = Progress(stream, Terminal(20, colour=True), clock=clock)
    clock.now += 5.0
    progress("reading", 1250, 5000)
    assert len(stream.getvalue().removeprefix(WIPE)) == 19


def test_it_is_gone_before_anything_else_is_printed(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    with progress:
        clock.now += 5.0
        progress("reading", 1, 10)
    assert stream.getvalue().endswith(WIPE)
    before = stream.getvalue()
    progress.clear()
    assert stream.getvalue() == before


def test_it_is_gone_when_the_run_fails(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    def fail() -> None:
        with progress:
            progress("reading", 1, 10)
            raise ValueError("gone")

    clock.now += 5.0
    with pytest.raises(ValueError, match="gone"):
        fail()
    assert stream.getvalue().endswith(WIPE)


def test_it_makes_way_for_a_line_of_the_log_and_comes_back(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    handler = logging.StreamHandler(stream)
    handler.addFilter(progress.make_way)
    clock.now += 5.0
    progress("reading", 1, 10)
    handler.handle(logging.makeLogRecord({"msg": "throttled"}))
    progress("reading", 2, 10)
    lines = stream.getvalue().split("throttled\n")
    assert lines[0].endswith("1 of 10  0.2/s" + WIPE)
    assert lines[1].startswith(WIPE + "reading  ")


@pytest.mark.parametrize("terminal", [None, Terminal(80, colour=False)])
def test_without_a_terminal_or_with_no_color_nothing_is_drawn(
    clock: Clock, stream: io.StringIO, terminal: Terminal | None
) -> None:
    with Progress(stream, terminal, clock=clock) as progress:
        clock.now += 60.0
        progress("reading", 1, 10)
    assert stream.getvalue() == ""
