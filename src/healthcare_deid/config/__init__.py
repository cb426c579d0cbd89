"""Messages of the API as frozen, validated values, without I/O.

Names load on first use, so that a program pays only for the messages it handles.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from healthcare_deid.config.base.config import RootConfig
    from healthcare_deid.config.base.field_types import ApiVersion
    from healthcare_deid.config.base.keys import CryptoKey, WrappedKey
    from healthcare_deid.config.base.message import Message, ReplyMessage
    from healthcare_deid.config.checks.catalog import CHECKS, Check
    from healthcare_deid.config.checks.findings import Finding, Severity
    from healthcare_deid.config.convert import (
        DeidentifyCall,
        from_ctp_script,
        from_curl,
        from_deid_recipe,
        from_gcloud,
    )
    from healthcare_deid.config.dialects.json_schema import SCHEMA_FILES, published_schema
    from healthcare_deid.config.dialects.recipe import RecipeConversion, RecipeLine
    from healthcare_deid.config.dialects.v1_to_v1beta1 import Conversion, SemanticDifference
    from healthcare_deid.config.diff import Difference
    from healthcare_deid.config.infotypes import DATE_INFO_TYPES, DEFAULT_DICOM_INFO_TYPES, InfoType
    from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS, PRIMARY_UIDS
    from healthcare_deid.config.v1.builder import ConfigBuilder
    from healthcare_deid.config.v1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1.dicom import DicomConfig, TagFilterList, TagFilterProfile
    from healthcare_deid.config.v1.fhir import FhirConfig, FieldAction, FieldMetadata
    from healthcare_deid.config.v1.image import CustomRegex, ImageConfig, TextRedactionMode
    from healthcare_deid.config.v1.keys import KmsWrappedCryptoKey
    from healthcare_deid.config.v1.operations import DeidentifySummary, OperationMetadata, ProgressCounter
    from healthcare_deid.config.v1.requests import (
        DeidentifyDatasetRequest,
        DeidentifyDicomStoreRequest,
        DeidentifyFhirStoreRequest,
        DicomFilterConfig,
        ExportDicomDataRequest,
        FhirFilter,
        ImportDicomDataRequest,
        Resources,
    )
    from healthcare_deid.config.v1.resources import Dataset, DicomStore, DicomStoreMetrics
    from healthcare_deid.config.v1.text import (
        CharacterMaskConfig,
        CryptoHashConfig,
        DateShiftConfig,
        InfoTypeTransformation,
        RedactConfig,
        ReplaceWithInfoTypeConfig,
        TextConfig,
    )
    from healthcare_deid.config.versions import AnyDeidentifyConfig, AnyRequest, read_config

# Module of each public name.
_MODULES = {
    "AnyDeidentifyConfig": "versions",
    "AnyRequest": "versions",
    "ApiVersion": "base.field_types",
    "CHECKS": "checks.catalog",
    "CharacterMaskConfig": "v1.text",
    "Check": "checks.catalog",
    "ConfigBuilder": "v1.builder",
    "Conversion": "dialects.v1_to_v1beta1",
    "CryptoHashConfig": "v1.text",
    "CryptoKey": "base.keys",
    "CustomRegex": "v1.image",
    "DATE_INFO_TYPES": "infotypes",
    "DEFAULT_DICOM_INFO_TYPES": "infotypes",
    "Dataset": "v1.resources",
    "DateShiftConfig": "v1.text",
    "DeidentifyCall": "convert",
    "DeidentifyConfig": "v1.deidentify",
    "DeidentifyDatasetRequest": "v1.requests",
    "DeidentifyDicomStoreRequest": "v1.requests",
    "DeidentifyFhirStoreRequest": "v1.requests",
    "DeidentifySummary": "v1.operations",
    "DicomConfig": "v1.dicom",
    "DicomFilterConfig": "v1.requests",
    "DicomStore": "v1.resources",
    "DicomStoreMetrics": "v1.resources",
    "Difference": "diff",
    "ExportDicomDataRequest": "v1.requests",
    "FhirConfig": "v1.fhir",
    "FhirFilter": "v1.requests",
    "FieldAction": "v1.fhir",
    "FieldMetadata": "v1.fhir",
    "Finding": "checks.findings",
    "ImageConfig": "v1.image",
    "ImportDicomDataRequest": "v1.requests",
    "InfoType": "infotypes",
    "InfoTypeTransformation": "v1.text",
    "KmsWrappedCryptoKey": "v1.keys",
    "MINIMAL_KEEP_TAGS": "tags",
    "Message": "base.message",
    "OperationMetadata": "v1.operations",
    "PRIMARY_UIDS": "tags",
    "ProgressCounter": "v1.operations",
    "RecipeConversion": "dialects.recipe",
    "RecipeLine": "dialects.recipe",
    "RedactConfig": "v1.text",
    "ReplaceWithInfoTypeConfig": "v1.text",
    "ReplyMessage": "base.message",
    "Resources": "v1.requests",
    "RootConfig": "base.config",
    "SCHEMA_FILES": "dialects.json_schema",
    "SemanticDifference": "dialects.v1_to_v1beta1",
    "Severity": "checks.findings",
    "TagFilterList": "v1.dicom",
    "TagFilterProfile": "v1.dicom",
    "TextConfig": "v1.text",
    "TextRedactionMode": "v1.image",
    "WrappedKey": "base.keys",
    "from_ctp_script": "convert",
    "from_curl": "convert",
    "from_deid_recipe": "convert",
    "from_gcloud": "convert",
    "published_schema": "dialects.json_schema",
    "read_config": "versions",
}

__all__ = [
    "CHECKS",
    "DATE_INFO_TYPES",
    "DEFAULT_DICOM_INFO_TYPES",
    "MINIMAL_KEEP_TAGS",
    "PRIMARY_UIDS",
    "SCHEMA_FILES",
    "AnyDeidentifyConfig",
    "AnyRequest",
    "ApiVersion",
    "CharacterMaskConfig",
    "Check",
    "ConfigBuilder",
    "Conversion",
    "CryptoHashConfig",
    "CryptoKey",
    "CustomRegex",
    "Dataset",
    "DateShiftConfig",
    "DeidentifyCall",
    "DeidentifyConfig",
    "DeidentifyDatasetRequest",
    "DeidentifyDicomStoreRequest",
    "DeidentifyFhirStoreRequest",
    "DeidentifySummary",
    "DicomConfig",
    "DicomFilterConfig",
    "DicomStore",
    "DicomStoreMetrics",
    "Difference",
    "ExportDicomDataRequest",
    "FhirConfig",
    "FhirFilter",
    "FieldAction",
    "FieldMetadata",
    "Finding",
    "ImageConfig",
    "ImportDicomDataRequest",
    "InfoType",
    "InfoTypeTransformation",
    "KmsWrappedCryptoKey",
    "Message",
    "OperationMetadata",
    "ProgressCounter",
    "RecipeConversion",
    "RecipeLine",
    "RedactConfig",
    "ReplaceWithInfoTypeConfig",
    "ReplyMessage",
    "Resources",
    "RootConfig",
    "SemanticDifference",
    "Severity",
    "TagFilterList",
    "TagFilterProfile",
    "TextConfig",
    "TextRedactionMode",
    "WrappedKey",
    "from_ctp_script",
    "from_curl",
    "from_deid_recipe",
    "from_gcloud",
    "published_schema",
    "read_config",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
