"""Conversion of rows to a pandas DataFrame, if pandas is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def frame_of(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> Any:
    """Return rows as a DataFrame.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        import pandas as pd  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise ImportError("to_frame() needs pandas: pip install pandas") from None
    return pd.DataFrame(list(rows), columns=list(columns))
