"""The line that tells what is waited for, and that always moves.

No test sleeps: the clock is turned by hand, and the shop of the last one answers once it was seen.
"""

from __future__ import annotations

import io
import itertools
import logging
import os
import re
import select
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from pseudo_terminal import Window, cells, read_all

from invsync.progress import Doing, Progress
from invsync.sandbox.server import SandboxServer
from invsync.tell.terminal import Terminal

#: Empties a line (ECMA-48, EL).
WIPE = "\x1b[2K"
TERMINAL = Terminal(80, colour=False)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Use:
    waits_for: str = ""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def progress(stream: io.StringIO, clock: Clock) -> Progress:
    return Progress(stream, TERMINAL, clock=clock)


@pytest.mark.parametrize(
    ("doing", "seconds", "line"),
    [
        (Doing(), 0.0, "- asking the shop, 0:00"),
        (Doing("reading", 1250, 5000), 42.0, "reading: 1,250 of 5,000 (25 %), 0:42"),
        (Doing("reading in bulk", 120_000), 605.0, "reading in bulk: 120,000, 10:05"),
        (Doing("reading", 5001, 5000), 61.0, "reading: 5,001, 1:01"),
        (Doing("sending", 50, 50), 7200.0, "sending: 50 of 50 (100 %), 120:00"),
        (Doing("sending", 0, 50), 3.0, "sending: 0 of 50 (0 %), 0:03"),
    ],
)
def test_what_how_far_and_since_when(doing: Doing, seconds: float, line: str) -> None:
    assert doing.line(seconds).endswith(line)


def test_why_the_shop_is_not_asked_just_now() -> None:
    line = Doing("reading", 250).line(5.0, "the shop answers 502 and has to be asked again (8 s)")
    assert line.endswith("0:05\n  waiting: the shop answers 502 and has to be asked again (8 s)")


def test_it_always_moves() -> None:
    lines = [Doing("reading", 250).line(10 + at / 5) for at in range(10)]
    assert all(one != other for one, other in itertools.pairwise(lines))


def test_what_is_done_within_two_seconds_shows_nothing(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    for done in (0, 250, 500):
        progress("reading", done, 5000)
        progress.tick()
        clock.now += 1.0
    assert stream.getvalue() == ""


def test_what_takes_longer_is_told_though_nothing_is_heard(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    clock.now += 3.0
    progress.tick()
    assert "asking the shop, 0:03" in stream.getvalue()


def test_it_tells_what_the_client_waits_for(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    use = Use()
    progress.watch(use)
    clock.now += 3.0
    use.waits_for = "the shop's budget (2 s)"
    progress.tick()
    assert "\n  waiting: the shop's budget (2 s)" in stream.getvalue()


def test_the_line_fits_the_window(
    clock: Clock, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    progress = Progress(stream, Terminal(20, colour=False), clock=clock)
    progress("reading in bulk", 1_250_000, 5_000_000)
    clock.now += 5.0
    progress.tick()
    (line,) = [line for line in re.split(r"\x1b\[2K|\n", stream.getvalue()) if line.strip("\r")]
    assert len(line.strip("\r")) == 20
    assert line.endswith("…")


def test_it_is_gone_before_anything_else_is_printed_and_keeps_away_for_a_moment(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    handler = logging.StreamHandler(stream)
    handler.addFilter(progress.make_way)
    clock.now += 5.0
    progress.tick()
    handler.handle(logging.makeLogRecord({"msg": "throttled"}))
    before, _, after = stream.getvalue().partition("throttled\n")
    assert before.endswith(WIPE)
    assert after == ""
    progress.tick()
    assert stream.getvalue().endswith("throttled\n")
    clock.now += 1.0
    progress.tick()
    assert "asking the shop, 0:06" in stream.getvalue().partition("throttled\n")[2]


def test_it_is_gone_when_the_run_is_over_or_fails(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    def fail() -> None:
        with progress:
            clock.now += 5.0
            progress.tick()
            raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        fail()
    assert stream.getvalue().endswith(WIPE)
    shown = stream.getvalue()
    progress.clear()
    assert stream.getvalue() == shown


def test_while_somebody_is_asked_there_is_no_line(
    progress: Progress, clock: Clock, stream: io.StringIO
) -> None:
    clock.now += 5.0
    progress.tick()
    with progress.away():
        assert stream.getvalue().endswith(WIPE)
        clock.now += 60.0
    progress.tick()
    assert stream.getvalue().endswith(WIPE)


@pytest.mark.parametrize("terminal", [None, Terminal(80, colour=False, moves=False)])
def test_without_a_terminal_on_which_a_line_moves_nothing_is_drawn(
    clock: Clock, stream: io.StringIO, terminal: Terminal | None
) -> None:
    with Progress(stream, terminal, clock=clock) as progress:
        clock.now += 60.0
        progress.tick()
    assert stream.getvalue() == ""


# --- The real program -----------------------------------------------------------------------------


def seen(ours: int, wanted: str, shown: str = "", patience: float = 60.0) -> str:
    """What a window shows until it has shown that."""
    while not re.search(wanted, shown):
        ready, _, _ = select.select([ours], [], [], patience)
        assert ready, f"{wanted} was not shown:\n{shown}"
        shown += os.read(ours, 10_000).decode("utf-8", "replace")
    return shown


def configured(folder: Path, server: SandboxServer) -> Window:
    (folder / "config.yaml").write_text(
        f"shop: sandbox\napi_url: {server.url}\nvariants: {{product_types: [Print]}}\n"
    )
    return Window(folder, 60)


@pytest.mark.parametrize("command", ["variants", "check"])
def test_a_shop_that_takes_its_time_is_waited_for_with_a_line_that_moves(
    tmp_path: Path, command: str
) -> None:
    answer = threading.Event()
    state = tmp_path / "sandbox.json"
    with (
        SandboxServer(state, on_request=lambda *_: answer.wait(60)) as server,
        configured(tmp_path, server).started(command) as (process, ours),
    ):
        shown = seen(ours, r"asking the shop, 0:0\d")
        shown = seen(ours, r"(?s)asking the shop, 0:0(\d).*asking the shop, 0:(?!0\1)", shown)
        answer.set()
        shown += read_all(ours)
        process.wait(60)
    line, _, report = shown.rpartition(WIPE)
    assert max(cells(each) for each in re.split(r"\x1b\[[\dA-K;]+[a-zA-Z]?|\r|\n", line)) <= 60
    assert report.strip() != "", "the line is gone, the report is not"
    assert "Traceback" not in shown


def test_a_shop_that_asks_to_slow_down_is_told_while_it_is_waited_for(tmp_path: Path) -> None:
    faults = [{"fault": "status", "code": 429, "retry_after": 50}]
    with (
        SandboxServer(tmp_path / "sandbox.json", faults=faults) as server,
        configured(tmp_path, server).started("variants") as (_, ours),
    ):
        shown = seen(ours, r"waiting: \S+ answered 429 \(too many requests\)")
    assert "asking the shop, 0:0" in shown
