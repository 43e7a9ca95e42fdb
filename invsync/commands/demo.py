"""The whole story on the sandbox, in a temporary folder: each command is printed before it runs."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from invsync.errors import InvsyncError

_CONFIG = """\
shop: sandbox
variants:
  product_types: [Print]
locations:
  product_types: [Kitchen]
"""

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


def play(say: Callable[[str], None]) -> None:
    """Play the story. Raises `InvsyncError` if a command fails or the sandbox can't run here."""
    if importlib.util.find_spec("graphql") is None:
        raise InvsyncError("the sandbox needs graphql-core: pip install 'invsync[sandbox]'")
    with _folder() as (folder, hold):
        Path(folder, "config.yaml").write_text(_CONFIG, encoding="utf-8")
        say(f"config.yaml:\n\n{_indented(_CONFIG)}\n")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("INVSYNC_")
        }
        for told, commands in _STORY:
            say(f"{told}\n")
            for command in commands:
                say(f"$ invsync {command}")
                done = subprocess.run(
                    [sys.executable, "-m", "invsync", *command.split()],
                    cwd=folder,
                    env=environment,
                    pass_fds=(hold,),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                )
                say(_indented(done.stdout.rstrip()) + "\n")
                if done.returncode not in (0, 3):
                    raise InvsyncError(
                        f"the demo stopped: `invsync {command}` ended with exit {done.returncode}"
                    )
    say("That is all. Point `shop:` at your own shop next: see the README.")


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
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
