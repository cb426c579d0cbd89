"""Predefined configs, including the tutorial's two use cases (see `healthcare_deid.config.presets`)."""

from healthcare_deid.config.presets import (
    TUTORIAL_KEEP_TAGS,
    basic_confidentiality_profile,
    generate_crypto_key,
    keep_tags_and_redact_all_text,
    remove_metadata_and_all_text,
    transform_contents_and_sensitive_text,
)

__all__ = [
    "TUTORIAL_KEEP_TAGS",
    "basic_confidentiality_profile",
    "generate_crypto_key",
    "keep_tags_and_redact_all_text",
    "remove_metadata_and_all_text",
    "transform_contents_and_sensitive_text",
]
