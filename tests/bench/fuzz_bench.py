"""A small shop in which a run is due, and whose files or answers are made wrong, case by case."""

from __future__ import annotations

import copy
import gc
import json
import logging
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    "@infinite": "1e400",
    "@deep": "[" * 100_000 + "]" * 100_000,
    "@half": '"\\ud83d"',
    "@long": '"' + "x" * 1_000_000 + '"',
}
WRONG: dict[str, Any] = {
    "null": None,
    "text": "wrong",
    "digits": "9" * 5_000,
    "other digits": "\u00b2\u0663",
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
    """The document as text, with one field made wrong; at no field: itself."""
    if not at:
        whole = json.dumps(document, ensure_ascii=False)
        made = {"dropped": "", "doubled": f"{whole}\n{whole}"}.get(kind)
        return _raw(json.dumps(WRONG[kind])) if made is None else made
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
    return _raw(json.dumps(whole, ensure_ascii=False).replace('"@twice ', '"'))


def _raw(text: str) -> str:
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
    untold: int = 0
    stories: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        """Whether anything happened that must not."""
        return any((self.tracebacks, self.slow, self.sent, self.several_lines, self.untold))

    def told(self, title: str) -> str:
        """The figures in one line."""
        ended = ", ".join(f"{count} of exit {code}" for code, count in sorted(self.exits.items()))
        return (
            f"{title}: {self.tried} tried; {ended}; tracebacks {self.tracebacks}; too slow "
            f"{self.slow}; sent on exit 1: {self.sent}; errors of several lines: "
            f"{self.several_lines}; ended otherwise than an undisturbed run: {self.otherwise}, "
            f"of these untold: {self.untold}"
        )


class TooSlow(BaseException):
    """A run took longer than it may."""


@dataclass
class Ran:
    """How a run ended."""

    exit_code: int
    out: str
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
        self.runs = 0

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
        self.runs += 1
        if self.runs % 50 == 0:
            gc.collect()  # connections that wait for it, each with a thread of the server's

    def moved(self) -> bool:
        """Whether the last run changed the shop or a file, but for what it tells of itself."""
        if any(one.operation in ("Adjust", "StartBulk") for one in self.world.asked):
            return True
        return self._files(self.world.state) != self._files(self.kept)

    def _files(self, folder: Path) -> dict[str, bytes]:
        return {
            path.name: path.read_bytes()
            for path in folder.iterdir()
            if path.suffix not in (".last", ".lock")
        }

    def put(self, shop: Shop) -> None:
        """Another shop behind the same door, by the clock that the runs go by."""
        shop.now = self.time.time
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
            return Ran(-1, "", "")
        finally:
            signal.alarm(0)
            gc.unfreeze()  # a run takes what it remembers for the rest of the process
        if isinstance(result.exception, TooSlow):
            return Ran(-1, "", "")
        odd = result.exception is not None and not isinstance(result.exception, SystemExit)
        return Ran(
            result.exit_code, result.stdout, result.stderr, repr(result.exception) if odd else ""
        )

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
