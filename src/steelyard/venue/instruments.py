"""What has a name: assets, markets and accounts, with the steps their numbers are counted in.

The machine knows rows only. Names live here, travel beside its snapshots, and never influence it.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import msgspec

from steelyard.model import reject as no
from steelyard.state.tables import MARKET_0
from steelyard.venue.amounts import Step, average
from steelyard.venue.formulas import worth
from steelyard.venue.parameters import Grid
from steelyard.venue.records import Account
from steelyard.venue.refusals import Rejected

SYSTEM_NAMES = ("insurance", "fees", "backstop", "lender", "converter", "dust")
NAME_MAX = 64


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """`feed` 0 marks the unit of account and shares. Prices are in the unit of account per whole coin."""

    row: int
    name: str
    decimals: int
    feed: int
    price_places: int
    pool_of: str = ""  # of a share: what its pool lends, or is staked in it
    gains: str = ""  # of a share in a pool that absorbs debts: the collateral it gets
    backs: bool = False  # of a share in a pool that pays losses

    @property
    def atom(self) -> Step:
        return Step.atoms(self.decimals)

    @property
    def price_step(self) -> Step:
        """One unit of the machine's asset price: value atoms per atom, in parts of 10**12."""
        return Step(1, self.price_places)

    @property
    def grid(self) -> Grid:
        return Grid(atom=self.atom)


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """`base` is set for a spot pair, whose price follows from its assets: it has no feed."""

    row: int
    name: str
    settle: Asset
    tick: Step
    lot: Step
    atoms_per_tick_lot: int  # of an inverse market: atoms times ticks per lot
    feed: int
    base: Asset | None = None
    is_inverse: bool = False

    def worth(self, lots: int, ticks: int) -> int:
        """What signed lots cost at a price, in atoms of the settlement asset."""
        return worth(self.is_inverse, self.atoms_per_tick_lot, lots, ticks)

    def entry(self, lots: int, cost: int, places: int) -> Decimal | None:
        """The price at which lots are worth this, rounded for people; None if there is none."""
        contracts, money = self.lot.back(abs(lots)), self.settle.atom.back(abs(cost))
        if not self.is_inverse:
            return average(money if (cost < 0) == (lots < 0) else -money, contracts, places)
        return average(contracts, money, places) if cost * lots < 0 else None

    @property
    def grid(self) -> Grid:
        return Grid(lot=self.lot, tick=self.tick, atom=self.settle.atom)

    @property
    def held(self) -> Step:
        """The step of what a fill leaves its account with: lots, or in a pair atoms of the base."""
        return self.base.atom if self.base else self.lot


def thing_of(fed: Asset | Market) -> int:
    return fed.row + (MARKET_0 if isinstance(fed, Market) else 0)


def price_step_of(fed: Asset | Market) -> Step:
    return fed.tick if isinstance(fed, Market) else fed.price_step


class _Written(msgspec.Struct, omit_defaults=True):
    """How names are written down: all of them, or what changed. `gone` counts first."""

    assets: list[Asset] = msgspec.field(default_factory=list)
    markets: list[Market] = msgspec.field(default_factory=list)
    accounts: dict[str, int] = msgspec.field(default_factory=dict)
    gone: list[str] = msgspec.field(default_factory=list)
    counter: int = 0


