"""The small venue of a flow: three markets that differ in what they settle in, their ticks and their funding.

Everything about it is drawn from the seed: fees, brackets, liquidation parameters, funds of the house, and limits
narrow enough that tables fill and budgets run out now and then.
"""

from dataclasses import replace
from random import Random

from steelyard.model.commands import (
    ASSET,
    CONFIGURE,
    CURVE,
    DEPOSIT,
    FEED,
    MARKET,
    OPEN_ACCOUNT,
    OWNER,
    PRICE,
    RISK_ARRAY,
    RISK_TIER,
    SET_MARGIN_MODE,
    SUPPLY,
    WITHDRAW,
)
from steelyard.model.keys import (
    A_BORROW_WEIGHT_PPM,
    A_CEILING_PPM,
    A_CONVERT_HAIRCUT_PPM,
    A_DUST,
    A_EXCESS_FROM,
    A_EXCESS_PPM,
    A_EXCESS_SHARE_PPM,
    A_FEED,
    A_FROZEN,
    A_FUND_DAY_MAX,
    A_FUND_STEP_MAX,
    A_GROUP,
    A_INTEREST_INTERVAL_NS,
    A_ISSUES,
    A_LENDER_BEARS,
    A_LOAN_CAP,
    A_LOANS_MAX,
    A_OFFER,
    A_OUTFLOW_MAX,
    A_OUTFLOW_WINDOW_NS,
    A_PAYER,
    A_PEG,
    A_PEG_SIGMA_PPM,
    A_POOL_COOL_NS,
    A_POOL_FEE_PPM,
    A_POOL_GAINS,
    A_POOL_KIND,
    A_POOL_MAX,
    A_POOL_OF,
    A_RAMP_NS,
    A_RATE_BASE_PPM,
    A_RATE_CURVE_PPM,
    A_RATE_KIND,
    A_RATE_KINK_PPM,
    A_RATE_MAX_PPM,
    A_RATE_MIN_PPM,
    A_RATE_POWER,
    A_RATE_SLOPE_PPM,
    A_RATE_SPEED_PPM,
    A_RATE_STEEP_PPM,
    A_RESERVE_PPM,
    A_SUPPLY_MAX,
    A_TARGET_PPM,
    A_TIER_MAINTAIN_PPM,
    A_TIER_OPEN_PPM,
    A_TIER_UPPER,
    A_TIERS,
    A_UTILISATION_MAX_PPM,
    A_VOLATILITY_PPM,
    C_BEYOND,
    C_CHIP_PPM,
    C_DEBT,
    C_ELSE,
    C_FEE_PPM,
    C_FROM,
    C_GIVES,
    C_LASTS_NS,
    C_OF,
    C_PART,
    C_POINT,
    C_SIZE,
    C_TAKER,
    C_THEN,
    C_TIP,
    C_TO,
    F_BELIEVES,
    F_CONFIDENCE_MAX_PPM,
    F_DELAY_NS,
    F_DEMANDS,
    F_DEVIATION_MAX_PPM,
    F_DIVERGENCE_MAX_PPM,
    F_GRACE_NS,
    F_GROWTH_AT_NS,
    F_GROWTH_PPM,
    F_GROWTH_REF,
    F_HALTED,
    F_OUTAGE_NS,
    F_POLICIES,
    F_QUORUM,
    F_SOURCE_STALENESS_NS,
    F_STALENESS_NS,
    F_STEP_NS,
    F_STEP_PPM,
    F_STRICT_QUORUM,
    F_UPPER,
    F_WEIGHT,
    F_WIDENS,
    F_WIDTH_MAX_PPM,
    F_WINDOW_NS,
    F_WITNESSES,
    HOUR,
    M_ATOMS_PER_TICK_LOT,
    M_BACKSTOP_LOTS_MAX,
    M_BASE,
    M_BASIS_CLAMP_PPM,
    M_BASIS_TAU_NS,
    M_BRACKET_MAINTAIN_PPM,
    M_BRACKET_OPEN_PPM,
    M_BRACKET_UPPER,
    M_BRACKETS,
    M_BY_ARRAY,
    M_CLOSING_PPM,
    M_COOLDOWN_NS,
    M_EXCESS_FROM,
    M_EXCESS_PPM,
    M_EXPIRY_NS,
    M_FEE_TIERS,
    M_FEED,
    M_FUNDING_CAP_PPB,
    M_FUNDING_CLAMP_PPB,
    M_FUNDING_INTERVAL_NS,
    M_GRACE_NS,
    M_GROUP,
    M_IMPACT_NOTIONAL,
    M_INTEREST_PPB,
    M_KIND,
    M_LEVERAGE_DEFAULT,
    M_LIQUIDATION_FEE_PPM,
    M_LOT_ATOMS,
    M_MAKER_PPM,
    M_MARK_BAND_PPM,
    M_MARK_POLICY,
    M_OI_LOWER_LOTS,
    M_OI_UPPER_LOTS,
    M_OPEN_INTEREST_LOTS_MAX,
    M_ORDER_LOTS_MAX,
    M_PAID,
    M_PAYER,
    M_POSITION_LOTS_MAX,
    M_PREMIUM_DIVISOR,
    M_PRICE_BAND_PPM,
    M_RAMP_NS,
    M_RANKING,
    M_REACH_PPM,
    M_RESTORE_PPM,
    M_SAMPLE_INTERVAL_NS,
    M_SETTLE,
    M_SETTLE_PRICE,
    M_SETTLE_WINDOW_NS,
    M_SIZE_MAINTAIN_PPM,
    M_SIZE_MAINTAIN_ROOT,
    M_SIZE_MAINTAIN_SLOPE,
    M_SIZE_OPEN_PPM,
    M_SIZE_OPEN_ROOT,
    M_SIZE_OPEN_SLOPE,
    M_SLICE_NOTIONAL,
    M_SLICE_PPM,
    M_SLIP_PPM,
    M_SPREAD_PPM,
    M_STATE,
    M_TAKEOVER_PPM,
    M_TAKER_PPM,
    M_TICKS_MAX,
    M_TICKS_MIN,
    M_URGENCY_PPM,
    O_FEE_TIER,
    O_MARGIN,
    O_RISK_TIER,
    O_STP,
    S_BASIS,
    S_OPEN_PPM,
    S_SHORT,
    S_VALUE,
    SECOND,
    T_LEVERAGE_MAX,
    T_PRODUCTS,
    UNIT,
)
from steelyard.model.orders import (
    ABSORBS,
    ACTIONS,
    ADAPTIVE,
    BACKS,
    BACKSTOP,
    BY_POSITION,
    BY_SCENARIO,
    CONVERTER,
    DEMAND_NARROW,
    DEMAND_QUORUM,
    DEMAND_STEADY,
    DEMAND_WHOLE,
    DEMANDS_ALL,
    FOR_BOOK,
    FOR_BORROWERS,
    FOR_POOL,
    GIVES_BONUS,
    GIVES_PRICE,
    INSURANCE,
    INVERSE,
    ISOLATED,
    KINK,
    LENDER,
    PEG,
    POWER,
    SETTLED,
    SPOT,
    SYSTEM_ACCOUNTS,
    TAKE_ALL,
    TAKE_WHOLE,
    TO_LIQUIDATE,
    TO_OPEN,
    TO_RESTORE,
)
from steelyard.num.limits import AMOUNT_MAX, ASSET_PRICE_SCALE, LOT_WORTH_MAX, NOTICE_NS, NOTIONAL_MAX, PPM, VALUE_MAX
from steelyard.state.tables import Limits
from tests.reference.numbers import worth
from tests.reference.twin import Twin
from tests.telling import START_NS, command


