"""The shop's state: edits that move the right times, and a file that several processes share."""

from __future__ import annotations

import gc
import json
import os
import stat
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from invsync.sandbox import state
from invsync.sandbox.columns import dumps, loads
from invsync.sandbox.holdings import NotInShop
from invsync.sandbox.starting import generated_shop, starting_shop
from invsync.sandbox.state import StateFile, UnreadableState

# -- editing a shop --------------------------------------------------------------------------------


def test_the_starting_shop_tells_the_story(shop) -> None:
    assert shop.availables("PRINT-S", "PRINT-M", "PRINT-L", "PRINT-XL") == [30] * 4
    assert [place.name for place in shop.locations.values()] == ["Warehouse", "Till", "Pop-up"]
    assert shop.primary.name == "Warehouse"
    assert {product.status for product in shop.products.values()} == {"ACTIVE", "ARCHIVED", "DRAFT"}
    assert {product.product_type for product in shop.products.values()} == {
        "Print",
        "Print Supplies",
        "print",
        "Kitchen",
        "Cookie",
        "Wall art",
    }
    assert len(set(shop.availables("LIGHT-S", "LIGHT-M", "LIGHT-L"))) > 1
    assert not shop.item("WALL-4K").tracked
    assert shop.product("Gift card").gift_card
    assert shop.variant("DUO-S").requires_components
    assert not shop.level("GALLERY-XL").active
    assert shop.available("MUG") == shop.available("MUG", "Till")
    assert shop.availables("COOKIE-1", "COOKIE-6", "COOKIE-12") == [50, 8, 4]
    packs = [variant.options for variant in shop.product("Oat cookie").variants]
    assert packs[1:] == [(("Pack size", "Half dozen"),), (("Pack size", "12-pack"),)]
    birches = [variant for variant in shop.variants.values() if variant.sku == "BIRCH-A4"]
    assert len({variant.product.title for variant in birches}) == 3
    assert {shop.available(variant) for variant in birches} == {30}
    with pytest.raises(NotInShop, match='"GALLERY-L" is not stocked at "Warehouse"'):
        shop.level("GALLERY-L")


def test_a_generated_shop_has_the_size_that_was_asked_for(clock) -> None:
    shop = generated_shop(3, 4, 5, now=clock)
    assert (len(shop.products), len(shop.variants), len(shop.locations), len(shop.levels)) == (
        3,
        12,
        5,
        60,
    )
    assert {level.available for level in shop.levels.values()} == {30}
    assert shop.variant("P00003-4").product.product_type == "Print"
    assert shop.primary.name == "Warehouse"


def test_a_sale_moves_units_to_committed_and_every_time_on_the_way(shop, clock) -> None:
    clock.pass_(60)
    level = shop.sell("PRINT-S", 3)
    assert (level.available, level.committed, level.on_hand) == (27, 3, 30)
    product = shop.product("Sunset over the harbour")
    assert level.updated_at == product.updated_at == int(clock.now)
    assert shop.item("PRINT-S").updated_at < clock.now, (
        "the item's own time is not about quantities"
    )
    shop.ship("PRINT-S", 2)
    assert (level.available, level.committed, level.on_hand) == (27, 1, 28)
    shop.cancel("PRINT-S", 1)
    assert (level.available, level.committed, level.on_hand) == (28, 0, 28)


def test_a_sale_goes_to_the_primary_location_or_to_where_the_item_is(shop) -> None:
    assert shop.sell("MUG").location.name == "Warehouse"
    assert shop.sell("MUG", 1, "Till").location.name == "Till"
    assert shop.sell("GALLERY-L").location.name == "Till"
    with pytest.raises(NotInShop):
        shop.sell("GALLERY-XL")


def test_an_untracked_item_keeps_its_quantity(shop) -> None:
    shop.sell("WALL-4K", 3)
    assert shop.available("WALL-4K") == 0
    assert shop.trail.ledger == []


def test_editing_a_product_moves_its_time(shop, clock) -> None:
    edits = [
        lambda: shop.retag("Mug", "a"),
        lambda: shop.retype("Mug", "Cup"),
        lambda: shop.archive("Mug"),
        lambda: shop.retitle("Mug", "Mug"),
        lambda: shop.set_tracked("MUG", False),
        lambda: shop.deactivate_level("MUG", "Till"),
        lambda: shop.activate_level("MUG", "Till"),
        lambda: shop.unstock("MUG", "Till"),
        lambda: shop.stock("MUG", "Pop-up", 3),
        lambda: shop.add_variant(shop.product("Mug"), "MUG-XL"),
        lambda: shop.delete_variant("MUG-XL"),
    ]
    for edit in edits:
        clock.pass_(5)
        edit()
        assert shop.product("Mug").updated_at == int(clock.now)


