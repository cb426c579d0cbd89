"""Messages of API version v1beta1, one family per module.

Identical messages are v1's classes.
"""

from __future__ import annotations

from healthcare_deid.config.base.keys import CryptoKey
from healthcare_deid.config.v1.dicom import DicomConfig, TagFilterList, TagFilterProfile
from healthcare_deid.config.v1.fhir import FhirConfig, FieldAction, FieldMetadata
from healthcare_deid.config.v1.image import CustomRegex
from healthcare_deid.config.v1.keys import KmsWrappedCryptoKey
from healthcare_deid.config.v1.requests import (
    CancelOperationRequest,
    DicomFilterConfig,
    FhirFilter,
    ImportDicomDataRequest,
    Resources,
)
from healthcare_deid.config.v1.text import (
    CharacterMaskConfig,
    CryptoHashConfig,
    DateShiftConfig,
    InfoTypeTransformation,
    RedactConfig,
    ReplaceWithInfoTypeConfig,
)
from healthcare_deid.config.v1beta1.builder import ConfigBuilder
from healthcare_deid.config.v1beta1.deidentify import (
    DeidentifyConfig,
    DeidentifyOperationMetadata,
    FhirOutput,
)
from healthcare_deid.config.v1beta1.dicom import (
    Action,
    CleanDescriptorsOption,
    CleanTextTag,
    DeleteTag,
    DicomTagConfig,
    KeepTag,
    Options,
    PrimaryIdsOption,
    RecurseTag,
    RegenUidTag,
    RemoveTag,
    ResetTag,
    TagProfileType,
)
from healthcare_deid.config.v1beta1.fhir import (
    CharacterMaskField,
    CleanTextField,
    ContextualDeidConfig,
    CryptoHashField,
    DateShiftField,
    FhirFieldConfig,
    FhirFieldMetadata,
    FhirOptions,
    FhirProfileType,
    KeepExtensionsConfig,
    KeepField,
    RemoveField,
)
from healthcare_deid.config.v1beta1.image import ImageConfig, TextRedactionMode
from healthcare_deid.config.v1beta1.requests import (
    DeidentifyDatasetRequest,
    DeidentifyDicomStoreRequest,
    DeidentifyFhirStoreRequest,
    ExportDicomDataRequest,
)
from healthcare_deid.config.v1beta1.resources import (
    DicomBigQueryDestination,
    DicomStore,
    DicomStreamConfig,
    ListDicomStoresResponse,
)
from healthcare_deid.config.v1beta1.text import TextConfig, TextProfileType

__all__ = [
    "Action",
    "CancelOperationRequest",
    "CharacterMaskConfig",
    "CharacterMaskField",
    "CleanDescriptorsOption",
    "CleanTextField",
    "CleanTextTag",
    "ConfigBuilder",
    "ContextualDeidConfig",
    "CryptoHashConfig",
    "CryptoHashField",
    "CryptoKey",
    "CustomRegex",
    "DateShiftConfig",
    "DateShiftField",
    "DeidentifyConfig",
    "DeidentifyDatasetRequest",
    "DeidentifyDicomStoreRequest",
    "DeidentifyFhirStoreRequest",
    "DeidentifyOperationMetadata",
    "DeleteTag",
    "DicomBigQueryDestination",
    "DicomConfig",
    "DicomFilterConfig",
    "DicomStore",
    "DicomStreamConfig",
    "DicomTagConfig",
    "ExportDicomDataRequest",
    "FhirConfig",
    "FhirFieldConfig",
    "FhirFieldMetadata",
    "FhirFilter",
    "FhirOptions",
    "FhirOutput",
    "FhirProfileType",
    "FieldAction",
    "FieldMetadata",
    "ImageConfig",
    "ImportDicomDataRequest",
    "InfoTypeTransformation",
    "KeepExtensionsConfig",
    "KeepField",
    "KeepTag",
    "KmsWrappedCryptoKey",
    "ListDicomStoresResponse",
    "Options",
    "PrimaryIdsOption",
    "RecurseTag",
    "RedactConfig",
    "RegenUidTag",
    "RemoveField",
    "RemoveTag",
    "ReplaceWithInfoTypeConfig",
    "ResetTag",
    "Resources",
    "TagFilterList",
    "TagFilterProfile",
    "TagProfileType",
    "TextConfig",
    "TextProfileType",
    "TextRedactionMode",
]
