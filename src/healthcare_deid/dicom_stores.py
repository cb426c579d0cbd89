"""DICOM stores as source and destination of runs and pipelines, over DICOMweb.

Stores of Google's and of the emulator have names. Any other DICOMweb server, such as Orthanc, has a URL; Google's
credentials never go there. The client retries when the store is busy (429, 503).
"""

from __future__ import annotations

import os
import re
import secrets
import weakref
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.http.credentials import anonymous
from healthcare_deid.client.http.origin import Origin
from healthcare_deid.client.transfers.dicomweb import DicomWeb
from healthcare_deid.client.transfers.download import instances_of
from healthcare_deid.client.transfers.identifiers import is_uid
from healthcare_deid.client.transfers.single_part import keep_only_part
from healthcare_deid.client.transfers.store_response import read_answer
from healthcare_deid.engine.runs.originals import Entry, Trouble
from healthcare_deid.engine.runs.stores import StagedStore
from healthcare_deid.engine.runs.temporary import temporary_file
from healthcare_deid.errors import ApiError, ConfigError, DeidError, EngineError, NotFound, ReplyError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from healthcare_deid.engine.runs.naming import Names

__all__ = ["DicomStoreOriginals", "DicomStoreResults"]

_STORE = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/dicomStores/[^/]+")
_URL = re.compile(rf"(?P<endpoint>https?://[^/?#]+)/(?P<version>v1|v1beta1)/(?P<store>{_STORE.pattern})/dicomWeb/?")
_ROOT = re.compile(r"https?://[^/?#@\s]+(?:/[^/?#\s]+)+/?")
AUTHORIZATION_VARIABLE = "HEALTHCARE_DEID_DICOMWEB_AUTHORIZATION"
"""Environment variable with the Authorization header for a DICOMweb server that is not Google's."""
_CONFLICT, _NOT_ALLOWED = 409, 405
# As stored. A single part is for Google's stores only: not every server sends one.
_PART10 = "application/dicom; transfer-syntax=*"
_MULTIPART = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_SUFFIX = ".dcm"
_UNUSABLE = "the search result has no valid UIDs for an instance"


def is_store(place: str) -> bool:
    """Return whether *place* is the full name of a DICOM store."""
    return _STORE.fullmatch(place) is not None


def _is_root(place: str) -> bool:
    """Return whether *place* is the root of a DICOMweb server, and no misspelled store of Google's."""
    return _ROOT.fullmatch(place) is not None and "/dicomStores/" not in place and Origin.of(place) is not None


def _authorization(origin: Origin) -> dict[str, str]:
    """Return the header that a server's user has given for it.

    Raises:
        ConfigError: The variable does not hold a header, or it would be sent to another machine unencrypted.
    """
    given = os.environ.get(AUTHORIZATION_VARIABLE, "")
    if not given:
        return {}
    if not (given.isascii() and given.isprintable()):
        raise ConfigError(
            f"{AUTHORIZATION_VARIABLE}: must be a header such as 'Basic dXNlcjpwYXNz', in printable ASCII"
        )
    if not origin.is_confidential:
        raise ConfigError(
            f"{AUTHORIZATION_VARIABLE}: would be sent unencrypted: use https, or a server on this machine"
        )
    return {"authorization": given}


class _StoreConnection:
    def __init__(self, name: str, endpoint: str | None, api_version: Any = "v1") -> None:
        from healthcare_deid.client.sync import DeidClient

        self._is_googles = is_store(name)
        if self._is_googles:
            self._client = client = DeidClient(endpoint=endpoint, api_version=api_version)
            self._web = DicomWeb.of_store(client._session, client._context, client._context.dicom_store(name))
            return
        origin = Origin.of(name)
        if origin is None:
            raise ConfigError("the URL of a DICOMweb server cannot be read")
        self._client = client = DeidClient(endpoint=str(origin), credentials=anonymous())
        self._web = DicomWeb(client._session, client._context, name, _authorization(origin))

    def read_into(self, name: str, path: Path) -> None:
        """Write an instance into a file; raises what `read` does."""
        accepted = _PART10 if self._is_googles else _MULTIPART
        reply = self._web.send("GET", _address(name), headers={"accept": accepted}, into=path)
        keep_only_part(path, reply.headers.get("content-type", ""))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def names(self) -> Iterator[str]:
        """Yield ``study/series/instance`` of every instance."""
        for uids in instances_of(self._web, None):
            yield "/".join(uids)


