"""De-identify DICOM and FHIR with Google's Cloud Healthcare API or on this machine.

Names are imported on first use. ``import healthcare_deid`` alone imports neither pydantic nor Google's packages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid._version import __version__

if TYPE_CHECKING:
    from healthcare_deid import credentials, errors, presets, v1beta1
    from healthcare_deid.client.aio import AsyncDeidClient
    from healthcare_deid.client.calls.estimate import PriceTable, Tier
    from healthcare_deid.client.operation.async_operation import AsyncOperation
    from healthcare_deid.client.operation.notebook import ProgressLine
    from healthcare_deid.client.operation.operation import Operation
    from healthcare_deid.client.operation.wait import as_completed, wait
    from healthcare_deid.client.protocol.operation_state import OperationSnapshot, OperationState
    from healthcare_deid.client.protocol.retry import PollPolicy, RetryPolicy
    from healthcare_deid.client.sync import DeidClient
    from healthcare_deid.client.transfers.report import TransferFailure, TransferReport
    from healthcare_deid.config.checks.findings import Finding, Severity
    from healthcare_deid.config.v1.builder import ConfigBuilder
    from healthcare_deid.config.v1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1.dicom import DicomConfig, TagFilterList, TagFilterProfile
    from healthcare_deid.config.v1.fhir import FhirConfig, FieldMetadata
    from healthcare_deid.config.v1.image import CustomRegex, ImageConfig, TextRedactionMode
    from healthcare_deid.config.v1.keys import KmsWrappedCryptoKey
    from healthcare_deid.config.v1.operations import DeidentifySummary, ProgressCounter
    from healthcare_deid.config.v1.requests import DicomFilterConfig, FhirFilter
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
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, OperationName

__all__ = [
    "AsyncDeidClient",
    "AsyncOperation",
    "CharacterMaskConfig",
    "ConfigBuilder",
    "CryptoHashConfig",
    "CustomRegex",
    "Dataset",
    "DatasetName",
    "DateShiftConfig",
    "DeidClient",
    "DeidentifyConfig",
    "DeidentifySummary",
    "DicomConfig",
    "DicomFilterConfig",
    "DicomStore",
    "DicomStoreMetrics",
    "DicomStoreName",
    "FhirConfig",
    "FhirFilter",
    "FhirStoreName",
    "FieldMetadata",
    "Finding",
    "ImageConfig",
    "InfoTypeTransformation",
    "KmsWrappedCryptoKey",
    "Operation",
    "OperationName",
    "OperationSnapshot",
    "OperationState",
    "PollPolicy",
    "PriceTable",
    "ProgressCounter",
    "ProgressLine",
    "RedactConfig",
    "ReplaceWithInfoTypeConfig",
    "RetryPolicy",
    "Severity",
    "TagFilterList",
    "TagFilterProfile",
    "TextConfig",
    "TextRedactionMode",
    "Tier",
    "TransferFailure",
    "TransferReport",
    "__version__",
    "as_completed",
    "credentials",
    "errors",
    "presets",
    "v1beta1",
    "wait",
]

# Module of each lazily imported name.
_MODULES = {
    "AsyncDeidClient": "client.aio",
    "AsyncOperation": "client.operation.async_operation",
    "CharacterMaskConfig": "config.v1.text",
    "ConfigBuilder": "config.v1.builder",
    "CryptoHashConfig": "config.v1.text",
    "CustomRegex": "config.v1.image",
    "Dataset": "config.v1.resources",
    "DatasetName": "names",
    "DateShiftConfig": "config.v1.text",
    "DeidClient": "client.sync",
    "DeidentifyConfig": "config.v1.deidentify",
    "DeidentifySummary": "config.v1.operations",
    "DicomConfig": "config.v1.dicom",
    "DicomFilterConfig": "config.v1.requests",
    "DicomStore": "config.v1.resources",
    "DicomStoreMetrics": "config.v1.resources",
    "DicomStoreName": "names",
    "FhirConfig": "config.v1.fhir",
    "FhirFilter": "config.v1.requests",
    "FhirStoreName": "names",
    "FieldMetadata": "config.v1.fhir",
    "Finding": "config.checks.findings",
    "ImageConfig": "config.v1.image",
    "InfoTypeTransformation": "config.v1.text",
    "KmsWrappedCryptoKey": "config.v1.keys",
    "Operation": "client.operation.operation",
    "OperationName": "names",
    "OperationSnapshot": "client.protocol.operation_state",
    "OperationState": "client.protocol.operation_state",
    "PollPolicy": "client.protocol.retry",
    "PriceTable": "client.calls.estimate",
    "ProgressCounter": "config.v1.operations",
    "ProgressLine": "client.operation.notebook",
    "RedactConfig": "config.v1.text",
    "ReplaceWithInfoTypeConfig": "config.v1.text",
    "RetryPolicy": "client.protocol.retry",
    "Severity": "config.checks.findings",
    "TagFilterList": "config.v1.dicom",
    "TagFilterProfile": "config.v1.dicom",
    "TextConfig": "config.v1.text",
    "TextRedactionMode": "config.v1.image",
    "Tier": "client.calls.estimate",
    "TransferFailure": "client.transfers.report",
    "TransferReport": "client.transfers.report",
    "as_completed": "client.operation.wait",
    "wait": "client.operation.wait",
}

_SUBMODULES = frozenset({"credentials", "errors", "presets", "v1beta1"})


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    # Cached, so that the next access does not come here.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
