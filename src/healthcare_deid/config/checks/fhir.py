"""Checks of FHIR rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.checks.catalog import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config.checks.findings import Finding
    from healthcare_deid.config.parts import ConfigParts
    from healthcare_deid.config.v1.fhir import FhirConfig
    from healthcare_deid.config.v1beta1.fhir import FhirFieldConfig


def check_fhir(config: ConfigParts) -> Iterator[Finding]:
    """Yield findings about FHIR rules."""
    if config.fhir is not None:
        yield from _by_path(config.fhir)
    if config.fhir_field_config is not None:
        yield from _by_field(config.fhir_field_config)


def _by_path(fhir: FhirConfig) -> Iterator[Finding]:
    if not fhir.field_metadata_list:
        yield CHECKS["fhir-empty"].at("fhir")
    else:
        yield CHECKS["fhir-open"].at("fhir.fieldMetadataList")
    if fhir.default_keep_extensions:
        yield CHECKS["fhir-extensions"].at("fhir.defaultKeepExtensions")
    for index, field in enumerate(fhir.field_metadata_list):
        path = f"fhir.fieldMetadataList[{index}]"
        if field.action is None or field.action.endswith("_UNSPECIFIED"):
            yield CHECKS["fhir-action-unset"].at(f"{path}.action")
        if not field.paths:
            yield CHECKS["action-nowhere"].at(f"{path}.paths")


def _by_field(fhir: FhirFieldConfig) -> Iterator[Finding]:
    path = "fhirFieldConfig"
    profile = fhir.profile_type
    if profile is None:
        yield CHECKS["default-differs"].at(
            f"{path}.profileType",
            "No profile: v1beta1 uses BASIC; v1's fhir leaves fields that no path matches unmodified.",
        )
    elif profile.endswith("_UNSPECIFIED"):
        yield CHECKS["unspecified-value"].at(f"{path}.profileType", "It means BASIC.")
    if profile == "KEEP_ALL":
        yield CHECKS["fhir-open"].at(f"{path}.profileType")
    if fhir.options is not None and fhir.options.keep_extensions is not None:
        yield CHECKS["fhir-extensions"].at(f"{path}.options.keepExtensions")
    for index, field in enumerate(fhir.field_metadata_list):
        at = f"{path}.fieldMetadataList[{index}]"
        if field.chosen is None:
            yield CHECKS["action-empty"].at(at)
        if not field.paths:
            yield CHECKS["action-nowhere"].at(f"{at}.paths")
