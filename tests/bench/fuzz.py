"""Every field of every state file, and of every answer of the shop, made wrong.

Does a run end in one line?

    python -m tests.bench.fuzz [--state] [--answers] [--every N] [--show]

Each field is dropped, null, of another type, huge, and doubled, one at a time, for both commands,
and the real command line is run on that. Counted: how the runs ended, tracebacks, runs that took
longer than they may, what was sent by runs that failed before they sent it, and what the next,
undisturbed run makes of it. `--every N` takes every Nth case only.
"""

from __future__ import annotations

import argparse
import copy
import http.client
import json
import logging
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "program"))

from program_world import Time, World, new_shop

from invsync import connect
from invsync.cli import main as invsync
from invsync.sandbox.server import SandboxServer
from invsync.sandbox.shop import Shop

COMMANDS = ("variants", "locations")
#: Seconds that one run may take; none waits, since time only passes while somebody sleeps.
PATIENCE = 30

#: What a field becomes. The last few are put in as text, since no JSON writer writes them.
_RAW = {
    "@huge": "1" + "0" * 5_000,
    "@nan": "NaN",
    "@deep": "[" * 100_000 + "]" * 100_000,
    "@half": '"\\ud83d"',
    "@long": '"' + "x" * 1_000_000 + '"',
}
WRONG: dict[str, Any] = {
    "null": None,
    "text": "wrong",
    "empty": "",
    "number": 7,
    "negative": -7,
    "fraction": 0.5,
    "10^30": 10**30,
    "true": True,
    "list": [],
    "object": {},
    "early": "0001-01-01T00:00:00+14:00",
    "late": "9999-12-31T23:59:59-14:00",
    **{name: name for name in _RAW},
}
KINDS = ("dropped", "doubled", *WRONG)

Path_ = tuple[Any, ...]


