"""`DeidentifyConfig` (v1): the whole of what to remove, transform and keep."""

from __future__ import annotations

from healthcare_deid.config.dicom import DicomConfig
from healthcare_deid.config.fhir import FhirConfig
from healthcare_deid.config.fields import Flag
from healthcare_deid.config.image import ImageConfig
from healthcare_deid.config.message import Message
from healthcare_deid.config.text import TextConfig


class DeidentifyConfig(Message):
    """How a dataset, a store, or files on this machine are de-identified. Source: v1 ``DeidentifyConfig``."""

    dicom: DicomConfig | None = None
    """DICOM metadata; unset: DICOM stores are skipped by the service."""
    fhir: FhirConfig | None = None
    """FHIR resources; unset: FHIR stores are skipped by the service."""
    image: ImageConfig | None = None
    """Pixels; unset: left alone."""
    text: TextConfig | None = None
    """Sensitive text in tags, fields and pixels."""
    use_regional_data_processing: Flag | None = None
    """Process the data in its own region only; slower, and without some infoTypes."""
