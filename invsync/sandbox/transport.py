"""The door in the process: a `requests` transport adapter."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from http.client import responses
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from invsync.sandbox.api import FaultsLike, Hook, Sandbox
from invsync.sandbox.exchange import Answer, Request
from invsync.sandbox.shop import Shop
from invsync.sandbox.state import Home, UnreadableState


class SandboxUnreadable(requests.RequestException):
    """The sandbox's state file can't be read or written; trying again won't help."""


class SandboxAdapter(BaseAdapter):
    """Mount it at the shop's address, and the session talks to the sandbox.

        session.mount("https://sandbox.myshopify.com/", SandboxAdapter(state_dir / "sandbox.json"))

    `home` is the state file's path, or a Shop that a test holds and edits. Raises SandboxUnreadable
    for a state file that can't be used, requests' own ConnectionError where a fault cuts the
    connection, and its ReadTimeout where a fault is slower than the caller's timeout (the request
    is applied all the same).
    """

    def __init__(
        self,
        home: Path | Shop | Home,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        faults: FaultsLike = (),
        on_request: Hook | None = None,
    ) -> None:
        super().__init__()
        self.sandbox = Sandbox(home, now=now, sleep=sleep, faults=faults, on_request=on_request)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Answer a prepared request."""
        assert request.url is not None
        url = urlsplit(request.url)
        body = request.body or b""
        asked = Request(
            request.method or "GET",
            url.path,
            {name.lower(): value for name, value in request.headers.items()},
            body.encode() if isinstance(body, str) else bytes(body),
            f"{url.scheme}://{url.netloc}",
            url.query,
        )
        try:
            answer = self.sandbox.answer(asked)
        except UnreadableState as error:
            raise SandboxUnreadable(str(error), request=request) from None
        if answer.delay > _patience(timeout):
            raise requests.ReadTimeout("Read timed out.", request=request)
        if answer.cut:
            raise requests.ConnectionError("Connection aborted.", request=request)
        return _response(request, answer, self)

    def close(self) -> None:
        """Nothing is kept open."""


def _patience(timeout: Any) -> float:
    """How long the caller waits for an answer, in seconds."""
    read = timeout[1] if isinstance(timeout, tuple) else timeout
    return float("inf") if read is None else float(read)


class _Body(io.BufferedReader):
    """An answer's body; breaks off where the answer says so."""

    def __init__(self, raw: io.RawIOBase, limit: int | None) -> None:
        super().__init__(raw)
        self._left = limit

    def stream(self, size: int, decode_content: bool | None = None) -> Any:
        """Chunks of the body, as urllib3 gives them."""
        while True:
            wanted = size if self._left is None else min(size, self._left)
            chunk = self.read(wanted) if wanted else b""
            if not chunk:
                break
            if self._left is not None:
                self._left -= len(chunk)
            yield chunk
        if self._left == 0:
            raise requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead")

    def release_conn(self) -> None:
        """Nothing to release."""


def _response(
    request: requests.PreparedRequest, answer: Answer, adapter: SandboxAdapter
) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.reason = responses.get(answer.status, "")
    response.headers = CaseInsensitiveDict({**answer.headers, "Content-Length": str(answer.size())})
    response.encoding = get_encoding_from_headers(response.headers)
    raw: Any = (
        io.BytesIO(answer.body)
        if isinstance(answer.body, bytes)
        else answer.body.open("rb", buffering=0)
    )
    response.raw = _Body(raw, answer.truncate_at)
    response.url = request.url or ""
    response.request = request
    response.connection = adapter  # type: ignore[assignment]
    return response
