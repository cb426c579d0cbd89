"""`EngineRecipe`: config, options and place of the secret for a worker.

It holds nothing that must not be stored in a pipeline's graph.
"""

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

# One deidentifier per process and recipe: word lists and models take seconds to load. The process ID is in the key,
# because a forked worker must not use its parent's OCR threads.
_deidentifiers: dict[tuple[int, bytes], Deidentifier] = {}
_lock = threading.Lock()


class EngineRecipe:
    """Config, options and place of a secret.

    They are checked where the pipeline's graph is built, and used where the work is done.

    Args:
        config: Rules to apply.
        secret: Place of the secret.
        options: Other arguments of `Deidentifier`. ``threads`` defaults to 1.

    Raises:
        ConfigError: The config cannot be executed, contains a key, or needs a secret and has none.
    """

    def __init__(
        self,
        config: AnyConfig,
        secret: SecretSource | None,
        options: dict[str, Any],
    ) -> None:
        if secret is not None and not isinstance(secret, SecretSource):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError("secret: must be a SecretSource, because a secret itself would be stored in the graph")
        refuse_secrets(options)
        trial = Deidentifier(config, **options)
        refuse_keys(config)
        if secret is None and trial.needs_secret:
            raise ConfigError(
                "the config shifts dates or hashes and has no key, so every worker would use its own: pass the place "
                "of a secret (secret=)"
            )
        self.name = trial.plan.name
        self.looks_at_pixels = trial.looks_at_pixels
        self._config = config
        self._secret = secret
        # Runners start a worker per core already.
        self._options: dict[str, Any] = {"threads": 1, **options}
        # A worker unpickles a recipe many times and recognizes it by this digest. Computed from an unpickled copy, the
        # digest could differ, because sets are restored in another order.
        self._digest = hashlib.sha256(pickle.dumps((self._config, self._secret, self._options))).digest()

    def deidentifier(self) -> Deidentifier:
        """Return this process's deidentifier for the recipe.

        It is loaded and can be shared by threads.

        Raises:
            ConfigError: The secret is missing.
            ModelNotFoundError: Burned-in text is to be found and no text-detection model is installed.
        """
        key = (os.getpid(), self._digest)
        with _lock:
            deidentifier = _deidentifiers.get(key)
            if deidentifier is None:
                secret = self._secret.load() if self._secret is not None else None
                deidentifier = Deidentifier(self._config, secret=secret, **self._options)
                deidentifier.warm()
                _deidentifiers[key] = deidentifier
        return deidentifier

    def __repr__(self) -> str:
        return f"EngineRecipe({self.name!r})"