def paths(document: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Where each field of a document is.

    Of a list the first element, of an object with ids for keys the first two.
    """
    if isinstance(document, dict):
        keys = list(document)
        for key in keys[:2] if keys and str(keys[0]).startswith("gid://") else keys:
            yield (*at, key)
            yield from paths(document[key], (*at, key))
    elif isinstance(document, list) and document:
        yield (*at, 0)
        yield from paths(document[0], (*at, 0))


def spoiled(document: Any, at: Path_, kind: str) -> str:
    """The document as text, with one field made wrong."""
    whole = copy.deepcopy(document)
    inner = whole
    for key in at[:-1]:
        inner = inner[key]
    last = at[-1]
    if kind == "dropped":
        del inner[last]
    elif kind != "doubled":
        inner[last] = WRONG[kind]
    elif isinstance(inner, list):
        inner.append(inner[last])
    elif isinstance(inner[last], list):
        inner[last] = inner[last] * 2
    else:
        inner[f"@twice {last}"] = inner[last]
    text = json.dumps(whole, ensure_ascii=False).replace('"@twice ', '"')
    for name, raw in _RAW.items():
        text = text.replace(json.dumps(name), raw)
    return text


@dataclass
class Tally:
    """What came of some cases."""

    tried: int = 0
    exits: Counter[str] = field(default_factory=Counter)
    tracebacks: int = 0
    slow: int = 0
    sent: int = 0
    several_lines: int = 0
    otherwise: int = 0
    stories: list[str] = field(default_factory=list)

    def told(self, title: str) -> str:
        """The figures in one line."""
        ended = ", ".join(f"{count} of exit {code}" for code, count in sorted(self.exits.items()))
        return (
            f"{title}: {self.tried} tried; {ended}; tracebacks {self.tracebacks}; too slow "
            f"{self.slow}; sent on exit 1: {self.sent}; errors of several lines: "
            f"{self.several_lines}; ended otherwise than an undisturbed run: {self.otherwise}"
        )


class TooSlow(BaseException):
    """A run took longer than it may."""


@dataclass
class Ran:
    """How a run ended."""

    exit_code: int
    err: str
    traceback: str = ""


class Bench:
    """One shop of a few pools, one of them sold from since the last run, and a folder to spoil."""

    def __init__(self, command: str, folder: Path) -> None:
        self.command = command
        self.time = Time()
        connect.time = self.time  # type: ignore[assignment]
        self.world = World(folder, self.time, new_shop(self.time))
        self.kept = folder.with_name("kept")

    def build(self) -> None:
        """Pools of several kinds; a run that was cut off in its second batch."""
        world = self.world
        world.add("Plain", "P-1 P-2 P-3", 30, locations=None)
        world.add("Other", "O-1 O-2", 12, locations=None)
        world.add("Apart", "A-1 A-2", [3, 5], locations=None)
        world.shop.set_available("A-1", 1, "Till")
        keys = {"product_types": ["Print"], "several_rises": "hold"}
        world.configure(variants=keys, locations=keys, access_token="sandbox-token")
        self.run(self.command, "--init")
        world.sell("O-1", 1)
        self.run(self.command)
        world.sell("P-1", 3)

    def keep(self) -> None:
        """Remember how things stand, to begin from there again and again."""
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.world.state, self.kept)
        self.shop = copy.deepcopy(self.world.shop)
        self.passed = self.time.passed

    def again(self) -> None:
        """As it was kept."""
        shutil.rmtree(self.world.state, ignore_errors=True)
        shutil.copytree(self.kept, self.world.state)
        self.time.passed = self.passed
        self.put(copy.deepcopy(self.shop))

    def put(self, shop: Shop) -> None:
        """Another shop behind the same door."""
        assert self.world.server is not None
        self.world.shop = self.world.server.sandbox.home.shop = shop  # type: ignore[union-attr]

    def run(self, *args: str) -> Ran:
        """The command line, as it ends."""
        self.world.asked.clear()
        logging.getLogger().handlers = []
        signal.alarm(PATIENCE)
        try:
            result = CliRunner().invoke(
                invsync, ["--config", str(self.world.config), *args], prog_name="invsync"
            )
        except TooSlow:
            return Ran(-1, "")
        finally:
            signal.alarm(0)
        if isinstance(result.exception, TooSlow):
            return Ran(-1, "")
        odd = result.exception is not None and not isinstance(result.exception, SystemExit)
        return Ran(result.exit_code, result.stderr, repr(result.exception) if odd else "")

    def sent(self) -> int:
        """Calls that the last run sent."""
        return sum(one.operation == "Adjust" for one in self.world.asked)

    def reads(self) -> dict[str, int]:
        """What every level reads."""
        return {
            f"{level.item.sku} {level.location.name}": level.available
            for level in self.world.shop.levels.values()
            if level.live
        }

    def judge(self, tally: Tally, ran: Ran, case: str, *, sent: int) -> None:
        """Count how a run ended."""
        tally.exits[str(ran.exit_code) if ran.exit_code >= 0 else "none"] += 1
        faults = []
        if ran.exit_code < 0:
            tally.slow += 1
            faults.append("too slow")
        if ran.traceback:
            tally.tracebacks += 1
            faults.append(ran.traceback)
        if ran.exit_code == 1:
            tally.sent += sent
            if sent:
                faults.append(f"sent {sent} calls, then: {ran.err.strip()[:200]}")
            if len([line for line in ran.err.splitlines() if line.startswith("invsync: ")]) != 1:
                tally.several_lines += 1
                faults.append(f"not one line: {ran.err[:200]!r}")
        if faults:
            tally.stories.append(f"{case}: {'; '.join(faults)}")


# --- State files


def places(bench: Bench) -> Iterator[tuple[Path, int | None]]:
    """Each state file, and each line of those that are lists of lines."""
    for path in sorted(bench.kept.iterdir()):
        if path.suffix in (".journal", ".jsonl"):
            for at in range(len(path.read_bytes().splitlines())):
                yield path, at
        elif path.suffix != ".lock":
            yield path, None


def spoil_state(bench: Bench, every: int, cases: Iterator[int], tally: Tally) -> None:
    """Spoil each field of each state file."""
    for path, at in places(bench):
        lines = path.read_bytes().splitlines()
        document = json.loads(path.read_bytes() if at is None else lines[at])
        for where in paths(document):
            for kind in KINDS:
                if next(cases) % every:
                    continue
                bench.again()
                text = spoiled(document, where, kind).encode()
                here = bench.world.state / path.name
                if at is not None:
                    text = b"\n".join([*lines[:at], text, *lines[at + 1 :]]) + b"\n"
                here.write_bytes(text)
                for args in (
                    (bench.command, "--dry-run"),
                    ("status",),
                    ("explain", "Plain"),
                    (bench.command,),
                ):
                    tally.tried += 1
                    ran = bench.run(*args)
                    case = f"{bench.command} {path.name} {at} {where} {kind} {args}"
                    bench.judge(tally, ran, case, sent=bench.sent())
                    if ran.exit_code == 1 and path.suffix != ".last" and here.read_bytes() != text:
                        tally.stories.append(f"{case}: the file was not kept")
                        tally.otherwise += 1


def state(every: int) -> Tally:
    """All state files of both commands."""
    tally = Tally()
    cases = iter(range(10**9))
    for command in COMMANDS:
        with served(command) as bench:
            bench.build()

            def cut(request: Any, phase: str) -> None:
                if request.operation == "Adjust" and phase == "after":
                    raise ConnectionResetError("cut by the bench")

            bench.world.hook = cut
            bench.run(command)
            bench.world.hook = None
            (bench.world.state / f"{command}.waiting").write_text('{"holder": "x", "times": 2}\n')
            bench.keep()
            spoil_state(bench, every, cases, tally)
    return tally


# --- Answers


class Proxy:
    """Stands before the sandbox and spoils one answer.

    Of the `nth` request, what `spoil` makes of its text.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.nth: int | None = None
        self.spoil: Callable[[Any], str] = json.dumps
        self.seen: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, answer = outer.forward(self.path, dict(self.headers), body)
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def forward(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Ask the sandbox; its answer, spoiled where that is wanted."""
        kept = {name: text for name, text in headers.items() if name.lower() != "accept-encoding"}
        way = http.client.HTTPConnection(self.target.hostname or "", self.target.port)
        way.request("POST", path, body, kept)
        response = way.getresponse()
        answer = response.read()
        way.close()
        document = json.loads(answer)
        at = len(self.seen)
        self.seen.append(document)
        if at == self.nth:
            answer = self.spoil(document).encode()
        return response.status, response.getheaders(), answer


def answers(every: int) -> Tally:
    """All answers of a run of each command that has something to send."""
    tally = Tally()
    cases = iter(range(10**9))
    for command in COMMANDS:
        with served(command) as bench:
            assert bench.world.server is not None
            proxy = Proxy(bench.world.server.url)
            bench.build()
            bench.world.config.write_text(
                bench.world.config.read_text().replace(bench.world.server.url, proxy.url)
            )
            bench.keep()
            proxy.seen.clear()
            assert bench.run(command).exit_code == 3
            whole, asked = list(proxy.seen), [one.operation for one in bench.world.asked]
            bench.run(command)
            right = bench.reads()
            for nth, document in enumerate(whole):
                before = "Adjust" not in asked[: nth + 1]
                for where in paths(document):
                    for kind in KINDS:
                        if next(cases) % every:
                            continue
                        bench.again()
                        proxy.seen.clear()
                        proxy.nth = nth
                        proxy.spoil = lambda told, at=where, how=kind: spoiled(told, at, how)
                        tally.tried += 1
                        ran = bench.run(command)
                        case = f"{command} {asked[nth]} {where} {kind}"
                        bench.judge(tally, ran, case, sent=bench.sent() if before else 0)
                        proxy.nth = None
                        bench.run(command)
                        if bench.reads() != right:
                            tally.otherwise += 1
                            off = {k: v for k, v in bench.reads().items() if right[k] != v}
                            tally.stories.append(f"{case}: exit {ran.exit_code}, then {off}")
            proxy.server.shutdown()
    return tally


class served:  # noqa: N801 - used as a function
    """A bench with its sandbox behind a door."""

    def __init__(self, command: str) -> None:
        self.top = tempfile.TemporaryDirectory(prefix="fuzz-")
        folder = Path(self.top.name) / "world"
        folder.mkdir()
        self.bench = Bench(command, folder)
        world = self.bench.world
        self.door = SandboxServer(world.shop, now=self.bench.time.time, on_request=world.note)

    def __enter__(self) -> Bench:
        self.bench.world.server = self.door.__enter__()
        return self.bench

    def __exit__(self, *about: Any) -> None:
        self.door.__exit__(*about)
        self.top.cleanup()


def main() -> None:
    """Try them, and print the figures; exit 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", action="store_true", help="state files only")
    parser.add_argument("--answers", action="store_true", help="answers only")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth case only")
    parser.add_argument("--show", type=int, default=20, metavar="N", help="stories that are told")
    given = parser.parse_args()

    def too_slow(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, too_slow)
    wrong = False
    for name, play in (("state", state), ("answers", answers)):
        if (given.state or given.answers) and not getattr(given, name):
            continue
        tally = play(given.every)
        print(tally.told(name), flush=True)
        for story in tally.stories[: given.show]:
            print(f"  {story}", flush=True)
        wrong = wrong or bool(tally.tracebacks or tally.slow or tally.sent)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
