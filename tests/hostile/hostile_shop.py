"""A shop over real HTTP that answers as the sandbox does, but misbehaves at one operation."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from invsync.admin.wire import LARGEST_ANSWER_BYTES, MOST_PARTS
from invsync.sandbox.api import Sandbox
from invsync.sandbox.exchange import Answer, Request
from invsync.sandbox.shop import Shop

TOKEN = "shpat_c0ffee00c0ffee00c0ffee00c0ffee00"
MIB = 1024 * 1024
#: Seconds after which a process that should have ended is killed.
PATIENCE = 60

#: What the shop does instead of sending the answer; `gone` is set when it closes.
Misdeed = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Door

    def do_POST(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""

    def begin(self, **headers: str) -> None:
        """Send the head of an answer that goes well."""
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _serve(self) -> None:
        with contextlib.suppress(ConnectionError):  # whom it answered has left
            self.server.hostile.serve(self)


class Door(ThreadingHTTPServer):
    """The socket of a hostile shop."""

    daemon_threads = True
    hostile: HostileShop


# Misdeeds


def drip(handler: Handler, body: bytes) -> None:
    """One byte every half second."""
    handler.begin(Content_Length="100000")
    while not handler.server.hostile.gone.wait(0.5):
        handler.wfile.write(b" ")


def drip_head(handler: Handler, body: bytes) -> None:
    """A head that never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.hostile.gone.wait(0.5):
        handler.wfile.write(b"x")


def silence(handler: Handler, body: bytes) -> None:
    """Not a word."""
    handler.server.hostile.gone.wait()


def flood(handler: Handler, body: bytes) -> None:
    """200 MB that begin as JSON does."""
    handler.begin(Content_Length=str(200 * MIB))
    handler.wfile.write(b'{"data": "')
    for _ in range(200):
        handler.wfile.write(b"x" * MIB)


def flood_without_end(handler: Handler, body: bytes) -> None:
    """A body in chunks that never ends."""
    handler.begin(Transfer_Encoding="chunked")
    while not handler.server.hostile.gone.is_set():
        handler.wfile.write(b"%x\r\n%s\r\n" % (MIB, b" " * MIB))


