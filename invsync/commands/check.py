"""`invsync check`: a line for each check, as it is done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from invsync.check import PATIENCE, Check, checks, document, failed, summary, text_line
from invsync.connect import RunClock
from invsync.invocation import Invocation, complain
from invsync.tell.lines import clean

if TYPE_CHECKING:
    from invsync.config.settings import Settings


def check(invocation: Invocation, settings: Settings, *, as_json: bool) -> int:
    """Check everything and print it; returns the exit code: 1 where a check failed."""
    invocation.start_log()
    done: list[Check] = []
    for each in checks(settings, RunClock(PATIENCE)):
        done.append(each)
        if not as_json and (each.result == "failed" or not invocation.quiet):
            invocation.tell(clean(text_line(each)))
    if as_json:
        click.echo(json.dumps(document(settings, done), ensure_ascii=False, indent=2))
    elif not invocation.quiet:
        click.echo(summary(done))
    names = failed(done)
    if names:
        complain(invocation, f"{len(names)} of {len(done)} checks failed: {', '.join(names)}")
    return 1 if names else 0
