"""The ``fields`` system parameter: a reply cut down to the fields that were asked for."""

from __future__ import annotations

from typing import Any, TypeAlias

from healthcare_deid.emulator.status import ServiceError, invalid

Mask: TypeAlias = "dict[str, Mask]"
"""Fields to keep, and of each what to keep; an empty mask keeps everything."""

_MAX_DEPTH = 50


def select(value: Any, mask: str) -> Any:
    """Return the fields that a mask such as ``name,metadata/counter(success,failure)`` names.

    Raises:
        ServiceError: 400: the mask is malformed.
    """
    parsed, end = _parse(mask, 0, 0)
    if end != len(mask):
        raise _malformed()
    return _cut(value, parsed)


def _cut(value: Any, mask: Mask) -> Any:
    if not mask or ("*" in mask and not mask["*"]):
        return value
    if isinstance(value, list):
        return [_cut(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _cut(item, mask[name]) for name, item in value.items() if name in mask}


def _parse(text: str, at: int, depth: int) -> tuple[Mask, int]:
    if depth > _MAX_DEPTH:
        raise _malformed()
    mask: Mask = {}
    while True:
        at = _field(text, at, depth, mask)
        if text[at : at + 1] != ",":
            return mask, at
        at += 1


def _field(text: str, at: int, depth: int, mask: Mask) -> int:
    start = at
    while at < len(text) and text[at] not in ",/()":
        at += 1
    name = text[start:at].strip()
    if not name:
        raise _malformed()
    inner: Mask = {}
    following = text[at : at + 1]
    if following == "/":
        if depth >= _MAX_DEPTH:
            raise _malformed()
        at = _field(text, at + 1, depth + 1, inner)
    elif following == "(":
        inner, at = _parse(text, at + 1, depth + 1)
        if text[at : at + 1] != ")":
            raise _malformed()
        at += 1
    mask.setdefault(name, {}).update(inner)
    return at


def _malformed() -> ServiceError:
    return invalid("Request contains an invalid argument: the fields parameter is malformed.")
