"""`FhirConfig`: rules for FHIR fields."""

from __future__ import annotations

from enum import StrEnum

from healthcare_deid.config.base.field_types import Flag, Items
from healthcare_deid.config.base.message import Message


class FieldAction(StrEnum):
    """Action on a FHIR field. Source: v1 ``FieldMetadata.action``."""

    ACTION_UNSPECIFIED = "ACTION_UNSPECIFIED"
    """In v1 the same as `DO_NOT_TRANSFORM`; v1beta1 does not say."""
    TRANSFORM = "TRANSFORM"
    """Transform the whole field."""
    INSPECT_AND_TRANSFORM = "INSPECT_AND_TRANSFORM"
    """Transform sensitive text in the field."""
    DO_NOT_TRANSFORM = "DO_NOT_TRANSFORM"
    """Leave the field unchanged."""


class FieldMetadata(Message):
    """An action on the fields at some paths. Source: v1 ``FieldMetadata``."""

    paths: Items[str] = ()
    """Paths to fields, such as ``Patient.name``."""
    action: FieldAction | None = None
    """The action."""


class FhirConfig(Message):
    """Handling of FHIR resources. Source: v1 ``FhirConfig``."""

    field_metadata_list: Items[FieldMetadata] = ()
    """Actions by path; fields without a matching path stay unmodified."""
    default_keep_extensions: Flag | None = None
    """Keep extensions; by default they are removed."""
