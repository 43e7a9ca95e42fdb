"""`invsync explain`: the story of a pool."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import click

from invsync.explain import document, read_stories, text
from invsync.invocation import Invocation

if TYPE_CHECKING:
    from invsync.config.settings import Settings


def explain(
    invocation: Invocation, settings: Settings, name: str, *, last: int, as_json: bool
) -> None:
    """Print the last events of each pool that the name means."""
    stories = read_stories(settings, name, last)
    if as_json:
        click.echo(json.dumps(document(name, stories), ensure_ascii=False, indent=2))
        return
    columns = shutil.get_terminal_size((100, 24)).columns
    invocation.tell("\n\n".join(text(story, columns) for story in stories))
