"""Checks of how FHIR resources are treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.checks.rules import RULES
from healthcare_deid.config.deidentify import DeidentifyConfig as ConfigV1

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config.deidentify import AnyDeidentifyConfig
    from healthcare_deid.config.fhir import FhirConfig
    from healthcare_deid.config.findings import Finding
    from healthcare_deid.config.v1beta1 import FhirFieldConfig


def check_fhir(config: AnyDeidentifyConfig) -> Iterator[Finding]:
    """Yield what is wrong with how FHIR resources are treated."""
    if config.fhir is not None:
        yield from _by_path(config.fhir)
    if not isinstance(config, ConfigV1) and config.fhir_field_config is not None:
        yield from _by_field(config.fhir_field_config)


def _by_path(fhir: FhirConfig) -> Iterator[Finding]:
    if not fhir.field_metadata_list:
        yield RULES["fhir-empty"].at("fhir")
    else:
        yield RULES["fhir-open"].at("fhir.fieldMetadataList")
    if fhir.default_keep_extensions:
        yield RULES["fhir-extensions"].at("fhir.defaultKeepExtensions")
    for index, field in enumerate(fhir.field_metadata_list):
        path = f"fhir.fieldMetadataList[{index}]"
        if field.action is None or field.action.endswith("_UNSPECIFIED"):
            yield RULES["fhir-action-unset"].at(f"{path}.action")
        if not field.paths:
            yield RULES["action-nowhere"].at(f"{path}.paths")


def _by_field(fhir: FhirFieldConfig) -> Iterator[Finding]:
    path = "fhirFieldConfig"
    profile = fhir.profile_type
    if profile is None:
        yield RULES["default-differs"].at(
            f"{path}.profileType", "No profile: v1beta1 uses BASIC, v1's fhir passes what no path matches unmodified."
        )
    elif profile.endswith("_UNSPECIFIED"):
        yield RULES["unspecified-value"].at(f"{path}.profileType", "It means BASIC.")
    if profile == "KEEP_ALL":
        yield RULES["fhir-open"].at(f"{path}.profileType")
    if fhir.options is not None and fhir.options.keep_extensions is not None:
        yield RULES["fhir-extensions"].at(f"{path}.options.keepExtensions")
    for index, field in enumerate(fhir.field_metadata_list):
        at = f"{path}.fieldMetadataList[{index}]"
        if field.chosen is None:
            yield RULES["action-empty"].at(at)
        if not field.paths:
            yield RULES["action-nowhere"].at(f"{at}.paths")
