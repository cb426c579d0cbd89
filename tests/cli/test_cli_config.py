"""``config``: make, check, show and convert a config; keys are never shown unless asked for."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pydicom
import pytest

from healthcare_deid import DeidentifyConfig, presets, v1beta1
from healthcare_deid.config import from_ctp_script, from_curl, from_deid_recipe, from_gcloud
from healthcare_deid.config.base.keys import CryptoKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

KEY = presets.generate_crypto_key()
SOURCE = "projects/my-project/locations/us-central1/datasets/dataset1"
DESTINATION = "projects/my-project/locations/us-central1/datasets/deid-dataset1"

CURL = r"""
curl -X POST \
    -H "Authorization: Bearer "$(gcloud auth print-access-token) \
    -H "Content-Type: application/json; charset=utf-8" \
    --data "{
      'destinationDataset': 'projects/$PROJECT_ID/locations/$REGION/datasets/$DESTINATION_DATASET_ID',
      'config': {
        'dicom':{'filterProfile':'MINIMAL_KEEP_LIST_PROFILE'},
        'image': {'textRedactionMode': 'REDACT_ALL_TEXT'}
      }
    }" "https://healthcare.googleapis.com/v1/projects/$PROJECT_ID/locations/$REGION/datasets/$SOURCE_DATASET_ID:deidentify"
"""
GCLOUD = r"""
gcloud healthcare datasets deidentify dataset1 \
    --location us-central1 --dicom-filter-tags=PatientID,PixelData --text-redaction-mode all \
    --destination-dataset projects/my-project/locations/us-central1/datasets/deid-dataset1 --async
