"""The plan that a config compiles into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from healthcare_deid.engine.plan.pixels import PixelPlan
from healthcare_deid.engine.plan.text import TextPlan

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

NO_DICOM = (
    "the config does not configure DICOM, so the service would skip DICOM stores and no instance would be "
    "de-identified. "
    "Set dicom (v1beta1: dicomTagConfig) to a profile or a list; DicomConfig() keeps every tag and regenerates UIDs"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan for an instance, independent of the config's API version.

    Attributes:
        tags: Treatment of data elements.
        text: Treatment of sensitive text.
        pixels: Burned-in text to cover.
    """

    tags: TagPlan
    text: TextPlan = field(default_factory=TextPlan)
    pixels: PixelPlan = field(default_factory=PixelPlan)

    @property
    def inspects_text(self) -> bool:
        """Whether text is inspected, in tags or in pixels."""
        return self.tags.inspects_text or self.pixels.reads
