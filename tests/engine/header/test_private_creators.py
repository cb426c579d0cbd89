"""A private creator stays only with an element of its block, whatever the config does to single private elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from tests.engine.test_executors import by_bytes, by_dataset

from healthcare_deid import DeidentifyConfig, presets, v1beta1
from healthcare_deid.engine import Deidentifier

if TYPE_CHECKING:
    from pathlib import Path

BASIC: Any = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


def block(dataset: Dataset, creator: str, element: int, vr: str, value: str) -> None:
    dataset.private_block(0x0019, creator, create=True).add_new(element, vr, value)


def instance() -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "1.2.3.4"
    dataset.PatientName, dataset.PatientID = "Walkenhorst^Annegret", "W-1"
    block(dataset, "FIRST VENDOR", 0x01, "LO", "head first")
    block(dataset, "SECOND VENDOR", 0x02, "DA", "20210304")
    block(dataset, "THIRD VENDOR", 0x03, "SH", "third")
    item = Dataset()
    item.CodeMeaning = "Head"
    block(item, "FIRST VENDOR", 0x01, "LO", "feet first")
    block(item, "SECOND VENDOR", 0x02, "DA", "20210305")
    dataset.AnatomicRegionSequence = Sequence([item])
    return dataset


def creators(dataset: Dataset) -> set[str]:
    found = set[str]()
    for element in dataset.iterall():
        if element.tag.is_private_creator:
            found.add(str(element.value))
    return found


def beta(profile: Any = BASIC) -> Any:
    return v1beta1.DeidentifyConfig.builder().filter_profile(profile).redact("PERSON_NAME")


CASES: list[tuple[str, Any, dict[str, Any], set[str]]] = [
    ("an action on the VR of one", beta().clean_tags("DA").build(), {}, {"SECOND VENDOR"}),
    ("an action on a VR of none", beta().clean_tags("DT").build(), {}, set()),
    ("an action that empties", beta().empty_tags("SH").build(), {}, {"THIRD VENDOR"}),
    ("a number of one", beta().keep_tags("00191103").build(), {}, set()),
    ("a keep list of one", DeidentifyConfig.builder().keep_tags("00191001").build(), {}, {"FIRST VENDOR"}),
    ("a creator by its number", DeidentifyConfig.builder().keep_tags("00190011").build(), {}, {"SECOND VENDOR"}),
    (
        "a safe one",
        presets.basic_confidentiality_profile(),
        {"safe_private": ["THIRD VENDOR,0019,03", "FIRST VENDOR,0019,77"]},
        {"THIRD VENDOR"},
    ),
    (
        "all but one deleted",
        beta("KEEP_ALL_PROFILE").remove_tags("DA", "SH").build(),
        {},
        {"FIRST VENDOR"},
    ),
]


@pytest.mark.parametrize(
    ("config", "options", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
@pytest.mark.parametrize("way", [by_bytes, by_dataset])
def test_a_creator_goes_with_the_last_element_of_its_block(
    way: Any, config: Any, options: dict[str, Any], expected: set[str], tmp_path: Path
) -> None:
    import pydicom

    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    instance().save_as(source, enforce_file_format=True)
    deidentifier = Deidentifier(config, **options)
    for _ in range(3):  # the encoded executor learns a series
        result = way(deidentifier, source, target)
        written = pydicom.dcmread(target)
        assert creators(written) == expected
        gone = {change.path for change in result.changes if change.path in {"00190010", "00190011", "00190012"}}
        assert len(gone) == 3 - sum(1 for element in written if element.tag.is_private_creator)
        assert not gone & set(result.kept_tags)


def test_an_emptied_private_element_keeps_its_creator() -> None:
    result = Deidentifier(beta().empty_tags("00191001").build()).deidentify(instance()).dataset
    assert result.private_block(0x0019, "FIRST VENDOR")[0x01].value in (None, "")