class StoreReader(_StoreConnection):
    """Lists and retrieves instances.

    Args:
        name: Full name of the store, or the URL of a DICOMweb server.
        endpoint: As for `DeidClient`.
        api_version: As for `DeidClient`.
    """

    def read(self, name: str) -> bytes:
        """Retrieve an instance.

        Raises:
            ReplyError: *name* is not made of three UIDs.
            ApiError: The store replied with an error.
            TransportError: No reply arrived.
        """
        with temporary_file() as path:  # a reply in memory has a limit that instances do not have
            self.read_into(name, path)
            return path.read_bytes()


class StoreWriter(_StoreConnection):
    """Stores instances.

    Args:
        name: Full name of the store, or the URL of a DICOMweb server.
        endpoint: As for `DeidClient`.
        api_version: As for `DeidClient`.
    """

    def write(self, data: bytes) -> None:
        """Store an instance.

        An instance that is already stored with the same bytes counts as success.

        Raises:
            ReplyError: The store rejected the instance, or has a different one with its UIDs.
            ApiError: The store replied with an error.
            TransportError: No reply arrived.
        """
        kind = "application/dicom"
        if not self._is_googles:
            boundary = secrets.token_hex(16)
            kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
            begin = f"--{boundary}\r\ncontent-type: application/dicom\r\n\r\n".encode()
            data = b"".join((begin, data, f"\r\n--{boundary}--\r\n".encode()))
        headers = {"content-type": kind, "accept": "application/dicom+json"}
        reply = self._web.send("POST", "/studies", body=data, headers=headers, answers=(_CONFLICT,))
        answer = read_answer(reply.content)
        if answer.stored and reply.status != _CONFLICT:
            return
        if not answer.failed and reply.status != _CONFLICT:
            raise ReplyError("the store's reply does not say whether the instance was stored")
        raise ReplyError("the store rejected an instance, or has a different one with the same UIDs")

    def replace(self, name: str, data: bytes) -> None:
        """Store an instance in place of another one with its UIDs; raises what `write` does."""
        # Some servers report success and keep the instance that they have.
        if not self._is_googles and self.has(name):
            with temporary_file() as path:
                self.read_into(name, path)
                if path.read_bytes() == data:
                    return
            self.delete(name)
        try:
            self.write(data)
        except ReplyError:
            if not self._is_googles or not self.has(name):
                raise
            self.delete(name)
            self.write(data)

    def has(self, name: str) -> bool:
        """Return whether an instance is there; raises what `read` does."""
        study, series, instance = _uids(name)
        try:
            return bool(self._web.json(f"/studies/{study}/series/{series}/instances?SOPInstanceUID={instance}&limit=1"))
        except NotFound:
            return False

    def delete(self, name: str) -> None:
        """Delete an instance, if it is there; raises what `read` does."""
        try:
            self._web.send("DELETE", _address(name))
        except NotFound:
            return
        except ApiError as error:
            if error.status != _NOT_ALLOWED:
                raise
            raise ReplyError(
                "the store has another instance with these UIDs and deletes none: delete it there"
            ) from None

    def check(self) -> None:
        """Raise what `read` does unless the store can be searched."""
        self._web.json("/studies?limit=1")


class _End:
    """A DICOM store. It can be pickled: every process connects anew."""

    folder = None

    def __init__(self, store: str, *, endpoint: str | None = None) -> None:
        found = _URL.fullmatch(store)
        if found is None and not is_store(store) and not _is_root(store):
            raise ConfigError(
                "a DICOM store is projects/P/locations/L/datasets/D/dicomStores/S, its URL "
                "https://HOST/v1/projects/P/locations/L/datasets/D/dicomStores/S/dicomWeb, or the URL of another "
                "DICOMweb server, such as http://localhost:8042/dicom-web"
            )
        if not is_store(store) and endpoint is not None:
            raise ConfigError("endpoint: the store's URL has its own: leave it out, or give the store's name")
        self._given: tuple[str, str | None, str] = (
            (store.rstrip("/"), endpoint, "v1")
            if found is None
            else (found["store"], found["endpoint"], found["version"])
        )

    def __getstate__(self) -> dict[str, Any]:
        # Connections are cached in the dictionary under their own names.
        return {name: value for name, value in self.__dict__.items() if name not in ("_reader", "_writer", "_listed")}

    @property
    def url(self) -> str:
        """The store's full name, whatever the endpoint: one store may have two. Of another server, its URL."""
        return self._given[0]


