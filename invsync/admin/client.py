"""Talking to the shop: the one place that knows HTTP.

It keeps under the shop's point budget by itself, repeats what is worth repeating and may be
repeated, and fails at once, with one clear sentence, on what can't get better. What leaves this
module is `ShopError`, `QueryTooLarge`, `OutOfTime`, or whatever the clock raises while it sleeps.
No token is in a message, a log or a `repr`.

Facts: https://shopify.dev/docs/api/usage/response-codes (statuses),
https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits (points),
https://shopify.dev/docs/api/usage/versioning.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import math
import random
import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import SplitResult, urlsplit

import requests
import tenacity
from requests.auth import AuthBase
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from invsync import API_VERSIONS, __version__
from invsync.admin.auth import AccessToken, ClientCredentials, Credentials, GrantAnswer
from invsync.admin.documents import Document
from invsync.errors import (
    CallRefused,
    ConfigError,
    NotExecuted,
    OutOfTime,
    QueryTooLarge,
    ShopError,
)

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
#: The longest wait that an answer may ask for: beyond it the next run is the better try.
LONGEST_NAMED_WAIT_SECONDS = 300.0
#: Shopify's advice for a throttled call, where nothing tells how many points are missing.
UNKNOWN_WAIT_SECONDS = 1.0
#: Points a second of the smallest plan, where Shopify tells the bucket's level but not how fast it
#: fills.
STANDARD_RESTORE_RATE = 100.0
#: Seconds added to a wait for points, since Shopify may count in whole ones.
ROUNDING_SECONDS = 0.01

CONNECT_TIMEOUT_SECONDS = 10.0
#: Shopify stops a request after 10 s by itself.
READ_TIMEOUT_SECONDS = 30.0

#: Bytes of a bulk result that are read at once.
CHUNK_BYTES = 256 * 1024
#: A line of a bulk result is one object; a longer one is not a bulk result.
LONGEST_LINE_BYTES = 16 * 1024 * 1024

_log = logging.getLogger("invsync")

T = TypeVar("T")

_OUR_FAULT = "this is a fault of invsync; please report it"

#: What can't get better by trying again, and the mend.
_PERMANENT = {
    400: _OUR_FAULT,
    402: "the shop is frozen until its owner settles the bill with Shopify",
    403: "the shop is closed to this app: check that it is open, and that the app is installed "
    "with its scopes",
    404: "check shop, api_url and api_version: there is no shop, or no Admin API, at that address",
    406: _OUR_FAULT,
    414: _OUR_FAULT,
    415: _OUR_FAULT,
    422: _OUR_FAULT,
    423: "the shop is locked, for repeated overuse or for fraud: its owner has to ask Shopify's "
    "support",
    430: "Shopify takes the requests for malicious: stop whatever else calls it from here, then "
    "ask its support",
    501: "this shop does not offer the Admin API that invsync needs",
    783: _OUR_FAULT,
}

#: Of these, those that are about what was sent: another call may go through.
_THIS_CALL = {400, 422}

#: Codes of top-level errors that refuse a call before it is carried out: those that Shopify
#: documents or was recorded to send, and those of the validation of GraphQL, which are spelled
#: like `undefinedField`.
_VALIDATION = re.compile(
    "BAD_REQUEST|INVALID_VARIABLE|INVALID_FIELD_ARGUMENTS|PARSE_ERROR|MAX_INPUT_SIZE_EXCEEDED"
    "|RESOURCE_NOT_FOUND|[a-z]+([A-Z][a-z]*)+"
)

#: A bulk result's address is signed, and refused in these ways once its seven days are over.
_EXPIRED = {400, 401, 403, 404, 410}

_TRY_LATER = "try again later; https://www.shopifystatus.com tells of outages"


class Clock(Protocol):
    """Time, as the client sees it."""

    def now(self) -> float:
        """Unix time in seconds."""

    def monotonic(self) -> float:
        """Seconds on a clock that is never set."""

    def sleep(self, seconds: float) -> None:
        """Wait; what it raises (a signal, say) passes through the client unchanged."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Unix time in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that is never set."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(slots=True)
