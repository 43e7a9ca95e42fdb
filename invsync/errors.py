"""What can go wrong, and the exit code of each.

Every message is one line: what happened, where, what to do next. No message ever holds a token.
"""

from __future__ import annotations


class InvsyncError(Exception):
    """Anything that a user, a network or Shopify can cause.

    `str()` is the line that a person reads.
    """

    exit_code = 1


class ConfigError(InvsyncError):
    """The configuration can't be used. `problems`: one line each, all that were found at once."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LockHeld(InvsyncError):
    """Another run of the same command holds the lock: nothing was read or changed.

    `times`: how many runs in a row found the same holder, this one included.
    """

    exit_code = 75

    def __init__(self, message: str, times: int = 1) -> None:
        super().__init__(message)
        self.times = times


class StateError(InvsyncError):
    """The state folder, the cache or the journal can't be read or written.

    What is on disk was kept.
    """


class ShopError(InvsyncError):
    """The shop could not be reached, refused the call, or gave an answer that can't be trusted.

    Of a mutation: whether it was carried out is not known, unless it is `NotExecuted`.
    """


class NotExecuted(ShopError):
    """The shop's answer says that nothing of this call was carried out.

    The next call would fare alike.

    It speaks of what was sent in this call, not of an earlier call with the same idempotency key.
    """


class CallRefused(NotExecuted):
    """The shop refuses this call as it stands, and nothing of it was carried out.

    Another call may go through.
    """


class QueryTooLarge(ShopError):
    """Shopify ran out of time on a query, or finds it too costly: ask again with a smaller page."""


class Ended(InvsyncError):
    """The run has to end here.

    `in_flight`: whether a call may have been carried out of which nothing was heard.
    """

    in_flight = False


class OutOfTime(Ended):
    """The run's time budget (`max_run_time`) is spent."""


class Stopped(Ended):
    """A signal asked the run to stop; the exit code is 128 + the signal's number."""

    def __init__(self, signum: int) -> None:
        super().__init__(
            f"stopped by signal {signum}; what was sent is recorded, and the next run goes on from "
            "there"
        )
        self.signum = signum
        self.exit_code = 128 + signum
