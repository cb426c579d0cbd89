"""Secret bytes and AES keys, masked wherever they are shown."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

_AES_KEY_BYTES = (16, 24, 32)


class SecretBytes(bytes):
    """Bytes that are base64 on the wire and print masked."""

    what: ClassVar[str] = "secret"

    def __repr__(self) -> str:
        return f"<{len(self)}-byte {self.what}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    @classmethod
    def parse(cls, value: bytes | str) -> Self:
        """Accept bytes or base64 text.

        The text may use the standard or the URL-safe alphabet, padded or not.

        Raises:
            ValueError: The text is not base64.
        """
        if isinstance(value, str):
            # Keys arrive in both base64 alphabets, padded or not; b64decode reads only the standard, padded one.
            text = value.strip().translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
            try:
                value = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except (binascii.Error, ValueError):
                raise ValueError(f"the {cls.what} is not base64") from None
        return cls(value)

    def to_base64(self) -> str:
        """Return the bytes as base64, their form on the wire."""
        return base64.b64encode(self).decode("ascii")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def validate(value: object) -> SecretBytes:
            if not isinstance(value, bytes | str):
                # Pydantic collects ValueError and lets TypeError through.
                raise ValueError(f"the {cls.what} must be bytes or base64 text")  # noqa: TRY004
            return cls.parse(value)

        return core_schema.no_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda key: key.to_base64(), return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "contentEncoding": "base64"}


class CryptoKey(SecretBytes):
    """An AES key of 128, 192 or 256 bits."""

    what = "key"

    def __repr__(self) -> str:
        return f"<{len(self) * 8}-bit key>"

    __str__ = __repr__

    @classmethod
    def parse(cls, value: bytes | str) -> Self:
        """Accept a key as bytes or as base64 text.

        Raises:
            ValueError: The text is not base64, or the key is not 16, 24 or 32 bytes long (AES-128, -192, -256).
        """
        key = super().parse(value)
        if len(key) not in _AES_KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes, not 16, 24 or 32 (see presets.generate_crypto_key)")
        return key


class WrappedKey(SecretBytes):
    """A key encrypted ("wrapped") by Cloud KMS."""

    what = "wrapped key"

    @classmethod
    def parse(cls, value: bytes | str) -> Self:
        """Accept a wrapped key as bytes or as base64 text.

        Raises:
            ValueError: The text is not base64, or the key is empty.
        """
        key = super().parse(value)
        if not key:
            raise ValueError("the wrapped key is empty")
        return key
