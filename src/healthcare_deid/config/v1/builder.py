"""`ConfigBuilder` of v1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from healthcare_deid.config.builder import SharedSteps
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.dicom import DicomConfig, TagFilterList
from healthcare_deid.config.v1.fhir import FhirConfig
from healthcare_deid.config.v1.image import ImageConfig, TextRedactionMode
from healthcare_deid.config.v1.text import TextConfig
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.config.builder import TagLike
    from healthcare_deid.config.v1.dicom import TagFilterProfile
    from healthcare_deid.config.v1.fhir import FieldMetadata

ImageText = Literal["all", "sensitive", "none"]
ProfileName = Literal[
    "MINIMAL_KEEP_LIST_PROFILE",
    "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE",
    "KEEP_ALL_PROFILE",
    "DEIDENTIFY_TAG_CONTENTS",
]

_MODES = {
    "all": TextRedactionMode.REDACT_ALL_TEXT,
    "sensitive": TextRedactionMode.REDACT_SENSITIVE_TEXT,
    "none": TextRedactionMode.REDACT_NO_TEXT,
}
_EMPTY = DeidentifyConfig()


@dataclass(frozen=True, slots=True)
class ConfigBuilder(SharedSteps):
    """Builder of a v1 `DeidentifyConfig`; `DeidentifyConfig.builder` returns an empty one.

    Example:
        >>> config = (
        ...     DeidentifyConfig.builder()
        ...     .filter_profile("DEIDENTIFY_TAG_CONTENTS")
        ...     .redact("PERSON_NAME")
        ...     .redact_image_text("sensitive")
        ...     .build()
        ... )

    Every step returns a new builder and raises `ConfigError` at once if its arguments are wrong.
    """

    config: DeidentifyConfig = _EMPTY
    """The config built so far."""

    def build(self) -> DeidentifyConfig:
        """Return the config."""
        return self.config

    def keep_tags(self, *tags: TagLike) -> ConfigBuilder:
        """Keep these tags and those required in valid DICOM.

        Every other tag is removed. Repeated calls add tags.
        """
        return self._with_dicom(keep_list=_tag_list(self._dicom.keep_list, tags))

    def remove_tags(self, *tags: TagLike) -> ConfigBuilder:
        """Remove these tags and keep every other.

        Repeated calls add tags.
        """
        return self._with_dicom(remove_list=_tag_list(self._dicom.remove_list, tags))

    def filter_profile(self, profile: TagFilterProfile | ProfileName) -> ConfigBuilder:
        """Handle tags by a predefined profile."""
        return self._with_dicom(filter_profile=profile)

    def keep_uids(self) -> ConfigBuilder:
        """Keep study, series and instance UIDs.

        By them, the result can be linked to the originals.
        """
        return self._with_dicom(skip_id_redaction=True)

    def redact_image_text(self, which: ImageText) -> ConfigBuilder:
        """Cover burned-in text: all, only sensitive text, or none.

        All text includes laterality marks.
        """
        if which not in _MODES:
            raise ConfigError('redact_image_text: must be "all", "sensitive" or "none"')
        return self._with_image(text_redaction_mode=_MODES[which])

    def fhir(self, *fields: FieldMetadata, keep_extensions: bool | None = None) -> ConfigBuilder:
        """De-identify FHIR resources too; without `fields`, by the service's defaults."""
        before = self.config.fhir or FhirConfig()
        update: dict[str, Any] = {"field_metadata_list": (*before.field_metadata_list, *fields)}
        if keep_extensions is not None:
            update["default_keep_extensions"] = keep_extensions
        return self._with(fhir=before.model_copy(update=update))

    @property
    def _dicom(self) -> DicomConfig:
        return self.config.dicom or DicomConfig()

    @property
    def _text(self) -> TextConfig:
        return self.config.text or TextConfig()

    @property
    def _image(self) -> ImageConfig:
        return self.config.image or ImageConfig()

    def _with(self, **update: Any) -> ConfigBuilder:
        return ConfigBuilder(self.config.model_copy(update=update))

    def _with_dicom(self, **update: Any) -> ConfigBuilder:
        return self._with(dicom=self._dicom.model_copy(update=update))

    def _with_image(self, **update: Any) -> ConfigBuilder:
        return self._with(image=self._image.model_copy(update=update))


def _tag_list(before: TagFilterList | None, tags: Sequence[TagLike]) -> TagFilterList:
    return TagFilterList.from_api({"tags": (*(before.tags if before else ()), *tags)})
