"""Broken files: whatever is done to a file's bytes, it ends in time in a typed error or in a clean result."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.plan.profiles import MINIMAL_TAGS, SOP_CLASS_UID
from healthcare_deid.engine.plan.ps315 import identifying_tags
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROFILES = ("MINIMAL_KEEP_LIST_PROFILE", "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", "DEIDENTIFY_TAG_CONTENTS")
CLEANING = PROFILES[:2]
SECONDS = 5.0


def flip_bits(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    data[at : at + 4] = rng.choice(
        [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"UNUN"]
    )


def cut_out(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randint(1, 64)]


def repeat(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.randint(1, 64)]


def cut_off(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


def swap(rng: random.Random, data: bytearray) -> None:
    one, other = rng.randrange(len(data)), rng.randrange(len(data))
    part = data[one : one + 16]
    data[one : one + 16] = data[other : other + 16]
    data[other : other + 16] = part


MUTATIONS = (flip_bits, overwrite, cut_out, repeat, cut_off, swap)


def mutated(originals: list[bytes], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield broken files and what was done to them."""
    rng = random.Random(seed)
    for number in range(count):
        data = bytearray(rng.choice(originals))
        mutation = MUTATIONS[number % len(MUTATIONS)]
        mutation(rng, data)
        yield f"{seed}/{number} {mutation.__name__}", bytes(data)


def leaks(planted: Any, output: bytes, path: Path, profile: str) -> list[str]:
    """Return the planted texts that came through, those excepted that the damage has put into a tag that is kept."""
    found = planted.found_in(output)
    if not found:
        return []
    excused: list[bytes] = []

    def collect(_: Any, element: Any) -> None:
        tag = int(element.tag)
        kept = tag in (MINIMAL_TAGS | {SOP_CLASS_UID}) if profile == PROFILES[0] else tag not in identifying_tags()
        if element.VR != "SQ" and element.keyword and kept:
            value = element.value
            excused.append(value if isinstance(value, bytes) else str(value).encode("latin-1", "replace"))

    pydicom.dcmread(path, force=True).walk(collect)
    return [place for place in found if not any(planted.markers[place] in value for value in excused)]


def run(planted: Any, tmp_path: Path, count: int, seed: int) -> tuple[int, list[str]]:
    """Return how many files came out, and everything that must not have happened."""
    originals = [
        planted.file(syntax) for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
    ]
    made = {name: Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": name}})) for name in PROFILES}
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    came_out, wrong = 0, list[str]()
    for number, (what, data) in enumerate(mutated(originals, count, seed)):
        name = PROFILES[number % len(PROFILES)]
        source.write_bytes(data)
        target.unlink(missing_ok=True)
        started = time.process_time()
        try:
            made[name].deidentify_file(source, target)
        except EngineError:
            if target.exists():
                wrong.append(f"{what} {name}: written in spite of an error")
        except Exception as error:  # noqa: BLE001 - the very thing looked for
            wrong.append(f"{what} {name}: {type(error).__name__}")
        else:
            came_out += 1
            if name in CLEANING and (places := leaks(planted, target.read_bytes(), target, name)):
                wrong.append(f"{what} {name}: leaks {places}")
        if time.process_time() - started > SECONDS:
            wrong.append(f"{what} {name}: took too long")
    return came_out, wrong


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_broken_files_fail_typed_or_come_out_clean(planted: Any, tmp_path: Path) -> None:
    came_out, wrong = run(planted, tmp_path, count=900, seed=20260101)

    assert wrong == []
    assert came_out > 80


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", [1, 2])
def test_many_broken_files_fail_typed_or_come_out_clean(planted: Any, tmp_path: Path, seed: int) -> None:
    _, wrong = run(planted, tmp_path, count=4000, seed=seed)

    assert wrong == []
