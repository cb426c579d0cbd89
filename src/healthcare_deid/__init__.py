"""De-identify DICOM and FHIR: Google's Cloud Healthcare API from Python, and the same config on this machine.

Names load when they are first used: ``import healthcare_deid`` alone imports neither pydantic nor Google's packages.
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
    from healthcare_deid.client.transfers.transfer import TransferFailure, TransferReport
    from healthcare_deid.config.builder import ConfigBuilder
    from healthcare_deid.config.deidentify import DeidentifyConfig
    from healthcare_deid.config.dicom import DicomConfig, TagFilterList, TagFilterProfile
    from healthcare_deid.config.fhir import FhirConfig, FieldMetadata
    from healthcare_deid.config.findings import Finding, Severity
    from healthcare_deid.config.image import CustomRegex, ImageConfig, TextRedactionMode
    from healthcare_deid.config.operations import DeidentifySummary, ProgressCounter
    from healthcare_deid.config.requests import DicomFilterConfig, FhirFilter
    from healthcare_deid.config.resources import Dataset, DicomStore, DicomStoreMetrics
    from healthcare_deid.config.text import (
        CharacterMaskConfig,
        CryptoHashConfig,
        DateShiftConfig,
        InfoTypeTransformation,
        KmsWrappedCryptoKey,
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

_MODULES = {
    "AsyncDeidClient": "client.aio",
    "AsyncOperation": "client.operation.async_operation",
    "CharacterMaskConfig": "config.text",
    "ConfigBuilder": "config.builder",
    "CryptoHashConfig": "config.text",
    "CustomRegex": "config.image",
    "Dataset": "config.resources",
    "DatasetName": "names",
    "DateShiftConfig": "config.text",
    "DeidClient": "client.sync",
    "DeidentifyConfig": "config.deidentify",
    "DeidentifySummary": "config.operations",
    "DicomConfig": "config.dicom",
    "DicomFilterConfig": "config.requests",
    "DicomStore": "config.resources",
    "DicomStoreMetrics": "config.resources",
    "DicomStoreName": "names",
    "FhirConfig": "config.fhir",
    "FhirFilter": "config.requests",
    "FhirStoreName": "names",
    "FieldMetadata": "config.fhir",
    "Finding": "config.findings",
    "ImageConfig": "config.image",
    "InfoTypeTransformation": "config.text",
    "KmsWrappedCryptoKey": "config.text",
    "Operation": "client.operation.operation",
    "OperationName": "names",
    "OperationSnapshot": "client.protocol.operation_state",
    "OperationState": "client.protocol.operation_state",
    "PollPolicy": "client.protocol.retry",
    "PriceTable": "client.calls.estimate",
    "ProgressCounter": "config.operations",
    "ProgressLine": "client.operation.notebook",
    "RedactConfig": "config.text",
    "ReplaceWithInfoTypeConfig": "config.text",
    "RetryPolicy": "client.protocol.retry",
    "Severity": "config.findings",
    "TagFilterList": "config.dicom",
    "TagFilterProfile": "config.dicom",
    "TextConfig": "config.text",
    "TextRedactionMode": "config.image",
    "Tier": "client.calls.estimate",
    "TransferFailure": "client.transfers.transfer",
    "TransferReport": "client.transfers.transfer",
    "as_completed": "client.operation.wait",
    "wait": "client.operation.wait",
}
"""Which module each lazily loaded name lives in."""

_SUBMODULES = frozenset({"credentials", "errors", "presets", "v1beta1"})


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562)."""
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
