"""Resource names of the Cloud Healthcare API.

Names are values: ``str(name)`` is the name as sent to the API, and equal names are the same resource. Every argument
that takes a name also takes its full text or a short form (``"dataset1"``, ``"dataset1/dicomstore1"``), which `resolve`
completes with a project and a location.

Source: the path patterns in the API's discovery document (``^projects/[^/]+/locations/[^/]+/datasets/[^/]+$`` and
below). IDs are checked only for characters that would change the request (``/ ? # %``, white space, control
characters). The service's own rules for IDs differ by resource and change over time, so they are left to the service.
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
# Nearly every ID matches this. It is a shortcut: only other IDs go through the slower checks.
_USUAL = re.compile(r"[\w-][\w.-]{0,255}")


def _check_id(kind: str, value: object, *, colon: bool = False) -> None:
    if isinstance(value, str) and _USUAL.fullmatch(value):
        return
    if not isinstance(value, str) or not value:
        raise ResourceNameError(f"{kind}: the ID must be a non-empty string")
    if len(value) > _MAX_ID_CHARACTERS:
        raise ResourceNameError(f"{kind}: the ID has {len(value)} characters; at most {_MAX_ID_CHARACTERS} are allowed")
    found = _FORBIDDEN.search(value.replace(":", "") if colon else value)
    if found or value in {".", ".."}:
        part = repr(found.group()) if found else repr(value)
        raise ResourceNameError(f"{kind}: {part} is not allowed in an ID; it would address a different resource")


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
            ResourceNameError: *text* is not a full location name.
        """
        project, location = _ids_of(text, "projects/{project}/locations/{location}")
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
        """Location of the dataset."""
        return LocationName(self.project, self.location)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a full name.

        Raises:
            ResourceNameError: *text* is not a full dataset name.
        """
        project, location, dataset = _ids_of(text, "projects/{project}/locations/{location}/datasets/{dataset}")
        return cls(project, location, dataset)

    @classmethod
    def resolve(cls, name: str | DatasetName, *, project: str | None, location: str | None) -> DatasetName:
        """Complete a short name (``"dataset1"``); return a full name as is.

        Raises:
            ResourceNameError: *name* is not a dataset name, or it is short and *project* or *location* is missing.
        """
        if isinstance(name, DatasetName):
            return name
        if _is_inside_a_dataset(name):
            raise ResourceNameError(
                "expected a dataset, got the name of a resource inside one: pass the dataset alone ('dataset1', or the "
                "full name up to it), or call the method for stores"
            )
        if _is_full(name):
            return cls.parse(name)
        base = _location_of(project, location, name)
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
        """Dataset of the store."""
        return DatasetName(self.project, self.location, self.dataset)

    @classmethod
    def _collection(cls) -> str:
        raise NotImplementedError

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a full name.

        Raises:
            ResourceNameError: *text* is not a full store name.
        """
        form = f"projects/{{project}}/locations/{{location}}/datasets/{{dataset}}/{cls._collection()}/{{store}}"
        project, location, dataset, store = _ids_of(text, form)
        return cls(project, location, dataset, store)

    @classmethod
    def resolve(cls, name: str | Self, *, project: str | None, location: str | None) -> Self:
        """Complete a short name (``"dataset1/store1"``); return a full name as is.

        Raises:
            ResourceNameError: *name* is not a store name, or it is short and *project* or *location* is missing.
        """
        if isinstance(name, cls):
            return name
        text = str(name)
        if _is_full(text):
            return cls.parse(text)
        dataset, separator, store = text.partition("/")
        if not separator:
            raise ResourceNameError(
                f"expected a store, as 'dataset/store' or in full ({cls._collection()}); the name has no '/'"
            )
        base = _location_of(project, location, text)
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

    The dataset is the one the operation was started on. For a de-identification, that is the source.
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
        """Dataset that the operation was started on."""
        return DatasetName(self.project, self.location, self.dataset)

    @classmethod
    def parse(cls, text: str, *, lenient: bool = False) -> Self:
        """Parse a full name.

        Args:
            text: Full name.
            lenient: Whether to accept a name without ``operations/``, as Google's tutorial shows it in the first reply.

        Raises:
            ResourceNameError: *text* is not a full operation name.
        """
        form = "projects/{project}/locations/{location}/datasets/{dataset}/operations/{operation}"
        if lenient and "/operations/" not in text:
            try:
                project, location, dataset, operation = _ids_of(text, form.replace("operations/", ""))
            except ResourceNameError:
                pass
            else:
                return cls(project, location, dataset, operation)
        project, location, dataset, operation = _ids_of(text, form)
        return cls(project, location, dataset, operation)

    @classmethod
    def resolve(cls, name: str | OperationName, *, project: str | None, location: str | None) -> OperationName:
        """Complete a short name (``"dataset1/123"``); return a full name as is.

        Raises:
            ResourceNameError: *name* is not an operation name, or it is short and *project* or *location* is missing.
        """
        if isinstance(name, OperationName):
            return name
        if _is_full(name):
            return cls.parse(name, lenient=True)
        dataset, separator, operation = name.partition("/")
        if not separator:
            raise ResourceNameError("expected an operation, as 'dataset/operation' or in full; the name has no '/'")
        base = _location_of(project, location, name)
        return cls(base.project, base.location, dataset, operation)


def _is_inside_a_dataset(name: object) -> bool:
    """Return whether *name* is a resource inside a dataset."""
    if not isinstance(name, str):
        return isinstance(name, _StoreName | OperationName)
    # A short name with a slash is dataset/store or dataset/operation.
    below = name.partition("/datasets/")[2] if name.startswith("projects/") else name
    return "/" in below


def _is_full(text: object) -> bool:
    if not isinstance(text, str):
        raise ResourceNameError(f"a name must be a string or a name object, not {type(text).__name__}")
    return text.startswith("projects/")


def _ids_of(text: str, form: str) -> tuple[str, ...]:
    """Return the IDs in *text*, in the order of *form*.

    Raises:
        ResourceNameError: *text* does not match *form*.
    """
    found = _pattern(form).fullmatch(text)
    if found is None:
        raise ResourceNameError(f"the name must have the form {form}")
    return found.groups()


@functools.cache
def _pattern(form: str) -> re.Pattern[str]:
    # An ID may be empty here, so that _check_id can say which one is missing.
    return re.compile("/".join("([^/]*)" if part.startswith("{") else part for part in form.split("/")))


def _location_of(project: str | None, location: str | None, name: str) -> LocationName:
    missing: list[str] = [part for part, value in (("project", project), ("location", location)) if not value]
    if missing:
        raise ResourceNameError(
            f"the short name {name!r} needs a {' and a '.join(missing)}: pass project= and location= to the client, "
            "or use the full name projects/…/locations/…/datasets/…"
        )
    assert project is not None
    assert location is not None
    return LocationName(project, location)


def parse_name(text: str) -> LocationName | DatasetName | DicomStoreName | FhirStoreName | OperationName:
    """Parse a full name of any kind.

    Raises:
        ResourceNameError: *text* is not a full name of one of these resources.
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
    raise ResourceNameError("not a full name of a location, dataset, DICOM store, FHIR store or operation")
