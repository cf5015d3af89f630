"""Order rows: ids, client ids, reserves, and how an order leaves."""

from steelyard.engine.alarms import alarm_remove, order_node
from steelyard.engine.bitmap import bit_clear, bit_next, bit_set
from steelyard.engine.book import leg_list_remove, level_remove, market_of
from steelyard.engine.events import say
from steelyard.engine.ledger import cash, transfer
from steelyard.engine.opening import restate
from steelyard.model.events import CLOSED_REDUCE_ONLY, MARGIN_MOVED, ORDER_AMENDED, ORDER_CLOSED
from steelyard.model.keys import (
    M_FEE_TIERS,
    M_MAKER_PPM,
    M_SETTLE,
    M_TAKER_PPM,
)
from steelyard.model.orders import (
    CHILD,
    CLOSE_POSITION,
    FOR_OPEN,
    POST_ONLY,
    POST_ONLY_SLIDE,
    REDUCE_ONLY,
    RESTING,
    TRAILING,
    WAITING,
)
from steelyard.num import far, far_twin, kernel, leaf, unlikely
from steelyard.num.limits import ORDER_ID_SHIFT
from steelyard.num.rounding import mul_div_down, ppm_up
from steelyard.num.wide import mix
from steelyard.rules.cash import atoms_down
from steelyard.rules.pairs import is_pair
from steelyard.rules.requirement import account_risk
from steelyard.rules.worth import inverse_locked_in, inverse_lot_up
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    CLIENT_SLOT,
    L_BITS_ORDER,
    L_RECENT,
    LADDER,
    LAYOUT,
    LEG,
    LEG_OPEN,
    MACHINE,
    MARKET,
    MARKET_RULE,
    NOTE,
    ORDER,
    RECENT,
)


@leaf
def order_row(s, order_id):
    """The row of an open order's id, or 0."""
    row = order_id & ((1 << ORDER_ID_SHIFT) - 1)
    order = ORDER(s)
    if order_id <= 0 or row >= len(order) or order.id[row] != order_id:
        return 0
    return row


@leaf
def is_reduce_only(flags):
    return flags & (REDUCE_ONLY | CLOSE_POSITION) != 0


@leaf
def is_post_only(flags):
    return flags & (POST_ONLY | POST_ONLY_SLIDE) != 0


@leaf
def maker_rate_ppm(s, market, account):
    rule = MARKET_RULE(s)
    return rule[market, M_MAKER_PPM + min(ACCOUNT(s).fee_tier[account], rule[market, M_FEE_TIERS] - 1)]


@leaf
def taker_rate_ppm(s, market, account):
    rule = MARKET_RULE(s)
    return rule[market, M_TAKER_PPM + min(ACCOUNT(s).fee_tier[account], rule[market, M_FEE_TIERS] - 1)]


@leaf
def reserve_per_lot(s, market, account, side, price, post_only):
    """Loss locked in by crossing the mark, and the fee, per lot; of a pair, what a lot spends or brings of the quote.

    Fixed when the order is placed.
    """
    scale = MARKET(s).scale[market]
    rate = max(0, maker_rate_ppm(s, market, account)) if post_only else taker_rate_ppm(s, market, account)
    if unlikely(is_pair(s, market)):
        fee = ppm_up(price * scale, rate)
        return price * scale + fee if side > 0 else max(0, price * scale - fee)
    if not unlikely(scale < 0):
        return max(0, (price - MARKET(s).mark[market]) * side) * scale + ppm_up(price * scale, rate)
    return inverse_locked_in(s, market, side, price) + ppm_up(inverse_lot_up(s, market, price), rate)


@leaf
def commander(s, account):
    """The account whose orders these are to the outside: a child's parent."""
    table = ACCOUNT(s)
    return table.parent[account] if table.role[account] == CHILD else account


@leaf
def client_hash(account, c0, c1, c2, c3, c4):
    return mix(mix(mix(account, c0), mix(c1, c2)), mix(c3, c4))


