"""Type aliases of the arrays that modules exchange."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""Input of an OCR: 8 bit, shape (rows, columns, 3), RGB."""

Words: TypeAlias = NDArray[Any]
"""A frame as stored: shape (rows, columns) or (rows, columns, samples), whole words with their unused bits."""

Floats: TypeAlias = NDArray[np.float32]
"""A probability map or the input of a network."""

Mask: TypeAlias = NDArray[np.bool_]
"""A Boolean image of shape (rows, columns)."""
