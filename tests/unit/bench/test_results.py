"""The table of the README, from figures alone."""

import pytest

from steelyard.bench.results import computer, header, table, with_table

FIGURES = {
    "date": "2026-11-21",
    "computer": {"processor": "Abacus 9000", "cores": 2, "system": "Linux"},
    "versions": {"python": "3.11.9", "numba": "0.68.1", "numpy": "2.4.6", "llvmlite": "0.50.0", "steelyard": "0.1.0"},
    "matching": [
        {"markets": 1, "accounts": 100_000, "ops_per_s": 6_040_000.0, "peer_ops_per_s": 1_996_000.0, "ratio": 3.026},
        {"markets": 50, "accounts": 100_000, "ops_per_s": 912_345.6, "peer_ops_per_s": 2_000_000.0, "ratio": 0.456},
    ],
    "sweep": {
        "accounts": 1_000_000,
        "legs": 4_999_984,
        "alarm_us_per_tick": 2.41,
        "alarm_us_worst": 62.3,
        "sweep_per_alarm": 22_123.4,
        "sweep_us": 53_312.0,
        "sweep_one_us": 101_000.0,
        "sweep_threads": 2,
        "numpy_us": 1_452_000.0,
        "numpy_columns_us": 452_000.0,
        "gap_ms": 222.4,
        "crash_ms": 2_031.0,
        "falls": 215_910,
        "missed": 0,
        "bytes_per_account": 1_327.97,
        "bytes_per_order": 287.8,
    },
    "compile": {"cold_s": 41.7, "warm_s": 0.521},
}

TABLE = """\
| | figure | beside it |
|---|---|---|
| orders through the complete machine, one market, 100,000 accounts | 6.04 million a second | plain Python book alone: 2 million; ratio 3.0 x |
| orders through the complete machine, 50 markets, 100,000 accounts | 912,346 a second | plain Python book alone: 2 million; ratio 0.46 x |
| one price tick, 1 million accounts, 5 million exposures | 2.4 us, at worst 62 us | looking at everybody: 22,123 x as long |
| looking at everybody | 53.3 ms on 2 cores, 101 ms on one | NumPy on one, the same integers: 1.5 s from the same tables, 452 ms from columns laid out for it beforehand |
| a fall of 5 % in one instant, then of 20 % in small steps | 222 ms, then 2.0 s | 215,910 accounts fell, nobody missed |
| memory | 1,328 bytes an account with its legs | 288 bytes an open order |
| start to first command | 0.52 s | the very first compiles: 42 s |

Measured by `make bench` on 2026-11-21: Abacus 9000, 2 cores, Linux, Python 3.11.9, Numba 0.68.1, NumPy 2.4.6. \
Times differ between computers; ratios less."""  # noqa: E501


def test_the_table():
    assert table(FIGURES) == TABLE


def test_missed_accounts_are_told():
    assert "3 missed" in table({**FIGURES, "sweep": {**FIGURES["sweep"], "missed": 3}})


def test_a_page_keeps_everything_but_its_table():
    page = "# Title\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\nMore.\n"
    once = with_table(page, FIGURES)
    assert once == f"# Title\n\n<!-- bench:begin -->\n{TABLE}\n<!-- bench:end -->\n\nMore.\n"
    assert with_table(once, FIGURES) == once


@pytest.mark.parametrize("page", ["no place", "<!-- bench:end -->", "<!-- bench:begin -->\nbut no end"])
def test_a_page_without_a_place_is_refused(page):
    with pytest.raises(ValueError, match="no place"):
        with_table(page, FIGURES)


def test_the_computer_is_told_without_its_name():
    assert set(computer()) == {"processor", "cores", "system"}
    assert set(header()) == {"date", "computer", "versions"}
