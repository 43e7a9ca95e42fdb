"""`invsync status`: what is managed, and what waits for a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from invsync.invocation import Invocation, complain
from invsync.status import document, read_status, text
from invsync.tell.lines import clean

if TYPE_CHECKING:
    from invsync.config.settings import Settings


def status(invocation: Invocation, settings: Settings, *, as_json: bool) -> int:
    """Print what the state folder tells; returns the exit code: 3 for a person, 1 unreadable."""
    known = read_status(settings)
    if as_json:
        click.echo(json.dumps(document(known), ensure_ascii=False, indent=2))
    elif not invocation.quiet:
        told = text(known, datetime.now(UTC))
        invocation.tell("\n".join(clean(line) for line in told.split("\n")))
    for each in known.commands:
        if each.error:
            complain(invocation, each.error)
    return known.exit_code
