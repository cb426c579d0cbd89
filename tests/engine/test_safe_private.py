"""Safe private attributes: those of the standard's table stay by creator, with the option, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.plan.safe_private_table import safe_private
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

BASIC = presets.basic_confidentiality_profile()


def instance() -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "1.2.3.4"
    dataset.PatientName = "Walkenhorst^Annegret"
    values: Sequence[tuple[str, int, str, Any]] = (
        ("SIEMENS MR HEADER", 0x0C, "IS", "1000"),
        ("SIEMENS MR HEADER", 0x08, "CS", "IMAGE NUM 4"),
        ("GEMS_ACQU_01", 0x9E, "LO", "EFGRE3D Walkenhorst"),
        ("SOMEBODY ELSE", 0x0C, "IS", "1000"),
    )
    for creator, element, vr, value in values:
        dataset.private_block(0x0019, creator, create=True).add_new(element, vr, value)
    return dataset


def kept(**arguments: Any) -> set[tuple[str, int]]:
    result = Deidentifier(BASIC, **arguments).deidentify(instance()).dataset
    found: set[tuple[str, int]] = set()
    for creator in result.private_creators(0x0019):
        block = result.private_block(0x0019, creator)
        found |= {(creator, element) for element in range(256) if element in block}
    return found


def test_the_table_s_attributes_stay_with_the_option_and_only_under_their_creator() -> None:
    wanted = {("SIEMENS MR HEADER", 0x0C), ("GEMS_ACQU_01", 0x9E)}
    assert kept(options=["retain_safe_private"]) == wanted
    assert kept() == set()
    more = kept(options=["retain_safe_private"], safe_private=["SOMEBODY ELSE,0019,0C"])
    assert more == wanted | {("SOMEBODY ELSE", 0x0C)}


def test_what_stays_is_searched_for_the_patient_as_everything_is() -> None:
    result = Deidentifier(BASIC, options=["retain_safe_private"]).deidentify(instance()).dataset
    assert result.private_block(0x0019, "GEMS_ACQU_01")[0x9E].value == "EFGRE3D"


@pytest.mark.parametrize(
    ("creator", "group", "element", "is_safe"),
    [
        ("Philips PET Private Group", 0x7053, 0x09, True),
        ("Philips Imaging DD 001", 0x2001, 0x03, True),
        ("Philips Imaging DD 001", 0x2001, 0x0D, False),
        ("Philips Imaging DD 001", 0x2001, 0x7D, False),  # frame pixel data
        ("Philips Imaging DD 001", 0x2001, 0xFF, False),  # a volume
        ("SIEMENS Ultrasound SC2000", 0x0119, 0x0A, False),
        ("NQLeft", 0x0199, 0x16, True),
        ("HOLOGIC, Inc.", 0x7E01, 0x12, False),  # codec content
    ],
)
def test_the_table_is_the_standard_s_without_opaque_data(creator: str, group: int, element: int, is_safe: bool) -> None:
    assert ((creator, group, element) in safe_private()) is is_safe


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        ("<GEMS_ACQU_01>,0019,02", 'without "<" and ">"'),
        ("GEMS_ACQU_01,0019,1002", r"last two hexadecimal digits of the element, such as 02 for \(0019,1002\)"),
        ("GEMS_ACQU_01,0019,xx1002", "last two hexadecimal digits"),
        ("GEMS_ACQU_01,0018,02", "odd group"),
        ("GEMS_ACQU_01", "creator,gggg,ee"),
    ],
)
def test_an_entry_that_could_match_nothing_is_refused_with_its_remedy(rule: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=rf"safe_private\[1\]: .*{remedy}"):
        Deidentifier(BASIC, safe_private=["GEMS_ACQU_01,0019,xx02", rule])


def test_results_name_the_private_creators_that_the_option_names_in_sequences_too_and_no_others() -> None:
    dataset = instance()
    item = Dataset()
    item.private_block(0x0019, "OUR SCANNER", create=True).add_new(0x01, "LO", "x")
    dataset.SharedFunctionalGroupsSequence = [item]
    named = Deidentifier(BASIC, safe_private=["OUR SCANNER,0019,01"]).deidentify(dataset).creators
    assert named == ("00190010 OUR SCANNER", "00190010 SIEMENS MR HEADER", "00190011 GEMS_ACQU_01", "00190012")
