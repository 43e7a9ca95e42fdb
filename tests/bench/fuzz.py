"""Every field of every state file, and of every answer of the shop, made wrong.

Does a run end in one line?

    python -m tests.bench.fuzz [--state] [--answers] [--heads] [--every N] [--show N]

Each field is dropped, null, of another type, huge, and doubled, one at a time, for both commands,
and the real command line is run on that; the heads of answers are given every status, and headers
of every odd kind. Counted: how the runs ended, tracebacks, runs that took longer than they may,
what was sent by runs that failed before they sent it, and what the next, undisturbed run makes of
it. `--every N` takes every Nth case only.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any

from tests.bench.fuzz_answers import answers, heads
from tests.bench.fuzz_bench import TooSlow
from tests.bench.fuzz_state import state

PARTS = {"state": state, "answers": answers, "heads": heads}


def main() -> None:
    """Try them, and print the figures; exit 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in PARTS:
        parser.add_argument(
            f"--{name}", action="store_true", help=f"{name} (all, if none is named)"
        )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth case only")
    parser.add_argument("--show", type=int, default=20, metavar="N", help="stories that are told")
    given = parser.parse_args()

    def too_slow(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, too_slow)
    wanted = [name for name in PARTS if getattr(given, name)] or list(PARTS)
    wrong = False
    for name in wanted:
        tally = PARTS[name](given.every)
        print(tally.told(name), flush=True)
        for story in tally.stories[: given.show]:
            print(f"  {story}", flush=True)
        wrong = wrong or tally.wrong
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
