"""De-identify DICOM and FHIR: Google's Cloud Healthcare API from Python, and the same config on this machine."""

from __future__ import annotations

from healthcare_deid._version import __version__

__all__ = ["__version__"]
