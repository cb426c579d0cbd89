"""The neutral plan for tags, text and pixels that a config compiles into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from healthcare_deid.engine.plan.pixels import PixelPlan
from healthcare_deid.engine.plan.text import TextPlan

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tags import TagPlan

NO_DICOM = (
    "the config says nothing about DICOM: the service skips DICOM stores then, and no instance is de-identified. "
    "Set dicom (v1beta1: dicomTagConfig) to a profile or a list; DicomConfig() keeps every tag and regenerates UIDs"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan for an instance. Nothing below it asks for the API version of the config.

    Attributes:
        tags: What happens to data elements.
        text: What happens to sensitive text.
        pixels: What is covered in pixels.
    """

    tags: TagPlan
    text: TextPlan = field(default_factory=TextPlan)
    pixels: PixelPlan = field(default_factory=PixelPlan)

    @property
    def inspects_text(self) -> bool:
        """Whether text is looked at, in tags or in pixels."""
        return self.tags.inspects_text or self.pixels.reads
