"""`invsync sandbox …`: play the customer and the clerk, and serve the shop."""

from __future__ import annotations

import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import click

from invsync.sandbox import printed

#: Where `serve` listens unless told otherwise.
DEFAULT_PORT = 8787

#: `show` prints no more variants than this; `--json` gives them all.
ROWS_SHOWN = 200


class Place(Protocol):
    """Where the configured sandbox is."""

    @property
    def state_file(self) -> Path:
        """`sandbox.json` in the state folder."""

    @property
    def url(self) -> str | None:
        """The address of a served sandbox, if the configuration names one.

        That shop counts then.
        """

    @property
    def api_version(self) -> str:
        """The API version that the configuration asks for."""


class HasPlace(Protocol):
    """What `click.Context.obj` must offer to these commands."""

    def sandbox_place(self) -> Place:
        """Where the sandbox is. May raise the program's own configuration error."""


class SandboxError(click.ClickException):
    """One line on stderr, exit 1."""

    def show(self, file: Any = None) -> None:
        """Print the line."""
        printed.say(f"invsync: {self.format_message()}", err=True)


#: Several products may have one SKU.
_OF_PRODUCT = click.option(
    "--product", metavar="TITLE", help="The product, where several have this SKU."
)


@click.group()
def sandbox() -> None:
    """A shop in a box: sell, count and look around without a real shop.

    \b
    Examples:
      invsync sandbox show
      invsync sandbox sell PRINT-S 3
      invsync sandbox set PRINT-M 50 --location Till
      invsync sandbox serve --port 8787
    """


@sandbox.command()
@click.argument("word", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
@click.pass_context
def show(ctx: click.Context, word: str | None, as_json: bool) -> None:
    """Show every variant, or those whose SKU, product or type holds WORD, and its quantities.

    \b
    Examples:
      invsync sandbox show
      invsync sandbox show PRINT
    """
    document = _do(ctx, "show", {"word": word} if as_json else {"word": word, "limit": ROWS_SHOWN})
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        printed.show(document)


@sandbox.command()
@click.argument("sku")
@click.argument("units", metavar="N", type=click.IntRange(min=1))
@_OF_PRODUCT
@click.option(
    "--location", metavar="NAME", help="Where it is sold (default: the primary location)."
)
@click.option("--at-till", is_flag=True, help="Over the counter: nothing is left to ship.")
@click.option("--shipped", "ships_at_once", is_flag=True, help="Shipped as it is ordered.")
@click.pass_context
def sell(
    ctx: click.Context,
    sku: str,
    units: int,
    product: str | None,
    location: str | None,
    at_till: bool,
    ships_at_once: bool,
) -> None:
    """Play the customer: order N of a SKU. They stay committed until they are shipped or cancelled.

    \b
    Examples:
      invsync sandbox sell PRINT-S 3
      invsync sandbox sell MUG 1 --at-till --location Till
    """
    shipped = at_till or ships_at_once
    given = {"sku": sku, "units": units, "product": product, "location": location}
    done = _do(ctx, "sell", {**given, "shipped": shipped})
    tail = "" if done["tracked"] else " (not tracked: the quantity stays)"
    printed.say(f"Sold {units} of {_named(done)}: {done['before']} → {done['after']}{tail}")


@sandbox.command()
@click.argument("sku")
@click.argument("units", metavar="[N]", type=click.IntRange(min=1), required=False)
@_OF_PRODUCT
@click.option("--location", metavar="NAME", help="Where (default: the primary location).")
@click.pass_context
def ship(
    ctx: click.Context, sku: str, units: int | None, product: str | None, location: str | None
) -> None:
    """Play the clerk: ship N of the ordered units of a SKU, or all of them.

    \b
    Examples:
      invsync sandbox ship PRINT-S
    """
    done = _do(ctx, "ship", {"sku": sku, "units": units, "product": product, "location": location})
    printed.say(
        f"Shipped {done['units']} of {_named(done)}: {done['on_hand']} on hand, "
        f"{done['committed']} still to ship"
    )


@sandbox.command()
@click.argument("sku")
@click.argument("units", metavar="N", type=click.IntRange(min=1))
@_OF_PRODUCT
@click.option("--location", metavar="NAME", help="Where (default: the primary location).")
@click.pass_context
def cancel(
    ctx: click.Context, sku: str, units: int, product: str | None, location: str | None
) -> None:
    """Play the customer: cancel an order of N of a SKU that has not been shipped.

    \b
    Examples:
      invsync sandbox cancel PRINT-S 1
    """
    done = _do(
        ctx, "cancel", {"sku": sku, "units": units, "product": product, "location": location}
    )
    printed.say(f"Cancelled {units} of {_named(done)}: {done['before']} → {done['after']}")


@sandbox.command()
@click.argument("location")
@click.option("--move-to", metavar="NAME", help="The location that gets its stock.")
@click.pass_context
def close(ctx: click.Context, location: str, move_to: str | None) -> None:
    """Play the clerk: deactivate a location.

    \b
    Examples:
      invsync sandbox close Fair --move-to Warehouse
    """
    done = _do(ctx, "close", {"location": location, "move_to": move_to})
    moved = f"; the stock of {done['items']} items went to {done['moved_to']}" if move_to else ""
    printed.say(f"Closed {done['location']}{moved}")


@sandbox.command(name="set", context_settings={"ignore_unknown_options": True})
@click.argument("sku")
@click.argument("quantity", metavar="N", type=int)
@_OF_PRODUCT
@click.option(
    "--location", metavar="NAME", help="Where it is counted (default: the primary location)."
)
@click.pass_context
def set_quantity(
    ctx: click.Context, sku: str, quantity: int, product: str | None, location: str | None
) -> None:
    """Play the clerk: set a SKU's available quantity to N.

    \b
    Examples:
      invsync sandbox set PRINT-M 50
      invsync sandbox set MUG 12 --location Till
    """
    done = _do(
        ctx, "set", {"sku": sku, "units": quantity, "product": product, "location": location}
    )
    printed.say(f"Set {_named(done)}: {done['before']} → {done['after']}")


@sandbox.command()
@click.option(
    "--products", metavar="N", type=click.IntRange(min=1), help="Make a shop of N products."
)
@click.option(
    "--variants", metavar="N", type=click.IntRange(1, 2048), help="Variants of each product (4)."
)
@click.option("--locations", metavar="N", type=click.IntRange(1, 250), help="Locations (1).")
@click.pass_context
def reset(
    ctx: click.Context, products: int | None, variants: int | None, locations: int | None
) -> None:
    """Start over with the starting shop, or with one of any size.

    \b
    Examples:
      invsync sandbox reset
      invsync sandbox reset --products 25000 --variants 4 --locations 3
    """
    done = _do(ctx, "reset", {"products": products, "variants": variants, "locations": locations})
    printed.say(
        f"The sandbox starts over: {_count(done['products'], 'product')}, "
        f"{_count(done['variants'], 'variant')}, {_count(done['locations'], 'location')}"
    )


@sandbox.command()
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    help=f"Port ({DEFAULT_PORT}; 0: any free one).",
)
@click.option(
    "--faults",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="YAML rules: which requests go wrong.",
)
@click.option(
    "--index-lag",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="How late the search index is.",
)
@click.pass_context
def serve(
    ctx: click.Context, port: int | None, faults: Path | None, index_lag: float | None
) -> None:
    """Serve the shop over HTTP on this machine, until Ctrl-C or SIGTERM.

    \b
    Examples:
      invsync sandbox serve --port 8787
      invsync sandbox serve --faults faults.yaml
    """
    place = _place(ctx)
    from invsync.sandbox.exchange import GraphqlMissing, require_graphql

    try:
        require_graphql()
    except GraphqlMissing as error:
        raise SandboxError(str(error)) from None
    from invsync.sandbox.faults import BadRules
    from invsync.sandbox.server import SandboxServer
    from invsync.sandbox.state import UnreadableState

    if port is None:
        port = (urlsplit(place.url).port if place.url else None) or DEFAULT_PORT
    try:
        server = SandboxServer(place.state_file, port=port, faults=faults or ())
    except OSError as error:
        raise SandboxError(
            f"can't serve at 127.0.0.1:{port}: {error.strerror}; choose another --port"
        ) from None
    except (UnreadableState, BadRules) as error:
        raise SandboxError(str(error)) from None
    if index_lag is not None:
        with server.shop() as shop:
            shop.settings.index_lag = index_lag
            shop.changed()

    def stop(*_: Any) -> None:
        threading.Thread(target=server.shutdown).start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    printed.say(f"Sandbox shop at {server.url} (state: {place.state_file})")
    try:
        server.serve()
    finally:
        server.stop()


