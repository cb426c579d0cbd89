"""Resource names of the Cloud Healthcare API: parse, format, refuse.

A name is a value: ``str(name)`` is the text that goes on the wire, and two equal names are the same resource. Every
place that takes a name also takes the short form (``"dataset1"``, ``"dataset1/dicomstore1"``), which `resolve`
completes with a project and a location, or the full text.

Source: the path patterns of the API's discovery document (``^projects/[^/]+/locations/[^/]+/datasets/[^/]+$`` and
below). IDs are checked for what would turn a name into another request (``/ ? # %``, white space, control characters),
not for the service's own rules, which differ by kind and change.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from healthcare_deid.errors import ResourceNameError

if TYPE_CHECKING:
    from collections.abc import Callable

_FORBIDDEN = re.compile(r"[/?#%:\s\x00-\x1f\x7f]")
_MAX_ID_CHARACTERS = 256
_USUAL = re.compile(r"[\w-][\w.-]{0,255}")
"""What nearly every ID is; anything else is looked at one character after the other."""


def _check_id(kind: str, value: object, *, colon: bool = False) -> None:
    if isinstance(value, str) and _USUAL.fullmatch(value):
        return
    if not isinstance(value, str) or not value:
        raise ResourceNameError(f"{kind}: an ID is needed, and it must be text")
    if len(value) > _MAX_ID_CHARACTERS:
        raise ResourceNameError(f"{kind}: {len(value)} characters; an ID has {_MAX_ID_CHARACTERS} at most")
    found = _FORBIDDEN.search(value.replace(":", "") if colon else value)
    if found or value in {".", ".."}:
        what = repr(found.group()) if found else repr(value)
        raise ResourceNameError(f"{kind}: {what} cannot stand in an ID; it would change which resource is meant")


@dataclass(frozen=True, slots=True, order=True)
class LocationName:
    """``projects/{project}/locations/{location}``."""

    project: str
    location: str

    def __post_init__(self) -> None:
        # Domain-scoped projects are written "example.com:project".
        _check_id("project", self.project, colon=True)
        _check_id("location", self.location)

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a full name.

        Raises:
            ResourceNameError: It does not have the form.
        """
        project, location = _split(text, "projects/{project}/locations/{location}")
        return cls(project, location)


@dataclass(frozen=True, slots=True, order=True)
class DatasetName:
    """``projects/{project}/locations/{location}/datasets/{dataset}``."""

    project: str
    location: str
    dataset: str

    def __post_init__(self) -> None:
        _check_id("project", self.project, colon=True)
        _check_id("location", self.location)
        _check_id("dataset", self.dataset)

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.location}/datasets/{self.dataset}"

    @property
    def parent(self) -> LocationName:
        """The location the dataset is in."""
        return LocationName(self.project, self.location)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a full name.

        Raises:
            ResourceNameError: It does not have the form.
        """
        project, location, dataset = _split(text, "projects/{project}/locations/{location}/datasets/{dataset}")
        return cls(project, location, dataset)

    @classmethod
    def resolve(cls, name: str | DatasetName, *, project: str | None, location: str | None) -> DatasetName:
        """Complete a short form (``"dataset1"``) with a project and a location; full names pass through.

        Raises:
            ResourceNameError: It has neither form, or the short form lacks a project or a location.
        """
        if isinstance(name, DatasetName):
            return name
        if _is_inside_a_dataset(name):
            raise ResourceNameError(
                "a dataset is needed, and this names something inside one: give the dataset alone ('dataset1', or the "
                "full name up to it), or call the method for stores"
            )
        if _is_full(name):
            return cls.parse(name)
        base = _base(project, location, name)
        return cls(base.project, base.location, name)


@dataclass(frozen=True, slots=True, order=True)
class _StoreName:
    project: str
    location: str
    dataset: str
    store: str

    def __post_init__(self) -> None:
        _check_id("project", self.project, colon=True)
        _check_id("location", self.location)
        _check_id("dataset", self.dataset)
        _check_id("store", self.store)

    def __str__(self) -> str:
        dataset = f"projects/{self.project}/locations/{self.location}/datasets/{self.dataset}"
        return f"{dataset}/{self._collection()}/{self.store}"

    @property
    def parent(self) -> DatasetName:
        """The dataset the store is in."""
        return DatasetName(self.project, self.location, self.dataset)

    @classmethod
    def _collection(cls) -> str:
        raise NotImplementedError

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a full name.

        Raises:
            ResourceNameError: It does not have the form.
        """
        form = f"projects/{{project}}/locations/{{location}}/datasets/{{dataset}}/{cls._collection()}/{{store}}"
        project, location, dataset, store = _split(text, form)
        return cls(project, location, dataset, store)

    @classmethod
    def resolve(cls, name: str | Self, *, project: str | None, location: str | None) -> Self:
        """Complete a short form (``"dataset1/store1"``) with a project and a location; full names pass through.

        Raises:
            ResourceNameError: It has neither form, or the short form lacks a project or a location.
        """
        if isinstance(name, cls):
            return name
        text = str(name)
        if _is_full(text):
            return cls.parse(text)
        dataset, separator, store = text.partition("/")
        if not separator:
            raise ResourceNameError(
                f"a store is needed, as 'dataset/store' or in full ({cls._collection()}); without '/' it is a dataset"
            )
        base = _base(project, location, text)
        return cls(base.project, base.location, dataset, store)


