"""Everything that a worker needs to make a deidentifier, and nothing that must not be in a pipeline's graph."""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines.configs import refuse_keys, refuse_secrets
from healthcare_deid.pipelines.secrets import SecretSource

if TYPE_CHECKING:
    from healthcare_deid.pipelines.configs import AnyConfig

_made: dict[tuple[int, bytes], Deidentifier] = {}
_lock = threading.Lock()


class EngineRecipe:
    """A config, options and the place of a secret: checked where the graph is built, made where the work is done.

    Args:
        config: What to do.
        secret: The place of the secret.
        options: Further arguments of `Deidentifier`; ``threads`` is 1 unless it is given.

    Raises:
        ConfigError: The config cannot be carried out, holds a key, or needs a secret and has none.
    """

    def __init__(
        self,
        config: AnyConfig,
        secret: SecretSource | None,
        options: dict[str, Any],
    ) -> None:
        if secret is not None and not isinstance(secret, SecretSource):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError("secret: a SecretSource is needed: a secret itself would be in the pipeline's graph")
        refuse_secrets(options)
        tried = Deidentifier(config, **options)
        refuse_keys(config)
        if secret is None and tried.needs_secret:
            raise ConfigError(
                "the config shifts or hashes and has no key: every worker would do it differently. Name the place of a "
                "secret: secret="
            )
        self.name = tried.plan.name
        self._config = config
        self._secret = secret
        self._options: dict[str, Any] = {"threads": 1, **options}

    def deidentifier(self) -> Deidentifier:
        """Return this process' one deidentifier of the recipe, ready for work; threads may share it.

        Raises:
            ConfigError: The secret is not in its place.
            ModelNotFoundError: Burned-in text is to be found, and no text model is installed.
        """
        recipe = pickle.dumps((self._config, self._secret, self._options))
        key = (os.getpid(), hashlib.sha256(recipe).digest())
        with _lock:
            made = _made.get(key)
            if made is None:
                secret = self._secret.load() if self._secret is not None else None
                made = Deidentifier(self._config, secret=secret, **self._options)
                made.warm()
                _made[key] = made
        return made

    def __repr__(self) -> str:
        return f"EngineRecipe({self.name!r})"
