"""One call to the shop: paced, repeated where that is worth it, judged.

It keeps under the shop's point budget by itself, repeats what is worth repeating and may be
repeated, and fails at once, with one clear sentence, on what can't get better. What leaves this
module is `ShopError` and its kinds, `OutOfTime`, or whatever the clock raises. No token is in a
message, a log or a `repr`.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

import requests
import tenacity
from requests.auth import AuthBase

from invsync.admin.address import Address, address_of, shop_address
from invsync.admin.again import Tries
from invsync.admin.answer import (
    LONGEST_NAMED_WAIT_SECONDS,
    TRY_LATER,
    Answer,
    Call,
    Passing,
    answer_of,
    request_of,
)
from invsync.admin.auth import ClientCredentials, Credentials, GrantAnswer
from invsync.admin.bearers import GrantForm, NoSecret, TokenHeader
from invsync.admin.budget import Bucket, Cost, cost_of
from invsync.admin.clock import Clock as Clock
from invsync.admin.clock import ShopClock, SystemClock
from invsync.admin.documents import Document
from invsync.admin.judge import (
    OUR_FAULT,
    Denied,
    beside,
    garbage,
    is_throttled,
    judge,
    refuse_download,
    refuse_status,
    refused_token,
)
from invsync.admin.wire import Incoming, Outgoing, Wire
from invsync.errors import Ended, NotExecuted, OutOfTime, ShopError

#: A line of a bulk result is one object, with at most 250 tags of 255 signs beside short texts; a
#: longer one is not a bulk result. Results are read line by line, so this bounds what a line takes.
LONGEST_LINE_BYTES = 1024 * 1024

_log = logging.getLogger("invsync")

T = TypeVar("T")


@dataclass(slots=True)
class ApiUse:
    """What a run has cost so far.

    `requests`: HTTP calls, token grants, repeated tries and downloads included; `points`: actual
    ones; `throttled`: answers that said to slow down; `waited_seconds`: all waits, those that
    avoided such answers included. `waits_for`: why it waits just now, and how long.
    """

    requests: int = 0
    points: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    waits_for: str = ""


class Client:
    """Calls to one shop, one after another.

    `endpoint`: `https://<shop>`; plain http is taken for loopback addresses only, anything else
    raises `ConfigError`. `deadline`: the clock's `monotonic()` at which the run's time budget is
    spent; a wait that would pass it raises `OutOfTime` instead. `jitter` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        api_version: str,
        credentials: Credentials,
        session: requests.Session,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        deadline: float | None = None,
    ) -> None:
        self._endpoint = shop_address(endpoint)
        self.shop = self._endpoint.netloc
        self.use = ApiUse()
        self.deprecations: set[str] = set()
        self._api_version = api_version
        self._credentials = credentials
        self._clock = clock or SystemClock()
        self._wire = Wire(session, self._clock, credentials.conceal)
        self._jitter = jitter
        self._deadline = deadline
        self._bucket = Bucket()
        self._shop_clock = ShopClock()

    def execute(
        self, document: Document, variables: Mapping[str, Any], *, cost: int
    ) -> dict[str, Any]:
        """Run `document`, whose requested cost is `cost` points, and return its `data`, whole.

        Raises `QueryTooLarge` for a query that Shopify finds too dear or too slow, `OutOfTime` when
        the time budget would be passed by waiting, and `ShopError` for everything else; that
        includes an answer to a query in which any error stands beside the data. A mutation has
        been carried out if this returns, was not if it raises `NotExecuted` or an `Ended` that is
        not in flight, and may have been after any other exception.
        """
        body = json.dumps(
            {"query": document.text, "variables": variables}, separators=(",", ":")
        ).encode()
        call = self._call(document.operation, is_query=document.is_query, cost=cost)

        def attempt() -> dict[str, Any]:
            answer = self._post(call, body)
            data = judge(call, answer, self.server_now())
            if said := beside(call, answer):
                _log.warning("%s was carried out, and told an error: %s", call.operation, said)
            return data

        return self._repeat(document.operation, document.repeatable, attempt)

    def fetch_lines(self, url: str) -> Iterator[bytes]:
        """The lines of a bulk operation's result, read as they are asked for.

        No token is sent with the request.

        Tried again only while no line has been handed out. Raises `ShopError` when it has expired,
        is cut off, or is shorter than announced; a result without a length can still end early, so
        compare with `objectCount`.
        """
        address = address_of(url)
        if address is None or not address.private:
            raise ShopError(
                f"{self.shop} put a bulk result at an address that is not https: {OUR_FAULT}"
            )
        where = f"the bulk result at {address.host}"
        incoming, pieces = self._repeat("BulkResult", True, lambda: self._open(address, where))
        cut = None
        with closing(incoming):
            try:
                yield from _lines(pieces, where)
            except Passing as failure:
                cut = failure
        if cut is not None:
            raise ShopError(
                f"{cut.happened} before its end: nothing of it can be used; run the scan again"
            )

    def request_grant(self, credentials: ClientCredentials) -> GrantAnswer:
        """Ask for an access token by the client credentials grant.

        400, 401 and 404 are the caller's to judge.
        """
        call = self._call("TokenGrant", is_query=False)

        def attempt() -> GrantAnswer:
            answer = self._exchange(call, "/admin/oauth/access_token", None, GrantForm(credentials))
            fields = answer.payload if isinstance(answer.payload, dict) else None
            if answer.status not in (400, 401, 404):
                refuse_status(call, answer, self.server_now())
                if fields is None:
                    raise garbage(call, answer)
            text = answer.body[:20_000].decode("utf-8", "replace")
            return GrantAnswer(answer.status, fields, text, request_of(call, answer))

        return self._repeat("TokenGrant", True, attempt)

    def wait(self, seconds: float, reason: str) -> None:
        """Sleep, within the time budget.

        `reason` is a clause for the message of `OutOfTime` otherwise.
        """
        self._keep_budget(seconds, reason)
        self.use.waits_for = f"{reason} ({seconds:.0f} s)"
        try:
            self._clock.sleep(seconds)
        finally:
            self.use.waits_for = ""
        self.use.waited_seconds += seconds

    def pace(self, operation: str, cost: int) -> float:
        """Wait until the shop's budget holds `cost` points for `operation`; seconds waited."""
        missing = min(
            self._bucket.missing_seconds(cost, self._clock.monotonic()), LONGEST_NAMED_WAIT_SECONDS
        )
        if missing > 0:
            self.wait(missing, f"{operation} has to wait for {cost} points of the shop's budget")
        return missing

    # The shop's clock

    def server_now(self) -> datetime:
        """Now in UTC by the shop's clock; by the local one until the shop has answered.

        One answer whose `Date` is absurd does not move it.
        """
        return self.server_time(self._clock.now())

    def server_time(self, moment: float) -> datetime:
        """`moment`, Unix time of the local clock, by the shop's as it is known now, in UTC."""
        return self._shop_clock.at(moment)

    @property
    def clock_skew(self) -> float | None:
        """Seconds by which the shop's clock is ahead of the local one, as its last answer told.

        To the second; None until it has answered.
        """
        return self._shop_clock.told

    def clock_jumped(self, since: float | None) -> bool:
        """Whether the clocks have moved against each other by more than an hour.

        `since`: `clock_skew` at the end of an earlier run; None where none is known: the clocks
        are then to be at one.
        """
        return self._shop_clock.jumped(since)

    # Sending

    def _call(self, operation: str, *, is_query: bool, cost: int = 0, where: str = "") -> Call:
        return Call(
            where or self.shop,
            operation,
            is_query,
            cost,
            self._api_version,
            self._credentials.conceal,
        )

    def _post(self, call: Call, body: bytes) -> Answer:
        """One GraphQL request, sent again at once where a 401 means that the token has expired."""
        path = f"/admin/api/{self._api_version}/graphql.json"
        token = self._credentials.current(self)
        waited = self.pace(call.operation, call.cost)
        while True:
            answer = self._exchange(call, path, body, TokenHeader(token), waited=waited)
            if answer.status != 401:
                return answer
            other = self._credentials.replacement(token, self)
            if other is None:
                raise refused_token(call, answer, self._credentials.mend)
            token, waited = other, 0.0

    def _exchange(
        self,
        call: Call,
        path: str,
        body: bytes | None,
        auth: AuthBase,
        *,
        waited: float = 0.0,
    ) -> Answer:
        """POST, and take note of what the answer tells beside what was asked."""
        address = address_of(self._endpoint.url.rstrip("/") + path)
        assert address is not None
        outgoing = Outgoing(
            "POST",
            address,
            self.shop,
            auth,
            body,
            waited_for=body is not None and not call.is_query,
        )
        started = self._clock.monotonic()
        answer = answer_of(*self._send(call.operation, lambda: self._wire.whole(outgoing)))
        now = self._clock.monotonic()
        cost = cost_of(answer.payload)
        self._note(call, answer, cost, now)
        left = self._bucket.left(now)
        _log.debug(
            "%s: %d in %.2f s; points: %s asked, %s spent, %s left; waited %.2f s",
            call.operation,
            answer.status,
            now - started,
            call.cost or "-",
            "-" if cost.spent is None else f"{cost.spent:g}",
            "-" if left is None else f"{left:g}",
            waited,
        )
        return answer

    def _send(self, operation: str, send: Callable[[], T]) -> T:
        """One HTTP request, counted; that it got no answer is in the log."""
        self.use.requests += 1
        try:
            return send()
        except Ended as end:
            end.in_flight = True
            raise
        except (Passing, ShopError) as failure:
            _log.debug("%s: no answer: %s", operation, failure)
            raise

    def _note(self, call: Call, answer: Answer, cost: Cost, now: float) -> None:
        """What an answer tells of the shop's clock, of its budget, and of what is deprecated."""
        self._shop_clock.note(answer.headers.get("Date", ""), self._clock.now())
        self._bucket.note(cost, now)
        self.use.points += round(cost.spent or 0)
        self.use.throttled += is_throttled(answer)
        reason = call.quote(answer.headers.get("X-Shopify-API-Deprecated-Reason", ""))
        if reason and reason not in self.deprecations:
            self.deprecations.add(reason)
            _log.warning(
                "%s: invsync uses what Shopify has deprecated (%s): look for a newer one",
                self.shop,
                reason,
            )

    def _open(self, address: Address, where: str) -> tuple[Incoming, Iterator[bytes]]:
        """Begin to read a bulk result.

        Its first whole line is there, with whatever came along, or it is all there.
        """
        call = self._call("BulkResult", is_query=False, where=where)
        outgoing = Outgoing("GET", address, where, NoSecret())
        started = self._clock.monotonic()
        incoming = self._send("BulkResult", lambda: self._wire.streamed(outgoing))
        _log.debug("BulkResult: %d in %.2f s", incoming.status, self._clock.monotonic() - started)
        try:
            refuse_download(
                call, Answer(incoming.status, incoming.headers, b"", None), self.server_now()
            )
            head = b""
            for piece in incoming.pieces:
                head += piece
                if b"\n" in piece or len(head) > LONGEST_LINE_BYTES:
                    break
        except BaseException:
            incoming.close()
            raise
        return incoming, chain([head], incoming.pieces)

    def _repeat(self, operation: str, repeatable: bool, attempt: Callable[[], T]) -> T:
        """`attempt` until it succeeds, fails for good, or its failures are worth no more tries."""
        tries = Tries(operation, repeatable=repeatable, jitter=self._jitter)

        def before_waiting(state: tenacity.RetryCallState) -> None:
            self._keep_budget(tries.pause, tries.reason)
            failure = state.outcome.exception() if state.outcome else None
            assert isinstance(failure, Passing)
            tries.announce(failure)

        retrying = tenacity.Retrying(
            stop=lambda state: not tries.worthwhile,
            wait=lambda state: tries.pause,
            retry=tenacity.retry_if_exception_type(Passing),
            sleep=lambda seconds: self.wait(seconds, tries.reason),
            before=tenacity.before_nothing,
            after=tenacity.after_nothing,
            before_sleep=before_waiting,
            reraise=True,
        )
        try:
            return retrying(lambda: tries.once(attempt))
        except Ended as end:
            end.in_flight |= tries.may_have_run
            raise
        except Passing as failure:
            for_good = tries.given_up(failure)
        except NotExecuted as refusal:
            if isinstance(refusal, Denied):
                self._credentials.forget()
            for_good = tries.refused(refusal)
        raise for_good

    def _keep_budget(self, seconds: float, reason: str) -> None:
        if self._deadline is not None and self._clock.monotonic() + seconds > self._deadline:
            raise OutOfTime(
                f"the time budget (max_run_time) is spent: {reason}, which needs {seconds:.1f} s "
                "more"
            )


def _lines(pieces: Iterator[bytes], where: str) -> Iterator[bytes]:
    """The lines in `pieces`, without their ends and without empty ones."""
    rest = b""
    for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if len(rest) > LONGEST_LINE_BYTES:
            raise ShopError(f"{where} is not lines of JSON: {TRY_LATER}")
        yield from filter(None, lines)
    if rest:
        yield rest
