"""Alarms: who must be looked at again, without looking at everybody. Indices only; see "Boxes and certificates".

A *driver* is a number that moves accounts: a market's Y, its mark, index or last price (for stops), an asset's price.
Each driver has two ladders of keys, below and above it. A key rings when the driver reaches it. Nodes belong to legs
(two each: the ends of the leg's box) and to waiting orders (one each). A ladder is an array of buckets by the leading
12 bits of the key, a bitmap over them, and the nearest key on each side.
"""

from steelyard.engine.bitmap import bit_clear, bit_next, bit_previous, bit_set
from steelyard.engine.book import priority_of
from steelyard.engine.heap import TRIGGERS, heap_capacity, heap_length, heap_push, set_heap_length
from steelyard.model.orders import TRIGGERED, WAITING
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import INT64_MAX
from steelyard.num.wide import highest_bit
from steelyard.state.tables import (
    ACCOUNT,
    BUCKET,
    BUCKETS,
    DIRTY,
    DRIVER,
    DRIVERS_PER_MARKET,
    HOT,
    L_BITS_DRIVER,
    L_MARKETS,
    LAYOUT,
    LEG,
    MACHINE,
    MANTISSA_BITS,
    MARKET_0,
    NODE,
    NOTE,
    ORDER,
    bitmap_words,
)

LOW, HIGH = 0, 1
DRIVER_Y, DRIVER_MARK, DRIVER_INDEX, DRIVER_LAST = 0, 1, 2, 3
NOT_ARMED, ARMED, HOT_ARMED, QUEUED = 0, 1, 2, 3
_DRIVER_WORDS = bitmap_words(BUCKETS)


@leaf
def market_driver(market, which):
    return DRIVERS_PER_MARKET * market + which


@leaf
def asset_driver(s, asset):
    return DRIVERS_PER_MARKET * (LAYOUT(s)[L_MARKETS] + 1) + asset


@leaf
def bucket_of(key):
    """A monotone map of a 63-bit key to a bucket: its leading bits and how many follow."""
    if key < (1 << MANTISSA_BITS):
        return key
    shift = highest_bit(key) - MANTISSA_BITS
    return (shift << MANTISSA_BITS) + (key >> shift)


@leaf
def leg_node(row, side):
    return 2 * row + side


@leaf
def order_node(s, row):
    return 2 * len(LEG(s)) + row


@leaf
def key_of(s, node):
    legs = 2 * len(LEG(s))
    if node >= legs:
        return NOTE(s).trigger[node - legs]
    return LEG(s).box_high[node >> 1] if node & 1 else LEG(s).box_low[node >> 1]


@leaf
def mark_dirty(s, account):
    """This account must be judged at the end of the command."""
    table, machine = ACCOUNT(s), MACHINE(s)
    if table.dirty[account] == 0 and table.armed[account] != QUEUED:
        table.dirty[account] = 1
        DIRTY(s)[machine.dirty[0]] = account
        machine.dirty[0] += 1


@leaf
def bits_base(s, ladder):
    return LAYOUT(s)[L_BITS_DRIVER] + ladder * _DRIVER_WORDS


@far
def alarm_insert(s, driver, side, node):
    """Link a node under its key."""
    table, bucket, nearest = NODE(s), BUCKET(s), DRIVER(s)
    ladder = 2 * driver + side
    key = key_of(s, node)
    slot = ladder * BUCKETS + bucket_of(key)
    head = bucket[slot]
    if head == 0:
        bit_set(s, bits_base(s, ladder), BUCKETS, bucket_of(key))
    else:
        table.prev[head] = node
    table.next[node] = head
    table.prev[node] = -slot - 1
    bucket[slot] = node
    if side == LOW:
        nearest.low[driver] = max(nearest.low[driver], key)
    else:
        nearest.high[driver] = min(nearest.high[driver], key)
    return 0


@far
def alarm_remove(s, node):
    """Unlink a node, if it is linked. The nearest key may then be too near, which costs one look in vain."""
    table, bucket = NODE(s), BUCKET(s)
    prev, after = table.prev[node], table.next[node]
    if prev == 0:
        return 0
    if after:
        table.prev[after] = prev
    if prev > 0:
        table.next[prev] = after
    else:
        slot = -prev - 1
        bucket[slot] = after
        if after == 0:
            ladder = slot // BUCKETS
            bit_clear(s, bits_base(s, ladder), BUCKETS, slot - ladder * BUCKETS)
    table.prev[node] = 0
    table.next[node] = 0
    return 0


