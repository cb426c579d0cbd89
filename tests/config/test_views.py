"""Views of configs for people: repr, notebook, diff, YAML, JSON Schema. None of them shows a key."""

from __future__ import annotations

import copy
import io
import json
import logging
import sys
import traceback
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from healthcare_deid import v1beta1
from healthcare_deid.config import presets, published_schema
from healthcare_deid.config.base.keys import CryptoKey, WrappedKey
from healthcare_deid.config.infotypes import DEFAULT_DICOM_INFO_TYPES, InfoType
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.requests import DeidentifyDatasetRequest
from healthcare_deid.config.v1.text import DateShiftConfig
from healthcare_deid.errors import ConfigError, MissingExtraError

SOURCE = "projects/p/locations/l/datasets/d"


def test_a_config_shows_itself_at_a_glance(key_bytes: bytes) -> None:
    config = (
        DeidentifyConfig.builder()
        .keep_tags("Modality", "StudyDate")
        .redact("PERSON_NAME")
        .mask("PHONE_NUMBER", character="#")
        .shift_dates(crypto_key=key_bytes)
        .crypto_hash("MEDICAL_RECORD_NUMBER")
        .replace_with_info_type("LOCATION")
        .exclude_info_types("AGE")
        .redact_image_text("sensitive")
        .redact_image_regex("MRN")
        .regional_processing()
        .fhir()
        .build()
    )
    assert repr(config) == str(config)
    assert repr(config).splitlines() == [
        "<DeidentifyConfig v1>",
        "  tags    keep Modality, StudyDate, and what valid DICOM needs; remove every other",
        "  UIDs    regenerated",
        "  text    PERSON_NAME: erased",
        "          PHONE_NUMBER: masked with #",
        "          DATE, DATE_OF_BIRTH: shifted (256-bit key)",
        "          MEDICAL_RECORD_NUMBER: hashed (no key: a new one every operation; in files, the run's secret)",
        "          LOCATION: replaced by the infoType's name",
        "          AGE: left alone",
        "  pixels  cover sensitive text; 1 custom pattern",
        "  FHIR    defaults",
        "  region  processed in the data's own region",
    ]


def test_the_summary_of_an_empty_config_names_the_skipped_stores() -> None:
    assert repr(DeidentifyConfig()).splitlines() == [
        "<DeidentifyConfig v1>",
        "  tags    DICOM stores are skipped",
        "  text    no config",
        "  pixels  left alone",
        "  FHIR    FHIR stores are skipped",
    ]


def test_a_v1beta1_config_shows_its_actions() -> None:
    config = v1beta1.DeidentifyConfig.from_api(
        {
            "dicomTagConfig": {
                "profileType": "DEIDENTIFY_TAG_CONTENTS",
                "options": {"primaryIds": "KEEP", "cleanDescriptors": {}, "cleanImage": {"excludeInfoTypes": ["AGE"]}},
                "actions": [{"queries": ["PN"], "removeTag": {}}, {"queries": ["Modality"]}],
            },
            "text": {"profileType": "EMPTY"},
            "fhirFieldConfig": {"profileType": "CLEAN_ALL"},
        }
    )
    assert repr(config).splitlines() == [
        "<DeidentifyConfig v1beta1>",
        "  tags         keep all; transform sensitive text in them",
        "               but empty PN",
        "               but nothing for Modality",
        "  UIDs         kept",
        "  descriptors  phrases from removed tags become [CTX]",
        "  text         any infoType: kept",
        "  pixels       left alone; not AGE",
        "  FHIR         profile CLEAN_ALL",
    ]


def test_what_no_transformation_names_is_told_once() -> None:
    def texts(*transformations: dict[str, Any]) -> list[str]:
        message = {"dicomTagConfig": {}, "text": {"additionalTransformations": list(transformations)}}
        lines = repr(v1beta1.DeidentifyConfig.from_api(message)).splitlines()
        return [line.removeprefix("  text").strip() for line in lines if "infoType" in line or "PERSON" in line]

    named: dict[str, Any] = {"infoTypes": ["PERSON_NAME"], "replaceWithInfoTypeConfig": {}}
    default: dict[str, Any] = {"redactConfig": {}}
    assert texts(default) == ["any infoType: erased"]
    replaced = "PERSON_NAME: replaced by the infoType's name"
    assert texts(named, default) == [replaced, "any other infoType: erased"]
    assert texts(named) == [replaced, "any other infoType: dates shifted, the rest replaced by the infoType's name"]


def test_other_messages_show_the_fields_that_are_set() -> None:
    assert repr(DateShiftConfig(crypto_key=CryptoKey(bytes(32)))) == "DateShiftConfig(crypto_key=<256-bit key>)"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.names.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_notebook_gets_a_table_in_which_nothing_is_markup() -> None:
    config = DeidentifyConfig.builder().mask("PERSON_NAME", character="<").build()
    parser = Tags()
    parser.feed(config._repr_html_())
    assert not parser.open
    assert set(parser.names) == {"table", "caption", "tr", "th", "td"}
    assert "masked with &lt;" in config._repr_html_()


