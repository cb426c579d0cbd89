"""Conversion of v1 configs to v1beta1 by Google's migration rules.

A filter becomes ``dicomTagConfig``: a keep list is the minimal profile with keep actions, a remove list the keep-all
profile with delete actions. ``skipIdRedaction`` becomes ``options.primaryIds``, ``image`` becomes
``options.cleanImage``, ``fhir`` becomes ``fhirFieldConfig``. Defaults that differ between the versions are written out.
Where v1beta1 cannot express the same, the result removes more, never less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS, tag_number, vr_of
from healthcare_deid.config.v1.dicom import TagFilterProfile
from healthcare_deid.config.v1.fhir import FieldAction
from healthcare_deid.config.v1beta1 import dicom as beta_dicom
from healthcare_deid.config.v1beta1 import fhir as beta_fhir
from healthcare_deid.config.v1beta1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1beta1.image import ImageConfig as BetaImageConfig
from healthcare_deid.config.v1beta1.image import TextRedactionMode
from healthcare_deid.config.v1beta1.text import TextConfig as BetaTextConfig
from healthcare_deid.config.v1beta1.text import TextProfileType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.config.v1.dicom import DicomConfig
    from healthcare_deid.config.v1.fhir import FhirConfig, FieldMetadata
    from healthcare_deid.config.v1.image import ImageConfig
    from healthcare_deid.config.v1.text import TextConfig

_REGIONAL = ("LOCATION", "ORGANIZATION_NAME")
_REQUIRED = {tag_number(tag) for tag in MINIMAL_KEEP_TAGS}
_PROFILES = {
    TagFilterProfile.TAG_FILTER_PROFILE_UNSPECIFIED: beta_dicom.TagProfileType.KEEP_ALL_PROFILE,
    TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE: beta_dicom.TagProfileType.MINIMAL_KEEP_LIST_PROFILE,
    TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE: (
        beta_dicom.TagProfileType.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE
    ),
    TagFilterProfile.KEEP_ALL_PROFILE: beta_dicom.TagProfileType.KEEP_ALL_PROFILE,
    TagFilterProfile.DEIDENTIFY_TAG_CONTENTS: beta_dicom.TagProfileType.DEIDENTIFY_TAG_CONTENTS,
}


@dataclass(frozen=True, slots=True)
class SemanticDifference:
    """A difference in behavior between a v1 config and its conversion.

    Attributes:
        path: JSON path in the v1 config.
        v1: Behavior of v1.
        v1beta1: Behavior of the converted config.
    """

    path: str
    v1: str
    v1beta1: str

    def __str__(self) -> str:
        return f"{self.path}: v1: {self.v1}; v1beta1: {self.v1beta1}"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted config.

    Attributes:
        config: The v1beta1 config.
        differences: Every difference in behavior; read them before using the config.
    """

    config: DeidentifyConfig
    differences: tuple[SemanticDifference, ...]


@dataclass(frozen=True, slots=True)
class SourceFields:
    """The fields of the v1 config to convert."""

    dicom: DicomConfig | None
    fhir: FhirConfig | None
    image: ImageConfig | None
    text: TextConfig | None
    use_regional_data_processing: bool | None


def convert_to_v1beta1(source: SourceFields) -> Conversion:
    """Convert to v1beta1, listing every remaining difference."""
    converter = _Converter(source)
    made = converter.convert()
    return Conversion(made, tuple(converter.differences))