class DicomStoreOriginals(_End):
    """The instances of a DICOM store, as source of a run.

    Args:
        store: The store's full name ``projects/…/dicomStores/…``, its URL ``https://…/v1/projects/…/dicomWeb``, or the
            URL of another DICOMweb server. Credentials for that one are in the environment variable
            ``HEALTHCARE_DEID_DICOMWEB_AUTHORIZATION``, as an Authorization header.
        endpoint: As for `DeidClient`; a URL has its own.

    Raises:
        ConfigError: *store* does not name a DICOM store.
    """

    @cached_property
    def _reader(self) -> StoreReader:
        reader = StoreReader(*self._given)
        weakref.finalize(self, reader.close)
        return reader

    _listed: list[str] | None = None
    """A listing that was counted and is not yet used: a store is searched once a run."""

    def count(self) -> int | None:
        """Return how many instances there are."""
        self._listed = [*self._reader.names()]
        return len(self._listed)

    def entries(self) -> Iterator[Entry]:
        """Yield the instances, as the store lists them: ``study/series/instance.dcm``.

        Raises:
            ApiError: The store replied with an error.
            TransportError: No reply arrived.
        """
        listed, self._listed = self._listed, None
        for name in self._reader.names() if listed is None else listed:
            usable = _is_name(name)
            yield Entry(f"{name}{_SUFFIX}", None if usable else Trouble("bad-name", _UNUSABLE))

    @contextmanager
    def opened(self, entry: Entry) -> Generator[Path]:
        """Yield a temporary file that holds the instance.

        Raises:
            EngineError: It cannot be retrieved.
        """
        with temporary_file() as path:
            with _of_one():
                self._reader.read_into(entry.name.removesuffix(_SUFFIX), path)
            yield path


class DicomStoreResults(_End, StagedStore):
    """A DICOM store, as destination of a run: it exists, and each result is stored under its new UIDs.

    Args:
        store: The store's full name ``projects/…/dicomStores/…``, its URL ``https://…/v1/projects/…/dicomWeb``, or the
            URL of another DICOMweb server. Credentials for that one are in the environment variable
            ``HEALTHCARE_DEID_DICOMWEB_AUTHORIZATION``, as an Authorization header.
        endpoint: As for `DeidClient`; a URL has its own.

    Raises:
        ConfigError: *store* does not name a DICOM store.
    """

    @cached_property
    def _writer(self) -> StoreWriter:
        writer = StoreWriter(*self._given)
        weakref.finalize(self, writer.close)
        return writer

    def begin(self, run: Path, names: Names) -> None:
        """See that the store is there.

        Raises:
            ConfigError: Results are to be called as their sources.
            ApiError: The store replied with an error.
            TransportError: No reply arrived.
        """
        if names != "uid":
            raise ConfigError("names: a DICOM store calls instances by their UIDs: names='uid', without --keep-names")
        super().begin(run, names)
        self._writer.check()

    def names(self) -> Iterator[str]:
        """Yield the names of the instances."""
        for name in self._writer.names():
            yield f"{name}{_SUFFIX}"

    def has(self, name: str, size: int | None = None) -> bool:
        """Return whether an instance is there: a store has all of it or nothing, and does not tell its length."""
        del size
        uids = name.removesuffix(_SUFFIX)
        with _of_one():
            return _is_name(uids) and self._writer.has(uids)

    def commit(self, staged: Path, name: str) -> None:
        """Store the staged file; another instance with its UIDs is deleted first.

        Raises:
            OSError: The file cannot be read.
            EngineError: It is not stored.
        """
        uids = name.removesuffix(_SUFFIX)
        if not _is_name(uids):
            raise EngineError("a UID is missing, without which no DICOM store takes an instance", reason="no-uid")
        with _of_one():
            self._writer.replace(uids, staged.read_bytes())
        staged.unlink()

    def remove(self, name: str) -> None:
        """Delete an instance, if it is there."""
        uids = name.removesuffix(_SUFFIX)
        if _is_name(uids):
            with _of_one():
                self._writer.delete(uids)


@contextmanager
def _of_one() -> Generator[None]:
    """Make an error of the client's one of an instance: it stops no other."""
    try:
        yield
    except EngineError:
        raise
    except DeidError as error:
        raise EngineError(f"the DICOM store: {error}", reason="io-error") from None


def _is_name(name: str) -> bool:
    uids = name.split("/")
    return len(uids) == 3 and all(map(is_uid, uids))


def _uids(name: str) -> list[str]:
    # Names come from the store's search results. Anything but UIDs could address another path of the endpoint.
    if not _is_name(name):
        raise ReplyError(_UNUSABLE)
    return name.split("/")


def _address(name: str) -> str:
    study, series, instance = _uids(name)
    return f"/studies/{study}/series/{series}/instances/{instance}"
