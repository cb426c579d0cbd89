"""Operators and a sensor for Apache Airflow (extra ``[airflow]``)."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    from healthcare_deid.pipelines.airflow.folder import DeidentifyFolderOperator as DeidentifyFolderOperator
    from healthcare_deid.pipelines.airflow.operators import DeidentifyDatasetOperator as DeidentifyDatasetOperator
    from healthcare_deid.pipelines.airflow.operators import DeidentifyDicomStoreOperator as DeidentifyDicomStoreOperator
    from healthcare_deid.pipelines.airflow.operators import DeidentifyOperationSensor as DeidentifyOperationSensor

# Looked up, not imported: importing Airflow takes seconds.
if find_spec("airflow") is None:
    raise MissingExtraError("airflow", "healthcare_deid.pipelines.airflow")

_MODULES = {
    "DeidentifyDatasetOperator": "operators",
    "DeidentifyDicomStoreOperator": "operators",
    "DeidentifyFolderOperator": "folder",
    "DeidentifyOperationSensor": "operators",
}

__all__ = [
    "DeidentifyDatasetOperator",
    "DeidentifyDicomStoreOperator",
    "DeidentifyFolderOperator",
    "DeidentifyOperationSensor",
]


def __getattr__(name: str) -> object:
    """Import an operator on first use.

    Airflow reads the provider's metadata at every start and should not load the engine for it.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
