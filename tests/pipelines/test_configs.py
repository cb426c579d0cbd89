"""Configs of pipelines and DAGs: text of either API version."""

from __future__ import annotations

import json

import pytest

from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines.configs import config_of, refuse_text_with_keys

SHIFT = {"dateShiftConfig": {"cryptoKey": "A" * 43 + "="}}
BETA = json.dumps({"dicomTagConfig": {}, "text": {"additionalTransformations": [SHIFT]}})


def test_a_text_without_an_api_version_is_read_as_its_fields_tell() -> None:
    assert config_of("dicomTagConfig: {}").api_version == "v1beta1"
    assert config_of("dicom: {}").api_version == "v1"
    assert config_of("dicom: {}", "v1beta1").api_version == "v1beta1"
    with pytest.raises(ConfigError, match="must be 'v1' or 'v1beta1'"):
        config_of("dicom: {}", "v2")


def test_a_key_in_a_v1beta1_text_is_found_without_an_api_version() -> None:
    with pytest.raises(ConfigError, match="contains a key"):
        refuse_text_with_keys(BETA, None)
