"""De-identification on engines of many machines: Apache Beam and Apache Airflow.

`healthcare_deid.pipelines.beam` and `healthcare_deid.pipelines.airflow` need the extras of these names. Any other
engine needs no more than `Deidentifier.deidentify_bytes` in its map function.
"""

from healthcare_deid.pipelines.secrets import SecretSource

__all__ = ["SecretSource"]
