"""JSON values of the state files, checked: each raises `TypeError` or `ValueError` for another kind."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def utc_text(moment: datetime) -> str:
    """A UTC moment as the state files and Shopify's search write it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def text_of(value: Any) -> str:
    """The text; raises `TypeError` for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def flag_of(value: Any) -> bool:
    """True or false; raises `TypeError` for anything else."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def object_of(value: Any) -> dict[str, Any]:
    """The JSON object; raises `TypeError` for anything else."""
    if not isinstance(value, dict):
        raise TypeError("no JSON object")
    return value


def whole_of(value: Any) -> int:
    """The whole number; raises `TypeError` for anything else."""
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def moment_of(value: Any) -> str | None:
    """The text of a moment with its zone, or None; raises `TypeError` or `ValueError` else."""
    if value is None:
        return None
    if datetime.fromisoformat(text_of(value)).tzinfo is None:
        raise ValueError(f"the moment {value!r} has no zone")
    return str(value)
