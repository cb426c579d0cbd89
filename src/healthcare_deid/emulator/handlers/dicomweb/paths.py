"""Paths of DICOMweb: the store and the UIDs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.storage.header import is_uid

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.routes import Call

_UIDS = (("study", "Study"), ("series", "Series"), ("instance", "SOP"))


def checked_store(backend: Backend, call: Call, permission: str) -> str:
    """Return the name of the store in a path, whose UIDs are UIDs.

    Raises:
        ServiceError: 400 for something else than a UID, 403 for a missing dataset, 404 for a missing store.
    """
    for variable, name in _UIDS:
        if not is_uid(call.ids.get(variable, "1")):
            raise invalid(f"The path has no valid {name} Instance UID: numbers with dots, up to 64 characters.")
    backend.catalog.check_store(call.dicom_store, permission)
    return str(call.dicom_store)
