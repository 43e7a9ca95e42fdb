"""The tries of one call.

Whether another is worth it, how long to wait before it, and what the last one leaves.

Pure, but for the log.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeVar

from invsync.admin.answer import LONGEST_NAMED_WAIT_SECONDS, Kind, Passing
from invsync.errors import NotExecuted, ShopError

#: Tries of one call that may fail for a passing reason.
MAX_TRIES = 6
#: Tries of one call that Shopify refuses for going too fast: it says how long to wait, and nothing
#: has run.
MAX_THROTTLED_TRIES = 20
#: Tries of a query for which Shopify runs out of time (504), before a smaller one is the better
#: bet.
MAX_SLOW_TRIES = 3
#: Seconds before the second try, doubled for each one after it, up to the longest; half of each
#: wait is jitter.
FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
#: Most seconds of jitter on top of a wait that Shopify has named, for each time that it was not
#: enough.
JITTER_SECONDS = 0.5

_TRIES: Mapping[Kind, int] = {
    "failed": MAX_TRIES,
    "throttled": MAX_THROTTLED_TRIES,
    "slow": MAX_SLOW_TRIES,
}

_log = logging.getLogger("invsync")

T = TypeVar("T")


class Tries:
    """The tries of one call so far.

    `repeatable`: whether it may be sent again when it may have been carried out, which
    `may_have_run` tells. `worthwhile`: whether another try is; `pause`: seconds before it;
    `reason`: a clause that says why.
    """

    def __init__(self, operation: str, *, repeatable: bool, jitter: Callable[[], float]) -> None:
        self.worthwhile = True
        self.pause = 0.0
        self.reason = ""
        self._operation = operation
        self._repeatable = repeatable
        self._jitter = jitter
        self._failures: Counter[Kind] = Counter()
        self.may_have_run = False

    def once(self, attempt: Callable[[], T]) -> T:
        """One try; a `Passing` that it raises is taken note of."""
        try:
            return attempt()
        except Passing as failure:
            self._note(failure)
            raise

    def announce(self, failure: Passing) -> None:
        """Say that there will be another try."""
        _log.info(
            "%s: %s; trying again in %.1f s (%d of %d)",
            self._operation,
            failure.happened,
            self.pause,
            self._failures[failure.kind] + 1,
            _TRIES[failure.kind],
        )

    def given_up(self, failure: Passing) -> ShopError:
        """What to raise after the last try failed in passing."""
        tries = self._failures[failure.kind]
        return self.refused(
            failure.given_up(self._operation, repeatable=self._repeatable, tries=tries)
        )

    def refused(self, failure: ShopError) -> ShopError:
        """What to raise after the last try failed with `failure`.

        That nothing of it was carried out says nothing of an earlier try that may have been.
        """
        if self.may_have_run and isinstance(failure, NotExecuted):
            return ShopError(str(failure))
        return failure

    def _note(self, failure: Passing) -> None:
        self._failures[failure.kind] += 1
        self.may_have_run |= failure.ran
        self.reason = f"{failure.happened} ({self._operation}) and has to be asked again"
        self.pause = self._pause(failure)
        self.worthwhile = (
            (self._repeatable or not failure.ran)
            and (failure.wait or 0.0) <= LONGEST_NAMED_WAIT_SECONDS
            and self._failures[failure.kind] < _TRIES[failure.kind]
        )

    def _pause(self, failure: Passing) -> float:
        times = self._failures[failure.kind]
        if failure.wait is not None:
            return failure.wait + JITTER_SECONDS * times * self._jitter()
        backoff = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** (times - 1))
        return backoff * (1 + self._jitter()) / 2
