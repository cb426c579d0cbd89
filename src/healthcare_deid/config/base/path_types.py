"""Field types of requests: resource names and Cloud Storage locations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from healthcare_deid import names
from healthcare_deid.errors import ResourceNameError

if TYPE_CHECKING:
    from collections.abc import Callable

# Names of Cloud Storage buckets have 3 to 63 characters, or up to 222 with dots.
_GCS_OBJECT = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/.+", re.DOTALL)
_GCS_PREFIX = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/.*)?", re.DOTALL)


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


GcsObject = Annotated[str, AfterValidator(_gcs_object)]
"""``gs://bucket/path/to/object``."""

GcsLocation = Annotated[str, AfterValidator(_gcs_location)]
"""``gs://bucket`` or ``gs://bucket/path``; some methods accept wildcards."""

DatasetPath = Annotated[str, AfterValidator(_name(names.DatasetName.parse))]
"""Full name of a dataset."""

DicomStorePath = Annotated[str, AfterValidator(_name(names.DicomStoreName.parse))]
"""Full name of a DICOM store."""

FhirStorePath = Annotated[str, AfterValidator(_name(names.FhirStoreName.parse))]
"""Full name of a FHIR store."""
