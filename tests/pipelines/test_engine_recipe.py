"""A recipe is checked with the graph, and loaded once per worker process."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines import SecretSource
from healthcare_deid.pipelines.engine_recipe import EngineRecipe

if TYPE_CHECKING:
    from pathlib import Path

KEY = presets.generate_crypto_key()


def test_a_config_that_shifts_without_a_key_is_refused_unless_it_has_a_secret_source(
    shifting: DeidentifyConfig,
) -> None:
    with pytest.raises(ConfigError, match="place of a secret"):
        EngineRecipe(shifting, None, {})

    EngineRecipe(shifting, SecretSource.environment("NOT_SET_HERE"), {})


def test_a_config_with_a_key_is_refused(basic: DeidentifyConfig) -> None:
    config = presets.transform_contents_and_sensitive_text(crypto_key=KEY)

    with pytest.raises(ConfigError, match="contains a key") as caught:
        EngineRecipe(config, None, {})

    assert str(config.to_api()["text"]) not in str(caught.value)
    EngineRecipe(basic, None, {})


@pytest.mark.parametrize(
    "options", [{"secret": b"x" * 32}, {"salt": b"x" * 32, "uid_rule": "salted"}, {"patient_keys": {"1": b"x" * 32}}]
)
def test_an_argument_that_is_a_secret_is_refused(basic: DeidentifyConfig, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="SecretSource"):
        EngineRecipe(basic, None, options)


def test_a_pickled_recipe_holds_the_place_and_not_the_secret(shifting: DeidentifyConfig, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"a secret of this project's own")
    recipe = EngineRecipe(shifting, SecretSource.file(tmp_path / "secret"), {})

    travelled = pickle.dumps(recipe)

    assert b"a secret of this" not in travelled
    assert "secret" not in repr(recipe)
    assert pickle.loads(travelled).deidentifier() is recipe.deidentifier()
    assert recipe.deidentifier().options.threads == 1


def test_a_secret_itself_is_refused(basic: DeidentifyConfig) -> None:
    secret: Any = b"a secret of this project's own"
    with pytest.raises(ConfigError, match="SecretSource"):
        EngineRecipe(basic, secret, {})
