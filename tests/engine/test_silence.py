"""What pydicom says about the data stays unsaid inside the engine, and nobody else's warnings change."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import pytest

from healthcare_deid.engine.silence import quiet


def pydicom_warns(text: str = "the value 'Okonkwo' is too long") -> None:
    scope: dict[str, Any] = {"__name__": "pydicom.valuerep", "warnings": warnings, "text": text}
    exec("warnings.warn(text)", scope)


def test_a_warning_of_pydicoms_is_dropped_inside_whatever_filter_a_user_has_set() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with quiet():
            warnings.simplefilter("error")
            with quiet():
                pydicom_warns()
        with pytest.raises(UserWarning, match="too long"):
            pydicom_warns()


def test_another_thread_is_warned_meanwhile() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with quiet():
            thread = threading.Thread(target=pydicom_warns)
            thread.start()
            thread.join()
    assert len(caught) == 1


def test_a_users_warning_of_once_is_shown_once() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(5):
            warnings.warn("this program is old", DeprecationWarning, stacklevel=1)
            with quiet():
                pass
    assert len(caught) == 1


def test_the_filter_is_there_once_however_often_it_is_used() -> None:
    with warnings.catch_warnings():
        before = len(warnings.filters)
        for _ in range(5):
            warnings.simplefilter("ignore", ResourceWarning)
            with quiet():
                pass
        assert len(warnings.filters) <= before + 2
