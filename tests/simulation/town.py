"""The venue of a simulation: assets, feeds, markets, tiers and owners, drawn from its seed."""

from dataclasses import dataclass

from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE, FEED, MARKET, OWNER, RISK_ARRAY, RISK_TIER
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import (
    ADAPTIVE,
    BACKSTOP,
    BY_SCENARIO,
    CONVERTER,
    INSURANCE,
    INVERSE,
    KINK,
    LENDER,
    OF_HEALTH,
    OF_TIME,
    PEG,
    SPOT,
    SYSTEM_ACCOUNTS,
    TAKE_ALL,
    TO_RESTORE,
)
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM
from steelyard.state.tables import Limits

FIRST_USER = SYSTEM_ACCOUNTS + 1
USD, COIN, TOKEN = 1, 2, 3
DOLLAR = 1_000_000  # atoms
ASSETS = (USD, COIN, TOKEN)
SHARES = {USD: 4, COIN: 5}  # of the pools that lend them
SOURCES = (0, 1, 2)


@dataclass
class Feed:
    """A price that moves: where it starts, how it is quoted, how far it may go."""

    row: int
    start: int
    highest: int
    market: int = 0
    asset: int = 0


FEEDS = (
    Feed(1, 3_700_000_000_123, 10**15, asset=COIN),  # 3.7 dollars a coin of six decimals
    Feed(2, 41_000_000_007, 10**13, asset=TOKEN),
    Feed(3, 50_000, 200_000, market=1),
    Feed(4, 2_000, 16_000, market=2),
    Feed(5, 1_500, 8_000, market=3),
    Feed(6, 120, 1_000, market=4),
    Feed(7, 9_000, 60_000, market=5),
)
MARKETS = tuple(feed.market for feed in FEEDS if feed.market)
PAIR = 6  # coins for dollars
TRADED = (*MARKETS, PAIR, PAIR)


def limits_of(random, accounts, commands):
    """Room for so many accounts; budgets are small in some towns, so that work waits its turn."""
    return Limits(
        assets=6,
        feeds=8,
        markets=7,
        risk_tiers=4,
        owners=accounts + 16,
        accounts=3 * accounts + 64,
        legs=12 * accounts + 400,
        orders=24 * accounts + 400,
        references=2 * accounts + commands + 100,
        recent_client_ids=random.choice((4, 64, 1_000)),
        ladder_ticks=1 << 19,
        orders_per_account=random.choice((20, 60)),
        staged_rows=128,
        bids=random.choice((2, 64)),
        liquidations_per_command=random.choice((2, 16, 64)),
        triggers_per_command=random.choice((2, 16, 64)),
        events_per_command=random.choice((100, 2_000, 16_384)),
    )


def brackets(uppers, slopes, restore):
    """Brackets whose opening slope leaves room for the restore factor."""
    settings = {key.M_BRACKETS: len(uppers), key.M_RESTORE_PPM: restore}
    for i, (upper, slope) in enumerate(zip(uppers, slopes, strict=True)):
        settings[key.M_BRACKET_UPPER + i] = upper
        settings[key.M_BRACKET_MAINTAIN_PPM + i] = slope
        settings[key.M_BRACKET_OPEN_PPM + i] = min(PPM, slope * 2)
    return settings


def manners(random):
    """What any market may be given, and may change later."""
    pick = random.choice
    return {
        key.M_PRICE_BAND_PPM: pick((50_000, 100_000, 2 * PPM)),
        key.M_LEVERAGE_DEFAULT: pick((10, 20, 50)),
        key.M_TAKEOVER_PPM: pick((0, 400_000, 666_666, PPM)),
        key.M_LIQUIDATION_FEE_PPM: pick((0, 2_000, 4_900)),
        key.M_REACH_PPM: pick((0, 300_000, PPM)),
        key.M_SLICE_PPM: pick((50_000, 200_000, 500_000)),
        key.M_SLICE_NOTIONAL: pick((0, 1_000 * DOLLAR, 100_000 * DOLLAR)),
        key.M_COOLDOWN_NS: pick((1_000_000, 5 * SECOND, 60 * SECOND)),
        key.M_SLIP_PPM: pick((0, 20_000, 100_000)),
        key.M_BACKSTOP_LOTS_MAX: pick((0, 50, 5_000, 1 << 40)),
        key.M_MARK_POLICY: pick((0, 0, 1)),
        key.M_MARK_BAND_PPM: pick((0, 20_000, 200_000)),
        key.M_BASIS_CLAMP_PPM: pick((0, 25_000)),
        key.M_BASIS_TAU_NS: pick((1, 10 * SECOND, 150 * SECOND)),
        key.M_RAMP_NS: pick((60, 3_600)) * SECOND,
    }


