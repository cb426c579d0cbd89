"""Instances of a DICOM store, as pipelines read them."""

from __future__ import annotations

import pytest

from healthcare_deid.errors import ReplyError
from healthcare_deid.pipelines.dicom_stores import StoreReader

STORE = "projects/p/locations/eu/datasets/d/dicomStores/s"


@pytest.mark.parametrize("name", ["1/2/..", "../2/3", "1/2/3?a=b", "1/2/3#", "1//", "1/2", "1/2/3/4", "1/2/\u0661"])
def test_a_name_that_is_not_three_uids_is_not_requested(name: str) -> None:
    reader = StoreReader(STORE, "http://127.0.0.1:1")
    with pytest.raises(ReplyError, match="valid UIDs") as caught:
        reader.read(name)
    reader.close()
    assert name not in str(caught.value)
