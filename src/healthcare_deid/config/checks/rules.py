"""The checks' catalogue: every code, how bad it is, what it means and what to do. The guide is printed from it."""

from __future__ import annotations

from typing import NamedTuple

from healthcare_deid.config.findings import Finding, Severity

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Rule(NamedTuple):
    """One check.

    Attributes:
        code: Its stable name.
        severity: How bad a finding is.
        meaning: What is the matter, in a sentence or two.
        remedy: What to do.
    """

    code: str
    severity: Severity
    meaning: str
    remedy: str

    def at(self, path: str, message: str = "") -> Finding:
        """Return the finding for one place; `message` says more precisely what the rule says in general."""
        return Finding(self.code, self.severity, path, message or self.meaning, self.remedy)


_RULES = (
    # The whole
    Rule(
        "config-empty",
        _ERROR,
        "Neither DICOM nor FHIR is configured: every store is skipped.",
        "Set dicom (or dicomTagConfig, fhir, fhirFieldConfig).",
    ),
    Rule(
        "dicom-skipped",
        _WARNING,
        "DICOM is not configured: the DICOM stores of a dataset are skipped, whatever text and image say.",
        'Set dicom, or {"dicom": {}} to keep every tag and regenerate UIDs.',
    ),
    Rule(
        "both-trees",
        _ERROR,
        "The deprecated field and the one that replaces it are both set; which one counts is not documented.",
        "Keep the new one.",
    ),
    Rule(
        "deprecated-field",
        _WARNING,
        "The API has deprecated the field.",
        "Use the field that replaces it.",
    ),
    Rule(
        "unspecified-value",
        _INFO,
        "An UNSPECIFIED value means a default that the reader does not see.",
        "Name the value that is meant.",
    ),
    Rule(
        "default-differs",
        _WARNING,
        "The field is unset, and v1 and v1beta1 have contrary defaults for it.",
        "Set it, so that the config means the same in both versions.",
    ),
    # Keys
    Rule(
        "key-missing",
        _WARNING,
        "Without a key every operation makes one of its own: hashes and date shifts do not agree between two runs.",
        "Give a key (presets.generate_crypto_key()) and store it, unless results must never be linked.",
    ),
    Rule(
        "key-published",
        _ERROR,
        "The key is the one printed in Google's tutorial: anyone can undo the date shift and test guesses of a hash.",
        "Make a key of your own: presets.generate_crypto_key().",
    ),
    Rule(
        "key-salted",
        _ERROR,
        "The key begins with 'Salted__': it is the output of 'openssl enc', its first eight bytes are known to all.",
        "Make a random key: presets.generate_crypto_key(), or 'openssl rand -base64 32'.",
    ),
    Rule(
        "key-weak",
        _ERROR,
        "The key repeats few bytes, or is printable text: it is not random.",
        "Make a random key: presets.generate_crypto_key(), or 'openssl rand -base64 32'.",
    ),
    Rule(
        "key-short",
        _INFO,
        "The API takes 128 and 192 bits, but the inspection service behind it hashes with 256 only.",
        "Use a 256-bit key.",
    ),
    # Text
    Rule(
        "text-unused",
        _WARNING,
        "Nothing here inspects text: no tag, field or pixel is treated by the text config.",
        "Inspect tags (filterProfile DEIDENTIFY_TAG_CONTENTS), FHIR fields or pixels, or leave text out.",
    ),
    Rule(
        "text-missing",
        _WARNING,
        "Tags are inspected and no transformation is given; what v1 does then is not documented.",
        "Set text.additionalTransformations.",
    ),
    Rule(
        "regional-info-types",
        _ERROR,
        "Regional processing cannot find LOCATION and ORGANIZATION_NAME; the API wants them excluded.",
        "Add them to text.excludeInfoTypes, and know that such text stays.",
    ),
    Rule(
        "regional-pixels",
        _ERROR,
        "Regional processing of pixels needs LOCATION excluded in the image config, which v1 cannot say.",
        "Use v1beta1 (imageConfig.excludeInfoTypes), or REDACT_ALL_TEXT.",
    ),
    Rule(
        "transformation-empty",
        _ERROR,
        "None of the transformations is set.",
        "Set one, such as redactConfig.",
    ),
    Rule(
        "transformation-twice",
        _WARNING,
        "An infoType has two transformations; which one counts is not documented.",
        "Leave it in one.",
    ),
    Rule(
        "transformation-any",
        _WARNING,
        "A transformation without infoTypes applies to any infoType in v1, those of the others too; in v1beta1 only to "
        "those that no other names.",
        "Name its infoTypes.",
    ),
    Rule(
        "transformation-excluded",
        _WARNING,
        "The infoType is transformed and excluded; exclusion wins, the text stays.",
        "Take it out of one of the two.",
    ),
    Rule(
        "transformation-too-long",
        _WARNING,
        "The result is longer than some VRs it will meet allow (AE and SH: 16 characters); there the text is erased.",
        "Expect erased values in such tags, or redact.",
    ),
    Rule(
        "transformation-vr",
        _WARNING,
        "The result is no valid value in VRs it will meet (DA, DT, AS); there the value is erased.",
        "Shift dates; redact ages.",
    ),
    Rule(
        "shift-no-date",
        _WARNING,
        "A date shift cannot apply to an infoType that is no date; there the text is erased.",
        "Shift DATE and DATE_OF_BIRTH only.",
    ),
    Rule(
        "mask-empty",
        _INFO,
        "maskingCharacter is empty: '*' is used.",
        "Write '*', or leave it out.",
    ),
    Rule(
        "info-type-unknown",
        _WARNING,
        "The infoType is not a documented one, and nearly is.",
        "Correct its name; a custom infoType needs a name unlike the documented ones to escape this check.",
    ),
    # Tags
    Rule(
        "tags-kept",
        _WARNING,
        "Every tag is kept as it is, names and dates of birth included.",
        "Choose a profile, a keep list, or DEIDENTIFY_TAG_CONTENTS.",
    ),
    Rule(
        "remove-list-open",
        _WARNING,
        "A remove list keeps every tag that it does not name, private ones and those of tomorrow's scanners too.",
        "Prefer a keep list or a profile.",
    ),
    Rule(
        "remove-required",
        _ERROR,
        "Tags that valid DICOM needs cannot be removed: the service refuses the list.",
        "Take them out of the list.",
    ),
    Rule(
        "keep-identifier",
        _WARNING,
        "The list keeps a direct identifier, unchanged.",
        "Take it out, unless that is the purpose.",
    ),
    Rule(
        "keep-redundant",
        _INFO,
        "Tags that valid DICOM needs are kept anyway.",
        "They can be left out.",
    ),
    Rule(
        "keep-no-viewer",
        _WARNING,
        "Tags are missing that viewers, archives and most readers need.",
        "Add them; none of them names a person.",
    ),
    Rule(
        "tag-twice",
        _INFO,
        "The same tag stands in the list twice.",
        "Leave it in once.",
    ),
    Rule(
        "contents-not-inspected",
        _INFO,
        "DEIDENTIFY_TAG_CONTENTS removes no tag and reads only AE AS DA DT LO LT PN SH ST UC UT: times, codes, "
        "numbers, UIDs and binary values stay as they are.",
        "For more, combine actions in v1beta1, or use a profile that removes.",
    ),
    Rule(
        "uids-kept",
        _WARNING,
        "Study, series and instance UIDs stay: whoever has the originals can link the result to the person.",
        "Leave them to be regenerated.",
    ),
    Rule(
        "action-empty",
        _ERROR,
        "None of the actions is set.",
        "Set one, such as removeTag or keepField.",
    ),
    Rule(
        "action-nowhere",
        _ERROR,
        "The action names no tag, VR or path.",
        "Fill in queries or paths.",
    ),
    Rule(
        "action-vr",
        _ERROR,
        "The action cannot apply to the VR of a tag it names.",
        "cleanTextTag: AE AS DA DT LO LT PN SH ST UC UT; regenUidTag: UI; recurseTag: SQ; cleanImageTag: PixelData.",
    ),
    # Pixels
    Rule(
        "pixels-untouched",
        _WARNING,
        "Burned-in text stays in the pixels.",
        "Set textRedactionMode, unless the images are known to be free of text.",
    ),
    Rule(
        "all-text-laterality",
        _INFO,
        "REDACT_ALL_TEXT covers every text: laterality marks, scales and measurements go too.",
        "Use REDACT_SENSITIVE_TEXT where readers need them.",
    ),
    Rule(
        "regex-unused",
        _WARNING,
        "Patterns are given and the mode redacts all text, or none: they do nothing, or nothing documented.",
        "Use REDACT_SENSITIVE_TEXT with them.",
    ),
    Rule(
        "regex-invalid",
        _ERROR,
        "The pattern is empty or no RE2 pattern: RE2 has no look-around, back-references or possessive repeats.",
        "Rewrite the pattern; use groupIndexes where a look-around marked the place.",
    ),
    Rule(
        "regex-groups",
        _ERROR,
        "groupIndexes names a group that the pattern does not have, or more than three.",
        "Count the pattern's brackets from 1; 0 is the whole match.",
    ),
    Rule(
        "image-info-types",
        _ERROR,
        "additionalInfoTypes needs a sensitive or the unspecified mode, excludeInfoTypes a sensitive one.",
        "Change the mode, or leave the list out.",
    ),
    # FHIR
    Rule(
        "fhir-empty",
        _WARNING,
        "fhir is empty: the gcloud help calls that the default de-identification, the reference says that fields no "
        "path matches pass unmodified.",
        "Say what is to happen: fieldMetadataList, or v1beta1's fhirFieldConfig with a profile.",
    ),
    Rule(
        "fhir-open",
        _WARNING,
        "Fields that no path matches pass unmodified.",
        "Check that the list covers every identifying field, or use v1beta1's fhirFieldConfig with BASIC.",
    ),
    Rule(
        "fhir-extensions",
        _WARNING,
        "Extensions are kept as they are.",
        "Leave defaultKeepExtensions (keepExtensions) out, or list what is to happen to the extensions.",
    ),
    Rule(
        "fhir-action-unset",
        _WARNING,
        "No action is set: in v1 the field is left as it is, v1beta1 does not say.",
        "Set the action.",
    ),
)

RULES: dict[str, Rule] = {rule.code: rule for rule in _RULES}
"""Every check by its code."""
