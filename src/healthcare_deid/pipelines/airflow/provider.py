"""Metadata of the Airflow provider."""

from __future__ import annotations

from typing import Any

from healthcare_deid._version import __version__

_HOME = "healthcare_deid.pipelines.airflow"
_INTEGRATION = "Cloud Healthcare API de-identification"


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata (Airflow's entry point)."""
    return {
        "package-name": "healthcare-deid",
        "name": "healthcare-deid",
        "description": "De-identification of DICOM with Google's Cloud Healthcare API, and on this machine.",
        "versions": [__version__],
        "integrations": [
            {"integration-name": _INTEGRATION, "external-doc-url": "https://cloud.google.com/healthcare-api"}
        ],
        "operators": [{"integration-name": _INTEGRATION, "python-modules": [f"{_HOME}.operators", f"{_HOME}.folder"]}],
        "triggers": [{"integration-name": _INTEGRATION, "python-modules": [f"{_HOME}.triggers"]}],
    }