def settings(kind, row, parameters):
    return [{"account": kind, "market": row, "order": key, "lots": number} for key, number in parameters.items()]


def client(number):
    """The words of a client id or a reference."""
    return {"client0": number, "client4": number * 7 if number else 0}


FIRST_USER = SYSTEM_ACCOUNTS + 1
COIN = 2  # the second asset
COIN_FEED = 1
GRAND = 10**8 + 7  # near the limits of what fits


class Town:
    """A seed's venue, and the changes made to it later."""

    def __init__(self, seed, twin=None):
        self.random = Random(seed)
        self.rate_random = Random(f"rates of {seed}")
        self.stake_random = Random(f"stakes of {seed}")
        self.backed = Random(f"backers of {seed}").random() < 0.35  # whether pools pay what accounts cannot
        self.twin = twin or Twin(small_limits(seed))
        self.own = twin is None
        self.reference = 0
        self.now = START_NS
        self.scale = self.random.choice((1, 1, 1, 1, GRAND))
        coin_price = self.random.choice((3_700_000_000_123, 41_000_000_007, 20 * ASSET_PRICE_SCALE))
        self.prices = [coin_price, 1_000, 400, 90]  # of each feed
        self.bases = list(self.prices)
        self.lowest = [1, 1, 1, 1]  # price that each feed's user takes
        fitting = min(AMOUNT_MAX, VALUE_MAX * ASSET_PRICE_SCALE // (4 * coin_price))
        self.coin_supply = 1 << 40 if self.scale == 1 else fitting
        self.lends = self.random.random() < 0.5  # whether many borrow
        self.stakes = self.lends and self.stake_random.random() < 0.6  # whether pools absorb debts
        # A source of chance of its own: towns without policies stay as they are.
        self.oracle = Random(f"prices {seed}")
        self.wary = self.oracle.random() < 0.5  # whether its feeds have policies, and its sources reasons for them
        self.sizes = Random(f"sizes {seed}")  # and one for rates by size
        self.calm = self.random.choice((0.3, 0.6, 0.85))  # how often a price hardly moves
        self.risks = Random(f"risks {seed}")  # and one for risk arrays
        self.scanned = self.risks.random() < 0.4  # whether some are margined by scenarios
        self.mildness = self.risks.choice((1, 3, 6))
        self.dates = Random(f"settlement {seed}")  # of its own: towns in which nothing ends stay as they are
        self.ends = self.dates.random() < 0.3  # whether markets expire or are delisted
        self.rules = Random(f"rules {seed}")
        self.spread_random = Random(f"spread {seed}")
        self.spreads = self.lends and self.spread_random.random() < 0.4  # whether borrowers take debts in coins over
        issue_random = Random(f"claims {seed}")
        self.issues = self.lends and not self.spreads and issue_random.random() < 0.4  # coins for debts in dollars
        self.first_user = FIRST_USER + int(self.spreads)  # behind the keeper of what they gain
        self.pays = Random(f"paid {seed}").random() < 0.25  # whether contracts are paid up
        self.excess = Random(f"excess {seed}")  # of its own, as above
        self.crowds = self.excess.random() < 0.3  # whether too much of one thing asks for more
        self.pairs = [self.pair()] if self.chance(0.5) else []
        self.traded = (1, 1, 2, 3, 4, 4, 4) if self.pairs else (1, 1, 2, 3)
        self.keepers = Random(f"keepers of {seed}")
        self.sale_random = Random(f"sales of {seed}")
        self.sells = self.lends and bool(self.pairs) and self.sale_random.random() < 0.5  # through the pair's book

    def chance(self, probability):
        return self.random.random() < probability

    # --- Policies of feeds ---

    def policy(self, feed):
        """Something of everything, or nothing."""
        if not self.wary or self.oracle.random() < 0.2:
            return {}
        pick, price = self.oracle.choice, self.prices[feed - 1]
        window, bound = pick((0, 1, 20, 300)) * SECOND, pick((5_000, 50_000))
        keys = {F_DEVIATION_MAX_PPM: pick((0, 0, 20_000, 200_000)), F_STRICT_QUORUM: pick((1, 1, 2))}
        keys |= {F_WIDTH_MAX_PPM: pick((0, 20_000, 200_000)), F_WINDOW_NS: window, F_WITNESSES: pick((0, 0, 1, 4, 24))}
        keys |= {F_SOURCE_STALENESS_NS + pick((0, 1, 2)): pick((0, 7, 60)) * SECOND}
        keys |= {F_WIDENS: pick((0, 1, 4, 5, 7)) if window else pick((0, 1, 4, 5))}
        if window:
            keys |= {F_DIVERGENCE_MAX_PPM: bound, F_BELIEVES: pick((0, 0, 1, 2))}
        if self.oracle.random() < 0.4:
            keys |= {F_STEP_PPM: pick((1_000, 20_000, 200_000)), F_STEP_NS: pick((1, 7, 60)) * SECOND}
        if self.oracle.random() < 0.3:
            keys |= {F_DELAY_NS: pick((1, 5, 60)) * SECOND}
        if self.oracle.random() < 0.3:
            reference = pick((price, price, price, price, max(1, price // 30)))  # below a ladder's lowest price
            keys |= {F_GROWTH_PPM: pick((0, PPM, 10 * PPM)), F_GROWTH_REF: reference, F_GROWTH_AT_NS: self.now}
        if self.oracle.random() < 0.5:
            keys |= {F_OUTAGE_NS: pick((0, 3, 30)) * SECOND, F_GRACE_NS: pick((1, 4, 60)) * SECOND}
        for action in range(ACTIONS):
            demands = pick((0, 0, DEMAND_QUORUM, DEMAND_NARROW, DEMAND_STEADY, DEMAND_WHOLE, DEMANDS_ALL))
            if action == TO_OPEN and self.oracle.random() < 0.7:
                demands = 0  # else nobody has a position that a bad price could end
            if action == TO_LIQUIDATE and self.oracle.random() < 0.7:
                demands = pick((DEMAND_NARROW, DEMAND_STEADY, DEMAND_WHOLE))
            keys[F_DEMANDS + action] = demands if window else demands & ~DEMAND_STEADY
        return keys

    def policy_change(self):
        feed, pick = self.oracle.randint(1, 4), self.oracle.choice
        cleared = dict.fromkeys(range(F_POLICIES, F_GRACE_NS + 1), 0)
        keys = pick(
            (
                cleared | self.policy(feed),
                {F_HALTED: pick((0, 0, 1))},
                {F_HALTED: 0},
                {F_DELAY_NS: pick((0, 3)) * SECOND},
                {F_WINDOW_NS: pick((0, 2, 60)) * SECOND},
                {F_BELIEVES: pick((0, 1, 2))},
                {F_WIDENS: pick((0, 2, 7))},
                {F_DEMANDS + pick(range(ACTIONS)): pick((0, 2, 8, 15, None))},
            )
        )
        if None in keys.values():
            return self.configure(ASSET, {A_TIERS: 1}, COIN)  # no policy for once: fewer tiers cannot ramp
        return self.configure(FEED, keys, feed)

    def told(self, feed, price):
        """(price, confidence) that a source of a wary town reports."""
        pick, low, limit = self.oracle.choice, min(price, self.lowest[feed - 1]), self.highest(feed)
        if self.oracle.random() < 0.08:
            price = price * pick((30, 60, 90, 110, 150, 400)) // 100  # a lie, or a thin venue
        price = max(low, min(limit, price + self.oracle.randint(-2, 2)))
        return price, pick((0, 0, price // 1_000, price // 60))

    def highest(self, feed):
        return (VALUE_MAX * ASSET_PRICE_SCALE // self.coin_supply, 5_000, 4_096, 300)[feed - 1]

    # --- The venue ---

    def rates(self):
        """Interest on loans: mostly none, or so much that it matters within minutes."""
        if self.chance(0.4):
            return {}
        pick = self.random.choice
        return self.follow(
            {
                A_RATE_BASE_PPM: pick((0, 20_000, 9_999_999)),
                A_RATE_SLOPE_PPM: pick((0, 40_001, 10_000_000)),
                A_RATE_STEEP_PPM: pick((0, 3_000_000, 99_999_999)),
                A_RATE_KINK_PPM: pick((1, 333_333, 800_000, PPM)),
                A_INTEREST_INTERVAL_NS: pick((60, 60, 3_600)) * SECOND,
                A_RESERVE_PPM: pick((0, 100_001, PPM)),
            }
        )

    def follow(self, rates):
        """What the rate follows. By draws of its own: the rest of a town does not depend on them."""
        pick = self.rate_random.choice
        kind, most = pick((KINK, ADAPTIVE, PEG, POWER)), pick((20_001, 10 * PPM, 10 * PPM))
        if kind != KINK:
            rates |= {A_RATE_BASE_PPM: max(1, min(rates[A_RATE_BASE_PPM], most))}
            rates |= {A_RATE_KINK_PPM: min(rates[A_RATE_KINK_PPM], PPM - 1)}
        return rates | {
            A_RATE_KIND: kind,
            A_RATE_POWER: pick((1, 2, 8)),
            A_CEILING_PPM: pick((0, 0, 100_000, PPM)),
            A_RATE_SPEED_PPM: pick((0, 50, 1_000, 1_000)) * PPM,
            A_RATE_CURVE_PPM: pick((PPM, 4 * PPM, 9_999_999)),
            A_RATE_MIN_PPM: 1,
            A_RATE_MAX_PPM: most,
            A_PEG: pick((ASSET_PRICE_SCALE, *self.bases[:1])),
            A_PEG_SIGMA_PPM: pick((500, 20_000, PPM)),
        }

    def lending(self, row):
        """What may be lent of an asset, and who bears what nobody pays."""
        pick = self.random.choice
        return {
            A_LOANS_MAX: pick((AMOUNT_MAX, AMOUNT_MAX, AMOUNT_MAX, self.worth(row, 20_000))),
            A_UTILISATION_MAX_PPM: pick((PPM, PPM, PPM, 40_000)),
            A_OUTFLOW_MAX: pick((0, 0, 0, self.worth(row, 20_000))),
            A_OUTFLOW_WINDOW_NS: pick((1, 60, 3_600)) * SECOND,
            A_LENDER_BEARS: pick((0, 1)),
        }

    def pool(self, lent):
        """Shares in what is lent of an asset."""
        pick = self.random.choice
        share = {A_POOL_OF: lent, A_SUPPLY_MAX: pick((AMOUNT_MAX, AMOUNT_MAX, self.worth(lent, 2_000_000)))}
        share |= {A_TIER_OPEN_PPM: pick((0, 850_000)), A_TIER_MAINTAIN_PPM: pick((850_000, PPM))}
        return self.configure(ASSET, share | {A_CONVERT_HAIRCUT_PPM: pick((0, 10_000))})

    def fund_caps(self):
        """Of what the insurance fund pays: mostly none."""
        if self.chance(0.6):
            return {}
        pick = self.random.choice
        most = {A_FUND_STEP_MAX: pick((100, 3_000, AMOUNT_MAX)), A_FUND_DAY_MAX: pick((0, 500, 9_000))}
        return {key: min(number * self.scale, AMOUNT_MAX) for key, number in most.items()}

    def venue(self):
        """Commands that set it up."""
        pick, uniform = self.random.choice, self.random.randint
        cap = pick((0, 0, 2_000, 100_000)) * self.scale
        if self.lends:
            cap = AMOUNT_MAX
        most = {A_POOL_MAX: self.worth(1, 3_050_000)} if self.chance(0.3) else {}
        unit = {
            A_LOAN_CAP: cap,
            A_CONVERT_HAIRCUT_PPM: pick((0, 1_000)),
            **self.fund_caps(),
            **self.rates(),
            **self.lending(1),
        }
        yield self.configure(ASSET, most | unit)
        yield self.configure(FEED, {F_QUORUM: 1} | self.policy(1))
        middle = uniform(20_000, 60_000) * self.scale
        coin = {A_FEED: COIN_FEED, A_SUPPLY_MAX: self.coin_supply, A_TIERS: 3}
        coin |= {A_LOAN_CAP: AMOUNT_MAX if self.lends else pick((0, 500, 50_000)) * self.scale, **self.rates()}
        coin |= self.lending(COIN)
        coin |= {A_RAMP_NS: pick((60, 3_600)) * SECOND, A_GROUP: pick((0, 1)), **self.fund_caps()}
        coin |= {A_CONVERT_HAIRCUT_PPM: pick((0, 25_000)), A_BORROW_WEIGHT_PPM: pick((PPM, 1_100_000))}
        for i, (upper, opening, maintain) in enumerate(
            ((middle, 900_000, 950_000), (3 * middle, 700_001, 800_003), (9 * middle, 0, pick((0, 333_333))))
        ):
            coin |= {A_TIER_UPPER + i: upper, A_TIER_OPEN_PPM + i: opening, A_TIER_MAINTAIN_PPM + i: maintain}
        if self.spreads:
            coin |= {A_LOANS_MAX: AMOUNT_MAX, A_UTILISATION_MAX_PPM: PPM, A_OUTFLOW_MAX: 0}
            coin[A_POOL_GAINS] = self.spread_random.choice((1, 1, 1, 1, 1, COIN))
        yield self.configure(ASSET, coin | (self.excess_of_asset() if self.crowds else {}))
        if self.spreads and COIN not in self.twin.assets:
            yield self.configure(ASSET, coin | {A_POOL_GAINS: 1})
        yield self.configure(
            FEED,
            {F_QUORUM: 2, F_STALENESS_NS: pick((30, 600, 3_600)) * SECOND, F_CONFIDENCE_MAX_PPM: 20_000}
            | {F_UPPER: self.rate_random.choice((0, 1))}
            | {F_WEIGHT + i: weight for i, weight in enumerate((3, 2, 2, 0, 0, 0, 0, 0))}
            | self.policy(2),
        )
        yield self.configure(FEED, {F_STALENESS_NS: pick((1, 24)) * HOUR} | self.policy(3))
        yield self.configure(FEED, {F_STALENESS_NS: pick((1, 24)) * HOUR} | self.policy(4))
        positions = (self.plain_market(), self.coin_market(), self.coarse_market())
        positions = map(self.perhaps_dated, map(self.perhaps_inverse, positions))
        for market in (*map(self.perhaps_paid, positions), *self.pairs):
            grown = {} if market.get(M_KIND) == SPOT else self.grown(market[M_POSITION_LOTS_MAX])
            if market.get(M_PAID) and self.scanned and self.risks.random() < 0.7:
                grown = {M_BY_ARRAY: 1}
            if self.crowds and market.get(M_KIND) != SPOT:
                grown |= self.excess_of_market()
            yield self.configure(MARKET, market | grown)
        for row in range(1, len(self.twin.markets) + 1) if self.scanned else ():
            if row != 4:
                yield self.risk_array(row)
        yield self.configure(RISK_TIER, {T_LEVERAGE_MAX: pick((3, 10))})
        yield self.configure(RISK_TIER, {T_PRODUCTS: pick((0, 1, 2, 13))})
        for _ in range(4):
            owner = {O_STP: uniform(1, 4), O_FEE_TIER: uniform(0, 3), O_RISK_TIER: pick((1, 1, 1, 2))}
            if self.scanned and self.risks.random() < 0.6:
                owner |= {O_MARGIN: BY_SCENARIO, O_RISK_TIER: 1}
            yield self.configure(OWNER, owner)
        if self.spreads:
            yield self.step_for_borrowers()
        yield from self.offers()
        yield from self.spreading()
        if self.issues:
            for wrong_and_right in ({A_ISSUES: 1}, {A_ISSUES: COIN}):
                yield self.configure(ASSET, wrong_and_right, 1)
        yield self.price({1: 0, 2: 0, 3: 0, 4: 0})
        pools = self.random.sample((1, COIN), pick((0, 1, 1, 2, 2)))
        early = self.chance(0.2 if self.lends else 0.5)
        for lent in pools if early else ():
            yield self.pool(lent)
        for owner in (2, 2, 3, 3, 4, 5):
            yield command(OPEN_ACCOUNT, self.now, {"account": owner})
        uninsured = self.lends and self.chance(0.6)  # what the converter cannot sell for, somebody has to lose
        for account in (INSURANCE, BACKSTOP, LENDER, CONVERTER):
            for asset in (1, COIN):
                if self.lends and account in (LENDER, CONVERTER)[: 1 + uninsured]:
                    yield self.deposit(account, asset, self.worth(asset, 3_000_000))
                elif self.chance(0.1 if uninsured else 0.6):
                    yield self.deposit(account, asset, self.worth(asset, pick((100, 20_000, 3_000_000))))
        for lent in () if early else pools:
            yield self.pool(lent)
        yield from self.stake_pools()
        yield from self.backers()
        for account in range(self.first_user, self.first_user + 6):
            if self.chance(0.25):
                line = {"account": account, "market": uniform(1, len(self.pairs) + 3), "lots": ISOLATED}
                yield command(SET_MARGIN_MODE, self.now, line)
            for asset in (1, 1, COIN):
                if self.chance(0.75):
                    yield self.deposit(account, asset, self.worth(asset, uniform(5_000, 150_000)))
        for account in range(self.first_user, self.first_user + 3) if self.stakes or self.backed else ():
            for share, asset in self.twin.assets.items():
                if asset.rule[A_POOL_KIND]:
                    staked, amount = asset.rule[A_POOL_OF], min(1 << 53, self.worth(asset.rule[A_POOL_OF], 30_000))
                    yield self.deposit(account, staked, amount)
                    line = {"account": account, "market": staked, "order": share, "lots": amount}
                    yield command(SUPPLY, self.now, line | self.new_reference())
        yield from self.coin_debts()

    def coin_debts(self):
        """Many owe coins on dollars, some with little to spare."""
        if self.spreads:
            yield self.deposit(LENDER, COIN, self.worth(COIN, 1_000_000))
        for account in range(self.first_user, self.first_user + 6) if self.spreads else ():
            yield from self.coin_debt(account)

    def coin_debt(self, account):
        """Dollars for somebody, and a loan of coins on all of them."""
        if account in self.twin.accounts:
            value = self.spread_random.randint(10_000, 60_000)
            yield self.deposit(account, 1, self.worth(1, value))
            value = min(300_000, value + max(0, self.twin.quantity(account, 1)) // self.scale)
            lots = self.worth(COIN, value * self.spread_random.choice((30, 50, 70, 85)) // 100)
            lots = min(1 << 60, lots + max(0, self.twin.quantity(account, COIN)))
            line = {"account": account, "market": COIN, "lots": lots, "options": 1, **self.new_reference()}
            yield command(WITHDRAW, self.now, line)

    def stake_pool(self, staked):
        """A pool of one asset that takes collateral in the other."""
        pick = self.stake_random.choice
        share = {A_POOL_OF: staked, A_POOL_KIND: ABSORBS, A_POOL_GAINS: 3 - staked}
        most = min(AMOUNT_MAX, self.worth(staked, 60_000))
        share |= {A_SUPPLY_MAX: AMOUNT_MAX, A_POOL_MAX: pick((AMOUNT_MAX, AMOUNT_MAX, most))}
        share |= {A_TIER_OPEN_PPM: pick((0, 0, 850_000)), A_TIER_MAINTAIN_PPM: pick((850_000, PPM))}
        if self.stake_random.random() < 0.05:
            share[pick(sorted(share))] = pick((0, 1, 3, 1_000_001))
        return self.configure(ASSET, share)

    def step_for_pool(self, staked):
        pick = self.stake_random.choice
        bonus = pick((0, 0, 50_000, 100_000))
        gives = pick((GIVES_BONUS, GIVES_BONUS, GIVES_PRICE))
        y = PPM - bonus if gives else bonus
        step = {
            C_TAKER: FOR_POOL,
            C_SIZE: pick((TO_RESTORE if staked == 1 else TAKE_ALL, TAKE_ALL, TAKE_WHOLE)),
            C_GIVES: gives,
        }
        step |= {C_OF: pick((0, 1, 2, 4)), C_FEE_PPM: pick((0, 100_000))} | {C_POINT + i: y for i in range(33)}
        step |= {C_THEN: pick((0, len(self.twin.curves)))}
        if self.stake_random.random() < 0.1:
            step |= pick(({C_OF: 3}, {C_TAKER: 0}, {C_LASTS_NS: SECOND}, {C_THEN: len(self.twin.curves) + 1}))
        return self.configure(CURVE, step)

    def stake_pools(self):
        """Pools that absorb, and ladders that lead to them."""
        for staked in (1, COIN) if self.stakes else ():
            yield self.stake_pool(staked)
            yield self.step_for_pool(staked)
            if self.twin.curves:
                yield self.configure(ASSET, {A_OFFER: len(self.twin.curves)}, 3 - staked)

    def step_for_borrowers(self):
        """Those who owe coins take debts over, now and then after something else."""
        pick = self.spread_random.choice
        step = {C_TAKER: FOR_BORROWERS, C_SIZE: TAKE_WHOLE, C_GIVES: GIVES_BONUS, C_OF: pick((0, 1, 2, 4))}
        bonus = pick((0, 0, 50_000, 100_000))
        step |= {C_POINT + i: bonus for i in range(33)} | {C_FEE_PPM: pick((0, 100_000))}
        step |= {C_BEYOND: pick((0, 1)), C_THEN: pick((0, len(self.twin.curves)))}
        if self.spread_random.random() < 0.1:
            step |= pick(({C_OF: 3}, {C_SIZE: TAKE_ALL}, {C_LASTS_NS: SECOND}))
        return self.configure(CURVE, step)

    def spreading(self):
        """Ladders of dollars that lead to who owes coins."""
        if self.spreads:
            yield self.configure(ASSET, {A_OFFER: 1}, 1)

    def backing_pool(self, staked):
        pick = self.stake_random.choice
        share = {A_POOL_OF: staked, A_POOL_KIND: BACKS, A_SUPPLY_MAX: AMOUNT_MAX}
        share |= {A_POOL_COOL_NS: pick((0, 0, 7, 60)) * SECOND, A_POOL_FEE_PPM: pick((0, 250_001, PPM))}
        return self.configure(ASSET, share)

    def some_payers(self, staked):
        """In some order: the fund, pools that back, and now and then somebody who cannot."""
        backing = [row for row, each in self.twin.assets.items() if each.rule[A_POOL_KIND] == BACKS]
        mine = [row for row in backing if self.twin.assets[row].rule[A_POOL_OF] == staked]
        if self.stake_random.random() < 0.1:
            mine += [0, 1, 2, 9]
        who = self.stake_random.sample([1, *mine], self.stake_random.randint(0, min(3, 1 + len(mine))))
        return [*who, 0, 0, 0][:3]

    def payers(self):
        """Who pays, of a market or of debts."""
        market = self.stake_random.choice((0, *self.twin.markets))
        staked = self.twin.markets[market].rule[M_SETTLE] if market else self.stake_random.choice((1, COIN))
        first = M_PAYER if market else A_PAYER
        named = {first + place: who for place, who in enumerate(self.some_payers(staked))}
        return self.configure(MARKET if market else ASSET, named, market or staked)

    def backers(self):
        if self.backed:
            yield self.backing_pool(1)
            yield self.backing_pool(self.stake_random.choice((1, COIN)))
            for _ in range(4):
                yield self.payers()

    def offers(self):
        """Ladders, in most towns: of this coin, and of the unit of account for debts in it."""
        if self.sells:
            yield from self.sales()
            return
        if self.chance(0.05 if self.lends else 0.5):
            return
        if self.stakes and self.stake_random.random() < 0.25:
            return  # then nobody bids for what pools are to absorb
        plain = 1
        yield self.configure(CURVE, {C_FEE_PPM: 90_000})
        if self.rate_random.random() < 0.5:
            bonus = {C_POINT + i: 20_000 for i in range(33)}
            yield self.configure(CURVE, self.part_for({C_OF: 0, C_FROM: 0, C_TO: PPM}))
            beyond = {C_PART: 2, C_BEYOND: self.rate_random.choice((0, 1)), C_SIZE: self.rate_random.choice((0, 1))}
            yield self.configure(CURVE, {C_FEE_PPM: 90_000} | bonus | beyond)
            plain = 3
        for _ in range(self.random.randint(1, 4)):
            curve = self.curve()
            if self.rate_random.random() < 0.5:
                yield self.configure(CURVE, self.part_for(curve))
                curve[C_PART] = len(self.twin.curves)
            yield self.configure(CURVE, curve)
        for asset in (1, COIN):
            for curve in (plain, self.random.choice((0, self.some_curve())) or plain):
                yield self.configure(ASSET, {A_OFFER: curve}, asset)
            if self.chance(0.6):
                dust = self.random.choice((1, 5_000, 50_000, 50_000)) * self.scale
                target = self.random.choice((PPM, 1_050_000, 1_400_000))
                yield self.configure(ASSET, {A_DUST: dust, A_TARGET_PPM: target}, asset)

    def step_for_book(self, asset):
        """Through the book of the pair, as a rule one that makes sense."""
        pick, row = self.sale_random.choice, len(self.twin.curves)
        of, gives = pick((0, 1, 2, 3, 4)), pick((GIVES_BONUS, GIVES_BONUS, GIVES_PRICE))
        bonus = pick((0, 1_000, 20_000, 45_000))
        y = min(PPM, PPM - bonus + 1) if gives else bonus
        step = {C_TAKER: FOR_BOOK, C_OF: of, C_GIVES: gives, C_SIZE: TAKE_ALL}
        step |= {} if asset == 1 else {C_SIZE: pick((TO_RESTORE, TAKE_ALL))}
        step |= {C_TO: 60 * SECOND if of == 3 else PPM, C_LASTS_NS: pick((5, 60, 60, 600)) * SECOND}
        step |= {C_THEN: pick((0, row, row + 1)), C_BEYOND: pick((0, 0, 1))} | {C_POINT + i: y for i in range(33)}
        if self.sale_random.random() < 0.1:
            step |= pick(({C_LASTS_NS: 0}, {C_FEE_PPM: 1}, {C_PART: row}, {C_SIZE: TAKE_WHOLE}, {C_TAKER: 3}))
        return self.configure(CURVE, step)

    def sales(self):
        """Ladders that begin with the book."""
        for asset in (1, COIN):
            yield self.step_for_book(asset)
            if self.twin.curves:
                yield self.configure(ASSET, {A_OFFER: len(self.twin.curves)}, asset)

    def part_for(self, curve):
        """How much of a debt one bid may repay, of the same variable as a curve."""
        most = self.rate_random.choice((100_000, 400_000, PPM))
        points = {C_POINT + i: most for i in range(33)}
        return {each: curve[each] for each in (C_OF, C_FROM, C_TO)} | points

    def some_curve(self):
        return self.random.randint(0, len(self.twin.curves) + (1 if self.chance(0.05) else 0))

    def curve(self):
        """One step of a ladder, as a rule one that makes sense."""
        pick, uniform = self.random.choice, self.random.randint
        of, gives, size = uniform(0, 4), uniform(0, 1), uniform(0, 1)
        low, high = sorted((uniform(0, 60_000), uniform(0, 60_000)))
        if size:
            high = pick((high, 400_000, 3_000_000))
        if gives:
            low, high = PPM - low, PPM - high if high < PPM else pick((PPM // 3, 0))
        rises = of in (2, 3)  # more for the bidder with a larger variable
        first, last = (low, high) if rises else (high, low)
        points = [first + (last - first) * i * i // 1024 for i in range(33)]
        ends = {
            0: (pick((-PPM, 0, 800_000)), PPM),
            1: (pick((0, 900_000)), pick((PPM, 1_000_001))),
            2: (pick((0, 800_000)), pick((1_000_000, 1_300_000))),
            3: (pick((0, SECOND)), pick((60, 600)) * SECOND),
            4: (0, PPM),
        }[of]
        curve = {C_OF: of, C_GIVES: gives, C_FROM: ends[0], C_TO: ends[1], C_SIZE: size}
        curve |= {C_POINT + i: point for i, point in enumerate(points)}
        curve |= {C_FEE_PPM: pick((0, 100_000, PPM)), C_LASTS_NS: pick((0, 5, 60, 600)) * SECOND}
        if curve[C_LASTS_NS]:
            curve[C_THEN] = uniform(0, len(self.twin.curves) + 1)
        curve[C_BEYOND] = self.rate_random.choice((0, 0, 1))
        curve[C_TIP], curve[C_CHIP_PPM] = self.keepers.choice((0, 0, 7, 3_000)), self.keepers.choice((0, 20_000, PPM))
        parts = [row for row, rule in self.twin.curves.items() if (rule[C_OF], rule[C_GIVES]) == (of, 0) and row > 1]
        curve[C_PART] = self.rate_random.choice((0, *parts, *parts, len(self.twin.curves)))
        if self.chance(0.3):
            curve |= {C_DEBT: pick((1, COIN)), C_ELSE: uniform(0, len(self.twin.curves))}
        if self.chance(0.06):
            curve[pick(sorted(curve))] = pick((0, 1, 5, -1, PPM, 30 * PPM, 1 << 60))
        return curve

    def configure(self, kind, parameters, row=0):
        return command(CONFIGURE, self.now, *settings(kind, row, parameters))

    def worth(self, asset, value):
        """Atoms of an asset worth about so much."""
        value *= self.scale
        return value if asset == 1 else max(1, min(1 << 60, value * ASSET_PRICE_SCALE // self.prices[0]))

    def brackets(self, uppers, slopes):
        """Brackets that leave room for the restore factor."""
        parameters = {M_BRACKETS: len(uppers)}
        for i, (upper, slope) in enumerate(zip(uppers, slopes, strict=True)):
            parameters |= {
                M_BRACKET_UPPER + i: min(upper * self.scale, NOTIONAL_MAX),
                M_BRACKET_MAINTAIN_PPM + i: slope,
                M_BRACKET_OPEN_PPM + i: min(PPM, 2 * slope),
            }
        return parameters

    def risk_array(self, market):
        """Falls and rises of up to a sixth or less, other for each market; now and then one that is not whole."""
        rule, uniform = self.twin.markets[market].rule, self.risks.randint
        price = self.twin.markets[market].mark or self.prices[rule[M_FEED] - 1] if rule[M_FEED] else 1
        lot = PPM * abs(worth(rule, 1_000, max(1, price))) // 1_000
        parts = [(step - 8) * 20_000 // self.mildness + uniform(-5_000, 5_000) for step in range(17) if step != 7]
        if self.risks.random() < 0.3:
            parts = [abs(part) if self.risks.random() < 0.9 else part for part in parts]  # more like an option
        values = {S_VALUE + i: lot * part // PPM for i, part in enumerate(parts)}
        sign = self.risks.choice((1, 1, -1))
        values |= {S_BASIS: self.risks.choice((0, sign * lot // 50)), S_SHORT: self.risks.choice((0, 0, lot // 40))}
        if self.risks.random() < 0.5:
            values[S_OPEN_PPM] = self.risks.choice((1_500_000, 2_000_000, 1_100_000))
        if self.risks.random() < 0.05:
            del values[S_VALUE + uniform(0, 15)]
        elif self.risks.random() < 0.04:
            values[uniform(0, 20)] = self.risks.choice((-1, 0, 1 << 59, 1 << 61, PPM))
        return self.configure(RISK_ARRAY, values, market)

    def risk_change(self):
        """A new array, or an owner who is margined another way."""
        if self.risks.random() < 0.7:
            known = [row for row in self.traded if row in self.twin.markets]
            return self.risk_array(self.risks.choice(known)) if known else self.say_clock()
        owner = self.risks.randint(1 if self.risks.random() < 0.05 else 2, 5)
        return self.configure(OWNER, {O_MARGIN: self.risks.choice((BY_POSITION, BY_SCENARIO))}, owner)

    def grown(self, lots):
        """Rates by size now and then, such that the largest position still fits."""
        pick = self.sizes.choice
        if self.sizes.random() < 0.5:
            return {}
        most = 10**12 // (3 * lots)
        base, slope, root = pick((0, 20_000, 90_000)), pick((0, most // 50, most // 3)), pick((0, 0, 10**17 // lots))
        restored = {M_SIZE_OPEN_PPM: 2 * base, M_SIZE_OPEN_SLOPE: 2 * slope, M_SIZE_OPEN_ROOT: 4 * root}
        return {M_SIZE_MAINTAIN_PPM: base, M_SIZE_MAINTAIN_SLOPE: slope, M_SIZE_MAINTAIN_ROOT: root, **restored}

    def excess_of_market(self):
        """What is asked for beside where positions of a group are too large together."""
        pick = self.excess.choice
        return {M_EXCESS_FROM: pick((0, 3_000, 40_000)) * self.scale, M_EXCESS_PPM: pick((0, 20_001, 200_000, PPM))}

    def excess_of_asset(self):
        """The same of collateral."""
        pick = self.excess.choice
        most = {A_EXCESS_SHARE_PPM: pick((0, 300_001, 600_000, PPM)), A_EXCESS_PPM: pick((0, 90_001, 500_000, PPM))}
        return most | {A_EXCESS_FROM: pick((VALUE_MAX, VALUE_MAX, 20_000 * self.scale))}

    def excess_change(self):
        """Another limit for one of them, for shares as well; now and then for what may have none."""
        if self.excess.random() < 0.5:
            return self.configure(MARKET, self.excess_of_market(), self.excess.choice(self.traded))
        row = self.excess.choice([1, *(row for row in self.twin.assets for _ in range(4))])
        return self.configure(ASSET, self.excess_of_asset() | {A_GROUP: self.excess.choice((0, 1))}, row)

    def common(self):
        pick = self.random.choice
        return {
            M_RAMP_NS: pick((60, 100, 3_600)) * SECOND,
            M_RANKING: pick((0, 0, 1, 2, 3, 4)),
            M_GROUP: pick((0, 1)),
            M_PRICE_BAND_PPM: pick((50_000, 100_000, 2 * PPM)),
            M_LEVERAGE_DEFAULT: pick((5, 10, 20, 50)),
            M_RESTORE_PPM: pick((PPM, 1_200_000, 1_500_000)),
            M_TAKEOVER_PPM: pick((0, 400_000, 666_666, PPM)),
            M_LIQUIDATION_FEE_PPM: pick((0, 2_000, 9_999)),
            M_REACH_PPM: pick((0, 300_000, PPM)),
            M_SPREAD_PPM: self.rules.choice((0, 0, 200_000, PPM)),
            M_URGENCY_PPM: self.rules.choice((PPM, 3 * PPM)),
            M_CLOSING_PPM: self.rules.choice((0, 0, 600, 50_000)),
            M_PREMIUM_DIVISOR: self.rules.choice((1, 1, 24)),
            M_SLICE_PPM: pick((50_000, 200_000, 500_000)),
            M_SLICE_NOTIONAL: min(pick((0, 50_000, 1 << 40)) * self.scale, NOTIONAL_MAX),
            M_COOLDOWN_NS: pick((1_000_000, 5 * SECOND, 60 * SECOND)),
            M_SLIP_PPM: pick((0, 20_000, 100_000)),
            M_GRACE_NS: self.oracle.choice((0, 3, 30)) * SECOND if self.wary else 0,
            M_BACKSTOP_LOTS_MAX: pick((0, 7, 1_000)),
            M_MARK_POLICY: pick((0, 0, 1)),
            M_MARK_BAND_PPM: pick((0, 20_000, 200_000)),
            M_BASIS_CLAMP_PPM: pick((0, 25_000)),
            M_BASIS_TAU_NS: pick((1, 10 * SECOND, 150 * SECOND)),
            M_FEE_TIERS: 3,
            M_MAKER_PPM: pick((200, 0, -150)),
            M_MAKER_PPM + 1: pick((100, -150)),
            M_MAKER_PPM + 2: -150,
            M_TAKER_PPM: 500,
            M_TAKER_PPM + 1: 350,
            M_TAKER_PPM + 2: pick((150, 300)),
        }

    def perhaps_dated(self, market):
        """Some markets expire soon; some that do not could be delisted over a short window."""
        pick = self.dates.choice
        market = market | {M_SETTLE_WINDOW_NS: pick((1, 60, 1_800, 86_400)) * SECOND}
        if self.ends and self.dates.random() < 0.5:
            market |= {M_EXPIRY_NS: self.now + pick((1_200, 3_600, 7_200, 20_000)) * SECOND + pick((0, 1, 999))}
        return market

    def perhaps_paid(self, market):
        """In some towns a linear market is paid up; one that ends may end at a price agreed beforehand."""
        if not self.pays or market.get(M_KIND) == INVERSE or self.dates.random() < 0.15:
            return market
        market = market | {M_PAID: 1, M_FUNDING_INTERVAL_NS: 0 if self.dates.random() < 0.95 else HOUR}
        if self.dates.random() < 0.95:
            market[M_SETTLE] = UNIT
        if market.get(M_EXPIRY_NS) and self.dates.random() < 0.7:
            market[M_SETTLE_PRICE] = self.dates.choice((400, 1_000, 90, 4_000))
        return market

    def delisting(self):
        """An expiry for a market that has none, or another one; sooner than is allowed, now and then."""
        pick = self.dates.choice
        soon = pick((0, 1, SECOND, NOTICE_NS - 1, NOTICE_NS, NOTICE_NS, NOTICE_NS + 600 * SECOND))
        settings = {M_EXPIRY_NS: pick((0, *[self.now + soon] * 9))}
        if self.dates.random() < 0.2:
            settings[M_SETTLE_WINDOW_NS] = pick((1, 60, 86_400)) * SECOND
        return self.configure(MARKET, settings, pick(self.traded))

    def plain_market(self):
        pick = self.random.choice
        return {
            M_SETTLE: 1,
            M_ATOMS_PER_TICK_LOT: 10 * self.scale,
            M_TICKS_MAX: 5_000,
            M_FEED: 2,
            M_ORDER_LOTS_MAX: 60,
            M_POSITION_LOTS_MAX: pick((60, 1_000, 1_000)),
            M_OPEN_INTEREST_LOTS_MAX: pick((100, 10_000)),
            M_OI_LOWER_LOTS: pick((0, 20)),
            M_OI_UPPER_LOTS: pick((0, 400)),
            M_FUNDING_INTERVAL_NS: HOUR,
            M_SAMPLE_INTERVAL_NS: 60 * SECOND,
            M_IMPACT_NOTIONAL: pick((20_000, 200_000)) * self.scale,
            **self.brackets((150_000, 600_000, pick((2_000_000, 1 << 50))), (20_000, 30_000, 75_000)),
            **self.common(),
        }

    def coin_market(self):
        return {
            M_SETTLE: COIN,
            M_ATOMS_PER_TICK_LOT: 3 * self.scale,
            M_TICKS_MAX: 4_096,
            M_FEED: 3,
            M_ORDER_LOTS_MAX: 300,
            M_POSITION_LOTS_MAX: 500,
            M_FUNDING_INTERVAL_NS: self.random.choice((0, 8 * HOUR, 600 * SECOND)),
            M_SAMPLE_INTERVAL_NS: 60 * SECOND,
            M_INTEREST_PPB: self.random.choice((100_000, -7_777_777)),
            M_IMPACT_NOTIONAL: 5_000 * self.scale,
            **self.brackets((20_000, 1 << 50), (30_000, 50_001)),
            **self.common(),
        }

    def coarse_market(self):
        """Few ticks, big funding."""
        return {
            M_SETTLE: 1,
            M_ATOMS_PER_TICK_LOT: self.random.choice((1, 97)) * self.scale,
            M_TICKS_MAX: 300,
            M_FEED: 4,
            M_ORDER_LOTS_MAX: 1_000,
            M_POSITION_LOTS_MAX: 2_000,
            M_FUNDING_INTERVAL_NS: 60 * SECOND,
            M_SAMPLE_INTERVAL_NS: 10 * SECOND,
            M_FUNDING_CLAMP_PPB: 50_000_000,
            M_FUNDING_CAP_PPB: 100_000_000,
            M_INTEREST_PPB: self.random.choice((-10_000_000, 0, 10_000_000)),
            M_IMPACT_NOTIONAL: 300 * self.scale,
            **self.brackets((1 << 50,), (self.random.choice((40_000, 100_000)),)),
            **self.common(),
        }

    def pair(self):
        """The coin against the unit of account, or the other way round; or worth less than a tick now and then."""
        pick = self.random.choice
        base, quote = pick(((COIN, 1), (COIN, 1), (1, COIN)))
        lot, ticks = self.worth(base, pick((300, 2_000))), pick((2, 400, 400, 4_000))
        value = lot * self.prices[0] // ASSET_PRICE_SCALE if base == COIN else lot
        lot_cost = value if quote == 1 else value * ASSET_PRICE_SCALE // self.prices[0]
        lots = pick((30, 200))
        return {
            M_KIND: SPOT,
            M_SETTLE: quote,
            M_BASE: base,
            M_LOT_ATOMS: lot,
            M_ATOMS_PER_TICK_LOT: max(1, lot_cost // ticks),
            M_TICKS_MAX: 6_000,
            M_FEED: 0,
            M_ORDER_LOTS_MAX: min(60, lots),
            M_POSITION_LOTS_MAX: lots,
            M_FUNDING_INTERVAL_NS: 0,
            **self.brackets((1 << 50,), (30_000,)),
            **self.common(),
        }

    def perhaps_inverse(self, market):
        """The same market in the reciprocal price, about as large; its lots may be worth few atoms."""
        if not self.chance(0.4):
            return market
        place, most, highest = market[M_FEED] - 1, market[M_POSITION_LOTS_MAX], market[M_TICKS_MAX]
        base = self.prices[place]
        low = self.random.choice((1, base // 20, base // 4))
        whole = market[M_ATOMS_PER_TICK_LOT] * base * base
        per_lot = max(highest, whole // self.random.choice((1, 1, 9, 300)))
        per_lot = min(per_lot, low * LOT_WORTH_MAX, NOTIONAL_MAX * low // most)
        more = min(whole // per_lot, NOTIONAL_MAX * low // (per_lot * most)) or 1  # lots, where each is worth less
        counted = (M_ORDER_LOTS_MAX, M_POSITION_LOTS_MAX, M_OPEN_INTEREST_LOTS_MAX, M_OI_LOWER_LOTS, M_OI_UPPER_LOTS)
        counted = {key: market[key] * more for key in (*counted, M_BACKSTOP_LOTS_MAX) if key in market}
        self.lowest[place] = low
        return market | counted | {M_KIND: INVERSE, M_ATOMS_PER_TICK_LOT: per_lot, M_TICKS_MIN: low}

    def price(self, moves):
        """Reports for feeds, each price moved by so many millionths."""
        lines = []
        for feed, move in moves.items():
            moved = (self.prices[feed - 1] * (PPM + move) + self.random.randrange(PPM)) // PPM
            self.prices[feed - 1] = max(1 if self.chance(0.02) else self.lowest[feed - 1], moved)
            self.prices[feed - 1] = min(self.prices[feed - 1], self.highest(feed))
            for source in self.sources(feed):
                noise = self.random.choice((0, 0, 0, -1, 1)) if feed == 2 else 0
                price = max(1, self.prices[feed - 1] + noise)
                confidence = self.random.choice((0, 0, 0, 1, 50)) if feed == 2 else 0
                if self.wary:
                    price, confidence = self.told(feed, price)
                line = {"market": feed, "account": source, "price": price, "lots": confidence, "trigger": self.now}
                lines.append(line)
        return command(PRICE, self.now, *lines)

    def sources(self, feed):
        if feed != 2:
            return self.oracle.choice(((0, 1, 2), (0, 1, 2), (1,), (0, 4), (2, 3))) if self.wary else (0,)
        if self.chance(0.01):
            return (0, 3)
        chosen = self.random.choice(((0, 1, 2), (0, 1, 2), (0, 1), (0,), (2, 1)))
        held = self.twin.feeds.get(feed)
        return [source for source in chosen if held is None or held.weight(source)] or (0,)

    def deposit(self, account, asset, amount):
        return command(DEPOSIT, self.now, {"account": account, "market": asset, "lots": amount, **self.new_reference()})

    def new_reference(self):
        self.reference += 1
        return client(self.random.randint(0, self.reference) if self.chance(0.05) else self.reference)

    def random_configuration(self):
        if self.wary and self.oracle.random() < 0.3:
            return self.policy_change()
        if self.crowds and self.excess.random() < 0.15:
            return self.excess_change()
        pick = self.random.choice
        kind = pick((ASSET, FEED, MARKET, MARKET, MARKET, RISK_TIER, OWNER))
        if self.chance(0.12):
            return self.random_creation()
        if self.chance(0.1):
            line = {"account": self.random.randint(-1, 7), "market": self.random.randint(0, 6)}
            return command(
                CONFIGURE, self.now, line | {"order": self.random.randint(-2, 120), "lots": pick((0, 1, PPM))}
            )
        if kind == ASSET:
            row = pick((1, COIN))
            parameters = pick(
                (
                    {A_LOAN_CAP: pick((0, 100, 30_000)) * self.scale},
                    {A_CONVERT_HAIRCUT_PPM: pick((0, 50_000))},
                    {A_BORROW_WEIGHT_PPM: pick((PPM, 1_300_000))},
                    {A_TIER_MAINTAIN_PPM + 1: pick((750_000, 900_000)), A_TIER_OPEN_PPM + 1: pick((500_000, 720_000))},
                    {A_TIERS: pick((1, 2, 3))},
                    {A_OFFER: self.some_curve() or 1},
                    {A_FROZEN: pick((0, 1))},
                    {A_VOLATILITY_PPM: self.random.randint(0, PPM), A_DUST: pick((0, 2_000)) * self.scale},
                    {A_TIER_MAINTAIN_PPM: pick((900_000, 930_000, 950_000)), A_RAMP_NS: 60 * SECOND},
                    self.rates(),
                    self.fund_caps() or {A_GROUP: 1},
                    {A_POOL_MAX: pick((AMOUNT_MAX, self.worth(row, 50_000)))},
                    self.lending(row),
                )
            )
        elif kind == FEED:
            row, parameters = (
                2,
                pick(({F_QUORUM: pick((1, 2, 3, 4))}, {F_WEIGHT + pick((0, 1, 2, 3)): pick((0, 1, 9))})),
            )
            if self.chance(0.25):
                row, parameters = pick((1, 2, 3)), {F_STALENESS_NS: pick((60, 600, 3_600)) * SECOND}
        elif kind == MARKET:
            row, parameters = pick(self.traded), self.market_change()
        elif kind == RISK_TIER:
            row, parameters = (
                pick((1, 2)),
                {T_LEVERAGE_MAX: pick((2, 10, 100, 1_000))},
            )
        else:
            row = self.random.randint(2, 5)
            parameters = pick(
                (
                    {O_STP: self.random.randint(1, 4)},
                    {O_FEE_TIER: pick((0, 1, 7))},
                    {O_RISK_TIER: pick((1, 1, 1, 2, 3, 9))},
                )
            )
        return self.configure(kind, parameters, row)

    def random_creation(self):
        """A new row, while there is room: the third asset and the fourth market on the last two feeds."""
        kind = self.random.choice((ASSET, FEED, MARKET, RISK_TIER, OWNER, CURVE))
        if kind == CURVE:
            return self.configure(CURVE, self.curve(), 1 if self.chance(0.05) else 0)
        if kind == ASSET:
            parameters = self.random.choice(
                ({A_FEED: self.random.choice((5, 5, 4, 0))}, {A_POOL_OF: self.random.randint(1, 5)})
            )
        elif kind == MARKET:
            parameters = self.coarse_market() | {M_FEED: self.random.choice((6, 6, 5, 2, 9))}
            key = self.random.choice(sorted(parameters))
            if self.chance(0.7):  # most often something does not fit
                parameters[key] = self.random.choice((0, 1, -1, 2 * parameters[key], parameters[key] // 2, 1 << 40))
        else:
            parameters = {FEED: {F_QUORUM: self.random.choice((1, 8, 9))}, RISK_TIER: {T_LEVERAGE_MAX: 7}}.get(
                kind, {O_RISK_TIER: self.random.choice((1, 2, 4))}
            )
        return self.configure(kind, parameters)

    def market_change(self):
        pick = self.random.choice
        common = self.common()
        key = pick(sorted(common))
        rates = pick((20_000, 30_000, 50_000))
        return pick(
            (
                {M_STATE: pick((0, 0, 1, 2, 3, 4, 4))},
                {key: common[key]},
                {M_BRACKET_MAINTAIN_PPM: rates, M_BRACKET_OPEN_PPM: 2 * rates},
                {M_BRACKETS: pick((1, 2, 3))},
                {M_OI_LOWER_LOTS: 5, M_OI_UPPER_LOTS: pick((0, 50, 500))},
                {M_FUNDING_INTERVAL_NS: pick((0, 120, 600)) * SECOND},
                self.grown(500) or {M_SIZE_MAINTAIN_SLOPE: 0, M_SIZE_MAINTAIN_ROOT: 0},
                {M_ORDER_LOTS_MAX: pick((30, 60))},
                {M_OPEN_INTEREST_LOTS_MAX: pick((50, 10_000))},
                {pick((M_SETTLE, M_TICKS_MAX, M_FEED)): pick((0, 1, 300)), M_RESTORE_PPM: pick((0, PPM, 2 * PPM))},
            )
        )

    def freeze(self):
        """Coins are frozen while something is offered, and not for long."""
        frozen = [row for row, asset in self.twin.assets.items() if asset.rule[A_FROZEN]]
        wanted = not frozen and any(account.started for account in self.twin.accounts.values())
        return self.configure(ASSET, {A_FROZEN: int(wanted)}, frozen[0] if frozen else COIN)

    def reopen(self):
        """Markets do not stay closed for long."""
        closed = [row for row, market in self.twin.markets.items() if 0 < market.rule[M_STATE] < SETTLED]
        return self.configure(MARKET, {M_STATE: 0}, closed[0]) if closed else self.random_order()


def small_limits(seed):
    """Narrow enough that tables fill and budgets run out now and then."""
    random = Random(f"limits {seed}")
    limits = Limits(
        assets=9,
        feeds=6,
        markets=5,
        risk_tiers=4,
        owners=8,
        accounts=24,
        legs=240,
        orders=60,
        trailing_per_market=random.choice((1, 3, 4_096)),
        references=4_000,
        recent_client_ids=8,
        ladder_ticks=1 << 16,
        orders_per_account=12,
        staged_rows=64,
        curves=random.choice((3, 12)),
        bids=random.choice((1, 3, 50)),
    )
    if random.random() < 0.5:
        limits = replace(
            limits,
            accounts=random.choice((14, 24)),
            legs=limits.legs_reserved + random.choice((20, 30, 50)),
            orders=random.choice((12, 30)),
            references=random.choice((2, 30, 200)),
            orders_per_account=random.choice((3, 12)),
            liquidations_per_command=random.choice((1, 2, 64)),
            triggers_per_command=random.choice((1, 2, 64)),
            events_per_command=random.choice((1, 4, 30, 16_384)),
        )
    return limits
