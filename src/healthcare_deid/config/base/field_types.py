"""Types of fields that several messages share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

if TYPE_CHECKING:
    from collections.abc import Sequence

    Items = Sequence
    """A repeated field: built from any sequence, a tuple at run time."""
else:

    class Items:
        """A repeated field: a tuple at run time.

        Type checkers see `Sequence`, so that they accept a list.
        """

        def __class_getitem__(cls, item: Any) -> Any:
            return tuple[item, ...]


ApiVersion: TypeAlias = Literal["v1", "v1beta1"]
"""A version of the API."""

Flag = Annotated[bool, Field(strict=True)]
"""A Boolean; texts and numbers are refused."""

Int32 = Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)]
"""A whole number of the API's ``int32`` format."""

# The JSON mapping of Protocol Buffers writes 64-bit integers as text, because JSON numbers are exact up to 2**53 only.
Int64 = Annotated[int, PlainSerializer(str, return_type=str, when_used="json")]
"""A whole number of the API's ``int64`` format, which is text on the wire."""

_INFO_TYPE = re.compile(r"[A-Za-z0-9$_/&-]{1,128}")


def _info_type(value: str) -> str:
    if not _INFO_TYPE.fullmatch(value):
        raise ValueError("an infoType name has 1 to 128 letters, digits, '_', '-', '$', '/' or '&'")
    return str(value)


def _tag(value: object) -> str:
    # Imported here because most configs name no tag.
    from healthcare_deid.config.tags import normalize

    return normalize(value)


InfoTypeName = Annotated[str, AfterValidator(_info_type)]
"""Name of a documented infoType (`healthcare_deid.config.InfoType`) or a custom one."""

Tag = Annotated[str, BeforeValidator(_tag), WithJsonSchema({"type": "string", "examples": ["PatientID", "00100010"]})]
"""A DICOM tag in any spelling that `healthcare_deid.config.tags.normalize` accepts."""
