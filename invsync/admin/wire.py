"""One HTTP request: what comes back, within limits of time and size.

A request is made in a thread of its own, which is left behind where it takes too long: so a
signal, the run's time budget and the limit for one answer reach it wherever it is, in a look-up
of the name, in a connection that is silent, in a body that drips. Failures are `Passing`, or of
`invsync.errors`; none carries the request, which holds a secret.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import requests
from requests.auth import AuthBase
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InvalidHeader,
    NewConnectionError,
)

from invsync import __version__
from invsync.admin.address import Address
from invsync.admin.answer import Passing
from invsync.admin.clock import Clock
from invsync.admin.judge import CHECK_ADDRESS
from invsync.errors import NotExecuted, ShopError

CONNECT_TIMEOUT_SECONDS = 10.0
#: Shopify stops a request after 10 s by itself.
READ_TIMEOUT_SECONDS = 30.0
#: How long one answer, or one piece of a bulk result, may take from its first byte to its last.
ANSWER_SECONDS = 60.0
#: How much longer a mutation is waited for once the run has to end.
GRACE_SECONDS = 8.0
#: Seconds between two looks at whether the run has to end.
LOOK_SECONDS = 0.2

#: The longest answer, unpacked, and the most braces, brackets and commas in it. No reading asks for
#: more than `paging.ROWS_A_CALL` rows, which take some 10 MiB and 450,000 of these. In memory an
#: answer is its bytes, its text (up to 4 bytes a sign), that text once more in its values, and up
#: to 200 bytes for each part, which may be as short as `{},`: without the second limit 64 MiB of
#: them would take 2 GiB, with both no answer takes more than some 300 MiB.
LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
MOST_PARTS = 600_000
#: Bytes of a body that are read, or unpacked, at once.
PIECE_BYTES = 256 * 1024

_log = logging.getLogger("invsync")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request.

    `where`: what it is sent to, for messages; `auth` puts a secret in at the last moment.

    `waited_for`: a mutation, whose outcome is worth some seconds when the run has to end.
    """

    method: str
    address: Address
    where: str
    auth: AuthBase = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    waited_for: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer whose body is yet to be read.

    `pieces`, unpacked, a bounded number of bytes each.
    """

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes] = field(repr=False)
    close: Callable[[], None] = field(repr=False)


class Wire:
    """The one place that knows HTTP."""

    def __init__(
        self, session: requests.Session, clock: Clock, conceal: Callable[[str], str]
    ) -> None:
        """`conceal` takes secrets out of a text that others wrote."""
        self._session = session
        self._clock = clock
        self._conceal = conceal

    def whole(self, outgoing: Outgoing) -> tuple[int, Mapping[str, str], bytes]:
        """The answer to a request, whatever its status.

        Status, headers and the whole body, unpacked.
        """

        def ask() -> tuple[int, Mapping[str, str], bytes]:
            incoming = self._ask(outgoing)
            try:
                return incoming.status, incoming.headers, _joined(incoming.pieces, outgoing.where)
            finally:
                incoming.close()

        return self._watched(ask, outgoing)

    def streamed(self, outgoing: Outgoing) -> Incoming:
        """The beginning of an answer.

        Its pieces come as they are asked for, each within its time.
        """
        incoming = self._watched(lambda: self._ask(outgoing), outgoing)
        left_behind = False

        def pieces() -> Iterator[bytes]:
            nonlocal left_behind
            while True:
                left_behind = True
                piece = self._watched(lambda: next(incoming.pieces, None), outgoing)
                left_behind = False
                if piece is None:
                    return
                yield piece

        def close() -> None:
            if not left_behind:  # else closing would wait for who still reads
                incoming.close()

        return Incoming(incoming.status, incoming.headers, pieces(), close)

    def _ask(self, outgoing: Outgoing) -> Incoming:
        proxies, proxy = _way(outgoing.address)
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"invsync/{__version__}",
        }
        if outgoing.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._session.request(
                outgoing.method,
                outgoing.address.url,
                data=outgoing.body,
                headers=headers,
                auth=outgoing.auth,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
                allow_redirects=False,
                stream=True,
                proxies=proxies,
            )
            return Incoming(
                response.status_code,
                response.headers,
                _pieces(response, outgoing.where),
                response.close,
            )
        except (OSError, HTTPError, ValueError) as error:  # requests' own exceptions are OSErrors
            words = " ".join(self._conceal(str(error)).split()) or type(error).__name__
            failure = _no_answer(error, words, outgoing.where, proxy)
        # Raised out here so that it doesn't carry the request, headers and all, as its context.
        raise failure

    def _watched(self, work: Callable[[], T], outgoing: Outgoing) -> T:
        """What `work` returns or raises.

        It is left behind once it takes too long or the run has to end.
        """
        if not outgoing.waited_for:
            self._clock.check()
        task = Task(work)
        until = time.monotonic() + ANSWER_SECONDS
        ended: Exception | None = None
        while not task.done.wait(LOOK_SECONDS):
            if ended is None:
                ended = self._ended()
                if ended is not None:
                    until = time.monotonic() + (GRACE_SECONDS if outgoing.waited_for else 0.0)
            if time.monotonic() < until:
                continue
            if ended is not None:
                raise ended
            raise Passing(
                f"{outgoing.where} was not done answering after {ANSWER_SECONDS:g} s", ran=True
            )
        return task.result()

    def _ended(self) -> Exception | None:
        try:
            self._clock.check()
        except Exception as error:
            return error
        return None


class Task(Generic[T]):
    """Work in a thread of its own, which nobody has to wait for."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.done = threading.Event()
        self._work = work
        self._returned: list[T] = []
        self._raised: BaseException | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._returned.append(self._work())
        except BaseException as error:
            self._raised = error
        self.done.set()

    def result(self) -> T:
        """What the work returned or raised, once it is done."""
        if self._raised is not None:
            raise self._raised
        return self._returned[0]


