"""Versions of whatever decides what is removed: with another model or word list the same file may give another result.

The libraries that carry it out (pydicom, numpy, onnxruntime, codecs) are not among them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, cast

from healthcare_deid._version import __version__
from healthcare_deid.errors import ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.engine.runs.engine import Engine

_WORD_LISTS = ("names",)
"""Packages with lists of names; the other lists are this package's own."""
_READS_CODES = "zxing-cpp"


def versions_of(deidentifier: Engine) -> dict[str, str]:
    """Return the versions by name: of this package, word lists, models, and detectors of the caller's own.

    A detector or an OCR says in ``versions``, a mapping of texts, what it hangs on.
    """
    options = deidentifier.options
    found = {"healthcare-deid": __version__, **_packages(_WORD_LISTS)}
    if deidentifier.looks_at_pixels:
        found |= _packages((_READS_CODES,))
        found |= _own_models(thorough=options.thorough) if options.ocr is None else _told(options.ocr)
    for detector in options.detectors:
        found |= _told(detector)
    return found


def _packages(names: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of distributions; one that is not installed is left out."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _own_models(*, thorough: bool) -> dict[str, str]:
    from healthcare_deid.engine.pixels.find.ocr import OnnxOcr

    try:
        return dict(OnnxOcr(thorough=thorough).versions)
    except ModelNotFoundError:
        return {}  # the first picture will say so


def _told(part: object) -> dict[str, str]:
    told: object = getattr(part, "versions", None)
    return {str(name): str(one) for name, one in cast("Mapping[Any, Any]", told or {}).items()}
