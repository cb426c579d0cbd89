"""Store and UIDs in DICOMweb paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.storage.header import is_uid

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.routes import RoutedRequest

_UIDS = (("study", "Study"), ("series", "Series"), ("instance", "SOP"))


def checked_store(backend: Backend, call: RoutedRequest, permission: str) -> str:
    """Return the store name in a path after checking its UIDs.

    Raises:
        ServiceError: 400: a UID is invalid. 403: the dataset does not exist. 404: the store does not exist.
    """
    for variable, name in _UIDS:
        if not is_uid(call.ids.get(variable, "1")):
            raise invalid(f"Invalid {name} Instance UID in the path: it must be digits and dots, up to 64 characters.")
    backend.catalog.check_store(call.dicom_store, permission)
    return str(call.dicom_store)
