"""Predefined configs and a key generator.

Two configs are the use cases of Google's medical image tutorial.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from healthcare_deid.config.base.keys import CryptoKey
from healthcare_deid.config.v1.builder import ConfigBuilder

if TYPE_CHECKING:
    from healthcare_deid.config.v1.deidentify import DeidentifyConfig

__all__ = [
    "TUTORIAL_KEEP_TAGS",
    "basic_confidentiality_profile",
    "generate_crypto_key",
    "keep_tags_and_redact_all_text",
    "remove_metadata_and_all_text",
    "transform_contents_and_sensitive_text",
]

TUTORIAL_KEEP_TAGS: tuple[str, ...] = (
    "StudyInstanceUID",
    "SOPInstanceUID",
    "TransferSyntaxUID",
    "PixelData",
    "Columns",
    "NumberOfFrames",
    "PixelRepresentation",
    "MediaStorageSOPClassUID",
    "MediaStorageSOPInstanceUID",
    "Rows",
    "SamplesPerPixel",
    "BitsAllocated",
    "HighBit",
    "PhotometricInterpretation",
    "BitsStored",
)
"""The fifteen tags that the tutorial's first use case keeps."""

# AES-128, AES-192 and AES-256.
_KEY_BITS = (128, 192, 256)


def generate_crypto_key(bits: int = 256) -> CryptoKey:
    """Return a new random AES key.

    Store it: only results under the same key agree with each other.

    Raises:
        ValueError: `bits` is not 128, 192 or 256.
    """
    if bits not in _KEY_BITS:
        raise ValueError(f"a key has 128, 192 or 256 bits, not {bits}")
    return CryptoKey(secrets.token_bytes(bits // 8))


def remove_metadata_and_all_text() -> DeidentifyConfig:
    """Keep only required tags and cover all burned-in text.

    This is the tutorial's use case I in its profile form. UIDs are regenerated; attributes that describe the pixels
    stay.
    """
    return ConfigBuilder().filter_profile("MINIMAL_KEEP_LIST_PROFILE").redact_image_text("all").build()


def keep_tags_and_redact_all_text() -> DeidentifyConfig:
    """Keep the tutorial's fifteen tags and cover all burned-in text.

    This is the tutorial's use case I. The service adds the tags required in valid DICOM, so the result equals that of
    `remove_metadata_and_all_text`.
    """
    return ConfigBuilder().keep_tags(*TUTORIAL_KEEP_TAGS).redact_image_text("all").build()


def transform_contents_and_sensitive_text(*, crypto_key: bytes | str | None = None) -> DeidentifyConfig:
    """Transform sensitive text in tags and cover sensitive burned-in text.

    This is the tutorial's use case II. Person names are erased, phone numbers masked with ``*``, dates and dates of
    birth shifted. No tag is removed.

    Args:
        crypto_key: AES key for the date shift, as bytes or base64 (`generate_crypto_key`). Without a key, every
            operation shifts by a different number of days.
    """
    return (
        ConfigBuilder()
        .filter_profile("DEIDENTIFY_TAG_CONTENTS")
        .redact("PERSON_NAME")
        .mask("PHONE_NUMBER")
        .shift_dates("DATE", "DATE_OF_BIRTH", crypto_key=crypto_key)
        .redact_image_text("sensitive")
        .build()
    )


def basic_confidentiality_profile() -> DeidentifyConfig:
    """Apply the Basic Profile and cover all burned-in text.

    Source: DICOM PS3.15, Table E.1-1.
    """
    return ConfigBuilder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").redact_image_text("all").build()
