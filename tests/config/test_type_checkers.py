"""Type checking of a user's code: constructors accept Python names, and misspelled ones are errors."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

RIGHT = """\
from healthcare_deid import v1beta1
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.dicom import DicomConfig, TagFilterList, TagFilterProfile
from healthcare_deid.config.v1.image import CustomRegex, ImageConfig, TextRedactionMode
from healthcare_deid.config.infotypes import InfoType
from healthcare_deid.config.base.keys import CryptoKey
from healthcare_deid.config.v1.requests import DeidentifyDatasetRequest
from healthcare_deid.config.v1.text import DateShiftConfig, InfoTypeTransformation, TextConfig

config = DeidentifyConfig(
    dicom=DicomConfig(keep_list=TagFilterList(tags=["PatientID"]), skip_id_redaction=True),
    image=ImageConfig(
        text_redaction_mode=TextRedactionMode.REDACT_ALL_TEXT,
        custom_regexes=[CustomRegex(pattern="a", group_indexes=(1,))],
    ),
    text=TextConfig(
        additional_transformations=[
            InfoTypeTransformation(
                info_types=[InfoType.DATE, "MY_TYPE"],
                date_shift_config=DateShiftConfig(crypto_key=CryptoKey.parse("AAECAwQFBgcICQoLDA0ODw==")),
            )
        ]
    ),
    use_regional_data_processing=True,
)
request = DeidentifyDatasetRequest(destination_dataset="projects/p/locations/l/datasets/d", config=config)
beta = v1beta1.DeidentifyConfig(
    dicom_tag_config=v1beta1.DicomTagConfig(
        profile_type=v1beta1.TagProfileType.KEEP_ALL_PROFILE,
        actions=[v1beta1.Action(queries=["PN"], remove_tag=v1beta1.RemoveTag())],
    )
)
profile: TagFilterProfile | None = DicomConfig().filter_profile
built: DeidentifyConfig = DeidentifyConfig.builder().filter_profile("KEEP_ALL_PROFILE").redact("DATE").build()
again: DeidentifyConfig = DeidentifyConfig.from_json(config.to_json())
"""

WRONG = {
    "a misspelt field": "DicomConfig(keep_lst=None)",
    "a field in the wire's name": "DicomConfig(keepList=None)",
    "a field of another version": "DeidentifyConfig(dicom_tag_config=None)",
    "a message of another version": "DeidentifyConfig(image=v1beta1.ImageConfig())",
    "a required field that is missing": "DeidentifyDatasetRequest(config=config)",
    "a number where a Boolean is needed": "DicomConfig(skip_id_redaction=3)",
    "text where an enum is needed": "DicomConfig(filter_profile='NO_SUCH_PROFILE')",
    "a misspelt profile in the builder": "DeidentifyConfig.builder().filter_profile('DEIDENTIFY_TAG_CONTENT')",
    "a misspelt word in the builder": "DeidentifyConfig.builder().redact_image_text('everything')",
    "a step that does not exist": "DeidentifyConfig.builder().remove_everything()",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("user") / "program.py"
    path.write_text(RIGHT + "".join(f"{line}\n" for line in WRONG.values()), "utf-8")
    return path


def wrong_lines(output: str, path: Path) -> set[int]:
    return {int(line) for line in re.findall(rf"{path.name}:(\d+):(?:\d+)?[: -]+error", output)}


@pytest.mark.parametrize(
    "checker",
    [["mypy", "--strict", "--config-file="], ["pyright", f"--pythonpath={sys.executable}"]],
    ids=["mypy", "pyright"],
)
def test_the_right_lines_pass_and_every_wrong_line_is_refused(checker: list[str], program: Path) -> None:
    command = [sys.executable, "-m", *checker, program.name]
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, check=False)
    first = RIGHT.count("\n") + 1
    assert wrong_lines(done.stdout, program) == set(range(first, first + len(WRONG))), done.stdout + done.stderr
