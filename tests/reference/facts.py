"""The facts of the twin and of the machine in one form: {table: {row: {column: value}}}, rows in use only."""

from steelyard.model.commands import ASSET, MARKET
from steelyard.model.orders import RESTING
from steelyard.num.limits import SOURCES_MAX
from steelyard.state import tables
from steelyard.state.tables import FACT_TABLES, INDEX_COLUMNS, MARKET_0, State
from tests.reference import ramps
from tests.reference.money import loans

# Facts whose value the concept pages leave to the machine.
NOT_COMPARED = {"machine": {"open_epoch"}}
RULES = (
    "asset_rule",
    "feed_rule",
    "market_rule",
    "tier_rule",
    "owner_rule",
    "curve_rule",
    "array_rule",
    "ramp",
    "feed_until",
)
DTYPES = {
    name: getattr(tables, f"{name.upper()}_ROW") for name in FACT_TABLES if name not in (*RULES, "staged", "leg_open")
}
DTYPES |= {"staged": tables.COMMAND_ROW, "leg_open": tables.LEG_OPEN_ROW}


def fact_columns():
    """The columns of each table that are facts; rule tables have numbers for columns."""
    columns = {}
    for name in FACT_TABLES:
        if name not in RULES:
            skip = {*INDEX_COLUMNS.get(name, ()), *NOT_COMPARED.get(name, ()), "spare"}
            names = DTYPES[name].names or ()
            columns[name] = tuple(column for column in names if column not in skip)
    return columns


FACT_COLUMNS = fact_columns()
STAGED = {"at_ns", "kind", "market", "account", "order", "price", "lots", "trigger"}  # what sets of rows say


def facts_of_state(state: State):
    """The machine's facts in the form of `Twin.facts`."""
    machine = state.machine[0]
    last = {
        "asset": int(machine.assets),
        "feed": int(machine.feeds),
        "market": int(machine.markets),
        "account": int(machine.accounts),
        "owner": int(machine.owners),
        "reference": int(machine.references),
        "tier": int(machine.risk_tiers),
        "curve": int(machine.curves),
        "bid": int(machine.bids),
    }
    rows = {name: range(1, last[name] + 1) for name in ("asset", "feed", "market", "account", "reference", "bid")}
    rows |= {f"{name}_rule": range(1, last[name] + 1) for name in ("asset", "feed", "market", "owner", "tier", "curve")}
    rows["array_rule"] = rows["market"]
    assets = state.limits.assets
    rows["ramp"] = [*range(1, last["asset"] + 1), *range(assets + 1, assets + last["market"] + 1)]
    rows["feed_until"] = rows["feed"]
    rows["machine"] = range(1)
    rows["owner"] = range(0)  # nothing but indices
    rows["source"] = range(SOURCES_MAX, SOURCES_MAX * (last["feed"] + 1))
    rows["leg"] = rows["leg_open"] = state.leg.account.nonzero()[0].tolist()
    rows["order"] = rows["note"] = state.order.state.nonzero()[0].tolist()
    rows["recent"] = state.recent.used.nonzero()[0].tolist()
    rows["staged"] = range(int(machine.staged))
    facts = {}
    for name in FACT_TABLES:
        table, chosen = getattr(state, name), list(rows[name])
        if name in RULES:
            read = [dict(enumerate(values)) for values in table[chosen].tolist()]
        else:
            columns = FACT_COLUMNS[name]
            place = [table.dtype.names.index(column) for column in columns]
            read = [
                {column: values[i] for column, i in zip(columns, place, strict=True)}
                for values in table[chosen].tolist()
            ]
        facts[name] = dict(zip(chosen, read, strict=True))
    return facts