class Names:
    """The registry of one venue."""

    def __init__(self) -> None:
        self.assets: dict[str, Asset] = {}
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, int] = {name: row for row, name in enumerate(SYSTEM_NAMES, 1)}
        self.counter = 0  # labels made up for whoever gave none
        self._asset_of: dict[int, Asset] = {}
        self._market_of: dict[int, Market] = {}
        self._feed_of: dict[int, Asset | Market] = {}
        self._account_of: dict[int, str] = {row: name for name, row in self.accounts.items()}
        self._changes: _Written | None = None  # kept for a journal alone

    # --- adding

    def free(self, name: str, what: str) -> str:
        """Checks a new name of an asset or a market."""
        _check(name, what)
        if name in self.assets or name in self.markets:
            raise ValueError(f"{name!r} exists already; assets and markets share their names")
        return name

    def add_asset(self, asset: Asset) -> Asset:
        self.assets[asset.name] = self._asset_of[asset.row] = asset
        if asset.feed:
            self._feed_of[asset.feed] = asset
        if self._changes:
            self._changes.assets.append(asset)
        return asset

    def remove(self, thing: Asset | Market) -> None:
        """An asset or a market that never came to be."""
        if isinstance(thing, Asset):
            del self.assets[thing.name], self._asset_of[thing.row]
        else:
            del self.markets[thing.name], self._market_of[thing.row]
        if thing.feed:
            del self._feed_of[thing.feed]
        if self._changes:
            self._changes.assets = [each for each in self._changes.assets if each != thing]
            self._changes.markets = [each for each in self._changes.markets if each != thing]
            self._changes.gone.append(thing.name)

    def add_market(self, market: Market) -> Market:
        self.markets[market.name] = self._market_of[market.row] = market
        if market.feed:
            self._feed_of[market.feed] = market
        if self._changes:
            self._changes.markets.append(market)
        return market

    def free_account(self, name: str) -> str:
        _check(name, "account name")
        if name in self.accounts:
            raise ValueError(f"there is an account {name!r} already")
        return name

    def add_account(self, name: str, row: int) -> Account:
        self.accounts[name] = row
        self._account_of[row] = name
        if self._changes:
            self._changes.accounts[name] = row
        return Account(row, name)

    def label(self) -> str:
        """A reference for a movement of money that was given none."""
        self.counter += 1
        return f"auto-{self.counter}"

    # --- finding

    def asset(self, name: str) -> Asset:
        found = self.assets.get(name)
        if found is None:
            raise _missing(no.ASSET_UNKNOWN, "asset", name, self.assets)
        return found

    def share_of(self, asset: str) -> Asset:
        """The shares in the pool that lends an asset; a share is itself."""
        lent = self.asset(asset)
        if lent.pool_of:
            return lent
        for each in self.assets.values():
            if each.pool_of == lent.name and not each.gains and not each.backs:
                return each
        pools = [each.pool_of for each in self.assets.values() if each.pool_of and not each.gains and not each.backs]
        hint = f"; there are pools of {', '.join(pools)}" if pools else ""
        raise Rejected(no.POOL_UNKNOWN, f"there is no pool of {asset}{hint}")

    def market(self, name: str) -> Market:
        found = self.markets.get(name)
        if found is None:
            raise _missing(no.MARKET_UNKNOWN, "market", name, self.markets)
        return found

    def account(self, account: Account | str | int) -> int:
        """The row of an account."""
        if isinstance(account, Account):
            return account.id
        if isinstance(account, str):
            row = self.accounts.get(account)
            if row is None and account.startswith("#") and account[1:].isdecimal():
                row = int(account[1:])  # how an account without a name is called
            if row is None:
                raise _missing(no.ACCOUNT_UNKNOWN, "account", account, self.accounts)
            return row
        return int(account)

    def known_account(self, account: Account | str | int, accounts: int) -> int:
        """The row of an account that exists, out of so many."""
        row = self.account(account)
        if not 0 < row <= accounts:
            raise Rejected(no.ACCOUNT_UNKNOWN, f"there is no account {account}")
        return row

    def feed(self, name: str) -> Asset | Market:
        """What has a price of its own: an asset or a market."""
        found: Asset | Market | None = self.markets.get(name) or self.assets.get(name)
        if found is None:
            raise _missing(no.FEED_UNKNOWN, "market or asset", name, [*self.markets, *self.assets])
        if isinstance(found, Market) and found.base:
            assets = f"{found.base.name} and {found.settle.name}"
            raise Rejected(no.FEED_UNKNOWN, f"the price of {name} follows from those of {assets}")
        if isinstance(found, Asset) and found.pool_of:
            text = f"{name} is a share in the pool of {found.pool_of}; its price follows from that"
            raise Rejected(no.FEED_UNKNOWN, text)
        if found.feed == 0:
            raise Rejected(no.FEED_UNKNOWN, f"{name} is the unit of account; its price is 1")
        return found

    # --- naming rows

    def asset_at(self, row: int) -> Asset:
        return self._asset_of[row]

    def market_at(self, row: int) -> Market:
        return self._market_of[row]

    def thing_at(self, thing: int) -> Asset | Market:
        return self._asset_of[thing] if thing < MARKET_0 else self._market_of[thing - MARKET_0]

    def feed_at(self, row: int) -> Asset | Market:
        return self._feed_of[row]

    def account_name(self, row: int) -> str:
        return self._account_of.get(row) or f"#{row}"

    def handle(self, row: int) -> Account:
        return Account(row, self.account_name(row))

    def symbol(self, row: int) -> str | None:
        market = self._market_of.get(row)
        return market.name if market else None

    # --- keeping

    def to_bytes(self) -> bytes:
        assets, markets = [*self.assets.values()], [*self.markets.values()]
        return msgspec.json.encode(_Written(assets, markets, self.accounts, counter=self.counter))

    @staticmethod
    def from_bytes(data: bytes) -> "Names":
        names = Names()
        names.apply(data)
        return names

    def keep_changes(self) -> None:
        self._changes = _Written(counter=self.counter)

    def take_changes(self) -> bytes:
        """What changed since the last time, or nothing."""
        changes = self._changes
        if changes is None or not (
            changes.assets or changes.markets or changes.accounts or changes.gone or changes.counter != self.counter
        ):
            return b""
        changes.counter = self.counter
        self.keep_changes()
        return msgspec.json.encode(changes)

    def apply(self, data: bytes) -> None:
        """What was written, on top of the names there are."""
        changes = msgspec.json.decode(data, type=_Written)
        for name in changes.gone:
            thing = self.assets.get(name) or self.markets.get(name)
            if thing:
                self.remove(thing)
        for asset in changes.assets:
            self.add_asset(asset)
        for market in changes.markets:
            self.add_market(market)
        for name, row in changes.accounts.items():
            self.add_account(name, row)
        self.counter = changes.counter

    def keep_only(self, assets: int, markets: int, accounts: int) -> None:
        """Drop names of rows that did not come to be."""
        for thing in [each for each in self if each.row > (assets if isinstance(each, Asset) else markets)]:
            self.remove(thing)
        for name in [name for name, row in self.accounts.items() if row > accounts]:
            del self._account_of[self.accounts.pop(name)]

    def copy(self) -> "Names":
        return Names.from_bytes(self.to_bytes())

    def __iter__(self) -> Iterator[Asset | Market]:
        yield from self.assets.values()
        yield from self.markets.values()


def _check(name: Any, what: str) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or not name.isprintable() or name != name.strip():
        raise ValueError(f"{what} {name!r} must be printable text of 1 to {NAME_MAX} characters")


def _missing(reason: int, what: str, name: str, known: Iterable[str]) -> Rejected:
    listed = list(known)
    close = get_close_matches(str(name), listed, 1)
    hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(listed[:8])}" if listed else ""
    return Rejected(reason, f"there is no {what} {name!r}{hint}")
