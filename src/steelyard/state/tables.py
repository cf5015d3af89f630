"""The tables that are the state, how compiled code sees them, and how Python owns them.

Each table is one aligned structured array of padded rows; row 0 means "none". A *fact* is part of the state's identity.
An *index* (columns named in `INDEX_COLUMNS`, tables in `INDEX_TABLES`) only makes finding fast: it can be rebuilt from
the facts at any time and is outside the hash.

Compiled code opens the few tables it uses with a view, `leg = LEG(s)`: see `views`.
"""

import mmap
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from steelyard.model import keys
from steelyard.model.commands import COMMAND as COMMAND_ROW
from steelyard.model.events import EVENT as EVENT_ROW
from steelyard.model.orders import ACTIONS, SYSTEM_ACCOUNTS
from steelyard.num import FAR_MAX, JIT, far_addresses
from steelyard.num.limits import LEGS_PER_ACCOUNT_MAX, MARKETS_MAX, ORDER_ID_SHIFT, ROWS_MAX, SOURCES_MAX
from steelyard.state import views

WORK_EVENTS = 1 << 16  # more than one order's matching, one turn of liquidation or the conversions of a command say

# The least and the most of each limit.
_ALLOWED = {
    "assets": (1, LEGS_PER_ACCOUNT_MAX),  # the accounts of the house hold every asset
    "feeds": (1, 1 << 20),  # the range of the keys that name a row of these
    "markets": (1, MARKETS_MAX),
    "risk_tiers": (1, 1 << 20),
    "owners": (1, ROWS_MAX),
    "accounts": (SYSTEM_ACCOUNTS, ROWS_MAX),
    "legs": (0, ROWS_MAX),
    "orders": (1, (1 << ORDER_ID_SHIFT) - 1),
    "references": (1, ROWS_MAX),
    "recent_client_ids": (1, ROWS_MAX),
    "ladder_ticks": (1, 1 << 40),
    "orders_per_account": (1, ROWS_MAX),
    "trailing_per_market": (0, ROWS_MAX),  # each is looked at whenever a price of its market moves
    "staged_rows": (1, 1 << 20),
    "liquidations_per_command": (0, ROWS_MAX),
    "triggers_per_command": (0, ROWS_MAX),
    "curves": (1, 1 << 14),
    "bids": (1, 1 << 10),  # of one instant: WORK_EVENTS has room for what they say
    "events_per_command": (1, 1 << 20),  # with none, what waits for the end of a command would wait for ever
}


