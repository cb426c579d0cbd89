"""Admission rules: which instances a run may process at all."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar, cast, get_args

from pydantic import AfterValidator, Field, model_validator

from healthcare_deid.config.base.field_types import Items, Tag
from healthcare_deid.config.base.message import Message
from healthcare_deid.config.tags import tag_number
from healthcare_deid.engine.dicom.elements import known_vr
from healthcare_deid.engine.dicom.uids import is_uid
from healthcare_deid.engine.identity.secret import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_ADMITTED = "no rule admits it"
"""Reason for refusing an instance that meets none of the ``admit`` rules."""
UNREADABLE = "a value that a rule asks for cannot be read"
"""Reason for refusing an instance when a rule cannot be evaluated."""
_OWN_NAMES = (NOT_ADMITTED, UNREADABLE)
_NO_TEXT = frozenset(b"AT FD FL OB OD OF OL OV OW SL SQ SS SV UL UN US UV".split())
T = TypeVar("T", bound=Sized)

SOP_CLASS = 0x00080016
IMAGE_TYPE = 0x00080008
MODALITY = 0x00080060
CONVERSION_TYPE = 0x00080064
FRAMES = 0x00280008
ROWS = 0x00280010
COLUMNS = 0x00280011
BURNED_IN = 0x00280301


InstanceKind = Literal["secondary-capture", "document", "report", "presentation-state", "raw-data"]
"""Kind of instance, determined by its SOP Class.

