"""Shared fixtures: discovery documents, files as printed in documents, and sample configs."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).with_name("data")


@pytest.fixture(scope="session")
def discovery() -> dict[str, dict[str, Any]]:
    """The schemas of both API versions, from the package that Google publishes them in."""
    import googleapiclient

    folder = Path(googleapiclient.__file__).with_name("discovery_cache") / "documents"
    return {
        version: json.loads((folder / f"healthcare.{version}.json").read_text("utf-8"))["schemas"]
        for version in ("v1", "v1beta1")
    }


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder with texts as they stand in documents."""
    return DATA


@pytest.fixture
def key_bytes() -> bytes:
    """A key that no text may show, in whatever form."""
    return bytes(range(200, 232))


@pytest.fixture
def key_text(key_bytes: bytes) -> str:
    """The same key in base64."""
    return base64.b64encode(key_bytes).decode()
