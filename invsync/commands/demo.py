"""The whole story on the sandbox, in a temporary folder: each command is printed before it runs."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from invsync.errors import InvsyncError
from invsync.sandbox.exchange import GraphqlMissing, require_graphql
from invsync.tell.lines import Paragraph
from invsync.tell.terminal import Terminal

_CONFIG = """\
shop: sandbox
report: changes
variants:
  product_types: [Print]
locations:
  product_types: [Kitchen]
"""

_PACKS = """\
shop: sandbox
state_dir: packs
variants:
  product_types: [Cookie]
  pack_size:
    option: Pack size
    sizes: {Single: 1, Half dozen: 6}
"""

_INDENT = "  "
#: A line on how far something is, and what takes it away again.
_LINE_OVER = re.compile(r"[^\n]*\x1b\[2K|\x1b\[1A|\x1b\[\?25[lh]|\r")

_STORY: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "A shop with one stock of prints, sold in four variants. First, invsync adopts what is in "
        "step and lists what "
        "is not:",
        ("variants --init",),
    ),
    (
        "One product is out of step. Setting it right by hand is best; here its lowest number is "
        "taken:",
        ("variants --init --align lowest --yes",),
    ),
    (
        "Three of the four variants are sold three times each. Shopify counts each by itself:",
        ("sandbox sell PRINT-S 3", "sandbox sell PRINT-M 3", "sandbox sell PRINT-L 3"),
    ),
    ("Look first. A dry run sends and writes nothing:", ("variants --dry-run",)),
    (
        "Then do it. Nine prints are gone, so every variant ends at 21:",
        ("variants", "sandbox show PRINT-"),
    ),
    ("Once more: nothing happened, so nothing is sent.", ("variants -v",)),
    (
        "The other command keeps one variant at one quantity across its locations. Seed, sell at "
        "the till, sync:",
        (
            "locations --init --align lowest --yes",
            "sandbox sell MUG 2 --location Till",
            "locations --dry-run",
            "locations",
            "sandbox show MUG",
        ),
    ),
)

_PACK_STORY: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Last, one stock of 50 cookies, sold alone, in sixes and in twelves. A half dozen is sold: "
        "44 are left, which are 7 half dozens, or 3 twelves:",
        (
            "--config packs.yaml variants --init",
            "--config packs.yaml sandbox sell COOKIE-6 1",
            "--config packs.yaml variants",
            "--config packs.yaml sandbox show COOKIE",
        ),
    ),
)


def play(say: Callable[[str], None], terminal: Terminal | None = None) -> None:
    """Play the story. Raises `InvsyncError` if a command fails or the sandbox can't run here.

    `terminal`: what `say` prints on; the commands then print what they would there.
    """
    try:
        require_graphql()
    except GraphqlMissing as error:
        raise InvsyncError(str(error)) from error
    with _folder() as (folder, hold):
        for name, config, story in (
            ("config.yaml", _CONFIG, _STORY),
            ("packs.yaml", _PACKS, _PACK_STORY),
        ):
            Path(folder, name).write_text(config, encoding="utf-8")
            say(f"{name}:\n\n{_indented(config)}\n")
            for told, commands in story:
                say(f"{_laid_out(told, terminal)}\n")
                for command in commands:
                    say(f"$ invsync {command}")
                    say(_indented(_printed(command, folder, hold, terminal).rstrip()) + "\n")
    end = "That is all. Point `shop:` at your own shop next: see the README."
    say(_laid_out(end, terminal))


def _laid_out(told: str, terminal: Terminal | None) -> str:
    if terminal is None:
        return told
    from invsync.tell import screen

    return screen.draw([Paragraph(told)], terminal, "invsync")


def _printed(command: str, folder: Path, hold: int, terminal: Terminal | None) -> str:
    """All that a command of the story prints. Raises `InvsyncError` if it fails."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("INVSYNC_")}
    program = [sys.executable, "-m", "invsync", *command.split()]
    if terminal is None:
        ours, theirs = os.pipe()
    else:
        ours, theirs = os.openpty()
        environ["COLUMNS"] = str(terminal.width - len(_INDENT))
    with (
        os.fdopen(ours, "rb", buffering=0) as shown,
        subprocess.Popen(
            program, cwd=folder, env=environ, pass_fds=(hold,), stdout=theirs, stderr=theirs
        ) as child,
    ):
        os.close(theirs)
        printed = b""
        with contextlib.suppress(OSError):  # a terminal's way to say that its other end is closed
            while piece := shown.read(10_000):
                printed += piece
    if child.returncode not in (0, 3):
        raise InvsyncError(
            f"the demo stopped: `invsync {command}` ended with exit {child.returncode}"
        )
    return _LINE_OVER.sub("", printed.decode().replace("\r\n", "\n"))


@contextlib.contextmanager
def _folder() -> Iterator[tuple[Path, int]]:
    """A temporary folder that goes once this process is gone, however it ends.

    A shell waits for that, by the end of its input. Also given: the descriptor that keeps it
    waiting, for the processes that use the folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="invsync-demo-"))
    remove = ("sh", "-c", 'cat > /dev/null; rm -rf -- "$1"', "sh", str(folder))
    with subprocess.Popen(remove, stdin=subprocess.PIPE, start_new_session=True) as waiting:
        assert waiting.stdin is not None
        yield folder, waiting.stdin.fileno()


def _indented(text: str) -> str:
    return "\n".join(f"{_INDENT}{line}".rstrip() for line in text.splitlines())