@kernel
def client_home(s, entry):
    """Where the search for an entry starts: positive entries are order rows, negative ones recent rows."""
    if entry > 0:
        note = NOTE(s)
        return client_hash(
            commander(s, LEG(s).account[ORDER(s).leg[entry]]),
            note.client0[entry],
            note.client1[entry],
            note.client2[entry],
            note.client3[entry],
            note.client4[entry],
        )
    recent, row = RECENT(s), -entry
    return client_hash(
        recent.account[row],
        recent.client0[row],
        recent.client1[row],
        recent.client2[row],
        recent.client3[row],
        recent.client4[row],
    )


@kernel
def client_entry(s, account, c0, c1, c2, c3, c4):
    """The slot entry of a client id, or 0."""
    slots, note, recent = CLIENT_SLOT(s), NOTE(s), RECENT(s)
    mask = len(slots) - 1
    place = client_hash(account, c0, c1, c2, c3, c4) & mask
    while True:
        entry = slots[place]
        if entry == 0:
            return 0
        if entry > 0:
            if (
                note.client0[entry] == c0
                and note.client1[entry] == c1
                and note.client2[entry] == c2
                and note.client3[entry] == c3
                and note.client4[entry] == c4
                and commander(s, LEG(s).account[ORDER(s).leg[entry]]) == account
            ):
                return entry
        else:
            row = -entry
            if (
                recent.client0[row] == c0
                and recent.client1[row] == c1
                and recent.client2[row] == c2
                and recent.client3[row] == c3
                and recent.client4[row] == c4
                and recent.account[row] == account
            ):
                return entry
        place = (place + 1) & mask


@kernel
def client_insert(s, entry):
    slots = CLIENT_SLOT(s)
    mask = len(slots) - 1
    place = client_home(s, entry) & mask
    while slots[place] != 0:
        place = (place + 1) & mask
    slots[place] = entry
    return 0


@kernel
def client_place(s, entry):
    """The slot that holds this entry."""
    slots = CLIENT_SLOT(s)
    mask = len(slots) - 1
    place = client_home(s, entry) & mask
    while slots[place] != entry:
        place = (place + 1) & mask
    return place


@kernel
def client_remove(s, entry):
    """Take an entry out, closing the gap so that searches never stop early."""
    slots = CLIENT_SLOT(s)
    mask = len(slots) - 1
    gap = client_place(s, entry)
    place = gap
    while True:
        place = (place + 1) & mask
        other = slots[place]
        if other == 0:
            break
        home = client_home(s, other) & mask
        if ((place - home) & mask) >= ((place - gap) & mask):
            slots[gap] = other
            gap = place
    slots[gap] = 0
    return 0


@leaf
def has_client_id(s, row):
    if not unlikely(ORDER(s).noted[row]):
        return False
    note = NOTE(s)
    return (note.client0[row] | note.client1[row] | note.client2[row] | note.client3[row] | note.client4[row]) != 0


@far
def retire_client_id(s, row):
    """Remember a closed order's client id among the recent ones; the oldest of those is forgotten."""
    machine, note, recent = MACHINE(s), NOTE(s), RECENT(s)
    place = 1 + machine.recent_number[0] % LAYOUT(s)[L_RECENT]
    machine.recent_number[0] += 1
    if recent.used[place]:
        client_remove(s, -place)
    slot = client_place(s, row)
    recent.used[place] = 1
    recent.account[place] = commander(s, LEG(s).account[ORDER(s).leg[row]])
    recent.order[place] = ORDER(s).id[row]
    recent.client0[place] = note.client0[row]
    recent.client1[place] = note.client1[row]
    recent.client2[place] = note.client2[row]
    recent.client3[place] = note.client3[row]
    recent.client4[place] = note.client4[row]
    CLIENT_SLOT(s)[slot] = -place
    return 0


@leaf
def lowest_free_order(s):
    """The lowest free order row, or 0 if the table is full."""
    return max(0, bit_next(s, LAYOUT(s)[L_BITS_ORDER], len(ORDER(s)), MACHINE(s).free_order[0]))


@leaf
def take_order_row(s, row):
    bit_clear(s, LAYOUT(s)[L_BITS_ORDER], len(ORDER(s)), row)
    MACHINE(s).free_order[0] = row + 1


@leaf
def free_order_row(s, row):
    bit_set(s, LAYOUT(s)[L_BITS_ORDER], len(ORDER(s)), row)
    MACHINE(s).free_order[0] = min(MACHINE(s).free_order[0], row)


