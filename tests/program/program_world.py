"""A shop served over HTTP, a configuration, and the command line.

What the tests of the whole program play with.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from asked_forms import unlisted
from click.testing import CliRunner

from invsync.cli import main
from invsync.sandbox.api import Hook, Phase
from invsync.sandbox.exchange import Request
from invsync.sandbox.server import SandboxServer
from invsync.sandbox.shop import Shop
from invsync.sandbox.starting import starting_shop
from invsync.sandbox.things import Location, Product

TOKEN = "shpat_c0ffee00c0ffee00c0ffee00c0ffee00"
#: 2026-11-22 12:00 UTC.
NOON = 1_795_348_800.0


class Time:
    """Passes only while somebody sleeps, or when a test says so.

    Stands in for the module `time`.
    """

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def time(self) -> float:
        return NOON + self.passed

    def monotonic(self) -> float:
        return 1_000.0 + self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds

    def pass_by(self, *, seconds: float = 0.0, minutes: float = 0.0, hours: float = 0.0) -> None:
        self.passed += seconds + 60 * minutes + 3_600 * hours


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    args: tuple[str, ...]
    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def problem(self) -> str:
        """The one line that a failed run leaves on stderr."""
        (line,) = self.err.splitlines()
        assert line.startswith("invsync: ")
        return line.removeprefix("invsync: ")


@dataclass(frozen=True)
class FileSeen:
    """A file as it was: what it holds, when it was written, what it is."""

    content: bytes
    mtime_ns: int
    mode: int
    inode: int


@dataclass
class World:
    """One shop, one configuration, one state folder."""

    folder: Path
    time: Time
    shop: Shop
    server: SandboxServer | None = None
    asked: list[Request] = field(default_factory=list)
    #: Called as the shop is asked, before and after each request is carried out; may raise
    #: `ConnectionError`.
    hook: Hook | None = None
    #: Whether a run knows what the one before it has told; else each prints all that it has to.
    remembers: bool = False

    @property
    def state(self) -> Path:
        return self.folder / "invsync-state"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def place(self, command: str, suffix: str = "json") -> Path:
        return self.state / f"{command}.{suffix}"

    def note(self, request: Request, phase: Phase) -> None:
        """The shop is asked."""
        if phase == "before":
            self.asked.append(request)
        if self.hook:
            self.hook(request, phase)

    # -- the shop ----------------------------------------------------------------------------------

    def add(
        self, title: str, skus: str | Iterable[str], available: Any = 30, **options: Any
    ) -> Product:
        """A product of type Print, at the default location only, unless told otherwise."""
        names = skus.split() if isinstance(skus, str) else list(skus)
        options = {"product_type": "Print", "locations": (self.shop.primary,), **options}
        return self.shop.add_product(title, names, available=available, **options)

    def reads(self, skus: str, location: str | Location | None = None) -> list[int]:
        return self.shop.availables(*skus.split(), location=location)

    def sell(self, skus: str, units: int = 1, location: str | None = None) -> None:
        for sku in skus.split():
            self.shop.sell(sku, units, location)

    # -- the program -------------------------------------------------------------------------------

    def configure(self, text: str | None = None, **keys: Any) -> None:
        """Write the configuration.

        Its text, or the keys that differ from the usual ones (None: left out).
        """
        if text is None:
            usual: dict[str, Any] = {
                "shop": "sandbox",
                "api_url": self.server.url if self.server else None,
                "access_token": TOKEN,
                "report": "changes",
                "variants": {"product_types": ["Print"]},
                "locations": {},
            }
            document = {key: value for key, value in {**usual, **keys}.items() if value is not None}
            text = yaml.safe_dump(document, allow_unicode=True)
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(0o600)

    def run(self, *args: str, exit_code: int | None = 0, stdin: str | None = None) -> Ran:
        """The command line; what it asked of the shop is in `asked` afterwards."""
        self.asked.clear()
        if self.state.is_dir() and not (self.remembers or "--dry-run" in args):
            for command in ("variants", "locations"):
                self.place(command, "told").unlink(missing_ok=True)
        root = logging.getLogger()
        # pytest's own handlers would keep the program from setting up its log.
        kept, root.handlers = root.handlers, []
        try:
            result = CliRunner().invoke(
                main, ["--config", str(self.config), *args], input=stdin, prog_name="invsync"
            )
        finally:
            root.handlers = kept
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise AssertionError(
                f"a traceback would be shown: {result.exception!r}"
            ) from result.exception
        ran = Ran(args, result.exit_code, result.stdout, result.stderr)
        self._check(ran)
        if exit_code is not None:
            assert ran.exit_code == exit_code, f"exit {ran.exit_code}\n{ran.out}\n{ran.err}"
        return ran

    def variants(self, *args: str, exit_code: int | None = 0) -> dict[str, Any]:
        """`invsync variants --json …`: its document, which tells what the shop saw."""
        return self._document("variants", *args, exit_code=exit_code)

    def locations(self, *args: str, exit_code: int | None = 0) -> dict[str, Any]:
        """`invsync locations --json …`: its document, which tells what the shop saw."""
        return self._document("locations", *args, exit_code=exit_code)

    def _document(self, command: str, *args: str, exit_code: int | None) -> dict[str, Any]:
        unfinished = self.place(command, "journal").exists()
        self.shop.trail.ledger.clear()
        document = self.run(command, "--json", *args, exit_code=exit_code).document
        pools = document["pools"]
        assert sum(pools.values()) == 2 * pools["seen"], pools
        if not self.asked:
            return document  # the shop is in a file
        assert document["api"]["requests"] == len(self.asked)
        if not unfinished:  # else it also tells what an earlier run has sent
            levels = [level for change in document["changes"] for level in change["levels"]]
            told = [
                (one["item"], one["location"], one["delta"])
                for one in levels
                if one["delta"] and one["applied"]
            ]
            sent = [
                (one["item"], one["location"], one["delta"])
                for one in self.shop.trail.ledger
                if one["idempotency_key"]
            ]
            assert sorted(told) == sorted(sent)
        return document

    def cut_off(self, *args: str, after: bool = False) -> Ran:
        """Run, with the connection cut at every adjustment.

        Before it arrives, or `after` it was applied.
        """

        def cut(request: Request, phase: Phase) -> None:
            if request.operation == "Adjust" and phase == ("after" if after else "before"):
                raise ConnectionResetError("cut by the test")

        self.hook = cut
        try:
            return self.run(*args, exit_code=1)
        finally:
            self.hook = None

    def _check(self, ran: Ran) -> None:
        """What is so after every run."""
        assert not unlisted(self.asked), "asked, but without a row in invsync/admin/terms.py"
        for text in (ran.out, ran.err):
            assert TOKEN not in text
            assert "Traceback" not in text
        for path in self.state.glob("*"):
            if path.is_file() and not path.name.startswith("sandbox"):
                assert TOKEN.encode() not in path.read_bytes(), path
                assert path.stat().st_mode & 0o077 == 0, path
        if ran.exit_code in (1, 2) and "Usage:" not in ran.err:
            assert all(re.match(r"invsync: \S", line) for line in ran.err.splitlines()), ran.err
            assert ran.err or self._was_told_before(ran), ran

    def _was_told_before(self, ran: Ran) -> bool:
        """Whether a run failed like the one before it, of which a mail has told."""
        told = self.place(ran.args[0], "told")
        return told.exists() and "told" in (json.loads(told.read_bytes())["failing"] or {})

    # -- what it did -------------------------------------------------------------------------------

    @property
    def operations(self) -> list[str]:
        """What the last run asked of the shop, in order."""
        return [request.operation or request.path for request in self.asked]

    @property
    def batches(self) -> list[list[Mapping[str, Any]]]:
        """The adjustments that the last run sent, call by call."""
        calls = [request.graphql for request in self.asked if request.operation == "Adjust"]
        return [call["variables"]["input"]["changes"] for call in calls]

    @property
    def sent(self) -> dict[str, int]:
        """SKU → delta of the last run's adjustments (variants)."""
        sku = {item.gid: item.sku for item in self.shop.items.values()}
        return {
            sku[change["inventoryItemId"]]: change["delta"]
            for batch in self.batches
            for change in batch
        }

    def cached(self, command: str = "variants") -> dict[str, Any]:
        """The pools of the cache by title."""
        document = json.loads(self.place(command).read_bytes())
        return {entry["title"]: entry for entry in document["pools"].values()}

    def files(self) -> dict[str, FileSeen]:
        """Everything below the folder."""
        return {
            str(path.relative_to(self.folder)): FileSeen(
                path.read_bytes() if path.is_file() else b"",
                path.stat().st_mtime_ns,
                path.stat().st_mode,
                path.stat().st_ino,
            )
            for path in sorted(self.folder.rglob("*"))
        }


def new_shop(time: Time, *, story: bool = False) -> Shop:
    """The sandbox's starting shop, or one with three locations and nothing in it."""
    if story:
        return starting_shop(now=time.time)
    shop = Shop(now=time.time)
    for name in ("Warehouse", "Till", "Pop-up"):
        shop.add_location(name)
    return shop


def clean_environment() -> dict[str, str]:
    """The environment for a process of its own."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INVSYNC_", "PYTEST_"))
    }
