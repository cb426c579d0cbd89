"""A Cloud Healthcare API on this machine: REST, DICOMweb and operations, in process or on a port."""

from __future__ import annotations

from healthcare_deid.emulator.faults import FaultPlan
from healthcare_deid.emulator.http.in_process import EmulatorHttp
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.request import Request
from healthcare_deid.emulator.service import Emulator

__all__ = ["Emulator", "EmulatorHttp", "FaultPlan", "Reply", "Request"]
