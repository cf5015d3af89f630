"""A machine set up with the numbers of one example, in whole ticks, lots and atoms."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from steelyard.engine import queries
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CONFIGURE, FEED, MARKET, OWNER, Command
from steelyard.model.events import REJECTED
from steelyard.model.orders import FOR_MAINTAIN, INDEX_ONLY, INVERSE, STP_NONE
from steelyard.model.reject import Reject
from steelyard.num.limits import ASSET_PRICE_SCALE, NOTIONAL_MAX, PPM
from steelyard.state.tables import MARKET_0, Limits
from steelyard.venue.machine import Machine
from steelyard.venue.reading import Reader
from steelyard.venue.solve import losing_price
from tests.telling import Teller

SMALL = Limits(
    assets=4, feeds=8, markets=6, risk_tiers=2, owners=40, accounts=80, legs=400, orders=60, references=200,
    recent_client_ids=4, ladder_ticks=1 << 25, orders_per_account=20, staged_rows=200,
)  # fmt: skip
USD, COIN = 1, 2
DEEP = 1 << 49  # atoms of a purse that is never the question


class Unsupported(Exception):
    """What the machine has no word for, and why."""


def whole(number, unit=1):
    """An exact count of units."""
    count = Fraction(number) / Fraction(unit)
    if count.denominator != 1:
        raise Unsupported(f"{number} is not a whole number of {unit}")
    return int(count)


def step_of(*numbers):
    """The power of ten of which all numbers are whole multiples, at most 1."""
    step = Fraction(1)
    while any((Fraction(number) / step).denominator != 1 for number in numbers):
        step /= 10
        if step < Fraction(1, 10**18):
            raise Unsupported("the example's numbers have too many decimals")
    return step


@dataclass(eq=False)
class Market:
    """Units of one market: price per tick, size per lot, atoms per tick and lot."""

    row: int
    tick: Fraction
    lot: Fraction
    scale: int
    settle: int = USD

    def ticks(self, price):
        return whole(price, self.tick)

    def lots(self, size):
        return whole(size, self.lot)


class Scene:
    """Commands must pass. Parameters that are refused are beyond the machine; any other refusal is a failure."""

    def __init__(self, atoms_per_usd=10**6):
        self.machine = Machine(SMALL)
        self.state = self.machine.state
        self.teller = Teller(self.submit)
        self.atoms_per_usd = Fraction(atoms_per_usd)
        self.events = np.zeros(0)
        self.feeds = 0
        self.teller.configure(ASSET, {key.A_SUPPLY_MAX: 1 << 55})
        self.maker = self.account(DEEP)  # the other side of every trade

    def submit(self, batch):
        self.events = self.machine.submit(batch)
        refused = self.events[self.events["kind"] == REJECTED]
        if len(refused):
            told = f"the machine refuses {Command(refused[0]['extra']).name}: {Reject(refused[0]['reason']).name}"
            raise Unsupported(told) if refused[0]["extra"] == CONFIGURE else RuntimeError(told)
        return self.events

    def happened(self, kind):
        """Events of the last command, by kind."""
        return self.events[self.events["kind"] == kind]

    # --- Units ---

    def atoms(self, usd):
        return whole(Fraction(usd) * self.atoms_per_usd)

    def usd(self, atoms):
        return Fraction(int(atoms)) / self.atoms_per_usd

    # --- Building ---

    def feed(self, settings=()):
        self.feeds += 1
        self.teller.configure(FEED, {key.F_QUORUM: 1} | dict(settings))
        return self.feeds

    def account(self, atoms=0):
        self.teller.configure(OWNER, {key.O_STP: STP_NONE})
        self.teller.open_account(int(self.state.machine.owners[0]))
        account = int(self.state.machine.accounts[0])
        if atoms:
            self.teller.deposit(account, USD, atoms)
        return account

    def coin(self, price, settings=()):
        """A second asset whose atoms are as many to one as those of the unit of account."""
        feed = self.feed()
        self.teller.configure(ASSET, {key.A_FEED: feed, key.A_SUPPLY_MAX: 1 << 52} | dict(settings))
        self.teller.price({feed: whole(Fraction(price) * ASSET_PRICE_SCALE)})

    def market(self, tick, lot, ticks_max, rates, *, settle=USD, **settings):
        """`rates` is [(upper notional in atoms or None, maintain ppm, open ppm)]. The mark is the index.

        With a lowest price, `ticks_min`, the market is inverse.
        """
        ticks_min, ticks_max = settings.get("ticks_min"), max(64, ticks_max)
        if ticks_min:
            scale = whole(Fraction(lot) / Fraction(tick) * self.atoms_per_usd)
            lots_max = NOTIONAL_MAX * ticks_min // scale
            settings["kind"] = INVERSE
        else:
            scale = whole(Fraction(tick) * Fraction(lot) * self.atoms_per_usd)
            lots_max = NOTIONAL_MAX // (ticks_max * scale)
        wanted = {
            key.M_FEED: self.feed(settings.pop("feed", ())),
            key.M_SETTLE: settle,
            key.M_ATOMS_PER_TICK_LOT: scale,
            key.M_TICKS_MAX: ticks_max,
            key.M_POSITION_LOTS_MAX: lots_max,
            key.M_ORDER_LOTS_MAX: lots_max,
            key.M_MARK_POLICY: INDEX_ONLY,
            key.M_FUNDING_INTERVAL_NS: 0,
            key.M_LEVERAGE_DEFAULT: 1_000,
            key.M_PRICE_BAND_PPM: 100 * PPM,
            key.M_MAKER_PPM: 0,
            key.M_TAKER_PPM: 0,
            key.M_LIQUIDATION_FEE_PPM: 0,
            key.M_TAKEOVER_PPM: 0,
            key.M_RESTORE_PPM: PPM,
            key.M_SLICE_NOTIONAL: NOTIONAL_MAX,
            key.M_BRACKETS: len(rates),
        }
        for i, (upper, maintain, opening) in enumerate(rates):
            wanted[key.M_BRACKET_UPPER + i] = NOTIONAL_MAX if upper is None else upper
            wanted[key.M_BRACKET_MAINTAIN_PPM + i] = maintain
            wanted[key.M_BRACKET_OPEN_PPM + i] = opening
        named = {getattr(key, f"M_{name.upper()}"): value for name, value in settings.items()}
        self.teller.configure(MARKET, wanted | named)
        return Market(int(self.state.machine.markets[0]), Fraction(tick), Fraction(lot), scale, settle)

    def feed_of(self, market):
        return int(self.state.market_rule[market.row, key.M_FEED])

    def price(self, prices):
        """Prices of markets, [(market, price)], in one command."""
        return self.teller.price({self.feed_of(market): market.ticks(price) for market, price in prices})

    def take(self, account, market, signed_lots, ticks):
        """The account trades with the maker at the mark."""
        buyer, seller = (account, self.maker) if signed_lots > 0 else (self.maker, account)
        return self.teller.trade(buyer, seller, market.row, abs(signed_lots), ticks)

    def hold(self, holdings, prices):
        """Accounts with a cash balance, proceeds of their positions included, and positions: [(usd, {market: size})].

        The positions are opened where everybody can afford them, longs far above the prices and shorts far below, then
        all `prices` are said in one command. Answers the accounts.
        """
        accounts = []
        for balance, sizes in holdings:
            early = {}
            for market, size in sizes.items():
                ticks = round(prices[market] / market.tick * Fraction(3 if size > 0 else 1, 2))
                early[market] = ticks * market.tick
            cash = balance + sum(sizes[market] * early[market] for market in sizes)
            if cash <= 0:
                raise Unsupported("an account too poor to have opened its positions")
            account = self.account(self.atoms(cash))
            for market, size in sizes.items():
                self.price([(market, early[market])])
                self.take(account, market, market.lots(size), market.ticks(early[market]))
            accounts.append(account)
        self.price(list(prices.items()))
        return accounts

    # --- Reading ---

    def leg(self, account, market):
        leg = int(queries.find_leg(self.state.handle, account, MARKET_0 + market.row))
        child = int(self.state.leg.child[leg]) if leg else 0
        return int(queries.find_leg(self.state.handle, child, MARKET_0 + market.row)) if child else leg

    def leg_requirement(self, account, market, question=FOR_MAINTAIN):
        return self.usd(queries.leg_requirement(self.state.handle, self.leg(account, market), question))

    def leg_equity(self, account, market):
        return self.usd(queries.leg_equity(self.state.handle, self.leg(account, market)))

    def cash(self, account, asset=USD):
        leg = int(queries.find_leg(self.state.handle, account, asset))
        return self.usd(self.state.leg.quantity[leg])

    def size(self, account, market):
        return int(self.state.leg.quantity[self.leg(account, market)]) * market.lot

    def last_healthy(self, account, market):
        """The tick farthest on the losing side of the mark at which E >= M(maintain) still holds."""
        leg = int(queries.find_leg(self.state.handle, account, MARKET_0 + market.row))
        unhealthy = losing_price(Reader(self.machine), account, MARKET_0 + market.row)
        if unhealthy is None:
            raise Unsupported("the account is healthy at every price there is")
        return unhealthy + (1 if self.state.leg.quantity[leg] > 0 else -1)
