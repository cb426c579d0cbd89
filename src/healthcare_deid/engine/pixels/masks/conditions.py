"""Conditions on an instance's header, as an expression tree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, assert_never

from pydicom.datadict import tag_for_keyword

from healthcare_deid.config.patterns import Pattern, compile_pattern
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


class Relation(Enum):
    """Comparison of an attribute's value."""

    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS = "starts with"
    ENDS = "ends with"
    MATCHES = "matches"
    """The pattern matches anywhere in the value unless anchored by ``^`` and ``$``."""
    LESS = "is less than"
    GREATER = "is greater than"
    PRESENT = "is present"
    EMPTY = "is empty"


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison.

    Attributes:
        tag: Tag of a top-level attribute.
        relation: Comparison to make.
        value: Text or pattern to compare with.
        ignore_case: Whether case is ignored.
        each: Compare multiple values one by one, of which one has to match; otherwise they are joined by backslashes.

    Raises:
        ConfigError: ``value`` is a pattern that RE2 refuses.
    """

    tag: int
    relation: Relation
    value: str = ""
    ignore_case: bool = True
    each: bool = False

    def __post_init__(self) -> None:
        if self.relation is Relation.MATCHES:
            _compiled(self.value, self.ignore_case)

    def holds(self, dataset: Dataset) -> bool:
        """Return True if the condition holds for an instance."""
        if self.relation is Relation.PRESENT:
            return self.tag in dataset
        if self.relation is Relation.EMPTY:
            return self.tag in dataset and not any(_values(dataset, self.tag))
        values = _values(dataset, self.tag) if self.each else [text_of(dataset, self.tag)]
        return any(map(self._compare, values))

    def _compare(self, value: str) -> bool:
        one, other = (text.casefold() if self.ignore_case else text for text in (value, self.value.strip()))
        match self.relation:
            case Relation.EQUALS:
                return one == other
            case Relation.CONTAINS:
                return other in one
            case Relation.STARTS:
                return one.startswith(other)
            case Relation.ENDS:
                return one.endswith(other)
            case Relation.MATCHES:
                return next(iter(_compiled(self.value, self.ignore_case).finditer(value)), None) is not None
            case Relation.LESS | Relation.GREATER:
                return _is_between(one, other, less=self.relation is Relation.LESS)
            case Relation.PRESENT | Relation.EMPTY:
                raise AssertionError(self.relation)
            case _:
                assert_never(self.relation)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Conjunction of conditions; an empty one is true."""

    conditions: tuple[Condition, ...]

    def holds(self, dataset: Dataset) -> bool:
        """Return True if the condition holds for an instance."""
        return all(condition.holds(dataset) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Disjunction of conditions; an empty one is false."""

    conditions: tuple[Condition, ...]

    def holds(self, dataset: Dataset) -> bool:
        """Return True if the condition holds for an instance."""
        return any(condition.holds(dataset) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Not:
    """Negation of a condition."""

    condition: Condition

    def holds(self, dataset: Dataset) -> bool:
        """Return True if the condition holds for an instance."""
        return not self.condition.holds(dataset)


Condition: TypeAlias = Test | AllOf | AnyOf | Not


def tag_named(name: str, where: str) -> int:
    """Return a tag by its keyword, or by its eight hex digits with or without punctuation.

    Raises:
        ConfigError: No attribute has that name.
    """
    if (tag := tag_for_keyword(name)) is not None:
        return tag
    digits = "".join(letter for letter in name.removeprefix("0x") if letter not in "()[], ")
    if len(digits) == 8 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return int(digits, 16)
    raise ConfigError(f"{where}: not the keyword or tag of a top-level attribute")


@cache
def _compiled(pattern: str, ignore_case: bool) -> Pattern:
    try:
        return compile_pattern(f"(?i){pattern}" if ignore_case else pattern)
    except ValueError as error:
        raise ConfigError(f"masks: {error}") from None


def text_of(dataset: Dataset, tag: int) -> str:
    """Return an attribute's values joined by backslashes."""
    return "\\".join(_values(dataset, tag))


def _values(dataset: Dataset, tag: int) -> list[str]:
    try:
        value = dataset[tag].value if tag in dataset else None
    except Exception:  # noqa: BLE001 - a broken value raises anything, with its text in the message
        return []
    if value is None or isinstance(value, bytes):
        return []
    many = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    return [str(one).strip() for one in many]


def _is_between(one: str, other: str, *, less: bool) -> bool:
    try:
        return float(one) < float(other) if less else float(one) > float(other)
    except ValueError:
        return False
