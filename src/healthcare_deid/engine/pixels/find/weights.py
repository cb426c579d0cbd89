"""A network's weights as they are loaded: without subnormal floats.

A processor takes a slow path for every operation on a subnormal float (below 1.2e-38), and a tenth of the detector's
weights are such. The processor's own switch belongs to a thread, and onnxruntime's option to whoever makes the first
session in a process; zeros in place of these weights hold for every thread and disturb nobody.
Source: onnx.proto3 (ModelProto, GraphProto, TensorProto) and the encoding of Protocol Buffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GRAPH, _INITIALIZER = 7, 5
"""Fields of ModelProto and GraphProto."""
_DATA_TYPE, _RAW_DATA = 2, 9
"""Fields of TensorProto."""
_FLOAT = 1
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
"""Wire types."""


def load_weights(path: Path) -> bytes:
    """Return a model file with zeros for its subnormal weights. Other files come back as they are."""
    model = bytearray(path.read_bytes())
    for start, stop in list(float_tensors(model)):
        weights = np.frombuffer(model, "<f4", (stop - start) // 4, start)
        weights[(np.abs(weights) < np.finfo(np.float32).tiny) & (weights != 0)] = 0
        del weights  # it holds the buffer
    return bytes(model)


def float_tensors(model: bytearray) -> Iterator[tuple[int, int]]:
    """Yield where the bytes of every initializer of 32-bit floats begin and end."""
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
    """Yield the number of every field of a message, and where its value begins and ends."""
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
            raise ValueError("a model file is no message of Protocol Buffers")
        yield key >> 3, start, end
        start = end


def _varint(message: bytearray, place: int) -> tuple[int, int]:
    """Return a number, and where it ends."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
