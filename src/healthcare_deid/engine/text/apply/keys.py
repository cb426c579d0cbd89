"""Keys of hashes and date shifts.

They come from the config, the caller or the project secret, or are random.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.config.base.keys import CryptoKey, WrappedKey
from healthcare_deid.engine.identity.secret import DATES, HASHES
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.config.v1.keys import KmsWrappedCryptoKey
    from healthcare_deid.engine.identity.secret import ProjectSecret


class _Keyed(Protocol):
    @property
    def crypto_key(self) -> CryptoKey | None: ...
    @property
    def kms_wrapped(self) -> KmsWrappedCryptoKey | None: ...


class KeyRing:
    """Source of keys for transformations.

    Args:
        unwrapped: Plain keys of ``kmsWrapped`` messages, by their ``wrappedKey`` (bytes or base64 text). The engine
            never calls Cloud KMS, so the caller unwraps them.
        patients: Keys that override the config's for single patients, by patient ID.
        secret: Project secret, from which keys are derived if the config has none.

    Attributes:
        dates: Key of date shifts if the config has none: derived from the project secret, or random. It is pickled with
            the object, so that all workers of a run agree.
        hashes: The same for hashes.
    """

    def __init__(
        self,
        *,
        unwrapped: Mapping[str | bytes, bytes] | None = None,
        patients: Mapping[str, bytes] | None = None,
        secret: ProjectSecret | None = None,
    ) -> None:
        self.dates = CryptoKey(secret.key(DATES) if secret is not None else secrets.token_bytes(32))
        self.hashes = CryptoKey(secret.key(HASHES) if secret is not None else secrets.token_bytes(32))
        self._unwrapped = {bytes(WrappedKey.parse(name)): CryptoKey(key) for name, key in (unwrapped or {}).items()}
        self._patients = {name.strip(" \0"): CryptoKey(key) for name, key in (patients or {}).items()}
        if not all([*self._unwrapped.values(), *self._patients.values()]):
            raise ConfigError("unwrapped_keys and patient_keys: a key must not be empty")

    def __repr__(self) -> str:
        return f"KeyRing(unwrapped={len(self._unwrapped)}, patients={len(self._patients)})"

    def of_patient(self, patient_id: str) -> bytes | None:
        """Return the key that overrides the config's for a patient, or None."""
        return self._patients.get(patient_id)

    def key_of(self, config: _Keyed, where: str, *, default: bytes) -> bytes:
        """Return the key of a ``dateShiftConfig`` or ``cryptoHashConfig``.

        Raises:
            ConfigError: The key is wrapped by Cloud KMS, and its plain bytes are not given.
        """
        if config.crypto_key is not None:
            return config.crypto_key
        if config.kms_wrapped is None:
            return default
        key = self._unwrapped.get(bytes(config.kms_wrapped.wrapped_key))
        if key is not None:
            return key
        rule = (
            "a key wrapped by Cloud KMS cannot be unwrapped on this machine: set cryptoKey, or pass the plain key as "
            "unwrapped_keys={wrappedKey: key}"
        )
        raise ConfigError.of("TextConfig", [(f"{where}.kmsWrapped", rule)])
