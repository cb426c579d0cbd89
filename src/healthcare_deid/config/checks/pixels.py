"""Checks of how pixels are treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.checks.reading import SENSITIVE, images
from healthcare_deid.config.checks.rules import RULES
from healthcare_deid.config.deidentify import DeidentifyConfig as ConfigV1
from healthcare_deid.config.patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config.deidentify import AnyDeidentifyConfig
    from healthcare_deid.config.findings import Finding
    from healthcare_deid.config.image import CustomRegex, ImageConfig
    from healthcare_deid.config.v1beta1 import ImageConfig as BetaImageConfig

_MAX_GROUPS = 3
_NO_TEXT = frozenset({None, "REDACT_NO_TEXT", "TEXT_REDACTION_MODE_UNSPECIFIED"})


def check_pixels(config: AnyDeidentifyConfig) -> Iterator[Finding]:
    """Yield what is wrong with how pixels are treated."""
    found = list(images(config))
    has_dicom = config.dicom is not None or (not isinstance(config, ConfigV1) and config.dicom_tag_config is not None)
    if has_dicom and all(image.text_redaction_mode in _NO_TEXT for _, image in found):
        yield RULES["pixels-untouched"].at(found[0][0] if found else "image")
    for path, image in found:
        yield from _image(path, image)


def _image(path: str, image: ImageConfig | BetaImageConfig) -> Iterator[Finding]:
    mode = image.text_redaction_mode
    if mode == "REDACT_ALL_TEXT":
        yield RULES["all-text-laterality"].at(f"{path}.textRedactionMode")
    if mode == "TEXT_REDACTION_MODE_UNSPECIFIED":
        yield RULES["unspecified-value"].at(f"{path}.textRedactionMode", "It means REDACT_NO_TEXT.")
    if image.custom_regexes and mode not in SENSITIVE:
        yield RULES["regex-unused"].at(f"{path}.customRegexes")
    for index, regex in enumerate(image.custom_regexes):
        yield from _regex(f"{path}.customRegexes[{index}]", regex)
    added, excluded = getattr(image, "additional_info_types", ()), getattr(image, "exclude_info_types", ())
    if added and mode not in SENSITIVE | {None, "TEXT_REDACTION_MODE_UNSPECIFIED"}:
        yield RULES["image-info-types"].at(f"{path}.additionalInfoTypes")
    if excluded and mode not in SENSITIVE:
        yield RULES["image-info-types"].at(f"{path}.excludeInfoTypes")


def _regex(path: str, regex: CustomRegex) -> Iterator[Finding]:
    pattern = regex.pattern or ""
    if not pattern:
        yield RULES["regex-invalid"].at(f"{path}.pattern", "The pattern is empty.")
        return
    try:
        groups = compile_pattern(pattern).groups
    except ValueError as error:
        yield RULES["regex-invalid"].at(f"{path}.pattern", f"{error}.")
        return
    if len(regex.group_indexes) > _MAX_GROUPS or any(not 0 <= index <= groups for index in regex.group_indexes):
        yield RULES["regex-groups"].at(f"{path}.groupIndexes", f"The pattern has {groups} groups; three count at most.")
