"""Differences between two messages, without showing keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from healthcare_deid.config.base.keys import SecretBytes
from healthcare_deid.config.base.wire_names import wire_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABSENT = "unset"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field with different values.

    Attributes:
        path: JSON path.
        before: The old value as text, or ``"unset"``. A key shows only its length.
        after: The new value as text, or ``"unset"``.
    """

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}: {self.before} → {self.after}"


def diff(before: BaseModel, after: BaseModel) -> tuple[Difference, ...]:
    """Return the differences in the order of the fields.

    Lists of names (tags, infoTypes, paths) are compared as sets, so an added tag is one difference.

    Raises:
        TypeError: The messages are of different classes.
    """
    if type(before) is not type(after):
        classes = " and ".join(f"{type(one).__module__}.{type(one).__qualname__}" for one in (before, after))
        raise TypeError(f"cannot compare messages of different classes: {classes}")
    return tuple(_message("", before, after))


def _message(path: str, before: BaseModel, after: BaseModel) -> Iterator[Difference]:
    for name in type(before).model_fields:
        at = f"{path}.{wire_name(name)}" if path else wire_name(name)
        yield from _value(at, getattr(before, name), getattr(after, name))


def _value(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, BaseModel) and type(before) is type(after):
        yield from _message(path, before, after)
    elif isinstance(before, tuple) and isinstance(after, tuple):
        yield from _items(path, before, after)
    elif isinstance(before, BaseModel) and after is None:
        yield from (Difference(at, shown, _ABSENT) for at, shown in _leaves(path, before))
    elif isinstance(after, BaseModel) and before is None:
        yield from (Difference(at, _ABSENT, shown) for at, shown in _leaves(path, after))
    else:
        shown = _shown(before), _shown(after)
        yield Difference(path, shown[0], shown[1] if shown[0] != shown[1] else f"another {shown[1]}")


def _items(path: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> Iterator[Difference]:
    # Lists of names without duplicates are sets, so an added tag is one difference and not a shift of all that follow.
    if all(isinstance(item, str) for item in (*before, *after)) and len(set(before)) + len(set(after)) == len(
        before
    ) + len(after):
        removed, added = [item for item in before if item not in after], [item for item in after if item not in before]
        yield from (Difference(path, item, _ABSENT) for item in removed)
        yield from (Difference(path, _ABSENT, item) for item in added)
        if not removed and not added:
            yield Difference(path, "in this order", "in another order")
        return
    for index in range(max(len(before), len(after))):
        yield from _value(
            f"{path}[{index}]",
            before[index] if index < len(before) else None,
            after[index] if index < len(after) else None,
        )


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every field that is set in a message.

    An empty message counts as set itself.
    """
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        given = {name: item for name, item in fields.items() if item is not None and item != ()}
        if not given:
            yield path, "set"
        for name, item in given.items():
            yield from _leaves(f"{path}.{wire_name(name)}", item)
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item)
    elif isinstance(value, tuple):
        yield path, ", ".join(str(item) for item in value)
    else:
        yield path, _shown(value)


def _shown(value: Any) -> str:
    if value is None or value == ():
        return _ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecretBytes):
        return repr(value)
    return str(value) if isinstance(value, str | int) else repr(value)
