"""Three small heaps in one table: timers, turns of liquidation, triggered orders. Indices all three.

An entry is (key, target); the smallest key comes first, ties by target, so the order of what comes out depends only on
what is in. Entries are never removed from the middle: whoever pops one checks that it still holds, and a full heap is
swept of entries that do not.
"""

from steelyard.num import kernel, leaf
from steelyard.state.tables import HEAP, L_HEAPS, LAYOUT, MACHINE

TIMERS, TURNS, TRIGGERS = 0, 1, 2


@leaf
def heap_length(s, which):
    machine = MACHINE(s)
    if which == TIMERS:
        return machine.timers[0]
    return machine.turns[0] if which == TURNS else machine.triggers[0]


@leaf
def set_heap_length(s, which, length):
    machine = MACHINE(s)
    if which == TIMERS:
        machine.timers[0] = length
    elif which == TURNS:
        machine.turns[0] = length
    else:
        machine.triggers[0] = length


@leaf
def heap_base(s, which):
    return LAYOUT(s)[L_HEAPS + 2 * which] - 1  # places count from 1


@leaf
def heap_capacity(s, which):
    return LAYOUT(s)[L_HEAPS + 2 * which + 1]


@leaf
def heap_key(s, which):
    """Smallest key; only asked of a heap that is not empty."""
    return HEAP(s).key[heap_base(s, which) + 1]


@leaf
def heap_target(s, which):
    return HEAP(s).target[heap_base(s, which) + 1]


@kernel
def heap_push(s, which, key, target):
    heap, base = HEAP(s), heap_base(s, which)
    length = heap_length(s, which) + 1
    set_heap_length(s, which, length)
    place = length
    while place > 1:
        above = place >> 1
        key_above, target_above = heap.key[base + above], heap.target[base + above]
        if key_above < key or (key_above == key and target_above <= target):
            break
        heap.key[base + place] = key_above
        heap.target[base + place] = target_above
        place = above
    heap.key[base + place] = key
    heap.target[base + place] = target
    return 0


@kernel
def heap_pop(s, which):
    """Drop the first entry."""
    heap, base = HEAP(s), heap_base(s, which)
    length = heap_length(s, which)
    key, target = heap.key[base + length], heap.target[base + length]
    length -= 1
    set_heap_length(s, which, length)
    place = 1
    while True:
        child = 2 * place
        if child > length:
            break
        if child < length:
            a, b = base + child, base + child + 1
            if heap.key[b] < heap.key[a] or (heap.key[b] == heap.key[a] and heap.target[b] < heap.target[a]):
                child += 1
        key_child, target_child = heap.key[base + child], heap.target[base + child]
        if key < key_child or (key == key_child and target <= target_child):
            break
        heap.key[base + place] = key_child
        heap.target[base + place] = target_child
        place = child
    heap.key[base + place] = key
    heap.target[base + place] = target
    return 0
