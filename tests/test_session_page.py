"""The session of the documentation is what its commands print."""

from __future__ import annotations

import importlib
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.append(str(Path(__file__).parents[1] / "tools"))
_session: Any = importlib.import_module("write_session")
PAGE: Path = _session.PAGE
shape: Callable[[str], str] = _session.shape


def test_the_page_has_every_command_of_the_session_in_order() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    assert [step.command for step in _session.STEPS] == [
        line for before, line in pairwise(lines) if before == "```console"
    ]


@pytest.mark.slow
def test_running_the_session_gives_the_page_but_for_numbers() -> None:
    assert shape(_session.page()) == shape(PAGE.read_text("utf-8")), "run tools/write_session.py"
