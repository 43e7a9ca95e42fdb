"""Moments and lengths of time as people read them: by their own clock (`TZ`), with its zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def moment(text: object) -> datetime | None:
    """A moment from its text, UTC where it names no zone; None for anything else."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def local(then: datetime) -> str:
    """A moment by the reader's clock: `2026-11-25 16:31 CET`."""
    return f"{here(then):%Y-%m-%d %H:%M %Z}"


def here(then: datetime) -> datetime:
    """The same moment in the reader's zone; at the ends of the calendar as it is."""
    try:
        return then.astimezone()
    except (OverflowError, OSError, ValueError):
        return then


def span(length: timedelta) -> str:
    """A length of time in its two largest units; what lies ahead is none."""
    minutes = max(0, int(length.total_seconds())) // 60
    if not minutes:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
