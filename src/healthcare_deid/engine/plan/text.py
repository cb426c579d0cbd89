"""Text plan: the transformation of each finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthcare_deid.config.v1.text import InfoTypeTransformation, TextConfig
    from healthcare_deid.config.v1beta1 import TextConfig as TextConfigV1Beta1


@dataclass(frozen=True, slots=True)
class TextPlan:
    """Text plan, independent of the API version.

    Attributes:
        transformations: In the order given. One that names an infoType precedes one that names none; otherwise the
            first applies.
        excluded: InfoTypes to leave.
        exclusion_wins: Whether an infoType that is both excluded and transformed is left (v1) or transformed (v1beta1).
        transforms_unnamed: Whether infoTypes without a transformation are transformed too: dates are shifted, others
            replaced by the infoType's name.
        record_numbers: Whether patient and visit numbers are found by default.
        contextual: Whether phrases that repeat the instance's identifying attributes are replaced.
        pixel_info_types: InfoTypes to find in pixels besides the default ones.
        claims_removal: Whether the result claims that the patient's identity was removed, so that unexplained numbers
            must not stay.
        shifts_dates: Whether dates that would be kept are shifted.
    """

    transformations: tuple[InfoTypeTransformation, ...] = ()
    excluded: frozenset[str] = frozenset()
    exclusion_wins: bool = True
    transforms_unnamed: bool = True
    record_numbers: bool = False
    contextual: bool = False
    pixel_info_types: frozenset[str] = frozenset()
    claims_removal: bool = False
    shifts_dates: bool = False

    @property
    def leaves_findings(self) -> bool:
        """Whether some findings are left in cleaned text."""
        return bool(self.excluded) or not self.transforms_unnamed


def transformations_of(text: TextConfig | TextConfigV1Beta1 | None) -> tuple[InfoTypeTransformation, ...]:
    """Return a message's transformations, with those of the deprecated field last."""
    return () if text is None else (*text.additional_transformations, *text.transformations)
