"""The twin alone keeps the promises of the concept pages, and the flows that test it reach what they should."""

from collections import Counter

import pytest

from steelyard.model import events, reject
from tests.property.flows import random_commands
from tests.property.towns import small_limits
from tests.reference import invariants
from tests.reference.health import is_healthy
from tests.reference.twin import Twin

SEEDS = range(5_000, 5_012)
# What a flow reaches too seldom to insist on.
SELDOM = {"NONE", "LADDER_FULL", "COINS_NOT_PRESENT", "PARENT_MARGIN_EXCEEDED", "ROWS_FULL", "MARKET_POST_ONLY"}


def unhealthy_outside_the_queue(twin):
    return [
        row for row, account in twin.accounts.items() if not account.queued and not is_healthy(twin, twin.legs_of(row))
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_promises_hold_after_every_command(seed):
    twin, before = Twin(small_limits(seed)), None
    for place, batch in enumerate(random_commands(seed, 250, twin)):
        said = twin.submit(batch)
        facts = twin.facts()
        assert not list(invariants.broken(facts)), f"command {place}: {batch}"
        assert not unhealthy_outside_the_queue(twin), f"command {place}: {batch}"
        if before is not None and (batch["last"] != 0).sum() == 1:
            assert not invariants.changed_though_refused(before, facts, said), f"command {place}: {batch}"
        before = facts


def test_flows_reach_every_event_and_almost_every_reason():
    kinds, reasons, closed, ended = Counter(), Counter(), Counter(), Counter()
    for seed in range(128):
        twin = Twin(small_limits(seed))
        for batch in random_commands(seed, 400, twin):
            for event in twin.submit(batch):
                kinds[event["kind"]] += 1
                counter = {events.REJECTED: reasons, events.ORDER_CLOSED: closed, events.LIQUIDATION_ENDED: ended}
                counter.get(event["kind"], Counter())[event["reason"]] += 1
    assert {each.name for each in events.Event if each not in kinds} == set()
    assert {each.name for each in reject.Reject if each not in reasons} <= SELDOM
    assert closed.keys() >= set(range(events.CLOSED_BY_USER, events.CLOSED_TIMER + 1))
    assert ended.keys() >= {events.ENDED_HEALTHY}


def test_a_broken_promise_is_seen():
    twin = Twin(small_limits(1))
    for batch in random_commands(1, 60, twin):
        twin.submit(batch)
    assert not list(invariants.broken(twin.facts()))
    for table, column in (("leg", "quantity"), ("asset", "deposited"), ("market", "funding_dust"), ("account", "legs")):
        facts = twin.facts()
        row = max(facts[table])
        facts[table][row][column] += 1
        assert list(invariants.broken(facts)), f"{table}[{row}].{column}"