@leaf
def next_bucket(s, ladder, side):
    """The bucket nearest to the price on this side, or -1."""
    if side == LOW:
        return bit_previous(s, bits_base(s, ladder), BUCKETS, BUCKETS - 1)
    return bit_next(s, bits_base(s, ladder), BUCKETS, 0)


@kernel
def nearest_key(s, driver, side):
    """The key that would ring first, found by looking through its bucket."""
    ladder = 2 * driver + side
    found = next_bucket(s, ladder, side)
    if found < 0:
        return -1 if side == LOW else INT64_MAX
    table = NODE(s)
    node = BUCKET(s)[ladder * BUCKETS + found]
    best = key_of(s, node)
    while node:
        key = key_of(s, node)
        best = max(best, key) if side == LOW else min(best, key)
        node = table.next[node]
    return best


@kernel
def link_triggered(s):
    """Every triggered order, from the facts: sweeps entries of orders that were cancelled since."""
    order = ORDER(s)
    set_heap_length(s, TRIGGERS, 0)
    for row in range(1, len(order)):
        if order.state[row] == TRIGGERED:
            heap_push(s, TRIGGERS, priority_of(s, row), row)
    return 0


@kernel
def trigger_order(s, row):
    """A waiting order's price was reached: it will run, in its turn."""
    order = ORDER(s)
    if order.state[row] == WAITING:
        order.state[row] = TRIGGERED
        if heap_length(s, TRIGGERS) < heap_capacity(s, TRIGGERS):
            heap_push(s, TRIGGERS, priority_of(s, row), row)
        else:
            link_triggered(s)
    return 0


@kernel
def sound(s, node):
    """What a ringing node asks for."""
    legs = 2 * len(LEG(s))
    if node < legs:
        mark_dirty(s, LEG(s).account[node >> 1])
        return 0
    row = node - legs
    return trigger_order(s, row)


@far
def ring(s, driver, value):
    """The driver is at this value: everything it reached rings and is unlinked."""
    nearest, table, bucket = DRIVER(s), NODE(s), BUCKET(s)
    for side in range(2):
        if side == LOW:
            if value > nearest.low[driver]:
                continue
        elif value < nearest.high[driver]:
            continue
        ladder = 2 * driver + side
        here = bucket_of(value)
        while True:
            found = next_bucket(s, ladder, side)
            if found < 0 or (found < here if side == LOW else found > here):
                break
            node = bucket[ladder * BUCKETS + found]
            left = 0
            while node:
                after = table.next[node]
                key = key_of(s, node)
                if (value <= key) if side == LOW else (value >= key):
                    alarm_remove(s, node)
                    sound(s, node)
                else:
                    left += 1
                node = after
            if left:
                break
        key = nearest_key(s, driver, side)
        if side == LOW:
            nearest.low[driver] = key
        else:
            nearest.high[driver] = key
    return 0


@kernel
def leave_hot(s, account):
    table, hot, machine = ACCOUNT(s), HOT(s), MACHINE(s)
    place = table.hot_at[account]
    if place:
        last = hot[machine.hot[0] - 1]
        hot[place - 1] = last
        table.hot_at[last] = place
        table.hot_at[account] = 0
        machine.hot[0] -= 1
    return 0


@kernel
def enter_hot(s, account):
    table, hot, machine = ACCOUNT(s), HOT(s), MACHINE(s)
    if table.hot_at[account] == 0:
        hot[machine.hot[0]] = account
        machine.hot[0] += 1
        table.hot_at[account] = machine.hot[0]
    return 0


@kernel
def disarm_leg(s, row):
    leg = LEG(s)
    if leg.box_high[row] != 0:
        alarm_remove(s, leg_node(row, LOW))
        alarm_remove(s, leg_node(row, HIGH))
        leg.box_low[row] = 0
        leg.box_high[row] = 0
    return 0


@kernel
def disarm(s, account):
    """Take an account's alarms away (it is queued, hot, or about to be armed anew)."""
    leg, table = LEG(s), ACCOUNT(s)
    row = table.first_leg[account]
    while row:
        disarm_leg(s, row)
        row = leg.next_of_account[row]
    leave_hot(s, account)
    return 0


@leaf
def driver_of(s, thing):
    return asset_driver(s, thing) if thing < MARKET_0 else market_driver(thing - MARKET_0, DRIVER_Y)
