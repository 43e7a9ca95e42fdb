"""The record of how the last run ended, for `invsync status`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from invsync.errors import StateError
from invsync.state.files import Files, read_bytes, replace_file
from invsync.state.values import LARGEST, moment_of, object_of, parsed, shown, text_of, whole_of


def _length_of(value: Any) -> float:
    """Seconds, which JSON may write as whole ones."""
    if type(value) not in (int, float) or not 0 <= value <= LARGEST:
        raise TypeError(f"{shown(value)} is no length of time")
    return float(value)


def _line_of(value: Any) -> str | None:
    return None if value is None else text_of(value)


#: What `invsync status` looks at, each with what it has to be.
_KEYS: Mapping[str, Callable[[Any], object]] = {
    "started_at": moment_of,
    "seconds": _length_of,
    "mode": text_of,
    "exit": whole_of,
    "error": _line_of,
    "changes": whole_of,
    "problems": whole_of,
}


def write_last(files: Files, record: Mapping[str, Any]) -> None:
    """Keep how this run ended."""
    replace_file(files.last, json.dumps(record, ensure_ascii=False, indent=1).encode() + b"\n")


def read_last(files: Files) -> dict[str, Any] | None:
    """How the last run ended; None if there was none.

    Raises `StateError` for what invsync never wrote.
    """
    content = read_bytes(files.last)
    if content is None:
        return None
    try:
        record = object_of(parsed(content))
        for key, kind in _KEYS.items():
            kind(record[key])
        return record
    except KeyError as error:
        raise _damaged(files, f"the key {error} is missing") from error
    except (ValueError, TypeError) as error:
        raise _damaged(files, error) from error


def _damaged(files: Files, why: object) -> StateError:
    return StateError(
        f"{files.last}: is damaged ({why}), so how the last run ended can't be told; the file was "
        f"kept. The next run of `invsync {files.command}` writes it anew"
    )
