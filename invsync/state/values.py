"""JSON values of the state files, checked.

Each raises `TypeError` or `ValueError` for another kind.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NoReturn

#: No number of a state file is larger. Shopify keeps no quantity beyond a thousand million.
LARGEST = 10**12
#: No run was before, or will be after: what is further off is no moment, and can't be counted with.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def parsed(content: str | bytes) -> Any:
    """The JSON document; raises `ValueError` for what is none, or could not be written again."""
    text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    try:
        document = json.loads(text, parse_constant=_no_number)
        if "\\ud" in text or "\\uD" in text:  # a half of a sign, maybe, which no file can hold
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested far too deeply") from None
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def utc_text(moment: datetime) -> str:
    """A UTC moment as the state files and Shopify's search write it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def text_of(value: Any) -> str:
    """The text; raises `TypeError` for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{shown(value)} is no text")
    return value


def flag_of(value: Any) -> bool:
    """True or false; raises `TypeError` for anything else."""
    if not isinstance(value, bool):
        raise TypeError(f"{shown(value)} is neither true nor false")
    return value


def object_of(value: Any) -> dict[str, Any]:
    """The JSON object; raises `TypeError` for anything else."""
    if not isinstance(value, dict):
        raise TypeError("no JSON object")
    return value


def list_of(value: Any) -> list[Any]:
    """The list; raises `TypeError` for anything else."""
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def whole_of(value: Any) -> int:
    """The whole number; raises `TypeError` for anything else."""
    if type(value) is not int:
        raise TypeError(f"{shown(value)} is no whole number")
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{shown(value)} is too large a number")
    return value


def moment_of(value: Any) -> str | None:
    """The text of a moment with its zone, or None; raises `TypeError` or `ValueError` else."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(text_of(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is no moment") from None
    if moment.tzinfo is None:
        raise ValueError(f"the moment {shown(value)} has no zone")
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(f"the moment {shown(value)} is out of all reason")
    return str(value)


def shown(value: Any) -> str:
    """A value as a message may show it: on one line, and no longer than that takes."""
    try:
        words = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        return f"a {type(value).__name__}"
    return words if len(words) <= 60 else f"{words[:60]}…"
