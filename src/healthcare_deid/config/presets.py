"""Ready configs, the two use cases of Google's medical image tutorial among them; and a key generator."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from healthcare_deid.config.builder import ConfigBuilder
from healthcare_deid.config.keys import CryptoKey

if TYPE_CHECKING:
    from healthcare_deid.config.deidentify import DeidentifyConfig

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

_KEY_BITS = (128, 192, 256)


def generate_crypto_key(bits: int = 256) -> CryptoKey:
    """Return a new random AES key from the operating system's source. Store it: results agree only under one key.

    Raises:
        ValueError: `bits` is not 128, 192 or 256.
    """
    if bits not in _KEY_BITS:
        raise ValueError(f"a key has 128, 192 or 256 bits, not {bits}")
    return CryptoKey(secrets.token_bytes(bits // 8))


def remove_metadata_and_all_text() -> DeidentifyConfig:
    """Keep only the tags that valid DICOM needs and cover all burned-in text: the tutorial's use case I, by profile.

    UIDs and the attributes that describe the pixels stay, the UIDs regenerated.
    """
    return ConfigBuilder().filter_profile("MINIMAL_KEEP_LIST_PROFILE").redact_image_text("all").build()


def keep_tags_and_redact_all_text() -> DeidentifyConfig:
    """Keep the fifteen tags of the tutorial's use case I and cover all burned-in text.

    The service adds the tags that valid DICOM needs, so the result is that of `remove_metadata_and_all_text`.
    """
    return ConfigBuilder().keep_tags(*TUTORIAL_KEEP_TAGS).redact_image_text("all").build()


def transform_contents_and_sensitive_text(*, crypto_key: bytes | str | None = None) -> DeidentifyConfig:
    """Keep every tag, transform sensitive text in it, cover sensitive burned-in text: the tutorial's use case II.

    Person names are erased, phone numbers masked with ``*``, dates and dates of birth shifted. No tag is removed.

    Args:
        crypto_key: AES key for the date shift, bytes or base64 (`generate_crypto_key`). Without one every operation
            shifts by other days.
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
    """Remove by DICOM PS3.15's Basic Application Level Confidentiality Profile, and cover all burned-in text."""
    return ConfigBuilder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").redact_image_text("all").build()
