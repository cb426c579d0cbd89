"""The keys of hashes and date shifts: the config's, the caller's, or one random key an engine."""

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
    """Source of a transformation's key.

    Args:
        unwrapped: Plain keys of ``kmsWrapped`` messages, by their ``wrappedKey`` (bytes, or base64 text): Cloud KMS
            cannot be asked from here, so whoever can unwrap a key hands it over.
        patients: Keys that override the config's for single patients, by patient ID.
        secret: The project's secret, which keys are derived from where a config has none.

    Attributes:
        dates: The key of date shifts where a config has none: the project secret's, or a random one that is pickled
            with the object, so that worker processes and every instance of one run agree.
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
            raise ConfigError("a key of unwrapped_keys or patient_keys is empty")

    def __repr__(self) -> str:
        return f"KeyRing(unwrapped={len(self._unwrapped)}, patients={len(self._patients)})"

    def of_patient(self, patient_id: str) -> bytes | None:
        """Return the key that overrides the config's for one patient; None for none."""
        return self._patients.get(patient_id)

    def key_of(self, config: _Keyed, where: str, *, default: bytes) -> bytes:
        """Return the key of a ``dateShiftConfig`` or ``cryptoHashConfig``.

        Raises:
            ConfigError: The key is wrapped by Cloud KMS, and its plain bytes were not given.
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
