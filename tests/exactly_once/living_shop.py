"""A shop in which things happen while the program runs and fails, and beside it the truth.

What is really there.

The truth of a stock is a number, or a range where the rule is to choose: several rises between two
runs, a level that is sold from before the program knows it, one that is deleted with sales on it.
What is above the range was lost (a sale that was not passed on, a restock that was counted twice:
it would oversell); what is below it was repeated.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from small_world import Disk, Ended, Killed, SmallWorld, Time, When

from invsync import find, settle
from invsync.admin import levels
from invsync.commands.pause import pause, resume
from invsync.config.nested import PackSettings
from invsync.invocation import Invocation
from invsync.sandbox import state
from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request
from invsync.sandbox.faults import Faults, read_rules
from invsync.sandbox.shop import Shop
from invsync.sandbox.things import Location, Product
from invsync.state.files import Command
from invsync.sync import due

#: Commands are given without a word being printed.
_QUIET = Invocation(None, 0, True)
#: More than any stock: no bound.
MANY = 10**6
#: The kinds that the filter is about, and one that it leaves out.
KIND: Mapping[Command, str] = {"variants": "Print", "locations": "Kitchen"}
OTHER_KIND = "Print Supplies"
#: Why a pool may wait for a person.
SUSPECTED = "another program was suspected"
OUT_OF_SYNC = "it is out of sync"
HELD = "several rises are held"
WAITING = (SUSPECTED, OUT_OF_SYNC, HELD)
#: Units of the packs that are sold, in the order in which they come to market.
PACKS = (1, 6, 2, 1, 6)
PACK_OPTION = "Pack size"
GROUPINGS = ("by SKU", "in packs", "at each location", "across locations")


class Wrong(AssertionError):
    """The promise is broken.

    `lost`, `repeated`: units; `log`: the story of the world, once it is known.
    """

    def __init__(self, what: str, lost: int = 0, repeated: int = 0) -> None:
        super().__init__(what)
        self.lost, self.repeated = lost, repeated
        self.log: list[str] = []


@dataclass(frozen=True)
class Place:
    """A level: an item (by its SKU, or its id where others have the same) at a location.

    `size`: units of one piece.
    """

    sku: str
    location: str
    size: int = 1


@dataclass
class Stock:
    """One physical stock, as whoever stands in front of it would count it.

    `low`, `high`: what it holds. `places`: where it is for sale now. Since the last rest: places
    that have `risen`, the units `sold` and `raised` at each, `unseen` places, `imported` (an
    import's number, and what was sold of each place after it), `touched`. `judged_afresh`: why its
    number is the program's to choose.
    """

    product: Product
    places: list[Place]
    low: int
    high: int
    gone: bool = False
    away: bool = False
    #: Not adopted yet; and whether its places are others than at the last rest.
    new: bool = True
    other_places: bool = False
    judged_afresh: str | None = None
    half: dict[Place, int] = field(default_factory=dict)
    risen: set[Place] = field(default_factory=set)
    sold: Counter[Place] = field(default_factory=Counter)
    raised: Counter[Place] = field(default_factory=Counter)
    unseen: set[Place] = field(default_factory=set)
    imported: tuple[int, Counter[Place]] | None = None
    at_rest: int = 0
    mistaken: int = 0
    touched: bool = False
    #: Whether a level of its item left since the last rest.
    left_stock: bool = False
    quiet: Place | None = None
    #: Whether a lower number was ever typed in: a program that answers ours would do the same.
    typed_down: bool = False
    #: The SKU, where that is what makes it one stock; and whether it was spelled anew since.
    sku: str = ""
    respelled: bool = False
    #: Since the last rest: places whose SKU was changed to this stock's, and whence they came.
    came: dict[Place, Stock] = field(default_factory=dict)

    def shift(self, units: int) -> None:
        self.low += units
        self.high += units

    def touch(self) -> None:
        """Something happens; before it is adopted that is the program's to judge."""
        self.touched = True
        if self.new:
            self.judged_afresh = "it moved before it was adopted"


@dataclass(frozen=True)
class Ways:
    """How this world is set up."""

    command: Command = "variants"
    batch: int = 250
    page: int = 250
    scan: str = "complete"
    several_rises: str = "smallest"
    few_rises: int = 20
    index_lag: float = 0.0
    bulk: bool = False
    #: Seconds by which the shop's clock is ahead of the program's.
    skew: float = 0.0
    reserve: int = 0
    #: What is one stock, of `variants`: a product, or a SKU on several products; whether some of it
    #: is in packs; and where: at one location, at each of two, or across them.
    by_sku: bool = False
    packs: bool = False
    spread: Literal["one", "each", "across"] = "one"

    @property
    def keys(self) -> dict[str, Any]:
        """The keys of the configuration that say so."""
        keys: dict[str, Any] = {}
        if self.by_sku:
            keys = {"product_types": (), "skus": "all", "pool_by": "sku"}
        if self.packs:
            keys["pack_size"] = PackSettings(option=PACK_OPTION)
        if self.spread != "one":
            keys |= {"locations": ("Warehouse", "Till")}
            keys |= {"across_locations": self.spread == "across"}
        return keys

    @property
    def groupings(self) -> list[str]:
        """What a report calls them."""
        chosen = (self.by_sku, self.packs, self.spread == "each", self.spread == "across")
        return [name for name, is_so in zip(GROUPINGS, chosen, strict=True) if is_so]

    @property
    def spans(self) -> bool:
        """Whether an item has several levels in one stock."""
        return self.command == "locations" or self.spread == "across"


@dataclass
class Disturbance:
    """What happens to one run.

    Requests and steps are counted from 1; 0: never; -1: the first that adjusts.
    """

    faults: Sequence[Mapping[str, Any]] = ()
    seed: int = 0
    kill_request: tuple[int, Phase] = (0, "before")
    kill_step: tuple[int, When] = (0, "before")
    #: After the kill: None for a process that died, else for a machine, and whether new names had
    #: reached the disk.
    power_failure: bool | None = None
    full_from: int = 0
    stop_at: int = 0
    late_at: int = 0
    second_at: int = 0
    meanwhile: tuple[int, Phase, Callable[[], None]] | None = None
    stale_index: bool = False
    force: bool = False

    @property
    def disturbs(self) -> bool:
        return self != Disturbance(seed=self.seed, force=self.force)


@dataclass
class LivingShop:
    """The shop, what is true of it, and the program at work on it."""

    folder: Path
    ways: Ways = field(default_factory=Ways)
    log: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    stocks: list[Stock] = field(default_factory=list)
    world: SmallWorld = field(init=False)
    #: Location → SKUs that left it since the last rest.
    shop_left: dict[str, set[str]] = field(default_factory=dict)
    #: The products that the program may know since the last rest, by what they are called.
    known: set[str] = field(default_factory=set)
    #: Products that are paused; nothing but sales and restocks happens until that is over.
    paused: set[str] = field(default_factory=set)
    #: Stocks that listings came to since the last rest, of which no run was cut off and none told.
    untold: set[str] = field(default_factory=set)
    snapshot: str = ""
    snapshot_at: float = 0.0

    def __post_init__(self) -> None:
        time = Time()
        shop = Shop(now=lambda: time.time() + self.ways.skew)
        self.world = SmallWorld(self.folder, shop, time, self.ways.batch)
        self.world.configure(
            self.ways.command,
            scan=self.ways.scan,
            several_rises=self.ways.several_rises,
            reserve=self.ways.reserve,
            **self.ways.keys,
        )
        self.shop.settings.index_lag = self.ways.index_lag
        self._numbers = itertools.count(1)
        self.shop.add_location("Warehouse")
        if self.ways.command == "locations" or self.ways.spread != "one":
            self.shop.add_location("Till")
        self.snapshot = state.dumps(self.shop)

    @property
    def shop(self) -> Shop:
        return self.world.shop

    # -- what happens in the shop ------------------------------------------------------------------

    def open_stock(self, size: int, units: int) -> None:
        """A new product, with as many variants (or at as many locations) at that number each."""
        number = next(self._numbers)
        if self.ways.keys:
            self._open_group(number, size, units)
            return
        if self.ways.command == "variants":
            skus = [f"P{number}-{n}" for n in range(1, size + 1)]
            locations = ["Warehouse"]
        else:
            skus = [f"P{number}"]
            locations = [place.name for place in self._open_locations()[:size]]
        product = self.shop.add_product(
            f"Stock {number}",
            skus,
            product_type=KIND[self.ways.command],
            available=units,
            locations=locations,
        )
        places = [Place(sku, location) for sku in skus for location in locations]
        self.stocks.append(Stock(product, places, units, units))
        self.known.add(product.title)
        self._say(f"new stock {product.title}: {len(places)} places at {units}")

    def _open_group(self, number: int, size: int, units: int) -> None:
        """A new stock of listings: of one product, or of one SKU on a product each."""
        title, sku = f"Stock {number}", f"P{number}" if self.ways.by_sku else ""
        sizes = [PACKS[(number + n) % len(PACKS)] if self.ways.packs else 1 for n in range(size)]
        units = max(units // one * one for one in sizes)
        spots = ["Warehouse"] if self.ways.spread == "one" else ["Warehouse", "Till"]
        product: Product | None = None
        items: list[tuple[str, int]] = []
        for n, one in enumerate(sizes, 1):
            if product is None or self.ways.by_sku:
                product = self.shop.add_product(title, product_type=KIND["variants"])
            items.append((self._list(product, sku or f"P{number}-{n}", one, units, spots), one))
        assert product is not None
        for group in [spots] if self.ways.spread != "each" else [[spot] for spot in spots]:
            places = [Place(item, spot, one) for item, one in items for spot in group]
            self.stocks.append(Stock(product, places, units, units, sku=sku))
        self.known.add(title)
        self._say(f"new stock {title}: {sizes} at {spots}, {units} units")

    def _list(self, product: Product, sku: str, size: int, units: int, spots: Sequence[str]) -> str:
        """A new listing; by what its item is called."""
        options = {PACK_OPTION: f"{size}-pack"} if self.ways.packs else None
        shown = due(units, size)
        made = self.shop.add_variant(
            product, sku, options=options, available=shown, locations=spots
        )
        return made.item.gid if self.ways.by_sku else sku

    def sell(self, stock: Stock, place: Place, pieces: int) -> None:
        self.shop.sell(place.sku, pieces, place.location)
        self._say(f"{stock.product.title}: sold {pieces} of {self._name(place)}")
        units = pieces * place.size
        self.counts["units sold"] += units
        self._sold_after_it_came(stock, place, units)
        stock.touch()
        stock.sold[place] += units
        if place in stock.unseen:
            stock.low -= units  # nobody can know
        else:
            stock.shift(-units)
            self._after_import(stock, place, units)

    def _sold_after_it_came(self, stock: Stock, place: Place, units: int) -> None:
        """Until a run sees it, what it sells counts in both stocks; see also `sell`."""
        if (origin := stock.came.get(place)) is None:
            return
        origin.low -= units
        if not (
            origin.new or place in origin.unseen or origin.raised[place] or stock.raised[place]
        ):
            stock.high -= units

    def restock(self, stock: Stock, place: Place, pieces: int) -> None:
        self.shop.restock(place.sku, pieces, place.location)
        self._say(f"{stock.product.title}: restocked {pieces} of {self._name(place)}")
        units = pieces * place.size
        self.counts["units restocked"] += units
        self._rise(stock, place, units)

    def _rise(self, stock: Stock, place: Place, units: int) -> None:
        if (origin := stock.came.get(place)) is not None:
            origin.high += units  # it may hide what was sold before
        stock.touch()
        stock.raised[place] += units
        stock.high += units
        if not (place in stock.unseen or stock.left_stock):
            stock.low += units
        stock.risen.add(place)
        if len(stock.risen) > 1:
            stock.low = -MANY
        self._after_import(stock, place, -units)

    def _after_import(self, stock: Stock, place: Place, sold: int) -> None:
        """Sales between an import and the run that sees both: 49, 49 may be an import of 49."""
        if stock.imported is None:
            return
        number, since = stock.imported
        since[place] += sold
        nets = [number - since[one] - stock.at_rest for one in stock.places]
        seen = (
            stock.at_rest
            + sum(net for net in nets if net < 0)
            + min((net for net in nets if net > 0), default=0)
        )
        # Whenever a run looked, what it then took for more than there is stays.
        stock.mistaken = max(stock.mistaken, seen - (number - since.total()))
        stock.high = number - since.total() + stock.mistaken

    def import_all(self, stock: Stock, units: int) -> None:
        """Somebody uploads a file that says the same number for every place."""
        if self.ways.packs:
            self.recount(stock, {place: due(units, place.size) for place in stock.places})
            return
        before = [self._available(place) for place in stock.places]
        for place in stock.places:
            self.shop.set_available(place.sku, units, place.location)
        self._say(f"{stock.product.title}: import of {units} everywhere")
        self._imported(stock, units, before)

    def _imported(self, stock: Stock, units: int, before: Sequence[int]) -> None:
        if before and all(units == one for one in before):
            return
        falls = any(units < one for one in before)
        units += self._kept_back(stock)  # beyond what the listings show
        fresh = not stock.touched
        stock.touch()
        stock.risen.update(stock.places)
        stock.typed_down |= falls
        if not fresh or self.ways.several_rises == "sum":
            stock.low, stock.high, stock.imported = -MANY, MANY, None
            return
        stock.imported, stock.at_rest, stock.mistaken = (units, Counter()), stock.low, 0
        stock.low = stock.high = units
        if falls:
            stock.low = -MANY  # they are summed

    def begin_import(self, stock: Stock, units: int, parts: int) -> None:
        """The first places of an import that takes its time; `finish_imports` does the rest."""
        if (
            stock.gone
            or stock.touched
            or self.ways.several_rises == "sum"
            or self.ways.packs
            or len(stock.places) < 2
            or units < max(map(self._available, stock.places))
        ):
            return
        some = stock.places[: max(1, min(parts, len(stock.places) - 1))]
        for place in some:
            self.shop.set_available(place.sku, units, place.location)
        stock.half = dict.fromkeys(stock.places[len(some) :], units)
        stock.touch()
        stock.risen.update(stock.places)
        # Rises that the brake holds are let out one by one, as restocks are.
        number = units + self._kept_back(stock)
        stock.low, stock.high = -MANY, number if self.ways.few_rises >= 20 else MANY
        self._say(
            f"{stock.product.title}: import of {units} begins with "
            f"{', '.join(map(self._name, some))}"
        )

    def finish_imports(self, most: int = 99) -> None:
        """The next places of the imports that are half done."""
        for stock in self.stocks:
            for place in list(stock.half)[:most]:
                units = stock.half.pop(place)
                if place in stock.places:
                    self.shop.set_available(place.sku, units, place.location)
                    self._say(
                        f"{stock.product.title}: import goes on: {units} at {self._name(place)}"
                    )

    def recount(self, stock: Stock, numbers: Mapping[Place, int]) -> None:
        """Somebody types other numbers in, each for itself.

        A sale or a restock as far as anyone can tell.
        """
        if stock.imported is not None:
            stock.low, stock.high, stock.imported = (
                -MANY,
                MANY,
                None,
            )  # what the import was is not to be seen any more
        for place, units in numbers.items():
            delta = (units - self._available(place)) * place.size
            stock.typed_down |= delta < 0
            self.shop.set_available(place.sku, units, place.location)
            self._say(f"{stock.product.title}: {self._name(place)} set to {units}")
            if delta > 0:
                self._rise(stock, place, delta)
            elif delta:
                stock.touch()
                stock.sold[place] -= delta
                self._sold_after_it_came(stock, place, -delta)
                stock.low += delta
                stock.high += 0 if place in stock.unseen else delta

    def join(self, stock: Stock, units: int) -> None:
        """A new variant, or a location that begins to stock the item, with a number of its own."""
        if self.ways.keys:
            if not stock.places:
                return
            number = next(self._numbers)
            product, sku = stock.product, stock.sku or f"J{number}"
            if stock.sku:
                product = self.shop.add_product(product.title, product_type=KIND["variants"])
            size = PACKS[number % len(PACKS)] if self.ways.packs else 1
            spot = stock.places[number % len(stock.places)].location
            place = Place(self._list(product, sku, size, units, [spot]), spot, size)
        elif self.ways.command == "variants":
            sku = f"{stock.product.title.replace('Stock ', 'P')}-J{next(self._numbers)}"
            self.shop.add_variant(stock.product, sku, available=units, locations=["Warehouse"])
            place = Place(sku, "Warehouse")
        else:
            taken = {place.location for place in stock.places}
            free = [one.name for one in self._open_locations() if one.name not in taken]
            if not free or not stock.places:
                return
            place = Place(stock.places[0].sku, free[0])
            if place.sku in self.shop_left.get(place.location, ()):
                return  # a level that is there again, with another number, has moved
            level = self.shop.stock(place.sku, place.location, units)
            units = level.available
        stock.places.append(place)
        stock.unseen.add(place)
        stock.other_places = True
        stock.touch()
        self._say(f"{stock.product.title}: {self._name(place)} joins with {units}")

    def leave(self, stock: Stock, place: Place, how: int = 0) -> None:
        """A variant is deleted or no longer tracked, or a location stops stocking the item."""
        leaves = [place]
        whole = self.ways.command == "variants" and self.ways.spread == "one"
        if self.ways.spread == "across" and next(self._numbers) % 2:
            whole, leaves = True, [one for one in stock.places if one.sku == place.sku]
        if len(stock.places) <= len(leaves):
            return
        if whole and how % 2:
            self.shop.set_tracked(place.sku, False)
        elif whole and stock.sku:
            self.shop.delete_product(self.shop.item(place.sku).variants[0].product)
        elif whole:
            self.shop.delete_variant(place.sku)
        elif how % 2:
            self.shop.deactivate_level(place.sku, place.location)
        else:
            self.shop.unstock(place.sku, place.location)
        self._say(f"{stock.product.title}: {self._name(place)} leaves, {whole=}")
        for one in leaves:
            self._left(stock, one)

    def _left(self, stock: Stock, place: Place) -> None:
        stock.places.remove(place)
        self.shop_left.setdefault(place.location, set()).add(place.sku)
        stock.half.pop(place, None)
        stock.other_places = True
        stock.touch()
        # What moved there since the last run may have been seen, or not.
        stock.high += stock.sold.pop(place, 0)
        stock.low -= stock.raised.pop(place, 0)
        if (origin := stock.came.pop(place, None)) is not None:
            origin.high += origin.sold[place]
            self.untold.difference_update(self._pool_ids(stock))
        if self.ways.spans:
            # What rises now, or rose unseen, may be what Shopify moved there: told, not counted.
            stock.left_stock = True
            stock.low -= stock.raised.total()
        stock.unseen.discard(place)
        if stock.imported is not None:
            stock.high = MANY

    def close_location(self) -> None:
        """A location closes, and its levels vanish."""
        open_ones = [one for one in self._open_locations() if not one.primary]
        if self.ways.command == "variants" or len(open_ones) < 2:
            return
        place = open_ones[-1]
        there = [one for one in self.stocks if {at.location for at in one.places} == {place.name}]
        if not self._may_go(*there):
            return
        self.shop.close_location(place)
        self._say(f"{place.name} closes")
        for stock in self.stocks:
            for one in [one for one in stock.places if one.location == place.name]:
                if len(stock.places) == 1:
                    stock.judged_afresh = "its only location closed"
                self._left(stock, one)

    def open_location(self) -> None:
        """A location opens; an old one with what it held."""
        if self.ways.command == "variants":
            return
        closed = [one for one in self.shop.locations.values() if not one.active]
        if not closed and len(self.shop.locations) < 5:
            place = self.shop.add_location(f"Shop {next(self._numbers)}")
            self._say(f"{place.name} opens")
        elif closed:
            place = self.shop.open_location(closed[0])
            self._say(f"{place.name} opens again")
            for stock in self.stocks:
                sku = stock.product.variants[0].sku if stock.product.variants else ""
                level = stock.product.variants[0].item.levels.get(place.id) if sku else None
                if level is not None and level.active and not stock.gone:
                    stock.places.append(Place(sku, place.name))
                    stock.unseen.add(stock.places[-1])
                    stock.other_places = True
                    stock.touch()

    def retype(self, stock: Stock) -> None:
        """The product goes out of the filter, or comes back into it."""
        if stock is self.stocks[0] or not (stock.away or self._may_go(stock)):
            return
        if self.ways.by_sku or self.ways.spread == "each":
            return  # there is no such filter, or it has several stocks
        stock.away = not stock.away
        self.known.add(stock.product.title)
        stock.judged_afresh = "it was out of the filter"
        self.shop.retype(stock.product, OTHER_KIND if stock.away else KIND[self.ways.command])
        self._say(
            f"{stock.product.title}: {'leaves' if stock.away else 'comes back into'} the filter"
        )

    def delete(self, stock: Stock) -> None:
        """The product is deleted.

        The first one stays, since a shop where nothing matches is refused.
        """
        if stock is self.stocks[0] or not self._may_go(stock) or self.ways.spread == "each":
            return
        items = [self.shop.item(place.sku) for place in stock.places] if stock.sku else []
        products = {one.id: one for item in items for one in [item.variants[0].product]}
        for product in products.values() if stock.sku else [stock.product]:
            self.shop.delete_product(product)
        stock.gone = True
        stock.places.clear()
        self._say(f"{stock.product.title}: deleted")

    def change_sku(self, stock: Stock, place: Place, other: Stock) -> None:
        """A listing of one SKU gets that of another stock, wherever it is stocked."""
        moves: list[tuple[Stock, Place, Stock]] = []
        for origin in [one for one in self.stocks if one.sku == stock.sku and not one.gone]:
            for here in [one for one in origin.places if one.sku == place.sku]:
                spots = {here.location} if self.ways.spread == "each" else set()
                moves += [
                    (origin, here, one)
                    for one in self.stocks
                    if one.sku == other.sku and spots <= {there.location for there in one.places}
                ]
        concerned = [one for origin, _, target in moves for one in (origin, target)]
        stays = all(any(here.sku != place.sku for here in one.places) for one, _, _ in moves)
        levels = self.shop.item(place.sku).levels.values()
        if (
            not stock.sku
            or stock.sku == other.sku
            or not stays
            or not other.places
            or len(moves) != sum(level.active for level in levels)
            or any(one.half or one.imported or one.respelled for one in concerned)
            or any(here in origin.unseen for origin, here, _ in moves)
        ):
            return
        self.shop.set_sku(self.shop.item(place.sku).variants[0], other.sku)
        self._say(f"{self._name(place)} of {stock.sku} gets the SKU {other.sku}")
        self.counts["SKUs changed"] += 1
        for origin, here, target in moves:
            origin.touch()
            target.touch()
            origin.other_places = target.other_places = True
            origin.places.remove(here)
            target.places.append(here)
            target.unseen.add(here)
            target.came[here] = origin
            # What it sold counts in both, unless an earlier run saw it; what it rose by, in none.
            origin.low -= origin.raised[here]
            target.low -= origin.sold[here]
            if not (origin.new or target.new):
                self.untold.update(self._pool_ids(target))

    def respell(self, stock: Stock) -> None:
        """All listings of a SKU get a new one."""
        all_of_it = [one for one in self.stocks if one.sku == stock.sku]
        if not stock.sku or any(one.other_places or one.gone for one in all_of_it):
            return
        if not self._may_go(*all_of_it):
            return  # by their ids they are others
        sku = f"{stock.sku}N"
        for item in {place.sku for one in all_of_it for place in one.places}:
            self.shop.set_sku(self.shop.item(item).variants[0], sku)
        self._say(f"{stock.sku} is spelled {sku} from now on")
        self.counts["SKUs spelled anew"] += 1
        for one in all_of_it:
            one.sku, one.respelled = sku, True

    def _may_go(self, *going: Stock) -> bool:
        """Whether half of what is known is left then: from less, nothing is concluded."""
        left = {
            one.product.title
            for one in self.stocks
            if one.places and not (one.gone or one.away or one.respelled) and one not in going
        }
        return 2 * len(left) >= len(self.known)

    def pass_time(self, minutes: float) -> None:
        """Time goes by. What is too old to replay is the program's to judge afresh."""
        self.world.time.pass_by(minutes=minutes)
        self._say(f"{minutes:.0f} minutes pass")
        journal = self.world.files(self.ways.command).journal
        if minutes >= 60 and journal.exists():
            for pool_id in _open_pools(journal.read_bytes()):
                for stock in self.stocks:
                    if pool_id in self._pool_ids(stock):
                        stock.judged_afresh = "its batch was too old to replay"

    def take_snapshot(self) -> None:
        """What the search index may still show later."""
        self.snapshot, self.snapshot_at = state.dumps(self.shop), self.world.time.passed

    # -- the program -------------------------------------------------------------------------------

    def run(self, how: Disturbance | None = None) -> Ended:
        """One run, disturbed as told."""
        how = how or Disturbance()
        disk = Disk(
            self.world.folder, at=how.kill_step[0], when=how.kill_step[1], full_from=how.full_from
        )
        met = Counter[str]()
        adjusts: list[int] = []

        def is_at(number: int, request: Request) -> bool:
            return request.number == number or (number == -1 and adjusts[:1] == [request.number])

        def hook(request: Request, phase: Phase) -> None:
            if phase == "before" and request.operation == "Adjust":
                adjusts.append(request.number)
            if is_at(how.late_at, request) and phase == "after":
                self.world.time.pass_by(minutes=10)
                met["out of time"] += 1
            if is_at(how.second_at, request) and phase == "before":
                second = self._start()
                if second.killed:  # on its own step of the disk; a process dies as a whole
                    raise Killed
                if second.exit_code != 75:
                    raise Wrong(f"a second run at once ended with {second.exit_code}")
                met["second runs"] += 1
            if how.meanwhile and is_at(how.meanwhile[0], request) and how.meanwhile[1] == phase:
                how.meanwhile[2]()
                met["in the middle of a run"] += 1
            if is_at(how.kill_request[0], request) and how.kill_request[1] == phase:
                disk.kill()

        rules = read_rules([dict(rule) for rule in how.faults])
        faults = Faults(rules.rules, how.seed)
        shown = None
        # Later than the overlap of two feeds, an index is of no use to them.
        if how.stale_index and (
            self.ways.scan == "complete" or self.world.time.passed - self.snapshot_at < 500
        ):
            shown = state.loads(self.snapshot, now=self.shop.now)
            met["stale indexes"] += 1
        try:
            ended = self._start(
                disk=disk,
                hook=hook,
                faults=faults,
                stop_at=how.stop_at,
                shown=shown,
                force=how.force,
            )
        except Wrong:
            raise
        except Exception as error:
            raise Wrong(f"a traceback: {error!r}") from error
        self._listen(ended)
        if ended.killed:
            met["kills"] += 1
            if how.power_failure is not None:
                disk.lose_power(names_survive=how.power_failure)
                met["power failures"] += 1
        met["faults"] += sum(count.done for count in faults._counts)
        met["runs stopped by a signal"] += ended.exit_code == 143
        met["runs that failed"] += ended.exit_code == 1
        met["full disks"] += "No space left" in ended.message
        self.counts.update(met)
        self.counts["runs"] += 1
        self._say(
            f"run: {'killed' if ended.killed else ended.exit_code} {ended.message}; {_told(how)}; "
            f"{dict(+met)}"
        )
        if ended.exit_code not in (0, 1, 3, 143, None):
            raise Wrong(f"exit {ended.exit_code}: {ended.message}")
        return ended

    def _start(self, **rest: Any) -> Ended:
        with (
            mock.patch.object(levels, "PAGE", self.ways.page),
            mock.patch.object(levels, "VARIANTS_BESIDE", min(30, self.ways.page)),
            mock.patch.object(settle, "FEW_RISES", self.ways.few_rises),
            mock.patch.object(find, "DEAR_POINTS", 0 if self.ways.bulk else 600),
            mock.patch.object(find, "CHEAP_POINTS", 0 if self.ways.scan == "auto" else 150),
        ):
            return self.world.run(self.ways.command, **rest)

    def rest(self) -> None:
        """Nothing more happens, and nothing disturbs: then everything has to be as it truly is."""
        self.finish_imports()
        self.resume_all()
        self._come_to_rest()
        if self.ways.scan != "complete":
            # A feed shows what moved; which levels there are is certain only after a complete scan.
            pools = self._cached()
            for stock in self.stocks:
                if not (stock.other_places or stock.gone or stock.away):
                    self._check(stock, pools)
            self.world.time.pass_by(hours=7)
            self._come_to_rest()
        pools = self._cached()
        for stock in self.stocks:
            self._check(stock, pools)
        if self.untold:
            raise Wrong(f"{self.untold}: listings came, and nobody was told")
        self._set_straight()
        self._begin_period()

    def _cached(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.world.files(self.ways.command).cache.read_bytes())[
            "pools"
        ]
        return found

    def begin(self) -> None:
        """The first look at the shop."""
        self._come_to_rest()
        self._begin_period()

    def _come_to_rest(self, **options: Any) -> None:
        for attempt in range(20):
            self.world.time.pass_by(minutes=15)
            ended = self._start(**options)
            self.counts["runs"] += 1
            self._listen(ended)
            self._say(f"run at rest: {ended.exit_code} {ended.message} {options or ''}")
            if ended.exit_code not in (0, 3):
                raise Wrong(f"stuck: exit {ended.exit_code}: {ended.message}")
            if not ended.sent and attempt:
                break
        else:
            raise Wrong("no end of adjusting")
        if self.ways.few_rises < 20 and not options:
            self._come_to_rest(force=True)  # lets out what the brake held

    def _listen(self, ended: Ended) -> None:
        """What was told of listings that changed their SKU; a run cut off may tell nobody."""
        if ended.exit_code not in (0, 3):
            self.untold.clear()
        elif ended.outcome is not None:
            told = {one.pool for one in ended.outcome.warnings if one.kind == "changed_pool"}
            self.untold -= {pool for pool in told if pool is not None}

    def _check(self, stock: Stock, pools: Mapping[str, Any]) -> None:
        ids = self._pool_ids(stock)
        entries = [pools[one] for one in ids if one in pools]
        title = stock.product.title
        if stock.gone or stock.away:
            if entries:
                raise Wrong(
                    f"{title}: still in the cache, though it "
                    f"{'is gone' if stock.gone else 'left the filter'}"
                )
            return
        if not stock.places:
            return
        if len(entries) != 1:
            raise Wrong(f"{title}: {len(entries)} pools in the cache")
        entry = entries[0]
        if self._waits(stock, entry):
            return
        reads = {self._name(place): self._available(place) for place in stock.places}
        units = entry["quantity"]
        kept = entry.get("reserve", 0)
        shown = {self._key(place): due(units, place.size, kept) for place in stock.places}
        if [*reads.values()] != [*shown.values()] or _remembered(entry) != shown:
            raise Wrong(f"{title}: at rest, but reads {reads} and is remembered as {entry}")
        if len(reads) > 1 and kept != self.ways.reserve:
            raise Wrong(f"{title}: keeps {kept} back, not {self.ways.reserve}")
        if stock.judged_afresh:
            self.counts["judged afresh"] += 1
            stock.judged_afresh = None
        elif units < stock.low and (entry.get("problem") or {}).get("kind") == "overwritten":
            self.counts["overwritten"] += 1  # a rise that undid ours twice running: not counted
        elif not stock.low <= units <= stock.high:
            truth = f"{stock.low}" if stock.low == stock.high else f"{stock.low} to {stock.high}"
            raise Wrong(
                f"{title}: reads {units}, but there are {truth}",
                lost=max(0, units - stock.high),
                repeated=max(0, stock.low - units),
            )
        else:
            self.counts["checked"] += 1
            self.counts["checked exactly"] += stock.low == stock.high
        stock.low = stock.high = units

    def _waits(self, stock: Stock, entry: Mapping[str, Any]) -> bool:
        """Whether the pool rightly waits for a person: then it is set straight afterwards."""
        why = None
        if entry.get("left_alone"):
            why = SUSPECTED
            allowed = stock.typed_down or stock.judged_afresh
        elif entry["quantity"] is None:
            why = OUT_OF_SYNC
            allowed = stock.judged_afresh
        elif entry.get("held"):
            why = HELD
            allowed = self.ways.several_rises == "hold" and len(stock.risen) > 1
        if why is None:
            return False
        if not allowed:
            raise Wrong(f"{stock.product.title}: {why}, for no reason: {entry}")
        if not entry.get("problem"):
            raise Wrong(f"{stock.product.title}: {why}, and nobody is told: {entry}")
        self.counts[why] += 1
        stock.judged_afresh = why
        return True

    def _set_straight(self) -> None:
        """A person does what the report asks for: one number everywhere, which raises some."""
        waiting = [
            stock for stock in self.stocks if stock.judged_afresh and not (stock.gone or stock.away)
        ]
        waiting = [stock for stock in waiting if stock.places]
        if not waiting:
            return
        typed: dict[str, int] = {}
        for stock in waiting:
            most = max(40, *(self._available(place) * place.size for place in stock.places))
            units = most + next(self._numbers) % 7 + 1
            if self.ways.packs:
                units += 12 - most % 6
            (pool,) = self._pool_ids(stock)
            typed[pool] = units
            for place in stock.places:
                self.shop.set_available(place.sku, due(units, place.size), place.location)
            self._say(f"{stock.product.title}: a person sets it to {units}")
        self._come_to_rest(init=True)
        self._come_to_rest()
        pools = self._cached()
        for stock in waiting:
            (entry,) = [pools[one] for one in self._pool_ids(stock) if one in pools]
            units, kept = entry["quantity"], entry.get("reserve", 0)
            reads = {self._key(place): self._available(place) for place in stock.places}
            shown = {self._key(place): due(units, place.size, kept) for place in stock.places}
            wanted = typed[self._pool_ids(stock)[0]]
            taken = all(due(units, one.size) == due(wanted, one.size) for one in stock.places)
            if not (taken and reads == _remembered(entry) == shown) or entry.get("held"):
                raise Wrong(f"{stock.product.title}: can't be set straight: {entry}")
            stock.low = stock.high = units
            stock.judged_afresh = None

    def _begin_period(self) -> None:
        self.shop_left.clear()
        self.untold.clear()
        self.known = {
            stock.product.title for stock in self.stocks if not (stock.gone or stock.away)
        }
        for stock in self.stocks:
            stock.risen.clear()
            stock.sold.clear()
            stock.raised.clear()
            stock.unseen.clear()
            stock.came.clear()
            stock.imported = None
            stock.respelled = False
            stock.touched = stock.other_places = stock.new = stock.left_stock = False
        self._say("at rest")

    # -- a pause

    def pause(self, stock: Stock) -> bool:
        """A person pauses a pool; whether it is known, so that this can be done."""
        pools = [one for one in self._pool_ids(stock) if one in self._cached()]
        if stock.new or stock.gone or stock.away or not pools or stock.half:
            return False
        if stock.came:
            return False  # a paused stock takes nothing in, and what comes is followed by none
        self._command("pause", partial(pause, _QUIET, self.world.settings, pools, length=None))
        self.paused.add(stock.product.title)
        self._say(f"{stock.product.title}: paused")
        self.counts["pauses"] += 1
        return True

    def resume_all(self) -> None:
        """A person ends all pauses."""
        self._command("resume", partial(resume, _QUIET, self.world.settings, (), as_set=False))
        self.paused.clear()
        self._say("all is resumed")

    def import_while_paused(
        self, stock: Stock, units: int, kill_step: tuple[int, When], sold: int
    ) -> None:
        """Paused, sold of, written on everywhere, and said to be right as it stands."""
        journal = self.world.files(self.ways.command).journal
        if journal.exists() or stock.touched or len(stock.places) < 2 or not self.pause(stock):
            return
        self.shop.sell(stock.places[0].sku, sold, stock.places[0].location)
        for place in stock.places:
            self.shop.set_available(place.sku, due(units, place.size), place.location)
        self._say(f"{stock.product.title}: import of {units} everywhere, while it is paused")
        pools = self._pool_ids(stock)
        say = partial(resume, _QUIET, self.world.settings, pools, as_set=True)
        at, when = kill_step
        died = self._command("resume", say, Disk(self.world.folder, at=at, when=when))
        if died:
            self.counts["kills"] += 1
            paused = json.loads((self.world.folder / "paused.json").read_bytes())["pools"]
            if paused.keys() & {*pools}:
                self._command("resume", say)
        self.paused.discard(stock.product.title)
        self._say(f"{stock.product.title}: taken as it stands{', said twice' if died else ''}")
        self.counts["imports said to be right"] += 1
        stock.touched, stock.low, stock.high = True, *_fitting(stock, units)
        stock.risen.add(stock.places[0])
        stock.risen.add(stock.places[1])
        stock.typed_down = True

    def _command(self, what: str, say: Callable[[], int], disk: Disk | None = None) -> bool:
        """What a person says on the command line; whether the process died of it."""
        self.world.runs += 1
        try:
            with self.world._doors(lambda request, phase: None, ()), disk or Disk(self.folder):
                code = say()
        except Killed:
            return True
        if code != 0:
            raise Wrong(f"{what}: exit {code}")
        return False

    def _kept_back(self, stock: Stock) -> int:
        """The units beyond what the listings show, as the program left them."""
        entries = [entry for one, entry in self._cached().items() if one in self._pool_ids(stock)]
        return sum(entry.get("reserve", 0) for entry in entries)

    # -- within ------------------------------------------------------------------------------------

    def _say(self, what: str) -> None:
        self.log.append(f"{self.world.time.passed / 60:7.1f} min  {what}")

    def _open_locations(self) -> list[Location]:
        return [one for one in self.shop.locations.values() if one.active]

    def _available(self, place: Place) -> int:
        return self.shop.available(place.sku, place.location)

    def _name(self, place: Place) -> str:
        if self.ways.keys:
            size = f" ({place.size}-pack)" if self.ways.packs else ""
            return f"{place.sku.rpartition('/')[2]}{size} at {place.location}"
        return place.sku if self.ways.command == "variants" else place.location

    def _pool_ids(self, stock: Stock) -> list[str]:
        if self.ways.command == "variants":
            key = f"sku:{stock.sku}" if stock.sku else stock.product.gid
            if self.ways.spread == "each" and stock.places:
                key += f"@{self.shop.location(stock.places[0].location).gid}"
            return [key]
        return [variant.item.gid for variant in stock.product.variants]

    def _key(self, place: Place) -> str:
        """How the cache names a level."""
        at = self.shop.location(place.location).gid
        if self.ways.command == "locations":
            return at
        item = self.shop.item(place.sku).gid
        return f"{item}@{at}" if self.ways.spread == "across" else item


def _remembered(entry: Mapping[str, Any]) -> dict[str, int]:
    """What the levels of an entry of the cache last read."""
    return {key: available for key, (available, *_witnesses) in entry["levels"].items()}


def _fitting(stock: Stock, units: int) -> tuple[int, int]:
    """The fewest and the most units of which its listings show as much as of these."""
    fewest = [(due(units, place.size) * place.size, place.size) for place in stock.places]
    return max(low for low, _ in fewest), min(low + size - 1 for low, size in fewest)


def _open_pools(journal: bytes) -> Iterator[str]:
    """The pools of the batches of whose outcome a journal tells nothing."""
    lines = []
    for text in journal.split(b"\n"):
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    over = {line["outcome"] for line in lines if "outcome" in line}
    for line in lines:
        if "batch" in line and line["batch"] not in over:
            yield from line["pools"]


def _told(how: Disturbance) -> str:
    quiet = Disturbance()
    parts = {name: getattr(how, name) for name in how.__dataclass_fields__ if name != "meanwhile"}
    return (
        ", ".join(
            f"{name} {value}" for name, value in parts.items() if value != getattr(quiet, name)
        )
        or "quiet"
    )


# -- chance ----------------------------------------------------------------------------------------


def random_ways(dice: random.Random) -> Ways:
    """How a world may be set up."""
    groups: dict[str, Any] = {}
    command: Command = dice.choice(["variants", "locations"])
    if command == "variants" and dice.random() < 0.6:
        groups = {
            "by_sku": dice.random() < 0.6,
            "packs": dice.random() < 0.4,
            "spread": dice.choice(["one", "each", "across"]),
        }
    return Ways(
        **groups,
        command=command,
        batch=dice.choice([1, 2, 3, 5, 250, 250]),
        page=dice.choice([250, 250, 3, 2]),
        scan=dice.choice(["complete", "changes", "changes", "auto"]),
        several_rises=dice.choice(["smallest"] * 4 + ["sum", "hold"]),
        few_rises=dice.choice([20, 20, 1]),
        index_lag=dice.choice([0.0, 0.0, 120.0]),
        bulk=dice.random() < 0.15,
        skew=dice.choice([0.0, 0.0, -7_200.0, 900.0]),
        reserve=dice.choice([0, 0, 1, 3]),
    )


def random_event(shop: LivingShop, dice: random.Random, *, rare: float = 0.12) -> None:
    """Something happens in the shop; mostly a sale or a restock."""
    stocks = [stock for stock in shop.stocks if stock.places and not stock.half]
    if not stocks:
        shop.open_stock(dice.randint(1, 4), dice.randint(20, 40))
        return
    stock = dice.choice(stocks)
    place = dice.choice(stock.places)
    if shop.ways.by_sku and dice.random() < 0.1 and not shop.paused:
        shop.change_sku(stock, place, dice.choice(stocks))
        return
    if dice.random() < rare and not shop.paused:
        happening = dice.choice(
            [
                lambda: shop.import_all(stock, dice.randint(20, 60)),
                lambda: shop.begin_import(stock, dice.randint(30, 60), dice.randint(1, 3)),
                shop.finish_imports,
                lambda: shop.recount(stock, {one: dice.randint(20, 40) for one in stock.places}),
                lambda: shop.join(stock, dice.choice([0, 0, 7, 30])),
                lambda: shop.leave(stock, place, dice.randint(0, 1)),
                shop.close_location,
                shop.open_location,
                partial(shop.retype, stock),
                lambda: shop.open_stock(dice.randint(1, 4), dice.randint(20, 40)),
                partial(shop.delete, stock),
                partial(shop.respell, stock),
                lambda: [shop.restock(stock, one, dice.randint(1, 3)) for one in stock.places[:2]],
                shop.take_snapshot,
                partial(shop.pause, stock),
                lambda: shop.import_while_paused(
                    stock,
                    dice.randint(20, 60),
                    (dice.choice([0, 0, dice.randint(1, 60)]), dice.choice(["before", "after"])),
                    dice.randint(1, 3),
                ),
            ]
        )
        happening()
        return
    if dice.random() < 0.7:
        if stock.quiet not in stock.places:
            stock.quiet = dice.choice(stock.places) if dice.random() < 0.8 else None
        if place != stock.quiet or len(stock.places) == 1:
            shop.sell(stock, place, dice.randint(1, 3))
    else:
        # Mostly where it rose before: two risen levels are ambiguous, and tell less.
        risen = [one for one in stock.places if one in stock.risen]
        again = dice.choice(risen) if risen and dice.random() < 0.9 else place
        shop.restock(stock, again, dice.randint(1, 9))


def random_meanwhile(shop: LivingShop, dice: random.Random) -> None:
    """Something happens while the program is at work, perhaps between reading and writing."""
    if any(stock.half for stock in shop.stocks) and dice.random() < 0.8:
        shop.finish_imports(most=dice.choice([1, 99]))
    else:
        random_event(shop, dice, rare=0.1)


BUSY = ["SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED", "IDEMPOTENCY_CONCURRENT_REQUEST"]
REFUSALS = [
    "NON_MUTABLE_INVENTORY_ITEM",
    "INVALID_INVENTORY_ITEM",
    "INVALID_QUANTITY_TOO_HIGH",
    "SOMETHING_NEW",
]


def random_fault(shop: LivingShop, dice: random.Random) -> dict[str, Any]:
    """One rule for the sandbox."""
    kind = dice.choice(
        [
            "cut_before",
            "cut_after",
            "cut_after",
            "status",
            "status",
            "garbage",
            "html",
            "truncated",
            "throttled",
        ]
        + [
            "internal_error",
            "timeout",
            "user_error",
            "refuse",
            "refuse",
            "error_beside_data",
            "latency",
        ]
        + (["bulk_ends", "bulk_busy", "bulk_no_url", "bulk_url_expired"] if shop.ways.bulk else [])
    )
    rule: dict[str, Any] = {"fault": kind}
    if kind == "status":
        rule["code"] = dice.choice([429, 500, 502, 503, 504, 403])
        # What is refused is not carried out; nobody knows what a failing server did.
        rule["applied"] = dice.random() < 0.5 and rule["code"] >= 500
        if rule["code"] == 429:
            rule |= {
                "applied": False,
                "retry_after": dice.choice([0.0, 2.0, 7.0]),
                "as_date": dice.random() < 0.3,
            }
    elif kind in ("garbage", "html", "internal_error", "timeout"):
        rule["applied"] = dice.random() < 0.5
    elif kind == "truncated":
        rule |= {"silent": dice.random() < 0.5}
    elif kind == "user_error":
        # Others would be a lie where the same call was applied before.
        rule |= {"code": dice.choice(BUSY), "applied": dice.random() < 0.5}
        # One that is refused has changed nothing; one that is still at work may have.
        rule["applied"] &= rule["code"] == "IDEMPOTENCY_CONCURRENT_REQUEST"
    elif kind == "refuse":
        skus = [place.sku for stock in shop.stocks for place in stock.places] or ["nothing"]
        rule |= {
            "items": dice.sample(skus, min(len(skus), dice.choice([1, 1, 2]))),
            "code": dice.choice(REFUSALS),
            "named": dice.random() < 0.6,
        }
    elif kind == "bulk_ends":
        rule |= {
            "ends": dice.choice(["FAILED", "CANCELED", "EXPIRED"]),
            "partial": dice.random() < 0.5,
        }
    elif kind in ("latency", "bulk_busy"):
        rule["seconds"] = dice.choice([1.0, 20.0, 90.0])
    if dice.random() < 0.6 and not kind.startswith("bulk"):
        rule["operation"] = "Adjust"
    if kind != "refuse" or dice.random() < 0.3:
        rule |= dice.choice(
            [
                {"nth": dice.randint(1, 4)},
                {"probability": 0.4},
                {"times": dice.choice([1, 2, 7, 30])},
            ]
        )
    return rule


def random_disturbance(shop: LivingShop, dice: random.Random) -> Disturbance:
    """What may happen to a run: one thing, or two of them."""
    how = Disturbance(seed=dice.randint(0, 10**6), force=dice.random() < 0.05)
    for _ in range(dice.choice([1, 1, 1, 2])):
        number, phase = dice.choice([-1, -1, -1, *range(1, 10)]), dice.choice(["before", "after"])
        match dice.choice(
            ["request", "step", "fault", "fault", "fault", "other", "meanwhile", "meanwhile"]
        ):
            case "request":
                how.kill_request = (number, phase)
            case "step":
                how.kill_step = (dice.randint(1, 60), dice.choice(["before", "torn", "after"]))
            case "fault":
                how.faults = [*how.faults, random_fault(shop, dice)]
            case "meanwhile":
                events = random.Random(dice.random())
                how.meanwhile = (number, phase, partial(random_meanwhile, shop, events))
            case _:
                match dice.choice(["full", "stop", "late", "second", "stale", "stale"]):
                    case "full":
                        how.full_from = dice.randint(1, 50)
                    case "stop":
                        how.stop_at = dice.randint(1, 9)
                    case "late":
                        how.late_at = number
                    case "second":
                        how.second_at = number
                    case "stale":
                        how.stale_index = True
    if dice.random() < 0.3:
        how.power_failure = dice.random() < 0.5
    return how


def random_period(shop: LivingShop, dice: random.Random) -> None:
    """Some hours in the life of the shop, and of the program."""
    if dice.random() < 0.6:
        shop.take_snapshot()
    for _ in range(dice.randint(1, 4)):
        for _ in range(dice.randint(0, 5)):
            random_event(shop, dice)
        if dice.random() < 0.1 and not shop.paused:
            shop.begin_import(dice.choice(shop.stocks), dice.randint(40, 60), dice.randint(1, 3))
        shop.pass_time(
            dice.choice([1, 5, 10, 10, 30, 400])
            if dice.random() < 0.97
            else dice.choice([1180, 1220, 1500])
        )
        shop.run(random_disturbance(shop, dice) if dice.random() < 0.8 else None)
        if dice.random() < 0.3:
            shop.finish_imports(most=1)
    shop.rest()


def play(folder: Path, seed: str, periods: int = 3, *, grouped: bool = False) -> LivingShop:
    """A whole world from a seed; raises `Wrong`, which tells the world's story.

    `grouped`: one whose stocks are no plain products, nor single variants.
    """
    dice = random.Random(seed)
    ways = random_ways(dice)
    while grouped and not ways.keys:
        ways = random_ways(dice)
    shop = LivingShop(folder, ways)
    try:
        shop.log.append(str(shop.ways))
        for _ in range(dice.randint(1, 4)):
            shop.open_stock(dice.randint(1, 5), dice.randint(20, 40))
        shop.begin()
        for _ in range(periods):
            random_period(shop, dice)
    except Wrong as wrong:
        wrong.log = shop.log
        raise
    shop.counts["stocks"] += len(shop.stocks)
    shop.counts.update(shop.ways.groupings)
    return shop
