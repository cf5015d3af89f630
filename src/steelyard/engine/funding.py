"""Funding instants: sample the premium, set the rate, move the index, sweep the dust."""

from steelyard.engine.book import best_against, next_level
from steelyard.engine.events import say, say_money
from steelyard.engine.ledger import far_post
from steelyard.engine.prices import show_driver
from steelyard.engine.timers import push_timer
from steelyard.model.events import DUST_SWEPT, FUNDING_SET
from steelyard.model.keys import M_EXPIRY_NS, M_FEED, M_FUNDING_INTERVAL_NS, M_SAMPLE_INTERVAL_NS, M_SETTLE, M_STATE
from steelyard.model.orders import DUST, SETTLED, TIMER_FUNDING, TIMER_SAMPLE, TO_FUND
from steelyard.num import far, kernel
from steelyard.num.limits import INDEX_SCALE, INDEX_SCALE_BITS
from steelyard.rules.funding import (
    IMPACT_LEVELS_MAX,
    average_price,
    funding_moved,
    funding_rate,
    impact_notional,
    premium,
    take_level,
)
from steelyard.rules.price import is_good
from steelyard.state.tables import MACHINE, MARKET, MARKET_RULE


@kernel
def impact_price(s, market, side):
    """Average price of buying (selling) the impact notional, in index units; 0 if the book cannot fill it."""
    price = best_against(s, market, side)
    wanted = impact_notional(s, market)
    lots, value, levels = 0, 0, 0
    while price and levels < IMPACT_LEVELS_MAX:
        more, worth = take_level(s, market, price, wanted)
        lots += more
        value += worth
        wanted -= worth
        if wanted <= 0:
            return average_price(s, market, lots, value, side > 0)
        levels += 1
        price = next_level(s, market, side, price)
    return 0


@far
def plan_funding(s, market, now):
    """Set the next instants to the next multiples of the intervals after now; none without funding."""
    table, rule = MARKET(s), MARKET_RULE(s)
    interval = rule[market, M_FUNDING_INTERVAL_NS]
    table.premium_sum[market] = 0
    if interval == 0 or rule[market, M_STATE] == SETTLED:
        table.next_sample_ns[market] = 0
        table.next_funding_ns[market] = 0
        return 0
    sample = rule[market, M_SAMPLE_INTERVAL_NS]
    table.next_sample_ns[market] = (now // sample + 1) * sample
    table.next_funding_ns[market] = (now // interval + 1) * interval
    push_timer(s, table.next_sample_ns[market], (TIMER_SAMPLE << 32) + market)
    push_timer(s, table.next_funding_ns[market], (TIMER_FUNDING << 32) + market)
    return 0


@far
def sample_premium(s, market):
    table, machine = MARKET(s), MACHINE(s)
    now = machine.now_ns[0]
    if table.index[market] > 0 and is_good(s, MARKET_RULE(s)[market, M_FEED], TO_FUND):
        bid, ask = impact_price(s, market, -1), impact_price(s, market, 1)
        if bid > 0 and ask > 0:
            table.premium_sum[market] += premium(s, market, bid, ask)
    table.next_sample_ns[market] = now + MARKET_RULE(s)[market, M_SAMPLE_INTERVAL_NS]
    push_timer(s, table.next_sample_ns[market], (TIMER_SAMPLE << 32) + market)
    return 0


@kernel
def sweep_dust(s, market):
    """Whole atoms of rounding belong to the dust account."""
    table = MARKET(s)
    atoms = table.funding_dust[market] >> INDEX_SCALE_BITS
    if atoms > 0:
        table.funding_dust[market] -= atoms * INDEX_SCALE
        table.funding_pool[market] -= atoms
        far_post(s, DUST, MARKET_RULE(s)[market, M_SETTLE], atoms)
        say_money(s, DUST_SWEPT, 0, market, atoms, 0)
    return 0


@far
def settle_interval(s, market):
    """One funding instant."""
    table, machine = MARKET(s), MACHINE(s)
    now, index = machine.now_ns[0], table.index[market]
    rate = funding_rate(s, market)
    if index == 0 or not is_good(s, MARKET_RULE(s)[market, M_FEED], TO_FUND):
        rate = 0
    if now > MARKET_RULE(s)[market, M_EXPIRY_NS] > 0:
        rate = 0  # it waits for its settlement price, and its mark stands still
    table.funding_rate[market] = rate
    moved = funding_moved(s, market, rate) if rate else 0
    table.funding_index[market] += moved
    table.premium_sum[market] = 0
    table.next_funding_ns[market] = now + MARKET_RULE(s)[market, M_FUNDING_INTERVAL_NS]
    push_timer(s, table.next_funding_ns[market], (TIMER_FUNDING << 32) + market)
    say(s, FUNDING_SET, 0, market, 0, 0, 0, index, 0, rate, 0, table.funding_index[market], now, 0, 0)
    sweep_dust(s, market)
    if moved:
        show_driver(s, market)
    return 0
