"""Operations of the service, as started by pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthcare_deid import DeidClient
from healthcare_deid.emulator import Emulator
from healthcare_deid.errors import AlreadyExists
from healthcare_deid.pipelines.service_operation import ServiceRequest

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid import DeidentifyConfig

PARENT = "projects/p/locations/eu/datasets"


def test_another_programs_operation_is_never_adopted(tmp_path: Path, basic: DeidentifyConfig) -> None:
    with Emulator(tmp_path / "lab") as emulator, DeidClient("p", "eu", http=emulator.http()) as client:
        client.create_dataset("source").result()
        client.create_dataset("ours").result()
        emulator.faults.hold_operations(1000)
        client.deidentify_dataset("source", "theirs", basic)
        request = ServiceRequest.of("dataset", f"{PARENT}/source", f"{PARENT}/ours", basic)

        with pytest.raises(AlreadyExists):
            request.start(client)
