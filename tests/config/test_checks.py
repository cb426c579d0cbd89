"""Findings of the checks: at least one config for every code, with its path and text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from healthcare_deid import v1beta1
from healthcare_deid.config import CHECKS, presets
from healthcare_deid.config.checks.findings import Finding, Severity
from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS
from healthcare_deid.config.v1.deidentify import DeidentifyConfig

TUTORIAL_KEY = "U2FsdGVkX19bS2oZsdbK9X5zi2utBn22uY+I2Vo0zOU="
SALTED_KEY = "U2FsdGVkX1+DwwBDBwYJSLU3AxOAAQIDBAUGBwgJCgs="
GOOD_KEY = "yMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5uc="
CONTENTS = {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}
SENSITIVE = {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}
ALL_TEXT = {"textRedactionMode": "REDACT_ALL_TEXT"}


def text(**transformation: Any) -> dict[str, Any]:
    return {"dicom": CONTENTS, "text": {"additionalTransformations": [transformation]}}


def pattern(value: str, *groups: int) -> dict[str, Any]:
    return {"image": {**SENSITIVE, "customRegexes": [{"pattern": value, "groupIndexes": list(groups)}]}}


AT = "text.additionalTransformations[0]"
V1_CASES: list[tuple[str, dict[str, Any], str, str]] = [
    # code, config, path, part of the message
    ("config-empty", {}, "", "every store is skipped"),
    ("dicom-skipped", {"fhir": {}}, "dicom", "DICOM stores of a dataset are skipped"),
    ("deprecated-field", {"text": {"transformations": [{"redactConfig": {}}]}}, "text.transformations", "deprecated"),
    (
        "unspecified-value",
        {"dicom": {"filterProfile": "TAG_FILTER_PROFILE_UNSPECIFIED"}},
        "dicom.filterProfile",
        "KEEP_ALL",
    ),
    ("default-differs", {"dicom": {}}, "dicom", "v1 keeps every tag"),
    ("key-missing", text(infoTypes=["DATE"], dateShiftConfig={}), f"{AT}.dateShiftConfig", "differ between two"),
    ("key-missing", text(infoTypes=["PERSON_NAME"], cryptoHashConfig={}), f"{AT}.cryptoHashConfig", "differ between"),
    ("key-published", text(dateShiftConfig={"cryptoKey": TUTORIAL_KEY}), f"{AT}.dateShiftConfig.cryptoKey", "tutorial"),
    ("key-salted", text(dateShiftConfig={"cryptoKey": SALTED_KEY}), f"{AT}.dateShiftConfig.cryptoKey", "Salted__"),
    (
        "key-weak",
        text(dateShiftConfig={"cryptoKey": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}),
        f"{AT}.dateShiftConfig.cryptoKey",
        "random",
    ),
    (
        "key-weak",
        text(cryptoHashConfig={"cryptoKey": "Y29ycmVjdGhvcnNlYmF0dA=="}),
        f"{AT}.cryptoHashConfig.cryptoKey",
        "random",
    ),
    (
        "key-short",
        text(cryptoHashConfig={"cryptoKey": GOOD_KEY[:20] + "zg=="}),
        f"{AT}.cryptoHashConfig.cryptoKey",
        "128 bits",
    ),
    (
        "text-unused",
        {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}, "text": {}},
        "text",
        "has no effect",
    ),
    ("text-missing", {"dicom": CONTENTS}, "text", "not documented"),
    (
        "regional-info-types",
        {"dicom": CONTENTS, "useRegionalDataProcessing": True},
        "text.excludeInfoTypes",
        "LOCATION and ORGANIZATION_NAME must",
    ),
    (
        "regional-info-types",
        {"dicom": CONTENTS, "useRegionalDataProcessing": True, "text": {"excludeInfoTypes": ["LOCATION"]}},
        "text.excludeInfoTypes",
        "ORGANIZATION_NAME must",
    ),
    ("regional-pixels", {"image": SENSITIVE, "useRegionalDataProcessing": True}, "image", "v1 cannot express"),
    ("transformation-empty", text(infoTypes=["DATE"]), AT, "No transformation"),
    (
        "transformation-twice",
        {"text": {"additionalTransformations": [{"infoTypes": ["DATE"], "redactConfig": {}}] * 2}},
        "text.additionalTransformations[1].infoTypes[0]",
        "DATE has two",
    ),
    (
        "transformation-any",
        {"text": {"additionalTransformations": [{"redactConfig": {}}, {"infoTypes": ["DATE"], "redactConfig": {}}]}},
        AT,
        "applies to every infoType, even those of the other",
    ),
    (
        "transformation-excluded",
        {
            "text": {
                "excludeInfoTypes": ["DATE"],
                "additionalTransformations": [{"infoTypes": ["DATE"], "redactConfig": {}}],
            }
        },
        AT,
        "the text stays",
    ),
    ("transformation-too-long", text(infoTypes=["PERSON_NAME"], cryptoHashConfig={}), AT, "A hash has 44 characters"),
    (
        "transformation-too-long",
        text(infoTypes=["US_SOCIAL_SECURITY_NUMBER"], replaceWithInfoTypeConfig={}),
        AT,
        "27 characters",
    ),
    ("transformation-vr", text(infoTypes=["DATE"], replaceWithInfoTypeConfig={}), AT, "not valid in VR DA"),
    ("transformation-vr", text(infoTypes=["DATE"], cryptoHashConfig={}), AT, "a hashed value is not valid in VR DA"),
    ("transformation-vr", text(infoTypes=["AGE"], characterMaskConfig={}), AT, "a masked value is not valid"),
    ("transformation-vr", text(cryptoHashConfig={}), AT, "any infoType, dates and ages too"),
    ("shift-no-date", text(infoTypes=["PERSON_NAME", "DATE"], dateShiftConfig={}), AT, "PERSON_NAME: not a date"),
    ("shift-no-date", text(dateShiftConfig={}), AT, "Without infoTypes"),
    (
        "mask-empty",
        text(infoTypes=["AGE"], characterMaskConfig={"maskingCharacter": ""}),
        f"{AT}.characterMaskConfig.maskingCharacter",
        "'*' is used",
    ),
    (
        "info-type-unknown",
        text(infoTypes=["PERSON_NAMES"], redactConfig={}),
        f"{AT}.infoTypes[0]",
        "did you mean PERSON_NAME?",
    ),
    (
        "info-type-unknown",
        {"text": {"excludeInfoTypes": ["EMAIL_ADRESS"]}},
        "text.excludeInfoTypes[0]",
        "did you mean EMAIL_ADDRESS?",
    ),
    ("tags-kept", {"dicom": {}}, "dicom", "Every tag is kept"),
    ("tags-kept", {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}, "dicom.filterProfile", "Every tag is kept"),
    (
        "remove-list-open",
        {"dicom": {"removeList": {"tags": ["PatientName"]}}},
        "dicom.removeList",
        "keeps every tag that it does not",
    ),
    (
        "remove-required",
        {"dicom": {"removeList": {"tags": ["PatientName", "00280010", "PixelData"]}}},
        "dicom.removeList.tags",
        "Rows, PixelData",
    ),
    (
        "keep-identifier",
        {"dicom": {"keepList": {"tags": ["00100010", "PatientID", "Modality"]}}},
        "dicom.keepList.tags",
        "PatientID, PatientName",
    ),
    (
        "keep-redundant",
        {"dicom": {"keepList": {"tags": ["Rows", "Modality"]}}},
        "dicom.keepList.tags",
        "Rows: kept in any case",
    ),
    ("keep-no-viewer", {"dicom": {"keepList": {"tags": ["Rows", "Modality"]}}}, "dicom.keepList.tags", "SOPClassUID"),
    (
        "tag-twice",
        {"dicom": {"keepList": {"tags": ["Modality", "00080060"]}}},
        "dicom.keepList.tags[1]",
        "Modality is listed",
    ),
    ("contents-not-inspected", {"dicom": CONTENTS}, "dicom.filterProfile", "removes no tag"),
    ("uids-kept", {"dicom": {"skipIdRedaction": True}}, "dicom.skipIdRedaction", "link the result"),
    ("pixels-untouched", {"dicom": {}}, "image", "Burned-in text stays"),
    (
        "pixels-untouched",
        {"dicom": {}, "image": {"textRedactionMode": "REDACT_NO_TEXT"}},
        "image",
        "Burned-in text stays",
    ),
    ("all-text-laterality", {"image": ALL_TEXT}, "image.textRedactionMode", "laterality marks"),
    (
        "unspecified-value",
        {"image": {"textRedactionMode": "TEXT_REDACTION_MODE_UNSPECIFIED"}},
        "image.textRedactionMode",
        "REDACT_NO_TEXT",
    ),
    (
        "regex-unused",
        {"image": {**ALL_TEXT, "customRegexes": [{"pattern": "a"}]}},
        "image.customRegexes",
        "no documented effect",
    ),
    ("regex-invalid", pattern(""), "image.customRegexes[0].pattern", "empty"),
    ("regex-invalid", pattern("(?<=MRN )\\d+"), "image.customRegexes[0].pattern", "look-around"),
    ("regex-invalid", pattern("(a)\\1"), "image.customRegexes[0].pattern", "back-references"),
    ("regex-invalid", pattern("a++"), "image.customRegexes[0].pattern", "possessive"),
    ("regex-invalid", pattern("(a"), "image.customRegexes[0].pattern", "not a regular expression"),
    ("regex-groups", pattern("(a)(b)", 3), "image.customRegexes[0].groupIndexes", "2 groups"),
    ("regex-groups", pattern("(a)(b)(c)(d)", 1, 2, 3, 4), "image.customRegexes[0].groupIndexes", "at most three"),
    (
        "keep-private",
        {"dicom": {"keepList": {"tags": ["Modality", "(0019,1002)", "00191003"]}}},
        "dicom.keepList.tags",
        "(0019,1002), (0019,1003): kept whatever vendor's they are",
    ),
    (
        "keep-dates",
        {"dicom": {"keepList": {"tags": ["Modality", "StudyDate", "(0008,002A)"]}}},
        "dicom.keepList.tags",
        "StudyDate, 0008002A: kept unshifted",
    ),
    (
        "patients-alike",
        {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}},
        "dicom.filterProfile",
        "cannot be told apart",
    ),
    ("fhir-empty", {"fhir": {}}, "fhir", "stay unmodified"),
    (
        "fhir-open",
        {"fhir": {"fieldMetadataList": [{"paths": ["Patient.name"], "action": "TRANSFORM"}]}},
        "fhir.fieldMetadataList",
        "stay unmodified",
    ),
    ("fhir-extensions", {"fhir": {"defaultKeepExtensions": True}}, "fhir.defaultKeepExtensions", "kept unchanged"),
    (
        "fhir-action-unset",
        {"fhir": {"fieldMetadataList": [{"paths": ["Patient.name"]}]}},
        "fhir.fieldMetadataList[0].action",
        "leaves the field unchanged",
    ),
    (
        "action-nowhere",
        {"fhir": {"fieldMetadataList": [{"action": "TRANSFORM"}]}},
        "fhir.fieldMetadataList[0].paths",
        "lists no tag",
    ),
]


def action(*queries: str, **what: Any) -> dict[str, Any]:
    return {"dicomTagConfig": {"actions": [{"queries": list(queries), **what}]}}


BETA_CASES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "keep-private",
        action("00191002", keepTag={}),
        "dicomTagConfig.actions[0]",
        "(0019,1002): kept whatever vendor's they are",
    ),
    ("keep-private", action("0019,1002", cleanTextTag={}), "dicomTagConfig.actions[0]", "makes no claim"),
    ("keep-private", action("DS", keepTag={}), "dicomTagConfig.actions[0]", "DS (all private tags of the VR)"),
    (
        "transformation-any",
        {
            "dicomTagConfig": {},
            "text": {"additionalTransformations": [{"redactConfig": {}}, {"infoTypes": ["DATE"], "redactConfig": {}}]},
        },
        AT,
        "that no other transformation names, instead of the profile",
    ),
    (
        "transformation-excluded",
        {
            "dicomTagConfig": {},
            "text": {
                "excludeInfoTypes": ["DATE"],
                "additionalTransformations": [{"infoTypes": ["DATE"], "redactConfig": {}}],
            },
        },
        AT,
        "the local engine transforms",
    ),
    ("config-empty", {"text": {}}, "", "every store is skipped"),
    ("both-trees", {"dicom": {}, "dicomTagConfig": {}}, "dicom", "which one applies is not documented"),
    ("both-trees", {"image": ALL_TEXT, "dicomTagConfig": {"options": {"cleanImage": ALL_TEXT}}}, "image", "cleanImage"),
    ("deprecated-field", {"dicom": {}}, "dicom", "dicomTagConfig"),
    ("deprecated-field", {"fhir": {}}, "fhir", "fhirFieldConfig"),
    ("deprecated-field", {"image": ALL_TEXT}, "image", "cleanImage"),
    ("default-differs", {"dicomTagConfig": {}}, "dicomTagConfig.profileType", "Basic Profile"),
    ("default-differs", {"fhirFieldConfig": {}}, "fhirFieldConfig.profileType", "BASIC"),
    (
        "unspecified-value",
        {"dicomTagConfig": {"profileType": "PROFILE_TYPE_UNSPECIFIED"}},
        "dicomTagConfig.profileType",
        "BASIC_PROFILE",
    ),
    (
        "unspecified-value",
        {"fhirFieldConfig": {"profileType": "PROFILE_TYPE_UNSPECIFIED"}},
        "fhirFieldConfig.profileType",
        "BASIC",
    ),
    ("tags-kept", {"dicomTagConfig": {"profileType": "KEEP_ALL_PROFILE"}}, "dicomTagConfig.profileType", "Every tag"),
    ("uids-kept", {"dicomTagConfig": {"options": {"primaryIds": "KEEP"}}}, "dicomTagConfig.options.primaryIds", "link"),
    (
        "contents-not-inspected",
        {"dicomTagConfig": {"profileType": "DEIDENTIFY_TAG_CONTENTS"}},
        "dicomTagConfig.profileType",
        "removes no tag",
    ),
    ("action-empty", action("PN"), "dicomTagConfig.actions[0]", "No action"),
    (
        "keep-dates",
        action("Modality", "StudyDate", keepTag={}),
        "dicomTagConfig.actions[0]",
        "StudyDate: kept unshifted",
    ),
    ("keep-dates", action("DT", keepTag={}), "dicomTagConfig.actions[0]", "DT"),
    ("patients-alike", {"dicomTagConfig": {}}, "dicomTagConfig.profileType", "every patient"),
    ("patients-alike", action("PatientID", resetTag={}), "dicomTagConfig.actions[0]", "every patient"),
    ("action-nowhere", action(keepTag={}), "dicomTagConfig.actions[0].queries", "lists no tag"),
    (
        "action-vr",
        action("PixelData", "PatientName", cleanTextTag={}),
        "dicomTagConfig.actions[0]",
        "PixelData: the action does not",
    ),
    ("action-vr", action("PN", regenUidTag={}), "dicomTagConfig.actions[0]", "PN: the action does not"),
    ("action-vr", action("PatientID", recurseTag={}), "dicomTagConfig.actions[0]", "PatientID"),
    ("action-vr", action("OverlayData", cleanImageTag={}), "dicomTagConfig.actions[0]", "OverlayData"),
    ("keep-identifier", action("PatientID", keepTag={}), "dicomTagConfig.actions[0]", "PatientID"),
    (
        "key-missing",
        {"fhirFieldConfig": {"options": {"dateShiftConfig": {}}}},
        "fhirFieldConfig.options.dateShiftConfig",
        "key",
    ),
    (
        "key-missing",
        {"fhirFieldConfig": {"options": {"cryptoHashConfig": {}}}},
        "fhirFieldConfig.options.cryptoHashConfig",
        "key",
    ),
    (
        "regional-info-types",
        {"useRegionalDataProcessing": True, "dicomTagConfig": {"options": {"cleanImage": SENSITIVE}}},
        "dicomTagConfig.options.cleanImage.excludeInfoTypes",
        "LOCATION",
    ),
    (
        "image-info-types",
        {"image": {**ALL_TEXT, "additionalInfoTypes": ["DATE"]}},
        "image.additionalInfoTypes",
        "requires a sensitive",
    ),
    ("image-info-types", {"image": {"excludeInfoTypes": ["DATE"]}}, "image.excludeInfoTypes", "requires a sensitive"),
    ("pixels-untouched", {"dicomTagConfig": {}}, "image", "Burned-in text stays"),
    (
        "all-text-laterality",
        {"dicomTagConfig": {"actions": [{"queries": ["PixelData"], "cleanImageTag": ALL_TEXT}]}},
        "dicomTagConfig.actions[0].cleanImageTag.textRedactionMode",
        "laterality",
    ),
    ("fhir-open", {"fhirFieldConfig": {"profileType": "KEEP_ALL"}}, "fhirFieldConfig.profileType", "unmodified"),
    (
        "fhir-extensions",
        {"fhirFieldConfig": {"options": {"keepExtensions": {}}}},
        "fhirFieldConfig.options.keepExtensions",
        "kept",
    ),
    (
        "action-empty",
        {"fhirFieldConfig": {"fieldMetadataList": [{"paths": ["Patient"]}]}},
        "fhirFieldConfig.fieldMetadataList[0]",
        "No ",
    ),
    (
        "action-nowhere",
        {"fhirFieldConfig": {"fieldMetadataList": [{"keepField": {}}]}},
        "fhirFieldConfig.fieldMetadataList[0].paths",
        "lists no",
    ),
]


def found(config: DeidentifyConfig | v1beta1.DeidentifyConfig, code: str) -> list[Finding]:
    return [finding for finding in config.checks() if finding.code == code]


@pytest.mark.parametrize(("code", "body", "path", "says"), V1_CASES, ids=[case[0] for case in V1_CASES])
def test_v1_finds(code: str, body: dict[str, Any], path: str, says: str) -> None:
    findings = found(DeidentifyConfig.from_api(body), code)
    assert path in [finding.path for finding in findings]
    finding = next(finding for finding in findings if finding.path == path)
    assert says in finding.message
    assert finding.severity is CHECKS[code].severity
    assert finding.remedy == CHECKS[code].remedy


@pytest.mark.parametrize(("code", "body", "path", "says"), BETA_CASES, ids=[case[0] for case in BETA_CASES])
def test_v1beta1_finds(code: str, body: dict[str, Any], path: str, says: str) -> None:
    findings = found(v1beta1.DeidentifyConfig.from_api(body), code)
    assert path in [finding.path for finding in findings]
    assert says in next(finding for finding in findings if finding.path == path).message


def test_every_code_has_a_case() -> None:
    assert {case[0] for case in [*V1_CASES, *BETA_CASES]} == set(CHECKS)


QUIET: list[tuple[str, dict[str, Any]]] = [
    ("key-missing", text(infoTypes=["DATE"], dateShiftConfig={"cryptoKey": GOOD_KEY})),
    ("key-weak", text(infoTypes=["DATE"], dateShiftConfig={"cryptoKey": GOOD_KEY})),
    ("key-short", text(infoTypes=["DATE"], dateShiftConfig={"cryptoKey": GOOD_KEY})),
    ("mask-empty", text(infoTypes=["DATE"], characterMaskConfig={})),
    ("transformation-vr", text(infoTypes=["DATE", "AGE"], redactConfig={})),
    ("transformation-vr", {"image": SENSITIVE, "text": {"additionalTransformations": [{"cryptoHashConfig": {}}]}}),
    ("transformation-too-long", text(infoTypes=["PERSON_NAME"], replaceWithInfoTypeConfig={})),
    ("shift-no-date", text(infoTypes=["DATE", "DATE_OF_BIRTH", "MY_DATE"], dateShiftConfig={})),
    ("info-type-unknown", text(infoTypes=["PERSON_NAME", "HOSPITAL_CODE"], redactConfig={})),
    ("text-unused", {"image": SENSITIVE, "text": {}}),
    (
        "regional-info-types",
        {
            "dicom": CONTENTS,
            "useRegionalDataProcessing": True,
            "text": {"excludeInfoTypes": ["LOCATION", "ORGANIZATION_NAME"]},
        },
    ),
    ("regional-pixels", {"image": ALL_TEXT, "useRegionalDataProcessing": True}),
    ("remove-required", {"dicom": {"removeList": {"tags": ["PatientName"]}}}),
    (
        "keep-no-viewer",
        {"dicom": {"keepList": {"tags": ["SOPClassUID", "Modality", "InstanceNumber", "SeriesNumber"]}}},
    ),
    ("keep-redundant", {"dicom": {"keepList": {"tags": ["Modality"]}}}),
    ("keep-dates", {"dicom": {"keepList": {"tags": ["Modality", "StudyTime", "00091001"]}}}),
    ("patients-alike", {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}),
    ("keep-identifier", {"dicom": {"keepList": {"tags": list(MINIMAL_KEEP_TAGS)}}}),
    ("tags-kept", {"dicom": CONTENTS}),
    ("regex-invalid", pattern("(?i)MRN[: ]*(\\d{6,8})\\z")),
    ("regex-invalid", pattern("(?P<name>a)\\\\1\\pL{2}")),
    ("regex-groups", pattern("(a)(b)(c)", 0, 1, 3)),
]


@pytest.mark.parametrize(("code", "body"), QUIET, ids=[case[0] for case in QUIET])
def test_a_config_that_is_right_in_this_point_raises_no_such_finding(code: str, body: dict[str, Any]) -> None:
    assert not found(DeidentifyConfig.from_api(body), code)


def test_the_worst_comes_first() -> None:
    body = {**text(dateShiftConfig={"cryptoKey": TUTORIAL_KEY}), "image": ALL_TEXT, "fhir": {}}
    ranks = [finding.severity.rank for finding in DeidentifyConfig.from_api(body).checks()]
    assert ranks == sorted(ranks)
    assert {0, 1, 2} == set(ranks)


def test_the_presets_have_no_errors_and_with_a_key_no_warnings() -> None:
    for config in (
        presets.remove_metadata_and_all_text(),
        presets.transform_contents_and_sensitive_text(crypto_key=presets.generate_crypto_key()),
        presets.basic_confidentiality_profile(),
    ):
        assert {finding.severity for finding in config.checks()} <= {Severity.INFO}
    codes = [finding.code for finding in presets.transform_contents_and_sensitive_text().checks()]
    assert "key-missing" in codes


def test_the_tutorials_keep_list_gets_findings_for_missing_and_redundant_tags() -> None:
    codes = [finding.code for finding in presets.keep_tags_and_redact_all_text().checks()]
    assert codes == ["keep-no-viewer", "keep-redundant", "all-text-laterality"]


def test_a_finding_reads_as_one_sentence_after_another() -> None:
    finding = found(DeidentifyConfig.from_api({"dicom": {"skipIdRedaction": True}}), "uids-kept")[0]
    assert str(finding).startswith("warning uids-kept at dicom.skipIdRedaction: Study, series and instance UIDs stay")


def test_the_guide_documents_every_code_with_its_severity() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "checks.md").read_text("utf-8")
    for rule in CHECKS.values():
        assert f"| `{rule.code}` | {rule.severity} | {rule.meaning} | {rule.remedy} |" in guide


def test_a_users_subclass_keeps_its_version() -> None:
    class Ours(v1beta1.DeidentifyConfig):
        """A config with a name of the user's own."""

    config = Ours.from_api({"dicomTagConfig": {"profileType": "KEEP_ALL_PROFILE"}})
    assert config.api_version == "v1beta1"
    assert [finding.path for finding in config.checks()] == ["dicomTagConfig.profileType", "image"]
    assert repr(config).startswith("<DeidentifyConfig v1beta1>")
    name = "projects/p/locations/l/datasets/d"
    assert "healthcare.googleapis.com/v1beta1/" in config.to_curl(name, name)


@pytest.mark.parametrize("profile", ["KEEP_ALL_PROFILE", "DEIDENTIFY_TAG_CONTENTS"])
def test_a_profile_that_keeps_private_tags_is_not_warned_of_one_of_them(profile: str) -> None:
    message = action("00191002", keepTag={})
    message["dicomTagConfig"]["profileType"] = profile
    assert "keep-private" not in {finding.code for finding in v1beta1.DeidentifyConfig.from_api(message).checks()}
