"""`invsync config …`: a configuration to begin with, and whether one is good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from invsync.errors import ConfigError

if TYPE_CHECKING:
    from invsync.config.settings import Settings
    from invsync.invocation import Invocation

#: The same file as `config.example.yaml` of the project, as the installed program has it.
_EXAMPLE = Path(__file__).with_name("config.example.yaml")


@click.group()
def config() -> None:
    """A configuration to begin with, and whether one is good.

    \b
    Examples:
      invsync config example > config.yaml
      invsync config validate
    """


@config.command()
def example() -> None:
    """Print a configuration with every key explained.

    As it stands it runs on the sandbox.

    \b
    Example:
      invsync config example > config.yaml
    """
    click.echo(_EXAMPLE.read_bytes(), nl=False)


@config.command()
@click.pass_context
def validate(ctx: click.Context) -> None:
    """Say every mistake of the configuration, or that it is good.

    Asks nobody: neither the shop nor the state folder. Exit 0, or 2 with a line for each mistake.

    \b
    Examples:
      invsync config validate
      invsync --config other-shop.yaml config validate
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    commands = [name for name in ("variants", "locations") if getattr(settings, name) is not None]
    if not commands:
        raise ConfigError(
            f"{settings.file}: has neither variants nor locations, so there is nothing to keep in "
            "step; add one of the two, as `invsync config example` shows it"
        )
    _require_the_sandbox(settings)
    if invocation.quiet:
        return
    from invsync.tell.lines import Paragraph

    invocation.warn_of(settings)
    told = (
        f"{settings.file} is good: the shop is {settings.shop}, to be kept in step by "
        f"{' and '.join(commands)}; next, which asks the shop: `invsync check`"
    )
    invocation.tell(Paragraph(told))


def _require_the_sandbox(settings: Settings) -> None:
    """Raise `ConfigError` where the shop is the sandbox in this process and that can't run here."""
    if not settings.sandbox:
        return
    from invsync.sandbox.exchange import GraphqlMissing, require_graphql

    try:
        require_graphql()
    except GraphqlMissing as error:
        raise ConfigError(f"{settings.file}: shop: {error}") from error
