"""Loading of model files with subnormal weights set to zero.

Processors are slow with subnormal floats (below 1.2e-38), and a tenth of the detector's weights are subnormal. The
processor's flush-to-zero flag is per thread, and onnxruntime's option takes effect only in the first session of a
process. Replacing the weights works in every thread and has no side effects.
Source: onnx.proto3 (ModelProto, GraphProto, TensorProto) and the encoding of Protocol Buffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GRAPH, _INITIALIZER = 7, 5
"""Field numbers in ModelProto and GraphProto."""
_DATA_TYPE, _RAW_DATA = 2, 9
"""Field numbers in TensorProto."""
_FLOAT = 1
"""TensorProto.DataType.FLOAT, 32 bits."""
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
"""Protocol Buffers wire types."""


def load_weights(path: Path) -> bytes:
    """Return a model file with its subnormal weights set to zero."""
    model = bytearray(path.read_bytes())
    for start, stop in list(float_tensors(model)):
        weights = np.frombuffer(model, "<f4", (stop - start) // 4, start)
        weights[(np.abs(weights) < np.finfo(np.float32).tiny) & (weights != 0)] = 0
        del weights  # the view locks the bytearray
    return bytes(model)


def float_tensors(model: bytearray) -> Iterator[tuple[int, int]]:
    """Yield the start and end offsets of the raw data of every float32 initializer."""
    for graph, graph_start, graph_stop in _fields(model, 0, len(model)):
        if graph != _GRAPH:
            continue
        for field, start, stop in _fields(model, graph_start, graph_stop):
            if field != _INITIALIZER:
                continue
            tensor = {number: (begin, end) for number, begin, end in _fields(model, start, stop)}
            kind = tensor.get(_DATA_TYPE)
            if kind is not None and model[kind[0]] == _FLOAT and _RAW_DATA in tensor:
                yield tensor[_RAW_DATA]


def _fields(message: bytearray, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield the number of every field of a message, and the start and end offsets of its value."""
    while start < stop:
        key, start = _varint(message, start)
        kind = key & 7
        if kind == _VARINT:
            _, end = _varint(message, start)
        elif kind == _BYTES:
            length, start = _varint(message, start)
            end = start + length
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            end = start + (8 if kind == _EIGHT_BYTES else 4)
        else:
            raise ValueError("the model file is not a Protocol Buffers message")
        yield key >> 3, start, end
        start = end


def _varint(message: bytearray, place: int) -> tuple[int, int]:
    """Return the value of a varint, and the offset after it."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