class ApiUse:
    """What a run has cost so far.

    `requests`: HTTP calls, token grants, repeated tries and downloads included; `points`: actual
    ones; `throttled`: answers that said to slow down; `waited_seconds`: all waits, those that
    avoided such answers included.
    """

    requests: int = 0
    points: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0


_Kind = Literal["failed", "throttled", "slow"]

_TRIES: dict[_Kind, int] = {
    "failed": MAX_TRIES,
    "throttled": MAX_THROTTLED_TRIES,
    "slow": MAX_SLOW_TRIES,
}


class _Passing(Exception):
    """A try failed in a way that may pass; it never leaves this module.

    `happened` is a clause; `ran`: whether the server may have done the work; `wait`: seconds that
    the answer asked for.
    """

    def __init__(
        self,
        happened: str,
        *,
        ran: bool,
        kind: _Kind = "failed",
        wait: float | None = None,
        mend: str = _TRY_LATER,
        request: str = "",
    ) -> None:
        super().__init__(happened)
        self.happened = happened
        self.ran = ran
        self.kind: _Kind = kind
        self.wait = wait
        self.mend = mend
        self.request = request


# Secrets go into a request at the last moment, so that no variable on the way holds them.


class _NoSecret(AuthBase):
    """Nothing; but as any `auth` does, it keeps requests from adding a password out of ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _TokenHeader(AuthBase):
    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Shopify-Access-Token"] = self._token.token
        return request


class _GrantForm(AuthBase):
    def __init__(self, credentials: ClientCredentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        request.prepare_body(form, None)
        return request


@dataclass(frozen=True, slots=True)
class _Answer:
    """An HTTP answer. `payload`: its JSON, None where it is not JSON; `request`: names it in a message, or empty."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    payload: Any = field(repr=False)
    request: str


