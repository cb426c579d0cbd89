"""Observations of what a de-identification makes of pixels and overlays."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from conformance_lab import OVERLAID, PACKED, images
from conformance_results import BASIC, OVERLAY_DATA, fate, state
from conformance_rows import Facts, observes
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

if TYPE_CHECKING:
    from conformance_lab import Lab, Run

PIXELS = {"dicom": {}, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}}


@observes("F-13", colour="black, opaque")
def _(lab: Lab) -> Facts:
    before, after = images()[0], lab.run(PIXELS, lab.images).results[OVERLAID.dataset.Rows]
    old, new = before.pixel_array, after.pixel_array
    changed = new[old != new]
    if not changed.size:
        return {"colour": "nothing was covered"}
    if len(np.unique(changed)) > 1:
        return {"colour": "more than one"}
    return {"colour": "black, opaque" if changed[0] <= old.min() else "one other colour"}


@observes("O-07", basic="deleted", redaction="text covered")
def _(lab: Lab) -> Facts:
    before, after = images()[0], lab.run(PIXELS, lab.images).results[OVERLAID.dataset.Rows]
    return {
        "basic": state(lab.run(BASIC), OVERLAY_DATA, dummy="changed"),
        "redaction": fate(before, after, OVERLAY_DATA, "text covered"),
    }


@observes("O-11", native="as before", RLE="as before")
def _(lab: Lab) -> Facts:
    results = lab.run(PIXELS, lab.images).results

    def syntax(before: Any) -> str:
        new = results[before.Rows].file_meta.TransferSyntaxUID
        return "as before" if new == before.file_meta.TransferSyntaxUID else str(new.name)

    native, packed = images()
    return {"native": syntax(native), "RLE": syntax(packed)}


@observes("O-10", **{"RLE": "text covered", "JPEG 2000 lossless": "text covered", "JPEG-LS lossless": "text covered"})
def _(lab: Lab) -> Facts:
    plain = PACKED.dataset
    facts = {"RLE": _covered(lab.run(PIXELS, lab.images))}
    for name, syntax in {"JPEG 2000 lossless": JPEG2000Lossless, "JPEG-LS lossless": JPEGLSLossless}.items():
        packed = copy.deepcopy(plain)
        packed.compress(syntax, generate_instance_uid=False)
        store = lab.new_store()
        lab.upload(store, packed)
        facts[name] = _covered(lab.run(PIXELS, store))
    return facts


def _covered(run: Run) -> str:
    plain = PACKED.dataset
    if plain.Rows not in run.results:
        return "the instance fails"
    after = run.results[plain.Rows].pixel_array
    x, y, width, height = max(PACKED.text_boxes.values(), key=lambda box: box[2] * box[3])
    return "text covered" if np.ptp(after[y : y + height, x : x + width]) == 0 else "text left"
