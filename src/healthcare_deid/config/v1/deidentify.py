"""`DeidentifyConfig` of v1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from healthcare_deid.config.base.config import RootConfig
from healthcare_deid.config.base.field_types import Flag
from healthcare_deid.config.v1.dicom import DicomConfig
from healthcare_deid.config.v1.fhir import FhirConfig
from healthcare_deid.config.v1.image import ImageConfig
from healthcare_deid.config.v1.text import TextConfig

if TYPE_CHECKING:
    from healthcare_deid.config.dialects.v1_to_v1beta1 import Conversion
    from healthcare_deid.config.parts import ConfigParts
    from healthcare_deid.config.v1.builder import ConfigBuilder


class DeidentifyConfig(RootConfig):
    """De-identification of a dataset, store or files. Source: v1 ``DeidentifyConfig``."""

    api_version: ClassVar[Literal["v1"]] = "v1"  # pyright: ignore[reportIncompatibleVariableOverride]

    dicom: DicomConfig | None = None
    """DICOM metadata; unset: DICOM stores are skipped by the service."""
    fhir: FhirConfig | None = None
    """FHIR resources; unset: FHIR stores are skipped by the service."""
    image: ImageConfig | None = None
    """Pixels; unset: left alone."""
    text: TextConfig | None = None
    """Sensitive text in tags, fields and pixels."""
    use_regional_data_processing: Flag | None = None
    """Process the data in its own region only.

    This is slower and does not find LOCATION and ORGANIZATION_NAME.
    """

    @classmethod
    def builder(cls) -> ConfigBuilder:
        """Return an empty builder."""
        from healthcare_deid.config.v1.builder import ConfigBuilder

        return ConfigBuilder()

    def parts(self) -> ConfigParts:
        """Return the config's fields in a form common to both versions."""
        from healthcare_deid.config.parts import ConfigParts, ConfiguredImage

        return ConfigParts(
            api_version=self.api_version,
            dicom=self.dicom,
            fhir=self.fhir,
            image=ConfiguredImage("image", self.image) if self.image is not None else None,
            text=self.text,
            regional=bool(self.use_regional_data_processing),
        )

    def to_v1beta1(self) -> Conversion:
        """Return the equivalent v1beta1 config with every remaining difference."""
        from healthcare_deid.config.dialects.v1_to_v1beta1 import SourceFields, convert_to_v1beta1

        return convert_to_v1beta1(
            SourceFields(self.dicom, self.fhir, self.image, self.text, self.use_regional_data_processing)
        )
