"""The view without a terminal: frames of every size, keys, and what is shown of a crash."""

import pytest

from steelyard.cli.demo import Demo
from steelyard.cli.holdings import Loan
from steelyard.cli.view import View
from steelyard.lab.market import DemoMarket


@pytest.fixture
def view():
    market = DemoMarket(7)
    market.step(100)
    return View(Demo(market))


@pytest.fixture(scope="module")
def crashed():
    """After two pushes of three percent."""
    market = DemoMarket(7)
    market.step(150)
    made = View(Demo(market), shock=0.03)
    for _ in range(2):
        made.press("down")
        for _ in range(8):
            made.tick(0.125)
    return made


def text(view, size=(100, 30)):
    return "\n".join(row.plain for row in view.frame(size))


@pytest.mark.parametrize("size", [(80, 24), (81, 25), (89, 27), (100, 30), (101, 33), (140, 45), (250, 80)])
@pytest.mark.parametrize("page", [None, "e", "?"])
def test_frames_fill_the_terminal_exactly(crashed, size, page):
    if page:
        crashed.press(page)
    rows = crashed.frame(size)
    if page:
        crashed.press("q")
    assert len(rows) == size[1]
    assert {row.cell_len for row in rows} == {size[0]}
    assert not any("\n" in row.plain for row in rows)
    assert not crashed.is_over


@pytest.mark.parametrize("size", [(79, 30), (100, 23), (40, 10), (12, 3), (1, 1)])
def test_a_small_terminal_is_told_what_is_needed(crashed, size):
    rows = crashed.frame(size)
    assert len(rows) == size[1] and {row.cell_len for row in rows} == {size[0]}
    if size[0] >= 40:
        assert "80 x 24" in text(crashed, size)


def test_a_frame_shows_the_market(view):
    shown = text(view)
    for word in ("BTC-PERP", "mark", "index", "last", "funding", "book", "trades", "insurance", "backstop", "fees"):
        assert word in shown
    assert "liq. price" in shown and "events/s" in shown and "none yet" in shown


def test_at_full_width_nothing_of_a_position_is_cut(crashed):
    table = text(crashed).split("positions and loans ─")[1].splitlines()[1:-1]
    assert len(table) > 8
    assert not any("…" in row for row in table)


def is_loan(each):
    return isinstance(each.what, Loan)


def test_positions_and_loans_are_ordered_by_distance(crashed):
    kinds = [is_loan(each) for each in crashed._found]
    assert kinds == sorted(kinds)
    for kind, least in ((False, 5), (True, 3)):
        found = [each for each in crashed._found if is_loan(each) == kind and each.state is None]
        away = [each.distance for each in found if each.distance is not None]
        assert away == sorted(away) and len(away) > least


def test_loans_have_rows_of_their_own(crashed):
    shown = text(crashed)
    heads = next(row for row in shown.splitlines() if "pledged" in row)
    assert "owed" in heads and "liq. price" in heads
    below = shown.split("pledged")[1]
    first = next(each for each in crashed._found if is_loan(each))
    assert f"{first.account:<9} {first.what.coin}" in below
    assert " of 8.00m" in shown  # what the lender has lent
    for _ in range(len(crashed._found)):
        crashed.press("j")
    assert crashed._found[crashed.look.place] == crashed._found[-1]
    assert f"▸ {crashed._found[-1].account}" in text(crashed).split("pledged")[1]
    crashed.press("e")
    assert "borrow weight" in text(crashed, (100, 60))
    crashed.press("q")
    for _ in range(len(crashed._found)):
        crashed.press("k")


def test_a_loan_falls_with_the_perpetual_of_its_coin(crashed):
    """The price that is shown is proven with both moving."""
    venue = crashed.source.demo.venue
    loans = [each for each in crashed._found if is_loan(each)]
    for each in loans:
        symbol = crashed.source.demo.coins[each.what.coin]
        answer = venue.liquidation_price(each.account, symbol, [each.what.coin])
        assert each.liquidation_price == answer.low
    assert len(loans) > 3


