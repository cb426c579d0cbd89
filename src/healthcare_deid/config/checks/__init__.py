"""What is legal but wrong or surprising in a config, found before it costs anything. Every code is in `RULES`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from healthcare_deid.config.checks.fhir import check_fhir
from healthcare_deid.config.checks.pixels import check_pixels
from healthcare_deid.config.checks.rules import RULES, Rule
from healthcare_deid.config.checks.tags import check_tags
from healthcare_deid.config.checks.text import check_text
from healthcare_deid.config.deidentify import DeidentifyConfig
from healthcare_deid.config.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config import v1beta1
    from healthcare_deid.config.deidentify import AnyDeidentifyConfig
    from healthcare_deid.config.root import RootConfig

__all__ = ["RULES", "Finding", "Rule", "Severity", "check"]


def check(config: RootConfig) -> tuple[Finding, ...]:
    """Return the findings of a config of either version, the worst first, then in the order of the config."""
    root = cast("AnyDeidentifyConfig", config)
    found = [*_whole(root), *check_tags(root), *check_text(root), *check_pixels(root), *check_fhir(root)]
    return tuple(sorted(found, key=lambda finding: finding.severity.rank))


def _whole(config: AnyDeidentifyConfig) -> Iterator[Finding]:
    has_dicom, has_fhir = config.dicom is not None, config.fhir is not None
    if not isinstance(config, DeidentifyConfig):
        pairs = (
            ("dicom", config.dicom, "dicomTagConfig", config.dicom_tag_config),
            ("fhir", config.fhir, "fhirFieldConfig", config.fhir_field_config),
            ("image", config.image, "dicomTagConfig.options.cleanImage", _clean_image(config.dicom_tag_config)),
        )
        for old, old_value, new, new_value in pairs:
            if old_value is not None:
                yield RULES["deprecated-field"].at(old, f"v1beta1 has deprecated {old} for {new}.")
            if old_value is not None and new_value is not None:
                yield RULES["both-trees"].at(old, f"{old} and {new} are both set; which counts is not documented.")
        has_dicom = has_dicom or config.dicom_tag_config is not None
        has_fhir = has_fhir or config.fhir_field_config is not None
    if not has_dicom and not has_fhir:
        yield RULES["config-empty"].at("")
    elif not has_dicom:
        yield RULES["dicom-skipped"].at("dicom")


def _clean_image(tags: v1beta1.DicomTagConfig | None) -> object:
    return tags.options.clean_image if tags is not None and tags.options is not None else None
