"""Each field of each answer made wrong, and the head of each answer.

A scene is one run: how it is brought about, and which of its answers are new in it.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests

from invsync import find
from invsync.sandbox.api import Sandbox
from invsync.sandbox.exchange import Answer, Request
from invsync.sandbox.transport import SandboxAdapter
from tests.bench.fuzz_bench import COMMANDS, KINDS, Bench, Path_, Tally, paths, served, spoiled

#: Status line and headers of an answer, and its body, as they are written.
Raw = tuple[bytes, list[tuple[str, str]], bytes]
Spoil = Callable[[list[Any], Raw], Raw]


@dataclass(frozen=True)
class Scene:
    """One run.

    `config`: keys of the section; `args`: of the command line, without the command; `asks`: the
    operations that it is about; `cut`: whether the run before it lost the answer to an adjustment.
    """

    name: str
    asks: tuple[str, ...]
    config: tuple[tuple[str, Any], ...] = (("scan", "complete"),)
    args: tuple[str, ...] = ()
    bulk: bool = False
    cut: bool = False
    grant: bool = False
    wide: bool = False


SCENES = {
    "variants": (
        Scene("pages", ("Shop", "FindProducts", "ReadProducts", "Adjust")),
        Scene("feed", ("ChangedLevels", "ChangedProducts"), (("scan", "changes"),)),
        Scene("bulk", ("StartBulk", "BulkStatus", "Result"), bulk=True),
        Scene("replay", ("Adjust",), cut=True),
        Scene("grant", ("TokenGrant",), grant=True),
        Scene("wide", ("MoreVariants",), wide=True),
        Scene("access", ("Access",)),
    ),
    "locations": (
        Scene("pages", ("Shop", "FindItems", "ReadItems", "Adjust")),
        Scene("feed", ("ChangedLevelsEverywhere", "ChangedProducts"), (("scan", "changes"),)),
        Scene("bulk", ("StartBulk", "BulkStatus", "Result"), bulk=True),
        Scene("replay", ("Adjust",), cut=True),
    ),
}


def whole(documents: list[Any], raw: Raw) -> Raw:
    """An answer as the shop gave it."""
    return raw


class Proxy:
    """Stands before the sandbox and spoils one answer.

    Of the `nth` request, what `spoil` makes of its documents (one a line) and what was sent.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.nth: int | None = None
        self.spoil: Spoil = whole
        #: Whether that request does not reach the shop.
        self.withheld = False
        self.seen: list[tuple[str, list[Any]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.forward(self, body)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def forward(self, asked: BaseHTTPRequestHandler, body: bytes) -> None:
        """Ask the sandbox, and hand on its answer, spoiled where that is wanted."""
        kept = {
            name: text for name, text in asked.headers.items() if name.lower() != "accept-encoding"
        }
        at = len(self.seen)
        if at == self.nth and self.withheld:
            self.seen.append((_operation(asked.path, body), []))
            self._send(asked, self.spoil([], (b"HTTP/1.1 200 OK", [], b'{"errors": "No."}')))
            return
        way = http.client.HTTPConnection(self.target.hostname or "", self.target.port)
        way.request(asked.command, asked.path, body or None, kept)
        response = way.getresponse()
        answer = response.read().replace(self.target.netloc.encode(), self.url[7:].encode())
        way.close()
        headers = [
            (name, value)
            for name, value in response.getheaders()
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date")
        ]
        raw = (f"HTTP/1.1 {response.status} OK".encode(), headers, answer)
        documents = [json.loads(line) for line in answer.splitlines()]
        self.seen.append((_operation(asked.path, body), documents))
        raw = self.spoil(documents, raw) if at == self.nth else raw
        self._send(asked, raw)

    def _send(self, asked: BaseHTTPRequestHandler, raw: Raw) -> None:
        line, headers, body = raw
        named = {name.lower() for name, _ in headers}
        if not named & {"content-length", "transfer-encoding"}:
            headers = [*headers, ("Content-Length", str(len(body)))]
        if "date" not in named:
            headers = [*headers, ("Date", asked.date_time_string(int(self.now())))]
        head = b"".join(
            name.encode("latin-1") + b": " + value.encode("latin-1", "replace") + b"\r\n"
            for name, value in headers
        )
        asked.wfile.write(line + b"\r\n" + head + b"Connection: close\r\n\r\n" + body)
        asked.close_connection = True

    #: What the shop's clock says.
    now: Callable[[], float] = staticmethod(lambda: 0.0)


def _operation(path: str, body: bytes) -> str:
    if "oauth" in path:
        return "TokenGrant"
    if not body:
        return "Result"
    text: str = json.loads(body)["query"]
    return text.split("(")[0].split("{")[0].split()[-1]


class Inside(SandboxAdapter):
    """The same without a wire: thousands of answers of which only the body is spoiled."""

    url = "http://127.0.0.1:1"

    def __init__(self, target: Sandbox) -> None:
        super().__init__(target.home)
        self.target = target
        self.nth: int | None = None
        self.spoil: Spoil = whole
        self.withheld = False
        self.seen: list[tuple[str, list[Any]]] = []
        self.sandbox = self  # type: ignore[assignment]

    def answer(self, request: Request) -> Answer:
        """What the sandbox answers, spoiled where that is wanted."""
        answer = self.target.answer(request)
        body = answer.body if isinstance(answer.body, bytes) else answer.body.read_bytes()
        documents = [json.loads(line) for line in body.splitlines()]
        at = len(self.seen)
        self.seen.append((_operation(request.path, request.body), documents))
        if at == self.nth:
            body = self.spoil(documents, (b"", [], body))[2]
        return replace(answer, body=body)

    def session(self) -> requests.Session:
        """A session that asks here."""
        session = Session()
        session.mount(self.url, self)
        return session


Session = requests.Session

# --- Scenes


def prepare(bench: Bench, scene: Scene, proxy: Proxy | Inside) -> None:
    """Bring a scene about, up to its run, and remember how things stand."""
    world, command = bench.world, bench.command
    proxy.nth = None
    if isinstance(proxy, Proxy):
        proxy.now = bench.time.time
    if scene.wide:
        names = " ".join(f"W-{number}" for number in range(35))
        world.add("Wide", names, 30, locations=None)
    bench.build()
    keys = {"product_types": ["Print"], "several_rises": "hold", **dict(scene.config)}
    token = {"client_id": "id", "client_secret": "secret"} if scene.grant else {}
    world.configure(
        variants=keys,
        locations=keys,
        api_url=proxy.url,
        access_token=None if scene.grant else "sandbox-token",
        **token,
    )
    if scene.cut:

        def cut(request: Any, phase: str) -> None:
            if request.operation == "Adjust" and phase == "after":
                raise ConnectionResetError("cut by the bench")

        world.hook = cut
        bench.run(command)
        world.hook = None
    find.DEAR_POINTS = -1 if scene.bulk else DEAR
    (world.state / "token.json").unlink(missing_ok=True)
    bench.keep()


DEAR = find.DEAR_POINTS


@dataclass
class Stage:
    """A scene that is prepared: its undisturbed run, and what the levels read after it."""

    bench: Bench
    proxy: Proxy | Inside
    scene: Scene
    args: tuple[str, ...]
    seen: list[tuple[str, list[Any]]]
    right: dict[str, int]

    def play(
        self, tally: Tally, nth: int, spoil: Spoil, case: str, *, withheld: bool = False
    ) -> None:
        """One case: the answer to the `nth` request spoiled, then an undisturbed run.

        `withheld`: the shop never gets that request.
        """
        bench, proxy = self.bench, self.proxy
        before = "Adjust" not in [operation for operation, _ in self.seen[: nth + 1]]
        bench.again()
        proxy.seen.clear()
        proxy.nth, proxy.spoil, proxy.withheld = nth, spoil, withheld
        tally.tried += 1
        ran = bench.run(*self.args)
        bench.judge(tally, ran, case, sent=bench.sent() if before else 0)
        proxy.nth = None
        if ran.exit_code == 1 and not bench.moved():
            return  # so what the next run makes of it is known
        told = bench.run(bench.command, "--json")
        off = {key: now for key, now in bench.reads().items() if self.right[key] != now}
        if not off:
            return
        tally.otherwise += 1
        said = json.loads(told.out) if told.exit_code in (0, 3) else {}
        notes = [*said.get("problems", ()), *said.get("warnings", ())]
        about = " ".join(note["message"] for note in notes)
        product = {"P": "Plain", "O": "Other", "A": "Apart", "W": "Wide"}
        if not all(product[key[0]] in about for key in off):
            tally.untold += 1
            tally.stories.append(f"{case}: exit {ran.exit_code}, then {off}, untold: {about[:300]}")


def stages(command: str, *, wire: bool) -> Iterator[Stage]:
    """Each scene of a command, on its stage; `wire`: over HTTP."""
    for scene in SCENES[command]:
        with served(command) as bench:
            assert bench.world.server is not None
            inside = Inside(bench.world.server.sandbox)
            proxy = Proxy(bench.world.server.url) if wire else inside
            requests.Session = inside.session  # type: ignore[misc,assignment]
            prepare(bench, scene, proxy)
            args = ("check",) if scene.name == "access" else (command,)
            proxy.seen.clear()
            ran = bench.run(*args)
            assert ran.exit_code == (0 if args == ("check",) else 3), (scene, ran)
            seen = list(proxy.seen)
            missing = set(scene.asks) - {operation for operation, _ in seen}
            assert not missing, (scene.name, missing, [one for one, _ in seen])
            bench.run(command)
            yield Stage(bench, proxy, scene, args, seen, bench.reads())
            if isinstance(proxy, Proxy):
                proxy.server.shutdown()
    find.DEAR_POINTS = DEAR
    requests.Session = Session  # type: ignore[misc]


def _once(stage: Stage) -> Iterator[tuple[int, str, list[Any]]]:
    """The first answer to each operation that a scene is about."""
    done = set()
    for nth, (operation, documents) in enumerate(stage.seen):
        if operation in stage.scene.asks and operation not in done:
            done.add(operation)
            yield nth, operation, documents


def answers(every: int) -> Tally:
    """All answers of a run of each command that has something to send, by every scan."""
    tally = Tally()
    cases = iter(range(10**9))
    for command in COMMANDS:
        for stage in stages(command, wire=False):
            for nth, operation, documents in _once(stage):
                for at, where in _fields(documents):
                    for kind in KINDS:
                        if next(cases) % every:
                            continue
                        case = f"{command} {stage.scene.name} {operation} {at} {where} {kind}"
                        stage.play(tally, nth, _with(at, where, kind), case)
    return tally


def _fields(documents: list[Any]) -> Iterator[tuple[int, Path_]]:
    """Each field of an answer, and the answer itself; of lines of one shape, the first."""
    shapes = set()
    for at, document in enumerate(documents):
        fields = [(), *paths(document)]
        if tuple(fields) not in shapes:
            shapes.add(tuple(fields))
            yield from ((at, where) for where in fields)


def _with(at: int, where: Path_, kind: str) -> Spoil:
    def spoil(documents: list[Any], raw: Raw) -> Raw:
        lines = [json.dumps(document, ensure_ascii=False) for document in documents]
        lines[at] = spoiled(documents[at], where, kind)
        return raw[0], raw[1], "\n".join(lines).encode("utf-8", "surrogatepass")

    return spoil


# --- Heads

STATUSES = (
    *(201, 202, 204, 205, 206, 226, 300, 301, 302, 303, 304, 307, 308),
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 417, 418),
    *(421, 422, 423, 424, 425, 426, 428, 429, 430, 431, 440, 451, 499),
    *(500, 501, 502, 503, 504, 505, 507, 508, 510, 511, 520, 530, 540, 598, 599, 600, 783, 999),
)
LINES = (
    b"HTTP/1.1 abc",
    b"HTTP/9.9 200 OK",
    b"HTTP/1.1 200",
    b"HTTP/1.1 -1 OK",
    b"HTTP/1.1 99999 OK",
    b"ICY 200 OK",
    b"200",
    b"",
    b"HTTP/1.1 200 " + b"x" * 100_000,
    b"HTTP/1.1 200 \x1b[2J\x00",
)
_LONG = "x" * 60_000
HEADERS = {
    "Date": (
        "",
        "rubbish",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Mon, 22 Nov 2027 12:00:00 GMT",
        "Fri, 22 Nov 2024 12:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Sun, 22 Nov 2026 12:00:00 +9999",
        "Sun, 99 Nov 2026 99:99:99 GMT",
        _LONG,
    ),
    "Retry-After": ("", "nan", "inf", "-1", "1e308", "0", "soon", "9" * 5_000, "\xb2", _LONG),
    "Content-Type": ("", "text/html", "application/json; charset=utf-16", "\x01", _LONG),
    "Content-Encoding": ("gzip", "deflate", "br", "zstd", "identity", "x", "gzip, gzip", "\xb2"),
    "Content-Length": ("0", "1", "99999999", "-1", "x", "\xb2", "9" * 5_000, "1, 2", ""),
    "Transfer-Encoding": ("chunked", "x", "gzip, chunked", ""),
    "X-Shopify-API-Version": ("", "2019-04", "2099-01", "unstable", "\x1b[2J", _LONG),
    "X-Shopify-API-Deprecated-Reason": ("", "https://x", "\x1b[2J\x07", _LONG),
    "X-Request-Id": ("", "\x1b[2J\x07", "\xff" * 100, _LONG),
    "Location": ("", "//", "http://[", "http://evil\\@127.0.0.1/", "\x00", "/" * 60_000),
    "Set-Cookie": ("a=b; Domain=evil", "\x00", _LONG),
    "X-Wide": ("x" * 70_000,),
    " folded": ("x",),
    "": ("x",),
    "X-Many": ("x",) * 1,
}


#: Statuses that say that nothing was carried out: a shop that says so has carried nothing out.
NOT_DONE = {307, 308, 400, 401, 402, 403, 404, 406, 413, 414, 415, 422, 423, 429, 430, 501, 783}


def _heads() -> Iterator[tuple[str, Spoil]]:
    for status in STATUSES:
        for what, body in (("its own", None), ("no", b""), ("an HTML", b"<html>\xff</html>")):
            yield f"{status} with {what} body", _status(status, body)
    for line in LINES:
        yield f"200 as {line[:20]!r}", lambda _, raw, line=line: (line, raw[1], raw[2])
    for name, values in HEADERS.items():
        for value in values:
            for status in {"Location": (302,), "Retry-After": (429, 503)}.get(name, (200,)):
                yield f"{status} {name}: {value[:40]!r}", _header(status, name, value)
    yield "200 headers", lambda _, raw: (raw[0], [*raw[1], *[("X-Many", "x")] * 200], raw[2])


def _status(status: int, body: bytes | None) -> Spoil:
    return lambda _, raw: (
        f"HTTP/1.1 {status} So".encode(),
        raw[1],
        raw[2] if body is None else body,
    )


def _header(status: int, name: str, value: str) -> Spoil:
    def spoil(_: list[Any], raw: Raw) -> Raw:
        kept = [pair for pair in raw[1] if pair[0].lower() != name.lower()]
        return f"HTTP/1.1 {status} So".encode(), [*kept, (name, value)], raw[2]

    return spoil


def heads(every: int) -> Tally:
    """The head of the first answer to each operation, of every odd kind."""
    tally = Tally()
    cases = iter(range(10**9))
    for command in COMMANDS:
        for stage in stages(command, wire=True):
            for nth, operation, _ in _once(stage):
                for what, spoil in _heads():
                    if next(cases) % every:
                        continue
                    case = f"{command} {stage.scene.name} {operation}: {what}"
                    withheld = operation == "Adjust" and int(what.split()[0]) in NOT_DONE
                    stage.play(tally, nth, spoil, case, withheld=withheld)
    return tally
