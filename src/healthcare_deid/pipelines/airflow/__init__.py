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

if find_spec("airflow") is None:
    raise MissingExtraError("airflow", "healthcare_deid.pipelines.airflow")

_HOMES = {
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
    """Import an operator when it is first used: Airflow reads the provider's metadata at every start."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
