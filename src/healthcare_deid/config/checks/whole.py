"""`check`: all findings of a config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.checks.catalog import CHECKS
from healthcare_deid.config.checks.fhir import check_fhir
from healthcare_deid.config.checks.pixels import check_pixels
from healthcare_deid.config.checks.tags import check_tags
from healthcare_deid.config.checks.text import check_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config.checks.findings import Finding
    from healthcare_deid.config.parts import ConfigParts
    from healthcare_deid.config.v1beta1.dicom import DicomTagConfig


def check(config: ConfigParts) -> tuple[Finding, ...]:
    """Return all findings, the worst first."""
    found = [*_roots(config), *check_tags(config), *check_text(config), *check_pixels(config), *check_fhir(config)]
    return tuple(sorted(found, key=lambda finding: finding.severity.rank))


def _roots(config: ConfigParts) -> Iterator[Finding]:
    # v1beta1 still accepts v1's fields, which it has deprecated.
    if config.api_version == "v1beta1":
        pairs = (
            ("dicom", config.dicom, "dicomTagConfig", config.tag_config),
            ("fhir", config.fhir, "fhirFieldConfig", config.fhir_field_config),
            ("image", config.image, "dicomTagConfig.options.cleanImage", _clean_image(config.tag_config)),
        )
        for old, old_value, new, new_value in pairs:
            if old_value is not None:
                yield CHECKS["deprecated-field"].at(old, f"v1beta1 has deprecated {old} in favor of {new}.")
            if old_value is not None and new_value is not None:
                yield CHECKS["both-trees"].at(
                    old, f"{old} and {new} are both set; which one applies is not documented."
                )
    if not config.has_dicom and not config.has_fhir:
        yield CHECKS["config-empty"].at("")
    elif not config.has_dicom:
        yield CHECKS["dicom-skipped"].at("dicom")


def _clean_image(tags: DicomTagConfig | None) -> object:
    return tags.options.clean_image if tags is not None and tags.options is not None else None
