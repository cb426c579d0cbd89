"""How to test a job that de-identifies: on the emulator, in fake time, with faults; no Google account and no network.

The fixtures come with the package: ``deid_client``, ``healthcare_emulator`` and ``fake_clock``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from healthcare_deid import DeidClient, DeidentifyConfig
from healthcare_deid.testing import sample_dicom, write_samples
from nightly_job import nightly_job

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.emulator import Emulator

CONFIG = DeidentifyConfig.builder().filter_profile("MINIMAL_KEEP_LIST_PROFILE").build()


def fill(client: DeidClient, name: str, folder: Path) -> None:
    """Make a dataset with a store of two instances with invented patients."""
    client.create_dataset(name).result()
    client.create_dicom_store(f"{name}/scans")
    client.upload(f"{name}/scans", write_samples(folder)[:2])


def test_every_raw_dataset_gets_a_clean_one(deid_client: DeidClient, tmp_path: Path) -> None:
    fill(deid_client, "raw-january", tmp_path / "scans")
    fill(deid_client, "other", tmp_path / "scans")
    assert nightly_job(deid_client, CONFIG, tmp_path / "journal.json") == {"raw-january": "SUCCEEDED"}
    assert deid_client.get_dicom_store_metrics("clean-january/scans").instance_count == 2


def test_a_service_that_stumbles_changes_nothing(
    deid_client: DeidClient, healthcare_emulator: Emulator, tmp_path: Path
) -> None:
    fill(deid_client, "raw-january", tmp_path / "scans")
    healthcare_emulator.faults.fail("operations.get", times=2, status=503)
    healthcare_emulator.faults.drop("datasets.deidentify", times=1, acted=True)  # it began, and the answer was lost
    assert nightly_job(deid_client, CONFIG, tmp_path / "journal.json") == {"raw-january": "SUCCEEDED"}


def test_a_start_of_which_nothing_is_known_is_no_success_and_is_not_sent_twice(
    deid_client: DeidClient, healthcare_emulator: Emulator, tmp_path: Path
) -> None:
    fill(deid_client, "raw-january", tmp_path / "scans")
    healthcare_emulator.faults.drop("datasets.deidentify", times=1)
    outcome = nightly_job(deid_client, CONFIG, tmp_path / "journal.json")
    assert outcome["raw-january"].startswith("NOT STARTED: AmbiguousSubmit")


def test_a_second_run_takes_up_what_the_first_one_started(deid_client: DeidClient, tmp_path: Path) -> None:
    fill(deid_client, "raw-january", tmp_path / "scans")
    journal = tmp_path / "journal.json"
    begun = deid_client.deidentify_dataset("raw-january", "clean-january", CONFIG)
    journal.write_text(json.dumps({"raw-january": begun.name}))  # and then the first run was killed
    assert nightly_job(deid_client, CONFIG, journal) == {"raw-january": "SUCCEEDED"}
    methods = [operation.metadata.api_method_name or "" for operation in deid_client.list_operations("raw-january")]
    assert sum(method.endswith("DeidentifyDataset") for method in methods) == 1


def test_a_partial_result_is_not_called_a_success(
    deid_client: DeidClient, healthcare_emulator: Emulator, tmp_path: Path
) -> None:
    fill(deid_client, "raw-january", tmp_path / "scans")
    healthcare_emulator.faults.fail_instances(sample_dicom()[0].dataset.SOPInstanceUID)
    outcome = nightly_job(deid_client, CONFIG, tmp_path / "journal.json")
    assert outcome["raw-january"].startswith("PARTIAL: 1 done, 1 failed, log: ")