def facts_of_twin(twin):
    """What the twin adds up anew, it adds up here."""
    facts = {name: {} for name in FACT_TABLES}
    facts["machine"][0] = {
        "seq": twin.seq,
        "now_ns": twin.now,
        "order_number": twin.order_number,
        "recent_number": twin.recent_number,
        "assets": len(twin.assets),
        "feeds": len(twin.feeds),
        "markets": len(twin.markets),
        "risk_tiers": len(twin.tiers),
        "owners": len(twin.owners),
        "accounts": len(twin.accounts),
        "staged": len(twin.staged),
        "dropping": twin.dropping,
        "queued": sum(account.queued != 0 for account in twin.accounts.values()),
        "references": len(twin.references),
        "reference_at": twin.reference_at,
        "fatal": 0,
        "capping": twin.capping,
        "curves": len(twin.curves),
        "bids": len(twin.bids),
        "bids_due_ns": twin.bids_due_ns,
        "settling": sum(market.settling != 0 for market in twin.markets.values()),
    }
    for row, asset in twin.assets.items():
        facts["asset"][row] = columns_of("asset", asset, loans=loans(twin, row))
        facts["asset_rule"][row] = dict(enumerate(asset.rule))
        facts["ramp"][row] = ramps.columns(ASSET, asset.ramp)
    for row, feed in twin.feeds.items():
        facts["feed"][row] = columns_of("feed", feed)
        facts["feed_rule"][row] = dict(enumerate(feed.rule))
        facts["feed_until"][row] = dict(enumerate(feed.until))
        for number, source in enumerate(feed.sources):
            facts["source"][row * SOURCES_MAX + number] = columns_of("source", source)
    for row, market in twin.markets.items():
        clearing = market.closed - sum(leg.cost for leg in twin.legs.values() if leg.thing == market.thing)
        facts["market"][row] = columns_of("market", market, open_interest=twin.open_interest(market), clearing=clearing)
        facts["market_rule"][row] = dict(enumerate(market.rule))
        facts["array_rule"][row] = dict(enumerate(twin.arrays[row]))
        facts["ramp"][twin.limits.assets + row] = ramps.columns(MARKET, market.ramp)
    for row, rule in twin.tiers.items():
        facts["tier_rule"][row] = dict(enumerate(rule))
    for row, rule in twin.curves.items():
        facts["curve_rule"][row] = dict(enumerate(rule))
    for row, bid in enumerate(twin.bids, 1):
        facts["bid"][row] = columns_of("bid", bid)
    for row, rule in twin.owners.items():
        facts["owner_rule"][row] = dict(enumerate(rule))
    for row, account in twin.accounts.items():
        facts["account"][row] = columns_of(
            "account", account, orders=len(twin.open_orders(row)), legs=len(twin.legs_of(row))
        )
    for row, leg in twin.legs.items():
        facts["leg"][row] = columns_of("leg", leg)
        bids, asks, bid_reserve, ask_reserve = twin.resting_lots(leg)
        reducing = [each.remaining for each in twin.open_orders(leg.account) if is_reducing(each, leg)]
        facts["leg_open"][row] = {
            "bid_lots": bids,
            "ask_lots": asks,
            "bid_reserve": bid_reserve,
            "ask_reserve": ask_reserve,
            "reduce_lots": sum(reducing),
            "leverage": leg.leverage,
        }
    for row, order in twin.orders.items():
        facts["order"][row] = columns_of("order", order)
        facts["note"][row] = columns_of("note", order, priority=order.moved_to, **client_words(order.client))
    for reference in twin.references.values():
        facts["reference"][reference.row] = columns_of("reference", reference, **client_words(reference.client))
    for row, recent in twin.recent.items():
        facts["recent"][row] = columns_of("recent", recent, **client_words(recent.client))
    for row, command in enumerate(twin.staged):
        facts["staged"][row] = {column: value if column in STAGED else 0 for column, value in command.row.items()}
    return facts


def columns_of(table, held, **added_up):
    return {column: added_up[column] if column in added_up else getattr(held, column) for column in FACT_COLUMNS[table]}


def client_words(client):
    return {f"client{i}": word for i, word in enumerate(client)}


def is_reducing(order, leg):
    return order.market + MARKET_0 == leg.thing and order.state == RESTING and order.reduces


def differences(ours, theirs):
    """[(table, row, column, ours, theirs)] of two such dictionaries."""
    found = []
    for table in sorted({*ours, *theirs}):
        left, right = ours.get(table, {}), theirs.get(table, {})
        if left == right:
            continue
        for row in sorted({*left, *right}):
            one, other = left.get(row), right.get(row)
            if one is None or other is None:
                found.append((table, row, "*", one, other))
            elif one != other:
                found += [
                    (table, row, column, one.get(column), other.get(column))
                    for column in one.keys() | other.keys()
                    if one.get(column) != other.get(column)
                ]
    return found
