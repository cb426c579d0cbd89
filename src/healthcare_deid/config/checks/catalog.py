"""Catalog of the checks: code, severity, meaning and remedy.

The table in the guide is generated from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.config.checks.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Check(NamedTuple):
    """One check.

    Attributes:
        code: Stable name.
        severity: Severity of a finding.
        meaning: The problem, in a sentence or two.
        remedy: The remedy.
    """

    code: str
    severity: Severity
    meaning: str
    remedy: str

    def at(self, path: str, message: str = "", *, tags: Iterable[str] = ()) -> Finding:
        """Return the finding at one place, about these tags.

        ``message`` makes the general meaning more precise.
        """
        return Finding(self.code, self.severity, path, message or self.meaning, self.remedy, tuple(tags))


_CHECKS = (
    # The whole
    Check(
        "config-empty",
        _ERROR,
        "Neither DICOM nor FHIR is configured, so every store is skipped.",
        "Set dicom (or dicomTagConfig, fhir, fhirFieldConfig).",
    ),
    Check(
        "dicom-skipped",
        _WARNING,
        "DICOM is not configured, so the DICOM stores of a dataset are skipped, whatever text and image say.",
        'Set dicom, or {"dicom": {}} to keep every tag and regenerate UIDs.',
    ),
    Check(
        "both-trees",
        _ERROR,
        "The deprecated field and the one that replaces it are both set; which one applies is not documented.",
        "Keep the new one.",
    ),
    Check(
        "deprecated-field",
        _WARNING,
        "The API has deprecated the field.",
        "Use the field that replaces it.",
    ),
    Check(
        "unspecified-value",
        _INFO,
        "An UNSPECIFIED value stands for a default that the config does not show.",
        "Write the intended value.",
    ),
    Check(
        "default-differs",
        _WARNING,
        "The field is unset, and its defaults in v1 and v1beta1 contradict each other.",
        "Set it, so that the config means the same in both versions.",
    ),
    # Keys
    Check(
        "key-missing",
        _WARNING,
        "Without a key every operation of the service generates its own, so hashes and date shifts differ between two "
        "operations. Runs over files on this machine are keyed by their secret.",
        "Set a key (presets.generate_crypto_key()) and store it, unless results must never be linked.",
    ),
    Check(
        "key-published",
        _ERROR,
        "The key is the one published in Google's tutorial, so anyone can undo the shift and test guesses of a hash.",
        "Generate your own key: presets.generate_crypto_key().",
    ),
    Check(
        "key-salted",
        _ERROR,
        "The key begins with 'Salted__': it is output of 'openssl enc', and its first eight bytes are public.",
        "Generate a random key: presets.generate_crypto_key(), or 'openssl rand -base64 32'.",
    ),
    Check(
        "key-weak",
        _ERROR,
        "The key repeats few bytes or is printable text, so it is not random.",
        "Generate a random key: presets.generate_crypto_key(), or 'openssl rand -base64 32'.",
    ),
    Check(
        "key-short",
        _INFO,
        "The API accepts 128 and 192 bits, but the inspection service behind it hashes with 256 bits only.",
        "Use a 256-bit key.",
    ),
    # Text
    Check(
        "text-unused",
        _WARNING,
        "The text config has no effect: no tag, field or pixel is inspected.",
        "Inspect tags (filterProfile DEIDENTIFY_TAG_CONTENTS), FHIR fields or pixels, or leave text out.",
    ),
    Check(
        "text-missing",
        _WARNING,
        "Tags are inspected but no transformation is set; what v1 does then is not documented.",
        "Set text.additionalTransformations.",
    ),
    Check(
        "regional-info-types",
        _ERROR,
        "Regional processing cannot find LOCATION and ORGANIZATION_NAME; the API requires them to be excluded.",
        "Add them to text.excludeInfoTypes; such text then stays.",
    ),
    Check(
        "regional-pixels",
        _ERROR,
        "Regional processing of pixels requires LOCATION to be excluded in the image config, which v1 cannot express.",
        "Use v1beta1 (imageConfig.excludeInfoTypes), or REDACT_ALL_TEXT.",
    ),
    Check(
        "transformation-empty",
        _ERROR,
        "No transformation is set.",
        "Set one, such as redactConfig.",
    ),
    Check(
        "transformation-twice",
        _WARNING,
        "An infoType has two transformations; which one applies is not documented.",
        "Keep one of them.",
    ),
    Check(
        "transformation-any",
        _WARNING,
        "A transformation without infoTypes stands beside others. In v1 it applies to every infoType, in v1beta1 to "
        "those that no other transformation names, instead of the profile.",
        "List its infoTypes.",
    ),
    Check(
        "transformation-excluded",
        _WARNING,
        "The infoType is both transformed and excluded. In v1 exclusion wins and the text stays; v1beta1 does not "
        "document which one applies, and the local engine transforms.",
        "Remove it from one of the two.",
    ),
    Check(
        "transformation-too-long",
        _WARNING,
        "The result is too long for some inspected VRs (AE and SH hold 16 characters); the text is erased there.",
        "Expect erased values in such tags, or use redactConfig.",
    ),
    Check(
        "transformation-vr",
        _WARNING,
        "The result is not valid in some inspected VRs (DA, DT, AS); the value is erased there.",
        "Shift dates; redact ages.",
    ),
    Check(
        "shift-no-date",
        _WARNING,
        "A date shift does not apply to an infoType that is not a date; such text is erased.",
        "Shift DATE and DATE_OF_BIRTH only.",
    ),
    Check(
        "mask-empty",
        _INFO,
        "maskingCharacter is empty, so '*' is used.",
        "Write '*' or leave the field out.",
    ),
    Check(
        "info-type-unknown",
        _WARNING,
        "The infoType is not documented, but resembles one that is.",
        "Correct the name; give a custom infoType a name unlike the documented ones.",
    ),
    # Tags
    Check(
        "tags-kept",
        _WARNING,
        "Every tag is kept unchanged, including names and dates of birth.",
        "Choose a profile, a keep list, or DEIDENTIFY_TAG_CONTENTS.",
    ),
    Check(
        "remove-list-open",
        _WARNING,
        "A remove list keeps every tag that it does not list, including private tags and those of future scanners.",
        "Prefer a keep list or a profile.",
    ),
    Check(
        "remove-required",
        _ERROR,
        "The list removes tags required in valid DICOM; the service refuses it.",
        "Remove them from the list.",
    ),
    Check(
        "keep-identifier",
        _WARNING,
        "The list keeps a direct identifier unchanged.",
        "Remove it from the list, unless that is intended.",
    ),
    Check(
        "keep-private",
        _WARNING,
        "Private tags are kept by number or VR, which names no vendor: in another vendor's file the same number can "
        "hold anything, a name too. Such a result makes no claim about identity, and is not searched for names.",
        "With the local engine, keep them by their private creator: Deidentifier(config, safe_private=[...]).",
    ),
    Check(
        "keep-dates",
        _WARNING,
        "The config keeps dates unshifted; they are identifying, and a keep list or keepTag never shifts them.",
        "Use v1beta1's cleanTextTag with a dateShiftConfig, or shift them in a second operation.",
    ),
    Check(
        "patients-alike",
        _INFO,
        "PatientID gets the same value for every patient, so patients cannot be told apart in the result.",
        "Only the local engine assigns pseudonyms: Deidentifier(config, pseudonyms=...).",
    ),
    Check(
        "keep-redundant",
        _INFO,
        "Tags required in valid DICOM are kept in any case.",
        "Leave them out.",
    ),
    Check(
        "keep-no-viewer",
        _WARNING,
        "The list lacks tags that viewers, archives and most readers need.",
        "Add them; none of them identifies a person.",
    ),
    Check(
        "tag-twice",
        _INFO,
        "A tag is listed twice.",
        "List it once.",
    ),
    Check(
        "contents-not-inspected",
        _INFO,
        "DEIDENTIFY_TAG_CONTENTS removes no tag and reads only AE AS DA DT LO LT PN SH ST UC UT: times, codes, "
        "numbers, UIDs and binary values stay as they are.",
        "For more, combine actions in v1beta1, or use a profile that removes.",
    ),
    Check(
        "uids-kept",
        _WARNING,
        "Study, series and instance UIDs stay, so anyone with the originals can link the result to the person.",
        "Let them be regenerated.",
    ),
    Check(
        "action-empty",
        _ERROR,
        "No action is set.",
        "Set one, such as removeTag or keepField.",
    ),
    Check(
        "action-nowhere",
        _ERROR,
        "The action lists no tag, VR or path.",
        "Fill in queries or paths.",
    ),
    Check(
        "action-vr",
        _ERROR,
        "The action does not apply to the VR of a tag it lists.",
        "cleanTextTag: AE AS DA DT LO LT PN SH ST UC UT; regenUidTag: UI; recurseTag: SQ; cleanImageTag: PixelData.",
    ),
    # Pixels
    Check(
        "pixels-untouched",
        _WARNING,
        "Burned-in text stays in the pixels.",
        "Set textRedactionMode, unless the images are known to be free of text.",
    ),
    Check(
        "all-text-laterality",
        _INFO,
        "REDACT_ALL_TEXT covers every text, including laterality marks, scales and measurements.",
        "Use REDACT_SENSITIVE_TEXT where readers need them.",
    ),
    Check(
        "regex-unused",
        _WARNING,
        "Patterns are set, but the mode redacts all text or none, so they have no documented effect.",
        "Use REDACT_SENSITIVE_TEXT with patterns.",
    ),
    Check(
        "regex-invalid",
        _ERROR,
        "The pattern is empty or not RE2: RE2 has no look-around, back-references or possessive quantifiers.",
        "Rewrite the pattern; use groupIndexes instead of look-around.",
    ),
    Check(
        "regex-groups",
        _ERROR,
        "groupIndexes lists a group that the pattern does not have, or more than three groups.",
        "Count the pattern's opening parentheses from 1; 0 is the whole match.",
    ),
    Check(
        "image-info-types",
        _ERROR,
        "additionalInfoTypes requires a sensitive or the unspecified mode, excludeInfoTypes a sensitive mode.",
        "Change the mode, or leave the list out.",
    ),
    # FHIR
    Check(
        "fhir-empty",
        _WARNING,
        "fhir is empty: the gcloud help calls this the default de-identification, but the reference says that fields "
        "without a matching path stay unmodified.",
        "Set fieldMetadataList, or use v1beta1's fhirFieldConfig with a profile.",
    ),
    Check(
        "fhir-open",
        _WARNING,
        "Fields without a matching path stay unmodified.",
        "Check that the list covers every identifying field, or use v1beta1's fhirFieldConfig with BASIC.",
    ),
    Check(
        "fhir-extensions",
        _WARNING,
        "Extensions are kept unchanged.",
        "Leave defaultKeepExtensions (keepExtensions) out, or add rules for the extensions.",
    ),
    Check(
        "fhir-action-unset",
        _WARNING,
        "No action is set: v1 leaves the field unchanged, v1beta1 does not document this.",
        "Set the action.",
    ),
)

CHECKS: dict[str, Check] = {check.code: check for check in _CHECKS}
"""Every check by its code."""
SERVICE_ONLY = frozenset({"key-missing", "fhir-empty", "fhir-open", "fhir-extensions", "fhir-action-unset"})
"""Codes of findings that do not hold for a run over files, which has a secret and no FHIR."""
