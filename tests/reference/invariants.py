"""What must hold after every command, asked of the facts alone, so that machine and twin answer the same questions."""

from collections import defaultdict

from steelyard.model.events import ABSORBED, DEBT_WRITTEN_OFF, REJECTED, STAKES_PAID
from steelyard.model.keys import (
    A_POOL_GAINS,
    A_POOL_KIND,
    A_POOL_OF,
    A_RATE_KIND,
    A_RATE_MAX_PPM,
    A_RATE_MIN_PPM,
    M_ATOMS_PER_TICK_LOT,
    M_KIND,
    M_POSITION_LOTS_MAX,
    M_SETTLE,
    M_STATE,
    M_TICKS_MAX,
    M_TICKS_MIN,
)
from steelyard.model.orders import (
    ADAPTIVE,
    CLOSE_POSITION,
    COOLS,
    INVERSE,
    LENDER,
    OWES,
    PEG,
    REDUCE_ONLY,
    RESERVED,
    RESTING,
    SETTLED,
    SPARED,
    WAITS,
)
from steelyard.num.limits import INDEX_SCALE
from steelyard.state.tables import MARKET_0

# What clock work may change without an event, and what every command changes.
SILENT = {
    "asset": {"accrued_ns", "next_interest_ns"},
    "machine": {"seq", "now_ns", "staged", "dropping", "capping", "queued", "settling"},
    "market": {"next_sample_ns", "premium_sum", "funding_dust", "index_sum", "index_micros", "index_at_ns", "settling"},
    "leg": {"index_at_touch"},
    "account": {"cancel_at_ns", "health", "due_ns", "queued"},
}


def broken(facts):
    """Every broken promise, in words."""
    return [
        *conservation(facts),
        *interest(facts),
        *pools(facts),
        *gains(facts),
        *positions(facts),
        *position_limits(facts),
        *funding(facts),
        *resting_orders(facts),
        *counts(facts),
        *offers(facts),
    ]


def legs_of_thing(facts, thing):
    return [leg for leg in facts["leg"].values() if leg["thing"] == thing]


def conservation(facts):
    for row, asset in facts["asset"].items():
        held = sum(leg["quantity"] for leg in legs_of_thing(facts, row))
        for number, market in facts["market"].items():
            if facts["market_rule"][number][M_SETTLE] == row:
                held += market["clearing"] + market["funding_pool"]
        inside = asset["deposited"] - asset["withdrawn"] - asset["reserved"]
        if held != inside:
            yield f"asset {row}: {held} atoms are held, {inside} are inside"
        owed = sum(max(0, -leg["quantity"]) for leg in legs_of_thing(facts, row))
        if owed != asset["loans"]:
            yield f"asset {row}: loans are {asset['loans']}, {owed} is owed"
        pending = [each["amount"] for each in facts["reference"].values() if each["asset"] == row]
        states = [each["state"] for each in facts["reference"].values() if each["asset"] == row]
        reserved = sum(amount for amount, state in zip(pending, states, strict=True) if state == RESERVED)
        if reserved != asset["reserved"]:
            yield f"asset {row}: reserved is {asset['reserved']}, its references say {reserved}"