"""


@pytest.fixture
def keyed(tmp_path: Path) -> Path:
    path = tmp_path / "keyed.json"
    path.write_text(presets.transform_contents_and_sensitive_text(crypto_key=KEY).to_json())
    return path


@pytest.fixture
def tutorial_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PROJECT_ID": "my-project",
        "REGION": "us-central1",
        "SOURCE_DATASET_ID": "dataset1",
        "DESTINATION_DATASET_ID": "deid-dataset1",
        "CLOUDSDK_CORE_PROJECT": "my-project",
    }.items():
        monkeypatch.setenv(name, value)


# convert


def test_json_becomes_yaml_and_yaml_json(cli: Callable[..., Result], tmp_path: Path) -> None:
    config = presets.keep_tags_and_redact_all_text()
    (tmp_path / "a.json").write_text(config.to_json())
    written = cli("config", "convert", tmp_path / "a.json", "--to", "yaml")
    assert DeidentifyConfig.from_yaml(written.stdout) == config
    (tmp_path / "b.yaml").write_text(written.stdout)
    back = cli("config", "convert", tmp_path / "b.yaml", "--to", "json")
    assert DeidentifyConfig.from_json(back.stdout) == config


@pytest.mark.usefixtures("tutorial_variables")
def test_the_tutorials_curl_command_becomes_a_config_read_from_stdin(cli: Callable[..., Result]) -> None:
    result = cli("config", "convert", "-", "--to", "yaml", stdin=CURL)
    assert result.exit_code == 0, result.stderr
    assert DeidentifyConfig.from_yaml(result.stdout) == presets.remove_metadata_and_all_text()


@pytest.mark.usefixtures("tutorial_variables")
def test_a_gcloud_command_becomes_curl_with_the_names_it_had(cli: Callable[..., Result]) -> None:
    result = cli("config", "convert", "-", "--to", "curl", stdin=GCLOUD)
    assert result.exit_code == 0, result.stderr
    call = from_curl(result.stdout)
    assert str(call.source) == SOURCE
    assert call.request == from_gcloud(GCLOUD, project="my-project").request


def test_json_from_stdin_and_a_command_in_a_file_of_any_name_are_read(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    config = presets.remove_metadata_and_all_text()
    from_stdin = cli("config", "convert", "-", "--to", "json", stdin=config.to_json())
    assert DeidentifyConfig.from_json(from_stdin.stdout) == config
    path = tmp_path / "command.sh"
    path.write_text(config.to_curl(SOURCE, DESTINATION))
    assert cli("config", "convert", path, "--to", "json").stdout == from_stdin.stdout


def test_a_config_becomes_a_gcloud_command_or_says_what_gcloud_cannot_say(
    cli: Callable[..., Result], keyed: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(presets.keep_tags_and_redact_all_text().to_json())
    names = ("--source", SOURCE, "--destination", DESTINATION)
    result = cli("config", "convert", tmp_path / "a.json", "--to", "gcloud", *names)
    assert result.stdout.startswith("gcloud healthcare datasets deidentify dataset1")
    refused = cli("config", "convert", keyed, "--to", "gcloud", *names)
    assert refused.exit_code == 1
    assert "gcloud cannot express: " in refused.stderr
    assert cli("config", "convert", keyed, "--to", "gcloud").exit_code == 2


def test_v1_becomes_v1beta1_and_every_difference_is_told(cli: Callable[..., Result], tmp_path: Path) -> None:
    config = presets.transform_contents_and_sensitive_text()
    (tmp_path / "a.json").write_text(config.to_json())
    result = cli("config", "convert", tmp_path / "a.json", "--to", "json", "--v1beta1")
    conversion = config.to_v1beta1()
    assert v1beta1.DeidentifyConfig.from_json(result.stdout) == conversion.config
    assert result.stderr.count("differs at ") == len(conversion.differences) > 0


@pytest.mark.parametrize("form", ["json", "yaml", "curl"])
def test_a_key_is_left_out_and_that_is_said_unless_it_is_asked_for(
    cli: Callable[..., Result], keyed: Path, form: str
) -> None:
    words = ("config", "convert", keyed, "--to", form, "--source", SOURCE, "--destination", DESTINATION)
    result = cli(*words)
    assert result.exit_code == 0
    assert KEY.to_base64() not in result.output
    assert "key" in result.stderr.lower() + result.stdout.lower()
    assert KEY.to_base64() in cli(*words, "--reveal-keys").stdout


def test_a_key_left_out_can_be_given_back_from_a_file(cli: Callable[..., Result], keyed: Path) -> None:
    without = json.loads(cli("config", "convert", keyed, "--to", "json").stdout)
    shift = without["text"]["additionalTransformations"][2]["dateShiftConfig"]
    assert shift == {}


def test_what_is_neither_config_nor_command_is_refused_without_repeating_it(cli: Callable[..., Result]) -> None:
    result = cli("config", "convert", "-", "--to", "yaml", stdin="wget Ana-Rivera")
    assert result.exit_code == 1
    assert "Rivera" not in result.output


CTP = """<script>
<p t="SITE">017</p>
<e en="T" t="00100020" n="PatientID">@hashptid(@SITE,PatientID)</e>
<e en="T" t="00120030" n="ClinicalTrialSiteID">@always()@param(@SITE)</e>
<e en="T" t="00081070" n="OperatorsName">@initials(this)</e>
</script>"""
DEID = "FORMAT dicom\n%header\nBLANK PatientName\n"


def test_a_ctp_script_becomes_a_config_and_what_was_not_converted_is_listed(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    path = tmp_path / "anonymizer.script"
    path.write_text(CTP)
    result = cli("config", "convert", path, "--to", "yaml")
    assert result.exit_code == 3
    config = v1beta1.DeidentifyConfig.from_yaml(result.stdout)
    assert config == from_ctp_script(CTP).config
    assert "not converted: line 5: OperatorsName: @initials has no counterpart; emptied\n" in result.stderr
    assert "--pseudonyms keyed --set ClinicalTrialSiteID=017" in result.stderr


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_the_command_that_convert_prints_runs_the_converted_config(
    form: str, cli: Callable[..., Result], scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(tmp_path / "keys"))
    for name in ("HEALTHCARE_DEID_SECRET", "HEALTHCARE_DEID_SECRET_FILE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "anonymizer.script"
    path.write_text(
        CTP.replace(
            "</script>", '<p t="UIDROOT">1.2.3</p><e en="T" t="0020000D" n="x">@hashuid(@UIDROOT,this)</e></script>'
        )
    )
    converted = cli("config", "convert", path, "--to", form)
    (tmp_path / f"CONFIG.{form}").write_text(converted.stdout)
    line = converted.stderr.partition("use the config with: healthcare-deid ")[2].splitlines()[0]
    scans.rename("SOURCE")

    for outcome in ("2 de-identified, 0 failed, 0 skipped", "0 de-identified, 0 failed, 2 skipped"):
        result = cli(*shlex.split(line))
        assert result.stdout.splitlines()[:1] == [outcome], result.stderr
    made = pydicom.dcmread(next((tmp_path / "DESTINATION").rglob("*.dcm")))
    assert made.ClinicalTrialSiteID == "017"
    assert made.StudyInstanceUID.startswith("1.2.3.")

    monkeypatch.setenv("HEALTHCARE_DEID_SECRET_FILE", "trial-7")
    assert "--secret-file" not in cli("config", "convert", path, "--to", form).stderr


def test_a_deid_recipe_becomes_a_config(cli: Callable[..., Result]) -> None:
    result = cli("config", "convert", "-", "--to", "json", "--keep-private", stdin=DEID)
    assert (result.exit_code, result.stderr) == (0, "")
    config = v1beta1.DeidentifyConfig.from_json(result.stdout)
    assert config == from_deid_recipe(DEID, keep_private=True).config
    assert len(cli("config", "convert", "-", "--to", "json", stdin=DEID).stdout) > len(result.stdout)


def test_a_recipe_of_the_wrong_kind_is_refused(cli: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(DEID)
    assert cli("config", "convert", path, "--to", "json", "--from", "deid").exit_code == 0
    refused = cli("config", "convert", path, "--to", "json", "--from", "ctp")
    assert refused.exit_code == 1
    assert "not a CTP DICOM anonymizer script" in refused.stderr


# init, check, show


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
@pytest.mark.parametrize("preset", ["minimal", "tutorial-tags", "contents", "basic-profile"])
def test_init_writes_a_preset_to_start_from(
    cli: Callable[..., Result], tmp_path: Path, preset: str, suffix: str
) -> None:
    path = tmp_path / f"config{suffix}"
    assert cli("config", "init", path, "--preset", preset).exit_code == 0
    shown = cli("config", "show", path)
    assert shown.stdout.startswith("<DeidentifyConfig v1>")
    if suffix == ".yaml":
        schema = "deidentify-config.v1.schema.json"
        assert path.read_text().startswith(f"# yaml-language-server: $schema={schema}\n# The preset")
        assert json.loads((tmp_path / schema).read_text()) == DeidentifyConfig.json_schema()
        assert shown.stdout.splitlines()[1].strip() in path.read_text()
    assert cli("config", "check", path).exit_code == 0


def test_init_says_of_a_missing_key_what_holds_at_the_service_and_what_in_files(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    assert cli("config", "init", path, "--preset", "contents").exit_code == 0
    assert "shifted (no key: a new one every operation; in files, the run's secret)" in path.read_text()


def test_init_writes_over_nothing_unless_told_to(cli: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("mine")
    assert cli("config", "init", path).exit_code == 1
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]
    assert cli("config", "init", path, "--force").exit_code == 0
    assert path.read_text() != "mine"
    assert cli("config", "init", tmp_path / "config.txt").exit_code == 2


def test_a_config_is_checked_and_shown_without_its_key(cli: Callable[..., Result], tmp_path: Path) -> None:
    key = "U2FsdGVkX19bS2oZsdbK9X5zi2utBn22uY+I2Vo0zOU="
    (tmp_path / "config.json").write_text(presets.transform_contents_and_sensitive_text(crypto_key=key).to_json())
    checked = cli("config", "check", tmp_path / "config.json")
    assert checked.exit_code == 8
    assert "key-published" in checked.stdout
    shown = cli("config", "show", tmp_path / "config.json")
    assert shown.exit_code == 0
    assert "cover sensitive text" in shown.stdout
    assert key not in checked.stdout + shown.stdout


def test_check_fails_on_warnings_if_asked_and_prints_json(cli: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"dicom": {"skipIdRedaction": true, "filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}')
    assert cli("config", "check", path).exit_code == 0
    checked = cli("config", "check", path, "--fail-on", "warning", "--format", "json")
    assert checked.exit_code == 8
    findings = json.loads(checked.stdout)
    assert {finding["code"] for finding in findings} == {"uids-kept", "pixels-untouched"}
    assert set(findings[0]) == {"code", "severity", "path", "message", "remedy", "tags"}
    path.write_text("{")
    assert cli("config", "check", path).exit_code == 1


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_schema_is_printed(cli: Callable[..., Result], version: str) -> None:
    config = v1beta1.DeidentifyConfig if version == "v1beta1" else DeidentifyConfig
    assert json.loads(cli("config", "schema", "--api-version", version).stdout) == config.json_schema()


@pytest.fixture
def beta(tmp_path: Path) -> Path:
    path = tmp_path / "beta.yaml"
    path.write_text(
        "dicomTagConfig: {profileType: ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE}\ntext: {profileType: BASIC}\n"
    )
    return path


def test_a_v1beta1_config_is_recognized_by_its_fields_unless_its_version_is_given(
    cli: Callable[..., Result], beta: Path
) -> None:
    assert cli("config", "show", beta).stdout.startswith("<DeidentifyConfig v1beta1>")
    assert cli("config", "show", beta, "--api-version", "v1beta1").stdout.startswith("<DeidentifyConfig v1beta1>")
    assert cli("config", "check", beta).exit_code == 0
    as_json = cli("config", "convert", beta, "--to", "json")
    assert v1beta1.DeidentifyConfig.from_json(as_json.stdout) == v1beta1.DeidentifyConfig.from_file(beta)
    assert cli("config", "convert", "-", "--to", "json", stdin=as_json.stdout).stdout == as_json.stdout
    refused = cli("config", "check", beta, "--api-version", "v1")
    assert refused.exit_code == 1
    assert "it exists in v1beta1 only" in refused.stderr
    assert "--api-version v1beta1" in refused.stderr


def test_every_command_with_a_config_file_takes_a_v1beta1_one(
    cli: Callable[..., Result], beta: Path, scans: Path, tmp_path: Path
) -> None:
    clean, local = tmp_path / "clean", ("--local", tmp_path / "lab", "--quiet")
    given = ("--config-file", beta)
    for words in (
        ("files", scans, clean, *given, "--dry-run"),
        ("files", scans, clean, *given),
        ("audit", clean, *given),
        ("review", clean, *given, "--export", tmp_path / "release"),
        ("datasets", "create", "a", *local),
        ("dicom-stores", "create", "s", "--dataset", "a", *local),
        ("dicom-stores", "upload", "s", scans, "--dataset", "a", *local),
        ("datasets", "deidentify", "a", "--destination-dataset", "b", *given, *local),
    ):
        result = cli(*words)
        assert result.exit_code == 0, (words[:2], result.stderr)


@pytest.mark.parametrize("words", [("files", ".", "b"), ("audit", ".")])
def test_an_api_version_without_a_config_file_is_refused(words: tuple[str, ...], cli: Callable[..., Result]) -> None:
    result = cli(*words, "--api-version", "v1beta1")
    assert result.exit_code == 2
    assert "--api-version is that of --config-file" in result.stderr


def test_init_writes_a_v1beta1_config_that_is_read_as_one(cli: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert cli("config", "init", path, "--preset", "basic-profile", "--api-version", "v1beta1").exit_code == 0
    assert (tmp_path / "deidentify-config.v1beta1.schema.json").exists()
    assert path.read_text().startswith("# yaml-language-server: $schema=deidentify-config.v1beta1.schema.json\n")
    assert cli("config", "show", path).stdout.startswith("<DeidentifyConfig v1beta1>")


def test_a_new_key_is_for_its_owner_alone_and_never_written_over(cli: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    made = cli("config", "new-key", path)
    assert made.exit_code == 0
    key = path.read_text().strip()
    assert len(CryptoKey.parse(key)) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert key not in made.output
    assert cli("config", "new-key", path).exit_code == 1
    assert path.read_text().strip() == key


def test_a_folder_that_cannot_be_written_is_one_line(cli: Callable[..., Result], tmp_path: Path) -> None:
    result = cli("config", "init", tmp_path / "none" / "config.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No such file or directory")


# Help


GROUPS = ("", "config", "datasets deidentify", "dicom-stores upload", "fhir-stores deidentify", "operations wait")


@pytest.mark.parametrize("words", [*GROUPS, "emulator", "files"])
def test_help_imports_nothing_heavy(words: str) -> None:
    program = (
        "import sys\n"
        "from healthcare_deid.cli.main import main\n"
        f"main({words.split()!r} + ['--help'], standalone_mode=False)\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("Usage: ")
    loaded = set(result.stderr.split())
    heavy = {"pydicom", "numpy", "PIL", "onnxruntime", "googleapiclient", "httplib2", "google.auth", "pydantic", "yaml"}
    assert not heavy & loaded
    assert len([name for name in loaded if name.startswith("healthcare_deid")]) <= 21
