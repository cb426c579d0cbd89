"""`TextConfig` (v1): what happens to sensitive text, by infoType."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, model_validator
from pydantic_core import core_schema

from healthcare_deid.config.message import Message

_AES_KEY_BYTES = (16, 24, 32)


class CryptoKey(bytes):
    """A key: bytes that never show in a `repr`, a log line or an error."""

    def __repr__(self) -> str:
        return f"<{len(self) * 8}-bit key>"

    __str__ = __repr__

    @classmethod
    def parse(cls, value: bytes | str) -> Self:
        """Take a key as bytes or as base64 text.

        Raises:
            ValueError: It is not base64, or not 16, 24 or 32 bytes long (AES-128, -192, -256).
        """
        if isinstance(value, str):
            try:
                value = base64.b64decode(value.strip(), validate=True)
            except (binascii.Error, ValueError):
                raise ValueError("the key is not base64") from None
        if len(value) not in _AES_KEY_BYTES:
            raise ValueError(f"the key has {len(value)} bytes; 16, 24 or 32 are needed (presets.generate_crypto_key())")
        return cls(value)

    def to_base64(self) -> str:
        """Return the key as the wire has it."""
        return base64.b64encode(self).decode("ascii")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def validate(value: object) -> CryptoKey:
            if not isinstance(value, bytes | str):
                raise ValueError("a key is bytes or base64 text")  # noqa: TRY004 - pydantic collects ValueError
            return cls.parse(value)

        return core_schema.no_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda key: key.to_base64(), return_schema=core_schema.str_schema(), when_used="json"
            ),
        )


class KmsWrappedCryptoKey(Message):
    """A key wrapped by Cloud KMS. Source: v1 ``KmsWrappedCryptoKey``."""

    wrapped_key: str
    """The wrapped key, base64."""
    crypto_key: str
    """The KMS key that unwraps it: ``projects/*/locations/*/keyRings/*/cryptoKeys/*``."""


class RedactConfig(Message):
    """Erase the finding. Source: v1 ``RedactConfig``."""


class ReplaceWithInfoTypeConfig(Message):
    """Replace the finding by its infoType: ``[PERSON_NAME]``. Source: v1 ``ReplaceWithInfoTypeConfig``."""


class CharacterMaskConfig(Message):
    """Replace every character of the finding. Source: v1 ``CharacterMaskConfig``."""

    masking_character: str | None = None
    """One character; unset means ``*``."""


class _Keyed(Message):
    crypto_key: CryptoKey | None = None
    """AES key, 16, 24 or 32 bytes; without one the service makes a key an operation."""
    kms_wrapped: KmsWrappedCryptoKey | None = None
    """The key, wrapped by Cloud KMS."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.crypto_key is not None and self.kms_wrapped is not None:
            raise ValueError("cryptoKey and kmsWrapped exclude each other: set one")
        return self


class DateShiftConfig(_Keyed):
    """Shift dates by a number of days that is the same for a patient and key. Source: v1 ``DateShiftConfig``."""


class CryptoHashConfig(_Keyed):
    """Replace the finding by its keyed hash. Source: v1 ``CryptoHashConfig``."""


_TRANSFORMATIONS = (
    "redact_config",
    "character_mask_config",
    "date_shift_config",
    "crypto_hash_config",
    "replace_with_info_type_config",
)


class InfoTypeTransformation(Message):
    """One transformation for some infoTypes. Source: v1 ``InfoTypeTransformation``."""

    info_types: tuple[str, ...] = ()
    """InfoTypes it applies to; none means any."""
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


class TextConfig(Message):
    """What happens to sensitive text. Source: v1 ``TextConfig``."""

    additional_transformations: tuple[InfoTypeTransformation, ...] = ()
    """Transformations by infoType."""
    exclude_info_types: tuple[str, ...] = ()
    """InfoTypes that are left alone; stronger than a transformation."""
    transformations: tuple[InfoTypeTransformation, ...] = ()
    """Deprecated by the API: use `additional_transformations`."""
