"""Steelyard: an open leverage engine for crypto markets.

`import steelyard` is cheap: the machine and its compiler are imported when a name that needs them is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steelyard.model.reject import Reject as Reject
    from steelyard.state.tables import Limits as Limits
    from steelyard.venue.core import Result as Result
    from steelyard.venue.explain import Explanation as Explanation
    from steelyard.venue.happened import Fill as Fill
    from steelyard.venue.market_records import Basis as Basis
    from steelyard.venue.market_records import Book as Book
    from steelyard.venue.market_records import FundingRate as FundingRate
    from steelyard.venue.market_records import Funds as Funds
    from steelyard.venue.market_records import LeverageTier as LeverageTier
    from steelyard.venue.market_records import MarketView as MarketView
    from steelyard.venue.market_records import PoolView as PoolView
    from steelyard.venue.market_records import QueueEntry as QueueEntry
    from steelyard.venue.preview import Preview as Preview
    from steelyard.venue.preview import Standing as Standing
    from steelyard.venue.price_views import PriceView as PriceView
    from steelyard.venue.records import Account as Account
    from steelyard.venue.records import AccountView as AccountView
    from steelyard.venue.records import Balance as Balance
    from steelyard.venue.records import Interval as Interval
    from steelyard.venue.records import Liquidation as Liquidation
    from steelyard.venue.records import LiquidationPrice as LiquidationPrice
    from steelyard.venue.records import Order as Order
    from steelyard.venue.records import Position as Position
    from steelyard.venue.records import Roll as Roll
    from steelyard.venue.refusals import Rejected as Rejected
    from steelyard.venue.story import Story as Story
    from steelyard.venue.venue import Venue as Venue
    from steelyard.venue.verify import verify_story as verify_story

__version__ = "0.1.0"

_HOME = {
    "model.reject": ("Reject",),
    "state.tables": ("Limits",),
    "venue.core": ("Result",),
    "venue.explain": ("Explanation",),
    "venue.happened": ("Fill",),
    "venue.market_records": (
        *("Basis", "Book", "FundingRate", "Funds"),
        *("LeverageTier", "MarketView", "PoolView", "QueueEntry"),
    ),
    "venue.preview": ("Preview", "Standing"),
    "venue.price_views": ("PriceView",),
    "venue.records": (
        *("Account", "AccountView", "Balance", "Interval"),
        *("Liquidation", "LiquidationPrice", "Order", "Position", "Roll"),
    ),
    "venue.refusals": ("Rejected",),
    "venue.story": ("Story",),
    "venue.venue": ("Venue",),
    "venue.verify": ("verify_story",),
}
_ROOM_OF = {name: room for room, names in _HOME.items() for name in names}

__all__ = ["__version__", *_ROOM_OF]


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
