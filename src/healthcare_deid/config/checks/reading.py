"""What the checks ask of a config of either version: its parts, each with its JSON path."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.config.deidentify import DeidentifyConfig as ConfigV1
from healthcare_deid.config.fhir import FieldAction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config import v1beta1
    from healthcare_deid.config.deidentify import AnyDeidentifyConfig
    from healthcare_deid.config.image import ImageConfig
    from healthcare_deid.config.keys import Keyed
    from healthcare_deid.config.text import InfoTypeTransformation

SENSITIVE = frozenset({"REDACT_SENSITIVE_TEXT", "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS"})
"""Redaction modes that look for infoTypes."""

CONTENTS = "DEIDENTIFY_TAG_CONTENTS"


class Transformation(NamedTuple):
    """A transformation and where it stands."""

    path: str
    value: InfoTypeTransformation


def transformations(config: AnyDeidentifyConfig) -> Iterator[Transformation]:
    """Yield the transformations of text, under either of their two names."""
    if config.text is None:
        return
    for name, items in (
        ("transformations", config.text.transformations),
        ("additionalTransformations", config.text.additional_transformations),
    ):
        for index, item in enumerate(items):
            yield Transformation(f"text.{name}[{index}]", item)


def keyed(config: AnyDeidentifyConfig) -> Iterator[tuple[str, Keyed]]:
    """Yield everything that depends on a key."""
    for path, item in transformations(config):
        if item.date_shift_config is not None:
            yield f"{path}.dateShiftConfig", item.date_shift_config
        if item.crypto_hash_config is not None:
            yield f"{path}.cryptoHashConfig", item.crypto_hash_config
    if not isinstance(config, ConfigV1) and config.fhir_field_config and config.fhir_field_config.options:
        options = config.fhir_field_config.options
        if options.date_shift_config is not None:
            yield "fhirFieldConfig.options.dateShiftConfig", options.date_shift_config
        if options.crypto_hash_config is not None:
            yield "fhirFieldConfig.options.cryptoHashConfig", options.crypto_hash_config


def images(config: AnyDeidentifyConfig) -> Iterator[tuple[str, ImageConfig | v1beta1.ImageConfig]]:
    """Yield every image config."""
    if config.image is not None:
        yield "image", config.image
    if isinstance(config, ConfigV1) or config.dicom_tag_config is None:
        return
    tags = config.dicom_tag_config
    if tags.options and tags.options.clean_image is not None:
        yield "dicomTagConfig.options.cleanImage", tags.options.clean_image
    for index, action in enumerate(tags.actions):
        if action.clean_image_tag is not None:
            yield f"dicomTagConfig.actions[{index}].cleanImageTag", action.clean_image_tag


def inspects_tags(config: AnyDeidentifyConfig) -> bool:
    """Return whether text in DICOM tags is inspected."""
    if config.dicom is not None and config.dicom.filter_profile == CONTENTS:
        return True
    if isinstance(config, ConfigV1) or config.dicom_tag_config is None:
        return False
    tags = config.dicom_tag_config
    cleans = tags.options is not None and tags.options.clean_descriptors is not None
    return tags.profile_type == CONTENTS or cleans or any(action.clean_text_tag is not None for action in tags.actions)


def inspects_fields(config: AnyDeidentifyConfig) -> bool:
    """Return whether FHIR fields are treated by the text config, as far as the config tells."""
    if config.fhir is not None:
        treated = (FieldAction.INSPECT_AND_TRANSFORM, FieldAction.TRANSFORM)
        return not config.fhir.field_metadata_list or any(
            field.action in treated for field in config.fhir.field_metadata_list
        )
    return not isinstance(config, ConfigV1) and config.fhir_field_config is not None


def inspects_pixels(config: AnyDeidentifyConfig) -> bool:
    """Return whether infoTypes are looked for in pixels."""
    return any(image.text_redaction_mode in SENSITIVE for _, image in images(config))
