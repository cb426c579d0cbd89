"""What else de-identifies DICOM files, asked for the Basic Profile as nearly as each can be, where it is installed."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.datadict import dictionary_VR, keyword_for_tag

from healthcare_deid.engine.plan.rules import Op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from healthcare_deid.engine.plan.tag_decisions import TagPlan

_DUMMIES = {"AS": "000Y", "DA": "19000101", "DS": "0", "DT": "19000101000000", "IS": "0", "SQ": "", "TM": "000000"}


def rivals(plan: TagPlan) -> dict[str, Callable[[Path, Path], object]]:
    """Return what takes a file to its result, by the rival's name.

    Args:
        plan: Of the Basic Profile: those that take a list of tags get its.
    """
    makers: dict[str, tuple[str, Callable[[TagPlan], Callable[[Path, Path], object]]]] = {
        "dcmanon": ("dcmanon", _dcmanon),
        "fw-file-rs": ("fw_file_rs", _fw_file_rs),
        "dicom-anonymizer": ("dicomanonymizer", _dicom_anonymizer),
        "dicognito": ("dicognito", _dicognito),
    }
    return {name: make(plan) for name, (module, make) in makers.items() if find_spec(module)}


def _dcmanon(plan: TagPlan) -> Callable[[Path, Path], object]:
    import dcmanon  # type: ignore[import-not-found,unused-ignore]

    words = {Op.DELETE: "remove", Op.EMPTY: "empty", Op.DUMMY: "empty", Op.UID: "hashuid"}
    engine = dcmanon.Anonymizer(
        tag_actions={f"{tag:08X}": {"action": words[op]} for tag, _, op in _actions(plan) if op in words}
    )
    return lambda old, new: new.write_bytes(engine.anonymize(str(old)))


def _fw_file_rs(plan: TagPlan) -> Callable[[Path, Path], object]:
    from fw_file_rs.dcm import Context  # type: ignore[import-not-found,unused-ignore]

    lines = ["version: 1", "name: basic", "dicom:", "  remove-private-tags: true", "  fields:"]
    for tag, keyword, op in _actions(plan):
        dummy = _DUMMIES.get(dictionary_VR(tag), "ANONYMIZED")
        action = {
            Op.DELETE: "remove: true",
            Op.EMPTY: "replace-with: ''",
            Op.DUMMY: f"replace-with: '{dummy}'",
            Op.UID: "hashuid: true",
        }
        lines += [f"    - name: {keyword}", f"      {action[op]}"]
    context: Any = Context().deid_profile("\n".join(lines))

    def work(old: Path, new: Path) -> None:
        # Its quickest way: the header by the library, the pixels by the kernel.
        header = context.read_until_pixels(str(old))
        with old.open("rb") as source, new.open("wb") as target:
            target.write(context.deid_header(header))
            target.flush()
            os.sendfile(target.fileno(), source.fileno(), len(header), old.stat().st_size)

    return work


def _dicom_anonymizer(_: TagPlan) -> Callable[[Path, Path], object]:
    from dicomanonymizer import anonymize_dicom_file

    return lambda old, new: anonymize_dicom_file(str(old), str(new), {})


def _dicognito(_: TagPlan) -> Callable[[Path, Path], object]:
    from dicognito.anonymizer import Anonymizer  # type: ignore[import-not-found,unused-ignore]

    anonymizer = Anonymizer()

    def work(old: Path, new: Path) -> None:
        dataset = pydicom.dcmread(old)
        anonymizer.anonymize(dataset)
        dataset.save_as(new)

    return work


def _actions(plan: TagPlan) -> Iterator[tuple[int, str, Op]]:
    """Yield tag, keyword and operation of every attribute that the plan names and changes."""
    for tag, rule in plan.tags.items():
        keyword = keyword_for_tag(tag)
        if keyword and rule.op in (Op.DELETE, Op.EMPTY, Op.DUMMY, Op.UID):
            yield tag, keyword, rule.op
