"""The plan for text: which finding is transformed how. Configs of both API versions compile into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthcare_deid.config.v1.text import InfoTypeTransformation, TextConfig
    from healthcare_deid.config.v1beta1 import TextConfig as TextConfigV1Beta1


@dataclass(frozen=True, slots=True)
class TextPlan:
    """Text plan, the same for both API versions.

    Attributes:
        transformations: In the order given: one that names an infoType is stronger than one that names none, and the
            first of equals counts.
        excluded: InfoTypes that are left alone.
        exclusion_wins: Whether an infoType that is both excluded and named by a transformation is left (v1), or
            transformed (v1beta1).
        transforms_unnamed: Whether what no transformation names is transformed too: dates are shifted, the rest is
            replaced by its infoType.
        record_numbers: Whether patient and visit numbers belong to what is looked for by default.
        contextual: Whether phrases that repeat one of the instance's identifying attributes are replaced.
        pixel_info_types: InfoTypes looked for in pixels beside the default ones.
        claims_removal: Whether the result says that the patient's identity was removed, so that numbers nobody can
            explain must not stay.
        shifts_dates: Whether dates are shifted that would stay otherwise.
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
        """Whether some findings stay although text is cleaned."""
        return bool(self.excluded) or not self.transforms_unnamed


def transformations_of(text: TextConfig | TextConfigV1Beta1 | None) -> tuple[InfoTypeTransformation, ...]:
    """Return a message's transformations, those of the deprecated field last."""
    return () if text is None else (*text.additional_transformations, *text.transformations)
