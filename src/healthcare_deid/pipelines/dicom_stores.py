"""Reading and writing instances of a DICOM store with DICOMweb.

The client retries when the store is busy (429, 503).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.client.transfers.dicomweb import DicomWeb
from healthcare_deid.client.transfers.download import instances_of
from healthcare_deid.client.transfers.identifiers import is_uid
from healthcare_deid.client.transfers.store_response import read_answer
from healthcare_deid.errors import ReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STORE = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/dicomStores/[^/]+")
_CONFLICT = 409
_PART10 = {"accept": "application/dicom; transfer-syntax=*"}
_STORED = {"content-type": "application/dicom", "accept": "application/dicom+json"}


def is_store(place: str) -> bool:
    """Return whether *place* is the full name of a DICOM store."""
    return _STORE.fullmatch(place) is not None


class _StoreConnection:
    def __init__(self, name: str, endpoint: str | None) -> None:
        from healthcare_deid.client.sync import DeidClient

        self._client = client = DeidClient(endpoint=endpoint)
        self._web = DicomWeb(client._session, client._context, client._context.dicom_store(name))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class StoreReader(_StoreConnection):
    """Lists and retrieves instances.

    Args:
        name: Full name of the store.
        endpoint: As for `DeidClient`.
    """

    def names(self) -> Iterator[str]:
        """Yield ``study/series/instance`` of every instance."""
        for uids in instances_of(self._web, None):
            yield "/".join(uids)

    def read(self, name: str) -> bytes:
        """Retrieve an instance.

        Raises:
            ReplyError: *name* is not made of three UIDs.
            ApiError: The store replied with an error.
            TransportError: No reply arrived.
        """
        uids = name.split("/")
        # Names come from the store's search results. Anything but UIDs could address another path of the endpoint.
        if len(uids) != 3 or not all(map(is_uid, uids)):
            raise ReplyError("the search result has no valid UIDs for an instance")
        study, series, instance = uids
        uri = f"/studies/{study}/series/{series}/instances/{instance}"
        return self._web.send("GET", uri, headers=_PART10).content


class StoreWriter(_StoreConnection):
    """Stores instances.

    Args:
        name: Full name of the store.
        endpoint: As for `DeidClient`.
    """

    def write(self, data: bytes) -> None:
        """Store an instance.

        An instance that is already stored with the same bytes counts as success.

        Raises:
            ReplyError: The store rejected the instance, or has a different one with its UIDs.
            ApiError: The store replied with an error.
            TransportError: No reply arrived.
        """
        reply = self._web.send("POST", "/studies", body=data, headers=_STORED, answers=(_CONFLICT,))
        answer = read_answer(reply.content)
        if answer.stored and reply.status != _CONFLICT:
            return
        if not answer.failed and reply.status != _CONFLICT:
            raise ReplyError("the store's reply does not say whether the instance was stored")
        raise ReplyError("the store rejected an instance, or has a different one with the same UIDs")
