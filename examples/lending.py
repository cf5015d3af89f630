"""Lenders, margin traders on a spot pair, and a liquidator who bids: one venue, one day.

Run it with `.venv/bin/python examples/lending.py`.
"""

from steelyard import Rejected, Venue
from steelyard.venue.ladders import offer

venue = Venue(unit="USDC")
interest = {"interest_base": "0.02", "interest_slope": "0.08", "interest_steep": "0.9", "reserve": "0.1"}
venue.set_asset("USDC", loan_cap=200_000, **interest)
venue.add_pool("USDC", collateral=[(None, "0.9", "0.95")])
venue.add_asset("BTC", 8, price=50_000, collateral=[(None, "0.8", "0.9")])
venue.add_pair("BTC/USDC", base="BTC", tick="0.1", lot="0.001", maker=0, taker="0.0005")

# A bidder gets a bonus that grows with the time the account has been for sale: nothing at first, 8 % after ten minutes.
venue.set_offers("BTC", [offer(lambda seconds: seconds * 8 / 60_000, of="time", over=(0, 600), lasts="20m")])

for name, money in ("lena", 100_000), ("tom", 12_000), ("maker", 200_000), ("bidder", 50_000):
    venue.open_account(name=name)
    venue.deposit(name, money)
venue.deposit("maker", 3, "BTC")

# Lena lends through the pool; her shares earn what Tom pays, less a tenth for the insurance fund.
venue.supply("lena", 100_000, "USDC")

# Tom buys a coin with 12,000 of his own; the rest is lent to him by the order itself.
venue.order("maker", "BTC/USDC", "sell", 1, 50_000)
try:
    venue.order("tom", "BTC/USDC", "buy", 1, 50_000)
except Rejected as refusal:
    print(refusal)
venue.order("tom", "BTC/USDC", "buy", 1, 50_000, borrow=True)
print(venue.explain("tom"))
print(venue.liquidation_price("tom", "BTC"))
print(venue.pool("USDC"))

# Ten days later he owes interest, and Lena's shares are worth more.
venue.advance("10d")
before = venue.pool("USDC").share_value
venue.set_price("BTC", 50_000)
assert venue.pool("USDC").share_value >= before

# The price falls. Whoever repays his debt takes coins at a bonus; the auction gives the first bidder little.
venue.set_price("BTC", 42_000)
venue.advance("2m")
venue.set_price("BTC", 42_000)
print(*venue.offers("tom"))
venue.liquidate("bidder", "tom", 20_000, "BTC")
venue.advance("1s")
print(venue.story("tom"))
assert venue.account("tom").healthy
assert venue.verify("tom").liquidations == 1
venue.check()  # every coin is where the books say, every share is backed
