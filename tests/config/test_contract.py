"""Messages against Google's discovery document: every field, type, enum value, default and deprecation."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, get_args, get_origin

import pytest

from healthcare_deid.config import v1beta1
from healthcare_deid.config.base.keys import SecretBytes
from healthcare_deid.config.base.message import Message
from healthcare_deid.config.base.wire_names import type_in, wire_name
from healthcare_deid.config.dialects.json_schema import attribute_documents
from healthcare_deid.config.v1 import deidentify, dicom, fhir, image, keys, operations, requests, resources, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOTS = (
    "DeidentifyDatasetRequest",
    "DeidentifyDicomStoreRequest",
    "DeidentifyFhirStoreRequest",
    "Operation",
    "OperationMetadata",
    "Dataset",
    "DicomStore",
    "DicomStoreMetrics",
    "ImportDicomDataRequest",
    "ExportDicomDataRequest",
    "ListOperationsResponse",
    "ListDatasetsResponse",
    "ListDicomStoresResponse",
    "DeidentifySummary",
    "GoogleCloudHealthcare{V}DeidentifyDeidentifyDicomStoreSummary",
    "GoogleCloudHealthcare{V}DeidentifyDeidentifyFhirStoreSummary",
    "CancelOperationRequest",
    "Empty",
)
"""What a user of this package sends and receives; everything else is reached from here."""

RENAMED = {
    "SchemaJSON": "SchemaJson",
    "GoogleCloudHealthcareV1beta1DeidentifyFieldMetadata": "FhirFieldMetadata",
    "GoogleCloudHealthcareV1beta1DeidentifyOptions": "FhirOptions",
    "GoogleCloudHealthcareV1beta1DicomChangeDataCaptureConfig": "ChangeDataCaptureConfig",
}
"""Schemas whose class has another name, beside the prefix that Google gives some."""

MODULES: dict[str, tuple[ModuleType, ...]] = {
    "v1": (deidentify, requests, resources, operations, dicom, image, text, fhir, keys),
    "v1beta1": (v1beta1, requests, resources, operations, dicom, image, text, fhir, keys),
}

DEFAULTS: dict[str, tuple[str, str]] = {
    # schema.property[=value]: what Google writes, what our docstring writes
    "DeidentifyFhirStoreRequest.resourceFilter": ("If not specified, all resources", "unset means all"),
    "Dataset.encryptionSpec": ("If empty", "if there is one"),
    "Dataset.timeZone": ("defaults to UTC", "unset means UTC"),
    "DeidentifyConfig.useRegionalDataProcessing": ("The default value is false", "own region only"),
    "BlobStorageSettings.blobStorageClass=BLOB_STORAGE_CLASS_UNSPECIFIED": ("defaults to STANDARD", "`STANDARD`"),
    "DicomBigQueryDestination.writeDisposition=WRITE_DISPOSITION_UNSPECIFIED": (
        "same as WRITE_EMPTY",
        "same as `WRITE_EMPTY`",
    ),
    "DicomConfig.filterProfile=TAG_FILTER_PROFILE_UNSPECIFIED": (
        "Same as KEEP_ALL_PROFILE",
        "same as `KEEP_ALL_PROFILE`",
    ),
    "DicomConfig.skipIdRedaction": ("regenerates these UIDs by default", "Leave StudyInstanceUID"),
    "FhirConfig.defaultKeepExtensions": ("If false or unspecified, all extensions are removed", "by default they are"),
    "ImageConfig.textRedactionMode=TEXT_REDACTION_MODE_UNSPECIFIED": (
        "Same as REDACT_NO_TEXT",
        "same as `REDACT_NO_TEXT`",
    ),
    "FieldMetadata.action=ACTION_UNSPECIFIED": ("Defaults to DO_NOT_TRANSFORM", "same as `DO_NOT_TRANSFORM`"),
    "CharacterMaskConfig.maskingCharacter": ('defaults to "*"', "means ``*``"),
    "CryptoHashConfig.cryptoKey": ("A default key is generated", "AES key"),
    "DateShiftConfig.cryptoKey": ("a default key is generated", "AES key"),
    "DateShiftConfig.kmsWrapped": ("a default key is generated", "wrapped by Cloud KMS"),
    # v1beta1 alone
    "DicomTagConfig.profileType=PROFILE_TYPE_UNSPECIFIED": (
        "Same as `ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE`",
        "same as `ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE`",
    ),
    "FhirFieldConfig.profileType=PROFILE_TYPE_UNSPECIFIED": ("Same as `BASIC`", "same as `BASIC`"),
    "TextConfig.profileType=PROFILE_TYPE_UNSPECIFIED": ("Same as BASIC", "same as `BASIC`"),
    "Options.primaryIds=PRIMARY_IDS_OPTION_UNSPECIFIED": ("Default to the behavior", "Follow the profile"),
    "InfoTypeTransformation.infoTypes": ("becomes the default transformation", "in v1beta1 those that no other"),
}
"""Every default that Google states in words; a new or changed one fails until it is written here and in ours."""

ONLY_BETA_DEFAULTS = frozenset(
    {
        "DicomTagConfig.profileType=PROFILE_TYPE_UNSPECIFIED",
        "FhirFieldConfig.profileType=PROFILE_TYPE_UNSPECIFIED",
        "TextConfig.profileType=PROFILE_TYPE_UNSPECIFIED",
        "Options.primaryIds=PRIMARY_IDS_OPTION_UNSPECIFIED",
        "InfoTypeTransformation.infoTypes",
    }
)
ONLY_V1_DEFAULTS = frozenset({"FieldMetadata.action=ACTION_UNSPECIFIED"})

STATES_A_DEFAULT = re.compile(
    r"(?:^|\. )(?:[^.]*\b(?:defaults? (?:to|value is|behavior is)|(?:a )?default key is generated|"
    r"default transformation|by default based|removed during de-identification by default)|Same as|"
    r"If (?:empty|not specified),)",
    re.IGNORECASE,
)
"""How Google words a default. Uses of the word that state none ("the default HTTP mapping") do not match."""

BOTH = pytest.mark.parametrize("version", ["v1", "v1beta1"])


def reached(version: str, schemas: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    waiting = [root.replace("{V}", version.replace("v", "V", 1)) for root in ROOTS]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield name, schemas[name]
            waiting += re.findall(r"'\$ref': '(\w+)'", str(schemas[name]))


def short(name: str, version: str) -> str:
    if name in RENAMED:
        return RENAMED[name]
    return re.sub(rf"^GoogleCloudHealthcare{version.replace('v', 'V', 1)}(?:Deidentify(?=Deidentify))?", "", name)


def class_of(name: str, version: str) -> type[Message]:
    wanted = short(name, version)
    for module in MODULES[version]:
        found = getattr(module, wanted, None)
        if found is not None:
            assert isinstance(found, type)
            assert issubclass(found, Message)
            return found
    raise AssertionError(f"{version}: the schema {name} has no class {wanted}")


def type_problem(described: dict[str, Any], annotation: Any, version: str) -> str | None:
    """Return what is wrong with our type of a property; nothing when it is the described one."""
    if described.get("type") == "array":
        items = next((part for part in [annotation, *get_args(annotation)] if get_origin(part) is tuple), None)
        return type_problem(described["items"], get_args(items)[0], version) if items else "a list is described"
    if "$ref" in described:
        wanted = class_of(described["$ref"], version)
        if wanted is operations.OperationMetadata:
            return None
        return None if type_in(annotation, Message) is wanted else f"{wanted.__name__} is described"
    if "enum" in described:
        enum = type_in(annotation, Enum)
        ours = {str(member.value) for member in enum} if enum else set[str]()
        theirs = set(described["enum"])
        return f"enum values differ: {sorted(ours ^ theirs)}" if ours != theirs else None
    return plain_problem(described, annotation)


def plain_problem(described: dict[str, Any], annotation: Any) -> str | None:
    kind, form = described.get("type"), described.get("format")
    if kind == "boolean":
        return None if type_in(annotation, bool) else "a Boolean is described"
    if kind == "integer" or form == "int64":
        if type_in(annotation, bool) or not type_in(annotation, int):
            return "a whole number is described"
        travels_as_text = "PlainSerializer" in str(annotation)
        return None if travels_as_text == (form == "int64") else f"{form} travels otherwise"
    if form == "byte":
        return None if type_in(annotation, SecretBytes) else "bytes are described"
    if kind in {"object", "any"}:
        texts = described.get("additionalProperties", {}).get("type") == "string"
        found = type_in(annotation, Message) or "Mapping" in str(annotation)
        return None if found and (not texts or "str, str" in str(annotation)) else "an object is described"
    if kind == "string":
        is_text = type_in(annotation, str) is str
        return None if is_text and not type_in(annotation, Message) else "text is described"
    return f"a kind that this test does not know: {kind} {form}"


def annotation_of(cls: type[Message], name: str) -> Any:
    field = cls.model_fields[name]
    return tuple[field.annotation, *field.metadata] if field.metadata else field.annotation  # type: ignore[name-defined]


@BOTH
def test_every_described_field_is_ours_and_no_other(version: str, discovery: dict[str, dict[str, Any]]) -> None:
    differences: list[str] = []
    for name, schema in reached(version, discovery[version]):
        theirs = set(schema.get("properties", {}))
        ours = {wire_name(field) for field in class_of(name, version).model_fields}
        differences += [f"{name}.{field}: not in our message" for field in sorted(theirs - ours)]
        differences += [f"{name}.{field}: not in Google's" for field in sorted(ours - theirs)]
    assert not differences


@BOTH
def test_every_field_has_the_described_type_and_enum_values(version: str, discovery: dict[str, dict[str, Any]]) -> None:
    differences: list[str] = []
    for name, schema in reached(version, discovery[version]):
        cls = class_of(name, version)
        names = {wire_name(field): field for field in cls.model_fields}
        for wire, described in schema.get("properties", {}).items():
            problem = type_problem(described, annotation_of(cls, names[wire]), version)
            if problem:
                differences.append(f"{name}.{wire}: {problem}")
    assert not differences


@BOTH
def test_docstrings_name_every_deprecation_and_no_other(version: str, discovery: dict[str, dict[str, Any]]) -> None:
    differences: list[str] = []
    for name, schema in reached(version, discovery[version]):
        documents = attribute_documents(class_of(name, version))
        for field in class_of(name, version).model_fields:
            described = schema["properties"][wire_name(field)]
            theirs = described.get("deprecated", False) or "Deprecated." in described.get("description", "")
            ours = "Deprecated by the API" in documents.get(field, "")
            if theirs != ours:
                differences.append(f"{name}.{wire_name(field)}: deprecated there {theirs}, here {ours}")
    assert not differences


def stated_defaults(version: str, schemas: dict[str, Any]) -> dict[str, str]:
    """Return every place that states a default, with Google's words."""
    found: dict[str, str] = {}
    for name, schema in reached(version, schemas):
        for field, described in schema.get("properties", {}).items():
            place = f"{short(name, version)}.{field}"
            texts = {place: described.get("description", "")}
            values = zip(described.get("enum", ()), described.get("enumDescriptions", ()), strict=True)
            texts |= {f"{place}={value}": words for value, words in values}
            found |= {at: words for at, words in texts.items() if STATES_A_DEFAULT.search(words)}
    return found


