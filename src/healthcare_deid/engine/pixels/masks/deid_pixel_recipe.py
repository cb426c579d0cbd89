"""Parser of the recipes of pydicom's deid: filters of labels, each with conditions and coordinates.

Only labels with coordinates are read. The recipe's header actions and its selection of files are ignored.
Source: the pages "Recipe Filters" and "Pixel Cleaning" of deid's documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.masks.conditions import AllOf, AnyOf, Condition, Not, Relation, Test, tag_named
from healthcare_deid.engine.pixels.masks.device_masks import WHOLE_PICTURE, Mask
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_AND, _OR = "+", "||"
_RELATIONS = {"contains": Relation.MATCHES, "equals": Relation.EQUALS}
_STATES = {"present": Relation.PRESENT, "missing": Relation.PRESENT, "empty": Relation.EMPTY}
_OWN_REGIONS = frozenset({"SEQUENCEOFULTRASOUNDREGIONS", "(0018,6011)", "0018,6011", "00186011"})


def read_deid_recipe(text: str) -> list[Mask]:
    """Return the masks of a recipe.

    Raises:
        ConfigError: The recipe has no label with coordinates, or such a label is invalid.
    """
    found = [label.mask() for label in _labels(text) if label.has_coordinates]
    if not found:
        raise ConfigError("masks: the recipe has no label with coordinates")
    return found


def _labels(text: str) -> Iterator[_Label]:
    label: _Label | None = None
    filters = False
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0].startswith("%") or words[0] == "LABEL":
            if label is not None:
                yield label
            filters = words[0] == "%filter" if words[0].startswith("%") else filters
            label = _Label() if words[0] == "LABEL" and filters else None
        elif label is not None:
            label.read(words, f"masks, line {number}")
    if label is not None:
        yield label


class _Label:
    """One label of a filter, parsed line by line."""

    def __init__(self) -> None:
        self._regions: list[Box] = []
        self._kept: list[Box] = []
        self._own: set[str] = set()
        self._condition: Condition | None = None

    @property
    def has_coordinates(self) -> bool:
        """Whether the label has regions to cover or to keep."""
        return bool(self._regions or self._kept or self._own)

    def mask(self) -> Mask:
        """Return the mask of the label. With only regions to keep, everything else is covered."""
        regions = self._regions or ([] if "coordinates" in self._own else [WHOLE_PICTURE])
        return Mask(
            self._condition or AllOf(()),
            tuple(regions),
            tuple(self._kept),
            keeps_ultrasound_regions="keepcoordinates" in self._own,
            covers_ultrasound_regions="coordinates" in self._own,
        )

    def read(self, words: list[str], where: str) -> None:
        """Parse another line of the label."""
        kind = words[0].lower()
        if kind.endswith("coordinates"):
            self._coordinates(kind, " ".join(words[1:]), where)
            return
        for joint, condition in _conditions(words, where):
            if self._condition is None:
                self._condition = condition
            elif joint == _OR:
                self._condition = AnyOf((self._condition, condition))
            else:
                self._condition = AllOf((self._condition, condition))

    def _coordinates(self, kind: str, given: str, where: str) -> None:
        by_size, kind = kind.startswith("ctp"), kind.removeprefix("ctp")
        if kind not in ("coordinates", "keepcoordinates"):
            raise ConfigError(f"{where}: the coordinates cannot be read")
        regions = self._kept if kind == "keepcoordinates" else self._regions
        if given.lower() == "all":
            regions.append(WHOLE_PICTURE)
        elif given.lower().startswith("from:"):
            if given[len("from:") :].strip().upper() not in _OWN_REGIONS:
                raise ConfigError(f"{where}: coordinates can be read only from SequenceOfUltrasoundRegions")
            self._own.add(kind)
        else:
            regions.append(_box(given, where, by_size=by_size))


def _box(given: str, where: str, *, by_size: bool) -> Box:
    try:
        left, top, right, bottom = (int(number) for number in given.split(","))
    except ValueError:
        raise ConfigError(f"{where}: the coordinates cannot be read") from None
    box = Box(left, top, left + right, top + bottom) if by_size else Box(left, top, right, bottom)
    if box.area == 0 or min(box) < 0:
        raise ConfigError(f"{where}: the coordinates are negative or describe an empty region")
    return box


def _conditions(words: list[str], where: str) -> Iterator[tuple[str, Condition]]:
    """Yield the conditions of a line, each with the operator that joins it to the previous ones."""
    joint, part = _AND, list[str]()
    for word in [*words, _AND]:
        if word not in (_AND, _OR):
            part.append(word)
            continue
        if part:
            yield joint, _test(part, where)
        joint, part = word, []


def _test(words: list[str], where: str) -> Condition:
    kind = words[0].lower()
    if len(words) < 2:
        raise ConfigError(f"{where}: the condition cannot be read")
    tag, value = tag_named(words[1], where), " ".join(words[2:])
    if kind in _STATES and not value:
        state = Test(tag, _STATES[kind])
        return Not(state) if kind == "missing" else state
    relation = _RELATIONS.get(kind.removeprefix("not"))
    if relation is None or not value:
        raise ConfigError(f"{where}: the condition cannot be read")
    test = Test(tag, relation, value, each=True)
    return Not(test) if kind.startswith("not") else test
