"""`FaultPlan`: faults to inject into the emulator."""

from __future__ import annotations

from healthcare_deid.emulator.faults import Fault, FaultPlan

__all__ = ["Fault", "FaultPlan"]
