"""What the commands of the sandbox print.

At a terminal nothing is wider than its window, elsewhere all is as it is. rich is imported where
there is a terminal only.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

#: What the signs in a table mean.
_LEGEND = "-: not stocked there   (n): inactive there   ~: not tracked"
_HEADS = ("PRODUCT", "VARIANT", "SKU", "TYPE", "STATUS")


def say(words: str, *, err: bool = False) -> None:
    """Print a line, broken at the width of the terminal that it goes to."""
    stream = sys.stderr if err else sys.stdout
    told = _clean(words)
    if stream.isatty():
        console = _console()
        with console.capture() as drawn:
            console.print(told, overflow="fold")
        told = drawn.get().rstrip("\n")
    click.echo(told.encode(stream.encoding, "replace").decode(stream.encoding), err=err)


def show(document: Mapping[str, Any]) -> None:
    """Print the shop: a row a variant, a column a location.

    At a terminal that is too narrow for that: below each variant what it reads at each.
    """
    variants: Sequence[Mapping[str, Any]] = document["variants"]
    if not variants:
        say("no variant is called so: `invsync sandbox show` lists them all")
        return
    places = [place["name"] for place in document["locations"]]
    rows = [
        (*_names(variant), *(_cell(variant, place) for place in places)) for variant in variants
    ]
    if sys.stdout.isatty():
        _draw([*_HEADS, *places], rows)
    else:
        click.echo(as_table([(*_HEADS, *places), *rows]))
    if document["total"] > len(variants):
        say(f"… and {document['total'] - len(variants):,} variants more (--json shows all)")
    if any(variant["inactive"] or not variant["tracked"] for variant in variants):
        click.echo()
        say(_LEGEND)


def as_table(rows: Sequence[Sequence[str]]) -> str:
    """The rows as aligned text; from the sixth column on they are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at < len(_HEADS) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _draw(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The rows at a terminal."""
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    console = _console()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for at, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if at < len(_HEADS) else "right")
    for row in rows:
        table.add_row(*map(Text, row))
    endless = console.options.update(width=1_000_000)
    with console.capture() as drawn:
        if Measurement.get(console, endless, table).maximum <= console.width:
            console.print(table)
        else:
            _draw_narrow(console, heads, rows)
    click.echo("\n".join(line.rstrip() for line in drawn.get().rstrip("\n").split("\n")))


def _draw_narrow(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    for product, variant, sku, kind, status, *readings in rows:
        name = product if variant == "Default Title" else f"{product}, {variant}"
        console.print(Text(f"{sku}  {name} ({kind}, {status})", "bold"))
        read = zip(heads[len(_HEADS) :], readings, strict=True)
        told = ", ".join(f"{place} {reading}" for place, reading in read)
        console.print(Padding(Text(told), (0, 0, 0, 2)))


def _console() -> Console:
    from rich.console import Console

    # https://no-color.org: bold goes with it.
    return Console(
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )


def _names(variant: Mapping[str, Any]) -> tuple[str, ...]:
    names = (variant["product"], variant["variant"], variant["sku"], variant["type"])
    return (*map(_clean, names), variant["status"].lower())


def _cell(variant: Mapping[str, Any], place: str) -> str:
    reading = variant["available"][place]
    if reading is None:
        return "-"
    if not variant["tracked"]:
        return "~"
    return f"({reading})" if place in variant["inactive"] else str(reading)


def _clean(words: str) -> str:
    """The words without what would steer a terminal."""
    return "".join(
        " " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in words
    )