``secondary-capture``: Secondary Capture images, and any image with a Conversion Type (0008,0064). ``document``:
encapsulated PDF, CDA, STL, OBJ and MTL. ``report``: structured reports, key object selections, dose reports.
``presentation-state``: presentation states, which hold annotations as text. ``raw-data``: raw data in a vendor's own
format.
"""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def _not_empty(values: T) -> T:
    if not values:
        raise ValueError("needs at least one value")
    return values


def _rule_name(value: str) -> str:
    if not value.isprintable() or value in _OWN_NAMES:
        raise ValueError("is a short text that says what is refused")
    return value


def _sop_class(value: str) -> str:
    from pydicom._uid_dict import UID_dictionary

    if is_uid(value):
        return value
    for uid, row in UID_dictionary.items():
        if row[4] == value:
            return uid
    raise ValueError("a SOP Class is a UID, or the standard's keyword such as CTImageStorage")


def _comparable(tag: str) -> str:
    if known_vr(tag_number(tag)).encode() in _NO_TEXT:
        raise ValueError("must name a standard attribute with text, at the top of the header")
    return tag


_Name = Annotated[str, AfterValidator(_text), AfterValidator(_rule_name)]
_Word = Annotated[str, AfterValidator(_text)]
_Words = Annotated[Items[_Word], AfterValidator(_not_empty)]
_Classes = Annotated[Items[Annotated[_Word, AfterValidator(_sop_class)]], AfterValidator(_not_empty)]
_Attribute = Annotated[Tag, AfterValidator(_comparable)]
_Values = Annotated[dict[_Attribute, _Words], AfterValidator(_not_empty)]


class Bounds(Message):
    """Inclusive range of integers."""

    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("needs a min that is not above its max")
        return self


class AdmissionRule(Message):
    """Admission rule. An instance matches it when it meets every condition; a list is met by any of its values.

    Text is compared ignoring case and surrounding spaces.
    """

    name: _Name
    """Name of the rule in counts of refused instances. It must not identify a patient."""
    sop_class: _Classes | None = None
    """SOP Class UIDs, or their keywords."""
    kind: Annotated[Items[InstanceKind], AfterValidator(_not_empty)] | None = None
    """Kinds of instances, determined by their SOP Class."""
    modality: _Words | None = None
    """Values of Modality (0008,0060)."""
    image_type: _Words | None = None
    """Values of Image Type (0008,0008), at any position: ``DERIVED``, ``LOCALIZER``, ``SCREEN SAVE``."""
    burned_in: Annotated[Items[Literal["yes", "no", "absent"]], AfterValidator(_not_empty)] | None = None
    """Burned In Annotation (0028,0301); ``absent`` matches a missing or empty value."""
    size: Bounds | None = None
    """File size in bytes."""
    rows: Bounds | None = None
    """Rows (0028,0010)."""
    columns: Bounds | None = None
    """Columns (0028,0011)."""
    frames: Bounds | None = None
    """Number of Frames (0028,0008); 1 for an image without it."""
    equals: _Values | None = None
    """Attributes of which one value equals one of these."""
    contains: _Values | None = None
    """Attributes whose text contains one of these."""
    absent: Annotated[Items[_Attribute], AfterValidator(_not_empty)] | None = None
    """Attributes that are all missing or empty."""

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not any(True for _ in self.conditions()):
            raise ValueError("needs a condition: an empty rule would be met by everything")
        return self

    def conditions(self) -> Iterator[tuple[str, object]]:
        """Yield the name and the value of every condition."""
        for name in type(self).model_fields:
            if name != "name" and getattr(self, name) is not None:
                yield name, getattr(self, name)

    @property
    def tags(self) -> frozenset[int]:
        """Tags of the attributes that the conditions refer to."""
        asked: set[int] = {tag_number(tag) for tags in (self.equals, self.contains, self.absent) for tag in tags or ()}
        for given, tags in (
            (self.sop_class, (SOP_CLASS,)),
            (self.kind, (SOP_CLASS, CONVERSION_TYPE)),
            (self.modality, (MODALITY,)),
            (self.image_type, (IMAGE_TYPE,)),
            (self.burned_in, (BURNED_IN,)),
            (self.rows, (ROWS,)),
            (self.columns, (COLUMNS,)),
            (self.frames, (FRAMES, ROWS)),
        ):
            asked.update(tags if given else ())
        return frozenset(asked)

    def described(self) -> str:
        """Return the rule as a line for the manifest, with fingerprints for values that may name a patient."""
        told: list[str] = []
        for name, given in self.conditions():
            if isinstance(given, Bounds):
                told.append(f"{name} {given.min or 0} to {'any' if given.max is None else given.max}")
            elif isinstance(given, dict):
                values = cast("dict[str, tuple[str, ...]]", given)
                told += [f"{tag} {name} {fingerprint_of(repr(words).encode())}" for tag, words in values.items()]
            else:
                told.append(f"{name} {', '.join(cast('tuple[str, ...]', given))}")
        return f"{self.name}: {'; '.join(told)}"


class Admission(Message):
    """Admission rules of a run. An instance is refused if it matches a ``refuse`` rule, or no ``admit`` rule.

    The order of the rules does not matter. Without ``admit`` rules, everything that is not refused is admitted.
    """

    refuse: Items[AdmissionRule] = ()
    """Rules that refuse an instance."""
    admit: Items[AdmissionRule] = ()
    """Rules of which an instance must match at least one."""

    @model_validator(mode="after")
    def _is_a_list_of_rules(self) -> Self:
        names = [rule.name for rule in (*self.refuse, *self.admit)]
        if not names:
            raise ValueError("needs a rule in refuse or admit")
        if len(set(names)) < len(names):
            raise ValueError("needs another name for each rule")
        return self

    def described(self) -> list[str]:
        """Return the rules for the manifest, without values that may name a patient."""
        return [
            *(f"refuse {rule.described()}" for rule in self.refuse),
            *(f"admit {rule.described()}" for rule in self.admit),
        ]


READY_RULES = {
    "burned-in": AdmissionRule(name="burned-in", burned_in=["yes"]),
    "derived": AdmissionRule(name="derived", image_type=["DERIVED"]),
    "localizer": AdmissionRule(name="localizer", image_type=["LOCALIZER"]),
    **{kind: AdmissionRule(name=kind, kind=[kind]) for kind in get_args(InstanceKind)},
}
"""Common rules, by their name in ``--refuse``."""
