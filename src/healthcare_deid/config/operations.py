"""Long-running operations as the service describes them: state, counters, errors. Unknown fields are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from healthcare_deid.config.fields import Int64, Items
from healthcare_deid.config.message import Reply


class ProgressCounter(Reply):
    """How far an operation is; the service leaves zeros out. Source: v1 ``ProgressCounter``."""

    pending: Int64 = 0
    """Units still to do."""
    success: Int64 = 0
    """Units done."""
    failure: Int64 = 0
    """Units that failed: they are missing in the destination."""
    secondary_success: Int64 = 0
    """Secondary units done, where a method counts them."""
    secondary_failure: Int64 = 0
    """Secondary units that failed, where a method counts them."""


class OperationMetadata(Reply):
    """What an operation tells of itself. Source: v1 ``OperationMetadata``."""

    api_method_name: str | None = None
    """Such as ``google.cloud.healthcare.v1.dataset.DatasetService.DeidentifyDataset``."""
    create_time: str | None = None
    """When it was created, RFC 3339."""
    end_time: str | None = None
    """When its work ended, RFC 3339."""
    cancel_requested: bool = False
    """Whether it was asked to stop."""
    counter: ProgressCounter | None = None
    """How far it is."""
    logs_url: str | None = None
    """Where its error log is: Cloud Logging."""

    @property
    def created_at(self) -> datetime | None:
        """`create_time` as an aware `datetime`, to the microsecond; nothing where it is absent or no RFC 3339 time."""
        return _time(self.create_time)

    @property
    def ended_at(self) -> datetime | None:
        """`end_time` as an aware `datetime`, to the microsecond; nothing where it is absent or no RFC 3339 time."""
        return _time(self.end_time)


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


class Status(Reply):
    """Why an operation failed. Source: v1 ``Status`` (``google.rpc.Status``)."""

    code: int = 0
    """Number of ``google.rpc.Code``; 1 is CANCELLED."""
    message: str | None = Field(default=None, repr=False)
    """The server's own text: may hold data, do not log it."""
    details: Items[Mapping[str, Any]] = Field(default=(), repr=False)
    """Details, as sent."""


class Operation(Reply):
    """A long-running operation. Source: v1 ``Operation``."""

    name: str | None = None
    """``projects/*/locations/*/datasets/*/operations/*``."""
    done: bool = False
    """Whether it ended, well or not; absent means no."""
    metadata: OperationMetadata | None = None
    """What it tells of itself."""
    error: Status | None = None
    """Why it failed, if it did."""
    response: Mapping[str, Any] | None = Field(default=None, repr=False)
    """Its result, as sent; what it is depends on the method."""


class ListOperationsResponse(Reply):
    """A page of operations. Source: v1 ``ListOperationsResponse``."""

    operations: Items[Operation] = ()
    """The operations."""
    next_page_token: str | None = None
    """What asks for the next page."""
    unreachable: Items[str] = ()
    """What could not be asked."""


class _Summary(Reply):
    """A summary has no fields today; older services counted in it."""

    def _legacy(self, name: str) -> int | None:
        value = self.unknown.get(name)
        return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None

    @property
    def success_resource_count(self) -> int | None:
        """What older services sent as ``successResourceCount``; prefer the operation's counter."""
        return self._legacy("successResourceCount")

    @property
    def success_store_count(self) -> int | None:
        """What older services sent as ``successStoreCount``; prefer the operation's counter."""
        return self._legacy("successStoreCount")


class DeidentifySummary(_Summary):
    """Result of ``datasets.deidentify``. Source: v1 ``DeidentifySummary``."""


class DeidentifyDicomStoreSummary(_Summary):
    """Result of ``dicomStores.deidentify``.

    Source: v1 ``GoogleCloudHealthcareV1DeidentifyDeidentifyDicomStoreSummary``.
    """


class DeidentifyFhirStoreSummary(_Summary):
    """Result of ``fhirStores.deidentify``.

    Source: v1 ``GoogleCloudHealthcareV1DeidentifyDeidentifyFhirStoreSummary``.
    """


class Empty(Reply):
    """An empty answer. Source: v1 ``Empty``."""