def test_a_trifle_that_is_owed_is_no_loan(crashed):
    owing = {
        account.name for account in crashed._snap.accounts if any(balance.debt for balance in account.balances)
    } - {each.account for each in crashed._found if is_loan(each)}
    for name in owing:
        view = next(each for each in crashed._snap.accounts if each.name == name)
        held = max((each.value for each in view.balances if each.total > 0), default=0)
        assert -sum(each.value for each in view.balances if each.debt) < held / 20


def test_a_crash_is_told(crashed):
    shown = text(crashed, (100, 60))
    assert crashed.watch.liquidations > 0
    assert f"{crashed.watch.liquidations} so far" in shown
    assert "all prices -2.91%" in shown
    assert "sold" in shown and "‼" in shown
    crashed.source.demo.check()


def test_the_same_keys_give_the_same_frames():
    frames = []
    for _ in range(2):
        market = DemoMarket(9, holders=16)
        market.step(60)
        made = View(Demo(market), speed=20)
        made.press("d")
        for _ in range(6):
            made.tick(0.125)
        frames.append((text(made), market.hash()))
    assert frames[0] == frames[1]


def test_down_and_up_end_where_they_began(view):
    before = dict(view.source.demo.world.prices)
    view.press("down")
    view.press("u")
    assert view.source.demo.world.prices == pytest.approx(before)


def test_pause_stops_the_clock(view):
    view.press("space")
    before = view.source.demo.venue.now_ns
    view.tick(1.0)
    assert view.source.demo.venue.now_ns == before
    assert "paused" in text(view)
    view.press("space")
    view.tick(1.0)
    assert view.source.demo.venue.now_ns == before + 10 * 10**9


def test_speed_goes_up_and_down(view):
    view.press("+")
    assert view.look.speed == 20
    for _ in range(20):
        view.press("-")
    assert view.look.speed == 0.5
    assert "0.5x" in text(view)


@pytest.mark.parametrize(
    ("keys", "market"),
    [("2", 1), ("3", 2), ("31", 0), (["tab"], 1), (["back"], 2), (["tab"] * 3, 0), ("9", 0), ("0", 0)],
)
def test_markets_are_switched(view, keys, market):
    for key in keys:
        view.press(key)
    assert view.look.market == view.source.markets[market]
    assert text(view)


def test_a_choice_follows_its_position(view):
    for key in "jjjk":
        view.press(key)
    chosen = view._found[2].key
    assert view.look.chosen == chosen
    view.press("d")
    for _ in range(10):
        view.tick(0.125)
    if chosen in [each.key for each in view._found]:
        assert view._found[view.look.place].key == chosen
    assert "▸" in text(view)
    for _ in range(100):
        view.press("k")
    assert view.look.place == 0


def test_the_first_choice_is_whoever_is_nearest_to_liquidation(view):
    for _ in range(3):
        view.press("d")
        for _ in range(4):
            view.tick(0.125)
        assert view.look.place == 0
        assert view.look.chosen == view._found[0].key


def test_an_account_is_explained(view):
    isolated = next(place for place, each in enumerate(view._found) if each.backing != each.account)
    for _ in range(isolated):
        view.press("j")
    view.press("enter")
    shown = text(view)
    assert f"{view._found[isolated].backing}, line by line" in shown
    assert "M maintain" in shown and "healthy" in shown and "bracket 1" in shown
    view.press("escape")
    assert "line by line" not in text(view)


def test_quitting_a_page_comes_before_quitting(view):
    view.press("?")
    view.press("q")
    assert not view.is_over
    view.press("q")
    assert view.is_over


def test_scrolling_ends_at_the_end(view):
    view.press("?")
    for _ in range(99):
        view.press("down")
    rows = text(view, (80, 24))
    assert "deleveraged" in rows
    assert view.look.scroll < 20


def test_keys_that_mean_nothing_do_nothing(view):
    before = text(view)
    for key in ("x", "é", "home", "backspace"):
        view.press(key)
    assert text(view) == before


def test_the_insurance_fund_can_be_refilled(view):
    before = view.source.demo.venue.funds().insurance.equity
    view.press("i")
    assert view.source.demo.venue.funds().insurance.equity == before + 100_000
    view.source.demo.check()


def test_a_market_that_is_too_slow_loses_time_instead_of_patience(view):
    before = view.source.demo.venue.now_ns
    view.source.advance(10_000.0, patience=0.0)
    assert view.source.demo.venue.now_ns - before < 100 * 10**9
