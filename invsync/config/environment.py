"""The file of `environment_file`: NAME=value lines for the `${NAME}` of a configuration.

So that a command works the same for cron, which has few variables, and for whoever pastes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from invsync.config.reading import Reading, read, reason
from invsync.config.words import plain

#: As a shell and systemd's EnvironmentFile take it, too; the value may stand in quotes.
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_QUOTED = re.compile(r"""(["'])(.*)\1""")


def variables(reading: Reading, path: Path, key: str) -> Mapping[str, str]:
    """The variables of a file. What is wrong with it is noted as a problem of `key`.

    No line of it is ever shown: it may hold a secret.
    """
    shown, line = plain(path), reading.lines[key]
    try:
        content, readable_by_others = read(path)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        reading.problem(line, key, f"{shown} is not UTF-8 text; save it as UTF-8")
        return {}
    except (OSError, ValueError) as error:
        reading.problem(
            line, key, f"{shown} can't be read: {reason(error)}; correct the path or permissions"
        )
        return {}
    found: dict[str, str] = {}
    for number, given in enumerate(text.splitlines(), 1):
        if not given.strip() or given.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(given)
        if match is None:
            reading.problem(
                line,
                key,
                f"line {number} of {shown} is not NAME=value; correct it, or begin it with #",
            )
            continue
        value = match[2].strip()
        quoted = _QUOTED.fullmatch(value)
        found[match[1]] = quoted[2] if quoted else value
    if readable_by_others and found:
        reading.warn_of(path, key)
    return found
