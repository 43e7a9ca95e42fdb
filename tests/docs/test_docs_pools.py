"""The page of the groupings: its configurations load, and the program plays its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from docs_pages import POOLS, rows

from invsync.cli import main
from invsync.config.settings import load
from invsync.sandbox.server import SandboxServer
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import Variant

SKUS = rows(POOLS.section("The same SKU on several products"))
PACKS = rows(POOLS.section("Packs"))
SIZES = {1: "Single", 6: "Half dozen", 12: "12 pieces"}


@pytest.mark.parametrize("text", [block.text for block in POOLS.blocks("yaml")])
def test_each_configuration_of_the_page_is_one(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"shop: sandbox\n{text}", encoding="utf-8")
    assert load(file, {}).variants is not None


class Desk:
    """A shop behind HTTP, and the command line."""

    def __init__(self, folder: Path, shop: Shop, url: str) -> None:
        self.shop, self.config, self.url = shop, folder / "config.yaml", url

    def configure(self, section: str) -> None:
        (text,) = [block.text for block in POOLS.blocks("yaml") if section in block.text]
        keys = {
            "shop": "sandbox",
            "api_url": self.url,
            "access_token": "shpat_1",
            **yaml.safe_load(text),
        }
        self.config.write_text(yaml.safe_dump(keys), encoding="utf-8")
        self.config.chmod(0o600)

    def run(self, *args: str) -> None:
        done = CliRunner().invoke(main, ["--config", str(self.config), "variants", *args])
        assert done.exit_code in (0, 3), done.output

    def listing(self, sku: str, available: int) -> Variant:
        product = self.shop.add_product(
            f"{sku} {len(self.shop.products)}",
            [sku],
            available=available,
            locations=(self.shop.primary,),
        )
        return product.variants[0]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    shop = Shop()
    shop.add_location("Warehouse")
    with SandboxServer(shop) as server:
        yield Desk(tmp_path, shop, server.url)


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def stocks(text: str) -> dict[str, list[int]]:
    """`A: 30, 30; B: 7, 7`; what is said of A in words is no part of it."""
    parts = (part.partition(":") for part in text.split(";"))
    return {name.split()[0]: numbers(read) for name, _, read in parts}


def sold(desk: Desk, variants: Sequence[Variant], units: int) -> None:
    for variant in variants:
        desk.shop.sell(variant.item, units)


Shelf = dict[str, list[Variant]]
HAPPENS: dict[str, Callable[[Desk, Shelf], object]] = {
    "three of them sell 3 each": lambda desk, shelf: sold(desk, shelf["A"][:3], 3),
    "a third product gets the SKU A, at 0": lambda desk, shelf: shelf["A"].append(
        desk.listing("A", 0)
    ),
    "one of B gets the SKU A": lambda desk, shelf: renamed(desk, shelf, 0),
    "one of B sells 2, then gets the SKU A": lambda desk, shelf: renamed(desk, shelf, 2),
    "both get the SKU C": lambda desk, shelf: shelf.update(
        C=[desk.shop.set_sku(variant, "C") for variant in shelf.pop("A")]
    ),
}


def renamed(desk: Desk, shelf: Shelf, units: int) -> None:
    variant = shelf["B"].pop()
    if units:
        desk.shop.sell(variant.item, units)
    shelf["A"].append(desk.shop.set_sku(variant, "A"))


@pytest.mark.parametrize(("before", "happens", "after"), SKUS, ids=[row[1] for row in SKUS])
def test_what_becomes_of_one_sku(desk: Desk, before: str, happens: str, after: str) -> None:
    desk.configure("skus: all")
    start = stocks(before if ":" in before else f"A: {before}")
    shelf = {sku: [desk.listing(sku, number) for number in read] for sku, read in start.items()}
    desk.run("--init")
    HAPPENS[happens](desk, shelf)
    desk.run()
    ends = stocks(after if ":" in after else f"A: {after}")
    assert {sku: desk.shop.availables(*(one.item for one in shelf[sku])) for sku in ends} == ends


SALES: dict[str, tuple[int, int, int]] = {
    "one 6-pack is sold": (0, 1, 0),
    "that 6-pack comes back": (0, -1, 0),
    "5 singles, a 6 and a 12 are sold": (5, 1, 1),
    "24 singles are delivered": (-24, 0, 0),
    "two cases of 12 are delivered": (0, 0, -2),
    "4 singles and the 6-pack are sold": (4, 1, 0),
    "a case of 12 arrives": (0, 0, -1),
}


@pytest.mark.parametrize(("before", "happens", "after"), PACKS, ids=[row[1] for row in PACKS])
def test_what_becomes_of_packs(desk: Desk, before: str, happens: str, after: str) -> None:
    desk.configure("Pack size")
    product = desk.shop.add_product("Cookie", product_type="Cookie")
    packs = [
        desk.shop.add_variant(
            product,
            f"C-{size}",
            options={"Pack size": named},
            available=number,
            locations=(desk.shop.primary,),
        )
        for (size, named), number in zip(SIZES.items(), numbers(before), strict=True)
    ]
    desk.run("--init")
    for pack, pieces in zip(packs, SALES[happens], strict=True):
        if pieces > 0:
            desk.shop.sell(pack.item, pieces)
        elif pieces < 0:
            desk.shop.restock(pack.item, -pieces)
    desk.run()
    assert desk.shop.availables(*(pack.item for pack in packs)) == numbers(after)
