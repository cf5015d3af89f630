"""The rows of the twin: the facts of the machine's tables as plain objects."""

from copy import copy
from dataclasses import dataclass, field

from steelyard.model.keys import F_WEIGHT
from steelyard.model.orders import ACTIONS, CLOSE_POSITION, REDUCE_ONLY
from steelyard.num.limits import SOURCES_MAX
from steelyard.state.tables import MARKET_0
from tests.reference.interest import up_to_date

ID_ROWS = 1 << 24  # an order's id is its number times this, plus its row


@dataclass(slots=True)
class Ramp:
    """The way of parameters that tighten."""

    started: int = 0
    until: int = 0
    next: int = 0
    ways: dict = field(default_factory=dict)  # key -> (from, to)


@dataclass(slots=True)
class Asset:
    rule: list
    price: int = 0
    fresh_until_ns: int = 0
    deposited: int = 0
    withdrawn: int = 0
    reserved: int = 0
    borrow_index: int = 10**12
    owed: int = 0
    accrued_ns: int = 0
    next_interest_ns: int = 0
    reserve: int = 0  # of the interest not settled yet
    active_ns: int = 0
    active_at_ns: int = 0
    fund_day: int = 0
    fund_paid: int = 0
    ramp: Ramp = field(default_factory=Ramp)
    outflow_until_ns: int = 0
    below: int = 0
    above: int = 0
    owed_rest: int = 0
    reserve_rest: int = 0
    rate_held: int = 0
    keeper: int = 0
    gained: int = 0
    undivided: int = 0


@dataclass(slots=True)
class Source:
    price: int = 0
    confidence: int = 0
    at_ns: int = 0


@dataclass(slots=True)
class Feed:
    rule: list
    price: int = 0
    fresh_until_ns: int = 0
    user: int = 0
    user_is_market: int = 0
    good_price: int = 0
    now_price: int = 0
    below: int = 0
    above: int = 0
    before: int = 0
    mean: int = 0
    rest: int = 0
    mean_ns: int = 0
    mean_at_ns: int = 0
    anchor: int = 0
    anchor_at_ns: int = 0
    pending: int = 0
    pending_ns: int = 0
    calm_ns: int = 0
    told: int = 0
    until: list = field(default_factory=lambda: [0] * ACTIONS)
    sources: list = field(default_factory=lambda: [Source() for _ in range(SOURCES_MAX)])

    def weight(self, source):
        return self.rule[F_WEIGHT + source]


@dataclass(slots=True)
class Market:
    row: int
    rule: list
    mark: int = 0
    index: int = 0
    last: int = 0
    fresh_until_ns: int = 0
    mark_at_ns: int = 0
    basis: int = 0
    funding_index: int = 0
    funding_rate: int = 0
    next_funding_ns: int = 0
    next_sample_ns: int = 0
    premium_sum: int = 0
    funding_pool: int = 0
    funding_dust: int = 0
    oi_scale_ppm: int = 0
    index_sum: int = 0
    index_micros: int = 0
    index_at_ns: int = 0
    settling: int = 0  # the leg to close next
    closed: int = 0  # what closing legs at settlement cost them altogether
    ramp: Ramp = field(default_factory=Ramp)
    below: int = 0
    above: int = 0
    good_mark: int = 0
    calm_ns: int = 0
    unshown: int = 0

    @property
    def thing(self):
        return MARKET_0 + self.row


@dataclass(slots=True)
class Account:
    row: int
    owner: int
    parent: int = 0
    market: int = 0
    role: int = 0
    queued: int = 0
    started: int = 0
    health: int = 0
    due_ns: int = 0
    cancel_at_ns: int = 0


@dataclass(slots=True)
class Leg:
    row: int
    account: int
    thing: int
    quantity: int = 0
    cost: int = 0
    index_at_touch: int = 0
    child: int = 0
    leverage: int = 0
    offered_from: int = 0


@dataclass(slots=True)
class Order:
    """A row of the order table and of its notes. `account` and `market` are those of its leg."""

    row: int
    account: int
    home: int  # the account that placed it: the parent of a child
    market: int
    side: int
    order_type: int
    tif: int
    stp: int
    options: int
    price: int
    remaining: int
    lots: int
    client: tuple
    trigger_kind: int = 0
    trigger_on: int = 0
    trigger: int = 0
    callback: int = 0
    expires_ns: int = 0
    id: int = 0
    priority: int = 0
    reserve: int = 0
    leg: int = 0
    state: int = 0
    filled: int = 0
    margin: int = 0
    best: int = 0

    @property
    def moved_to(self):
        """Its priority if it is not that of its id any more."""
        return 0 if self.priority == self.id // ID_ROWS else self.priority

    @property
    def reduces(self):
        return self.options & (REDUCE_ONLY | CLOSE_POSITION) != 0


@dataclass(slots=True)
class Reference:
    client: tuple
    amount: int
    account: int
    asset: int
    state: int
    row: int = 0


@dataclass(slots=True)
class Bid:
    bidder: int
    target: int
    collateral: int
    debt: int
    options: int
    lots: int
    least: int
    seq: int


@dataclass(slots=True)
class Recent:
    client: tuple
    order: int
    account: int
    used: int = 1


def copied(twin, legs):
    """A copy of an account's legs to ask "what if" of; a debt with the interest up to now."""
    copies = {thing: copy(leg) for thing, leg in legs.items()}
    for leg in copies.values():
        if leg.thing < MARKET_0:
            up_to_date(twin, leg)
    return copies


class Refused(Exception):
    """A command cannot be done: the first failing reason, the failing row, and what its event's `order` names."""

    def __init__(self, reason, order=None, row=None):
        super().__init__(reason)
        self.reason = reason
        self.order = order
        self.row = row
