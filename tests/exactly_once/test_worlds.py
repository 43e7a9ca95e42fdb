"""Random worlds: whatever happens and goes wrong, at rest every pool reads what is there.

Short here; `python -m tests.bench.worlds --worlds 10000` plays more of them, by dice.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import living_shop
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from living_shop import Disturbance, LivingShop, Place, Stock, Ways
from small_world import MEMORY

#: Indexes are taken modulo what there is.
some = st.integers(0, 7)
few = st.integers(1, 5)
dice = st.integers(0, 2**32).map(random.Random)
plainly = partial(
    st.builds,
    Ways,
    batch=st.sampled_from([250, 3, 2, 1]),
    page=st.sampled_from([250, 3, 2]),
    scan=st.sampled_from(["complete", "changes", "auto"]),
    several_rises=st.sampled_from(["smallest", "smallest", "sum", "hold"]),
    few_rises=st.sampled_from([20, 1]),
    index_lag=st.sampled_from([0.0, 120.0]),
    bulk=st.booleans(),
    skew=st.sampled_from([0.0, 900.0, -7_200.0]),
)
ways = plainly(command=st.sampled_from(["variants", "locations"])) | plainly(
    by_sku=st.booleans(),
    packs=st.booleans(),
    spread=st.sampled_from(["one", "each", "across"]),
)
#: The first request that adjusts, or one by its number.
request = st.sampled_from([-1, *range(1, 9)])
phase = st.sampled_from(["before", "after"])
step = st.sampled_from(["before", "torn", "after"])


class AShopAndItsProgram(RuleBasedStateMachine):
    """The rules are what happens; what has to be so is looked at whenever all comes to rest."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="world-", dir=MEMORY))
        self.broken = False

    @initialize(ways=ways, sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
    def begin(self, ways: Ways, sizes: list[int]) -> None:
        self.shop = LivingShop(self.folder / "state", ways)
        for size in sizes:
            self.shop.open_stock(size, 30)
        self.shop.begin()

    def watched(self, do: Callable[[], object]) -> None:
        try:
            do()
        except BaseException:
            self.broken = True
            raise

    def at(self, stock: int, place: int) -> tuple[Stock, Place] | None:
        """A place that sells, if there is any."""
        open_ones = [one for one in self.shop.stocks if one.places and not one.half]
        if not open_ones:
            return None
        chosen = open_ones[stock % len(open_ones)]
        return chosen, chosen.places[place % len(chosen.places)]

    # -- the shop ----------------------------------------------------------------------------------

    @rule(stock=some, place=some, units=few)
    def sell(self, stock: int, place: int, units: int) -> None:
        if found := self.at(stock, place):
            self.shop.sell(*found, units)

    @rule(stock=some, place=some, units=few)
    def restock(self, stock: int, place: int, units: int) -> None:
        if found := self.at(stock, place):
            self.shop.restock(*found, units)

    @rule(stock=some, units=st.integers(20, 60))
    def import_everywhere(self, stock: int, units: int) -> None:
        if found := self.at(stock, 0):
            self.shop.import_all(found[0], units)

    @rule(stock=some, units=st.integers(45, 60), parts=few)
    def begin_import(self, stock: int, units: int, parts: int) -> None:
        if found := self.at(stock, 0):
            self.shop.begin_import(found[0], units, parts)

    @precondition(lambda self: any(stock.half for stock in self.shop.stocks))
    @rule(most=few)
    def go_on_with_imports(self, most: int) -> None:
        self.shop.finish_imports(most)

    @rule(stock=some, numbers=st.lists(st.integers(20, 40), min_size=1, max_size=4))
    def type_numbers_in(self, stock: int, numbers: list[int]) -> None:
        if found := self.at(stock, 0):
            self.shop.recount(found[0], dict(zip(found[0].places, numbers, strict=False)))

    @rule(stock=some, units=st.sampled_from([0, 7, 30]))
    def join(self, stock: int, units: int) -> None:
        if found := self.at(stock, 0):
            self.shop.join(found[0], units)

    @rule(stock=some, place=some, how=st.integers(0, 1))
    def leave(self, stock: int, place: int, how: int) -> None:
        if found := self.at(stock, place):
            self.shop.leave(*found, how)

    @rule(stock=some, place=some, other=some)
    def change_a_sku(self, stock: int, place: int, other: int) -> None:
        if (found := self.at(stock, place)) and (target := self.at(other, 0)):
            self.shop.change_sku(*found, target[0])

    @rule(stock=some, change=st.sampled_from(["retype", "delete", "respell"]))
    def leave_the_filter(self, stock: int, change: str) -> None:
        if found := self.at(stock, 0):
            getattr(self.shop, change)(found[0])

    @rule(change=st.sampled_from(["open_location", "close_location", "take_snapshot"]))
    def change_the_shop(self, change: str) -> None:
        getattr(self.shop, change)()

    @rule(size=st.integers(1, 4), units=st.integers(20, 40))
    def open_stock(self, size: int, units: int) -> None:
        self.shop.open_stock(size, units)

    @rule(minutes=st.sampled_from([1, 10, 30, 400, 1220]))
    def pass_time(self, minutes: int) -> None:
        self.shop.pass_time(minutes)

    # -- the program -------------------------------------------------------------------------------

    def run(self, how: Disturbance) -> None:
        self.watched(partial(self.shop.run, how))

    @rule()
    def run_undisturbed(self) -> None:
        self.run(Disturbance())

    @rule(number=request, phase=phase, power=st.sampled_from([None, False, True]))
    def kill_at_a_request(self, number: int, phase: living_shop.Phase, power: bool | None) -> None:
        self.run(Disturbance(kill_request=(number, phase), power_failure=power))

    @rule(
        number=st.integers(1, 60),
        when=st.sampled_from(["before", "torn", "after"]),
        power=st.sampled_from([None, True]),
    )
    def kill_at_a_write(self, number: int, when: living_shop.When, power: bool | None) -> None:
        self.run(Disturbance(kill_step=(number, when), power_failure=power))

    @rule(dice=dice, times=st.integers(1, 3))
    def run_into_faults(self, dice: random.Random, times: int) -> None:
        faults = [living_shop.random_fault(self.shop, dice) for _ in range(times)]
        self.run(Disturbance(faults=faults, seed=dice.randint(0, 99)))

    @rule(number=request, phase=phase, dice=dice)
    def run_while_something_happens(
        self, number: int, phase: living_shop.Phase, dice: random.Random
    ) -> None:
        meanwhile = partial(living_shop.random_meanwhile, self.shop, dice)
        self.run(Disturbance(meanwhile=(number, phase, meanwhile)))

    @rule(
        number=st.integers(1, 9),
        what=st.sampled_from(["stop_at", "late_at", "second_at", "full_from"]),
    )
    def run_and_be_stopped(self, number: int, what: str) -> None:
        self.run(Disturbance(**{what: number * 4 if what == "full_from" else number}))

    @rule(force=st.booleans())
    def run_with_an_index_of_yesterday(self, force: bool) -> None:
        self.run(Disturbance(stale_index=True, force=force))

    @rule()
    def come_to_rest(self) -> None:
        self.watched(self.shop.rest)

    def teardown(self) -> None:
        try:
            if hasattr(self, "shop") and not self.broken:
                self.shop.rest()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


TestRandomWorlds = AShopAndItsProgram.TestCase
TestRandomWorlds.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)


@pytest.mark.parametrize("number", range(12))
def test_a_world_by_dice(folder: Path, number: int) -> None:
    """The same as in the long run."""
    shop = living_shop.play(folder / "state", f"suite/{number}")
    assert shop.counts["checked"] > 0