class _Bucket:
    """The shop's point bucket as its last answer told, filling up since."""

    def __init__(self) -> None:
        self.maximum: float | None = None
        self._rate = STANDARD_RESTORE_RATE
        self._level: float | None = None
        self._at = 0.0

    def note(self, status: Mapping[str, Any], now: float) -> None:
        """Believe the answer that came at `now`: another process may use the same bucket. What it omits stays."""
        maximum, level, rate = (
            _number(status.get(key))
            for key in ("maximumAvailable", "currentlyAvailable", "restoreRate")
        )
        self.maximum = self.maximum if maximum is None else maximum
        self._rate = self._rate if rate is None else rate
        if level is not None:
            self._level, self._at = level, now

    def left(self, now: float) -> float | None:
        """Points at `now`; None before the shop has told."""
        if self._level is None:
            return None
        full = math.inf if self.maximum is None else self.maximum
        return min(full, self._level + self._rate * (now - self._at))

    def missing_seconds(self, cost: float, now: float) -> float:
        """How long until `cost` points are there, or until the bucket is full if it can't hold as many."""
        left = self.left(now)
        if left is None:
            return 0.0
        wanted = cost if self.maximum is None else min(cost, self.maximum)
        if left >= wanted:
            return 0.0
        return (
            (wanted - left) / self._rate + ROUNDING_SECONDS
            if self._rate > 0
            else UNKNOWN_WAIT_SECONDS
        )


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
        parts = _split(endpoint)
        if parts is None or parts.username or parts.password or parts.query or parts.fragment:
            raise ConfigError(
                "the shop's address is not a web address of the form https://host: check api_url"
            )
        if not _is_private(parts):
            raise ConfigError(
                f"{parts.scheme}://{parts.netloc} would carry the access token in the clear: use "
                "https (plain http is "
                "for loopback addresses only); check api_url"
            )
        self.shop = parts.netloc
        self.use = ApiUse()
        self.deprecations: set[str] = set()
        self._endpoint = endpoint.rstrip("/")
        self._api_version = api_version
        self._credentials = credentials
        self._session = session
        self._clock = clock or SystemClock()
        self._jitter = jitter
        self._deadline = deadline
        self._bucket = _Bucket()
        self._skew: float | None = None

    def execute(
        self, document: Document, variables: Mapping[str, Any], *, cost: int
    ) -> dict[str, Any]:
        """Run `document`, whose requested cost is `cost` points, and return its `data`: whole, or not at all.

        Raises `QueryTooLarge` for a query that Shopify finds too dear or too slow, `OutOfTime` when
        the time budget would be passed by waiting, and `ShopError` for everything else; that
        includes an answer in which any error stands beside the data. After an exception a mutation
        may have run, and may not.
        """
        body = json.dumps(
            {"query": document.text, "variables": variables}, separators=(",", ":")
        ).encode()

        def attempt() -> dict[str, Any]:
            return self._data(document, self._post(document.operation, body, cost), cost)

        return self._repeat(document.operation, document.repeatable, attempt)

    def fetch_lines(self, url: str) -> Iterator[bytes]:
        """The lines of a bulk operation's result, read as they are asked for; no token is sent with the request.

        Tried again only while no line has been handed out. Raises `ShopError` when it has expired,
        is cut off, or is shorter than announced; a result without a length can still end early, so
        compare with `objectCount`.
        """
        parts = _split(url)
        if parts is None or not _is_private(parts):
            raise ShopError(
                f"{self.shop} put a bulk result at an address that is not https: {_OUR_FAULT}"
            )
        where = f"the bulk result at {parts.hostname}"
        response, chunks = self._repeat("BulkResult", True, lambda: self._open(url, where))
        cut = None
        with closing(response):
            try:
                rest = b""
                for chunk in chunks:
                    lines = (rest + chunk).split(b"\n")
                    rest = lines.pop()
                    if len(rest) > LONGEST_LINE_BYTES:
                        raise ShopError(f"{where} is not lines of JSON: {_TRY_LATER}")
                    yield from filter(None, lines)
                if rest:
                    yield rest
            except _Passing as failure:
                cut = failure
        if cut is not None:
            raise ShopError(
                f"{cut.happened} before its end: nothing of it can be used; run the scan again"
            )

    def request_grant(self, credentials: ClientCredentials) -> GrantAnswer:
        """Ask for an access token by the client credentials grant; 400, 401 and 404 are the caller's to judge."""

        def attempt() -> GrantAnswer:
            url = f"{self._endpoint}/admin/oauth/access_token"
            answer = self._exchange("TokenGrant", url, None, _GrantForm(credentials))
            fields = answer.payload if isinstance(answer.payload, dict) else None
            if answer.status not in (400, 401, 404):
                self._refuse_status(answer, "TokenGrant", is_query=False)
                if fields is None:
                    raise self._garbage(answer)
            text = answer.body[:20_000].decode("utf-8", "replace")
            return GrantAnswer(answer.status, fields, text, answer.request)

        return self._repeat("TokenGrant", True, attempt)

    def wait(self, seconds: float, reason: str) -> None:
        """Sleep, within the time budget; `reason` is a clause for the message of `OutOfTime` otherwise."""
        self._keep_budget(seconds, reason)
        self._clock.sleep(seconds)
        self.use.waited_seconds += seconds

    def pace(self, operation: str, cost: int) -> float:
        """Wait until the shop's budget holds `cost` points, so that `operation` is not refused; seconds waited."""
        missing = min(
            self._bucket.missing_seconds(cost, self._clock.monotonic()), LONGEST_NAMED_WAIT_SECONDS
        )
        if missing > 0:
            self.wait(missing, f"{operation} has to wait for {cost} points of the shop's budget")
        return missing

    def server_now(self) -> datetime:
        """Now in UTC by the shop's clock, never ahead of it; by the local one until the shop has answered."""
        return datetime.fromtimestamp(self._clock.now() + (self._skew or 0.0), UTC)

    @property
    def clock_skew(self) -> float | None:
        """Seconds by which the shop's clock is ahead of the local one (to the second); None until it has answered."""
        return self._skew

    # Sending

    def _post(self, operation: str, body: bytes, cost: int) -> _Answer:
        """One GraphQL request, sent again at once where a 401 only means that the token has to be renewed."""
        url = f"{self._endpoint}/admin/api/{self._api_version}/graphql.json"
        token = self._credentials.current(self)
        waited = self.pace(operation, cost)
        while True:
            answer = self._exchange(
                operation, url, body, _TokenHeader(token), asked=cost, waited=waited
            )
            if answer.status != 401:
                return answer
            other = self._credentials.replacement(token, self)
            if other is None:
                raise NotExecuted(
                    f"{self.shop} refuses the access token (401): "
                    f"{self._credentials.mend}{answer.request}"
                )
            token, waited = other, 0.0

    def _exchange(
        self,
        operation: str,
        url: str,
        body: bytes | None,
        auth: AuthBase,
        *,
        asked: int | None = None,
        waited: float = 0.0,
    ) -> _Answer:
        """POST, and take note of what the answer tells beside what was asked."""
        started = self._clock.monotonic()
        response = self._send(operation, "POST", url, self.shop, auth, body)
        now = self._clock.monotonic()
        answer = self._answer(response)
        self._note_headers(answer.headers)
        spent = self._note_cost(answer.payload, now)
        left = self._bucket.left(now)
        _log.debug(
            "%s: %d in %.2f s; points: %s asked, %s spent, %s left; waited %.2f s",
            operation,
            answer.status,
            now - started,
            "-" if asked is None else asked,
            "-" if spent is None else f"{spent:g}",
            "-" if left is None else f"{left:g}",
            waited,
        )
        return answer

    def _send(
        self,
        operation: str,
        method: str,
        url: str,
        where: str,
        auth: AuthBase,
        body: bytes | None = None,
        *,
        stream: bool = False,
    ) -> requests.Response:
        """One HTTP request: its answer, whatever its status, or `_Passing`, or `ShopError` if none can be had."""
        self.use.requests += 1
        headers = {"Accept": "application/json", "User-Agent": f"invsync/{__version__}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                auth=auth,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
                allow_redirects=False,
                stream=stream,
            )
        except (OSError, HTTPError) as error:  # requests' own exceptions are OSErrors
            failure = _no_answer(error, where, self._quote(str(error)) or type(error).__name__)
        # Raised out here so that it doesn't carry the request, headers and all, as its context.
        _log.debug("%s: no answer: %s", operation, failure)
        raise failure

    def _open(self, url: str, where: str) -> tuple[requests.Response, Iterator[bytes]]:
        """Begin to read a bulk result: its first whole line is there, with whatever came along, or it is all there."""
        started = self._clock.monotonic()
        response = self._send("BulkResult", "GET", url, where, _NoSecret(), stream=True)
        _log.debug(
            "BulkResult: %d in %.2f s", response.status_code, self._clock.monotonic() - started
        )
        try:
            if response.status_code in _EXPIRED:
                raise ShopError(
                    f"{where} has expired ({response.status_code}), as they do after seven days: "
                    "run the scan again"
                )
            answer = _Answer(response.status_code, response.headers, b"", None, "")
            self._refuse_status(answer, "BulkResult", is_query=False, where=where)
            chunks = _chunks(response, where)
            head = b""
            for chunk in chunks:
                head += chunk
                if b"\n" in chunk or len(head) > LONGEST_LINE_BYTES:
                    break
            return response, chain([head], chunks)
        except BaseException:
            response.close()
            raise

    def _repeat(self, operation: str, repeatable: bool, attempt: Callable[[], T]) -> T:
        """`attempt` until it succeeds, fails for good, or has had all the tries that its failures are worth."""
        failures: Counter[_Kind] = Counter()
        may_have_run = False

        def once() -> T:
            nonlocal may_have_run
            try:
                return attempt()
            except _Passing as failure:
                failures[failure.kind] += 1
                may_have_run |= failure.ran
                raise
            except NotExecuted as failure:
                if not may_have_run:
                    raise
                unsettled = failure
            # The refusal is about the last try; an earlier one may have been carried out.
            raise ShopError(str(unsettled))

        def worthwhile(error: BaseException) -> bool:
            return (
                isinstance(error, _Passing)
                and (repeatable or not error.ran)
                and (error.wait is None or error.wait <= LONGEST_NAMED_WAIT_SECONDS)
            )

        def enough(state: tenacity.RetryCallState) -> bool:
            kind = _failure_of(state).kind
            return failures[kind] >= _TRIES[kind]

        def pause(state: tenacity.RetryCallState) -> float:
            failure = _failure_of(state)
            if failure.wait is not None:
                return failure.wait + JITTER_SECONDS * failures[failure.kind] * self._jitter()
            backoff: float = min(
                LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (failures[failure.kind] - 1)
            )
            return backoff * (1 + self._jitter()) / 2

        def announce(state: tenacity.RetryCallState) -> None:
            failure, seconds = (
                _failure_of(state),
                state.next_action.sleep if state.next_action else 0.0,
            )
            self._keep_budget(
                seconds, f"{failure.happened} ({operation}) and has to be asked again"
            )
            _log.info(
                "%s: %s; trying again in %.1f s (%d of %d)",
                operation,
                failure.happened,
                seconds,
                failures[failure.kind] + 1,
                _TRIES[failure.kind],
            )

        retrying = tenacity.Retrying(
            stop=enough,
            wait=pause,
            retry=tenacity.retry_if_exception(worthwhile),
            sleep=lambda seconds: self.wait(seconds, f"{operation} has to be asked again"),
            before=tenacity.before_nothing,
            after=tenacity.after_nothing,
            before_sleep=announce,
            reraise=True,
        )
        try:
            return retrying(once)
        except _Passing as failure:
            given_up = _given_up(failure, operation, repeatable, failures[failure.kind])
        if not may_have_run and type(given_up) is ShopError:
            given_up = NotExecuted(str(given_up))
        raise given_up

    def _keep_budget(self, seconds: float, reason: str) -> None:
        if self._deadline is not None and self._clock.monotonic() + seconds > self._deadline:
            raise OutOfTime(
                f"the time budget (max_run_time) is spent: {reason}, which needs {seconds:.1f} s "
                "more"
            )

    # Taking note

    def _answer(self, response: requests.Response) -> _Answer:
        try:
            payload = json.loads(response.content)
        except (ValueError, RecursionError):
            payload = None
        request = self._quote(response.headers.get("X-Request-Id", ""))
        return _Answer(
            response.status_code,
            response.headers,
            response.content,
            payload,
            f" [request {request}]" if request else "",
        )

    def _note_headers(self, headers: Mapping[str, str]) -> None:
        if date := _http_date(headers.get("Date", "")):
            self._skew = date.timestamp() - self._clock.now()
        reason = self._quote(headers.get("X-Shopify-API-Deprecated-Reason", ""))
        if reason and reason not in self.deprecations:
            self.deprecations.add(reason)
            _log.warning(
                "%s: invsync uses what Shopify has deprecated (%s): look for a newer one",
                self.shop,
                reason,
            )

    def _note_cost(self, payload: Any, now: float) -> float | None:
        """Points spent, where the answer tells; it tells what is left, too."""
        cost = _object(_object(_object(payload).get("extensions")).get("cost"))
        self._bucket.note(_object(cost.get("throttleStatus")), now)
        spent = _number(cost.get("actualQueryCost"))
        self.use.points += round(spent or 0)
        return spent

    # Judging

    def _data(self, document: Document, answer: _Answer, cost: int) -> dict[str, Any]:
        self._refuse_status(answer, document.operation, is_query=document.is_query)
        self._refuse_other_version(answer)
        if not isinstance(answer.payload, dict):
            raise self._garbage(answer)
        if errors := answer.payload.get("errors"):
            raise self._failure(document, answer, errors, cost)
        self._refuse_search_warnings(document, answer)
        data = answer.payload.get("data")
        if not isinstance(data, dict):
            raise self._garbage(answer)
        return data

    def _garbage(self, answer: _Answer) -> _Passing:
        what = "without data" if isinstance(answer.payload, dict) else "that is not JSON"
        return _Passing(
            f"{self.shop} answered {answer.status} with a body {what}",
            ran=True,
            mend=f"check shop, api_url and any proxy on the way, or {_TRY_LATER}",
            request=answer.request,
        )

    def _refuse_status(
        self, answer: _Answer, operation: str, *, is_query: bool, where: str = ""
    ) -> None:
        """Every HTTP status but success; 401 is looked at earlier, where there is a token to renew."""
        where = where or self.shop
        status, happened = answer.status, f"{where} answered {answer.status}"
        if 200 <= status < 300:
            return
        if status == 429:
            self.use.throttled += 1
            raise _Passing(
                f"{happened} (too many requests)",
                ran=False,
                kind="throttled",
                wait=self._retry_after(answer),
                request=answer.request,
            )
        if 500 <= status < 600 and status not in _PERMANENT:
            raise _Passing(
                happened,
                ran=True,
                kind="slow" if status == 504 and is_query else "failed",
                wait=self._retry_after(answer),
                request=answer.request,
            )
        if 300 <= status < 400:
            target = _split(answer.headers.get("Location", ""))
            elsewhere = target.hostname if target else "another address"
            raise ShopError(
                f"{where} sends {operation} on to {elsewhere} ({status}), which gets no access "
                "token from us: set shop "
                f"to the shop's *.myshopify.com name{answer.request}"
            )
        errors = _object(answer.payload).get("errors")
        words = f", {self._quote(_words(errors))}" if errors else ""
        if status == 403:
            self._credentials.forget()
        mend = _PERMANENT.get(status, "check shop, api_url and any proxy on the way")
        kind: type[ShopError] = ShopError
        if status in _PERMANENT:
            kind = CallRefused if status in _THIS_CALL else NotExecuted
        raise kind(f"{happened} ({operation}{words}): {mend}{answer.request}")

    def _refuse_other_version(self, answer: _Answer) -> None:
        """A retired version is not refused but answered by another one, by other rules."""
        answered = self._quote(answer.headers.get("X-Shopify-API-Version", ""))
        if answered and answered != self._api_version:
            served = " or ".join(version for version in API_VERSIONS if version >= answered)
            mend = f"set api_version to {served}" if served else "look for a newer invsync"
            raise ShopError(
                f"{self.shop} answered with API version {answered}, since {self._api_version} is "
                f"{'retired' if answered > self._api_version else 'not served'}: "
                f"{mend}{answer.request}"
            )

    def _refuse_search_warnings(self, document: Document, answer: _Answer) -> None:
        """Shopify drops a term that it doesn't know, and then finds everything."""
        searches = _object(answer.payload.get("extensions")).get("search")
        for search in map(_object, searches if isinstance(searches, list) else []):
            if warnings := search.get("warnings"):
                warning = _object(warnings[0] if isinstance(warnings, list) else warnings)
                raise ShopError(
                    f"{self.shop} does not understand the term "
                    f"{self._quote(str(warning.get('field')))} of the search "
                    f"{self._quote(str(search.get('query')))} ({document.operation}, "
                    f"{self._quote(_words(warning))}), and may have found too much: nothing of it "
                    "was used; "
                    f"{_OUR_FAULT}{answer.request}"
                )

    def _failure(self, document: Document, answer: _Answer, errors: Any, cost: int) -> Exception:
        """What top-level `errors` mean; what can't get better goes before what can."""
        entries = [
            _object(error) or {"message": error}
            for error in (errors if isinstance(errors, list) else [errors])
        ]
        by_code: dict[str, dict[str, Any]] = {}
        for entry in entries:
            by_code.setdefault(_code(entry), entry)
        where = f"{self.shop} refused {document.operation}"
        if denied := by_code.get("ACCESS_DENIED"):
            extensions = _object(denied.get("extensions"))
            scopes = re.findall(
                r"`(\w+)`", str(extensions.get("requiredAccess") or denied.get("message"))
            )
            lacks = (
                f"the scope {' or '.join(scopes)}"
                if scopes
                else f"access ({self._quote(_words(denied))})"
            )
            self._credentials.forget()
            deeper = len(denied.get("path") or ()) > 1
            kind = ShopError if deeper else NotExecuted
            return kind(
                f"{where}: the app lacks {lacks} (ACCESS_DENIED); add it to the app, have the shop "
                "accept it, and run "
                f"again{answer.request}"
            )
        if "SHOP_INACTIVE" in by_code:
            return NotExecuted(
                f"{where}: the shop is not active; its owner has to reopen it{answer.request}"
            )
        if dear := by_code.get("MAX_COST_EXCEEDED"):
            too_dear = QueryTooLarge if document.is_query else CallRefused
            return too_dear(
                f"{where}: {self._quote(_words(dear))} (MAX_COST_EXCEEDED){answer.request}"
            )
        if ours := [
            code
            for code in by_code
            if code not in ("THROTTLED", "TIMEOUT", "INTERNAL_SERVER_ERROR")
        ]:
            code = f" ({self._quote(ours[0])})" if ours[0] else ""
            refused = CallRefused if _VALIDATION.fullmatch(ours[0]) else ShopError
            return refused(
                f"{where}: {self._quote(_words(by_code[ours[0]]))}{code}; "
                f"{_OUR_FAULT}{answer.request}"
            )
        if "TIMEOUT" in by_code and document.is_query:
            return QueryTooLarge(
                f"{where}: it ran out of time; ask for less at once{answer.request}"
            )
        if "TIMEOUT" in by_code or "INTERNAL_SERVER_ERROR" in by_code:
            code = "timeout" if "TIMEOUT" in by_code else "INTERNAL_SERVER_ERROR"
            return _Passing(f"{self.shop} failed ({code})", ran=True, request=answer.request)
        return self._throttled(document, answer, cost)

    def _throttled(self, document: Document, answer: _Answer, cost: int) -> Exception:
        self.use.throttled += 1
        told = _object(_object(answer.payload.get("extensions")).get("cost"))
        status = _object(told.get("throttleStatus"))
        requested = _number(told.get("requestedQueryCost"))
        requested = float(cost) if requested is None else requested
        maximum, left, rate = (
            _number(status.get(key))
            for key in ("maximumAvailable", "currentlyAvailable", "restoreRate")
        )
        if maximum is not None and requested > maximum:
            too_dear = QueryTooLarge if document.is_query else NotExecuted
            return too_dear(
                f"{self.shop} refused {document.operation}: it costs {requested:g} points, and the "
                "shop's budget never "
                f"holds more than {maximum:g}{answer.request}"
            )
        wait = (
            max(0.0, requested - left) / rate if left is not None and rate else UNKNOWN_WAIT_SECONDS
        )
        return _Passing(
            f"{self.shop} is throttling (THROTTLED)",
            ran=answer.payload.get("data") is not None,
            kind="throttled",
            wait=wait,
            request=answer.request,
        )

    def _retry_after(self, answer: _Answer) -> float | None:
        """Seconds that the answer asks to wait: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after."""
        text = answer.headers.get("Retry-After", "")
        try:
            seconds = float(text)
        except ValueError:
            date = _http_date(text)
            if date is None:
                return None
            seconds = (date - self.server_now()).total_seconds()
        return max(0.0, seconds) if math.isfinite(seconds) else None

    def _quote(self, text: str) -> str:
        """Somebody else's words, fit to stand in one line of ours."""
        return " ".join(self._credentials.conceal(text).split())[:300]


