"""Field masks: the ``fields`` parameter and the ``updateMask`` of a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from healthcare_deid.emulator.errors import ServiceError, invalid

if TYPE_CHECKING:
    from collections.abc import Collection

Mask: TypeAlias = "dict[str, Mask]"
"""Fields with their masks. An empty mask selects everything."""

_MAX_DEPTH = 50  # far beyond any message, and far below Python's recursion limit


def camel(name: str) -> str:
    """Return a field's JSON name.

    Protobuf's JSON mapping also accepts ``snake_case``.
    """
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def select(value: Any, mask: str) -> Any:
    """Return the fields of a reply that a mask selects.

    Args:
        value: Reply as JSON.
        mask: Mask such as ``name,metadata/counter(success,failure)``.

    Raises:
        ServiceError: 400: the mask is malformed.
    """
    parsed, end = _parse(mask, 0, 0)
    if end != len(mask):
        raise _malformed()
    return _cut(value, parsed)


def update_paths(text: str, allowed: Collection[str]) -> list[tuple[str, ...]]:
    """Return the paths of an update mask, in JSON names.

    Args:
        text: Mask such as ``labels,notification_config.pubsub_topic``. ``*`` selects all fields that can change.
        allowed: Top-level fields that can change.

    Raises:
        ServiceError: 400: the mask is empty, or has a field that cannot change.
    """
    paths = [_path(path.strip()) for path in text.split(",") if path.strip()]
    # A star replaces the whole resource, so that fields missing in the body are cleared.
    if ("*",) in paths:
        paths = [(name,) for name in sorted(allowed)]
    if not paths or any(path[0] not in allowed or not all(path) for path in paths):
        raise invalid(f"updateMask must contain fields that can be changed: {', '.join(sorted(allowed))}.")
    return paths


def merge(resource: dict[str, Any], changes: dict[str, Any], paths: list[tuple[str, ...]]) -> dict[str, Any]:
    """Return a resource with the fields at *paths* taken from *changes*.

    Missing and empty fields are cleared.
    """
    merged = dict(resource)
    for head, *rest in paths:
        new: Any = changes.get(head)
        if rest:
            old = merged.get(head)
            inner = new if isinstance(new, dict) else {}
            new = merge(old if isinstance(old, dict) else {}, inner, [tuple(rest)])
        if new in (None, {}, [], ""):
            merged.pop(head, None)
        else:
            merged[head] = new
    return merged


def _path(text: str) -> tuple[str, ...]:
    head, *rest = text.split(".")
    # Keys of a map, such as labels, are data and keep their spelling.
    return (camel(head), *(rest if head == "labels" else map(camel, rest)))


def _cut(value: Any, mask: Mask) -> Any:
    if not mask or ("*" in mask and not mask["*"]):
        return value
    if isinstance(value, list):
        return [_cut(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    everywhere = mask.get("*", {})
    named = {camel(name): inner for name, inner in mask.items()}
    return {
        name: _cut(item, named.get(name, everywhere)) for name, item in value.items() if name in named or everywhere
    }


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
    while at < len(text) and text[at] not in ",/.()":
        at += 1
    name = text[start:at].strip()
    if not name:
        raise _malformed()
    inner: Mask = {}
    following = text[at : at + 1]
    if following in {"/", "."}:
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
