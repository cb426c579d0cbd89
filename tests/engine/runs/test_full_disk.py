"""A disk that takes no more is told as that, and nothing half-written stays."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_IMAGE: dict[str, Any] = {
    "Rows": 200,
    "Columns": 200,
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "PixelRepresentation": 0,
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "PixelData": bytes(40_000),
}


def test_a_result_that_the_disk_does_not_take_is_an_io_error_and_is_made_by_the_next_run(
    profile: Any,
    tmp_path: Path,
    instance_file: Callable[..., bytes],
    put: Callable[[Path, bytes], None],
    contents: Callable[[Path], dict[str, bytes]],
) -> None:
    put(tmp_path / "scans" / "small.dcm", instance_file(1))
    put(tmp_path / "scans" / "large.dcm", instance_file(2, **_IMAGE))
    put(tmp_path / "scans" / "other.dcm", instance_file(3, **_IMAGE))
    basic = profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        report = basic.deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {(failure.reason, failure.text) for failure in report.failures} == {("io-error", "OSError: File too large")}
    assert (report.succeeded, report.failed, len(contents(tmp_path / "clean"))) == (1, 2, 1)
    again = basic.deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    assert (again.succeeded, again.skipped, again.failed) == (2, 1, 0)


def test_a_refusal_to_read_inside_an_element_is_the_systems_error() -> None:
    from healthcare_deid.engine.safe_errors import of_the_system

    wrapped = OSError("With tag (7FE0,0010) got exception")
    wrapped.__cause__ = OSError("With tag (0010,0010)")
    assert of_the_system(wrapped) is None
    wrapped.__cause__.__cause__ = OSError(5, "Input/output error", "Okonkwo.dcm")
    assert str(of_the_system(wrapped)) == "[Errno 5] Input/output error"
