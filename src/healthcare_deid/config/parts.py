"""`ConfigParts`: a config's fields in a form common to both versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.config.v1.fhir import FieldAction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config.base.field_types import ApiVersion
    from healthcare_deid.config.v1.dicom import DicomConfig
    from healthcare_deid.config.v1.fhir import FhirConfig
    from healthcare_deid.config.v1.image import ImageConfig
    from healthcare_deid.config.v1.keys import Keyed
    from healthcare_deid.config.v1.text import InfoTypeTransformation, TextConfig
    from healthcare_deid.config.v1beta1.dicom import DicomTagConfig
    from healthcare_deid.config.v1beta1.fhir import FhirFieldConfig
    from healthcare_deid.config.v1beta1.image import ImageConfig as ImageConfigV1Beta1
    from healthcare_deid.config.v1beta1.text import TextConfig as TextConfigV1Beta1

SENSITIVE = frozenset({"REDACT_SENSITIVE_TEXT", "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS"})
"""Redaction modes that look for infoTypes."""

CONTENTS = "DEIDENTIFY_TAG_CONTENTS"


class ConfiguredTransformation(NamedTuple):
    """A transformation and its JSON path."""

    path: str
    value: InfoTypeTransformation


class ConfiguredImage(NamedTuple):
    """An image config and its JSON path.

    Attributes:
        path: JSON path.
        value: The config.
        additional_info_types: InfoTypes to look for beside the default ones; always empty in v1.
        exclude_info_types: InfoTypes to leave; always empty in v1.
    """

    path: str
    value: ImageConfig | ImageConfigV1Beta1
    additional_info_types: tuple[str, ...] = ()
    exclude_info_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigParts:
    """The fields of a config of either version.

    A field that the version lacks is `None`.

    Attributes:
        api_version: API version of the config.
        dicom: The filter of tags; deprecated in v1beta1.
        fhir: The rules for FHIR resources; deprecated in v1beta1.
        image: How pixels are handled; deprecated in v1beta1.
        text: How sensitive text is handled.
        tag_config: v1beta1's profile, options and actions for tags.
        fhir_field_config: v1beta1's profile, options and actions for FHIR resources.
        regional: Whether data is processed in its own region only.
        other_info_types_stay: Whether text of an infoType without transformation stays, by v1beta1's empty profile.
    """

    api_version: ApiVersion
    dicom: DicomConfig | None
    fhir: FhirConfig | None
    image: ConfiguredImage | None
    text: TextConfig | TextConfigV1Beta1 | None
    regional: bool
    tag_config: DicomTagConfig | None = None
    fhir_field_config: FhirFieldConfig | None = None
    other_info_types_stay: bool = False

    @property
    def has_dicom(self) -> bool:
        """Whether the service processes DICOM stores."""
        return self.dicom is not None or self.tag_config is not None

    @property
    def has_fhir(self) -> bool:
        """Whether the service processes FHIR stores."""
        return self.fhir is not None or self.fhir_field_config is not None

    def transformations(self) -> Iterator[ConfiguredTransformation]:
        """Yield the transformations of text, including those in the deprecated field."""
        if self.text is None:
            return
        for name, items in (
            ("transformations", self.text.transformations),
            ("additionalTransformations", self.text.additional_transformations),
        ):
            for index, item in enumerate(items):
                yield ConfiguredTransformation(f"text.{name}[{index}]", item)

    def keyed(self) -> Iterator[tuple[str, Keyed]]:
        """Yield each transformation that takes a key, with its JSON path."""
        for path, item in self.transformations():
            if item.date_shift_config is not None:
                yield f"{path}.dateShiftConfig", item.date_shift_config
            if item.crypto_hash_config is not None:
                yield f"{path}.cryptoHashConfig", item.crypto_hash_config
        if self.fhir_field_config and self.fhir_field_config.options:
            options = self.fhir_field_config.options
            if options.date_shift_config is not None:
                yield "fhirFieldConfig.options.dateShiftConfig", options.date_shift_config
            if options.crypto_hash_config is not None:
                yield "fhirFieldConfig.options.cryptoHashConfig", options.crypto_hash_config

    def images(self) -> Iterator[ConfiguredImage]:
        """Yield every image config."""
        if self.image is not None:
            yield self.image
        if self.tag_config is None:
            return
        if self.tag_config.options and self.tag_config.options.clean_image is not None:
            yield beta_image("dicomTagConfig.options.cleanImage", self.tag_config.options.clean_image)
        for index, action in enumerate(self.tag_config.actions):
            if action.clean_image_tag is not None:
                yield beta_image(f"dicomTagConfig.actions[{index}].cleanImageTag", action.clean_image_tag)

    def pixel_image(self) -> ConfiguredImage | None:
        """Return the image config for PixelData: an action precedes the option, which precedes ``image``."""
        images = list(self.images())
        actions = [image for image in images if ".actions[" in image.path]
        return next(iter([*actions, *reversed(images)]), None)

    def inspects_tags(self) -> bool:
        """Return whether text in DICOM tags is inspected."""
        if self.dicom is not None and self.dicom.filter_profile == CONTENTS:
            return True
        if self.tag_config is None:
            return False
        tags = self.tag_config
        cleans = tags.options is not None and tags.options.clean_descriptors is not None
        inspects = any(action.clean_text_tag is not None for action in tags.actions)
        return tags.profile_type == CONTENTS or cleans or inspects

    def inspects_fields(self) -> bool:
        """Return whether the text config may apply to FHIR fields."""
        if self.fhir is not None:
            treated = (FieldAction.INSPECT_AND_TRANSFORM, FieldAction.TRANSFORM)
            fields = self.fhir.field_metadata_list
            return not fields or any(field.action in treated for field in fields)
        return self.fhir_field_config is not None

    def inspects_pixels(self) -> bool:
        """Return whether infoTypes are looked for in pixels."""
        return any(image.value.text_redaction_mode in SENSITIVE for image in self.images())


def beta_image(path: str, image: ImageConfigV1Beta1) -> ConfiguredImage:
    """Return a v1beta1 image config with its infoTypes."""
    return ConfiguredImage(path, image, tuple(image.additional_info_types), tuple(image.exclude_info_types))
