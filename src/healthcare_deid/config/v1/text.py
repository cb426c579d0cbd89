"""`TextConfig`: transformations of sensitive text by infoType."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from healthcare_deid.config.base.field_types import InfoTypeName, Items
from healthcare_deid.config.base.message import Message, OneOf
from healthcare_deid.config.v1.keys import Keyed


class RedactConfig(Message):
    """Erase the finding. Source: v1 ``RedactConfig``.

    "My name is Jane." becomes "My name is .".
    """


class ReplaceWithInfoTypeConfig(Message):
    """Replace the finding by its infoType: ``[PERSON_NAME]``. Source: v1 ``ReplaceWithInfoTypeConfig``."""


def _one_character(value: object) -> object:
    """Treat empty text as unset, as Protocol Buffers do.

    The service's tutorial sends it.
    """
    if value == "":
        return None
    if isinstance(value, str) and len(value) > 1:
        raise ValueError(f"must be one character, not {len(value)}")
    return value


class CharacterMaskConfig(Message):
    """Replace every character of the finding. Source: v1 ``CharacterMaskConfig``."""

    masking_character: Annotated[str | None, BeforeValidator(_one_character)] = None
    """One character; unset, or empty, means ``*``."""


class DateShiftConfig(Keyed):
    """Shift dates. Source: v1 ``DateShiftConfig``.

    The number of days is the same for a patient and key.
    """


class CryptoHashConfig(Keyed):
    """Replace the finding by its keyed hash. Source: v1 ``CryptoHashConfig``.

    The hash is SHA-256, 44 characters of base64.
    """


class InfoTypeTransformation(OneOf):
    """A transformation of some infoTypes, at most one of five. Source: v1 ``InfoTypeTransformation``."""

    one_of: ClassVar[tuple[str, ...]] = (
        "redact_config",
        "character_mask_config",
        "date_shift_config",
        "crypto_hash_config",
        "replace_with_info_type_config",
    )

    info_types: Items[InfoTypeName] = ()
    """InfoTypes to transform; empty means in v1 any infoType, in v1beta1 those that no other transformation names."""
    redact_config: RedactConfig | None = None
    """Erase."""
    character_mask_config: CharacterMaskConfig | None = None
    """Mask."""
    date_shift_config: DateShiftConfig | None = None
    """Shift dates."""
    crypto_hash_config: CryptoHashConfig | None = None
    """Hash."""
    replace_with_info_type_config: ReplaceWithInfoTypeConfig | None = None
    """Replace by the infoType's name."""


class TextConfig(OneOf):
    """Handling of sensitive text. Source: v1 ``TextConfig``."""

    one_of: ClassVar[tuple[str, ...]] = ("transformations", "additional_transformations")

    additional_transformations: Items[InfoTypeTransformation] = ()
    """Transformations by infoType."""
    exclude_info_types: Items[InfoTypeName] = ()
    """InfoTypes to leave unchanged; overrides transformations."""
    transformations: Items[InfoTypeTransformation] = ()
    """Deprecated by the API: use `additional_transformations`. Setting both is refused, as their order is undefined."""
