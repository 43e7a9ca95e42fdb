"""What a shell may complete where a pool is to be named: titles and SKUs that runs have noted.

Titles come from the caches, SKUs from the end of the history, both from the state folder that the
configuration names. Whatever is not as it should be (no configuration, another user's folder, a
damaged cache) means no completions: somebody is typing, and nothing may come between.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from invsync.config.finding import find as find_config
from invsync.state.cache import read_cache
from invsync.state.files import COMMANDS, Files
from invsync.state.history import history_tail
from invsync.state.records import named_in

if TYPE_CHECKING:
    import click

#: No more than this: a shell asks before it lists a hundred.
_MOST = 200
#: What bash takes for itself in a word without quotes.
_SPECIAL = re.compile(r"[^\w.,/:@%+=-]")


def names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names that what was typed may become, as the shell is to insert them.

    Never raises, never prints.
    """
    try:
        return _names(ctx, param, incomplete)
    except Exception:  # whatever it is, a prompt is no place for it
        return []


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    # A title may be typed as several words: then it is completed from this one on.
    words = ctx.params.get(param.name or "") if param.nargs == -1 else ()
    before = "".join(f"{word} " for word in words or ())
    typed = (before + incomplete).casefold()
    given = ctx.find_root().params.get("config")
    word = _as_typed()
    fitting: dict[str, None] = {}
    for name in _known(_state_dir(find_config(given, os.environ, Path()))):
        inserted = word(name[len(before) :])
        if inserted and name.casefold().startswith(typed) and _is_plain(name):
            fitting[inserted] = None
            if len(fitting) == _MOST:
                break
    return sorted(fitting)


def _state_dir(file: Path) -> Path:
    """The state folder that a configuration names, whatever else may be wrong with it.

    Its secrets need not be there: whoever types has not cron's environment.
    """
    import yaml

    document = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    name = document.get("state_dir") or "invsync-state"
    name = re.sub(r"\$\{(\w+)\}", lambda found: os.environ[found[1]], name)
    return file.parent / Path(name).expanduser()


def _known(folder: Path) -> Iterator[str]:
    """Titles of the pools that are remembered, then SKUs of those that moved, the newest first."""
    for command in COMMANDS:
        cache = read_cache(Files(folder, command))
        if cache is not None:
            yield from map(cache.title, cache.pools)
    for line in reversed(history_tail(Files(folder, "variants"))):
        yield from named_in(line)[1]


def _is_plain(name: str) -> bool:
    """Whether a name is one line that a terminal shows as it is."""
    try:
        name.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return name.isprintable()


def _as_typed() -> Callable[[str], str]:
    """How a name is inserted: zsh and fish see to the quotes themselves, bash does not.

    Gives "" for a name that can't be typed within the quotes that were begun.
    """
    if not os.environ.get("_INVSYNC_COMPLETE", "").startswith("bash"):
        return str
    # click's script joins the words by line breaks, each as it was typed.
    words, at = os.environ["COMP_WORDS"].split("\n"), int(os.environ["COMP_CWORD"])
    quote = words[at][:1] if at < len(words) else ""
    if quote not in ("'", '"'):
        # Twice, since click's script has them read once by `read`, which takes one of them off.
        return lambda name: _SPECIAL.sub(r"\\\\\g<0>", name)
    return lambda name: "" if re.search(r"""['"$`\\!]""", name) else name
