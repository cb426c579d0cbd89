"""Messages that carry a key."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from healthcare_deid.config.base.keys import CryptoKey, WrappedKey
from healthcare_deid.config.base.message import Message, OneOf

# Name of a key, without a version.
_KMS_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")


def _kms_name(value: str) -> str:
    if not _KMS_NAME.fullmatch(value):
        raise ValueError("a KMS key has the form projects/*/locations/*/keyRings/*/cryptoKeys/*")
    return value


class KmsWrappedCryptoKey(Message):
    """A key wrapped by Cloud KMS. Source: v1 ``KmsWrappedCryptoKey``.

    The service's own account unwraps it and needs ``cloudkms.cryptoKeyVersions.useToDecrypt``.
    """

    wrapped_key: WrappedKey
    """The wrapped key, of 128, 192 or 256 bits."""
    crypto_key: Annotated[str, AfterValidator(_kms_name)]
    """The KMS key that unwraps it: ``projects/*/locations/*/keyRings/*/cryptoKeys/*``."""


class Keyed(OneOf):
    """A transformation that depends on a key.

    Without a key, every operation generates a new one.
    """

    one_of: ClassVar[tuple[str, ...]] = ("crypto_key", "kms_wrapped")

    crypto_key: CryptoKey | None = None
    """AES key of 16, 24 or 32 bytes, as bytes or base64. Excludes `kms_wrapped`."""
    kms_wrapped: KmsWrappedCryptoKey | None = None
    """The key, wrapped by Cloud KMS. Excludes `crypto_key`."""
