"""Field types shared by the messages: what a value must look like, wherever it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

if TYPE_CHECKING:
    from collections.abc import Sequence

    Items = Sequence
    """A repeated field: a tuple at run time, whatever sequence it is made from."""
else:

    class Items:
        """A repeated field: a tuple at run time; type checkers see `Sequence`, so that a list is as good."""

        def __class_getitem__(cls, item: Any) -> Any:
            return tuple[item, ...]


Flag = Annotated[bool, Field(strict=True)]
"""True or false, and nothing that merely looks like it."""

Int32 = Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)]
"""A whole number of the API's ``int32`` format."""

Int64 = Annotated[int, PlainSerializer(str, return_type=str, when_used="json")]
"""A whole number of the API's ``int64`` format, which travels as text."""

_INFO_TYPE = re.compile(r"[A-Za-z0-9$_/&-]{1,128}")


def _info_type(value: str) -> str:
    if not _INFO_TYPE.fullmatch(value):
        raise ValueError("an infoType's name has 1 to 128 letters, digits, '_', '-', '$', '/' or '&'")
    return str(value)


def _tag(value: object) -> str:
    from healthcare_deid.config.tags import normalise

    return normalise(value)


InfoTypeName = Annotated[str, AfterValidator(_info_type)]
"""The name of an infoType: a documented one (`healthcare_deid.config.infotypes.InfoType`) or a custom one."""

Tag = Annotated[str, BeforeValidator(_tag), WithJsonSchema({"type": "string", "examples": ["PatientID", "00100010"]})]
"""A DICOM tag, as `healthcare_deid.config.tags.normalise` writes it."""
