"""A week of cron, and the mails of it.

    python -m tests.bench.week [--runs 1008] [--sales 300] [--seed 0]

The whole program runs every ten minutes by a clock of its own, against a shop behind HTTP: twelve
products sell, one is refused by Shopify for two days, one gets two restocks at once, an import
writes five, and for two hours the shop can't be reached. Printed is what cron would have mailed:
both streams of each run that printed anything.
"""

from __future__ import annotations

import random
import sys
import tempfile
from argparse import ArgumentParser
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "program"))

from program_world import NOON, Time, World, new_shop

from invsync import connect
from invsync.sandbox.api import Phase
from invsync.sandbox.exchange import Request
from invsync.sandbox.server import SandboxServer
from invsync.sandbox.things import Item
from invsync.tell.times import local

#: Seconds from one run to the next.
EVERY = 600
#: How many mails a week may make.
MOST = 12


@dataclass(frozen=True)
class Mail:
    """What a run printed: at which second of the week, how it ended, and both of its streams."""

    at: float
    exit_code: int
    text: str


@dataclass
class Week:
    """A shop in a week of so many runs, what happens in it at which of them, and the mails.

    `spoilt`: the SKU whose adjustments Shopify refuses, and `hidden` its item meanwhile; `away`:
    whether the shop can't be reached.
    """

    world: World
    runs: int
    sales: int
    dice: random.Random
    spoilt: str | None = None
    hidden: dict[int, Item] = field(default_factory=dict)
    away: bool = False

    def at(self, share: float) -> int:
        """The run that comes after this share of the week."""
        return int(share * self.runs)

    def play(self) -> list[Mail]:
        """The mails, in order."""
        skus = self._stock()
        self.world.hook = self._hook
        sold = sorted(self.dice.randrange(self.runs) for _ in range(self.sales))
        mails = []
        for number in range(self.runs):
            self.world.time.passed = max(self.world.time.passed, EVERY * (number + 1))
            for _ in range(sold.count(number)):
                self.world.sell(self.dice.choice(skus))
            self._happens(number)
            ran = self.world.run("variants", exit_code=None)
            if ran.out or ran.err:
                text = (ran.out + ran.err).replace(str(self.world.folder), "/etc/invsync")
                mails.append(Mail(self.world.time.passed, ran.exit_code, text))
        return mails

    def _stock(self) -> list[str]:
        """Twelve products, seen by a first run."""
        skus = []
        for number in range(1, 13):
            own = [f"P{number:02}-{size}" for size in "SML"[: 2 + number % 2]]
            self.world.add(f"Print {number:02}", own, available=200)
            skus += own
        self.world.run("variants", "--init")
        return skus

    def _happens(self, number: int) -> None:
        """What happens before this run, beside sales."""
        shop = self.world.shop
        if number == self.at(0.15):
            self.spoilt = "P03-M"
            self.world.sell("P03-S")
        if number == self.at(0.45):
            self.spoilt = None
        if number == self.at(0.50):
            for product in ("P05", "P06", "P07", "P08", "P09"):
                for size in "SM" if product in ("P06", "P08") else "SML":
                    shop.set_available(f"{product}-{size}", 300)
        if number == self.at(0.65):
            shop.restock("P01-S", 20)
            shop.restock("P01-M", 30)
        self.away = self.at(0.80) <= number < self.at(0.80) + 12

    def _hook(self, request: Request, phase: Phase) -> None:
        if self.away:
            raise ConnectionResetError("nobody answers")
        items = self.world.shop.items
        items.update(self.hidden)
        self.hidden.clear()
        if self.spoilt and request.operation == "Adjust" and phase == "before":
            item = self.world.shop.item(self.spoilt)
            self.hidden[item.id] = items.pop(item.id)


def play(folder: Path, *, runs: int, sales: int, seed: int) -> list[Mail]:
    """The mails of a week of so many runs and sales."""
    time = Time()
    shop = new_shop(time)
    world = World(folder, time, shop, remembers=True)
    with (
        mock.patch.object(connect, "time", time),
        SandboxServer(shop, now=time.time, on_request=world.note) as world.server,
    ):
        world.configure(report=None, locations=None)
        return Week(world, runs, sales, random.Random(seed)).play()


def shown(mail: Mail) -> str:
    """A mail as its reader has it."""
    return f"{local(datetime.fromtimestamp(NOON + mail.at, UTC))}\n\n{mail.text}"


def main() -> int:
    parser = ArgumentParser(description="A week of cron, and the mails of it.")
    for name, default in (("runs", 1_008), ("sales", 300), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="week-") as folder:
        mails = play(Path(folder), runs=given.runs, sales=given.sales, seed=given.seed)
    for mail in mails:
        print(shown(mail))
        print("-" * 80)
    print(f"{given.runs} runs, {given.sales} sales: {len(mails)} mails (at most {MOST} a week)")
    return 0 if len(mails) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
