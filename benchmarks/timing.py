"""How the suites measure: medians of interleaved runs, imports in fresh processes."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a benchmark's table.

    Attributes:
        name: What was measured.
        value: The figure.
        unit: Its unit.
        target: What it should be, in words; empty where there is no target.
        note: How it was measured, and the spread.
    """

    name: str
    value: float
    unit: str
    target: str = ""
    note: str = ""


def interleaved(
    candidates: Mapping[str, Callable[[], object]], *, rounds: int = 9, number: int = 1
) -> dict[str, float]:
    """Return each candidate's median seconds a call, measured in turn so that drift hits all of them alike."""
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for candidate in candidates.values():
        candidate()
    for _ in range(rounds):
        for name, candidate in candidates.items():
            gc.collect()
            begun = time.perf_counter()
            for _ in range(number):
                candidate()
            taken[name].append((time.perf_counter() - begun) / number)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def fresh_process(statements: Mapping[str, str], *, rounds: int = 9) -> dict[str, float]:
    """Return the median seconds each statement takes in a fresh interpreter, start-up not counted."""
    taken: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(rounds):
        for name, statement in statements.items():
            program = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
            output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            taken[name].append(float(output.stdout.splitlines()[-1]))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