@far
def wipe_note(s, row):
    note = NOTE(s)
    ORDER(s).noted[row] = 0
    note.priority[row] = 0
    note.margin[row] = 0
    note.client0[row] = 0
    note.client1[row] = 0
    note.client2[row] = 0
    note.client3[row] = 0
    note.client4[row] = 0
    note.trigger[row] = 0
    note.callback[row] = 0
    note.best[row] = 0
    note.expires_ns[row] = 0
    note.trigger_kind[row] = 0
    note.trigger_on[row] = 0
    return 0


@leaf
def wipe_order(s, row):
    """A free row is all zero."""
    order = ORDER(s)
    order.id[row] = 0
    order.price[row] = 0
    order.remaining[row] = 0
    order.filled[row] = 0
    order.reserve[row] = 0
    order.leg[row] = 0
    order.next[row] = 0
    order.prev[row] = 0
    order.next_of_leg[row] = 0
    order.prev_of_leg[row] = 0
    order.side[row] = 0
    order.state[row] = 0
    order.options[row] = 0
    order.order_type[row] = 0
    order.tif[row] = 0
    order.stp[row] = 0
    if unlikely(order.noted[row]):
        wipe_note(s, row)
    return 0


@leaf
def retire(s, row):
    """An order is over: its row is free again."""
    account = LEG(s).account[ORDER(s).leg[row]]
    leg_list_remove(s, row)
    ACCOUNT(s).orders[account] -= 1
    if unlikely(has_client_id(s, row)):
        retire_client_id(s, row)
    wipe_order(s, row)
    free_order_row(s, row)
    return 0


@leaf
def count_in(s, row, lots):
    """Add resting lots of an order to its leg's sums (take them out if negative)."""
    order, orders = ORDER(s), LEG_OPEN(s)
    leg = order.leg[row]
    if unlikely(is_reduce_only(order.options[row])):
        orders.reduce_lots[leg] += lots
    elif order.side[row] > 0:
        orders.bid_lots[leg] += lots
        orders.bid_reserve[leg] += lots * order.reserve[row]
    else:
        orders.ask_lots[leg] += lots
        orders.ask_reserve[leg] += lots * order.reserve[row]


@leaf
def free_atoms(s, account, asset):
    """What E leaves above M(open), in atoms of an asset, rounded down."""
    equity, requirement, _ = account_risk(s, account, FOR_OPEN)
    return max(0, atoms_down(equity - requirement, ASSET(s).price[asset]))


@far
def give_back(s, leg, amount):
    """Return isolated margin to the parent: this much, or everything if the child is empty.

    While an order of the child meets the book, what it still needs is counted nowhere: the amount waits until then.
    """
    table, machine = ACCOUNT(s), MACHINE(s)
    child = LEG(s).account[leg]
    if table.role[child] != CHILD or table.queued[child]:
        return 0
    if machine.matching[0] == child:
        machine.released[0] += amount
        return 0
    market = market_of(s, leg)
    asset = MARKET_RULE(s)[market, M_SETTLE]
    present = cash(s, child, asset)
    if LEG(s).quantity[leg] == 0 and table.orders[child] == 0:
        amount = present
    elif amount > 0:
        amount = min(amount, present, free_atoms(s, child, asset))
    if amount <= 0:
        return 0
    transfer(s, child, table.parent[child], asset, amount)
    say(s, MARGIN_MOVED, table.parent[child], market, 0, 0, child, 0, 0, -amount, 0, 0, 0, 0, 0)
    return amount


@kernel
def closing_share(s, leg, before):
    """The part of a child's cash that stood behind lots closed since its position was this.

    Nothing if the position is gone (an empty child returns everything) or has turned round.
    """
    quantity = LEG(s).quantity[leg]
    closed = abs(before) - abs(quantity)
    if closed <= 0 or quantity == 0 or (quantity > 0) != (before > 0):
        return 0
    held = cash(s, LEG(s).account[leg], MARKET_RULE(s)[market_of(s, leg), M_SETTLE])
    return mul_div_down(max(0, held), closed, abs(before))


@kernel
def trailing_add(s, market, row):
    note, table = NOTE(s), MARKET(s)
    first = table.trailing[market]
    note.next_trailing[row] = first
    note.prev_trailing[row] = 0
    if first:
        note.prev_trailing[first] = row
    table.trailing[market] = row
    table.trailing_orders[market] += 1
    return 0


