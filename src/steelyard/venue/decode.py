"""From rows of EVENT to records. Nothing is looked up but names: a row says everything else itself."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from steelyard.model import events
from steelyard.model.commands import OWNER, Command
from steelyard.model.orders import AS_ASKED, MAY_BORROW
from steelyard.model.reject import Reject
from steelyard.num.limits import INDEX_SCALE_BITS
from steelyard.venue import happened as H
from steelyard.venue.amounts import BORROW_STEP, PPB_STEP, PPM_STEP, RATE_STEP, Step
from steelyard.venue.event_rows import CLOSED, ENDED, MODES, ROLES, SIDES, SOURCES, TABLES, TIFS, TYPES, Row, plain_rows
from steelyard.venue.instruments import Asset, Market, Names
from steelyard.venue.parameters import ARRAY_PARAMETERS, FEED_ACTIONS, MARGINS

_Filled = TypeVar("_Filled", bound=H.BidFilled)
When = dict[str, Any]  # seq, nth and at_ns of an event


class Decoder:
    """Turns the events of one venue into records."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._by_kind: dict[int, Callable[[Row, When], H.Happened]] = {
            kind: getattr(self, f"_{name.lower()}") for name, kind in events.Event.__members__.items()
        }

    def decode(self, rows: Any, times: dict[int, int]) -> tuple[H.Happened, ...]:
        """`times` gives the instant of each command by its sequence number."""
        decoded = []
        seq, nth = -1, 0
        for row in plain_rows(rows):
            nth = nth + 1 if row.seq == seq else 0
            seq = row.seq
            decoded.append(self.one(row, nth, times.get(seq, 0)))
        return tuple(decoded)

    def one(self, row: Row, nth: int, at_ns: int) -> H.Happened:
        return self._by_kind[row.kind](row, {"seq": row.seq, "nth": nth, "at_ns": at_ns})

    # --- helpers

    def _who(self, row: int) -> str:
        return self.names.account_name(row)

    def _in(self, row: Row) -> Market:
        return self.names.market_at(row.market)

    def _cash(self, row: Row) -> tuple[Asset, Decimal]:
        asset = self.names.asset_at(row.market)
        return asset, asset.atom.back(row.amount)

    def _unit(self, amount: int) -> Decimal:
        return self.names.asset_at(1).atom.back(amount)

    # --- one method per kind, in the order of model/events.py

    def _rejected(self, e: Row, when: When) -> H.Refused:
        return H.Refused(
            reason=Reject(e.reason),
            command=Command(e.extra).name.lower() if e.extra in Command._value2member_map_ else f"kind {e.extra}",
            account=self._who(e.account) if e.account else None,
            symbol=self.names.symbol(e.market),
            detail=e.order,
            **when,
        )

    def _configured(self, e: Row, when: When) -> H.Configured:
        margin = MARGINS[e.amount] if e.account == OWNER else None
        is_new, is_step = e.extra == 1, e.extra == 2
        return H.Configured(
            table=TABLES[e.account], row=e.market, is_new=is_new, is_step=is_step, margin=margin, **when
        )

    def _risk_array_set(self, e: Row, when: When) -> H.RiskArraySet:
        market, told = self.names.market_at(e.market), (e.lots, e.amount, e.fee, e.extra, e.extra2)
        named = {each.key: each for each in ARRAY_PARAMETERS.values()}
        values = {
            named[key].name: Decimal(str(market.grid.back(named[key], value)))
            for key, value in enumerate(told, start=e.order)
            if key in named
        }
        return H.RiskArraySet(symbol=market.name, values=values, **when)

    def _account_opened(self, e: Row, when: When) -> H.AccountOpened:
        return H.AccountOpened(
            account=self._who(e.account),
            owner=e.other,
            role=ROLES[e.extra],
            parent=self._who(e.order) if e.order else None,
            symbol=self.names.symbol(e.market),
            **when,
        )

    def _money(self, kind: type[H.Deposited], e: Row, when: When) -> H.Deposited:
        asset, amount = self._cash(e)
        return kind(account=self._who(e.account), asset=asset.name, amount=amount, **when)

    def _deposited(self, e: Row, when: When) -> H.Deposited:
        return self._money(H.Deposited, e, when)

    def _withdrawal_reserved(self, e: Row, when: When) -> H.Deposited:
        return self._money(H.WithdrawalReserved, e, when)

    def _withdrawal_confirmed(self, e: Row, when: When) -> H.Deposited:
        return self._money(H.WithdrawalConfirmed, e, when)

    def _withdrawal_returned(self, e: Row, when: When) -> H.Deposited:
        return self._money(H.WithdrawalReturned, e, when)

    def _transferred(self, e: Row, when: When) -> H.Transferred:
        asset, amount = self._cash(e)
        return H.Transferred(
            giver=self._who(e.account), taker=self._who(e.other), asset=asset.name, amount=amount, **when
        )

    def _margin_moved(self, e: Row, when: When) -> H.MarginMoved:
        market = self._in(e)
        return H.MarginMoved(
            account=self._who(e.account),
            child=self._who(e.other),
            symbol=market.name,
            amount=market.settle.atom.back(e.amount),
            **when,
        )

    def _leverage_set(self, e: Row, when: When) -> H.LeverageSet:
        return H.LeverageSet(account=self._who(e.account), symbol=self._in(e).name, leverage=e.amount, **when)

    def _margin_mode_set(self, e: Row, when: When) -> H.MarginModeSet:
        return H.MarginModeSet(
            account=self._who(e.account), owner=e.other, symbol=self._in(e).name, mode=MODES[e.amount], **when
        )

    def _index_set(self, e: Row, when: When) -> H.IndexSet:
        fed = self.names.feed_at(e.market)
        step = fed.tick if isinstance(fed, Market) else fed.price_step
        return H.IndexSet(name=fed.name, price=step.back(e.price), **when)

    def _feed_judged(self, e: Row, when: When) -> H.FeedJudged:
        fed = self.names.feed_at(e.market)
        step = fed.tick if isinstance(fed, Market) else fed.price_step
        return H.FeedJudged(
            name=fed.name,
            price=step.back(e.price),
            low=step.back(e.price - e.amount),
            high=step.back(e.price + e.fee),
            now=step.back(e.other),
            average=step.back(e.lots),
            pending=step.back(e.extra2) if e.extra2 else None,
            good_for=tuple(name for place, name in enumerate(FEED_ACTIONS) if e.extra >> place & 1),
            **when,
        )

    def _mark_set(self, e: Row, when: When) -> H.MarkSet:
        market = self._in(e)
        tick = market.tick
        return H.MarkSet(
            symbol=market.name,
            mark=tick.back(e.price),
            index=tick.back(e.other),
            funding_rate=PPB_STEP.back(e.amount),
            bid=tick.back(e.extra) if e.extra else None,
            ask=tick.back(e.extra2) if e.extra2 else None,
            **when,
        )

    def _order_accepted(self, e: Row, when: When) -> H.OrderAccepted:
        market = self._in(e)
        return H.OrderAccepted(
            **self._order(e),
            type=TYPES[e.options & 1],
            time_in_force=TIFS[e.options >> 1],
            price=market.tick.back(e.price) if e.price else None,
            amount=market.lot.back(e.lots),
            trigger_price=market.tick.back(e.other) if e.other else None,
            margin=market.settle.atom.back(e.amount),
            **when,
        )

    def _order(self, e: Row) -> dict[str, Any]:
        return {
            "account": self._who(e.account),
            "symbol": self._in(e).name,
            "order": e.order,
            "side": SIDES[e.side],
        }

    def _order_amended(self, e: Row, when: When) -> H.OrderAmended:
        market = self._in(e)
        return H.OrderAmended(
            **self._order(e),
            price=market.tick.back(e.price),
            remaining=market.lot.back(e.lots),
            kept_its_place=bool(e.extra),
            **when,
        )

    def _order_triggered(self, e: Row, when: When) -> H.OrderTriggered:
        return H.OrderTriggered(**self._order(e), price=self._in(e).tick.back(e.price), **when)

    def _order_closed(self, e: Row, when: When) -> H.OrderClosed:
        return H.OrderClosed(
            **self._order(e),
            because=CLOSED[e.reason],
            dropped=self._in(e).lot.back(e.lots),
            reason=Reject(e.extra),
            **when,
        )

    def _fill(self, e: Row, when: When) -> H.Fill:
        market = self._in(e)
        money = market.settle.atom
        return H.Fill(
            account=self._who(e.account),
            symbol=market.name,
            order=e.order,
            other_order=e.other,
            side=SIDES[e.side],
            price=market.tick.back(e.price),
            amount=market.lot.back(e.lots),
            cost=money.back(abs(market.worth(e.lots, e.price))),
            realized=money.back(e.amount),
            fee=money.back(e.fee),
            fee_asset=market.settle.name,
            is_maker=bool(e.options & events.FILL_MAKER),
            is_liquidation=bool(e.options & events.FILL_LIQUIDATION),
            position=market.held.back(e.extra),
            remaining=market.lot.back(e.extra2),
            is_inverse=market.is_inverse,
            is_spot=market.base is not None,
            **when,
        )

    def _funding_set(self, e: Row, when: When) -> H.FundingSet:
        market = self._in(e)
        # A power of two divides evenly in decimals, so this is exact too.
        fine = Step(market.tick.coefficient * 5**INDEX_SCALE_BITS, market.tick.places + INDEX_SCALE_BITS)
        return H.FundingSet(
            symbol=market.name,
            index=market.tick.back(e.price),
            rate=PPB_STEP.back(e.amount),
            funding_index=fine.back(e.extra),
            due_ns=e.extra2,
            **when,
        )

    def _funding_paid(self, e: Row, when: When) -> H.FundingPaid:
        market = self._in(e)
        return H.FundingPaid(
            account=self._who(e.account), symbol=market.name, amount=market.settle.atom.back(e.amount), **when
        )

    def _dust_swept(self, e: Row, when: When) -> H.DustSwept:
        market = self._in(e)
        of = "settlement" if e.reason else "funding"
        return H.DustSwept(symbol=market.name, amount=market.settle.atom.back(e.amount), of=of, **when)

    def _market_settled(self, e: Row, when: When) -> H.MarketSettled:
        market = self._in(e)
        return H.MarketSettled(
            symbol=market.name,
            price=market.tick.back(e.price),
            source=SOURCES[e.reason],
            averaged=PPM_STEP.back(e.amount),
            index=market.tick.back(e.other) if e.other else None,
            **when,
        )

    def _position_settled(self, e: Row, when: When) -> H.PositionSettled:
        market = self._in(e)
        return H.PositionSettled(
            account=self._who(e.account),
            symbol=market.name,
            side=SIDES[e.side],
            price=market.tick.back(e.price),
            amount=market.lot.back(e.lots),
            realized=market.settle.atom.back(e.amount),
            **when,
        )

    def _interest_paid(self, e: Row, when: When) -> H.InterestPaid:
        asset = self.names.asset_at(e.market)
        return H.InterestPaid(
            account=self._who(e.account),
            asset=asset.name,
            amount=asset.atom.back(e.amount),
            reserve=asset.atom.back(e.fee),
            index=BORROW_STEP.back(e.other),
            **when,
        )

    def _interest_set(self, e: Row, when: When) -> H.InterestSet:
        asset = self.names.asset_at(e.market)
        return H.InterestSet(
            asset=asset.name,
            rate=PPM_STEP.back(e.amount),
            index=BORROW_STEP.back(e.extra),
            loans=asset.atom.back(e.extra2),
            **when,
        )

    def _exchange(self, e: Row) -> dict[str, Any]:
        asset, share = self.names.asset_at(e.market), self.names.asset_at(e.other)
        return {
            "account": self._who(e.account),
            "asset": asset.name,
            "amount": asset.atom.back(e.amount),
            "share": share.name,
            "shares": share.atom.back(e.lots),
        }

    def _pool_supplied(self, e: Row, when: When) -> H.PoolSupplied:
        return H.PoolSupplied(**self._exchange(e), **when)

    def _pool_redeemed(self, e: Row, when: When) -> H.PoolRedeemed:
        return H.PoolRedeemed(**self._exchange(e), **when)

    def _debt_written_off(self, e: Row, when: When) -> H.DebtWrittenOff:
        asset, amount = self._cash(e)
        return H.DebtWrittenOff(
            account=self._who(e.account),
            asset=asset.name,
            amount=amount,
            share=self.names.asset_at(e.other).name if e.other else None,
            **when,
        )

    def _rate_set(self, e: Row, when: When) -> H.RateSet:
        return H.RateSet(asset=self.names.asset_at(e.market).name, rate=RATE_STEP.back(e.amount), **when)

    def _share_price_set(self, e: Row, when: When) -> H.SharePriceSet:
        share = self.names.asset_at(e.market)
        return H.SharePriceSet(
            share=share.name,
            price=share.price_step.back(e.price),
            assets=self.names.asset(share.pool_of).atom.back(e.amount),
            shares=share.atom.back(e.lots),
            **when,
        )

    def _cancel_after_set(self, e: Row, when: When) -> H.CancelAfterSet:
        return H.CancelAfterSet(account=self._who(e.account), due_ns=e.amount or None, **when)

    def _converted(self, e: Row, when: When) -> H.Converted:
        sold, bought = self.names.asset_at(e.market), self.names.asset_at(e.other)
        return H.Converted(
            account=self._who(e.account),
            sold_asset=sold.name,
            sold=sold.atom.back(e.lots),
            bought_asset=bought.name,
            bought=bought.atom.back(e.amount),
            **when,
        )

    def _liquidation_started(self, e: Row, when: When) -> H.LiquidationStarted:
        return H.LiquidationStarted(
            account=self._who(e.account),
            equity=self._unit(e.amount),
            maintain=self._unit(e.fee),
            restore=self._unit(e.extra),
            takeover=self._unit(e.extra2),
            **when,
        )

    def _liquidation_waits(self, e: Row, when: When) -> H.LiquidationWaits:
        return H.LiquidationWaits(
            account=self._who(e.account),
            equity=self._unit(e.amount),
            maintain=self._unit(e.fee),
            good_equity=self._unit(e.extra),
            good_maintain=self._unit(e.extra2),
            **when,
        )

    def _liquidation_order(self, e: Row, when: When) -> H.LiquidationOrder:
        market = self._in(e)
        return H.LiquidationOrder(
            account=self._who(e.account),
            symbol=market.name,
            side=SIDES[e.side],
            limit=market.tick.back(e.price),
            amount=market.lot.back(e.lots),
            mark=market.tick.back(e.other),
            bankruptcy=market.settle.atom.back(e.amount),
            equity=self._unit(e.extra),
            requirement=self._unit(e.fee),
            maintain=self._unit(e.extra2),
            **when,
        )

    def _liquidation_fee(self, e: Row, when: When) -> H.LiquidationFee:
        market = self._in(e)
        return H.LiquidationFee(
            account=self._who(e.account), symbol=market.name, amount=market.settle.atom.back(e.amount), **when
        )

    def _fund_day(self, e: Row, when: When) -> H.FundDay:
        asset, paid = self._cash(e)
        return H.FundDay(asset=asset.name, paid=paid, **when)

    def _fund_paid(self, e: Row, when: When) -> H.FundPaid:
        asset = self.names.asset_at(e.other)
        return H.FundPaid(
            account=self._who(e.account),
            symbol=self.names.symbol(e.market),
            asset=asset.name,
            amount=asset.atom.back(e.amount),
            **when,
        )

    def _taken_over(self, e: Row, when: When) -> H.TakenOver:
        market = self._in(e)
        return H.TakenOver(
            account=self._who(e.account),
            backstop=self._who(e.other),
            symbol=market.name,
            side=SIDES[e.side],
            amount=market.lot.back(e.lots),
            cash=market.settle.atom.back(e.amount),
            **when,
        )

    def _deleveraged(self, e: Row, when: When) -> H.Deleveraged:
        market = self._in(e)
        return H.Deleveraged(
            account=self._who(e.account),
            counterparty=self._who(e.other),
            symbol=market.name,
            side=SIDES[e.side],
            amount=market.lot.back(e.lots),
            cash=market.settle.atom.back(e.amount),
            fund=market.settle.atom.back(e.fee),
            score=e.extra,
            rank=e.extra2,
            **when,
        )

    def _bid(self, e: Row) -> dict[str, Any]:
        return {
            "debt_asset": self.names.asset_at(e.options).name,
            "collateral_asset": self.names.asset_at(e.market).name,
        }

    def _bid_placed(self, e: Row, when: When) -> H.BidPlaced:
        return H.BidPlaced(
            bidder=self._who(e.account),
            account=self._who(e.other),
            most=self.names.asset_at(e.options).atom.back(e.lots),
            least=self.names.asset_at(e.market).atom.back(e.amount) if e.amount else None,
            as_asked=bool(e.side & AS_ASKED),
            borrows=bool(e.side & MAY_BORROW),
            **self._bid(e),
            **when,
        )

    def _bid_closed(self, e: Row, when: When) -> H.BidClosed:
        return H.BidClosed(
            bidder=self._who(e.account),
            account=self._who(e.other),
            bid=e.order,
            reason=Reject(e.extra),
            **self._bid(e),
            **when,
        )

    def _claims_issued(self, e: Row, when: When) -> H.ClaimsIssued:
        return self._filled(H.ClaimsIssued, e, when)

    def _bid_filled(self, e: Row, when: When) -> H.BidFilled:
        return self._filled(H.BidFilled, e, when)

    def _filled(self, kind: type[_Filled], e: Row, when: When) -> _Filled:
        collateral = self.names.asset_at(e.market).atom
        return kind(
            account=self._who(e.account),
            bidder=self._who(e.other),
            bid=e.order,
            curve=e.reason,
            rate=PPM_STEP.back(e.price),
            repaid=self.names.asset_at(e.options).atom.back(e.lots),
            received=collateral.back(e.amount),
            fee=collateral.back(e.fee),
            equity=self._unit(e.extra),
            cost=self._unit(e.extra2),
            **self._bid(e),
            **when,
        )

    def _absorbed(self, e: Row, when: When) -> H.Absorbed:
        collateral = self.names.asset_at(e.market).atom
        return H.Absorbed(
            account=self._who(e.account),
            share=self.names.asset_at(e.other).name,
            curve=e.reason,
            rate=PPM_STEP.back(e.price),
            repaid=self.names.asset_at(e.options).atom.back(e.lots),
            received=collateral.back(e.amount),
            fee=collateral.back(e.fee),
            equity=self._unit(e.extra),
            cost=self._unit(e.extra2),
            **self._bid(e),
            **when,
        )

    def _collateral_order(self, e: Row, when: When) -> H.CollateralOrder:
        market = self._in(e)
        return H.CollateralOrder(
            account=self._who(e.account),
            symbol=market.name,
            side=SIDES[e.side],
            limit=market.tick.back(e.price),
            amount=market.lot.back(e.lots),
            most=market.lot.back(e.extra2),
            mark=market.tick.back(e.other),
            curve=e.reason,
            rate=PPM_STEP.back(e.amount),
            equity=self._unit(e.extra),
            maintain=self._unit(e.fee),
            **when,
        )

    def _offers_restarted(self, e: Row, when: When) -> H.OffersRestarted:
        return H.OffersRestarted(
            account=self._who(e.account),
            keeper=self._who(e.other),
            collateral_asset=self.names.asset_at(e.market).name,
            debt_asset=self.names.asset_at(e.options).name,
            curve=e.reason,
            paid=self._unit(e.amount),
            debt=self._unit(e.extra2),
            equity=self._unit(e.extra),
            maintain=self._unit(e.fee),
            **when,
        )

    def _debt_spread(self, e: Row, when: When) -> H.DebtSpread:
        collateral = self.names.asset_at(e.market).atom
        return H.DebtSpread(
            account=self._who(e.account),
            curve=e.reason,
            rate=PPM_STEP.back(e.price),
            repaid=self.names.asset_at(e.options).atom.back(e.lots),
            received=collateral.back(e.amount),
            fee=collateral.back(e.fee),
            equity=self._unit(e.extra),
            cost=self._unit(e.extra2),
            growth=Decimal(e.other).scaleb(-12),
            **self._bid(e),
            **when,
        )

    def _stakes_paid(self, e: Row, when: When) -> H.StakesPaid:
        asset = self.names.asset_at(e.options)
        return H.StakesPaid(
            account=self._who(e.account),
            symbol=self.names.market_at(e.market).name if e.market else None,
            asset=asset.name,
            amount=asset.atom.back(e.amount),
            share=self.names.asset_at(e.other).name,
            beside=bool(e.reason),
            **when,
        )

    def _stakes_earned(self, e: Row, when: When) -> H.StakesEarned:
        market = self.names.market_at(e.market)
        return H.StakesEarned(
            account=self._who(e.account),
            symbol=market.name,
            amount=market.settle.atom.back(e.amount),
            share=self.names.asset_at(e.other).name,
            **when,
        )

    def _leaving_set(self, e: Row, when: When) -> H.LeavingSet:
        share = self.names.asset_at(e.market)
        return H.LeavingSet(
            account=self._who(e.account),
            share=share.name,
            shares=share.atom.back(e.lots),
            from_ns=e.amount or None,
            **when,
        )

    def _gain_paid(self, e: Row, when: When) -> H.GainPaid:
        return H.GainPaid(**self._exchange(e), **when)

    def _dust_taken(self, e: Row, when: When) -> H.DustTaken:
        asset, amount = self._cash(e)
        return H.DustTaken(
            account=self._who(e.account), taker=self._who(e.other), asset=asset.name, amount=amount, **when
        )

    def _liquidation_ended(self, e: Row, when: When) -> H.LiquidationEnded:
        return H.LiquidationEnded(
            account=self._who(e.account),
            because=ENDED[e.reason],
            equity=self._unit(e.amount),
            maintain=self._unit(e.fee),
            **when,
        )