def test_a_diff_names_the_changed_fields(key_bytes: bytes) -> None:
    before = presets.transform_contents_and_sensitive_text(crypto_key=key_bytes)
    after = (
        DeidentifyConfig.builder()
        .keep_tags("Modality")
        .redact("PERSON_NAME", "AGE")
        .mask("PHONE_NUMBER", character="#")
        .shift_dates(crypto_key=key_bytes[::-1])
        .redact_image_text("all")
        .regional_processing()
        .build()
    )
    assert [str(item) for item in before.diff(after)] == [
        "dicom.keepList.tags: unset → Modality",
        "dicom.filterProfile: DEIDENTIFY_TAG_CONTENTS → unset",
        "image.textRedactionMode: REDACT_SENSITIVE_TEXT → REDACT_ALL_TEXT",
        "text.additionalTransformations[0].infoTypes: unset → AGE",
        "text.additionalTransformations[1].characterMaskConfig.maskingCharacter: unset → #",
        "text.additionalTransformations[2].dateShiftConfig.cryptoKey: <256-bit key> → another <256-bit key>",
        "useRegionalDataProcessing: unset → true",
    ]
    assert len(after.diff(before)) == 7
    assert before.diff(copy.deepcopy(before)) == ()


def test_a_diff_of_lists_is_one_of_their_names() -> None:
    one = DeidentifyConfig.builder().keep_tags("Modality", "StudyDate").build()
    two = DeidentifyConfig.builder().keep_tags("PatientSex", "Modality", "StudyDate").build()
    three = DeidentifyConfig.builder().keep_tags("StudyDate", "Modality").build()
    assert [str(item) for item in one.diff(two)] == ["dicom.keepList.tags: unset → PatientSex"]
    assert [str(item) for item in one.diff(three)] == ["dicom.keepList.tags: in this order → in another order"]
    assert [str(item) for item in one.diff(DeidentifyConfig())] == ["dicom.keepList.tags: Modality, StudyDate → unset"]


def test_configs_of_two_versions_cannot_be_compared() -> None:
    with pytest.raises(TypeError, match="of different classes"):
        DeidentifyConfig().diff(v1beta1.DeidentifyConfig())  # type: ignore[arg-type] # that is what is tested


def test_no_view_of_a_config_shows_a_key(key_bytes: bytes, key_text: str, caplog: pytest.LogCaptureFixture) -> None:
    config = (
        DeidentifyConfig.builder()
        .filter_profile("DEIDENTIFY_TAG_CONTENTS")
        .shift_dates(crypto_key=key_bytes)
        .crypto_hash(crypto_key=key_bytes)
        .build()
    )
    request = DeidentifyDatasetRequest(destination_dataset=SOURCE, config=config)
    converted = config.to_v1beta1()
    out = io.StringIO()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r", config, request)
    print(config, request, file=out)
    views = [
        repr(config),
        str(config),
        f"{config}",
        config._repr_html_(),
        repr(request),
        str(request),
        repr(config.text),
        repr(config.model_dump()),
        repr(converted),
        repr(config.checks()),
        repr(config.builder()),
        repr(config.diff(DeidentifyConfig())),
        repr(DeidentifyConfig().diff(config)),
        config.to_curl(SOURCE, SOURCE),
        str(config.json_schema()),
        caplog.text,
        out.getvalue(),
    ]
    shown = [key_text, key_text.rstrip("="), repr(bytes(key_bytes))[2:-1], key_bytes.hex(), str(list(key_bytes))]
    assert not [view for view in views for secret in shown if secret in view]


def test_no_error_shows_a_key(key_bytes: bytes, key_text: str) -> None:
    bad = {"text": {"transformations": [{"dateShiftConfig": {"cryptoKey": key_text, "kmsWrapped": {}, key_text: 1}}]}}
    with pytest.raises(ConfigError) as refusal:
        DeidentifyConfig.from_api(bad)
    text = "".join(traceback.format_exception(refusal.value))
    assert key_text not in text
    assert key_text[:12] not in text


@pytest.mark.parametrize("kind", [CryptoKey, WrappedKey])
def test_a_key_prints_its_length_only(kind: type[CryptoKey | WrappedKey], key_bytes: bytes) -> None:
    key = kind.parse(key_bytes)
    assert bytes(key) == key_bytes
    assert {repr(key), str(key), f"{key}", "{}".format(key), f"{key!r}"} == {repr(key)}  # noqa: UP032 # every way to print
    assert repr(key) in {"<256-bit key>", "<32-byte wrapped key>"}


def test_keys_are_read_from_bytes_and_from_base64_of_both_alphabets(key_bytes: bytes, key_text: str) -> None:
    url_safe = key_text.replace("+", "-").replace("/", "_").rstrip("=")
    for given in (key_bytes, key_text, f" {key_text}\n", url_safe):
        made = DateShiftConfig.from_api({"cryptoKey": given})
        assert made.crypto_key == key_bytes
        assert made.to_api() == {"cryptoKey": key_text}


