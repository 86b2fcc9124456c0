"""Several ways to do one thing to the same inputs, timed in turns: what drifts hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Input = TypeVar("Input")
_TURN = 50
"""Inputs at a time: enough that the clock costs nothing, few enough that the machine stays the same."""


def microseconds(ways: Mapping[str, Callable[[Input], object]], inputs: Sequence[Input]) -> dict[str, float]:
    """What one input costs in each way, by its name."""
    spent = dict.fromkeys(ways, 0)
    order = list(ways)
    for start in range(0, len(inputs), _TURN):
        turn = inputs[start : start + _TURN]
        order.append(order.pop(0))  # whoever begins finds the inputs in no cache: each does so in its turn
        for name in order:
            do = ways[name]
            began = time.perf_counter_ns()
            for each in turn:
                do(each)
            spent[name] += time.perf_counter_ns() - began
    return {name: nanoseconds / 1000 / len(inputs) for name, nanoseconds in spent.items()}