class _Converter:
    """One conversion and the differences found so far."""

    def __init__(self, source: SourceFields) -> None:
        self.old = source
        self.differences: list[SemanticDifference] = []

    def differs(self, path: str, v1: str, v1beta1: str) -> None:
        self.differences.append(SemanticDifference(path, v1, v1beta1))

    def convert(self) -> DeidentifyConfig:
        old = self.old
        image = self.image(old.image) if old.image is not None else None
        tags = self.tags(old.dicom, image) if old.dicom is not None else None
        if image is not None and tags is None:
            self.differs(
                "image",
                "DICOM stores are skipped without dicom, so image does nothing for them",
                "the same, in the deprecated field image",
            )
        return DeidentifyConfig(
            dicom_tag_config=tags,
            fhir_field_config=self.fhir(old.fhir) if old.fhir is not None else None,
            text=self.text(old.text),
            use_regional_data_processing=old.use_regional_data_processing,
            image=image if tags is None else None,
        )

    def tags(self, dicom: DicomConfig, image: BetaImageConfig | None) -> beta_dicom.DicomTagConfig:
        ids = beta_dicom.PrimaryIdsOption.KEEP if dicom.skip_id_redaction else beta_dicom.PrimaryIdsOption.REGEN
        profile, actions = self.filter(dicom)
        if (
            profile is beta_dicom.TagProfileType.KEEP_ALL_PROFILE
            or profile is beta_dicom.TagProfileType.DEIDENTIFY_TAG_CONTENTS
        ):
            self.differs(
                "dicom",
                "whether the profile reaches into sequences is not documented",
                "sequences are treated as the profile says; a recurseTag action reaches into more",
            )
        options = (
            beta_dicom.Options(primary_ids=ids, clean_image=image) if image else beta_dicom.Options(primary_ids=ids)
        )
        return beta_dicom.DicomTagConfig(profile_type=profile, options=options, actions=actions)

    def filter(self, dicom: DicomConfig) -> tuple[beta_dicom.TagProfileType, list[beta_dicom.Action]]:
        if dicom.keep_list is not None:
            return beta_dicom.TagProfileType.MINIMAL_KEEP_LIST_PROFILE, self.kept(dicom.keep_list.tags)
        if dicom.remove_list is not None:
            return beta_dicom.TagProfileType.KEEP_ALL_PROFILE, self.removed(dicom.remove_list.tags)
        if dicom.filter_profile is None or dicom.filter_profile is TagFilterProfile.TAG_FILTER_PROFILE_UNSPECIFIED:
            self.differs(
                "dicom.filterProfile",
                "unset means KEEP_ALL_PROFILE",
                "unset would mean the Basic Profile, so KEEP_ALL_PROFILE is written out",
            )
            return beta_dicom.TagProfileType.KEEP_ALL_PROFILE, []
        return _PROFILES[dicom.filter_profile], []

    def kept(self, tags: Sequence[str]) -> list[beta_dicom.Action]:
        """Keep the tags that the profile does not keep.

        A keep action on the others would override new UIDs and pixel redaction.
        """
        more = [tag for tag in tags if tag_number(tag) not in _REQUIRED]
        sequences = [tag for tag in more if vr_of(tag) == "SQ"]
        if sequences:
            self.differs(
                "dicom.keepList.tags",
                "what happens inside kept sequences is not documented",
                f"{', '.join(sequences)}: kept whole, with all that is in them",
            )
        return [beta_dicom.Action(queries=more, keep_tag=beta_dicom.KeepTag())] if more else []

    def removed(self, tags: Sequence[str]) -> list[beta_dicom.Action]:
        # v1's remove list removes OverlayData even if it is not listed; v1beta1's actions do not.
        numbers = {tag_number(tag) for tag in tags}
        more = [] if tag_number("OverlayData") in numbers else ["OverlayData"]
        required = [tag for tag in tags if tag_number(tag) in _REQUIRED]
        if required:
            self.differs(
                "dicom.removeList.tags",
                f"{', '.join(required)}: refused, valid DICOM needs them",
                "deleted: the instances may not be valid DICOM",
            )
        if more:
            self.differs("dicom.removeList.tags", "OverlayData is removed too", "the same, written out")
        return [beta_dicom.Action(queries=[*tags, *more], delete_tag=beta_dicom.DeleteTag())]

    def image(self, image: ImageConfig) -> BetaImageConfig:
        mode = TextRedactionMode(image.text_redaction_mode) if image.text_redaction_mode else None
        excluded: tuple[str, ...] = ()
        if self.old.use_regional_data_processing and mode is TextRedactionMode.REDACT_SENSITIVE_TEXT:
            excluded = _REGIONAL
            self.differs(
                "image",
                "regional processing cannot find LOCATION and ORGANIZATION_NAME, and nothing can exclude them",
                "they are excluded",
            )
        return BetaImageConfig(
            text_redaction_mode=mode, custom_regexes=image.custom_regexes, exclude_info_types=excluded
        )

    def text(self, text: TextConfig | None) -> BetaTextConfig | None:
        if text is None:
            if self.old.dicom is not None and self.old.dicom.filter_profile == "DEIDENTIFY_TAG_CONTENTS":
                self.differs(
                    "text",
                    "unset: what happens to a finding is not documented",
                    "unset: dates are shifted, the rest is replaced by its infoType",
                )
            return None
        found = text.additional_transformations or text.transformations
        if text.transformations:
            self.differs("text.transformations", "deprecated", "moved to additionalTransformations")
        if len(found) > 1 and any(not item.info_types for item in found):
            self.differs(
                "text.additionalTransformations",
                "a transformation without infoTypes applies to any infoType",
                "it applies to those that no other transformation names",
            )
        if not any(not item.info_types for item in found):
            self.differs(
                "text.additionalTransformations",
                "what happens to infoTypes that no transformation names is not documented",
                "profile BASIC: dates are shifted, the rest is replaced by its infoType",
            )
        return BetaTextConfig(
            profile_type=TextProfileType.BASIC,
            additional_transformations=found,
            exclude_info_types=text.exclude_info_types,
        )

    def fhir(self, fhir: FhirConfig) -> beta_fhir.FhirFieldConfig:
        keep = (
            beta_fhir.FhirOptions(keep_extensions=beta_fhir.KeepExtensionsConfig())
            if fhir.default_keep_extensions
            else None
        )
        if not fhir.field_metadata_list:
            self.differs(
                "fhir",
                "empty: the gcloud help calls it the default de-identification, the reference passes all unmodified",
                "profile BASIC: the fields of HIPAA's identifiers are transformed, free text is cleaned",
            )
            return beta_fhir.FhirFieldConfig(profile_type=beta_fhir.FhirProfileType.BASIC, options=keep)
        self.differs(
            "fhir.fieldMetadataList",
            "which of several matching paths counts is not documented",
            "the first counts, and partial paths match too",
        )
        fields = [self.field(index, field) for index, field in enumerate(fhir.field_metadata_list)]
        return beta_fhir.FhirFieldConfig(
            profile_type=beta_fhir.FhirProfileType.KEEP_ALL, options=keep, field_metadata_list=fields
        )

    def field(self, index: int, field: FieldMetadata) -> beta_fhir.FhirFieldMetadata:
        if field.action is FieldAction.TRANSFORM:
            self.differs(
                f"fhir.fieldMetadataList[{index}].action",
                "TRANSFORM: the whole field is transformed as text says",
                "removeField: the field is removed; characterMaskField, cryptoHashField or dateShiftField may serve",
            )
            return beta_fhir.FhirFieldMetadata(paths=field.paths, remove_field=beta_fhir.RemoveField())
        if field.action is FieldAction.INSPECT_AND_TRANSFORM:
            return beta_fhir.FhirFieldMetadata(paths=field.paths, clean_text_field=beta_fhir.CleanTextField())
        return beta_fhir.FhirFieldMetadata(paths=field.paths, keep_field=beta_fhir.KeepField())
