"""What happens to available, committed and on_hand.

Orders, tills, shipments, counts, transfers and closed locations.

The table is Shopify's: an order was recorded (5, 0, 5 → 3, 2, 5; from 0: on_hand stays 0), as were
an adjustment and a count (available and on_hand alike).
"""

from __future__ import annotations

import pytest

from invsync.sandbox.clerk import CannotDo, do
from invsync.sandbox.state import StateFile


def quantities(shop, sku: str, location: str | None = None) -> tuple[int, int, int]:
    level = shop.level(sku, location)
    return level.available, level.committed, level.on_hand


def test_an_order_waits_until_it_is_shipped(shop) -> None:
    shop.sell("PRINT-S", 2)
    assert quantities(shop, "PRINT-S") == (28, 2, 30)
    shop.ship("PRINT-S", 2)
    assert quantities(shop, "PRINT-S") == (28, 0, 28)


def test_what_is_sold_at_a_till_is_gone_at_once(shop) -> None:
    shop.sell("PRINT-S", 2, shipped=True)
    assert quantities(shop, "PRINT-S") == (28, 0, 28)


def test_a_cancelled_order_is_available_again(shop) -> None:
    shop.sell("PRINT-S", 2)
    shop.cancel("PRINT-S", 2)
    assert quantities(shop, "PRINT-S") == (30, 0, 30)


def test_on_hand_stops_at_nothing(shop) -> None:
    shop.set_available("PRINT-S", 0)
    shop.sell("PRINT-S", 2)
    assert quantities(shop, "PRINT-S") == (-2, 2, 0)
    shop.set_available("PRINT-S", -39)
    assert quantities(shop, "PRINT-S") == (-39, 2, 0)


def test_a_count_moves_available_and_on_hand(shop) -> None:
    shop.sell("PRINT-S", 2)
    shop.set_available("PRINT-S", 20)
    assert quantities(shop, "PRINT-S") == (20, 2, 22)


def test_a_transfer_takes_from_one_place_and_gives_to_another(shop) -> None:
    shop.transfer("MUG", 3, None, "Till")
    assert quantities(shop, "MUG")[0] + quantities(shop, "MUG", "Till")[0] == 40
    assert quantities(shop, "MUG", "Till") == (23, 0, 23)


def test_a_closed_location_gives_its_stock_to_another(shop) -> None:
    shop.sell("MUG", 2, "Till")
    at_home = quantities(shop, "MUG")
    there = quantities(shop, "MUG", "Till")
    shop.close_location("Till", move_to=shop.primary)
    assert quantities(shop, "MUG") == tuple(a + b for a, b in zip(at_home, there, strict=True))
    assert quantities(shop, "MUG", "Till") == (0, 0, 0)


@pytest.fixture
def home(tmp_path) -> StateFile:
    return StateFile(tmp_path / "sandbox.json")


def test_the_clerk_ships_cancels_and_closes(home) -> None:
    do(home, "sell", {"sku": "PRINT-S", "units": 3})
    assert do(home, "ship", {"sku": "PRINT-S", "units": 1})["on_hand"] == 29
    assert do(home, "cancel", {"sku": "PRINT-S", "units": 1})["after"] == 28
    assert do(home, "ship", {"sku": "PRINT-S"})["committed"] == 0
    assert (
        do(home, "close", {"location": "Till", "move_to": "Warehouse"})["moved_to"] == "Warehouse"
    )


@pytest.mark.parametrize(
    ("action", "given", "says"),
    [
        ("ship", {"sku": "PRINT-S"}, "no unit of"),
        ("cancel", {"sku": "PRINT-S", "units": 1}, "no unit of"),
        ("close", {"location": "Warehouse"}, "primary"),
        ("close", {"location": "Till"}, "--move-to"),
        ("close", {"location": "Till", "move_to": "Till"}, "its own stock"),
        ("close", {"location": "Nowhere"}, "no location"),
    ],
)
def test_what_the_clerk_cannot_do_is_one_line(home, action: str, given, says: str) -> None:
    with pytest.raises(CannotDo, match=says):
        do(home, action, given)


def test_a_location_is_closed_once(home) -> None:
    do(home, "close", {"location": "Till", "move_to": "Warehouse"})
    with pytest.raises(CannotDo, match="closed already"):
        do(home, "close", {"location": "Till"})
