"""A pool under management: its stories. The first that fits tells; the last takes everything.

What all of it keeps, with `start` the quantity at adoption:

    quantity + what is let through on release = start + every movement that is counted

and each level, once its adjustment is applied, reads `due(quantity)` and what is held of it. All
falls count, always, whatever they look like.

Where several true stories read the same, the one that cannot oversell is taken:

- What was ordered of a level and what was typed onto it in the same run count each by itself: so an
  import beside a sale is seen as an import, and under the brake the sale still goes out.
- An import that two runs see in halves is one import, also where the brake held its first half.
- What is taken back is taken off what is let through on release, whole.
- Once a program is told to overwrite a level, no rise of it counts that our own lowerings explain,
  until `--force`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from invsync.sync.level import Move, agree, agreed, move_of, undid
from invsync.sync.sight import Sight, look
from invsync.sync.words import (
    NONE,
    Echoes,
    Level,
    LevelId,
    Managed,
    Note,
    Plan,
    Reading,
    Rules,
    Units,
    Unmanaged,
    Why,
    adjustments,
    told,
)

# The stories.


def judge(pool: Managed, seen: Mapping[LevelId, Reading], rules: Rules, also_fell: Units) -> Plan:
    """What became of a managed pool of which at least one known level is left."""
    sight = look(pool, seen, rules, also_fell)
    return _settled(sight) or _another_program(sight) or _sales_and_restocks(sight)


def last_fall(pool: Managed, at: LevelId, now: Reading) -> int:
    """The units (0 or negative) by which a level fell that is about to leave its pool."""
    level = pool.levels[at]
    return move_of(level, now, level.size, pool.quantity, pool.reserve).fell


def leave(pool: Managed, seen: Mapping[LevelId, Reading]) -> Plan:
    """The last of a pool that is kept in step no longer: its falls go off its other levels.

    Nothing else: none is raised, none lowered below 0, and what rose stays where it rose.
    """
    rules = Rules(sizes={at: pool.levels[at].size for at in seen}, reserve=pool.reserve)
    sight = look(pool, seen, rules, NONE)
    quantity = pool.quantity + sum(sight.falls.values())
    beside = {at: move.held + move.rose for at, move in sight.moves.items()}
    shown = {
        at: max(0, rules.due(at, quantity)) + units // rules.size(at)
        for at, units in beside.items()
    }
    levels = {at: _remember(sight, at, units) for at, units in beside.items()}
    return Plan(
        pool.quantity,
        Managed(quantity, levels, pool.on_release, reserve=pool.reserve),
        seen,
        adjustments(seen, {at: min(now.available, shown[at]) for at, now in seen.items()}),
        movements=sight.falls,
        how=sight.how,
        notes=tuple(told(Note("last_falls", sight.falls, quantity))),
        why="leaves",
    )


def _settled(sight: Sight) -> Plan | None:
    """Rises were held, a person raised a level, and now all agree: that is the quantity."""
    moves, rules = sight.moves, sight.rules
    held = {at: sight.pool.levels[at].held for at in moves if sight.pool.levels[at].held}
    raised = any(move.change.typed for move in moves.values())
    if not held or rules.brake or not raised:
        return None

    number = agreed(sight.seen, rules, quantity=sight.pool.quantity)
    if number is None:
        return None

    moved = sum(move.change.available * sight.pool.levels[at].size for at, move in moves.items())
    quantity = min(number, sight.pool.quantity + sum(held.values()) + moved)
    return _bring(sight, quantity, notes=(Note("settled", held, quantity),), why="settled")


def _another_program(sight: Sight) -> Plan | None:
    """Often enough, the levels lost what a program takes that answers our own adjustments."""
    echoes = _listen(sight)
    if not sight.echo or echoes.heard < (8 if len(sight.moves) == 2 else 2):
        return None

    # What it took before was counted once for each level; what it took now, only where it took it.
    ran_down = sight.pool.echoes.units + max(sight.echo.values())
    pool = Unmanaged(sight.seen, left_alone=True, ran_down=ran_down)
    note = Note("another_program", sight.falls, ran_down)
    return Plan(
        sight.pool.quantity,
        pool,
        sight.seen,
        movements=sight.movements,
        how=sight.how,
        notes=(note,),
    )


def _sales_and_restocks(sight: Sight) -> Plan:
    """All falls count; of the rises that nothing explains, what the policy says.

    An import is a number for the whole pool: what was held before it is let through with it.
    """
    rules = sight.rules
    moved_here = _stock_moved(sight)
    left = {at: units - moved_here.get(at, 0) for at, units in sight.rises.items()}
    rises = {at: units for at, units in left.items() if units}

    held = Counter({at: move.held for at, move in sight.moves.items()})
    on_release = _still_on_release(sight)
    counted, why = _count(sight, rises, on_release)
    notes = list(_notes_of_rises(sight, rises, counted, why, moved_here))

    quantity = sight.pool.quantity + sum(sight.falls.values())
    waits = _must_wait(rules, rises, why)
    if rules.release or (why == "import" and not waits):
        quantity, on_release, held = quantity + on_release, 0, Counter()
        why = "released" if sight.pool.held and not rises else why
    if waits:
        held, on_release, counted = held + Counter(rises), on_release + counted, 0
        why = "falls" if sight.falls else "nothing"

    quantity += counted
    notes += _notes_of_falls(sight, quantity)
    return _bring(sight, quantity, held, on_release, tuple(notes), why, max(0, counted))


def _must_wait(rules: Rules, rises: Units, why: Why) -> bool:
    if rules.brake and not rules.release:
        return bool(rises)
    return rules.several_rises == "hold" and len(rises) > 1 and why != "import"


def _bring(
    sight: Sight,
    quantity: int,
    held: Units = NONE,
    on_release: int = 0,
    notes: tuple[Note, ...] = (),
    why: Why = "nothing",
    risen: int = 0,
) -> Plan:
    """Every level to what is due of `quantity`, and what is held of it."""
    rules = sight.rules
    levels = {at: _remember(sight, at, held.get(at, 0)) for at in sight.seen}
    unsent = Managed(quantity, levels, on_release, _listen(sight), rules.reserve)
    to_read = {at: rules.due(at, quantity) + held.get(at, 0) // rules.size(at) for at in sight.seen}
    sent = adjustments(sight.seen, to_read)
    if sent and why == "nothing":
        why = "finish"
    notes = (*notes, *_notes_of_levels(sight, unsent))
    return Plan(
        sight.pool.quantity,
        unsent,
        sight.seen,
        sent,
        sight.movements,
        sight.how,
        risen=risen,
        notes=notes,
        why=why,
    )


def _remember(sight: Sight, at: LevelId, held: int) -> Level:
    """A level as it was observed, with what the alarms remember of it."""
    now, size = sight.seen[at], sight.rules.size(at)
    if at not in sight.moves:
        return Level(now, size)
    level, move = sight.pool.levels[at], sight.moves[at]
    halved = level.sent // 2 if level.sent > 0 else -(-level.sent // 2)
    sent = 0 if sight.echo else halved if sight.stirred else level.sent
    refused = 0 if sight.rules.release else level.refused
    kept = Level(now, size, held, sent, level.ours, level.undone, refused)
    if move.change.typed:
        now_undone = undid(level, move.change)
        undone = level.undone + now_undone if now_undone else 0
        kept = replace(kept, ours=0, undone=undone, refused=refused + move.refused)
    return kept


# Rises.


def _stock_moved(sight: Sight) -> Units:
    """What Shopify moved off a level that left the pool, to others of the same item."""
    left = _stock_that_left(sight)
    moved: dict[LevelId, int] = {}
    for at, units in sorted(sight.rises.items(), key=lambda rise: (-rise[1], rise[0])):
        if at not in sight.cancelled and (here := min(units, left[at.item])):
            moved[at] = here
            left[at.item] -= here
    return moved


def _stock_that_left(sight: Sight) -> Counter[str]:
    """By item; but for what a level is known to read still, or to have gone to another."""
    left: Counter[str] = Counter()
    for at, level in sight.pool.levels.items():
        if not (at in sight.seen or at in sight.also_fell or at in sight.moved):
            left[at.item] += max(0, level.last.available) * level.size
    return left


def _still_on_release(sight: Sight) -> int:
    """What is let through on release once what was taken back is gone: less by all of that.

    Also where more was held than would have counted: what went may have been what counts.
    """
    return max(0, sight.pool.on_release - sum(sight.taken.values()))


def _count(sight: Sight, rises: Units, on_release: int) -> tuple[int, Why]:
    """How many units of `rises` count, and why.

    Fewer than none where they show that what was held before is one import with them.
    """
    policy = sight.rules.several_rises
    if not rises:
        return 0, "falls" if sight.falls else "nothing"
    if (number := _import(sight, rises)) is not None:
        return number - sight.pool.quantity - on_release, "import"
    if len(rises) == 1:
        return sum(rises.values()), "rise"
    if policy == "sum":
        return sum(rises.values()), "sum_of_rises"
    if policy == "freed" and (freed := rises.keys() & sight.cancelled):
        rest = [units for at, units in rises.items() if at not in freed]
        return sum(rises[at] for at in freed) + min(rest, default=0), "freed_rises"
    return min(rises.values()), "smallest_rise"


def _import(sight: Sight, rises: Units) -> int | None:
    """The number that one import wrote on all levels, if that is what the rises are.

    Several rose, now or (held) before, of a pool that was in step but for those; nothing fell but
    by orders; and but for these, the readings agree. Never more than the largest rise makes it: a
    reserve that is not full shows nothing, and is not read into what was written.
    """
    held, rules = sight.pool.held, sight.rules
    together = {at: held.get(at, 0) + rises.get(at, 0) for at in {**held, **rises}}
    explained = rises.keys() & sight.cancelled or len(rises) < len(sight.rises)
    if len(together) < 2 or explained or rules.several_rises == "sum":
        return None
    if not all(_was_only_written(move) for move in sight.moves.values()):
        return None
    written = (
        (sight.seen[at].available + move.change.ordered, rules.size(at))
        for at, move in sight.moves.items()
    )
    number = agree(written, sight.pool.reserve)
    return None if number is None else min(number, sight.pool.quantity + max(together.values()))


def _was_only_written(move: Move) -> bool:
    """A level that was in step, and then at most raised, and ordered from."""
    fell = move.change.available - move.change.rose
    return not (move.gap or move.taken or move.refused) and fell == -move.change.ordered


# The two alarms: another program, listened for here; overwritten, among the rises.


def _listen(sight: Sight) -> Echoes:
    """Echoes after this run: two levels have to show them running, more levels within 12 runs."""
    before = sight.pool.echoes
    if sight.echo:
        return Echoes(before.heard + 1, 0, before.units + sum(sight.echo.values()))
    if not sight.stirred or not before.heard:
        return before
    if len(sight.moves) == 2 or before.since + 1 >= 12:
        return Echoes()
    return replace(before, since=before.since + 1)


# What is told.


def _notes_of_rises(
    sight: Sight, rises: Units, counted: int, why: Why, moved_here: Units
) -> Iterator[Note]:
    several = {**sight.pool.held, **rises} if why == "import" else rises
    left_out = sum(rises.values()) - counted
    cancelled = sight.cancelled & several.keys()
    typed = [at for at in rises if at not in sight.cancelled]
    stock = max(0, sight.pool.quantity - sight.pool.reserve)
    loose = {at: stock % sight.rules.size(at) for at in typed if why != "import"}
    return told(
        Note("several_rises", several if len(several) > 1 and rises else {}, left_out, cancelled),
        _notes_of_stock(sight, moved_here),
        Note("loose_units", {at: units for at, units in loose.items() if units}),
        Note("taken_back", sight.taken, sight.pool.on_release - _still_on_release(sight)),
    )


def _notes_of_stock(sight: Sight, moved_here: Units) -> Note:
    came = Counter(moved_here)
    for left, at in sight.moved.items():
        level = sight.pool.levels[left]
        came[at] += level.last.available * level.size
    units = sum(_stock_that_left(sight).values()) + sum(came.values()) - sum(moved_here.values())
    return Note("stock_moved", {at: units for at, units in came.items() if units}, units)


def _notes_of_falls(sight: Sight, quantity: int) -> Iterator[Note]:
    went_below = quantity < min(0, sight.pool.quantity)
    alike = sight.falls if _fell_alike(sight) else {}
    return told(
        Note("fell_alike", alike, max(0, -quantity)),
        Note("oversold", sight.falls if went_below else {}, -quantity),
    )


def _fell_alike(sight: Sight) -> bool:
    """All known levels fell, none of it ordered, by the same units or to one number."""
    moves = sight.moves.values()
    if len(moves) < 2 or any(not m.fell or m.change.off_shelf > m.change.available for m in moves):
        return False
    known = {at: now for at, now in sight.seen.items() if at in sight.moves}
    alike = len({move.fell for move in moves}) == 1
    return alike or agreed(known, sight.rules, sight.pool.reserve) is not None


def _notes_of_levels(sight: Sight, after: Managed) -> Iterator[Note]:
    rules, known = sight.rules, sight.pool.levels
    fresh = {
        at: now.available * rules.size(at) for at, now in sight.seen.items() if at not in known
    }
    sizes = {at: known[at].size for at in sight.moves if known[at].size != rules.size(at)}
    refused = {at: level.refused for at, level in after.levels.items() if level.refused}
    return told(
        Note("raise_closed", {at: move.closed for at, move in sight.moves.items() if move.closed}),
        Note("new_level_stock", {at: units for at, units in fresh.items() if units}),
        Note("size_changed", sizes),
        Note("held", after.held, after.on_release),
        Note("overwritten", refused, sum(move.refused for move in sight.moves.values())),
    )
