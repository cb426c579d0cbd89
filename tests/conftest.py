"""Fixtures that more than one folder uses."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


# Time is the machine's affair, not a property: no deadlines. CI tries the same examples every time; a developer's
# machine goes on looking for new ones.
settings.register_profile(
    "repository",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("repository")


@pytest.fixture(autouse=True)
def _own_key_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep secrets that runs make out of the developer's own key folder."""
    monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(tmp_path_factory.getbasetemp() / "keys"))


@pytest.fixture(scope="session")
def read_text() -> Callable[[NDArray[Any]], str]:
    """Return an OCR that is not the engine's own: the tesseract program, over a frame of any depth."""
    program = shutil.which("tesseract")
    if program is None:
        message = "the tesseract program is not installed (Debian: apt-get install tesseract-ocr)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)

    def read(frame: NDArray[Any]) -> str:
        values = frame.astype(np.float64)
        span = float(values.max() - values.min()) or 1.0
        picture = Image.fromarray(((values - values.min()) / span * 255).astype(np.uint8)).convert("L")
        picture = picture.resize((picture.width * 3, picture.height * 3), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        Image.eval(picture, lambda value: 255 - value).save(buffer, format="PNG")
        result = subprocess.run(
            [program, "-", "-", "--psm", "11"],
            input=buffer.getvalue(),
            capture_output=True,
            check=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
        return result.stdout.decode()

    return read
