"""De-identification on Apache Beam and Apache Airflow.

`healthcare_deid.pipelines.beam` and `healthcare_deid.pipelines.airflow` need the extras of the same names. Other
engines can call `Deidentifier.deidentify_bytes` in their map function.
"""

from healthcare_deid.pipelines.secrets import SecretSource

__all__ = ["SecretSource"]
