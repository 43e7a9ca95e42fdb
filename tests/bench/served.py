"""A generated shop behind HTTP in a process of its own: `python -m tests.bench.served`.

Its objects were last touched a day ago, as those of a shop are that has been running for a while,
and its point bucket never runs dry: what is measured is how many points are spent. The first line
on stdout is its address. Each line on stdin is a JSON object, answered by one: `{"sell": [[SKU,
units], …]}` plays customers at the primary location, `{"result": true}` asks for the file of the
last bulk operation. The end of stdin ends the process.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from argparse import ArgumentParser

from invsync.sandbox.server import SandboxServer
from invsync.sandbox.shop import Shop
from invsync.sandbox.starting import generated_shop

DAY = 86_400


def old_shop(products: int, variants: int, locations: int) -> Shop:
    """A generated shop in which nothing has moved for a day."""
    shop = generated_shop(products, variants, locations, now=lambda: time.time() - DAY)
    shop.now = time.time
    gc.collect()
    gc.freeze()  # a million objects that live as long as the process
    return shop


def main() -> None:
    parser = ArgumentParser(description="Serve a generated shop until stdin ends.")
    for name, default in (("products", 25_000), ("variants", 4), ("locations", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    shop = old_shop(given.products, given.variants, given.locations)
    shop.settings.bucket_size = shop.bucket.available = 1e9
    with SandboxServer(shop) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            print(json.dumps(_do(json.loads(line), server)), flush=True)


def _do(asked: dict[str, list[tuple[str, int]]], server: SandboxServer) -> dict[str, str]:
    with server.shop() as shop:
        for sku, units in asked.get("sell", ()):
            shop.sell(sku, units)
    if "result" in asked:
        written = server.sandbox.home.bulk_folder.glob("*.jsonl")
        return {"result": str(max(written, key=lambda path: (path.stat().st_mtime_ns, path.name)))}
    return {}


if __name__ == "__main__":
    main()
