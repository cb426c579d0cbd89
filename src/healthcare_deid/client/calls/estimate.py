"""Size and estimated cost of a de-identification."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.calls.requests import dicom_store_metrics, dicom_stores_page
from healthcare_deid.client.protocol import methods as table
from healthcare_deid.client.protocol.operation_state import int64
from healthcare_deid.errors import ConfigError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.flow import Flow

T = TypeVar("T")

GIB = 2**30
PRICE_LIST = "https://cloud.google.com/healthcare-api/pricing"
"""Google's price list; see its section "De-identification operations"."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Price tier: the price of a GiB above a monthly amount.

    It applies up to the start of the next tier.
    """

    above_gib: float
    per_gib: float


Price = float | tuple[Tier, ...]
"""Price per GiB, or tiers by monthly amount: ``(Tier(0, 0.0), Tier(1, 0.3), Tier(1024, 0.2))``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices of de-identification, taken from Google's `PRICE_LIST`.

    There are no default prices: they change over time and depend on contract and currency, and a wrong estimate is
    worse than none. The service charges for data that it inspects and for data that it transforms, by monthly amount.

    Attributes:
        inspect_per_gib: Price of inspecting a GiB for sensitive text.
        transform_per_gib: Price of writing a GiB of transformed data.
        currency: Currency of both prices.
        as_of: Date of the price list. The finding repeats it.
        already_gib: GiB already charged this month. It selects the tier.
    """

    inspect_per_gib: Price = 0.0
    transform_per_gib: Price = 0.0
    currency: str = "USD"
    as_of: dt.date | None = None
    already_gib: float = 0.0

    def __post_init__(self) -> None:
        for name, price in (("inspect_per_gib", self.inspect_per_gib), ("transform_per_gib", self.transform_per_gib)):
            tiers = tiers_of(price)
            starts = [tier.above_gib for tier in tiers]
            if not tiers or starts[0] != 0 or starts != sorted(set(starts)):
                raise ConfigError(f"PriceTable: {name}: tiers must start at 0 GiB and be in ascending order")
            if min(tier.per_gib for tier in tiers) < 0:
                raise ConfigError(f"PriceTable: {name}: a price must be 0 or more")

    def cost(self, gib: float) -> float:
        """Return the maximum cost of an amount.

        All of it is taken to be inspected and transformed.
        """
        return sum(
            _charge(tiers_of(price), self.already_gib + gib) - _charge(tiers_of(price), self.already_gib)
            for price in (self.inspect_per_gib, self.transform_per_gib)
        )


def tiers_of(price: Price) -> tuple[Tier, ...]:
    """Return a price as tiers."""
    return price if isinstance(price, tuple) else (Tier(0, price),)


def _charge(tiers: tuple[Tier, ...], gib: float) -> float:
    """Return the cost of a monthly amount."""
    # Each tier's price applies only to the part of the amount within the tier.
    ends = [*(tier.above_gib for tier in tiers[1:]), float("inf")]
    return sum(
        tier.per_gib * (min(gib, end) - tier.above_gib)
        for tier, end in zip(tiers, ends, strict=True)
        if gib > tier.above_gib
    )


@dataclass(frozen=True, slots=True)
class Volume:
    """Amount of data to de-identify."""

    instances: int = 0
    """DICOM instances."""
    resources: int = 0
    """FHIR resources."""
    bytes: int = 0
    largest_average: float = 0.0
    """Average size of a DICOM instance, in the store where it is largest."""

    def __bool__(self) -> bool:
        return bool(self.instances or self.resources)

    def __add__(self, other: Volume) -> Volume:
        return Volume(
            self.instances + other.instances,
            self.resources + other.resources,
            self.bytes + other.bytes,
            max(self.largest_average, other.largest_average),
        )

    def __str__(self) -> str:
        counts = [f"{self.instances} instances"] if self.instances or not self.resources else []
        counts += [f"{self.resources} FHIR resources"] if self.resources else []
        return f"{' and '.join(counts)}, {self.bytes / GIB:.2f} GiB"


def dicom_volume(context: CallContext, name: DatasetName | DicomStoreName) -> Flow[Volume]:
    """Return the volume of one DICOM store, or of all in a dataset."""
    stores: list[str | DicomStoreName] = []
    if isinstance(name, DicomStoreName):
        stores.append(name)
    else:
        found = yield from _every(partial(dicom_stores_page, context, name, ""))
        stores += [store.name for store in found if store.name]
    total = Volume()
    for store in stores:
        held = yield from dicom_store_metrics(context, store)
        # Blobs are the files. Structured storage holds the service's own copy of the attributes.
        count, blobs = held.instance_count, held.blob_storage_size_bytes
        total += Volume(count, 0, blobs + held.structured_storage_size_bytes, blobs / count if count else 0.0)
    return total


def fhir_volume(context: CallContext, name: DatasetName | FhirStoreName) -> Flow[Volume]:
    """Return the volume of one FHIR store, or of all in a dataset.

    Source: v1 ``FhirStoreMetrics``.
    """
    stores: list[str | FhirStoreName] = []
    if isinstance(name, FhirStoreName):
        stores.append(name)
    else:
        found = yield from _every(partial(context.items, table.FHIR_STORES_LIST, name, "fhirStores"))
        stores += [str(item["name"]) for item in found if item.get("name")]
    total = Volume()
    for store in stores:
        reply = yield from context.send(context.call(table.FHIR_STORES_METRICS, context.fhir_store(store)))
        rows: Any = reply.json.get("metrics") or ()
        for row in rows if isinstance(rows, list) else ():
            counts: dict[str, Any] = row if isinstance(row, dict) else {}
            size = int64(counts.get("structuredStorageSizeBytes"))
            total += Volume(resources=int64(counts.get("count")), bytes=size)
    return total


def _every(page: Callable[[str], Flow[tuple[list[T], str]]]) -> Flow[list[T]]:
    """Return the items of all pages."""
    items, token = yield from page("")
    while token:
        more, token = yield from page(token)
        items += more
    return items
