"""Emulator of the Cloud Healthcare API: REST, DICOMweb, operations.

It runs in process or on a port.
"""

from __future__ import annotations

from healthcare_deid.emulator.faults import FaultPlan
from healthcare_deid.emulator.http.in_process import EmulatorHttp
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.request import Request
from healthcare_deid.emulator.service import Emulator
from healthcare_deid.emulator.storage.rebuild import RebuildReport, rebuild_index

__all__ = ["Emulator", "EmulatorHttp", "FaultPlan", "RebuildReport", "Reply", "Request", "rebuild_index"]
