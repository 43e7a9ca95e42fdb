"""One history, read by pages, by the feed of changes and by bulk operations: the same end."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scale_world import World, make_world

from invsync.sandbox.shop import Shop
from invsync.sandbox.things import Level, Product

PLACES = ("Warehouse", "Till", "Pop-up")
KINDS = ("complete", "changes", "bulk")
#: How often each of these happens.
EVENTS = {
    "sell": 30,
    "restock": 4,
    "cancel": 4,
    "count": 2,
    "new product": 2,
    "new unequal product": 1,
    "new variant": 2,
    "delete variant": 1,
    "delete product": 1,
    "retype": 2,
    "archive or bring back": 2,
    "track or not": 1,
    "stock or not": 2,
}


class History:
    """What customers and clerks do; the same for the same seed and the same shop."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.chance = random.Random(seed)
        self.made = 0

    def happen(self, what: str) -> None:
        {
            "sell": self.sell,
            "restock": self.restock,
            "cancel": self.cancel,
            "count": self.count,
            "new product": lambda: self.new_product([30, 30, 30]),
            "new unequal product": lambda: self.new_product([3, 4, 5]),
            "new variant": self.new_variant,
            "delete variant": self.delete_variant,
            "delete product": lambda: self.shop.delete_product(self.product()),
            "retype": self.retype,
            "archive or bring back": self.archive,
            "track or not": self.track,
            "stock or not": self.stock,
        }[what]()

    def product(self, least: int = 0) -> Product:
        some = [product for product in self.shop.products.values() if len(product.variants) > least]
        return self.chance.choice(some)

    def level(self) -> Level:
        levels = [
            level for variant in self.product(0).variants for level in variant.item.levels.values()
        ]
        return self.chance.choice(levels) if levels else next(iter(self.shop.levels.values()))

    def sell(self) -> None:
        level = self.level()
        if level.live:
            self.shop.sell(level.item, self.chance.randint(1, 4), level.location)

    def restock(self) -> None:
        level = self.level()
        self.shop.restock(level.item, self.chance.randint(1, 20), level.location)

    def cancel(self) -> None:
        level = self.level()
        if level.live:
            self.shop.cancel(level.item, 1, level.location)

    def count(self) -> None:
        level = self.level()
        self.shop.set_available(level.item, self.chance.randint(0, 40), level.location)

    def new_product(self, available: list[int]) -> None:
        self.made += 1
        skus = [f"new-{self.made}-{size}" for size in "SML"]
        self.shop.add_product(f"New {self.made}", skus, product_type="Print", available=available)

    def new_variant(self) -> None:
        self.made += 1
        units = self.chance.choice([0, 0, 5])
        self.shop.add_variant(
            self.product(), f"more-{self.made}", title=f"more-{self.made}", available=units
        )

    def delete_variant(self) -> None:
        self.shop.delete_variant(self.chance.choice(self.product(1).variants))

    def retype(self) -> None:
        product = self.product()
        self.shop.retype(product, "Other" if product.product_type == "Print" else "Print")

    def archive(self) -> None:
        product = self.product()
        self.shop.set_status(product, "ACTIVE" if product.status == "ARCHIVED" else "ARCHIVED")

    def track(self) -> None:
        item = self.level().item
        self.shop.set_tracked(item, not item.tracked)

    def stock(self) -> None:
        level = self.level()
        if self.chance.random() < 0.5:
            self.shop.unstock(level.item, level.location)
        else:
            self.shop.stock(level.item, self.chance.choice(PLACES), 0)


def prepared(world: World, kind: str, command: str) -> None:
    """A shop that is managed, and looked at in one way only."""
    world.configure(scan="changes" if kind == "changes" else "complete", reconcile_every="2h")
    if kind == "bulk":
        world.dear = -1
    world.stock(8, 3)
    world.init(command)


def run(world: World, kind: str, command: str) -> str:
    """One run by the world's way of looking; its scan."""
    outcome = world.run(command)
    assert outcome.error is None
    assert outcome.scan is not None
    assert outcome.scan_why is not None
    if kind == "bulk":
        assert outcome.scan_why.endswith("by a bulk operation")
    elif outcome.scan == "complete":
        assert outcome.scan_why.endswith("by pages")
    return outcome.scan


def alike(worlds: dict[str, World], read: Callable[[World], Any]) -> None:
    expected = read(worlds["complete"])
    for kind in KINDS[1:]:
        assert read(worlds[kind]) == expected, kind


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("command", ["variants", "locations"])
def test_every_scan_comes_to_the_same_end(tmp_path: Path, command: str, seed: int) -> None:
    """After every run the shop reads alike, and so does the cache; at the end, all of it."""
    worlds = {kind: make_world(tmp_path / kind) for kind in KINDS}
    histories = {kind: History(world.shop, seed) for kind, world in worlds.items()}
    for kind, world in worlds.items():
        prepared(world, kind, command)
    chance = random.Random(seed)
    scans = set()
    for _ in range(20):
        events = chance.choices(list(EVENTS), list(EVENTS.values()), k=chance.randint(0, 5))
        for kind, world in worlds.items():
            world.time.pass_by(minutes=10)
            for event in events:
                histories[kind].happen(event)
            scans.add((kind, run(world, kind, command)))
        alike(worlds, World.levels)
        alike(worlds, lambda world: living(world, command))
    assert scans == {
        ("complete", "complete"),
        ("changes", "changes"),
        ("changes", "complete"),
        ("bulk", "complete"),
    }
    for kind, world in worlds.items():
        world.time.pass_by(hours=4)
        run(world, kind, command)
    alike(worlds, World.levels)
    alike(worlds, lambda world: world.pools(command))
    alike(worlds, lambda world: world.cache(command)["feed_trusted"])


@pytest.mark.parametrize("lag", [4, 45])
@pytest.mark.parametrize("command", ["variants", "locations"])
def test_sales_are_all_counted_whatever_the_index_hides(
    tmp_path: Path, command: str, lag: float
) -> None:
    """Sales only, since what is a sum does not depend on when it is noticed."""
    worlds = {kind: make_world(tmp_path / kind) for kind in KINDS}
    histories = {kind: History(world.shop, 7) for kind, world in worlds.items()}
    for kind, world in worlds.items():
        prepared(world, kind, command)
        world.time.pass_by(hours=1)
        world.lag(lag)
        for _ in range(15):
            world.time.pass_by(minutes=10)
            for _ in range(histories[kind].chance.randint(0, 3)):
                histories[kind].sell()
            run(world, kind, command)
        world.time.pass_by(hours=4)
        run(world, kind, command)
    alike(worlds, World.levels)
    alike(worlds, lambda world: world.pools(command))
    assert worlds["changes"].cache(command)["feed_trusted"] is (lag < 10)


def living(world: World, command: str) -> dict[str, Any]:
    """The pools of products that still exist."""
    names = set()
    for variant in world.shop.variants.values():
        title = variant.product.title
        alone = command == "variants" or variant.title == "Default Title"
        names.add(title if alone else f"{title} / {variant.title}")
    return {title: pool for title, pool in world.pools(command).items() if title in names}
