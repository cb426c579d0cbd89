"""`DeidentifyConfig` of v1beta1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from healthcare_deid.config.base.config import RootConfig
from healthcare_deid.config.base.field_types import Flag
from healthcare_deid.config.base.message import Message
from healthcare_deid.config.base.path_types import FhirStorePath
from healthcare_deid.config.v1.dicom import DicomConfig
from healthcare_deid.config.v1.fhir import FhirConfig
from healthcare_deid.config.v1beta1.dicom import DicomTagConfig
from healthcare_deid.config.v1beta1.fhir import FhirFieldConfig
from healthcare_deid.config.v1beta1.image import ImageConfig
from healthcare_deid.config.v1beta1.text import TextConfig, TextProfileType

if TYPE_CHECKING:
    from healthcare_deid.config.parts import ConfigParts
    from healthcare_deid.config.v1beta1.builder import ConfigBuilder


class FhirOutput(Message):
    """A FHIR store that the operation writes to. Source: v1beta1 ``FhirOutput``."""

    fhir_store: FhirStorePath | None = None
    """An existing R4 store with ``enableUpdateCreate``; the service's own account writes to it."""


class DeidentifyOperationMetadata(Message):
    """Destination of the record of changes; DICOM only. Source: v1beta1 ``DeidentifyOperationMetadata``."""

    fhir_output: FhirOutput | None = None
    """The FHIR store."""


class DeidentifyConfig(RootConfig):
    """De-identification of a dataset, store or files. Source: v1beta1 ``DeidentifyConfig``."""

    api_version: ClassVar[Literal["v1beta1"]] = "v1beta1"  # pyright: ignore[reportIncompatibleVariableOverride]

    dicom_tag_config: DicomTagConfig | None = None
    """DICOM instances; unset, with `dicom` unset too: DICOM stores are skipped by the service."""
    fhir_field_config: FhirFieldConfig | None = None
    """FHIR resources; unset, with `fhir` unset too: FHIR stores are skipped by the service."""
    text: TextConfig | None = None
    """Sensitive text in tags, fields and pixels."""
    operation_metadata: DeidentifyOperationMetadata | None = None
    """Destination of the record of changes."""
    use_regional_data_processing: Flag | None = None
    """Process the data in its own region only.

    This is slower and does not find LOCATION and ORGANIZATION_NAME.
    """
    dicom: DicomConfig | None = None
    """Deprecated by the API: use `dicom_tag_config`."""
    fhir: FhirConfig | None = None
    """Deprecated by the API: use `fhir_field_config`."""
    image: ImageConfig | None = None
    """Deprecated by the API: use ``dicom_tag_config.options.clean_image``."""

    @classmethod
    def builder(cls) -> ConfigBuilder:
        """Return an empty builder."""
        from healthcare_deid.config.v1beta1.builder import ConfigBuilder

        return ConfigBuilder()

    def parts(self) -> ConfigParts:
        """Return the config's fields in a form common to both versions."""
        from healthcare_deid.config.parts import ConfigParts, beta_image

        return ConfigParts(
            api_version=self.api_version,
            dicom=self.dicom,
            fhir=self.fhir,
            image=beta_image("image", self.image) if self.image is not None else None,
            text=self.text,
            regional=bool(self.use_regional_data_processing),
            tag_config=self.dicom_tag_config,
            fhir_field_config=self.fhir_field_config,
            other_info_types_stay=self.text is not None and self.text.profile_type is TextProfileType.EMPTY,
        )
