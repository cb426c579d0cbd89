"""Small files that claim to be large end in a typed error, and take no more memory than they may."""

from __future__ import annotations

import resource
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import ConfigError, InvalidDicomError, UnsupportedPixelsError

if TYPE_CHECKING:
    from pathlib import Path

BASIC = DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()
ALL_TEXT = DeidentifyConfig.builder().filter_profile("MINIMAL_KEEP_LIST_PROFILE").redact_image_text("all").build()
_MEASURED = """
import resource, sys
from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure
config = DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()
result = Deidentifier(config).deidentify_bytes(open(sys.argv[1], "rb"), errors="return")
assert isinstance(result, Failure), result
print(result.reason, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def deflated_bomb(path: Path, small: bytes) -> None:
    """Write a file whose dataset is three gigabytes of zeros in one element."""
    meta_end = 132 + 12 + int.from_bytes(small[140:144], "little")
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    with path.open("wb") as file:
        file.write(small[:meta_end])
        file.write(compressor.compress(b"\xe0\x7f\x10\x00OW\0\0" + (3 << 30).to_bytes(4, "little")))
        for _ in range(3 << 6):
            file.write(compressor.compress(bytes(1 << 24)))
        file.write(compressor.flush())


def test_a_deflated_bomb_is_refused_in_little_memory(planted: Any, tmp_path: Path) -> None:
    dataset = planted.dataset
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(tmp_path / "small.dcm", enforce_file_format=True)
    bomb = tmp_path / "bomb.dcm"
    deflated_bomb(bomb, (tmp_path / "small.dcm").read_bytes())
    assert bomb.stat().st_size < 10_000_000
    out = subprocess.run([sys.executable, "-c", _MEASURED, str(bomb)], capture_output=True, text=True, check=True)
    reason, kilobytes = out.stdout.split()
    assert reason == "too-large"
    assert int(kilobytes) < 1_500_000


def test_a_deflated_file_within_the_limit_is_read(planted: Any, tmp_path: Path) -> None:
    dataset = planted.dataset
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    Deidentifier(BASIC).deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    with pytest.raises(InvalidDicomError, match="max_inflated"):
        Deidentifier(BASIC, max_inflated=10).deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_a_frame_that_only_claims_to_be_huge_is_refused(syntax: Any, planted: Any) -> None:
    dataset = planted.dataset
    dataset.Rows = dataset.Columns = 65_535
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = encapsulate([bytes(np.zeros(64, np.uint8))])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnsupportedPixelsError):
        Deidentifier(ALL_TEXT).deidentify(dataset)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000


@pytest.mark.parametrize("name", ["max_inflated", "max_frame_pixels"])
@pytest.mark.parametrize("value", [0, -1, None, "much"])
def test_a_limit_is_a_number(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        Deidentifier(BASIC, **{name: value})  # type: ignore[arg-type]
