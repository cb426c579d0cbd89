"""De-identification as Apache Beam transforms (extra ``[beam]``).

``python -m healthcare_deid.pipelines.beam --input GLOB --output FOLDER --config FILE --dead-letters FILE`` runs a
complete pipeline. Beam's own options may follow.
"""

from __future__ import annotations

from healthcare_deid.errors import MissingExtraError

try:
    import apache_beam as _beam
except ModuleNotFoundError as _error:
    raise MissingExtraError("beam", "healthcare_deid.pipelines.beam") from _error

from healthcare_deid.pipelines.beam.files import DeidentifyFiles
from healthcare_deid.pipelines.beam.instances import DeadLetter, DeidentifiedInstances, DeidentifyInstances
from healthcare_deid.pipelines.beam.operations import DeidentifyDataset, DeidentifyDicomStore
from healthcare_deid.pipelines.beam.reading import InstancesRead, ReadInstances
from healthcare_deid.pipelines.beam.writing import WriteInstances
from healthcare_deid.pipelines.secrets import SecretSource

del _beam

__all__ = [
    "DeadLetter",
    "DeidentifiedInstances",
    "DeidentifyDataset",
    "DeidentifyDicomStore",
    "DeidentifyFiles",
    "DeidentifyInstances",
    "InstancesRead",
    "ReadInstances",
    "SecretSource",
    "WriteInstances",
]
