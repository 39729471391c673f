"""Counts the steps of the interpreter: a cost that is the same on every machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def steps(do: Callable[[], object]) -> int:
    """Return the number of steps that a call takes. A search within one step counts as one, however long it is."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - as sys.settrace has it
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do()
    finally:
        sys.settrace(before)
    return count


def drip_steps(cutter: Any, data: bytes) -> int:  # noqa: ANN401 - the cutter of any protocol
    """Return the steps of a cutter for bytes that come one by one."""

    def feed() -> None:
        for at in range(len(data)):
            cutter.feed(data[at : at + 1])

    return steps(feed)
