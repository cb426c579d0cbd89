"""curl and gcloud command lines, in both directions."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import v1beta1
from healthcare_deid.config import from_curl, from_gcloud, presets
from healthcare_deid.config.dialects.shell_words import split_words
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.errors import ConfigError, ResourceNameError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {
    "PROJECT_ID": "MyProj",
    "REGION": "us-central1",
    "SOURCE_DATASET_ID": "dataset1",
    "DESTINATION_DATASET_ID": "deid-dataset1",
}
SOURCE = DatasetName("MyProj", "us-central1", "dataset1")
DESTINATION = DatasetName("MyProj", "us-central1", "deid-dataset1")
DICOM_STORE = DicomStoreName("p", "l", "d", "s")
FHIR_STORE = FhirStoreName("p", "l", "d", "f")


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("use_case_1_keep_list", presets.keep_tags_and_redact_all_text()),
        ("use_case_1_profile", presets.remove_metadata_and_all_text()),
    ],
)
def test_the_tutorials_curl_is_the_preset(name: str, config: DeidentifyConfig, data: Path) -> None:
    call = from_curl((data / f"tutorial_{name}.curl").read_text("utf-8"), environment=ENVIRONMENT)
    assert (call.version, call.source, call.request.config) == ("v1", SOURCE, config)
    assert call.request.to_api()["destinationDataset"] == str(DESTINATION)


def test_the_tutorials_second_curl_is_the_preset_under_the_deprecated_name(data: Path) -> None:
    call = from_curl((data / "tutorial_use_case_2.curl").read_text("utf-8"), environment=ENVIRONMENT)
    assert isinstance(call.request.config, DeidentifyConfig)
    text = call.request.config.text
    assert text is not None
    key = text.transformations[2].date_shift_config
    assert key is not None
    preset = presets.transform_contents_and_sensitive_text(crypto_key=key.crypto_key)
    assert preset.text is not None
    assert text.transformations == preset.text.additional_transformations
    assert (call.request.config.dicom, call.request.config.image) == (preset.dicom, preset.image)


def test_the_tutorials_gcloud_is_the_preset_and_back(data: Path) -> None:
    text = (data / "tutorial_use_case_1.gcloud").read_text("utf-8")
    call = from_gcloud(text, project="MyProj", environment=ENVIRONMENT)
    config = presets.keep_tags_and_redact_all_text()
    assert (call.version, call.source, call.request.config) == ("v1", SOURCE, config)
    assert from_gcloud(config.to_gcloud(SOURCE, DESTINATION)) == call


def test_a_curl_command_holds_no_key_unless_asked(key_bytes: bytes, key_text: str) -> None:
    config = presets.transform_contents_and_sensitive_text(crypto_key=key_bytes)
    command = config.to_curl(SOURCE, DESTINATION)
    assert key_text not in command
    assert command.splitlines()[:2] == [
        "# Keys are not written here. Set each variable first:",
        "#   export DEID_CRYPTO_KEY_1=<the 256-bit key, base64>",
    ]
    assert from_curl(command, environment={"DEID_CRYPTO_KEY_1": key_text}).request.config == config
    assert key_text in config.to_curl(SOURCE, DESTINATION, reveal_keys=True)


def test_a_curl_command_whose_key_is_not_set_is_refused_when_read(key_bytes: bytes) -> None:
    config = presets.transform_contents_and_sensitive_text(crypto_key=key_bytes)
    with pytest.raises(ConfigError, match="the key is not base64"):
        from_curl(config.to_curl(SOURCE, DESTINATION))


def test_equal_keys_share_a_variable_and_different_keys_do_not(key_bytes: bytes) -> None:
    config = (
        DeidentifyConfig.builder()
        .shift_dates("DATE", crypto_key=key_bytes)
        .crypto_hash("PERSON_NAME", crypto_key=key_bytes)
        .crypto_hash("AGE", crypto_key=key_bytes[::-1])
        .build()
    )
    command = config.to_curl(SOURCE, DESTINATION)
    assert re.findall(r"\$\{(\w+):\?\}", command) == ["DEID_CRYPTO_KEY_1", "DEID_CRYPTO_KEY_1", "DEID_CRYPTO_KEY_2"]


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell")
def test_a_real_shell_reads_the_curl_command_as_we_do(key_bytes: bytes, key_text: str, tmp_path: Path) -> None:
    config = (
        DeidentifyConfig.builder()
        .shift_dates("DATE", crypto_key=key_bytes)
        .redact_image_text("sensitive")
        .redact_image_regex('it\'s "$HOME" `id` \\d')
        .build()
    )
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done\n')
    fake.chmod(0o755)
    (tmp_path / "gcloud").write_text("#!/bin/sh\necho token\n")
    (tmp_path / "gcloud").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "DEID_CRYPTO_KEY_1": key_text}
    command = config.to_curl(SOURCE, DESTINATION)
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
    words = done.stdout.split("\0")[:-1]
    ours = split_words(command, environment)[1:]
    assert [word.replace("$(gcloud auth print-access-token)", "token") for word in ours] == words
    unset = subprocess.run(
        ["sh", "-c", command], env={"PATH": environment["PATH"]}, capture_output=True, text=True, check=False
    )
    assert unset.returncode != 0


@pytest.mark.parametrize(("source", "kind"), [(DICOM_STORE, "dicomStores"), (FHIR_STORE, "fhirStores")])
def test_the_kind_of_the_source_picks_the_method(source: DicomStoreName | FhirStoreName, kind: str) -> None:
    config = v1beta1.DeidentifyConfig()
    command = config.to_curl(source, source)
    assert command.endswith(
        f"https://healthcare.googleapis.com/v1beta1/projects/p/locations/l/datasets/d/{kind}/{source.store}:deidentify"
    )
    call = from_curl(command)
    assert (call.version, call.source) == ("v1beta1", source)
    assert isinstance(call.request.config, v1beta1.DeidentifyConfig)


@pytest.mark.parametrize(
    ("source", "destination"),
    [(SOURCE, DICOM_STORE), (DICOM_STORE, FHIR_STORE), ("projects/p/locations/l", SOURCE), ("dataset1", SOURCE)],
)
def test_names_of_two_kinds_are_refused(source: Any, destination: Any) -> None:
    with pytest.raises(ResourceNameError):
        DeidentifyConfig().to_curl(source, destination)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("wget https://x", "not a curl command"),
        ("curl https://example.org/", "a URL …/v1/projects"),
        ("curl https://h/v1/projects/p/locations/l/datasets/d:deidentify", "expected exactly one --data"),
        ("curl -d @body.json https://h/v1/projects/p/locations/l/datasets/d:deidentify", "in a file"),
        ("curl -d '{", "' is not closed"),
        ('curl -d "{', '" is not closed'),
        ("curl -H $(gcloud auth", r"\$\( is not closed"),
        ("curl x | sh", "a pipe, a redirection or a second command"),
        ("curl x; rm -rf /", "a pipe, a redirection or a second command"),
        ("curl x\nrm -rf /", "a second line follows without a backslash"),
    ],
)
def test_a_command_that_is_not_a_deidentify_call_is_refused(text: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        from_curl(text)


def test_the_forms_that_curls_options_take_are_read() -> None:
    url = "https://localhost:8085/v1/projects/p/locations/l/datasets/d:deidentify?alt=json"
    body = "{destinationDataset:'projects/p/locations/l/datasets/e'}"
    for command in (
        f'curl -sS -XPOST -H"A: b" -d"{body}" {url}',
        f'curl --request POST --header "A: b" --data-raw "{body}" --url {url}',
        f'# a comment\ncurl \\\n  --json="{body}" \\\n  "{url}"  # done\n',
    ):
        assert from_curl(command).request.to_api() == {"destinationDataset": "projects/p/locations/l/datasets/e"}


@pytest.mark.parametrize(
    ("body", "unsaid"),
    [
        ({"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}, "config.dicom.filterProfile"),
        ({"dicom": {"removeList": {"tags": ["PatientID"]}}}, "config.dicom.removeList"),
        ({"dicom": {}}, "config.dicom"),
        ({"image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}}, "config.image.textRedactionMode"),
        ({"text": {"excludeInfoTypes": ["DATE"]}}, "config.text.excludeInfoTypes"),
        ({"useRegionalDataProcessing": True}, "config.useRegionalDataProcessing"),
        (
            {
                "dicom": {"keepList": {"tags": ["PatientID"]}, "skipIdRedaction": True},
                "fhir": {"defaultKeepExtensions": True},
            },
            "config.dicom.skipIdRedaction, config.fhir.defaultKeepExtensions",
        ),
    ],
)
def test_the_gcloud_error_names_the_inexpressible_fields(body: dict[str, Any], unsaid: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        DeidentifyConfig.from_api(body).to_gcloud(SOURCE, DESTINATION)
    assert str(refusal.value) == f"gcloud cannot express: {unsaid}"


def test_gcloud_commands_of_stores() -> None:
    config = DeidentifyConfig.builder().keep_tags("PatientID", "00091001").build()
    assert config.to_gcloud(DICOM_STORE, DicomStoreName("p", "l", "d2", "s2"), wait=True) == (
        "gcloud healthcare dicom-stores deidentify s \\\n    --project=p \\\n    --location=l \\\n    --dataset=d \\\n"
        "    --destination-store=projects/p/locations/l/datasets/d2/dicomStores/s2 \\\n"
        "    --dicom-filter-tags=PatientID,00091001"
    )
    assert "--async" in DeidentifyConfig().to_gcloud(FHIR_STORE, FHIR_STORE)
    with pytest.raises(ConfigError, match=r"gcloud cannot express: config\.fhir$"):
        DeidentifyConfig.builder().fhir().build().to_gcloud(FHIR_STORE, FHIR_STORE)
    assert "--default-fhir-config" in DeidentifyConfig.builder().fhir().build().to_gcloud(SOURCE, DESTINATION)


def test_gcloud_beta_is_v1beta1() -> None:
    call = from_gcloud(
        "gcloud beta healthcare dicom-stores deidentify s --dataset d --location l --destination-store s2 -q "
        "--dicom-filter-tags=PatientID --async --project p"
    )
    assert (call.version, call.source) == ("v1beta1", DICOM_STORE)
    assert isinstance(call.request.config, v1beta1.DeidentifyConfig)
    assert call.request.to_api()["destinationStore"] == "projects/p/locations/l/datasets/d/dicomStores/s2"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("kubectl get pods", "does not begin with gcloud"),
        ("gcloud alpha healthcare datasets deidentify d", "v1alpha2"),
        ("gcloud healthcare datasets list", "not a command 'gcloud healthcare"),
        ("gcloud healthcare datasets deidentify d --destination-dataste=x", r"did you mean --destination-dataset\?"),
        ("gcloud healthcare datasets deidentify d --location l --project p", "--destination-dataset is required"),
        ("gcloud healthcare datasets deidentify a b --destination-dataset=x", "takes one name"),
        (
            "gcloud healthcare datasets deidentify d --destination-dataset=e --text-redaction-mode=some",
            "accepts only the value all",
        ),
        ("gcloud healthcare fhir-stores deidentify f --dicom-filter-tags=PatientID", "unknown flag"),
    ],
)
def test_malformed_gcloud_commands_are_refused(text: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        from_gcloud(text, project="p", location="l")


def test_a_short_name_without_a_project_is_refused() -> None:
    with pytest.raises(ResourceNameError, match="project"):
        from_gcloud("gcloud healthcare datasets deidentify d --location l --destination-dataset=x")