@dataclass(frozen=True)
class Limits:
    """How much room a machine has. Everything is allocated at the start; pages never touched cost nothing."""

    assets: int = 32
    feeds: int = 128
    markets: int = 64
    risk_tiers: int = 16
    owners: int = 1 << 17
    accounts: int = 1 << 17
    legs: int = 1 << 19
    orders: int = 1 << 18
    references: int = 1 << 18
    recent_client_ids: int = 1 << 16
    ladder_ticks: int = 1 << 24
    orders_per_account: int = 200
    trailing_per_market: int = 4096
    staged_rows: int = 512
    liquidations_per_command: int = 64
    triggers_per_command: int = 64
    events_per_command: int = 16384
    curves: int = 128
    bids: int = 256

    def __post_init__(self) -> None:
        for name, (low, high) in _ALLOWED.items():
            self._require(name, low, high)
        self._require("legs", self.legs_reserved, ROWS_MAX)
        # Alarms are numbered: two for each leg, then one for each order.
        self._require("legs", 0, ((1 << 31) - 2 - self.orders) // 2 - self.accounts - 1)

    def _require(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"limit {name} is {value!r}, must be a whole number from {low} to {high}")

    @property
    def legs_reserved(self) -> int:
        """Rows that only the machine itself may use, so that no liquidation lacks one.

        Cash in every other asset than the first for insurance, fees, backstop, lender, converter and dust, and a
        position in every market for the backstop: all that the machine opens without asking for room.
        """
        return 6 * (self.assets - 1) + self.markets

    @property
    def command_events(self) -> int:
        """More events than one command, or one piece of clock work, can write.

        Cancelling everything closes an account's orders and those of its isolated positions, and each may return
        margin; a set of prices may move every feed, every share and every mark; then comes the end of the command.
        """
        closed = min(self.orders, LEGS_PER_ACCOUNT_MAX * self.orders_per_account)
        moved = self.feeds + self.assets + self.markets
        return 2 * closed + moved + self.events_per_command + WORK_EVENTS


def row(size: int, **columns: str) -> np.dtype[Any]:
    """An aligned row of `size` bytes, padded so that rows do not straddle cache lines."""
    plain: Any = np.dtype(list(columns.items()), align=True)
    assert plain.itemsize <= size, f"the columns need {plain.itemsize} bytes"
    names = list(plain.names or ())
    fields: Any = plain.fields
    return np.dtype(
        {
            "names": names,
            "formats": [fields[name][0] for name in names],
            "offsets": [fields[name][1] for name in names],
            "itemsize": size,
            "aligned": True,
        }
    )


MACHINE_ROW = row(
    384,
    seq="i8",
    now_ns="i8",
    order_number="i8",  # orders ever accepted; ids and time priority come from it
    recent_number="i8",  # client ids ever retired
    assets="i4",
    feeds="i4",
    markets="i4",
    risk_tiers="i4",
    owners="i4",
    accounts="i4",
    staged="i4",
    dropping="i4",  # the kind of a set that was too long: its rows are passed over up to its last one
    queued="i4",  # accounts in liquidation
    references="i4",
    reference_at="i4",  # the row that the last new reference took
    fatal="i4",  # an impossible state was met; Python stops the process
    capping="i4",  # the account to look at next because a loan cap was lowered; 0: all were looked at
    open_epoch="i4",  # index: raised when references or parameters changed
    failed="i4",  # index: which staged row was refused
    failed_key="i4",  # index: which parameter disagreed with another
    ladder_used="i8",  # index: ticks handed out to markets
    ladder_bits_used="i8",  # index
    events="i8",  # index: rows written in this run
    judged="i8",  # index: accounts judged exactly since the start
    rearmed="i8",  # index
    proven="i8",  # index: certificates made anew on the boxes as they were
    dirty="i8",  # index: length of the dirty list
    converting="i8",  # index
    timers="i8",  # index: lengths of the heaps
    turns="i8",  # index
    triggers="i8",  # index
    hot="i8",  # index: accounts whose slack no box could prove
    sweep_all="i8",  # index: judge everybody instead of ringing alarms
    weaken_ppm="i8",  # index: a test's deliberate widening of every alarm
    prices_moved="i8",  # index
    pending="i8",  # index: markets whose last price may have reached a stop
    stale_at_ns="i8",  # index: until then every asset price that was fresh stays fresh
    leg_rows="i8",  # index: legs in use beyond each account's first
    free_order="i8",  # index: no order row below this one is free
    promised="i8",  # index: 1 while the slack counts the order that is being matched
    deviation="i8",  # index: how far any driver has gone from its reference, in 2**-24
    fills="i8",  # index: since the start
    matching="i8",  # index: the isolated account whose own order meets the book; nothing returns from it meanwhile
    released="i8",  # index: margin that its orders gave up meanwhile
    pairs="i8",  # index: markets that are spot pairs
    curves="i4",
    bids="i4",  # that wait for the end of their instant
    bids_due_ns="i8",
    settling="i4",  # markets that have expired, with legs still to close
    excess="i4",  # index: markets and assets that ask for more where too much of an account is one thing
)

ASSET_ROW = row(
    256,
    price="i8",  # value atoms per atom x ASSET_PRICE_SCALE
    fresh_until_ns="i8",  # good for opening until then
    deposited="i8",
    withdrawn="i8",
    reserved="i8",  # withdrawals not yet confirmed
    loans="i8",  # sum of cash below zero
    open_ref="i8",  # index: reference price of opening slacks
    moved_seq="i8",  # index: the command in which the price or the borrow index last changed
    borrow_index="i8",
    owed="i8",  # all debts with the interest accrued on them, rounded down
    accrued_ns="i8",
    next_interest_ns="i8",
    borrow_ref="i8",  # index: borrow index when all debtors were last armed
    debtors="i4",  # index: first cash leg below zero
    pool="i4",  # index: the share in what is lent of this asset; 0: it has no pool
    reserve="i8",  # of the interest that has not been settled, what the insurance fund gets
    outflow_until_ns="i8",  # when all that was redeemed and borrowed will have been forgotten
    active_ns="i8",  # how long its price has been fresh and it not frozen, up to
    active_at_ns="i8",
    fund_day="i8",  # the last day on which the insurance fund was asked, while a cap counts
    fund_paid="i8",  # and what it paid in it
    below="i8",  # the price may be so much lower
    above="i8",  # or so much higher
    open_gap="i8",  # index: opening slacks count it wrong by this, at least both
    owed_rest="i8",  # beside `owed`, in 10**-12 of an atom
    reserve_rest="i8",  # beside `reserve`
    rate_held="i8",  # a year, in 10**-12: at the target utilisation, or by the peg when it last accrued
    keeper="i4",  # the account that holds what the pool of a share has, or what borrowers gained; 0: the lender
    stakes="i4",  # index: the first share in a stake pool of this asset
    next_stake="i4",  # index: of a share, the next one in the same asset
    gained="i8",  # of what gains: the sum per share, in 2**-48 of an atom
    undivided="i8",  # atoms gained that could not be divided yet
    debt_shares="i8",  # index: what all debts have of the sum, where borrowers take over each other's debts
)

FEED_ROW = row(
    192,
    price="i8",
    fresh_until_ns="i8",
    user="i4",
    user_is_market="i4",
    taken_seq="i8",  # index: the command that last recomputed it
    good_price="i8",  # the last one that was good for liquidating
    # Of feeds with a policy; 0 without.
    now_price="i8",  # what the sources say, cut to the cap
    below="i8",
    above="i8",
    before="i8",  # mean of the last full window
    mean="i8",  # of the present one: its sum is mean x mean_ns + rest
    rest="i8",
    mean_ns="i8",
    mean_at_ns="i8",
    anchor="i8",  # the price moves at most a step from here
    anchor_at_ns="i8",
    pending="i8",  # takes effect at pending_ns; 0: none
    pending_ns="i8",
    calm_ns="i8",  # liquidation waits until then
    told="i8",  # bits of the actions it was last said to be good for
)
SOURCE_ROW = row(32, price="i8", confidence="i8", at_ns="i8")

MARKET_ROW = row(
    384,
    mark="i8",  # ticks
    index="i8",  # ticks
    last="i8",  # ticks
    fresh_until_ns="i8",  # the index is good for opening until then
    mark_at_ns="i8",
    basis="i8",  # EMA of mid less index, in 2**-20 ticks
    funding_index="i8",  # 2**-20 ticks
    funding_rate="i8",  # ppb, of the last interval
    next_funding_ns="i8",
    next_sample_ns="i8",
    premium_sum="i8",  # ppb
    open_interest="i8",  # lots held long
    clearing="i8",  # exactly minus the sum of its legs' cost
    funding_pool="i8",  # funding paid in less funding paid out, atoms
    funding_dust="i8",  # roundings, in 2**-20 atoms
    oi_scale_ppm="i8",
    funding_ref="i8",  # index: alarms are keyed on mark less (funding_index - funding_ref)
    funding_band="i8",  # index: and hold while that difference stays within
    open_ref="i8",  # index: reference of opening slacks
    open_lot="i8",  # index: atoms that a lot is worth there, at least
    moved_seq="i8",  # index: the command in which mark or funding index last changed
    best_bid="i8",  # index: 0 if none
    best_ask="i8",  # index: 0 if none
    ladder="i8",  # index: first row of its ladder
    ladder_bits="i8",  # index
    holders="i4",  # index: first leg
    trailing="i4",  # index: first trailing stop
    trailing_orders="i4",  # index: how many of them wait
    pending="i4",  # index
    scale="i8",  # index: atoms per tick and lot; -1 of an inverse market, whose worth falls as the price rises
    index_sum="i8",  # of the settlement price: ticks x microseconds, while the index was good for settling
    index_micros="i8",
    index_at_ns="i8",  # taken in up to here
    settling="i8",  # the leg to close next; 0: all are closed
    worth="i8",  # index: of a lot at the mark, in 2**-20 of a tick; of an inverse market in 2**-20 atoms
    below="i8",  # the index may be so much lower
    above="i8",  # or so much higher
    good_mark="i8",  # the last one that was good for liquidating
    calm_ns="i8",  # liquidation waits until then
    unshown="i8",  # bits of ON_*: stops have not seen this price yet
    open_gap="i8",  # index: opening slacks count a lot worth so many atoms less, at least what both ends may cost
)

ACCOUNT_ROW = row(
    128,
    # The first cache line is what an order and a fill look at.
    owner="i4",
    orders="i4",  # open orders, waiting ones included
    first_leg="i4",  # index: of its list, the newest
    open_epoch="i4",  # index
    risk_tier="i4",  # index: of its owner, like the next three
    fee_tier="i1",  # index
    stp="i1",  # index
    legs="i1",
    debts="i1",  # index: cash legs below zero
    unsorted="i1",  # index: 1 if its list of legs is not in order of thing
    isolates="i1",  # index: 1 if the owner holds any market in isolated mode
    role="i1",
    queued="i1",  # 0, or WAITS, COOLS, OWES
    armed="i1",  # index: 1 boxes hold, 2 hot
    dirty="i1",  # index
    alone="i1",  # index: 1 while it is its owner's only account
    converting="i1",  # index
    loose="i1",  # index: 1 if the slack is known to be larger
    pairs="i1",  # index: legs of spot pairs; then no slack is kept
    scans="i1",  # index: 1 if its owner is margined by scenarios; no slack is kept then either
    certificate="i8",  # index: a lower bound of E - M(maintain) while no driver leaves its box
    slack="i8",  # index: a lower bound of E - M(open) with every driver at its reference
    reach="i8",  # index: at least what moves with the drivers, in 2**24 atoms
    # The second line is for judgements and settings.
    parent="i4",
    market="i4",  # of an isolated child
    started="i1",  # liquidation events have begun
    next_of_owner="i4",  # index
    hot_at="i4",  # index: place in the hot list, from 1
    health="i8",  # E / M(maintain) in ppm when it was queued
    due_ns="i8",  # end of the cool-down
    cancel_at_ns="i8",
)

OWNER_ROW = row(8, first_account="i4")

LEG_ROW = row(
    64,
    account="i4",
    thing="i4",  # an asset's row, or MARKET_0 + a market's row
    quantity="i8",  # lots or atoms
    cost="i8",  # atoms; equity = value - cost
    index_at_touch="i8",  # funding or interest is settled up to here; 0: cash that owes nothing
    next_of_account="i4",  # index
    child="i4",  # the isolated child that holds this market for this account
    box_low="i8",  # index: alarm keys
    box_high="i8",  # index
    offered_from="i8",  # of cash: active time of its asset when the liquidation began
)
MARKET_0 = 256  # things from here on are markets
assert LEGS_PER_ACCOUNT_MAX < MARKET_0, "every asset has its thing"
assert MARKETS_MAX < 64 * (keys.OWNER_WIDTH - keys.O_ISOLATED), "every market has its bit"

LEG_OPEN_ROW = row(
    64,
    bid_lots="i8",  # of resting orders that are not reduce-only
    ask_lots="i8",
    bid_reserve="i8",  # crossing loss and fees of those orders, atoms
    ask_reserve="i8",
    reduce_lots="i8",  # of resting reduce-only orders
    leverage="i4",  # 0: the market's default
    first_order="i4",  # index: oldest
    last_order="i4",  # index: newest
    open_reach="i4",  # index: the leg's part of its account's reach
    open_term="i8",  # index: the leg's part of its account's opening slack
)

ORDER_ROW = row(
    64,
    id="i8",
    remaining="i8",
    filled="i8",
    reserve="i8",  # atoms per lot
    price="i4",
    leg="i4",
    next="i4",  # index: of its price level, towards the newest
    prev="i4",  # index
    next_of_leg="i4",  # index
    prev_of_leg="i4",  # index
    side="i1",
    state="i1",
    options="i1",
    order_type="i1",
    tif="i1",
    stp="i1",
    noted="i1",  # index: 1 if its note may say something
)
# What few orders have. The note of an order that is not noted is all zero, and never looked at.
NOTE_ROW = row(
    128,
    priority="i8",  # 0: that of its id
    margin="i8",  # moved to the child for what remains
    client0="i8",
    client1="i8",
    client2="i8",
    client3="i8",
    client4="i8",
    trigger="i8",
    callback="i8",
    best="i8",  # extreme seen by a trailing stop
    expires_ns="i8",
    trigger_kind="i1",
    trigger_on="i1",
    next_trailing="i4",  # index
    prev_trailing="i4",  # index
)

REFERENCE_ROW = row(
    64,
    client0="i8",
    client1="i8",
    client2="i8",
    client3="i8",
    client4="i8",
    amount="i8",
    account="i4",
    asset="i2",
    state="i2",
)
BID_ROW = row(
    128,
    bidder="i4",
    collateral="i4",
    target="i8",
    debt="i8",
    options="i4",
    curve="i4",  # index, like the rest: what the bid would do, as it was last looked at
    lots="i8",
    least="i8",
    seq="i8",
    value="i8",  # index: y
    most="i8",  # index: how much may be repaid
    repaid="i8",  # index
    net="i8",  # index: collateral to the bidder
    fee="i8",  # index
    equity="i8",  # index
)
RECENT_ROW = row(
    64, client0="i8", client1="i8", client2="i8", client3="i8", client4="i8", order="i8", account="i4", used="i4"
)
LADDER_ROW = row(16, head="i4", tail="i4", lots="i8")
HEAP_ROW = row(16, key="i8", target="i8")
NODE_ROW = row(8, next="i4", prev="i4")
DRIVER_ROW = row(32, low="i8", high="i8", holders="i8")  # nearest alarms below and above
SCORE_ROW = row(32, score="i8", account="i4", leg="i4", a="i8", b="i8")

# Buckets of an alarm ladder: 12 bits of mantissa, so a bucket spans one part in 4,096 of its price.
MANTISSA_BITS = 12
BUCKETS = (64 - MANTISSA_BITS) << MANTISSA_BITS
DRIVERS_PER_MARKET = 4  # mark less funding (boxes); mark, index and last (stops)


def bitmap_words(size: int) -> int:
    """Words of a four-level bitmap over `size` positions."""
    total, level = 0, size
    for _ in range(4):
        level = (level + 63) >> 6
        total += level
    return total


_SLOTS: tuple[tuple[str, Any], ...] = (
    ("machine", MACHINE_ROW),
    ("asset", ASSET_ROW),
    ("feed", FEED_ROW),
    ("feed_until", ACTIONS),  # until when a feed's price is good for each
    ("source", SOURCE_ROW),
    ("market", MARKET_ROW),
    ("account", ACCOUNT_ROW),
    ("owner", OWNER_ROW),
    ("leg", LEG_ROW),
    ("leg_open", LEG_OPEN_ROW),
    ("order", ORDER_ROW),
    ("note", NOTE_ROW),
    ("reference", REFERENCE_ROW),
    ("recent", RECENT_ROW),
    ("bid", BID_ROW),
    ("staged", COMMAND_ROW),
    ("asset_rule", keys.ASSET_WIDTH),
    ("feed_rule", keys.FEED_WIDTH),
    ("market_rule", keys.MARKET_WIDTH),
    ("tier_rule", keys.TIER_WIDTH),
    ("owner_rule", keys.OWNER_WIDTH),
    ("curve_rule", keys.CURVE_WIDTH),
    ("array_rule", keys.ARRAY_WIDTH),  # of each market
    ("ramp", keys.RAMP_WIDTH),  # of each asset, then of each market
    ("draft", keys.MARKET_WIDTH),  # index: a rule row being configured; second row: what its ramped keys were set to
    ("key_range", 5),  # constant: (exists, low, high, default, fixed) by table kind and key
    ("ladder", LADDER_ROW),
    ("bits", np.dtype("i8")),
    ("node", NODE_ROW),  # alarms: two per leg, then one per order
    ("bucket", np.dtype("i4")),
    ("driver", DRIVER_ROW),
    ("leg_slot", np.dtype("i8")),  # a row, and the upper half of its hash
    ("client_slot", np.dtype("i4")),
    ("reference_slot", np.dtype("i4")),
    ("heap", HEAP_ROW),  # three heaps: timers, liquidation turns, triggered orders
    ("holder", NODE_ROW),  # legs of a market; cash legs that owe an asset
    ("dirty", np.dtype("i4")),
    ("hot", np.dtype("i4")),
    ("converting", np.dtype("i4")),
    ("pending", np.dtype("i4")),
    ("scratch", np.dtype("i8")),
    ("score", SCORE_ROW),
    ("layout", np.dtype("i8")),  # sizes and offsets
    ("event", EVENT_ROW),
    ("command", COMMAND_ROW),  # the batch being run
)
_SLOT_OF = {name: slot for slot, (name, _) in enumerate(_SLOTS)}
FACT_TABLES = tuple(name for name, _ in _SLOTS[: _SLOT_OF["draft"]])
INDEX_TABLES = tuple(name for name, _ in _SLOTS[_SLOT_OF["draft"] :])
INDEX_COLUMNS = {
    "machine": (
        "open_epoch",
        "failed",
        "failed_key",
        "ladder_used",
        "ladder_bits_used",
        "events",
        "judged",
        "rearmed",
        "proven",
        "dirty",
        "converting",
        "timers",
        "turns",
        "triggers",
        "hot",
        "sweep_all",
        "weaken_ppm",
        "prices_moved",
        "pending",
        "stale_at_ns",
        "leg_rows",
        "free_order",
        "promised",
        "deviation",
        "fills",
        "matching",
        "released",
        "pairs",
        "excess",
    ),
    "market": (
        "funding_ref",
        "funding_band",
        "open_gap",
        "open_ref",
        "open_lot",
        "moved_seq",
        "best_bid",
        "best_ask",
        "ladder",
        "ladder_bits",
        "holders",
        "trailing",
        "trailing_orders",
        "pending",
        "scale",
        "worth",
    ),
    "account": (
        "debts",
        "unsorted",
        "risk_tier",
        "fee_tier",
        "stp",
        "isolates",
        "alone",
        "pairs",
        "scans",
        "first_leg",
        "next_of_owner",
        "certificate",
        "slack",
        "reach",
        "loose",
        "open_epoch",
        "armed",
        "dirty",
        "hot_at",
        "converting",
    ),
    "asset": (
        "open_gap",
        "open_ref",
        "moved_seq",
        "borrow_ref",
        "debtors",
        "pool",
        "stakes",
        "next_stake",
        "debt_shares",
    ),
    "feed": ("taken_seq",),
    "owner": ("first_account",),
    "bid": ("curve", "value", "most", "repaid", "net", "fee", "equity"),
    "leg": ("next_of_account", "box_low", "box_high"),
    "leg_open": ("first_order", "last_order", "open_reach", "open_term"),
    "order": ("next", "prev", "next_of_leg", "prev_of_leg", "noted"),
    "note": ("next_trailing", "prev_trailing"),
}

# Places in `layout`.
L_ACCOUNTS, L_LEGS, L_ORDERS, L_REFERENCES, L_RECENT, L_LADDER, L_STAGED = 0, 1, 2, 3, 4, 5, 6
L_ASSETS, L_FEEDS, L_MARKETS, L_TIERS, L_OWNERS = 7, 8, 9, 10, 11
L_ORDERS_PER_ACCOUNT, L_LIQUIDATIONS, L_TRIGGERS, L_EVENTS_PER_COMMAND = 12, 13, 14, 15
L_BITS_ORDER, L_BITS_REFERENCE, L_BITS_DRIVER, L_BITS_LADDER = 16, 17, 18, 19
L_EVENTS = 20
L_HEAPS = 21  # (first row, capacity) of each heap
L_LEGS_RESERVED, L_COMMAND_EVENTS, L_TRAILING = 28, 29, 30
L_CURVES, L_BIDS = 32, 33
LAYOUT_SIZE = 48


# A full sweep: threads at most, and how many accounts' legs each asks for at once.
SWEEP_LANES, SWEEP_BLOCK = 8, 256

# A slot of the legs: the row below, above it the same bits of the hash of whose and of what.
SLOT_ROW_BITS = 32
SLOT_ROW_MASK = (1 << SLOT_ROW_BITS) - 1

# Tables whose rows are used from the lowest up and looked up at random.
_DENSE = ("account", "leg_slot", "order", "note", "node", "holder", "bits", "event")


# A leg and its orders are looked up together: row by row they lie side by side.
_PAIR = ("leg", "leg_open")


def _stride(name: str) -> int:
    """Bytes from a row of a table to the next."""
    kind = _SLOTS[_SLOT_OF[name]][1]
    if isinstance(kind, int):
        return 8 * kind
    return sum(_SLOTS[_SLOT_OF[each]][1].itemsize for each in _PAIR) if name in _PAIR else int(kind.itemsize)


_CACHE_LINE, _LARGE_PAGE = 64, 2 << 20


def _zeroed(size: int, dense: bool) -> Any:
    """Zeroed bytes from a cache line on; for a large dense table in large pages: random rows then miss fewer caches."""
    if dense and size >= (4 << 20) and hasattr(mmap, "MADV_HUGEPAGE"):
        memory = mmap.mmap(-1, size + _LARGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_HUGEPAGE)
        room, unit = np.frombuffer(memory, np.uint8), _LARGE_PAGE
    else:
        room, unit = np.zeros(size + _CACHE_LINE, np.uint8), _CACHE_LINE
    return room[-room.ctypes.data % unit :][:size]


def rows_of_ramps(limits: Limits) -> int:
    """Row a is asset a's, row assets + m market m's."""
    return limits.assets + limits.markets + 1


class State:
    """Owns the arrays. `handle` is what compiled code receives."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits = limits or Limits()
        events = WORK_EVENTS + limits.command_events  # many small commands fill one part, the last may be large
        rows = {
            "machine": 1,
            "asset": limits.assets + 1,
            "feed": limits.feeds + 1,
            "source": (limits.feeds + 1) * SOURCES_MAX,
            "market": limits.markets + 1,
            "account": limits.accounts + 1,
            "owner": limits.owners + 1,
            # Row r up to the number of accounts is account r's cash in asset 1; other legs follow.
            "leg": limits.accounts + limits.legs + 1,
            "order": limits.orders + 1,
            "reference": limits.references + 1,
            "recent": limits.recent_client_ids + 1,
            "staged": limits.staged_rows,
            "bid": limits.bids + 1,
            "ramp": rows_of_ramps(limits),
            "draft": 2,
            "key_range": 8 * keys.MARKET_WIDTH,
            "ladder": limits.ladder_ticks,
            "scratch": limits.orders + limits.accounts + 64 + SWEEP_LANES * SWEEP_BLOCK,
            "score": limits.accounts + 1,
            "layout": LAYOUT_SIZE,
            "event": events,
            "command": 1,
        }
        rows["leg_open"] = rows["leg"]
        rows["note"] = rows["order"]
        for name in ("asset", "feed", "market", "owner"):
            rows[f"{name}_rule"] = rows[name]
        rows["feed_until"] = rows["feed"]
        rows["tier_rule"] = limits.risk_tiers + 1
        rows["curve_rule"] = limits.curves + 1
        rows["array_rule"] = rows["market"]
        rows["node"] = 2 * rows["leg"] + rows["order"]
        drivers = DRIVERS_PER_MARKET * rows["market"] + rows["asset"]
        rows["driver"] = drivers
        rows["bucket"] = drivers * 2 * BUCKETS
        rows["leg_slot"] = 1 << (2 * rows["leg"]).bit_length()
        rows["client_slot"] = 1 << (2 * (rows["order"] + rows["recent"])).bit_length()
        rows["reference_slot"] = 1 << (2 * rows["reference"]).bit_length()
        timers = 2 * (rows["order"] + 2 * rows["account"] + 4 * rows["market"] + 2 * rows["asset"] + rows["feed"] + 1)
        turns, triggered = 2 * rows["account"], 2 * rows["order"]
        rows["heap"] = timers + turns + triggered + 8
        rows["holder"] = rows["leg"]
        for name in ("dirty", "hot", "converting"):
            rows[name] = rows["account"]
        rows["pending"] = rows["market"]
        layout = np.zeros(LAYOUT_SIZE, np.int64)
        layout[: L_EVENTS_PER_COMMAND + 1] = (
            limits.accounts,
            limits.legs,
            limits.orders,
            limits.references,
            limits.recent_client_ids,
            limits.ladder_ticks,
            limits.staged_rows,
            limits.assets,
            limits.feeds,
            limits.markets,
            limits.risk_tiers,
            limits.owners,
            limits.orders_per_account,
            limits.liquidations_per_command,
            limits.triggers_per_command,
            limits.events_per_command,
        )
        words = 0
        for place, size in (
            (L_BITS_ORDER, rows["order"]),
            (L_BITS_REFERENCE, rows["reference"]),
            (L_BITS_DRIVER, 0),
        ):
            layout[place] = words
            words += bitmap_words(size)
        words += drivers * 2 * bitmap_words(BUCKETS)
        layout[L_BITS_LADDER] = words
        words += bitmap_words(limits.ladder_ticks) + 8 * limits.markets
        rows["bits"] = words
        layout[L_EVENTS] = events
        layout[L_LEGS_RESERVED] = limits.legs_reserved
        layout[L_COMMAND_EVENTS] = limits.command_events
        layout[L_TRAILING] = limits.trailing_per_market
        layout[L_CURVES] = limits.curves
        layout[L_BIDS] = limits.bids
        layout[L_HEAPS : L_HEAPS + 6] = (0, timers, timers, turns, timers + turns, triggered)

        directory = np.zeros(FAR_MAX + 2 * len(_SLOTS), np.int64)
        addresses = far_addresses()
        directory[: len(addresses)] = addresses
        pair = _zeroed(rows["leg"] * _stride("leg"), True)
        for slot, (name, kind) in enumerate(_SLOTS):
            step = _stride(name)
            memory = pair if name in _PAIR else _zeroed(rows[name] * step, name in _DENSE)
            offset = _SLOTS[_SLOT_OF["leg"]][1].itemsize if name == "leg_open" else 0
            table: Any
            if isinstance(kind, int):
                table = np.ndarray((rows[name], kind), np.int64, memory)
            else:
                table = np.ndarray(rows[name], kind, memory, offset, (step,))
            if table.dtype.names:
                table = table.view(np.recarray)
            if name == "layout":
                table[:] = layout
            setattr(self, name, table)
            directory[FAR_MAX + 2 * slot] = table.ctypes.data
            directory[FAR_MAX + 2 * slot + 1] = rows[name]
        self._directory = directory
        self.handle: Any = int(directory.ctypes.data) if JIT else self

    def load(self, commands: np.ndarray[Any, Any]) -> None:
        """Make a batch the one that compiled code sees; it must be an aligned, contiguous array of COMMAND rows."""
        self.command = commands
        place = FAR_MAX + 2 * _SLOT_OF["command"]
        self._directory[place] = commands.ctypes.data
        self._directory[place + 1] = len(commands)

    def __getattr__(self, name: str) -> Any:  # the tables are set by name above
        raise AttributeError(name)

    def describe(self) -> dict[str, int]:
        return asdict(self.limits)


def _view(name: str) -> Any:
    slot = _SLOT_OF[name]
    return views.view(slot, *_SLOTS[slot], _stride(name))


def _ahead(name: str) -> Any:
    slot = _SLOT_OF[name]
    return views.ahead(slot, _stride(name))


MACHINE = _view("machine")
ASSET = _view("asset")
FEED = _view("feed")
FEED_UNTIL = _view("feed_until")
SOURCE = _view("source")
MARKET = _view("market")
ACCOUNT = _view("account")
OWNER = _view("owner")
LEG = _view("leg")
LEG_OPEN = _view("leg_open")
ORDER = _view("order")
NOTE = _view("note")
REFERENCE = _view("reference")
RECENT = _view("recent")
BID = _view("bid")
STAGED = _view("staged")
ASSET_RULE = _view("asset_rule")
FEED_RULE = _view("feed_rule")
MARKET_RULE = _view("market_rule")
TIER_RULE = _view("tier_rule")
OWNER_RULE = _view("owner_rule")
CURVE_RULE = _view("curve_rule")
ARRAY_RULE = _view("array_rule")
RAMP = _view("ramp")
KEY_RANGE = _view("key_range")
DRAFT = _view("draft")
LADDER = _view("ladder")
BITS = _view("bits")
NODE = _view("node")
BUCKET = _view("bucket")
DRIVER = _view("driver")
LEG_SLOT = _view("leg_slot")
CLIENT_SLOT = _view("client_slot")
REFERENCE_SLOT = _view("reference_slot")
HEAP = _view("heap")
HOLDER = _view("holder")
DIRTY = _view("dirty")
HOT = _view("hot")
CONVERTING = _view("converting")
PENDING = _view("pending")
SCRATCH = _view("scratch")
SCORE = _view("score")
LAYOUT = _view("layout")
COMMAND = _view("command")
EVENT = _view("event")

# Hints for the rows that an order will touch.
AHEAD_ACCOUNT = _ahead("account")
AHEAD_LEG = _ahead("leg")
AHEAD_LEG_OPEN = _ahead("leg_open")
AHEAD_LEG_SLOT = _ahead("leg_slot")
AHEAD_ORDER = _ahead("order")
AHEAD_LADDER = _ahead("ladder")
AHEAD_COMMAND = _ahead("command")
