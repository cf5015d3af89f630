"""Requirements by scenarios: the machine, its twin and an explanation agree on each, in random towns."""

import pytest

from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN, FOR_RESTORE, FOR_TAKEOVER
from steelyard.venue import scenarios
from steelyard.venue.machine import Machine
from steelyard.venue.reading import Reader
from tests.property.flows import Flow
from tests.property.towns import small_limits
from tests.reference import scenarios as reference
from tests.reference.twin import Twin

QUESTIONS = (FOR_OPEN, FOR_MAINTAIN, FOR_RESTORE, FOR_TAKEOVER)


@pytest.mark.parametrize("seed", [101, 122, 133])
def test_three_ways_of_scanning_agree(seed):
    twin, machine = Twin(small_limits(seed)), Machine(small_limits(seed))
    reader, compared = Reader(machine), 0
    flow = Flow(seed, twin)
    for made in flow.commands(200):
        twin.submit(made)
        machine.submit(made)
        for account in twin.accounts:
            if not reader.scans(account):
                continue
            for question in QUESTIONS:
                found = scenarios.scanned(reader, account, question)
                assert found == reader.scan(account, question)
                assert found == reference.part(twin, twin.legs_of(account), question)
                compared += found > 0
    assert compared > 100, "the town hardly holds anything by scenarios: choose another seed"
