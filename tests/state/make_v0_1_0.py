"""Makes the state folders of 0.1.0 beside this file: runs 0.1.0 against its own sandbox.

Run once, with a checkout of 0.1.0 (commit 89cf101) in front of everything else:

    PYTHONPATH=CHECKOUT:CHECKOUT/tests/program python tests/state/make_v0_1_0.py tests/state/v0.1.0

Each folder holds what the run left, and `shop.json`: what the shop reads at that moment.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from program_world import Time, World, new_shop

from invsync import __version__, connect
from invsync import cache as state  # type: ignore[attr-defined]
from invsync.admin import adjust
from invsync.sandbox.server import SandboxServer

BRAKED = [f"Braked {number:02}" for number in range(1, 22)]
KEPT = ("json", "journal", "last")


def skus(title: str, count: int) -> str:
    return " ".join(f"{title.upper().replace(' ', '')}-{number}" for number in range(1, count + 1))


class Maker:
    """One world of 0.1.0."""

    def __init__(self, command: str, faults: list[dict[str, Any]]) -> None:
        self.command = command
        self.folder = Path(tempfile.mkdtemp())
        self.time = Time()
        connect.time = self.time  # type: ignore[attr-defined]
        self.world = World(self.folder, self.time, new_shop(self.time))
        self.server = SandboxServer(
            self.world.shop, now=self.time.time, on_request=self.world.note, faults=faults
        )

    def __enter__(self) -> Maker:
        self.world.server = self.server.__enter__()
        self.world.configure(
            variants={"product_types": ["Print"], "several_rises": "hold"},
            locations={"product_types": ["Print"], "several_rises": "hold"},
        )
        return self

    def __exit__(self, *about: Any) -> None:
        self.server.__exit__(*about)
        shutil.rmtree(self.folder)

    def pool(self, title: str, size: int, available: Any) -> None:
        """A pool of `size` levels: variants of a product, or places of a variant."""
        if self.command == "variants":
            self.world.add(title, skus(title, size), available)
            return
        places = list(self.world.shop.locations.values())[:size]
        numbers = [available] * size if isinstance(available, int) else available
        self.world.add(title, skus(title, 1), 0, locations=places)
        for place, number in zip(places, numbers, strict=True):
            self.world.shop.set_available(skus(title, 1), number, place)

    def move(self, title: str, *movements: int) -> None:
        """Move the levels of a pool, one after the other."""
        for at, units in enumerate(movements):
            if not units:
                continue
            sku, place = (skus(title, len(movements)).split()[at], None)
            if self.command == "locations":
                sku, place = skus(title, 1), list(self.world.shop.locations.values())[at]
            if units < 0:
                self.world.shop.sell(sku, -units, place)
            else:
                self.world.shop.restock(sku, units, place)

    def run(self, *args: str, exit_code: int | None = None) -> None:
        self.world.run(self.command, *args, exit_code=exit_code)
        self.time.pass_by(minutes=10)

    def save(self, to: Path) -> None:
        """Keep what the run left, and what the shop reads."""
        to.mkdir(parents=True, exist_ok=True)
        for suffix in KEPT:
            place = self.world.place(self.command, suffix)
            if place.exists():
                shutil.copyfile(place, to / place.name)
        history = self.world.state / "history.jsonl"
        if history.exists():
            shutil.copyfile(history, to / history.name)
        shop = self.world.shop
        about = {
            "made_by": __version__,
            "at": self.time.time(),
            "products": [
                {
                    "title": product.title,
                    "gid": product.gid,
                    "items": [
                        {
                            "sku": variant.item.sku,
                            "gid": variant.item.gid,
                            "levels": {
                                level.location.name: level.available
                                for level in shop.levels.values()
                                if level.item is variant.item and level.live
                            },
                        }
                        for variant in product.variants
                    ],
                }
                for product in shop.products.values()
            ],
        }
        (to / "shop.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n")


def waiting(command: str, to: Path) -> None:
    """Plain, held, braked, counts that wait, fell alike, left alone, out of sync, refused.

    One pool of each kind.
    """
    refused = skus("Refused", 2).split()[-1] if command == "variants" else skus("Refused", 1)
    faults = [{"fault": "refuse", "items": [refused], "code": "NON_MUTABLE_INVENTORY_ITEM"}]
    with Maker(command, faults) as maker:
        for title in BRAKED:
            maker.pool(title, 2, 10)
        maker.pool("Plain größer", 3, 30)
        maker.pool("Held", 3, 10)
        maker.pool("Count", 2, 3)
        maker.pool("Alike", 3, 20)
        maker.pool("Alone", 3, 40)
        maker.pool("Apart", 2, [5, 7])
        maker.pool("Refused", 2, 9)
        maker.pool("Single", 1, 4)
        maker.run("--init", exit_code=3)
        maker.move("Plain größer", -1, -2, 0)
        maker.move("Alone", -1, -1, -1)
        maker.move("Held", 2, 3, 0)
        maker.move("Refused", -1, 0)
        maker.run()
        maker.move("Alone", -2, -2, -2)
        maker.move("Alike", -2, -2, -2)
        maker.move("Count", -2, -2)
        for title in BRAKED:
            maker.move(title, 5, 0)
        maker.run()
        maker.save(to)


def cut_off(command: str, to: Path) -> None:
    """A run of three batches: applied, refused, and cut off after it arrived."""
    refused = skus("Refused", 2).split()[-1] if command == "variants" else skus("Refused", 1)
    faults = [{"fault": "refuse", "items": [refused], "code": "NON_MUTABLE_INVENTORY_ITEM"}]
    with Maker(command, faults) as maker:
        for title in ("Applied", "Refused", "Open", "Later"):
            maker.pool(title, 2, 30)
        maker.run("--init", exit_code=0)
        for title in ("Applied", "Refused", "Open", "Later"):
            maker.move(title, -3, 0)
        kept, adjust.BATCH = adjust.BATCH, 1
        calls: list[str] = []

        def cut(request: Any, phase: str) -> None:
            if request.operation == "Adjust" and phase == "after":
                calls.append(request.graphql["variables"]["key"])
                if len(set(calls)) > 2:
                    raise ConnectionResetError("cut by the maker")

        maker.world.hook = cut
        maker.run(exit_code=1)
        adjust.BATCH = kept
        maker.save(to)


def unwritten(command: str, to: Path) -> None:
    """A run that was killed after its only batch was applied, before it wrote its cache."""
    with Maker(command, []) as maker:
        maker.pool("Applied", 3, 30)
        maker.run("--init", exit_code=0)
        maker.move("Applied", -3, 0, 0)

        class Killed(BaseException):
            pass

        def killed(*_: Any) -> None:
            raise Killed

        kept, state.append_history = state.append_history, killed
        with contextlib.suppress(Killed, AssertionError):
            maker.world.run(command)
        state.append_history = kept
        maker.save(to)


def main(folder: Path) -> None:
    """Make them all."""
    kinds: tuple[Callable[[str, Path], None], ...] = (waiting, cut_off, unwritten)
    for command in ("variants", "locations"):
        for make in kinds:
            make(command, folder / f"{command}-{make.__name__.replace('_', '-')}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