@BOTH
def test_every_default_that_google_states_is_known(version: str, discovery: dict[str, dict[str, Any]]) -> None:
    found = stated_defaults(version, discovery[version])
    expected = set(DEFAULTS) - (ONLY_BETA_DEFAULTS if version == "v1" else ONLY_V1_DEFAULTS)
    assert set(found) == expected, "Google states a default that is new, or no longer states one"
    changed = [place for place, words in found.items() if DEFAULTS[place][0] not in words]
    assert not changed, "Google states another default now"


@BOTH
def test_docstrings_name_every_default(version: str) -> None:
    untold: list[str] = []
    for place in set(DEFAULTS) - (ONLY_BETA_DEFAULTS if version == "v1" else ONLY_V1_DEFAULTS):
        schema, _, rest = place.partition(".")
        field, _, value = rest.partition("=")
        cls = class_of(schema, version)
        documents = attribute_documents(cls)
        name = next(name for name in cls.model_fields if wire_name(name) == field)
        told = documents[name]
        if value:
            enum = type_in(cls.model_fields[name].annotation, Enum)
            assert enum is not None
            told = attribute_documents(enum)[value]
        if DEFAULTS[place][1] not in told:
            untold.append(f"{place}: {told}")
    assert not untold


@BOTH
def test_every_attribute_and_enum_value_has_a_docstring(version: str, discovery: dict[str, dict[str, Any]]) -> None:
    bare: list[str] = []
    for name, _ in reached(version, discovery[version]):
        cls = class_of(name, version)
        documents = attribute_documents(cls)
        bare += [f"{cls.__name__}.{field}" for field in cls.model_fields if not documents.get(field)]
        for field in cls.model_fields.values():
            enum = type_in(field.annotation, Enum)
            told = attribute_documents(enum) if enum else {}
            bare += [f"{enum.__name__}.{member.name}" for member in enum or () if enum and not told.get(member.name)]
    assert not bare


def test_the_contract_notices_a_field_that_google_adds(discovery: dict[str, dict[str, Any]]) -> None:
    schemas = dict(discovery["v1"])
    schemas["DicomConfig"] = {"properties": {**schemas["DicomConfig"]["properties"], "newField": {"type": "string"}}}
    with pytest.raises(AssertionError, match=r"DicomConfig\.newField: not in our message"):
        test_every_described_field_is_ours_and_no_other("v1", {"v1": schemas})


def test_the_contract_notices_an_enum_value_and_a_type_that_change(discovery: dict[str, dict[str, Any]]) -> None:
    schemas = dict(discovery["v1"])
    properties = {key: dict(value) for key, value in schemas["DicomConfig"]["properties"].items()}
    properties["filterProfile"]["enum"] = [*properties["filterProfile"]["enum"], "NEW_PROFILE"]
    properties["skipIdRedaction"] = {"type": "string"}
    schemas["DicomConfig"] = {"properties": properties}
    with pytest.raises(AssertionError) as refusal:
        test_every_field_has_the_described_type_and_enum_values("v1", {"v1": schemas})
    assert "NEW_PROFILE" in str(refusal.value)
    assert "skipIdRedaction: text is described" in str(refusal.value)
