"""`FhirConfig` (v1): which FHIR fields are transformed."""

from __future__ import annotations

from enum import StrEnum

from healthcare_deid.config.fields import Flag, Items
from healthcare_deid.config.message import Message


class FieldAction(StrEnum):
    """What happens to a FHIR field. Source: v1 ``FieldMetadata.action``."""

    ACTION_UNSPECIFIED = "ACTION_UNSPECIFIED"
    """In v1 the same as `DO_NOT_TRANSFORM`; v1beta1 does not say."""
    TRANSFORM = "TRANSFORM"
    """Transform the whole field."""
    INSPECT_AND_TRANSFORM = "INSPECT_AND_TRANSFORM"
    """Inspect the field's text and transform what is found."""
    DO_NOT_TRANSFORM = "DO_NOT_TRANSFORM"
    """Leave the field as it is."""


class FieldMetadata(Message):
    """One action for the fields at some paths. Source: v1 ``FieldMetadata``."""

    paths: Items[str] = ()
    """Paths to fields, such as ``Patient.name``."""
    action: FieldAction | None = None
    """What happens to them."""


class FhirConfig(Message):
    """How to handle FHIR resources. Source: v1 ``FhirConfig``."""

    field_metadata_list: Items[FieldMetadata] = ()
    """Actions by path; fields that no path matches pass unmodified."""
    default_keep_extensions: Flag | None = None
    """Keep extensions; by default they are removed."""
