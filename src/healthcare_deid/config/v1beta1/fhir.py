"""`FhirFieldConfig` (v1beta1): a profile, options on top of it, and actions by field, the strongest."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from healthcare_deid.config.fields import Items
from healthcare_deid.config.message import Message, OneOf
from healthcare_deid.config.text import CharacterMaskConfig, CryptoHashConfig, DateShiftConfig


class FhirProfileType(StrEnum):
    """A ready way to treat fields. Source: v1beta1 ``FhirFieldConfig.profileType``."""

    PROFILE_TYPE_UNSPECIFIED = "PROFILE_TYPE_UNSPECIFIED"
    """The same as `BASIC`."""
    KEEP_ALL = "KEEP_ALL"
    """Keep every field."""
    BASIC = "BASIC"
    """Transform the fields of HIPAA's eighteen identifiers and clean known free text."""
    CLEAN_ALL = "CLEAN_ALL"
    """Clean every field that can hold text."""


class ContextualDeidConfig(Message):
    """Replace phrases that stand in fields to hide by ``[CTX]``. Source: v1beta1 ``ContextualDeidConfig``."""


class KeepExtensionsConfig(Message):
    """Keep extensions; without it they are removed. Source: v1beta1 ``KeepExtensionsConfig``."""


class FhirOptions(Message):
    """What is changed about the profile. Source: ``GoogleCloudHealthcareV1beta1DeidentifyOptions``."""

    character_mask_config: CharacterMaskConfig | None = None
    """How `CharacterMaskField` masks."""
    crypto_hash_config: CryptoHashConfig | None = None
    """How `CryptoHashField` hashes."""
    date_shift_config: DateShiftConfig | None = None
    """How `DateShiftField` shifts."""
    contextual_deid: ContextualDeidConfig | None = None
    """Set: replace phrases from fields to hide."""
    keep_extensions: KeepExtensionsConfig | None = None
    """Set: keep extensions."""


class CharacterMaskField(Message):
    """Mask the field. Source: v1beta1 ``CharacterMaskField``."""


class CleanTextField(Message):
    """Inspect the field's text. Source: v1beta1 ``CleanTextField``."""


class CryptoHashField(Message):
    """Hash the field. Source: v1beta1 ``CryptoHashField``."""


class DateShiftField(Message):
    """Shift the date, of type Date or DateTime. Source: v1beta1 ``DateShiftField``."""


class KeepField(Message):
    """Leave the field as it is. Source: v1beta1 ``KeepField``."""


class RemoveField(Message):
    """Remove the field. Source: v1beta1 ``RemoveField``."""


class FhirFieldMetadata(OneOf):
    """One of the six actions, for the fields at some paths; the first that matches counts.

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
    """Leave as it is."""
    remove_field: RemoveField | None = None
    """Remove."""


class FhirFieldConfig(Message):
    """How to handle FHIR resources: actions before options before profile. Source: v1beta1 ``FhirFieldConfig``."""

    profile_type: FhirProfileType | None = None
    """A ready way; unset means `FhirProfileType.BASIC`."""
    options: FhirOptions | None = None
    """What is changed about it."""
    field_metadata_list: Items[FhirFieldMetadata] = ()
    """What happens to single fields; the first match counts."""
