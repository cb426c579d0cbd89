"""Helpers for your own tests.

Sample DICOM, a fake clock, scripted operations, faults, and the pytest plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from healthcare_deid.testing.clock import FakeClock
    from healthcare_deid.testing.faults import FaultPlan
    from healthcare_deid.testing.samples import Sample, sample_dicom, write_samples
    from healthcare_deid.testing.scripted import (
        ScriptedOperation,
        Step,
        cancelled,
        expired,
        failed,
        partial,
        running,
        succeeded,
        unreachable,
    )

__all__ = [
    "FakeClock",
    "FaultPlan",
    "Sample",
    "ScriptedOperation",
    "Step",
    "cancelled",
    "expired",
    "failed",
    "partial",
    "running",
    "sample_dicom",
    "succeeded",
    "unreachable",
    "write_samples",
]

_MODULES = {
    "FakeClock": "clock",
    "FaultPlan": "faults",
    "Sample": "samples",
    "ScriptedOperation": "scripted",
    "Step": "scripted",
    "cancelled": "scripted",
    "expired": "scripted",
    "failed": "scripted",
    "partial": "scripted",
    "running": "scripted",
    "sample_dicom": "samples",
    "succeeded": "scripted",
    "unreachable": "scripted",
    "write_samples": "samples",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562).

    Tests of client code then do not need pydicom.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
