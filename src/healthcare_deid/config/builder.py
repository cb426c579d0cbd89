"""Builder steps that both versions share: text and pixels.

Each version's builder adds its tag steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from healthcare_deid.config.v1.image import CustomRegex
from healthcare_deid.config.v1.text import (
    CharacterMaskConfig,
    CryptoHashConfig,
    DateShiftConfig,
    InfoTypeTransformation,
    RedactConfig,
    ReplaceWithInfoTypeConfig,
)
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.config.v1.image import ImageConfig
    from healthcare_deid.config.v1.keys import KmsWrappedCryptoKey
    from healthcare_deid.config.v1.text import TextConfig
    from healthcare_deid.config.v1beta1.image import ImageConfig as ImageConfigV1Beta1
    from healthcare_deid.config.v1beta1.text import TextConfig as TextConfigV1Beta1

TagLike: TypeAlias = str | int | tuple[int, int]
"""A tag: a keyword, a number in any spelling, or a pydicom tag."""

_DATES = ("DATE", "DATE_OF_BIRTH")


class SharedSteps(ABC):
    """Steps of both builders; every step returns a new builder."""

    __slots__ = ()

    # Sensitive text

    def redact(self, *info_types: str) -> Self:
        """Erase these infoTypes; without arguments, every infoType."""
        return self._with_transformation(info_types, redact_config=RedactConfig())

    def mask(self, *info_types: str, character: str = "*") -> Self:
        """Replace every character of these infoTypes; without arguments, of every infoType."""
        config = CharacterMaskConfig() if character in {"*", ""} else CharacterMaskConfig(masking_character=character)
        return self._with_transformation(info_types, character_mask_config=config)

    def shift_dates(
        self, *info_types: str, crypto_key: bytes | str | None = None, kms: KmsWrappedCryptoKey | None = None
    ) -> Self:
        """Shift dates by days that depend on patient and key.

        Args:
            info_types: InfoTypes to shift; without any, DATE and DATE_OF_BIRTH.
            crypto_key: AES key, as bytes or base64. Without a key, every operation shifts differently.
            kms: The key, wrapped by Cloud KMS; excludes `crypto_key`.
        """
        config = DateShiftConfig.from_api(_key(crypto_key, kms))
        return self._with_transformation(info_types or _DATES, date_shift_config=config)

    def crypto_hash(
        self, *info_types: str, crypto_key: bytes | str | None = None, kms: KmsWrappedCryptoKey | None = None
    ) -> Self:
        """Replace these infoTypes by their keyed hash.

        Args:
            info_types: InfoTypes to hash; without any, every infoType.
            crypto_key: AES key, as bytes or base64. Without a key, every operation hashes differently.
            kms: The key, wrapped by Cloud KMS; excludes `crypto_key`.
        """
        config = CryptoHashConfig.from_api(_key(crypto_key, kms))
        return self._with_transformation(info_types, crypto_hash_config=config)

    def replace_with_info_type(self, *info_types: str) -> Self:
        """Replace these infoTypes by their name, ``[PERSON_NAME]``; without arguments, every infoType."""
        return self._with_transformation(info_types, replace_with_info_type_config=ReplaceWithInfoTypeConfig())

    def exclude_info_types(self, *info_types: str) -> Self:
        """Leave these infoTypes unchanged, whatever a transformation says."""
        return self._with_text(exclude_info_types=(*self._text.exclude_info_types, *info_types))

    # Pixels

    def redact_image_regex(self, pattern: str, groups: Sequence[int] = ()) -> Self:
        """Cover burned-in text that matches an RE2 pattern.

        With `groups`, only those submatches are covered.
        """
        regex = CustomRegex(pattern=pattern, group_indexes=groups)
        return self._with_image(custom_regexes=(*self._image.custom_regexes, regex))

    # The rest

    def regional_processing(self) -> Self:
        """Process the data in its own region only.

        This is slower and does not find LOCATION and ORGANIZATION_NAME.
        """
        return self._with(use_regional_data_processing=True)

    def _with_transformation(self, info_types: Sequence[str], **transformation: Any) -> Self:
        made = InfoTypeTransformation(info_types=info_types, **transformation)
        # The API does not document which of two transformations of one infoType applies.
        present = self._text.additional_transformations
        for before in present:
            twice = sorted(set(before.info_types) & set(made.info_types))
            if twice or not (before.info_types or made.info_types):
                raise ConfigError(f"{', '.join(twice) or 'every infoType'}: already has a transformation")
        return self._with_text(additional_transformations=(*present, made))

    @property
    @abstractmethod
    def _text(self) -> TextConfig | TextConfigV1Beta1: ...

    @property
    @abstractmethod
    def _image(self) -> ImageConfig | ImageConfigV1Beta1: ...

    @abstractmethod
    def _with(self, **update: Any) -> Self: ...

    @abstractmethod
    def _with_image(self, **update: Any) -> Self: ...

    def _with_text(self, **update: Any) -> Self:
        return self._with(text=self._text.model_copy(update=update))


def _key(crypto_key: bytes | str | None, kms: KmsWrappedCryptoKey | None) -> dict[str, Any]:
    given = {"crypto_key": crypto_key, "kms_wrapped": kms}
    return {name: value for name, value in given.items() if value is not None}