@far
def trailing_remove(s, market, row):
    note, table = NOTE(s), MARKET(s)
    before, after = note.prev_trailing[row], note.next_trailing[row]
    if before:
        note.next_trailing[before] = after
    else:
        table.trailing[market] = after
    if after:
        note.prev_trailing[after] = before
    note.next_trailing[row] = 0
    note.prev_trailing[row] = 0
    table.trailing_orders[market] -= 1
    return 0


@leaf
def loosen(s, leg, side):
    """Lots left a side of a leg's orders. Only lots that would reduce the position can have lowered M(open)."""
    if LEG(s).quantity[leg] * side < 0:
        restate(s, leg)
    else:
        ACCOUNT(s).loose[LEG(s).account[leg]] = 1


@leaf
def margin_of(s, row):
    """The isolated margin that was moved for an order."""
    return NOTE(s).margin[row] if unlikely(ORDER(s).noted[row]) else 0


@leaf
def add_margin(s, row, amount):
    if unlikely(amount):
        ORDER(s).noted[row] = 1
        NOTE(s).margin[row] += amount


@leaf
def leave(s, row, reason, extra):
    """Close an order that still has lots: out of the book or the alarms, released, told."""
    order, note = ORDER(s), NOTE(s)
    leg, remaining, side = order.leg[row], order.remaining[row], order.side[row]
    account, market = LEG(s).account[leg], market_of(s, leg)
    if order.state[row] == RESTING:
        level_remove(s, market, row)
        count_in(s, row, -remaining)
    elif order.state[row] == WAITING:
        if note.trigger_kind[row] == TRAILING:
            trailing_remove(s, market, row)
        else:
            alarm_remove(s, order_node(s, row))
    say(s, ORDER_CLOSED, account, market, side, order.id[row], 0, 0, remaining, 0, 0, extra, 0, reason, 0)
    margin = margin_of(s, row)
    retire(s, row)
    loosen(s, leg, side)
    if unlikely(ACCOUNT(s).role[account] == CHILD):
        give_back(s, leg, margin)
    return 0


far_leave = far_twin(leave)


@leaf
def shrink_margin(s, row, left, before):
    """An order's isolated margin shrinks with it; what falls away stays with the position (or is given back)."""
    note = NOTE(s)
    if unlikely(ORDER(s).noted[row]) and note.margin[row]:
        note.margin[row] = mul_div_down(note.margin[row], left, before)


@kernel
def cut(s, row, lots):
    """Shrink a resting order in its place."""
    order, table = ORDER(s), MARKET(s)
    market = market_of(s, order.leg[row])
    LADDER(s).lots[table.ladder[market] + order.price[row]] -= lots
    count_in(s, row, -lots)
    shrink_margin(s, row, order.remaining[row] - lots, order.remaining[row])
    order.remaining[row] -= lots
    loosen(s, order.leg[row], order.side[row])
    return 0


@kernel
def say_amended(s, row, kept_place):
    order, leg = ORDER(s), LEG(s)
    account, market = leg.account[order.leg[row]], market_of(s, order.leg[row])
    side, price, lots = order.side[row], order.price[row], order.remaining[row]
    say(s, ORDER_AMENDED, account, market, side, order.id[row], 0, price, lots, 0, 0, kept_place, 0, 0, 0)
    return 0


@far
def shrink_reduce_only(s, leg):
    """Reduce-only quantity never exceeds the position: the newest shrinks first."""
    order, orders = ORDER(s), LEG_OPEN(s)
    row = orders.last_order[leg]
    while row and orders.reduce_lots[leg] > 0:
        before = order.prev_of_leg[row]
        if order.state[row] == RESTING and is_reduce_only(order.options[row]):
            quantity = LEG(s).quantity[leg]
            allowed = abs(quantity) if (quantity > 0) != (order.side[row] > 0) else 0
            excess = orders.reduce_lots[leg] - allowed
            if excess <= 0:
                break
            if excess >= order.remaining[row]:
                far_leave(s, row, CLOSED_REDUCE_ONLY, 0)
            else:
                cut(s, row, excess)
                say_amended(s, row, 1)
        row = before
    return 0
