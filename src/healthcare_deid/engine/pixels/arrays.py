"""Names for the arrays that pass between the modules."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""What an OCR looks at: 8 bit, (rows, columns, 3), RGB."""

Words: TypeAlias = NDArray[Any]
"""A frame as stored: (rows, columns) or (rows, columns, samples), whole words, unused bits included."""

Floats: TypeAlias = NDArray[np.float32]
"""A probability map or network input."""

Mask: TypeAlias = NDArray[np.bool_]
"""(rows, columns), true where something holds."""