def interest(facts):
    """What is owed altogether is never more than the debts, each with its interest."""
    for row, asset in facts["asset"].items():
        owed = 0
        for leg in legs_of_thing(facts, row):
            then = leg["index_at_touch"]
            if facts["asset_rule"][row][A_POOL_OF]:
                continue  # what its pool gained, or since when somebody means to leave
            if (then != 0) != (leg["quantity"] < 0) or then > asset["borrow_index"]:
                yield f"asset {row}: {leg['quantity']} of account {leg['account']} settled at {then}"
            elif then:
                owed += -(leg["quantity"] * asset["borrow_index"] // then)
        if not asset["owed"] * 10**12 + asset["owed_rest"] <= owed * 10**12:
            yield f"asset {row}: {asset['owed']} owed altogether, its debts are {owed}"
        rule, held = facts["asset_rule"][row], asset["rate_held"]
        bounds = [
            rule[key] * 10**6 if rule[A_RATE_KIND] in (ADAPTIVE, PEG) else 0 for key in (A_RATE_MIN_PPM, A_RATE_MAX_PPM)
        ]
        if not bounds[0] <= held <= bounds[1]:
            yield f"asset {row}: a rate of {held} is not within {bounds}"


def pool_of(facts, row):
    """(assets, shares) of the pool in which this asset is a share."""
    lent = facts["asset_rule"][row][A_POOL_OF]
    asset, keeper = facts["asset"][lent], facts["asset"][row]["keeper"]
    if keeper:
        return cash_of(facts, keeper, lent), facts["asset"][row]["deposited"]
    cash = sum(leg["quantity"] for leg in legs_of_thing(facts, lent) if leg["account"] == LENDER)
    return max(0, cash) + asset["owed"] - asset["loans"] - asset["reserve"], facts["asset"][row]["deposited"]


def share_of(facts, lent):
    """The last shares made of the pool that lends this."""
    return max(row for row, rule in facts["asset_rule"].items() if rule[A_POOL_OF] == lent and not rule[A_POOL_KIND])


def cash_of(facts, account, asset):
    return sum(leg["quantity"] for leg in legs_of_thing(facts, asset) if leg["account"] == account)


def gains(facts):
    """A keeper has what all legs of shares may claim, and what could not be divided."""
    for row, asset in facts["asset"].items():
        gained = facts["asset_rule"][row][A_POOL_GAINS]
        is_share = facts["asset_rule"][row][A_POOL_OF] > 0
        if asset["keeper"] and not gained:
            for leg in legs_of_thing(facts, row):
                if not 0 <= leg["cost"] <= leg["quantity"] or (leg["cost"] > 0) != (leg["index_at_touch"] > 0):
                    yield f"share {row}: {leg} means to leave"
        if not gained:
            if asset["gained"] or asset["undivided"]:
                yield f"asset {row}: gained {asset['gained']}, {asset['undivided']} undivided"
            continue
        held, claims = cash_of(facts, asset["keeper"], gained), asset["undivided"]
        for leg in legs_of_thing(facts, row):
            then = leg["index_at_touch"] if is_share else leg["cost"]
            if not 0 <= then <= asset["gained"] or (then and not is_share and leg["quantity"] >= 0):
                yield f"share {row}: {leg} of {asset['gained']}"
            part = leg["quantity"] if is_share else 0
            if not is_share and leg["quantity"] < 0:
                part = -leg["quantity"] * 10**12 // leg["index_at_touch"]
            claims += part * (asset["gained"] - then) >> 48
        if not 0 <= claims <= held or asset["undivided"] < 0:
            yield f"share {row}: {claims} may be claimed of {held}"


def dearer_gains(before, after):
    """Sums per share that fell."""
    for row, asset in before["asset"].items():
        if after["asset"][row]["gained"] < asset["gained"]:
            yield f"share {row}: sum {asset['gained']} fell to {after['asset'][row]['gained']}"


def pools(facts):
    """The reserve is interest that is owed; shares are worth their part of the pool, all together no more than that."""
    for row, asset in facts["asset"].items():
        if not 0 <= asset["reserve"] <= asset["owed"] - asset["loans"]:
            yield f"asset {row}: reserve {asset['reserve']} of {asset['owed']} owed, {asset['loans']} settled"
        lent = facts["asset_rule"][row][A_POOL_OF]
        if not lent:
            continue
        if not asset["keeper"] and row != share_of(facts, lent):
            if asset["price"]:
                yield f"share {row}: its pool was emptied, yet it has a price"
            continue
        assets, shares = pool_of(facts, row)
        if shares * (assets + 1) // (shares + 100) > assets:
            yield f"share {row}: {shares} of them are worth more than the {assets} there are"
        price = min(1 << 56, facts["asset"][lent]["price"] * (assets + 1) // (shares + 100))
        if (asset["price"], asset["fresh_until_ns"]) != (price, facts["asset"][lent]["fresh_until_ns"]):
            yield f"share {row}: its price is {asset['price']}, what it is worth {price}"
        if asset["withdrawn"] or asset["reserved"] or any(leg["quantity"] < 0 for leg in legs_of_thing(facts, row)):
            yield f"share {row}: it left, or is owed"


def cheaper_shares(before, after, events):
    """Shares that are worth less than before the command, though no loss was told."""
    for row in before["asset"]:
        lent = after["asset_rule"][row][A_POOL_OF]
        lost = any(each["kind"] == DEBT_WRITTEN_OFF and each["market"] == lent for each in events)
        lost |= any(each["kind"] in (ABSORBED, STAKES_PAID) and each["other"] == row for each in events)
        counts = lent and (after["asset"][row]["keeper"] or row == share_of(after, lent))
        if counts and not lost:
            (assets, shares), (assets_now, shares_now) = pool_of(before, row), pool_of(after, row)
            if (assets_now + 1) * (shares + 100) < (assets + 1) * (shares_now + 100):
                yield f"share {row}: from {assets} for {shares} to {assets_now} for {shares_now}"


def positions(facts):
    for row, market in facts["market"].items():
        legs = legs_of_thing(facts, MARKET_0 + row)
        longs = sum(max(0, leg["quantity"]) for leg in legs)
        shorts = sum(max(0, -leg["quantity"]) for leg in legs)
        if market["settling"]:  # legs are being closed one after the other
            if longs != market["open_interest"]:
                yield f"market {row}: longs {longs}, open interest {market['open_interest']}"
            continue
        if facts["market_rule"][row][M_STATE] == SETTLED and any(
            market[column] for column in ("open_interest", "clearing", "funding_pool", "funding_dust")
        ):
            yield f"market {row}: is settled, yet {market}"
        if not longs == shorts == market["open_interest"]:
            yield f"market {row}: longs {longs}, shorts {shorts}, open interest {market['open_interest']}"
        cost = sum(leg["cost"] for leg in legs)
        if cost != -market["clearing"]:
            yield f"market {row}: costs {cost}, clearing {market['clearing']}"
        if any(leg["cost"] and not leg["quantity"] for leg in legs):
            yield f"market {row}: a leg without lots has a cost"


def position_limits(facts):
    """What an owner holds, or would hold if the orders of one side filled whole, whatever happens to the position."""
    for row, rule in facts["market_rule"].items():
        largest = defaultdict(int)
        for number, leg in facts["leg"].items():
            if leg["thing"] == MARKET_0 + row:
                note, quantity = facts["leg_open"][number], leg["quantity"]
                sides = max(quantity, 0) + note["bid_lots"], max(-quantity, 0) + note["ask_lots"]
                largest[facts["account"][leg["account"]]["owner"]] += max(sides)
        for owner, lots in largest.items():
            if lots > rule[M_POSITION_LOTS_MAX]:
                yield f"market {row}: owner {owner} may come to hold {lots} lots"


def funding(facts):
    for row, market in facts["market"].items():
        rule = facts["market_rule"][row]
        a = -1 if rule[M_KIND] == INVERSE else rule[M_ATOMS_PER_TICK_LOT]
        accruals = sum(
            leg["quantity"] * a * (market["funding_index"] - leg["index_at_touch"])
            for leg in legs_of_thing(facts, MARKET_0 + row)
        )
        if market["funding_pool"] * INDEX_SCALE + accruals != market["funding_dust"] or market["funding_dust"] < 0:
            yield f"market {row}: pool {market['funding_pool']}, accruals {accruals}, dust {market['funding_dust']}"


def resting_orders(facts):
    best = defaultdict(lambda: [0, 1 << 62])
    lots = defaultdict(lambda: [0, 0, 0, 0, 0])  # bids, asks, reserves, reduce-only
    for order in facts["order"].values():
        if order["state"] != RESTING:
            continue
        leg = facts["leg"][order["leg"]]
        market, buys = leg["thing"] - MARKET_0, order["side"] > 0
        rule = facts["market_rule"][market]
        if not rule[M_TICKS_MIN] <= order["price"] <= rule[M_TICKS_MAX]:
            yield f"order {order['id']}: rests at {order['price']}"
        if order["remaining"] < 1 or order["filled"] < 0:
            yield f"order {order['id']}: {order['remaining']} remaining, {order['filled']} filled"
        best[market][0 if buys else 1] = (max if buys else min)(best[market][0 if buys else 1], order["price"])
        sums = lots[order["leg"]]
        if order["options"] & (REDUCE_ONLY | CLOSE_POSITION):
            sums[4] += order["remaining"]
            if leg["quantity"] * order["side"] >= 0:
                yield f"order {order['id']}: nothing to reduce"
        else:
            sums[0 if buys else 1] += order["remaining"]
            sums[2 if buys else 3] += order["remaining"] * order["reserve"]
    for market, (bid, ask) in best.items():
        if bid >= ask:
            yield f"market {market}: the book is crossed, {bid} to {ask}"
    columns = ("bid_lots", "ask_lots", "bid_reserve", "ask_reserve", "reduce_lots")
    for row, note in facts["leg_open"].items():
        if [note[column] for column in columns] != lots[row]:
            yield f"leg {row}: its orders add up to {lots[row]}, not {note}"
        if note["reduce_lots"] > abs(facts["leg"][row]["quantity"]):
            yield f"leg {row}: reduce-only orders exceed the position"


def counts(facts):
    legs, orders = defaultdict(int), defaultdict(int)
    for leg in facts["leg"].values():
        legs[leg["account"]] += 1
    for order in facts["order"].values():
        orders[facts["leg"][order["leg"]]["account"]] += 1
    for row, account in facts["account"].items():
        if (legs[row], orders[row]) != (account["legs"], account["orders"]):
            yield f"account {row}: {legs[row]} legs and {orders[row]} orders, not {account}"
        if account["queued"] not in (0, WAITS, COOLS, OWES, SPARED) or (account["queued"] >= COOLS) != (
            account["due_ns"] != 0
        ):
            yield f"account {row}: queued {account['queued']}, due {account['due_ns']}"
        if not account["queued"] and (account["started"] or account["health"]):
            yield f"account {row}: is not queued, yet {account}"
    queued = sum(account["queued"] != 0 for account in facts["account"].values())
    if queued != facts["machine"][0]["queued"]:
        yield f"{queued} accounts are queued, not {facts['machine'][0]['queued']}"


def offers(facts):
    machine = facts["machine"][0]
    if (machine["bids"] > 0) != (machine["bids_due_ns"] > machine["now_ns"]) or len(facts["bid"]) != machine["bids"]:
        yield f"{len(facts['bid'])} bids wait, {machine}"
    for row, leg in facts["leg"].items():
        if leg["offered_from"] and (leg["thing"] >= MARKET_0 or not facts["account"][leg["account"]]["started"]):
            yield f"leg {row}: offers of {leg['offered_from']}, though {facts['account'][leg['account']]}"
    for row, asset in facts["asset"].items():
        if not 0 <= asset["active_ns"] <= asset["active_at_ns"] <= machine["now_ns"]:
            yield f"asset {row}: active {asset['active_ns']} of {asset['active_at_ns']}"


def changed_though_refused(before, after, events):
    """[(table, row, column)] that a command changed whose only event is its refusal."""
    if [event["kind"] for event in events] != [REJECTED]:
        return []
    found = []
    for table, rows in after.items():
        if rows == before[table] or table == "staged":
            continue
        for row in {*rows, *before[table]}:
            one, other = before[table].get(row), rows.get(row)
            if one is None or other is None:
                found.append((table, row, "*"))
            else:
                silent = SILENT.get(table, set())
                found += [(table, row, key) for key in other if one[key] != other[key] and key not in silent]
    return found
