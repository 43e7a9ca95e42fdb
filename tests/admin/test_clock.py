from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from invsync.admin.clock import ShopClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW = NOON.timestamp()
YEAR = timedelta(days=365)


def told(*skews: timedelta) -> ShopClock:
    """The shop's clock after answers that said so."""
    clock = ShopClock()
    for skew in skews:
        clock.note(format_datetime(NOON + skew, usegmt=True), NOW)
    return clock


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_before_the_shop_has_told_this_machines_clock_is_believed() -> None:
    assert told().told is None
    assert told().at(NOW) == NOON


@pytest.mark.parametrize(
    ("skews", "believed"),
    [
        ([seconds(5)], seconds(5)),
        ([seconds(5), seconds(-7)], seconds(-7)),
        ([YEAR], YEAR),
        ([YEAR, YEAR + seconds(3)], YEAR + seconds(3)),
        ([seconds(5), YEAR], seconds(5)),
        ([seconds(5), -YEAR], seconds(5)),
        ([YEAR, seconds(5)], seconds(5)),
        ([seconds(5), YEAR, seconds(6)], seconds(6)),
        ([seconds(5), YEAR, YEAR], YEAR),
        ([seconds(5), YEAR, -YEAR, YEAR], seconds(5)),
        ([-YEAR, -YEAR, YEAR, -YEAR], -YEAR),
    ],
)
def test_one_absurd_date_among_others_moves_nothing(
    skews: list[timedelta], believed: timedelta
) -> None:
    assert told(*skews).at(NOW) == NOON + believed


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Sun, 22 Nov 99999 12:00:00 GMT",
        "\u0663",
        "Sun, 22 Nov 2026 12:00:00 +9999",
    ],
)
def test_what_nobody_can_mean_is_no_date(date: str) -> None:
    clock = ShopClock()
    clock.note(date, NOW)
    assert clock.at(NOW) - NOON < timedelta(days=6)
    assert clock.at(NOW) - timedelta(days=3650) < clock.at(NOW) + timedelta(days=3650)


@pytest.mark.parametrize(
    ("now", "since", "jumped"),
    [
        ([seconds(5)], None, False),
        ([seconds(5)], 5.0, False),
        ([seconds(5)], -3000.0, False),
        ([YEAR], None, True),
        ([YEAR], YEAR.total_seconds(), False),
        ([seconds(5)], YEAR.total_seconds(), True),
        ([-YEAR], 0.0, True),
        ([YEAR, seconds(5)], 0.0, False),
        ([], 0.0, False),
        ([], YEAR.total_seconds(), False),
    ],
)
def test_whether_the_clocks_have_moved_against_each_other(
    now: list[timedelta], since: float | None, jumped: bool
) -> None:
    assert told(*now).jumped(since) == jumped
