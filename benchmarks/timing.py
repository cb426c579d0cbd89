"""How the suites measure: medians of interleaved runs, imports in fresh processes."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

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


@dataclass(slots=True)
class Taken:
    """Seconds that a candidate took, round by round, and the baseline right before it.

    Attributes:
        wall: By the clock: what a user sees, and what the machine's other work disturbs.
        cpu: Of this process, its system calls included.
        baseline_wall: The baseline's, in the same rounds.
        baseline_cpu: The baseline's, in the same rounds.
    """

    wall: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    baseline_wall: list[float] = field(default_factory=list[float])
    baseline_cpu: list[float] = field(default_factory=list[float])

    @property
    def wall_ratio(self) -> float:
        """The median over the rounds of how much longer the candidate took; below 1 where it is faster."""
        return statistics.median(a / b for a, b in zip(self.wall, self.baseline_wall, strict=True))

    @property
    def cpu_ratio(self) -> float:
        """The same in CPU time."""
        return statistics.median(a / b for a, b in zip(self.cpu, self.baseline_cpu, strict=True))


def against(
    baseline: Callable[[], object], candidates: Mapping[str, Callable[[], object]], *, rounds: int = 9
) -> dict[str, Taken]:
    """Measure every candidate with the baseline right before it, each time: drift hits both alike."""
    taken = {name: Taken() for name in candidates}
    for candidate in (baseline, *candidates.values()):
        candidate()
    for _ in range(rounds):
        for name, candidate in candidates.items():
            for work, wall, cpu in (
                (baseline, taken[name].baseline_wall, taken[name].baseline_cpu),
                (candidate, taken[name].wall, taken[name].cpu),
            ):
                gc.collect()
                begun, used = time.perf_counter(), time.process_time()
                work()
                cpu.append(time.process_time() - used)
                wall.append(time.perf_counter() - begun)
    return taken


def fresh_process(
    statements: Mapping[str, str], *, rounds: int = 9, clock: Literal["perf_counter", "process_time"] = "perf_counter"
) -> dict[str, float]:
    """Return the median seconds each statement takes in a fresh interpreter, start-up not counted.

    The clock ``process_time`` counts CPU time, which other programs on the machine disturb less.
    """
    taken: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(rounds):
        for name, statement in statements.items():
            program = f"from time import {clock} as now; t = now(); {statement}; print(now() - t)"
            output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            taken[name].append(float(output.stdout.splitlines()[-1]))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
