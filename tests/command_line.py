"""The command line on the sandbox in the process: what the tests of single commands play with."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from invsync.cli import main
from invsync.sandbox.shop import Shop
from invsync.sandbox.state import StateFile

BOTH = (
    "shop: sandbox\nvariants:\n  product_types: [Print]\nlocations:\n  product_types: [Kitchen]\n"
)


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass(frozen=True)
class Place:
    """A folder with a configuration and a state folder."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def state(self) -> Path:
        return self.folder / "invsync-state"

    def configure(self, text: str = BOTH) -> None:
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(0o600)

    @contextmanager
    def shop(self) -> Iterator[Shop]:
        """The sandbox's shop, to edit."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        with StateFile(self.state / "sandbox.json").open() as shop:
            yield shop
            shop.changed()

    def run(self, *args: str, exit_code: int | None = 0, columns: int = 100) -> Ran:
        root = logging.getLogger()
        # pytest's own handlers would keep the program from setting up its log.
        kept, root.handlers = root.handlers, []
        try:
            runner = CliRunner(env={"COLUMNS": str(columns)})
            result = runner.invoke(main, ["--config", str(self.config), *args])
        finally:
            root.handlers = kept
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise AssertionError(
                f"a traceback would be shown: {result.exception!r}"
            ) from result.exception
        if exit_code is not None:
            assert result.exit_code == exit_code, (
                f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
            )
        return Ran(result.exit_code, result.stdout, result.stderr)

    def state_files(self) -> dict[str, tuple[bytes, int]]:
        """What stands in the state folder, but for the sandbox's own files.

        Content, and when it was written.
        """
        return {
            path.name: (path.read_bytes(), path.stat().st_mtime_ns)
            for path in self.state.glob("*")
            if not path.name.startswith("sandbox")
        }
