"""`DeidentifyConfig` (v1): the whole of what to remove, transform and keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from healthcare_deid.config.dicom import DicomConfig
from healthcare_deid.config.fhir import FhirConfig
from healthcare_deid.config.fields import Flag
from healthcare_deid.config.image import ImageConfig
from healthcare_deid.config.root import ApiVersion, RootConfig
from healthcare_deid.config.text import TextConfig

if TYPE_CHECKING:
    from healthcare_deid.config import v1beta1
    from healthcare_deid.config.builder import ConfigBuilder
    from healthcare_deid.config.migrate import Conversion


class DeidentifyConfig(RootConfig):
    """How a dataset, a store, or files on this machine are de-identified. Source: v1 ``DeidentifyConfig``."""

    api_version: ClassVar[ApiVersion] = "v1"

    dicom: DicomConfig | None = None
    """DICOM metadata; unset: DICOM stores are skipped by the service."""
    fhir: FhirConfig | None = None
    """FHIR resources; unset: FHIR stores are skipped by the service."""
    image: ImageConfig | None = None
    """Pixels; unset: left alone."""
    text: TextConfig | None = None
    """Sensitive text in tags, fields and pixels."""
    use_regional_data_processing: Flag | None = None
    """Process the data in its own region only; slower, and without LOCATION and ORGANIZATION_NAME."""

    @classmethod
    def builder(cls) -> ConfigBuilder:
        """Return a builder, to write the config as a sentence."""
        from healthcare_deid.config.builder import ConfigBuilder

        return ConfigBuilder()

    def to_v1beta1(self) -> Conversion:
        """Return the config of version v1beta1 that does the same, and every difference that remains."""
        from healthcare_deid.config.migrate import to_v1beta1

        return to_v1beta1(self)


AnyDeidentifyConfig: TypeAlias = "DeidentifyConfig | v1beta1.DeidentifyConfig"
"""A config of either version."""
