"""A generated shop behind HTTP in a process of its own: `python -m tests.bench.served`.

Its objects were last touched a day ago, as those of a shop are that has been running for a while,
and its point bucket never runs dry: what is measured is how many points are spent. `--results` is
the folder for those of bulk operations. The first line on stdout is its address. Each line on stdin
is a JSON object, answered by one: `{"sell": [[product, SKU, units], …]}` plays customers at the
primary location, `{"result": true}` asks for the file of the last bulk operation. The end of stdin
ends the process. With `--shared`, the second half of the products has the SKUs of the first.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from invsync.sandbox.results import InFolder
from invsync.sandbox.server import SandboxServer
from invsync.sandbox.shop import Shop
from invsync.sandbox.starting import generated_shop
from invsync.sandbox.state import Held

DAY = 86_400


def old_shop(products: int, variants: int, locations: int) -> Shop:
    """A generated shop in which nothing has moved for a day."""
    shop = generated_shop(products, variants, locations, now=lambda: time.time() - DAY)
    shop.now = time.time
    gc.collect()
    gc.freeze()  # a million objects that live as long as the process
    return shop


def share_skus(shop: Shop) -> None:
    """Give the products of the second half the SKUs of the first, so that each SKU is on two."""
    products = list(shop.products.values())
    half = len(products) // 2
    for first, second in zip(products[:half], products[half:], strict=True):
        for one, other in zip(first.variants, second.variants, strict=True):
            other.sku = other.item.sku = one.sku


def main() -> None:
    parser = ArgumentParser(description="Serve a generated shop until stdin ends.")
    for name, default in (("products", 25_000), ("variants", 4), ("locations", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--shared", action="store_true")
    parser.add_argument("--results", type=Path, required=True)
    given = parser.parse_args()
    shop = old_shop(given.products, given.variants, given.locations)
    if given.shared:
        share_skus(shop)
    shop.settings.bucket_size = shop.account.bucket.available = 1e9
    with SandboxServer(Held(shop, InFolder(given.results))) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            print(json.dumps(_do(json.loads(line), server, given.results)), flush=True)


def _do(
    asked: dict[str, list[tuple[str, str, int]]], server: SandboxServer, results: Path
) -> dict[str, str]:
    with server.shop() as shop:
        for product, sku, units in asked.get("sell", ()):
            shop.sell(shop.variant_of(product, sku), units)
    if "result" in asked:
        last = max(results.iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return {"result": str(last)}
    return {}


if __name__ == "__main__":
    main()