YAML = """\
# kept by the research office
dicom:
  keepList:
    tags: [Modality, 00181030, 00100010, '(0008,0020)', 20500020]  # numbers stay tags
  skipIdRedaction: false
image:
  textRedactionMode: REDACT_SENSITIVE_TEXT
  customRegexes:
    - pattern: no
      groupIndexes: [1, 2]
"""


def test_yaml_is_read_as_people_mean_it() -> None:
    config = DeidentifyConfig.from_yaml(YAML)
    assert config.to_api() == {
        "dicom": {
            "keepList": {"tags": ["Modality", "00181030", "00100010", "00080020", "20500020"]},
            "skipIdRedaction": False,
        },
        "image": {
            "textRedactionMode": "REDACT_SENSITIVE_TEXT",
            "customRegexes": [{"pattern": "no", "groupIndexes": [1, 2]}],
        },
    }
    assert DeidentifyConfig.from_yaml(config.to_yaml().encode()) == config


def test_yaml_that_is_written_reads_the_same_in_a_plain_yaml_parser(key_bytes: bytes) -> None:
    import yaml

    config = DeidentifyConfig.builder().keep_tags("00100010", "00181030").shift_dates(crypto_key=key_bytes).build()
    assert yaml.safe_load(config.to_yaml()) == config.to_api()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("dicom: [", r"not YAML: line 1, column 9: "),
        ("dicom: {}\ndicom: {}", "not YAML: line 1, column 1: the same name occurs twice"),
        ("a: &x 1\nb: *x", "not YAML: line 2, column 4: aliases are not supported"),
        ("1: 2", "not YAML: line 1, column 1: a name must be text"),
        ("a: !!python/object:os.system x", "not YAML: line 1, column 4: "),
        ("a: \x01", "not YAML: the text holds a character that YAML does not allow"),
        ("dicm: {}", r"DeidentifyConfig: dicm: DeidentifyConfig has no such field: did you mean dicom\?"),
        ("text", "DeidentifyConfig: must be an object"),
    ],
)
def test_yaml_that_is_wrong_is_refused_with_its_place(text: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=f"^{rule}"):
        DeidentifyConfig.from_yaml(text)


def test_without_pyyaml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'healthcare-deid\[yaml\]'"):
        DeidentifyConfig.from_yaml("{}")
    with pytest.raises(MissingExtraError):
        DeidentifyConfig().to_yaml()


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".YML"])
def test_a_file_is_read_by_its_suffix(suffix: str, tmp_path: Path) -> None:
    config = presets.remove_metadata_and_all_text()
    path = tmp_path / f"config{suffix}"
    path.write_text(config.to_json() if suffix == ".json" else config.to_yaml(), "utf-8")
    assert DeidentifyConfig.from_file(path) == DeidentifyConfig.from_file(str(path)) == config


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the file name must end in \.json, \.yaml or \.yml"):
        DeidentifyConfig.from_file(tmp_path / "config.toml")


@pytest.mark.parametrize("cls", [DeidentifyConfig, v1beta1.DeidentifyConfig, DeidentifyDatasetRequest])
def test_the_json_schema_is_valid_and_accepts_the_same_configs(cls: Any) -> None:
    from jsonschema import Draft202012Validator

    schema = cls.json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    is_request = cls is DeidentifyDatasetRequest
    good = {"config": {}, "destinationDataset": SOURCE} if is_request else {"dicom": {"skipIdRedaction": True}}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "unknown": 1})
    assert "default" not in str(schema["properties"])


@pytest.mark.parametrize("config", [DeidentifyConfig, v1beta1.DeidentifyConfig])
def test_the_published_schema_is_that_of_the_config(config: type[DeidentifyConfig | v1beta1.DeidentifyConfig]) -> None:
    assert json.loads(published_schema(config.api_version)) == config.json_schema()


def test_the_json_schema_knows_unions_enums_deprecation_and_descriptions() -> None:
    from jsonschema import Draft202012Validator

    schema = DeidentifyConfig.json_schema()
    validator = Draft202012Validator(schema)
    tags = {"tags": ["PatientID"]}
    assert validator.is_valid({"dicom": {"keepList": tags}})
    assert not validator.is_valid({"dicom": {"keepList": tags, "filterProfile": "KEEP_ALL_PROFILE"}})
    assert not validator.is_valid({"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENT"}})
    assert schema["$defs"]["TextConfig"]["properties"]["transformations"]["deprecated"] is True
    assert schema["$defs"]["DicomConfig"]["properties"]["keepList"]["description"].startswith("Keep these tags")


def test_the_infotypes_are_text_with_descriptions() -> None:
    assert InfoType.DATE == "DATE"
    assert f"{InfoType.DATE}" == "DATE"
    assert InfoType("DATE") is InfoType.DATE
    assert all(member.description and str(member) == member.name for member in InfoType)
    assert set(DEFAULT_DICOM_INFO_TYPES) < set(InfoType)


def test_the_guide_lists_every_infotype() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "infotypes.md").read_text("utf-8")
    assert not [member for member in InfoType if f"| `{member}` | {member.description} |" not in guide]