def fees(random):
    pick = random.choice
    return {
        key.M_FEE_TIERS: 3,
        key.M_MAKER_PPM: pick((200, 0, -150)),
        key.M_MAKER_PPM + 1: pick((100, -150)),
        key.M_MAKER_PPM + 2: -150,
        key.M_TAKER_PPM: 500,
        key.M_TAKER_PPM + 1: 350,
        key.M_TAKER_PPM + 2: pick((150, 300)),
    }


def market_settings(random, market):
    """The five markets: a deep one, a thin one, one settled in a coin, a coarse one with fast funding, a wild one."""
    pick = random.choice
    most = 1 << 50
    own = {
        1: {
            key.M_ATOMS_PER_TICK_LOT: 100,
            key.M_POSITION_LOTS_MAX: 1 << 24,
            key.M_OPEN_INTEREST_LOTS_MAX: pick((200_000, 1 << 40)),
            key.M_OI_LOWER_LOTS: 1_000,
            key.M_OI_UPPER_LOTS: pick((0, 400_000)),
            key.M_FUNDING_INTERVAL_NS: 8 * HOUR,
            key.M_IMPACT_NOTIONAL: 5_000 * DOLLAR,
            **brackets((50_000 * DOLLAR, 1_000_000 * DOLLAR, most), (5_000, 10_000, 50_000), pick((PPM, 1_500_000))),
        },
        2: {
            key.M_ATOMS_PER_TICK_LOT: 1_000,
            key.M_POSITION_LOTS_MAX: pick((20_000, 1 << 22)),
            key.M_FUNDING_INTERVAL_NS: HOUR,
            key.M_IMPACT_NOTIONAL: 500 * DOLLAR,
            **brackets((20_000 * DOLLAR, most), (10_000, 30_000), pick((PPM, 1_200_000))),
        },
        3: {
            key.M_SETTLE: COIN,
            key.M_ATOMS_PER_TICK_LOT: 300,
            key.M_POSITION_LOTS_MAX: 1 << 20,
            key.M_FUNDING_INTERVAL_NS: pick((0, 8 * HOUR, 600 * SECOND)),
            key.M_INTEREST_PPB: pick((100_000, -7_777_777)),
            key.M_IMPACT_NOTIONAL: 50 * DOLLAR,
            **brackets((5_000 * DOLLAR, most), (20_000, 50_001), pick((PPM, 1_500_000))),
        },
        4: {
            key.M_ATOMS_PER_TICK_LOT: pick((10_000, 970)),
            key.M_POSITION_LOTS_MAX: 1 << 20,
            key.M_FUNDING_INTERVAL_NS: 60 * SECOND,
            key.M_SAMPLE_INTERVAL_NS: 10 * SECOND,
            key.M_FUNDING_CLAMP_PPB: 50_000_000,
            key.M_FUNDING_CAP_PPB: 100_000_000,
            key.M_INTEREST_PPB: pick((-10_000_000, 0, 10_000_000)),
            key.M_IMPACT_NOTIONAL: 100 * DOLLAR,
            **brackets((most,), (pick((40_000, 100_000)),), pick((PPM, 1_200_000))),
        },
        5: {
            key.M_ATOMS_PER_TICK_LOT: 37,
            key.M_POSITION_LOTS_MAX: 1 << 20,
            key.M_FUNDING_INTERVAL_NS: 4 * HOUR,
            key.M_IMPACT_NOTIONAL: 1_000 * DOLLAR,
            **brackets((10_000 * DOLLAR, 100_000 * DOLLAR, most), (25_000, 50_000, 100_000), pick((PPM, 1_100_000))),
        },
    }[market]
    feed = next(feed for feed in FEEDS if feed.market == market)
    if market in (1, 3) and pick((True, False)):
        # The same market in the reciprocal price.
        own[key.M_ATOMS_PER_TICK_LOT] *= feed.start * feed.start
        own |= {key.M_KIND: INVERSE, key.M_TICKS_MIN: feed.start // 20}
    return (
        {key.M_FEED: feed.row, key.M_TICKS_MAX: feed.highest, key.M_ORDER_LOTS_MAX: own[key.M_POSITION_LOTS_MAX] // 2}
        | manners(random)
        | fees(random)
        | own
    )


def date_settings(dates, market, now):
    """The thin market and the one that may be inverse are futures in many towns: they end within hours."""
    if market not in (2, 3) or dates.random() < 0.4:
        return {}
    window = dates.choice((60, 1_800, 24 * 3_600)) * SECOND
    return {
        key.M_EXPIRY_NS: now + dates.randint(1, 6) * HOUR + dates.choice((0, 1, 777)),
        key.M_SETTLE_WINDOW_NS: window,
    }


def rule_settings(rules, market):
    """Rates by size, limits of what is too much together, and contracts that are paid up, in some towns."""
    settings = {}
    if market in (4, 5) and rules.random() < 0.5:
        slope = rules.choice((20_000, 200_000))
        settings |= {key.M_SIZE_MAINTAIN_SLOPE: slope, key.M_SIZE_OPEN_SLOPE: 2 * slope}
    if market == 5 and rules.random() < 0.4:
        settings |= {key.M_PAID: 1, key.M_FUNDING_INTERVAL_NS: 0}
    if rules.random() < 0.3:
        settings |= excess_of_market(rules)
    return settings | {key.M_GROUP: rules.choice((0, 1, 1))}


def excess_of_market(rules):
    """What opening asks for beside where positions of a group are too large together."""
    return {
        key.M_EXCESS_FROM: rules.choice((500, 20_000)) * DOLLAR,
        key.M_EXCESS_PPM: rules.choice((0, 50_000, 300_000)),
    }


def excess_of_asset(rules):
    """The same of collateral."""
    return {
        key.A_EXCESS_SHARE_PPM: rules.choice((200_000, 600_000, PPM)),
        key.A_EXCESS_PPM: rules.choice((0, 200_000, PPM)),
        key.A_GROUP: rules.choice((0, 2)),
    }


def risk_array(rules, scale, price, inverse):
    """Falls and rises of up to a sixth, and what offsets and shorts pay; of a contract worth so much now."""
    lot = (scale // price if inverse else scale * price) * PPM
    mildness = rules.choice((1, 2, 5))
    parts = [(step - 8) * 20_000 // mildness + rules.randint(-3_000, 3_000) for step in range(17) if step != 7]
    values = {key.S_VALUE + i: lot * part // PPM for i, part in enumerate(parts)}
    return values | {key.S_BASIS: rules.choice((0, lot // 100)), key.S_SHORT: rules.choice((0, lot // 50))}


def pair_settings(random):
    """A lot is a coin, a tick a four-hundredth of what it costs at first."""
    return {
        key.M_KIND: SPOT,
        key.M_BASE: COIN,
        key.M_LOT_ATOMS: DOLLAR,
        key.M_SETTLE: USD,
        key.M_ATOMS_PER_TICK_LOT: 9_250,
        key.M_TICKS_MAX: 110_000,
        key.M_FEED: 0,
        key.M_FUNDING_INTERVAL_NS: 0,
        key.M_ORDER_LOTS_MAX: 20_000,
        key.M_POSITION_LOTS_MAX: 1 << 20,
        **brackets((1 << 50,), (10_000,), PPM),
        **manners(random),
        **fees(random),
    }


def curves(random):
    """Two steps of a ladder: a restore at a bonus that grows as health falls, then an auction of all."""
    pick = random.choice
    most = pick((5_000, 30_000))
    auction = {key.C_OF: OF_TIME, key.C_FROM: 0, key.C_TO: 120 * SECOND, key.C_SIZE: TAKE_ALL}
    auction |= {key.C_POINT + i: 4 * most * i // 32 for i in range(33)}
    first = {key.C_OF: OF_HEALTH, key.C_FROM: 0, key.C_TO: PPM, key.C_SIZE: TO_RESTORE}
    first |= {key.C_POINT + i: most * (32 - i) // 32 for i in range(33)}
    first |= {key.C_FEE_PPM: pick((0, 100_000)), key.C_LASTS_NS: pick((10, 300)) * SECOND, key.C_THEN: 1}
    return auction | {key.C_FEE_PPM: pick((0, 250_000)), key.C_LASTS_NS: pick((30, 600)) * SECOND}, first


def interest(random):
    """Rates at which a debt grows within a run."""
    pick = random.choice
    return {
        key.A_RATE_KIND: pick((KINK, ADAPTIVE, PEG)),
        key.A_RATE_MIN_PPM: 1,
        key.A_RATE_MAX_PPM: 10 * PPM,
        key.A_RATE_BASE_PPM: pick((1, 50_000, 5_000_000)),
        key.A_RATE_SLOPE_PPM: pick((0, 4_000_000)),
        key.A_RATE_STEEP_PPM: pick((0, 90_000_000)),
        key.A_RATE_KINK_PPM: pick((500_000, 800_000)),
        key.A_INTEREST_INTERVAL_NS: pick((60, 3_600)) * key.SECOND,
        key.A_RESERVE_PPM: pick((0, 100_000)),
        key.A_RAMP_NS: pick((60, 3_600)) * key.SECOND,
        key.A_LENDER_BEARS: pick((0, 1)),
        key.A_DUST: pick((0, DOLLAR // 10)),
        key.A_TARGET_PPM: pick((PPM, 1_050_000)),
    }


def asset_settings(random, asset):
    pick = random.choice
    if asset == USD:
        return {
            key.A_LOAN_CAP: pick((0, 100 * DOLLAR, 50_000 * DOLLAR)),
            key.A_CONVERT_HAIRCUT_PPM: pick((0, 1_000)),
            **interest(random),
        }
    step = (20_000 if asset == COIN else 2_000_000) * DOLLAR
    settings = {
        key.A_FEED: next(feed.row for feed in FEEDS if feed.asset == asset),
        key.A_SUPPLY_MAX: 1 << (46 if asset == COIN else 52),
        key.A_LOAN_CAP: pick((0, 50 * DOLLAR, 5_000 * DOLLAR, 100_000 * DOLLAR)),
        key.A_CONVERT_HAIRCUT_PPM: pick((0, 25_000)),
        key.A_BORROW_WEIGHT_PPM: pick((PPM, 1_100_000)),
        key.A_TIERS: 3,
        **interest(random),
    }
    weights = ((900_000, 950_000), (700_001, 800_003), (0, pick((0, 333_333))))
    for i, (opening, maintain) in enumerate(weights):
        settings[key.A_TIER_UPPER + i] = step * (1 + 3 * i)
        settings[key.A_TIER_OPEN_PPM + i] = opening
        settings[key.A_TIER_MAINTAIN_PPM + i] = maintain
    return settings


def found(teller, random, accounts, prices, dates, rules):
    """Say the commands that make the town: everything but trading."""
    pick = random.choice
    teller.configure(ASSET, asset_settings(random, USD))
    staleness = pick((120, 900, 7_200)) * SECOND
    for _ in FEEDS:
        weights = {key.F_WEIGHT + source: weight for source, weight in enumerate((3, 2, 2, 0, 0, 0, 0, 0))}
        settings = {key.F_QUORUM: 2, key.F_STALENESS_NS: staleness, key.F_CONFIDENCE_MAX_PPM: 20_000}
        teller.configure(FEED, settings | weights)
    for asset in (COIN, TOKEN):
        limits = excess_of_asset(rules) if rules.random() < 0.3 else {}
        teller.configure(ASSET, asset_settings(random, asset) | limits)
    for market in MARKETS:
        settings = market_settings(random, market) | date_settings(dates, market, teller.now)
        settings |= rule_settings(rules, market)
        teller.configure(MARKET, settings)
        feed, inverse = next(each for each in FEEDS if each.market == market), settings.get(key.M_KIND) == INVERSE
        array = risk_array(rules, settings[key.M_ATOMS_PER_TICK_LOT], feed.start, inverse)
        teller.configure(RISK_ARRAY, array | {key.S_OPEN_PPM: 2 * PPM}, market)
    teller.configure(MARKET, pair_settings(random))
    for curve in curves(random):
        teller.configure(CURVE, curve)
    for asset in ASSETS:
        if random.random() < 0.7:
            teller.configure(ASSET, {key.A_OFFER: 1 if asset == USD else 2}, asset)
    teller.configure(RISK_TIER, {key.T_LEVERAGE_MAX: pick((5, 20))})
    teller.configure(RISK_TIER, {key.T_PRODUCTS: 0})
    teller.price(prices, SOURCES)
    for account in (INSURANCE, BACKSTOP, LENDER, CONVERTER):
        for asset in ASSETS:
            if random.random() < 0.6:
                teller.deposit(account, asset, pick((1, 1_000, 200_000)) * DOLLAR * worth(asset, prices))
    for lent in SHARES:
        tiers = {key.A_TIER_OPEN_PPM: pick((0, 800_000)), key.A_TIER_MAINTAIN_PPM: 850_000}
        teller.configure(ASSET, {key.A_POOL_OF: lent, key.A_SUPPLY_MAX: 1 << 56} | tiers)
    owners = 1
    for account in range(FIRST_USER, FIRST_USER + accounts):
        if owners == 1 or random.random() < 0.9:
            stp, tier = random.randint(1, 4), pick((1, 1, 1, 1, 2))
            settings = {key.O_STP: stp, key.O_FEE_TIER: random.randint(0, 3), key.O_RISK_TIER: tier}
            if tier == 1 and rules.random() < 0.25:
                settings |= {key.O_MARGIN: BY_SCENARIO}
            teller.configure(OWNER, settings)
            owners += 1
        teller.open_account(owners)
        purse = pick((200, 1_000, 5_000, 40_000)) * (40 if is_maker(account) else 1) * DOLLAR
        teller.deposit(account, USD, purse)
        for asset in (COIN, TOKEN):
            if random.random() < 0.3:
                teller.deposit(account, asset, max(1, purse // 3 * worth(asset, prices)))


def worth(asset, prices):
    """Atoms of an asset for one atom of value, roughly."""
    return 1 if asset == USD else max(1, ASSET_PRICE_SCALE // prices[1 if asset == COIN else 2])


def is_maker(account):
    """Every eighth account keeps quoting both sides."""
    return account % 8 == 0