def test_what_is_deleted_vanishes_with_all_that_hangs_on_it(shop, desk) -> None:
    mug = shop.product("Mug")
    gids = [mug.gid, shop.variant("MUG").gid, shop.item("MUG").gid, shop.level("MUG").gid]
    shop.delete_product(mug)
    data = desk.data("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": gids})
    assert data["nodes"] == [None] * 4
    with pytest.raises(NotInShop):
        shop.variant("MUG")


def test_an_item_that_two_variants_share_outlives_one_of_them(shop) -> None:
    mug = shop.product("Mug")
    shop.add_variant(mug, "MUG-GIFT", item=shop.item("MUG"))
    shop.delete_variant("MUG")
    assert shop.available("MUG-GIFT") == 20


def test_a_wrong_name_is_answered_with_near_ones(shop) -> None:
    with pytest.raises(NotInShop, match='no variant has SKU "PRINTS"; did you mean PRINT-S'):
        shop.sell("PRINTS")
    with pytest.raises(
        NotInShop, match='no location "Shed"; the shop has "Warehouse", "Till", "Pop-up"'
    ):
        shop.sell("MUG", 1, "Shed")
    shop.add_product("Other mug", ["MUG"])
    with pytest.raises(NotInShop, match='SKU "MUG" is ambiguous: "Mug", "Other mug" have it'):
        shop.sell("MUG")


# -- the file --------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "sandbox.json"


@pytest.fixture
def file(path, clock):
    return StateFile(path, now=clock)


def test_everything_survives_being_written_and_read(shop, desk, clock) -> None:
    shop.settings.index_lag, shop.settings.scopes = 30.0, ("read_products",)
    shop.sell("PRINT-S", 3)
    shop.add_variant(shop.product("Mug"), "MUG-GIFT", item=shop.item("MUG"))
    shop.delete_product("Apron")
    shop.settings.scopes = ("read_products", "read_locations", "write_inventory")
    desk.adjust(desk.change("PRINT-M", -2), key="k")
    text = dumps(shop)
    again = loads(text, now=clock)
    assert dumps(again) == text
    assert again.settings == shop.settings
    assert again.available("PRINT-S") == 27
    assert again.item("MUG-GIFT") is again.item("MUG")
    assert again.level("MUG").item.levels[again.primary.id] is again.level("MUG")
    assert ("Product", shop.product("Mug").id) in again.trail.shadows
    assert again.new_id() == shop.new_id()


def test_a_missing_file_begins_as_the_starting_shop_and_is_private(file, path) -> None:
    with file.open() as shop:
        assert shop.available("PRINT-S") == 30
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not list(path.parent.glob("*.tmp"))


def test_only_a_change_is_written(file, path) -> None:
    with file.open():
        pass
    before = path.stat()
    with file.open() as shop:
        shop.available("PRINT-S")
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    with file.open() as shop:
        shop.sell("PRINT-S")
    assert path.stat().st_mtime_ns != before.st_mtime_ns


def test_a_change_by_another_process_is_seen(path, clock) -> None:
    one, other = StateFile(path, now=clock), StateFile(path, now=clock)
    with one.open() as shop:
        shop.sell("PRINT-S", 3)
    with other.open() as shop:
        assert shop.available("PRINT-S") == 27
        shop.sell("PRINT-S", 3)
    with one.open() as shop:
        assert shop.available("PRINT-S") == 24


def test_the_ledger_is_a_file_of_lines(file, path) -> None:
    with file.open() as shop:
        shop.sell("PRINT-S", 3)
    with file.open() as shop:
        shop.set_available("MUG", 4, "Till")
    lines = [
        json.loads(line) for line in path.with_name("sandbox.ledger.jsonl").read_text().splitlines()
    ]
    assert [(line["by"], line["sku"], line["location_name"], line["after"]) for line in lines] == [
        ("customer", "PRINT-S", "Warehouse", 27),
        ("clerk", "MUG", "Till", 4),
    ]


def test_what_a_killed_process_was_told_is_remembered_by_the_next(path, new_desk, clock) -> None:
    first = new_desk(path)
    change = first.change("PRINT-S", -2)
    answer = first.adjust(change, key="k")
    next_one = new_desk(path)
    assert next_one.adjust(change, key="k") == answer
    assert next_one.shop.available("PRINT-S") == 28


def test_the_bucket_and_granted_tokens_are_shared_between_processes(path, new_desk, clock) -> None:
    first, other = new_desk(path), new_desk(path)
    first.data("{ products(first: 250) { nodes { id } } }")
    cost = other.ask("{ shop { name } }")["extensions"]["cost"]
    assert cost["throttleStatus"]["currentlyAvailable"] < 1999
    given = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
    other.token = json.loads(first.send("POST", "/admin/oauth/access_token", given).body)[
        "access_token"
    ]
    other.data("{ shop { name } }")


