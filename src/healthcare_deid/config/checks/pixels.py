"""Checks of pixel redaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.checks.catalog import CHECKS
from healthcare_deid.config.parts import SENSITIVE
from healthcare_deid.config.patterns import group_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config.checks.findings import Finding
    from healthcare_deid.config.parts import ConfigParts, ConfiguredImage
    from healthcare_deid.config.v1.image import CustomRegex

# The API accepts at most three group indexes.
_MAX_GROUPS = 3
_NO_TEXT = frozenset({None, "REDACT_NO_TEXT", "TEXT_REDACTION_MODE_UNSPECIFIED"})


def check_pixels(config: ConfigParts) -> Iterator[Finding]:
    """Yield findings about pixel redaction."""
    found = list(config.images())
    if config.has_dicom and all(image.value.text_redaction_mode in _NO_TEXT for image in found):
        yield CHECKS["pixels-untouched"].at(found[0].path if found else "image")
    for image in found:
        yield from _image(image)


def _image(found: ConfiguredImage) -> Iterator[Finding]:
    path, image, added, excluded = found
    mode = image.text_redaction_mode
    if mode == "REDACT_ALL_TEXT":
        yield CHECKS["all-text-laterality"].at(f"{path}.textRedactionMode")
    if mode == "TEXT_REDACTION_MODE_UNSPECIFIED":
        yield CHECKS["unspecified-value"].at(f"{path}.textRedactionMode", "It means REDACT_NO_TEXT.")
    if image.custom_regexes and mode not in SENSITIVE:
        yield CHECKS["regex-unused"].at(f"{path}.customRegexes")
    for index, regex in enumerate(image.custom_regexes):
        yield from _regex(f"{path}.customRegexes[{index}]", regex)
    if added and mode not in SENSITIVE | {None, "TEXT_REDACTION_MODE_UNSPECIFIED"}:
        yield CHECKS["image-info-types"].at(f"{path}.additionalInfoTypes")
    if excluded and mode not in SENSITIVE:
        yield CHECKS["image-info-types"].at(f"{path}.excludeInfoTypes")


def _regex(path: str, regex: CustomRegex) -> Iterator[Finding]:
    pattern = regex.pattern or ""
    if not pattern:
        yield CHECKS["regex-invalid"].at(f"{path}.pattern", "The pattern is empty.")
        return
    try:
        groups = group_count(pattern)
    except ValueError as error:
        yield CHECKS["regex-invalid"].at(f"{path}.pattern", f"{error}.")
        return
    if len(regex.group_indexes) > _MAX_GROUPS or any(not 0 <= index <= groups for index in regex.group_indexes):
        yield CHECKS["regex-groups"].at(
            f"{path}.groupIndexes", f"The pattern has {groups} groups; groupIndexes takes at most three of them."
        )
