"""A machine that is told commands in rows; after each one it must agree with the twin in every event and fact."""

from dataclasses import replace

import pytest
from tests.property.compare import Both
from tests.reference.health import equity, requirement
from tests.telling import Teller

from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN
from steelyard.state.tables import L_COMMAND_EVENTS, L_EVENTS, MARKET_0, WORK_EVENTS, Limits

SMALL = Limits(
    assets=3, feeds=6, markets=4, risk_tiers=2, owners=40, accounts=60, legs=300, orders=200, references=400,
    recent_client_ids=8, ladder_ticks=1 << 16, orders_per_account=40, staged_rows=64,
)  # fmt: skip


class Floor(Teller):
    """Says commands, and answers what became of them."""

    def __init__(self, limits):
        self.both = Both(limits)
        self.twin = self.both.twin
        super().__init__(self.listen)

    def listen(self, batch):
        """The events of a command, each {column: number}."""
        difference = self.both.submit(batch)
        assert difference is None, str(difference)
        return self.twin.events

    # --- Of the last command ---

    def happened(self, kind):
        return [event for event in self.twin.events if event["kind"] == kind]

    # --- Of now ---

    def facts(self):
        return self.twin.facts()

    def cash(self, account, asset=1):
        return self.twin.quantity(account, asset)

    def lots(self, account, market=1):
        return self.twin.quantity(account, MARKET_0 + market)

    def child(self, account, market=1):
        return self.twin.leg(account, MARKET_0 + market).child

    def orders(self, account):
        return [(order.side * order.remaining, order.price) for order in self.twin.open_orders(account)]

    def spare(self, account, question):
        legs = self.twin.legs_of(account)
        return equity(self.twin, legs) - requirement(self.twin, legs, question)

    def spare_to_open(self, account):
        """E - M(open)."""
        return self.spare(account, FOR_OPEN)

    def spare_to_keep(self, account):
        """E - M(maintain)."""
        return self.spare(account, FOR_MAINTAIN)


@pytest.fixture
def floor():
    return Floor(SMALL)


@pytest.fixture
def make_floor():
    """With some limits of its own."""
    return lambda **limits: Floor(replace(SMALL, **limits))


@pytest.fixture
def fence():
    """Leaves a machine room for `room` events before its last command, and as many for work at the end of it.

    The memory goes on behind the fence: what is written there is counted, and destroys nothing.
    """

    def put(machine, room):
        layout, least = machine.state.layout, machine.state.limits.command_events - WORK_EVENTS + room
        layout[L_COMMAND_EVENTS], layout[L_EVENTS] = least, least + room
        return machine

    return put