def test_what_a_lagging_index_hides_is_hidden_from_the_next_process_too(
    path, new_desk, clock
) -> None:
    first = new_desk(path)
    with first.sandbox.home.open() as shop:
        shop.settings.index_lag = 60
        shop.changed()
    with first.sandbox.home.open() as shop:
        shop.retag("Mug", "new")
        shop.add_product("Scarf", ["SCARF"], tags=["new"])
        shop.delete_product("Apron")
    query = '{ products(first: 9, query: "tag:new") { nodes { title } } }'
    assert new_desk(path).data(query)["products"]["nodes"] == []
    clock.pass_(60)
    assert new_desk(path).data(query)["products"]["nodes"] == [{"title": "Mug"}, {"title": "Scarf"}]


def test_processes_take_turns(path) -> None:
    program = (
        "import sys; from pathlib import Path; from invsync.sandbox.state import StateFile\n"
        "file = StateFile(Path(sys.argv[1]))\n"
        "for _ in range(20):\n"
        "    with file.open() as shop: shop.sell('PRINT-S')\n"
    )
    with StateFile(path).open():
        pass
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], env=os.environ)
        for _ in range(3)
    ]
    assert [one.wait(30) for one in running] == [0, 0, 0]
    with StateFile(path).open() as shop:
        assert shop.available("PRINT-S") == 30 - 60
    assert len(path.with_name("sandbox.ledger.jsonl").read_text().splitlines()) == 60


def test_a_file_that_stays_open_elsewhere_is_not_waited_for_for_ever(
    path, file, monkeypatch
) -> None:
    monkeypatch.setattr(state, "LOCK_PATIENCE", 0.0)
    with (
        file.open(),
        pytest.raises(UnreadableState, match="another process keeps it open"),
        StateFile(path).open(),
    ):
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 99}', "null"])
def test_a_file_that_is_no_shop_is_kept_and_named(file, path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with (
        pytest.raises(
            UnreadableState, match=r"sandbox\.json: is not a sandbox shop.*`invsync sandbox reset`"
        ),
        file.open(),
    ):
        pass
    assert path.read_text() == text


def test_replacing_the_shop_works_whatever_is_there(file, path, clock) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("broken")
    file.replace(lambda now: generated_shop(2, 2, 1, now=now))
    with file.open() as shop:
        shop.sell("P00001-1")
    file.replace(lambda now: starting_shop(now=now))
    assert not path.with_name("sandbox.ledger.jsonl").exists()
    with file.open() as shop:
        assert shop.available("PRINT-S") == 30


def test_a_hundred_thousand_variants_are_made_saved_and_loaded_in_seconds(clock) -> None:
    shop = generated_shop(6_250, 4, 3, now=clock)
    started = time.process_time()
    text = dumps(shop)
    saved = time.process_time()
    again = loads(text, now=clock)
    loaded = time.process_time()
    assert len(again.levels) == 75_000
    # A quarter of the size, and far more time than a quiet machine needs.
    assert saved - started < 2
    assert loaded - saved < 2


# -- results of bulk operations --------------------------------------------------------------------


def whole_result(desk, clock):
    """Run a bulk operation over all products; returns what its address answers."""
    start = """mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") {
        bulkOperation { id } userErrors { message } } }"""
    gid = desk.data(start)["bulkOperationRunQuery"]["bulkOperation"]["id"]
    clock.pass_(10)
    url = desk.data(f'{{ bulkOperation(id: "{gid}") {{ url }} }}')["bulkOperation"]["url"]
    parts = urlsplit(url)
    return desk.send("GET", f"{parts.path}?{parts.query}")


def test_a_shop_in_memory_keeps_results_there(desk, clock, shop, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    answer = whole_result(desk, clock)
    assert isinstance(answer.body, bytes)
    assert answer.body.count(b"\n") == len(shop.products)
    assert list(tmp_path.iterdir()) == []


def test_a_shop_in_a_file_keeps_results_beside_it(new_desk, clock, path) -> None:
    desk = new_desk(path)
    answer = whole_result(desk, clock)
    assert answer.body.parent == path.with_name("sandbox-bulk")
    assert stat.S_IMODE(answer.body.parent.stat().st_mode) == 0o700
    desk.sandbox.home.replace(lambda now: starting_shop(now=now))
    assert not answer.body.parent.exists()
    assert whole_result(desk, clock).body.exists()


def test_results_go_at_the_next_start_once_nobody_uses_them(new_desk, clock, path) -> None:
    desk = new_desk(path)
    kept = whole_result(desk, clock).body
    with StateFile(path, now=clock).open():
        assert kept.exists()  # their shop is open elsewhere, and somebody may be about to read them
    del desk
    gc.collect()
    assert kept.exists()
    with StateFile(path, now=clock).open():
        assert not kept.parent.exists()
