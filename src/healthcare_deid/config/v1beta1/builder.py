"""`ConfigBuilder` of v1beta1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from healthcare_deid.config.builder import SharedSteps
from healthcare_deid.config.tags import VRS, tag_number
from healthcare_deid.config.v1beta1.deidentify import DeidentifyConfig, DeidentifyOperationMetadata, FhirOutput
from healthcare_deid.config.v1beta1.dicom import (
    Action,
    CleanDescriptorsOption,
    CleanTextTag,
    DeleteTag,
    DicomTagConfig,
    KeepTag,
    Options,
    PrimaryIdsOption,
    RecurseTag,
    RegenUidTag,
    RemoveTag,
    ResetTag,
    TagProfileType,
)
from healthcare_deid.config.v1beta1.fhir import FhirFieldConfig, FhirProfileType
from healthcare_deid.config.v1beta1.image import ImageConfig, TextRedactionMode
from healthcare_deid.config.v1beta1.text import TextConfig, TextProfileType
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from healthcare_deid.config.builder import TagLike
    from healthcare_deid.config.v1beta1.fhir import FhirFieldMetadata, FhirOptions
    from healthcare_deid.names import FhirStoreName

ImageText = Literal["all", "sensitive", "sensitive and descriptors", "none"]
ProfileName = Literal[
    "MINIMAL_KEEP_LIST_PROFILE",
    "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE",
    "KEEP_ALL_PROFILE",
    "DEIDENTIFY_TAG_CONTENTS",
]
FhirProfileName = Literal["KEEP_ALL", "BASIC", "CLEAN_ALL"]

_MODES = {
    "all": TextRedactionMode.REDACT_ALL_TEXT,
    "sensitive": TextRedactionMode.REDACT_SENSITIVE_TEXT,
    "sensitive and descriptors": TextRedactionMode.REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS,
    "none": TextRedactionMode.REDACT_NO_TEXT,
}
_EMPTY = DeidentifyConfig()


@dataclass(frozen=True, slots=True)
class ConfigBuilder(SharedSteps):
    """Builder of a v1beta1 `DeidentifyConfig`; `DeidentifyConfig.builder` returns an empty one.

    Example:
        >>> from healthcare_deid import v1beta1
        >>> config = (
        ...     v1beta1.DeidentifyConfig.builder()
        ...     .filter_profile("MINIMAL_KEEP_LIST_PROFILE")
        ...     .keep_tags("SOPClassUID", "Modality")
        ...     .clean_tags("StudyDate")
        ...     .shift_dates()
        ...     .redact_image_text("sensitive")
        ...     .build()
        ... )

    Every step returns a new builder and raises `ConfigError` at once if its arguments are wrong. A tag step takes
    keywords, numbers, or a VR such as ``"PN"`` for every tag of that VR. It overrides the profile.
    """

    config: DeidentifyConfig = _EMPTY
    """The config built so far."""

    def build(self) -> DeidentifyConfig:
        """Return the config.

        A profile that was not chosen is written out: the Basic Profile for tags, BASIC for FHIR. These are v1beta1's
        own defaults, and the opposite of v1's.
        """
        update: dict[str, Any] = {}
        if self.config.dicom_tag_config is not None and self.config.dicom_tag_config.profile_type is None:
            basic = TagProfileType.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE
            update["dicom_tag_config"] = self._tags.model_copy(update={"profile_type": basic})
        if self.config.fhir_field_config is not None and self.config.fhir_field_config.profile_type is None:
            fields = self.config.fhir_field_config
            update["fhir_field_config"] = fields.model_copy(update={"profile_type": FhirProfileType.BASIC})
        return self.config.model_copy(update=update)

    # Tags

    def filter_profile(self, profile: TagProfileType | ProfileName) -> ConfigBuilder:
        """Handle tags by a predefined profile.

        The other tag steps override it.
        """
        return self._with_tags(profile_type=profile)

    def keep_tags(self, *tags: TagLike) -> ConfigBuilder:
        """Leave these tags unchanged (``keepTag``)."""
        return self._with_action(tags, keep_tag=KeepTag())

    def remove_tags(self, *tags: TagLike) -> ConfigBuilder:
        """Delete these tags (``deleteTag``), as v1's remove list does."""
        return self._with_action(tags, delete_tag=DeleteTag())

    def empty_tags(self, *tags: TagLike) -> ConfigBuilder:
        """Keep these tags without a value (``removeTag``)."""
        return self._with_action(tags, remove_tag=RemoveTag())

    def reset_tags(self, *tags: TagLike) -> ConfigBuilder:
        """Set these tags to a placeholder (``resetTag``)."""
        return self._with_action(tags, reset_tag=ResetTag())

    def clean_tags(self, *tags: TagLike) -> ConfigBuilder:
        """Transform sensitive text in these tags, such as dates (``cleanTextTag``)."""
        return self._with_action(tags, clean_text_tag=CleanTextTag())

    def recurse_into(self, *sequences: TagLike) -> ConfigBuilder:
        """De-identify the items of these sequences (``recurseTag``)."""
        return self._with_action(sequences, recurse_tag=RecurseTag())

    def regenerate_uids(self, *tags: TagLike) -> ConfigBuilder:
        """Regenerate these UIDs (``regenUidTag``); without arguments, study, series and instance UIDs."""
        if not tags:
            return self._with_options(primary_ids=PrimaryIdsOption.REGEN)
        return self._with_action(tags, regen_uid_tag=RegenUidTag())

    def keep_uids(self) -> ConfigBuilder:
        """Keep study, series and instance UIDs.

        By them, the result can be linked to the originals.
        """
        return self._with_options(primary_ids=PrimaryIdsOption.KEEP)

    def clean_descriptors(self) -> ConfigBuilder:
        """Replace phrases found in removed tags by ``[CTX]`` (PS3.15 E.3.5)."""
        return self._with_options(clean_descriptors=CleanDescriptorsOption())

    # Sensitive text

    def other_info_types(self, treatment: Literal["transform", "keep"]) -> ConfigBuilder:
        """Handle infoTypes that have no transformation.

        ``"transform"`` shifts dates and replaces the rest by its infoType; ``"keep"`` leaves all.
        """
        profiles = {"transform": TextProfileType.BASIC, "keep": TextProfileType.EMPTY}
        if treatment not in profiles:
            raise ConfigError('other_info_types: must be "transform" or "keep"')
        return self._with_text(profile_type=profiles[treatment])

    # Pixels

    def redact_image_text(self, which: ImageText) -> ConfigBuilder:
        """Cover burned-in text.

        Args:
            which: All text (including laterality marks), only sensitive text, sensitive text and phrases found in tags
                that the Basic Profile removes, or none.
        """
        if which not in _MODES:
            raise ConfigError(f"redact_image_text: must be one of {', '.join(_MODES)}")
        return self._with_image(text_redaction_mode=_MODES[which])

    def add_image_info_types(self, *info_types: str) -> ConfigBuilder:
        """Look for these infoTypes in pixels beside the default ones."""
        return self._with_image(additional_info_types=(*self._image.additional_info_types, *info_types))

    def exclude_image_info_types(self, *info_types: str) -> ConfigBuilder:
        """Leave these infoTypes in pixels."""
        return self._with_image(exclude_info_types=(*self._image.exclude_info_types, *info_types))

    # FHIR and records

    def fhir(
        self,
        *fields: FhirFieldMetadata,
        profile: FhirProfileType | FhirProfileName | None = None,
        options: FhirOptions | None = None,
    ) -> ConfigBuilder:
        """De-identify FHIR resources too.

        Args:
            fields: Actions on fields; they override the profile, and the first match applies.
            profile: Predefined handling of fields; by default BASIC.
            options: Keys and options for the actions.
        """
        before = self.config.fhir_field_config or FhirFieldConfig()
        update: dict[str, Any] = {"field_metadata_list": (*before.field_metadata_list, *fields)}
        given = {"profile_type": profile, "options": options}
        update |= {name: value for name, value in given.items() if value is not None}
        return self._with(fhir_field_config=before.model_copy(update=update))

    def record_changes_in(self, fhir_store: str | FhirStoreName) -> ConfigBuilder:
        """Write the record of changes to a FHIR store.

        The store must be an existing R4 store with ``enableUpdateCreate``.
        """
        output = FhirOutput(fhir_store=str(fhir_store))
        return self._with(operation_metadata=DeidentifyOperationMetadata(fhir_output=output))

    @property
    def _tags(self) -> DicomTagConfig:
        return self.config.dicom_tag_config or DicomTagConfig()

    @property
    def _options(self) -> Options:
        return self._tags.options or Options()

    @property
    def _text(self) -> TextConfig:
        return self.config.text or TextConfig()

    @property
    def _image(self) -> ImageConfig:
        return self._options.clean_image or ImageConfig()

    def _with(self, **update: Any) -> ConfigBuilder:
        return ConfigBuilder(self.config.model_copy(update=update))

    def _with_tags(self, **update: Any) -> ConfigBuilder:
        return self._with(dicom_tag_config=self._tags.model_copy(update=update))

    def _with_options(self, **update: Any) -> ConfigBuilder:
        return self._with_tags(options=self._options.model_copy(update=update))

    def _with_image(self, **update: Any) -> ConfigBuilder:
        return self._with_options(clean_image=self._image.model_copy(update=update))

    def _with_action(self, tags: tuple[TagLike, ...], **action: Any) -> ConfigBuilder:
        """Add an action, or the tags to an earlier one."""
        if not tags:
            raise ConfigError(f"{next(iter(action))}: needs at least one tag")
        made = Action.from_api({"queries": tags, **action})
        others = [before for before in self._tags.actions if before.chosen != made.chosen]
        taken = {_identity(query) for before in others for query in before.queries}
        twice = [query for query in made.queries if _identity(query) in taken]
        if twice:
            raise ConfigError(f"{', '.join(twice)}: already has an action")
        same = next((before for before in self._tags.actions if before.chosen == made.chosen), None)
        if same is None:
            return self._with_tags(actions=(*self._tags.actions, made))
        joined = made.model_copy(update={"queries": tuple(dict.fromkeys((*same.queries, *made.queries)))})
        return self._with_tags(actions=tuple(joined if before is same else before for before in self._tags.actions))


def _identity(query: str) -> str | int:
    return query if query in VRS else tag_number(query)
