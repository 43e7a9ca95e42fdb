"""Times as people read them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from invsync.tell.times import local, moment, span

#: As POSIX writes it: a machine may know no names of zones.
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.mark.parametrize(
    ("zone", "then", "says"),
    [
        ("UTC", datetime(2026, 11, 25, 15, 31, tzinfo=UTC), "2026-11-25 15:31 UTC"),
        (BERLIN, datetime(2026, 11, 25, 15, 31, tzinfo=UTC), "2026-11-25 16:31 CET"),
        (BERLIN, datetime(2026, 7, 25, 23, 31, tzinfo=UTC), "2026-07-26 01:31 CEST"),
        ("EST5EDT,M3.2.0,M11.1.0", datetime(2026, 1, 1, 2, tzinfo=UTC), "2025-12-31 21:00 EST"),
        (BERLIN, datetime.max.replace(tzinfo=UTC), "9999-12-31 23:59 UTC"),
    ],
)
def test_a_moment_is_told_by_the_clock_of_its_reader(
    monkeypatch: pytest.MonkeyPatch, zone: str, then: datetime, says: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    assert local(then) == says


def test_what_is_no_moment_is_none() -> None:
    assert moment("2026-11-25T15:31:00Z") == datetime(2026, 11, 25, 15, 31, tzinfo=UTC)
    assert moment("2026-11-25 15:31") == datetime(2026, 11, 25, 15, 31, tzinfo=UTC)
    assert moment("soon") is None
    assert moment(None) is None


@pytest.mark.parametrize(
    ("length", "says"),
    [
        (timedelta(seconds=-5), "under 1 min"),
        (timedelta(seconds=59), "under 1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=47, minutes=3), "47 h 3 min"),
        (timedelta(days=2, hours=5, minutes=3), "2 d 5 h"),
    ],
)
def test_a_length_of_time_in_its_two_largest_units(length: timedelta, says: str) -> None:
    assert span(length) == says