@dataclass(frozen=True, slots=True, order=True)
class DicomStoreName(_StoreName):
    """``projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{store}``."""

    @classmethod
    def _collection(cls) -> str:
        return "dicomStores"


@dataclass(frozen=True, slots=True, order=True)
class FhirStoreName(_StoreName):
    """``projects/{project}/locations/{location}/datasets/{dataset}/fhirStores/{store}``."""

    @classmethod
    def _collection(cls) -> str:
        return "fhirStores"


@dataclass(frozen=True, slots=True, order=True)
class OperationName:
    """``projects/{project}/locations/{location}/datasets/{dataset}/operations/{operation}``.

    The dataset is the one the operation was started on: of a de-identification, the source.
    """

    project: str
    location: str
    dataset: str
    operation: str

    def __post_init__(self) -> None:
        _check_id("project", self.project, colon=True)
        _check_id("location", self.location)
        _check_id("dataset", self.dataset)
        _check_id("operation", self.operation)

    def __str__(self) -> str:
        dataset = f"projects/{self.project}/locations/{self.location}/datasets/{self.dataset}"
        return f"{dataset}/operations/{self.operation}"

    @property
    def parent(self) -> DatasetName:
        """The dataset the operation was started on."""
        return DatasetName(self.project, self.location, self.dataset)

    @classmethod
    def parse(cls, text: str, *, lenient: bool = False) -> Self:
        """Parse a full name.

        Args:
            text: The name.
            lenient: Accept the form without ``operations/`` that Google's tutorial prints as the first answer.

        Raises:
            ResourceNameError: It does not have the form.
        """
        form = "projects/{project}/locations/{location}/datasets/{dataset}/operations/{operation}"
        if lenient and "/operations/" not in text:
            try:
                project, location, dataset, operation = _split(text, form.replace("operations/", ""))
            except ResourceNameError:
                pass
            else:
                return cls(project, location, dataset, operation)
        project, location, dataset, operation = _split(text, form)
        return cls(project, location, dataset, operation)

    @classmethod
    def resolve(cls, name: str | OperationName, *, project: str | None, location: str | None) -> OperationName:
        """Complete a short form (``"dataset1/123"``) with a project and a location; full names pass through.

        Raises:
            ResourceNameError: It has neither form, or the short form lacks a project or a location.
        """
        if isinstance(name, OperationName):
            return name
        if _is_full(name):
            return cls.parse(name, lenient=True)
        dataset, separator, operation = name.partition("/")
        if not separator:
            raise ResourceNameError("an operation is named 'dataset/operation' or in full; there is no '/'")
        base = _base(project, location, name)
        return cls(base.project, base.location, dataset, operation)


def _is_inside_a_dataset(name: object) -> bool:
    """Return whether a store, an operation or an instance is named."""
    if not isinstance(name, str):
        return isinstance(name, _StoreName | OperationName)
    below = name.partition("/datasets/")[2] if name.startswith("projects/") else name
    return "/" in below


def _is_full(text: object) -> bool:
    if not isinstance(text, str):
        raise ResourceNameError(f"a name is text or a name object of its kind, not {type(text).__name__}")
    return text.startswith("projects/")


def _split(text: str, form: str) -> tuple[str, ...]:
    """Return the IDs of ``text`` in the order of ``form``, whose collections must match exactly."""
    found = _pattern(form).fullmatch(text)
    if found is None:
        raise ResourceNameError(f"a name of the form {form} is needed")
    return found.groups()


@functools.cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile("/".join("([^/]*)" if part.startswith("{") else part for part in form.split("/")))


def _base(project: str | None, location: str | None, name: str) -> LocationName:
    missing: list[str] = [what for what, value in (("project", project), ("location", location)) if not value]
    if missing:
        raise ResourceNameError(
            f"the short name {name!r} needs a {' and a '.join(missing)}: give the client project= and location=, "
            "or use the full name projects/…/locations/…/datasets/…"
        )
    assert project is not None
    assert location is not None
    return LocationName(project, location)


def parse_name(text: str) -> LocationName | DatasetName | DicomStoreName | FhirStoreName | OperationName:
    """Parse a full name of any kind.

    Raises:
        ResourceNameError: It is not a name of any of these resources.
    """
    parsers: tuple[
        Callable[[str], LocationName | DatasetName | DicomStoreName | FhirStoreName | OperationName], ...
    ] = (
        OperationName.parse,
        DicomStoreName.parse,
        FhirStoreName.parse,
        DatasetName.parse,
        LocationName.parse,
    )
    for parse in parsers:
        try:
            return parse(text)
        except ResourceNameError:
            continue
    raise ResourceNameError("not the name of a location, dataset, DICOM store, FHIR store or operation")
