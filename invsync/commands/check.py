"""`invsync check`: a line for each check, as it is done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from invsync.check import PATIENCE, Check, Result, checks
from invsync.connect import RunClock
from invsync.invocation import Invocation, complain
from invsync.state.files import COMMANDS, Files
from invsync.tell.lines import Paragraph

if TYPE_CHECKING:
    from invsync.config.settings import Settings


def check(invocation: Invocation, settings: Settings, *, as_json: bool) -> int:
    """Check everything and print it; returns the exit code: 1 where a check failed."""
    invocation.start_log()
    done: list[Check] = []
    with invocation.progress() as bar:
        for each in checks(settings, RunClock(PATIENCE), bar.watch):
            done.append(each)
            if not as_json and (each.result == "failed" or not invocation.quiet):
                bar.clear()
                invocation.tell(_text_line(each))
    if as_json:
        click.echo(json.dumps(_document(settings, done), ensure_ascii=False, indent=2))
    elif not invocation.quiet:
        invocation.tell(_summary(done), *_next(settings, done))
    names = _failed(done)
    if names:
        complain(invocation, f"{len(names)} of {len(done)} checks failed: {', '.join(names)}")
    return 1 if names else 0


#: How a result looks.
_STYLES: Mapping[Result, str] = {
    "ok": "green",
    "warning": "bold yellow",
    "failed": "bold red",
    "skipped": "dim",
}


def _text_line(check: Check) -> Paragraph:
    """A check as a line for people."""
    word = "FAILED" if check.result == "failed" else check.result
    mend = f"; {check.mend}" if check.mend else ""
    tag = f"{word:8} {check.name:19}"
    return Paragraph(f"{check.message}{mend}", tag, tag_style=_STYLES[check.result])


def _summary(done: Sequence[Check]) -> Paragraph:
    """The closing line."""
    counts = Counter(check.result for check in done)
    told = ", ".join(f"{counts[word]} {word}" for word in _STYLES if counts[word])
    return Paragraph(f"check: {told}", style="bold")


def _next(settings: Settings, done: Sequence[Check]) -> list[Paragraph]:
    """The step of the first day that comes after this one; none once pools are managed."""
    new = [
        command
        for command in COMMANDS
        if getattr(settings, command) is not None
        and not Files(settings.state_dir, command).cache.exists()
    ]
    if not new or _failed(done):
        return []
    step = f"next, which adopts what is in step and sends nothing: `invsync {new[0]} --init`"
    return [Paragraph(step)]


def _document(settings: Settings, done: Sequence[Check]) -> dict[str, Any]:
    """The JSON document."""
    return {
        "config": str(settings.file),
        "shop": settings.shop,
        "api_version": settings.api_version,
        "ok": not _failed(done),
        "checks": [
            {
                "check": check.name,
                "result": check.result,
                "message": check.message,
                "mend": check.mend or None,
                "counts": dict(check.counts) or None,
            }
            for check in done
        ],
    }


def _failed(done: Sequence[Check]) -> list[str]:
    """The names of the checks that failed."""
    return [check.name for check in done if check.result == "failed"]
