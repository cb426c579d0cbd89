"""Long-running operations as the service describes them.

Unknown fields are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from healthcare_deid.config.base.field_types import Int64, Items
from healthcare_deid.config.base.message import ReplyMessage


class ProgressCounter(ReplyMessage):
    """Progress of an operation; the service omits zeros. Source: v1 ``ProgressCounter``."""

    pending: Int64 = 0
    """Units still to process."""
    success: Int64 = 0
    """Units processed."""
    failure: Int64 = 0
    """Units that failed; they are missing in the destination."""
    secondary_success: Int64 = 0
    """Secondary units processed, if the method counts them."""
    secondary_failure: Int64 = 0
    """Secondary units that failed, if the method counts them."""


class OperationMetadata(ReplyMessage):
    """Metadata of an operation. Source: v1 ``OperationMetadata``."""

    api_method_name: str | None = None
    """Name such as ``google.cloud.healthcare.v1.dataset.DatasetService.DeidentifyDataset``."""
    create_time: str | None = None
    """Time of creation, RFC 3339."""
    end_time: str | None = None
    """Time its work ended, RFC 3339."""
    cancel_requested: bool = False
    """Whether cancellation was requested."""
    counter: ProgressCounter | None = None
    """Progress."""
    logs_url: str | None = None
    """URL of its error log in Cloud Logging."""

    @property
    def created_at(self) -> datetime | None:
        """`create_time` as an aware `datetime`, or `None`.

        It is `None` if the time is absent or malformed.
        """
        return _time(self.create_time)

    @property
    def ended_at(self) -> datetime | None:
        """`end_time` as an aware `datetime`, or `None`.

        It is `None` if the time is absent or malformed.
        """
        return _time(self.end_time)


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


class Status(ReplyMessage):
    """Error of an operation. Source: v1 ``Status`` (``google.rpc.Status``)."""

    code: int = 0
    """Number of ``google.rpc.Code``; 1 is CANCELLED."""
    message: str | None = Field(default=None, repr=False)
    """The server's own text. Do not log it: it may hold data."""
    details: Items[Mapping[str, Any]] = Field(default=(), repr=False)
    """Details, as sent."""


class Operation(ReplyMessage):
    """A long-running operation. Source: v1 ``Operation``."""

    name: str | None = None
    """``projects/*/locations/*/datasets/*/operations/*``."""
    done: bool = False
    """Whether it ended, successfully or not; absent means no."""
    metadata: OperationMetadata | None = None
    """Its metadata."""
    error: Status | None = None
    """Its error, if it failed."""
    response: Mapping[str, Any] | None = Field(default=None, repr=False)
    """Its result as sent; the type depends on the method."""


class ListOperationsResponse(ReplyMessage):
    """A page of operations. Source: v1 ``ListOperationsResponse``."""

    operations: Items[Operation] = ()
    """The operations."""
    next_page_token: str | None = None
    """Token of the next page."""
    unreachable: Items[str] = ()
    """Locations that could not be reached."""


class _Summary(ReplyMessage):
    """A summary, empty today.

    Older services put counts in it.
    """

    def _legacy(self, name: str) -> int | None:
        value = self.unknown.get(name)
        return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Show the counts of older services; name other unknown fields."""
        counts = (
            ("successResourceCount", "success_resource_count", self.success_resource_count),
            ("successStoreCount", "success_store_count", self.success_store_count),
        )
        shown: list[tuple[str | None, Any]] = [(name, count) for _, name, count in counts if count is not None]
        rest = sorted(self.unknown.keys() - {sent for sent, _, count in counts if count is not None})
        return [*shown, *([("unknown", rest)] if rest else [])]

    @property
    def success_resource_count(self) -> int | None:
        """``successResourceCount`` of older services; prefer the operation's counter."""
        return self._legacy("successResourceCount")

    @property
    def success_store_count(self) -> int | None:
        """``successStoreCount`` of older services; prefer the operation's counter."""
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


class Empty(ReplyMessage):
    """An empty response. Source: v1 ``Empty``."""
