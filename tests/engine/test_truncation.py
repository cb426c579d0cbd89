"""A file that ends too early is told from a whole one wherever it ends, and alike by both ways through the engine."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure
from healthcare_deid.engine.dicom import files
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

CUTS = 60


def reason(work: Callable[[], object]) -> str:
    try:
        work()
    except EngineError as error:
        return error.reason
    return "done"


def by_dataset(deidentifier: Deidentifier, source: Path, target: Path) -> None:
    dataset, _ = files.read(source)
    files.write(deidentifier.deidentify(dataset).dataset, target)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("name", ["ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", "KEEP_ALL_PROFILE"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_file_cut_anywhere_fails_for_the_same_reason_both_ways(
    profile: Any, planted: Any, tmp_path: Path, syntax: str, name: str
) -> None:
    data, deidentifier, rng = planted.file(syntax), profile(name), random.Random(len(syntax) + len(name))
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    told: dict[int, tuple[str, str]] = {}
    for cut in sorted(rng.sample(range(len(data)), CUTS)):
        source.write_bytes(data[:cut])
        encoded = reason(lambda: deidentifier.deidentify_file(source, target))
        told[cut] = (encoded, reason(lambda: by_dataset(deidentifier, source, target)))

    assert {cut: both for cut, both in told.items() if both[0] != both[1]} == {}
    assert "truncated" in {both[0] for both in told.values()}


@pytest.mark.parametrize("rest", [b"\0", b"\0\0", b"\n", b"DOE", b"\0" * 40, b"DOE^JOHN 1961 and more of it"])
def test_bytes_after_the_last_element_are_left_out_with_a_warning(
    profile: Any, planted: Any, write: Any, tmp_path: Path, rest: bytes
) -> None:
    keeps = profile("KEEP_ALL_PROFILE")
    whole, source = planted.file(), write(planted.file() + rest)

    result = keeps.deidentify_file(source, tmp_path / "out.dcm")
    dataset, notes = files.read(source)
    assert [warning for warning in result.warnings if "after the last data element" in warning]
    assert [note for note in notes if "after the last data element" in note]
    source.write_bytes(whole)
    keeps.deidentify_file(source, tmp_path / "undisturbed.dcm")
    files.write(keeps.deidentify(dataset).dataset, tmp_path / "other-way.dcm")
    written = [(tmp_path / name).read_bytes() for name in ("out.dcm", "other-way.dcm", "undisturbed.dcm")]
    assert written[0] == written[1] == written[2]


def test_file_meta_alone_is_no_instance(profile: Any, planted: Any, write: Any, tmp_path: Path) -> None:
    data = planted.file()
    source = write(data[: 144 + int.from_bytes(data[140:144], "little")])

    assert reason(lambda: profile("KEEP_ALL_PROFILE").deidentify_file(source, tmp_path / "out.dcm")) == "empty"


PROFILES = [
    "MINIMAL_KEEP_LIST_PROFILE",
    "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE",
    "KEEP_ALL_PROFILE",
    "DEIDENTIFY_TAG_CONTENTS",
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("MR_small.dcm", 3),  # in the trailing padding
        ("MR_small.dcm", 5000),  # in the pixel data
        ("JPEG2000.dcm", 3),  # in the delimiter after the last frame
        ("MR_small_bigendian.dcm", 100),
        ("rtplan.dcm", 3),  # without pixels
    ],
)
def test_every_profile_refuses_the_same_cut_file(name: str, missing: int) -> None:
    data = Path(str(get_testdata_file(name))).read_bytes()[:-missing]
    told: set[str] = set()
    for profile_name in PROFILES:
        for image in ({}, {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}):
            config = DeidentifyConfig.from_api({"dicom": {"filterProfile": profile_name}, **image})
            result = Deidentifier(config).deidentify_bytes(data, errors="return")
            told.add(result.reason if isinstance(result, Failure) else "done")
    assert told == {"truncated"}
