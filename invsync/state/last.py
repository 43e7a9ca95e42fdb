"""The record of how the last run ended, for `invsync status`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from invsync.state.files import Files, read_bytes, replace_file
from invsync.state.values import object_of


def write_last(files: Files, record: Mapping[str, Any]) -> None:
    """Keep how this run ended."""
    replace_file(files.last, json.dumps(record, ensure_ascii=False, indent=1).encode() + b"\n")


def read_last(files: Files) -> dict[str, Any] | None:
    """How the last run ended; None if there was none, or if nobody can tell."""
    content = read_bytes(files.last)
    try:
        return None if content is None else object_of(json.loads(content))
    except (ValueError, TypeError):
        return None
