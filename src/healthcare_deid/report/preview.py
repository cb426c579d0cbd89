"""Preview of one instance before and after, in a notebook cell."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid._html import table, wrapped
from healthcare_deid.engine.deidentifier import Deidentifier
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError
from healthcare_deid.report.before_after import frame_pictures
from healthcare_deid.report.compare import Comparison, compare
from healthcare_deid.report.compare_page import pictures_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from healthcare_deid.engine.results import DeidentifyResult

_MOST_FRAMES = 3


@dataclass(frozen=True)
class Preview:
    """One instance before and after. A notebook shows its tags and pictures; its `repr` contains no value.

    Attributes:
        result: Result of the engine.
        comparison: Verdicts on every element and on the pixels.
        before: The original.
    """

    result: DeidentifyResult = field(repr=False)
    comparison: Comparison = field(repr=False)
    before: Dataset = field(repr=False)

    def __repr__(self) -> str:
        return f"Preview({self.result!r})"

    def _repr_html_(self) -> str:
        change = self.comparison.pixels
        pictures = ""
        if change is not None:
            chosen = [*change.boxes, 0][:_MOST_FRAMES] if change.boxes else [0]
            try:
                frames = guarded(lambda: frame_pictures(self.before, self.result.dataset, sorted(set(chosen))))
                pictures = pictures_of(change, frames)
            except EngineError:
                pictures = ""
        warnings = table(["warnings"], [(text,) for text in dict.fromkeys(self.result.warnings)])
        return wrapped(pictures + (warnings if self.result.warnings else "")) + self.comparison._repr_html_()


@border
def preview(instance: Dataset, config: Any, **options: Any) -> Preview:
    """De-identify one instance and show it before and after, as the last expression of a notebook cell.

    Args:
        instance: The instance; it is not modified.
        config: A `DeidentifyConfig`, or a `Deidentifier`.
        **options: The engine's keyword arguments.

    Raises:
        ConfigError: The config cannot be carried out.
        EngineError: The instance cannot be de-identified.
    """
    engine = config if isinstance(config, Deidentifier) else Deidentifier(config, **options)
    before = copy.copy(instance)
    result = engine.deidentify(before)
    return Preview(result, compare(before, result.dataset), before)
