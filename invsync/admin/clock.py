"""Time, as the client sees it: this machine's clock, and the shop's."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

#: Seconds by which two readings of the difference between the clocks may lie apart and still be of
#: one mind.
ONE_MIND_SECONDS = 3600.0
#: A `Date` outside these is no moment that anybody can mean. How far it lies from this machine's
#: clock tells nothing: that begins at 1970 where its battery is empty.
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """The clock of the machine that invsync runs on."""

    def now(self) -> float:
        """Unix time in seconds."""

    def monotonic(self) -> float:
        """Seconds on a clock that is never set."""

    def sleep(self, seconds: float) -> None:
        """Wait; what it raises (a signal, say) passes through the client unchanged."""

    def check(self) -> None:
        """Raise what ends the run, where a signal came or its time is spent; else nothing."""


class SystemClock:
    """The machine's own clock, which nothing stops."""

    def now(self) -> float:
        """Unix time in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that is never set."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def check(self) -> None:
        """Nothing ends the run."""


class ShopClock:
    """The shop's clock by the `Date` headers of its answers, as the difference to this machine's.

    One answer's absurd `Date` among others moves nothing: what lies more than an hour away from
    what is believed, and from this machine's clock, is believed once the next answer says the same.
    """

    def __init__(self) -> None:
        self._believed: float | None = None
        self._told: float | None = None

    @property
    def told(self) -> float | None:
        """Seconds by which the shop's clock is ahead as its last answer told, to the second.

        None until one did.
        """
        return self._told

    def note(self, date: str, now: float) -> None:
        """Take note of a `Date` header that came at `now` by this machine's clock."""
        moment = http_date(date)
        if moment is None or not EARLIEST <= moment <= LATEST:
            return
        skew = moment.timestamp() - now
        supported = (0.0, self._believed, self._told)
        self._told = skew
        if self._believed is None or any(_of_one_mind(skew, one) for one in supported):
            self._believed = skew

    def at(self, now: float) -> datetime:
        """The moment `now` of this machine's clock by the shop's, in UTC."""
        return datetime.fromtimestamp(now + (self._believed or 0.0), UTC)

    def jumped(self, since: float | None) -> bool:
        """Whether the last answer's `Date` lies more than an hour away from where it should.

        `since`: the difference that an earlier run was told; None: none was, so that this
        machine's clock is held against it.
        """
        return self._told is not None and not _of_one_mind(self._told, since or 0.0)


def _of_one_mind(one: float, other: float | None) -> bool:
    return other is not None and abs(one - other) <= ONE_MIND_SECONDS


def http_date(text: str) -> datetime | None:
    """A moment as HTTP headers tell it (RFC 9110, 5.6.7); None for anything else."""
    try:
        date = parsedate_to_datetime(text)
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None
