"""Keys: bytes that never show in a `repr`, a log line or an error; and keys wrapped by Cloud KMS."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from healthcare_deid.config.message import Message, OneOf

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

_AES_KEY_BYTES = (16, 24, 32)
_KMS_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")


class SecretBytes(bytes):
    """Bytes that travel as base64 and print as their length."""

    what: ClassVar[str] = "secret"

    def __repr__(self) -> str:
        return f"<{len(self)}-byte {self.what}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    @classmethod
    def parse(cls, value: bytes | str) -> Self:
        """Take bytes, or base64 text (the standard or the URL-safe alphabet, padded or not).

        Raises:
            ValueError: The text is not base64.
        """
        if isinstance(value, str):
            text = value.strip().translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
            try:
                value = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except (binascii.Error, ValueError):
                raise ValueError(f"the {cls.what} is not base64") from None
        return cls(value)

    def to_base64(self) -> str:
        """Return the bytes as the wire has them."""
        return base64.b64encode(self).decode("ascii")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def validate(value: object) -> SecretBytes:
            if not isinstance(value, bytes | str):
                raise ValueError(f"the {cls.what} is bytes or base64 text")  # noqa: TRY004 - pydantic collects ValueError
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
        """Take a key as bytes or as base64 text.

        Raises:
            ValueError: It is not base64, or not 16, 24 or 32 bytes long (AES-128, -192, -256).
        """
        key = super().parse(value)
        if len(key) not in _AES_KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes; 16, 24 or 32 are needed (presets.generate_crypto_key())")
        return key


class WrappedKey(SecretBytes):
    """A key as Cloud KMS wrapped it."""

    what = "wrapped key"

    @classmethod
    def parse(cls, value: bytes | str) -> Self:
        """Take a wrapped key as bytes or as base64 text.

        Raises:
            ValueError: It is not base64, or empty.
        """
        key = super().parse(value)
        if not key:
            raise ValueError("the wrapped key is empty")
        return key


def _kms_name(value: str) -> str:
    if not _KMS_NAME.fullmatch(value):
        raise ValueError("a KMS key has the form projects/*/locations/*/keyRings/*/cryptoKeys/*")
    return value


class KmsWrappedCryptoKey(Message):
    """A key wrapped by Cloud KMS. Source: v1 ``KmsWrappedCryptoKey``.

    The service's own account unwraps it; it needs ``cloudkms.cryptoKeyVersions.useToDecrypt``.
    """

    wrapped_key: WrappedKey
    """The wrapped key, a 128-, 192- or 256-bit one."""
    crypto_key: Annotated[str, AfterValidator(_kms_name)]
    """The KMS key that unwraps it: ``projects/*/locations/*/keyRings/*/cryptoKeys/*``."""


class Keyed(OneOf):
    """A transformation that depends on a key; without one, every operation makes a key of its own and forgets it."""

    one_of: ClassVar[tuple[str, ...]] = ("crypto_key", "kms_wrapped")

    crypto_key: CryptoKey | None = None
    """AES key of 16, 24 or 32 bytes, as bytes or base64. Excludes `kms_wrapped`."""
    kms_wrapped: KmsWrappedCryptoKey | None = None
    """The key, wrapped by Cloud KMS. Excludes `crypto_key`."""
