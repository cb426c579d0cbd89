"""Versions of the models and word lists that decide what is removed.

With another version, the same file may give another result. Libraries that only execute decisions (pydicom, numpy,
onnxruntime, codecs) are not included.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, cast

from healthcare_deid._version import __version__
from healthcare_deid.errors import ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.engine.runs.engine import Engine

_READS_CODES = "zxing-cpp"


def versions_of(deidentifier: Engine) -> dict[str, str]:
    """Return versions by name, of this package with its word lists, models, and the caller's detectors and OCR.

    A detector or an OCR states its versions in an attribute ``versions``, a mapping of strings.
    """
    options = deidentifier.options
    found = {"healthcare-deid": __version__}
    if deidentifier.looks_at_pixels:
        found |= _package(_READS_CODES)
        found |= (
            _own_models(thorough=options.thorough, scout=options.scout) if options.ocr is None else _told(options.ocr)
        )
    for detector in options.detectors:
        found |= _told(detector)
    return found


def _package(name: str) -> dict[str, str]:
    """Return the version of a distribution, if it is installed."""
    try:
        return {name: version(name)}
    except PackageNotFoundError:
        return {}


def _own_models(*, thorough: bool, scout: bool) -> dict[str, str]:
    from healthcare_deid.engine.pixels.find.ocr import OnnxOcr

    try:
        return dict(OnnxOcr(thorough=thorough, scout=scout).versions)
    except ModelNotFoundError:
        return {}  # the first image raises this error


def _told(part: object) -> dict[str, str]:
    told: object = getattr(part, "versions", None)
    return {str(name): str(one) for name, one in cast("Mapping[Any, Any]", told or {}).items()}
