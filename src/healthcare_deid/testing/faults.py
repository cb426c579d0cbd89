"""`FaultPlan`: what goes wrong in the emulator, when a test wants it to."""

from __future__ import annotations

from healthcare_deid.emulator.faults import Fault, FaultPlan

__all__ = ["Fault", "FaultPlan"]
