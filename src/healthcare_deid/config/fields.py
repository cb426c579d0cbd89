"""Field types shared by the messages: what a value must look like, wherever it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, Strict, StrictBool, WithJsonSchema

from healthcare_deid import names
from healthcare_deid.errors import ResourceNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Items = Sequence
    """A repeated field: a tuple at run time, whatever sequence it is made from."""
else:

    class Items:
        """A repeated field: a tuple at run time; type checkers see `Sequence`, so that a list is as good."""

        def __class_getitem__(cls, item: Any) -> Any:
            return tuple[item, ...]


Flag = StrictBool
"""True or false, and nothing that merely looks like it."""

Int32 = Annotated[int, Strict(), Field(ge=-(2**31), le=2**31 - 1)]
"""A whole number of the API's ``int32`` format."""

Int64 = Annotated[int, PlainSerializer(str, return_type=str, when_used="json")]
"""A whole number of the API's ``int64`` format, which travels as text."""

_INFO_TYPE = re.compile(r"[A-Za-z0-9$_/&-]{1,128}")
_GCS_OBJECT = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/.+", re.DOTALL)
_GCS_PREFIX = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/.*)?", re.DOTALL)


def _info_type(value: str) -> str:
    if not _INFO_TYPE.fullmatch(value):
        raise ValueError("an infoType's name has 1 to 128 letters, digits, '_', '-', '$', '/' or '&'")
    return str(value)


def _tag(value: object) -> str:
    from healthcare_deid.config.tags import normalise

    return normalise(value)


def _gcs_object(value: str) -> str:
    if not _GCS_OBJECT.fullmatch(value):
        raise ValueError("a Cloud Storage object has the form gs://bucket/path/to/object")
    return value


def _gcs_location(value: str) -> str:
    if not _GCS_PREFIX.fullmatch(value):
        raise ValueError("a Cloud Storage location has the form gs://bucket/path")
    return value


def _name(parse: Callable[[str], object]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parse(value)
        except ResourceNameError as error:
            raise ValueError(str(error)) from None
        return value

    return check


InfoTypeName = Annotated[str, AfterValidator(_info_type)]
"""The name of an infoType: a documented one (`healthcare_deid.config.infotypes.InfoType`) or a custom one."""

Tag = Annotated[str, BeforeValidator(_tag), WithJsonSchema({"type": "string", "examples": ["PatientID", "00100010"]})]
"""A DICOM tag, as `healthcare_deid.config.tags.normalise` writes it."""

GcsObject = Annotated[str, AfterValidator(_gcs_object)]
"""``gs://bucket/path/to/object``."""

GcsLocation = Annotated[str, AfterValidator(_gcs_location)]
"""``gs://bucket`` or ``gs://bucket/path``, wildcards where the method takes them."""

DatasetPath = Annotated[str, AfterValidator(_name(names.DatasetName.parse))]
"""The full name of a dataset."""

DicomStorePath = Annotated[str, AfterValidator(_name(names.DicomStoreName.parse))]
"""The full name of a DICOM store."""

FhirStorePath = Annotated[str, AfterValidator(_name(names.FhirStoreName.parse))]
"""The full name of a FHIR store."""