def _given_up(failure: _Passing, operation: str, repeatable: bool, tries: int) -> ShopError:
    happened, request = failure.happened, failure.request
    if failure.ran and not repeatable:
        return ShopError(
            f"{happened} ({operation}): it may have been done all the same, so it was not asked "
            "for again; "
            f"{failure.mend}{request}"
        )
    if failure.wait is not None and failure.wait > LONGEST_NAMED_WAIT_SECONDS:
        return ShopError(
            f"{happened} ({operation}): it asks to wait for {failure.wait:.0f} s; try again "
            f"later{request}"
        )
    if failure.kind == "slow":
        return QueryTooLarge(
            f"{happened} ({operation}, {tries} tries): the query asks for too much at once{request}"
        )
    if failure.kind == "throttled":
        return ShopError(
            f"{happened} ({operation}, {tries} tries): other programs seem to use up the app's "
            "budget; try again later"
            f"{request}"
        )
    return ShopError(f"{happened} ({operation}, {tries} tries): {failure.mend}{request}")


def _failure_of(state: tenacity.RetryCallState) -> _Passing:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _Passing)
    return error


def _no_answer(error: OSError | HTTPError, where: str, words: str) -> Exception:
    """What became of a request that got no answer, or only a part of one; `words` are the error's own, fit to show."""
    causes = list(_causes(error))
    reason = next(
        (cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None
    )
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = getattr(cause, "verify_message", None) or "verification failed"
            return ShopError(
                f"{where} shows a certificate that can't be trusted ({why}): check shop, api_url, "
                "the clock, and any "
                "proxy on the way"
            )
    if any(
        isinstance(cause, NewConnectionError | ConnectTimeoutError | requests.ConnectTimeout)
        for cause in causes
    ):
        because = f" ({reason})" if reason else ""
        return _Passing(
            f"{where} can't be reached{because}",
            ran=False,
            mend="check the network, shop and api_url",
        )
    if isinstance(error, requests.Timeout):
        return _Passing(f"{where} gave no answer within {READ_TIMEOUT_SECONDS:g} s", ran=True)
    broken = (
        requests.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    )
    if isinstance(error, (*broken, HTTPError)):
        because = f" ({reason})" if reason else ""
        return _Passing(f"the connection to {where} broke off{because}", ran=True)
    # What requests refuses to send, an unusable CA bundle, a sandbox without its state: each says
    # what is wrong.
    return ShopError(f"{where} can't be asked: {words}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it wraps: requests and urllib3 keep that among the arguments, as `reason`, or as the cause."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None), error.__cause__):
        if isinstance(inner, BaseException):
            yield from _causes(inner)


def _chunks(response: requests.Response, where: str) -> Iterator[bytes]:
    """The body, decoded, in pieces; raises `_Passing` where it breaks off or is shorter than announced."""
    try:
        yield from response.iter_content(CHUNK_BYTES)
    except (OSError, HTTPError):
        pass
    else:
        announced = response.headers.get("Content-Length", "")
        if not announced.isdigit() or response.raw.tell() == int(announced):
            return
    raise _Passing(f"{where} broke off", ran=True)


def _split(url: str) -> SplitResult | None:
    """The parts of a web address; None if it is none."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        return None
    return parts if whole else None


def _is_private(parts: SplitResult) -> bool:
    """Whether nobody on the way can read along."""
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _number(value: Any) -> float | None:
    """A number that the answer holds; 0 is one, true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _code(entry: Mapping[str, Any]) -> str:
    """An error's code; Shopify gives none when it runs out of time."""
    code = _object(entry.get("extensions")).get("code")
    if code:
        return str(code)
    return "TIMEOUT" if str(entry.get("message")).lower().startswith("timeout") else ""


def _words(error: Any) -> str:
    """What an error of any shape says."""
    message = error.get("message", error) if isinstance(error, dict) else error
    return message if isinstance(message, str) else json.dumps(message)
