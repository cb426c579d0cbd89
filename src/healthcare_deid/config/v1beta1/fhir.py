"""`FhirFieldConfig`: a profile, overridden by options, overridden by actions on fields."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from healthcare_deid.config.base.field_types import Items
from healthcare_deid.config.base.message import Message, OneOf
from healthcare_deid.config.v1.text import CharacterMaskConfig, CryptoHashConfig, DateShiftConfig


class FhirProfileType(StrEnum):
    """A predefined handling of fields. Source: v1beta1 ``FhirFieldConfig.profileType``."""

    PROFILE_TYPE_UNSPECIFIED = "PROFILE_TYPE_UNSPECIFIED"
    """The same as `BASIC`."""
    KEEP_ALL = "KEEP_ALL"
    """Keep every field."""
    BASIC = "BASIC"
    """Transform the fields of HIPAA's eighteen identifiers and clean known free text."""
    CLEAN_ALL = "CLEAN_ALL"
    """Clean every field that can hold text."""


class ContextualDeidConfig(Message):
    """Replace phrases found in hidden fields by ``[CTX]``. Source: v1beta1 ``ContextualDeidConfig``."""


class KeepExtensionsConfig(Message):
    """Keep extensions; without it they are removed. Source: v1beta1 ``KeepExtensionsConfig``."""


class FhirOptions(Message):
    """Changes to the profile. Source: ``GoogleCloudHealthcareV1beta1DeidentifyOptions``."""

    character_mask_config: CharacterMaskConfig | None = None
    """Configuration of `CharacterMaskField`."""
    crypto_hash_config: CryptoHashConfig | None = None
    """Configuration of `CryptoHashField`."""
    date_shift_config: DateShiftConfig | None = None
    """Configuration of `DateShiftField`."""
    contextual_deid: ContextualDeidConfig | None = None
    """If set, replace phrases found in hidden fields."""
    keep_extensions: KeepExtensionsConfig | None = None
    """If set, keep extensions."""


class CharacterMaskField(Message):
    """Mask the field. Source: v1beta1 ``CharacterMaskField``."""


class CleanTextField(Message):
    """Inspect the field's text. Source: v1beta1 ``CleanTextField``."""


class CryptoHashField(Message):
    """Hash the field. Source: v1beta1 ``CryptoHashField``."""


class DateShiftField(Message):
    """Shift the date, of type Date or DateTime. Source: v1beta1 ``DateShiftField``."""


class KeepField(Message):
    """Leave the field unchanged. Source: v1beta1 ``KeepField``."""


class RemoveField(Message):
    """Remove the field. Source: v1beta1 ``RemoveField``."""


class FhirFieldMetadata(OneOf):
    """An action on the fields at some paths; the first match applies.

    Source: ``GoogleCloudHealthcareV1beta1DeidentifyFieldMetadata``.
    """

    one_of: ClassVar[tuple[str, ...]] = (
        "character_mask_field",
        "clean_text_field",
        "crypto_hash_field",
        "date_shift_field",
        "keep_field",
        "remove_field",
    )

    paths: Items[str] = ()
    """Paths such as ``Patient.name``; partial ones (``Address.city``) and types (``Address.String``) match too."""
    character_mask_field: CharacterMaskField | None = None
    """Mask."""
    clean_text_field: CleanTextField | None = None
    """Inspect the text."""
    crypto_hash_field: CryptoHashField | None = None
    """Hash."""
    date_shift_field: DateShiftField | None = None
    """Shift."""
    keep_field: KeepField | None = None
    """Leave unchanged."""
    remove_field: RemoveField | None = None
    """Remove."""


class FhirFieldConfig(Message):
    """Handling of FHIR resources. Source: v1beta1 ``FhirFieldConfig``.

    Actions override options, and options override the profile.
    """

    profile_type: FhirProfileType | None = None
    """A predefined handling; unset means `FhirProfileType.BASIC`."""
    options: FhirOptions | None = None
    """Changes to the profile."""
    field_metadata_list: Items[FhirFieldMetadata] = ()
    """Actions on fields; the first match applies."""
