"""What the machine keeps to look at fewer accounts must never promise more than the exact answer."""

from steelyard.engine import queries
from steelyard.engine.alarms import ARMED
from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN


def broken_bounds(state):
    """[what is wrong] with opening slacks and certificates, after a command."""
    machine, table, lines = state.machine, state.account, []
    handle, deviation = state.handle, int(machine.deviation[0])
    all_fresh = int(machine.now_ns[0]) <= int(machine.stale_at_ns[0])
    for row in range(1, int(machine.accounts[0]) + 1):
        equity = queries.equity(handle, row)
        if all_fresh and table.open_epoch[row] == machine.open_epoch[0] and table.debts[row] == 0:
            bound = int(table.slack[row]) - int(table.reach[row]) * deviation
            exact = equity - queries.requirement(handle, row, FOR_OPEN)
            if bound > exact:
                lines.append(f"account {row}: opening slack {bound}, E - M(open) is {exact}")
        if table.armed[row] == ARMED and not table.dirty[row]:
            exact = equity - queries.requirement(handle, row, FOR_MAINTAIN)
            if not 0 <= table.certificate[row] <= exact:
                lines.append(f"account {row}: certificate {int(table.certificate[row])}, E - M(maintain) is {exact}")
    return lines
