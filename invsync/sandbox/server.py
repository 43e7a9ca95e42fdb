"""The door over HTTP: a shop served on loopback, one request at a time."""

from __future__ import annotations

import gc
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from invsync.sandbox import clerk
from invsync.sandbox.api import FaultsLike, Hook, Sandbox
from invsync.sandbox.exchange import Answer, Request
from invsync.sandbox.results import Results
from invsync.sandbox.shop import Shop
from invsync.sandbox.state import Home, StateFile, UnreadableState, locked_file

#: A shop with fewer levels is written to disk after every change; a larger one when the server
#: stops.
SMALL = 5_000

_CHUNK = 1 << 16


class Served:
    """A state file while it is served.

    A small shop lives in its file, so that anyone may change it there. A large one is held in
    memory, and its file is kept locked, until the server stops; its ledger is always up to date.
    Raises UnreadableState.
    """

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self.file = StateFile(path, now=now)
        self._lock = threading.RLock()
        self._held = ExitStack()
        self._shop: Shop | None = None
        with self.file.open() as shop:
            large = len(shop.levels) >= SMALL
        if large:
            self._hold()

    @contextmanager
    def open(self) -> Iterator[Shop]:
        """The shop, for one request at a time."""
        with self._lock:
            if self._shop is None:
                with self.file.open() as shop:
                    yield shop
                return
            try:
                yield self._shop
            finally:
                self.file.append_ledger(self._shop)

    def replace(self, make: Callable[[Callable[[], float]], Shop]) -> Shop:
        """Put another shop in its place; the settings stay."""
        with self._lock:
            with self.open() as before:
                settings = before.settings
            self.close()
            shop = self.file.replace(make)
            shop.settings = settings
            self.file.save(shop)
            if len(shop.levels) >= SMALL:
                self._hold()
            return self._shop or shop

    @property
    def results(self) -> Results:
        """Beside the state file."""
        return self.file.results

    def close(self) -> None:
        """Write what is only in memory, and let others use the file."""
        with self._lock:
            if self._shop is not None:
                self.file.save(self._shop)
                self._shop = None
            self._held.close()

    def _hold(self) -> None:
        self._held.enter_context(locked_file(self.file.path))
        self._shop = self.file.current()
        gc.collect()
        gc.freeze()  # a million objects that no collection needs to look at again


class SandboxServer:
    """A sandbox behind real HTTP on 127.0.0.1; `url` is its address.

    Use it as a context manager, or call `start` and `stop`. Raises OSError where the port is taken,
    and UnreadableState.
    """

    def __init__(
        self,
        home: Path | Shop | Home,
        *,
        port: int = 0,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        faults: FaultsLike = (),
        on_request: Hook | None = None,
    ) -> None:
        self._http = _Http(("127.0.0.1", port), _Handler)
        try:
            self.home: Path | Shop | Home = (
                Served(home, now=now) if isinstance(home, Path) else home
            )
            self.sandbox = Sandbox(
                self.home, now=now, sleep=sleep, faults=faults, on_request=on_request
            )
        except BaseException:
            self._http.server_close()
            raise
        self._http.sandbox = self.sandbox
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def shop(self) -> Iterator[Shop]:
        """The served shop, to be looked at and edited between two requests."""
        with self.sandbox.home.open() as shop:
            yield shop

    def start(self) -> Self:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve, name="sandbox", daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve until `stop` is called."""
        self._http.serve_forever(poll_interval=0.01)

    def shutdown(self) -> None:
        """Make `serve` return; may be called from another thread than the one that serves."""
        self._http.shutdown()

    def stop(self) -> None:
        """Stop serving, and write the shop to its file."""
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.server_close()
        self._http.break_connections()
        if isinstance(self.home, Served):
            self.home.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def running(
    home: Path | Shop | Home,
    *,
    port: int = 0,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    faults: FaultsLike = (),
    on_request: Hook | None = None,
) -> SandboxServer:
    """Serve for the length of a `with` block; the block's `server.url` is the address."""
    return SandboxServer(
        home, port=port, now=now, sleep=sleep, faults=faults, on_request=on_request
    )


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    sandbox: Sandbox

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def break_connections(self) -> None:
        """End the connections that clients keep alive."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of our business; anything else is shown."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Http

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        if url.path.startswith("/sandbox/"):
            self._send(_clerk(self.server, url.path.removeprefix("/sandbox/"), body))
            return
        request = Request(
            self.command,
            url.path,
            {name.lower(): value for name, value in self.headers.items()},
            body,
            f"http://{self.headers.get('Host', '127.0.0.1')}",
            url.query,
        )
        try:
            answer = self.server.sandbox.answer(request)
        except UnreadableState as error:
            answer = Answer(500, {"Content-Type": "text/plain; charset=utf-8"}, str(error).encode())
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        if answer.cut:
            self._break()
            return
        self.wfile.write(
            f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}\r\n".encode()
        )
        headers = {**answer.headers, "Content-Length": str(answer.size())}
        self.wfile.write(
            "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"
        )
        left = answer.truncate_at
        for chunk in _chunks(answer.body):
            part = chunk if left is None else chunk[:left]
            self.wfile.write(part)
            if left is not None:
                left -= len(part)
        self.wfile.flush()
        if answer.truncate_at is not None:
            self._break()

    def _break(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet: the ledger says what happened."""


def _chunks(body: bytes | Path) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    with body.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _clerk(server: _Http, action: str, body: bytes) -> Answer:
    """A clerk's command from another process."""
    status = 200
    try:
        given = json.loads(body or b"{}")
        document = clerk.do(server.sandbox.home, action, given)
    except (clerk.CannotDo, UnreadableState) as error:
        status, document = 422, {"error": str(error)}
    except (ValueError, KeyError, TypeError, AttributeError):
        status, document = 400, {"error": f"the sandbox can't read this request to {action}"}
    body = json.dumps(document, ensure_ascii=False).encode()
    return Answer(status, {"Content-Type": "application/json; charset=utf-8"}, body)