def bomb(handler: Handler, body: bytes) -> None:
    """1 GB of blanks in a gzip of 1 MB."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    blanks = packing.compress(b" " * (16 * MIB)) + packing.flush(zlib.Z_FULL_FLUSH)
    packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + 64 * blanks + b"\x03\0" + bytes(8)
    handler.begin(Content_Encoding="gzip", Content_Length=str(len(packed)))
    handler.wfile.write(packed)


def crumbs(handler: Handler, body: bytes) -> None:
    """60 MiB of the smallest objects: a hundred bytes of memory for three of the answer."""
    some = b"{}," * (MIB // 3)
    handler.begin(Transfer_Encoding="chunked")
    for piece in (b'{"data":[', *[some] * 60, b"{}]}"):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    handler.wfile.write(b"0\r\n\r\n")


def fullest(handler: Handler, body: bytes) -> None:
    """What takes most memory of all that is read: short keys, none like another, then one text.

    The text takes four bytes a sign, and half a character in it has everything made anew.
    """
    members = b",".join(b'"%x":%d.5' % (n, n) for n in range(MOST_PARTS - 10))
    head, tail = b'{"data":{' + members + b',"text":"', '😀\\n\\ud83d"}}'.encode()
    handler.begin(Content_Length=str(LARGEST_ANSWER_BYTES))
    handler.wfile.write(head + b"x" * (LARGEST_ANSWER_BYTES - len(head) - len(tail)) + tail)


@dataclass
class HostileShop:
    """The shop, its door, a configuration for it and the processes that run against it.

    `misdeeds`: operation → what is done instead of its answer (`Result` is a bulk result,
    `TokenGrant` a grant); `head`: headers that every answer bears; `applied`: whether an operation
    with a misdeed is carried out before it.
    """

    folder: Path
    shop: Shop
    misdeeds: dict[str, Misdeed] = field(default_factory=dict)
    head: Callable[[str], dict[str, str]] = lambda operation: {}
    applied: bool = True
    asked: list[str] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def __post_init__(self) -> None:
        self._sandbox = Sandbox(self.shop)
        self._one_by_one = threading.Lock()

    @contextlib.contextmanager
    def open(self) -> Iterator[HostileShop]:
        """Serve until the block ends."""
        door = Door(("127.0.0.1", 0), Handler)
        door.hostile = self
        self.url = f"http://127.0.0.1:{door.server_address[1]}"
        serving = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield self
        finally:
            self.gone.set()
            door.shutdown()
            door.server_close()
            serving.join()

    def serve(self, handler: Handler) -> None:
        """Answer one request, or misbehave."""
        length = int(handler.headers.get("Content-Length") or 0)
        path, _, query = handler.path.partition("?")
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(
            handler.command, path, headers, handler.rfile.read(length), self.url, query
        )
        operation = request.operation or ("TokenGrant" if "oauth" in path else "Result")
        self.asked.append(operation)
        misdeed = self.misdeeds.get(operation)
        with self._one_by_one:
            answer = self._sandbox.answer(request) if self.applied or not misdeed else Answer()
        body = answer.body if isinstance(answer.body, bytes) else answer.body.read_bytes()
        if misdeed is None:
            self._send(handler, answer, body, operation)
            return
        self.reached.set()
        misdeed(handler, body)
        handler.close_connection = True

    def _send(self, handler: Handler, answer: Answer, body: bytes, operation: str) -> None:
        handler.send_response_only(answer.status)
        for name, value in {**answer.headers, **self.head(operation)}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    # The program

    def configure(self, **keys: Any) -> None:
        """Write the configuration: the usual keys, and those that differ (None: left out)."""
        usual: dict[str, Any] = {
            "shop": "sandbox",
            "api_url": self.url,
            "access_token": TOKEN,
            "max_run_time": "2s",
            "variants": {"product_types": ["Print"], "scan": "complete"},
            "locations": {"scan": "complete"},
        }
        document = {key: value for key, value in {**usual, **keys}.items() if value is not None}
        config = self.folder / "config.yaml"
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        config.chmod(0o600)

    def run(self, *args: str, stop: int | None = None, **environment: str) -> Ended:
        """Run the program to its end.

        `stop`: a signal that it gets once the misdeed is under way.
        """
        self.reached.clear()
        self.asked.clear()
        return run(self, [*PROGRAM, *args], stop, environment)

    @property
    def lock_is_free(self) -> bool:
        """Whether another run could begin."""
        with (self.folder / "invsync-state" / "variants.lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True


#: Runs the program, then writes down the peak of its memory: what the system tells afterwards
#: counts in the process that it was forked from.
_MEASURED = """
import pathlib, re
from invsync import cli
{first}
try:
    cli.main(prog_name="invsync")
finally:
    peak = re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())
    pathlib.Path("peak").write_text(peak[1])
"""
PROGRAM = [sys.executable, "-c", _MEASURED.format(first="")]
#: The program with complete scans by bulk operations.
IN_BULK = [
    sys.executable,
    "-c",
    _MEASURED.format(first="from invsync import find; find.DEAR_POINTS = -1"),
]


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, and what it printed.

    `seconds`: how long it took, after the signal if it got one; `memory`: bytes at its peak.
    """

    code: int
    out: str
    err: str
    seconds: float
    memory: int

    @property
    def line(self) -> str:
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        assert line.startswith("invsync: ")
        return line


def run(
    shop: HostileShop, command: list[str], stop: int | None, environment: dict[str, str]
) -> Ended:
    """Run a command in the shop's folder to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INVSYNC_")}
    out, err, peak = (shop.folder / name for name in ("out", "err", "peak"))
    peak.unlink(missing_ok=True)
    with out.open("wb") as stdout, err.open("wb") as stderr:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=shop.folder, env=clean | environment, stdout=stdout, stderr=stderr
        )
        killer = threading.Timer(PATIENCE, process.kill)
        killer.start()
        try:
            if stop is not None:
                assert shop.reached.wait(PATIENCE), err.read_text()
                began = time.monotonic()
                process.send_signal(signal.Signals(stop))
            process.wait()
        finally:
            killer.cancel()
    seconds = time.monotonic() - began
    told = err.read_text("utf-8")
    assert "Traceback" not in told, told
    assert TOKEN not in told
    return Ended(
        process.returncode, out.read_text("utf-8"), told, seconds, int(peak.read_text()) * 1024
    )