# -- within ----------------------------------------------------------------------------------------


def _place(ctx: click.Context) -> Place:
    owner: HasPlace = ctx.obj
    return owner.sandbox_place()


def _do(ctx: click.Context, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out an action on the configured shop, wherever it lives."""
    place = _place(ctx)
    if place.url:
        return _ask(place.url, action, given)
    from invsync.sandbox import clerk
    from invsync.sandbox.state import StateFile, UnreadableState

    try:
        return clerk.do(StateFile(place.state_file), action, given)
    except (clerk.CannotDo, UnreadableState) as error:
        raise SandboxError(str(error)) from None


def _ask(url: str, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Have a served shop carry the action out."""
    request = urllib.request.Request(  # noqa: S310 (loopback, as configured)
        f"{url.rstrip('/')}/sandbox/{action}",
        data=json.dumps(given).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            document: dict[str, Any] = json.load(answer)
            return document
    except urllib.error.HTTPError as error:
        try:
            message = json.load(error)["error"]
        except (ValueError, KeyError, TypeError):
            message = f"{url} answers {error.code}: it is no sandbox"
        raise SandboxError(message) from None
    except (OSError, ValueError):
        raise SandboxError(
            f"no sandbox answers at {url}: start one with `invsync sandbox serve`, or remove "
            "api_url"
        ) from None


def _named(done: Mapping[str, Any]) -> str:
    label = (
        done["product"]
        if done["variant"] == "Default Title"
        else f"{done['product']}, {done['variant']}"
    )
    return f"{done['sku']} ({label}) at {done['location']}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