# Bodies


def _joined(pieces: Iterator[bytes], where: str) -> bytes:
    found = bytearray()  # a list of pieces could be of 16 million
    parts = 0
    for piece in pieces:
        found += piece
        parts += sum(map(piece.count, (b"{", b"[", b",")))
        if len(found) > LARGEST_ANSWER_BYTES or parts > MOST_PARTS:
            raise ShopError(
                f"{where} answered with more than {LARGEST_ANSWER_BYTES // 2**20} MiB, or more "
                f"than {MOST_PARTS:,} values, which no answer of the Admin API comes near: "
                f"{CHECK_ADDRESS}"
            )
    return bytes(found)


def _pieces(response: requests.Response, where: str) -> Iterator[bytes]:
    """The body, unpacked, in pieces.

    Raises `Passing` where it breaks off or is shorter than announced.
    """
    packed = response.headers.get("Content-Encoding", "identity").lower()
    if packed not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise Passing(f"{where} answered in an encoding that was not asked for", ran=True)
    try:
        raw = response.raw.stream(PIECE_BYTES, decode_content=False)
        yield from raw if packed in ("identity", "") else _unpacked(raw)
    except (OSError, HTTPError, zlib.error):
        pass
    else:
        announced = response.headers.get("Content-Length", "")
        if not announced.isdecimal() or (announced.lstrip("0") or "0") == str(response.raw.tell()):
            return
    raise Passing(f"the connection to {where} broke off", ran=True)


def _unpacked(raw: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip or zlib packed; a little of it can be very much."""
    unpacking = zlib.decompressobj(47)  # 32: finds out which of the two; 15: any window
    for data in raw:
        left = data
        while left:
            if piece := unpacking.decompress(left, PIECE_BYTES):
                yield piece
            left = unpacking.unconsumed_tail
            if unpacking.eof:
                left = unpacking.unused_data
                unpacking = zlib.decompressobj(47) if left else unpacking
    if rest := unpacking.flush():
        yield rest
    if not unpacking.eof:
        raise zlib.error("the end is missing")


# The way there


def _way(address: Address) -> tuple[dict[str, str], str | None]:
    """What requests has to be told of proxies, and the name of the one that the environment sets.

    A proxy is never told of what stays on this machine: it would get the token.
    """
    if address.loopback:
        return {"no_proxy": address.host}, None
    proxy = select_proxy(address.url, get_environ_proxies(address.url))
    return {}, _name(proxy) if proxy else None


def _name(proxy: str) -> str:
    """A proxy without what has to stay secret of it."""
    scheme, _, rest = proxy.rpartition("://")
    host = rest.rpartition("@")[2].partition("/")[0]
    return f"{scheme or 'http'}://{host}"


def _no_answer(error: Exception, words: str, where: str, proxy: str | None) -> Exception:
    """What became of a request that got no answer; `words` are the error's own, fit to show."""
    causes = list(_causes(error))
    reason = next(
        (cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None
    )
    because = f" ({reason})" if reason else ""
    if proxy and any(isinstance(cause, requests.exceptions.ProxyError) for cause in causes):
        return _no_proxy(causes, where, proxy, because)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = getattr(cause, "verify_message", None) or "verification failed"
            return NotExecuted(
                f"{where} shows a certificate that can't be trusted ({why}): check shop, api_url, "
                "the clock, and any proxy on the way"
            )
    unreached = (NewConnectionError, ConnectTimeoutError, requests.ConnectTimeout)
    if any(isinstance(cause, unreached) for cause in causes):
        happened = f"{where} can't be reached{because}"
        return Passing(happened, ran=False, mend="check the network, shop and api_url")
    if isinstance(error, requests.Timeout):
        return Passing(f"{where} gave no answer within {READ_TIMEOUT_SECONDS:g} s", ran=True)
    broken = (
        requests.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
        HTTPError,
    )
    answered = any(
        isinstance(cause, InvalidHeader) for cause in causes
    )  # of an answer, not of ours
    if answered or (isinstance(error, broken) and not isinstance(error, ValueError)):
        return Passing(f"the connection to {where} broke off{because}", ran=True)
    if proxy:
        return NotExecuted(
            f"{where} can't be asked by way of the proxy {proxy}: check HTTPS_PROXY and NO_PROXY"
        )
    # What requests refuses to send, an unusable CA bundle, a sandbox without its state: each says
    # what is wrong.
    return NotExecuted(f"{where} can't be asked: {words}")


def _no_proxy(causes: list[BaseException], where: str, proxy: str, because: str) -> Exception:
    """A proxy that did not pass the request on."""
    said = next((str(cause) for cause in causes if "Tunnel connection failed" in str(cause)), "")
    status = said.partition("Tunnel connection failed: ")[2][:3]
    if status:
        because = f" (it answered {status})"
    happened = f"the proxy {proxy} did not pass on a request to {where}{because}"
    mend = "check HTTPS_PROXY and NO_PROXY in the environment, and the proxy"
    if status in ("401", "403", "407"):
        return NotExecuted(f"{happened}: {mend}")
    return Passing(happened, ran=False, mend=mend)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it wraps.

    Requests and urllib3 keep that among the arguments, as `reason`, or as the cause.
    """
    yield error
    for inner in (*error.args, getattr(error, "reason", None), error.__cause__):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
