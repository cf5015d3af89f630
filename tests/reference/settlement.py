"""The end of a market: its settlement price, and the closing of its legs. See docs/concepts/contracts.md."""

from steelyard.model import events
from steelyard.model.keys import (
    M_ATOMS_PER_TICK_LOT,
    M_EXPIRY_NS,
    M_SETTLE_PRICE,
    M_SETTLE_WINDOW_NS,
    M_STATE,
    M_TICKS_MAX,
    M_TICKS_MIN,
)
from steelyard.model.orders import BY_AVERAGE, BY_INDEX, BY_MARK, BY_RULE, DUST, SETTLED, TO_SETTLE
from steelyard.num.limits import SETTLEMENT_WAIT_NS, TIME_NS_MAX
from steelyard.state.tables import MARKET_0
from tests.reference import closing, funding, isolated, money
from tests.reference.numbers import clamp, down, is_inverse, up
from tests.reference.positions import settle_funding, take

LEGS_PER_COMMAND = 256


def has_expired(twin, market):
    return market.rule[M_EXPIRY_NS] and twin.now >= market.rule[M_EXPIRY_NS]


def is_waiting(twin, market):
    """Expired, and no settlement price yet."""
    return has_expired(twin, market) and market.rule[M_STATE] != SETTLED


def due(market):
    """When something is to be done, or 0."""
    expiry = market.rule[M_EXPIRY_NS]
    if not expiry or market.rule[M_STATE] == SETTLED:
        return 0
    return expiry if market.index_at_ns < expiry else expiry + SETTLEMENT_WAIT_NS


def take_in(twin, market):
    """The index that stood since the last look, for the microseconds of the window in which it was good."""
    expiry = market.rule[M_EXPIRY_NS]
    if not expiry or market.rule[M_STATE] == SETTLED:
        return
    since = max(market.index_at_ns, expiry - market.rule[M_SETTLE_WINDOW_NS])
    until = min(twin.now, expiry, twin.feed_of(market).until[TO_SETTLE])
    if market.index and until > since:
        passed = down(until, 1_000) - down(since, 1_000)
        market.index_sum += passed * market.index
        market.index_micros += passed
    market.index_at_ns = twin.now


def settle(twin, market, last_chance=False):
    """The settlement price is the mark from now on; without one the market waits."""
    rule = market.rule
    if rule[M_STATE] == SETTLED:
        return
    take_in(twin, market)
    if rule[M_SETTLE_PRICE]:
        price, source = rule[M_SETTLE_PRICE], BY_RULE
    elif market.index_micros:
        price, source = down(market.index_sum, market.index_micros), BY_AVERAGE
    elif market.index and twin.is_good(market, TO_SETTLE):
        price, source = market.index, BY_INDEX
    elif last_chance:
        price, source = market.mark, BY_MARK
    else:
        return
    rule[M_STATE] = SETTLED
    market.mark, market.mark_at_ns = clamp(price, rule[M_TICKS_MIN], rule[M_TICKS_MAX]), twin.now
    market.fresh_until_ns = TIME_NS_MAX
    market.good_mark, market.below, market.above, market.unshown, market.calm_ns = market.mark, 0, 0, 0, 0
    funding.schedule(market, twin.now)
    market.settling = next_leg(twin, market, max(twin.legs) + 1)
    twin.emit(
        events.MARKET_SETTLED,
        market=market.row,
        price=market.mark,
        reason=source,
        other=market.index,
        amount=market.index_micros,
    )


def next_leg(twin, market, above):
    """The newest leg of a market that is older than this one, or 0."""
    return max((row for row, leg in twin.legs.items() if leg.thing == market.thing and row < above), default=0)


def close_positions(twin, may_go_on):
    """Leg by leg, the newest first, market by market, as far as one command may go."""
    done = 0
    for _, market in sorted(twin.markets.items()):
        while market.settling and done < LEGS_PER_COMMAND and may_go_on():
            close_all_of(twin, twin.legs[market.settling].account)
            done += 1
            market.settling = next_leg(twin, market, market.settling)
            if not market.settling:
                sweep(twin, market)


def close_all_of(twin, account):
    """What an account holds in settled markets goes together, in order of thing."""
    for thing, leg in sorted(twin.legs_of(account).items()):
        if thing > MARKET_0 and twin.markets[thing - MARKET_0].settling:
            close(twin, twin.markets[thing - MARKET_0], leg)


def close(twin, market, leg):
    for order in twin.open_orders(leg.account, market.row):
        closing.close_order(twin, order, events.CLOSED_SETTLED)
    held = leg.quantity
    if not held:
        return
    settle_funding(twin, leg)
    # What the holder pays, or gets less than nothing of: always rounded up.
    scale = market.rule[M_ATOMS_PER_TICK_LOT]
    cost = up(held * scale, market.mark) if is_inverse(market.rule) else -held * scale * market.mark
    realised = take(market, leg, -held, cost)
    market.closed += cost
    money.book(twin, leg.account, twin.settle(market), realised)
    twin.emit(
        events.POSITION_SETTLED,
        account=leg.account,
        market=market.row,
        side=-1 if held > 0 else 1,
        price=market.mark,
        lots=abs(held),
        amount=realised,
    )
    isolated.return_margin(twin, leg.account, 0)


def sweep(twin, market):
    """What roundings left is nobody's."""
    rest, market.closed = market.closed, 0
    if rest:
        money.book(twin, DUST, twin.settle(market), rest)
        twin.emit(events.DUST_SWEPT, market=market.row, amount=rest, reason=1)
    funding.sweep_dust(twin, market)
