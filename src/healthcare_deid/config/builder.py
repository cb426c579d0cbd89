"""`ConfigBuilder`: a config written as a sentence. Every step returns a new value and is checked at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from healthcare_deid.config.deidentify import DeidentifyConfig
from healthcare_deid.config.dicom import DicomConfig, TagFilterList, TagFilterProfile
from healthcare_deid.config.fhir import FhirConfig, FieldMetadata
from healthcare_deid.config.image import CustomRegex, ImageConfig, TextRedactionMode
from healthcare_deid.config.text import (
    CharacterMaskConfig,
    CryptoHashConfig,
    DateShiftConfig,
    InfoTypeTransformation,
    KmsWrappedCryptoKey,
    RedactConfig,
    ReplaceWithInfoTypeConfig,
    TextConfig,
)
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


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
_DATES = ("DATE", "DATE_OF_BIRTH")


@dataclass(frozen=True, slots=True)
class ConfigBuilder:
    """Builds a v1 `DeidentifyConfig`; `DeidentifyConfig.builder` starts one.

    Example:
        >>> config = (
        ...     DeidentifyConfig.builder()
        ...     .filter_profile("DEIDENTIFY_TAG_CONTENTS")
        ...     .redact("PERSON_NAME")
        ...     .redact_image_text("sensitive")
        ...     .build()
        ... )

    Every method raises `ConfigError` at the step that cannot be right.
    """

    config: DeidentifyConfig = _EMPTY
    """What is built so far."""

    def build(self) -> DeidentifyConfig:
        """Return the config."""
        return self.config

    # Tags

    def keep_tags(self, *tags: object) -> ConfigBuilder:
        """Keep these tags and the ones valid DICOM needs, remove every other. Said again, it keeps more."""
        before = self._dicom.keep_list
        kept = (*(before.tags if before else ()), *tags)
        return self._with_dicom(keep_list=_tag_list(kept))

    def remove_tags(self, *tags: object) -> ConfigBuilder:
        """Remove these tags, keep every other. Said again, it removes more."""
        before = self._dicom.remove_list
        removed = (*(before.tags if before else ()), *tags)
        return self._with_dicom(remove_list=_tag_list(removed))

    def filter_profile(self, profile: TagFilterProfile | ProfileName) -> ConfigBuilder:
        """Treat the tags by a ready profile."""
        return self._with_dicom(filter_profile=profile)

    def keep_uids(self) -> ConfigBuilder:
        """Leave study, series and instance UIDs as they are: whoever has the originals can link the result to them."""
        return self._with_dicom(skip_id_redaction=True)

    # Sensitive text

    def redact(self, *info_types: str) -> ConfigBuilder:
        """Erase these infoTypes; without any, every infoType."""
        return self._with_transformation(info_types, redact_config=RedactConfig())

    def mask(self, *info_types: str, character: str = "*") -> ConfigBuilder:
        """Replace every character of these infoTypes; without any, of every infoType."""
        masking = None if character == "*" else character
        config = CharacterMaskConfig(masking_character=masking) if masking else CharacterMaskConfig()
        return self._with_transformation(info_types, character_mask_config=config)

    def shift_dates(
        self, *info_types: str, crypto_key: bytes | str | None = None, kms: KmsWrappedCryptoKey | None = None
    ) -> ConfigBuilder:
        """Shift these infoTypes by days that are the same for a patient and key; without any, DATE and DATE_OF_BIRTH.

        Args:
            info_types: Which.
            crypto_key: AES key, bytes or base64. Without a key every operation shifts differently.
            kms: The key, wrapped by Cloud KMS; instead of `crypto_key`.
        """
        config = DateShiftConfig.from_api(_key(crypto_key, kms))
        return self._with_transformation(info_types or _DATES, date_shift_config=config)

    def crypto_hash(
        self, *info_types: str, crypto_key: bytes | str | None = None, kms: KmsWrappedCryptoKey | None = None
    ) -> ConfigBuilder:
        """Replace these infoTypes by their keyed hash; without any, every infoType.

        Args:
            info_types: Which.
            crypto_key: AES key, bytes or base64. Without a key every operation hashes differently.
            kms: The key, wrapped by Cloud KMS; instead of `crypto_key`.
        """
        config = CryptoHashConfig.from_api(_key(crypto_key, kms))
        return self._with_transformation(info_types, crypto_hash_config=config)

    def replace_with_info_type(self, *info_types: str) -> ConfigBuilder:
        """Replace these infoTypes by their name, ``[PERSON_NAME]``; without any, every infoType."""
        return self._with_transformation(info_types, replace_with_info_type_config=ReplaceWithInfoTypeConfig())

    def exclude_info_types(self, *info_types: str) -> ConfigBuilder:
        """Leave these infoTypes alone, whatever a transformation says."""
        text = self._text
        return self._with(text=text.model_copy(update={"exclude_info_types": (*text.exclude_info_types, *info_types)}))

    # Pixels

    def redact_image_text(self, which: ImageText) -> ConfigBuilder:
        """Cover burned-in text: all of it (laterality marks too), the sensitive, or none."""
        if which not in _MODES:
            raise ConfigError('redact_image_text: one of "all", "sensitive", "none" is needed')
        return self._with(image=self._image.model_copy(update={"text_redaction_mode": _MODES[which]}))

    def redact_image_regex(self, pattern: str, groups: Sequence[int] = ()) -> ConfigBuilder:
        """Cover burned-in text that matches an RE2 pattern; with `groups`, only those submatches."""
        regex = CustomRegex(pattern=pattern, group_indexes=groups)
        return self._with(image=self._image.model_copy(update={"custom_regexes": (*self._image.custom_regexes, regex)}))

    # The rest

    def regional_processing(self) -> ConfigBuilder:
        """Process the data in its own region only; slower, and without LOCATION and ORGANIZATION_NAME."""
        return self._with(use_regional_data_processing=True)

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

    def _with_transformation(self, info_types: Sequence[str], **transformation: Any) -> ConfigBuilder:
        made = InfoTypeTransformation(info_types=info_types, **transformation)
        text = self._text
        for before in text.additional_transformations:
            twice = sorted(set(before.info_types) & set(made.info_types))
            if twice or not (before.info_types or made.info_types):
                raise ConfigError(f"{', '.join(twice) or 'every infoType'}: has a transformation already")
        return self._with(
            text=text.model_copy(update={"additional_transformations": (*text.additional_transformations, made)})
        )


def _tag_list(tags: Sequence[object]) -> TagFilterList:
    return TagFilterList.from_api({"tags": tags})


def _key(crypto_key: bytes | str | None, kms: KmsWrappedCryptoKey | None) -> dict[str, Any]:
    given = {"crypto_key": crypto_key, "kms_wrapped": kms}
    return {name: value for name, value in given.items() if value is not None}
