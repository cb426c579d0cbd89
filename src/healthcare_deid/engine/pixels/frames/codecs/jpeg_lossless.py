"""Encoder of JPEG Lossless with Huffman coding and first-order prediction (the sample to the left).

Source: ITU-T T.81, annexes B (markers), C and K.2 (Huffman tables) and H (lossless mode). Two transfer syntaxes allow
it (PS3.5 A.4.1): 1.2.840.10008.1.2.4.57, with any predictor, and .70, with this one only.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from healthcare_deid.engine.pixels.arrays import Words

Integers: TypeAlias = "NDArray[Any]"

LONGEST_CODE = 16
"""Longest Huffman code, in bits."""
_CATEGORY_COUNT = 17
"""Number of bit lengths of a 16-bit difference, 0 to 16."""
_PACKED_BITS = 32
_RGB_IDS, _OTHER_IDS = b"RGB", bytes((1, 2, 3, 4))
"""Component identifiers. Decoders take "RGB" as a sign that no color transform is to be undone."""
_LEFT = 1
"""Predictor selection value: the sample to the left (T.81 table H.1)."""
_SOI, _EOI, _START_OF_FRAME, _HUFFMAN_TABLE, _START_OF_SCAN = b"\xff\xd8", b"\xff\xd9", 0xC3, 0xC4, 0xDA


def _categories() -> NDArray[np.uint8]:
    """Return the bit length of every difference from -32767 to 32768, indexed by the difference modulo 2^16."""
    size = np.arange(1 << 16)
    return np.frexp(np.minimum(size, (1 << 16) - size))[1].astype(np.uint8)


_CATEGORIES = _categories()


def encode(words: Words, bits_stored: int, *, rgb: bool = False) -> bytes:
    """Encode a frame.

    Args:
        words: Shape (rows, columns) or (rows, columns, samples), unsigned, 8 or 16 bits.
        bits_stored: Precision to write; if some words need more, the precision is the size of a word.
        rgb: Whether the samples are red, green and blue.
    """
    samples = words.reshape(*words.shape[:2], -1)
    rows, columns, count = samples.shape
    fits = int(samples.max()) < 1 << bits_stored
    precision = max(2, bits_stored) if fits else words.dtype.itemsize * 8
    differences = _differences(samples, precision)
    frequencies = np.bincount(_CATEGORIES[differences], minlength=_CATEGORY_COUNT)
    lengths = code_lengths(frequencies.tolist())
    order = sorted((length, category) for category, length in enumerate(lengths) if length)
    counts = bytes(sum(length == wanted for length, _ in order) for wanted in range(1, LONGEST_CODE + 1))
    ids = _RGB_IDS if rgb else _OTHER_IDS[:count]
    frame = bytes((precision,)) + rows.to_bytes(2, "big") + columns.to_bytes(2, "big") + bytes((count,))
    frame += b"".join(bytes((one, 0x11, 0)) for one in ids)
    scan = bytes((count,)) + b"".join(bytes((one, 0)) for one in ids) + bytes((_LEFT, 0, 0))
    return b"".join(
        (
            _SOI,
            _segment(_START_OF_FRAME, frame),
            _segment(_HUFFMAN_TABLE, b"\0" + counts + bytes(category for _, category in order)),
            _segment(_START_OF_SCAN, scan),
            _entropy_coded(differences, _codes(order), np.array(lengths, np.int64)),
            _EOI,
        )
    )


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2, "big") + data


def _differences(samples: Words, precision: int) -> Words:
    """Return each sample minus its prediction, modulo 2^16, in coding order."""
    wide = samples.astype(np.uint16)
    differences = np.empty_like(wide)
    np.subtract(wide[:, 1:], wide[:, :-1], out=differences[:, 1:])
    np.subtract(wide[1:, 0], wide[:-1, 0], out=differences[1:, 0])
    differences[0, 0] = wide[0, 0] - np.uint16(1 << (precision - 1))
    return differences.reshape(-1)


def code_lengths(frequencies: list[int]) -> list[int]:
    """Return the length of each symbol's Huffman code: 0 for unused symbols, at most 16, with no code of all ones."""
    used = [symbol for symbol, frequency in enumerate(frequencies) if frequency]
    weights = [frequencies[symbol] for symbol in used]
    while True:
        depths = _depths([*weights, 0])  # the extra symbol takes the code of all ones, which T.81 annex C reserves
        if max(depths) <= LONGEST_CODE:
            break
        weights = [weight // 2 + 1 for weight in weights]
    lengths = [0] * len(frequencies)
    for symbol, depth in zip(used, depths, strict=False):
        lengths[symbol] = depth
    return lengths


def _depths(weights: list[int]) -> list[int]:
    """Return the depth of each leaf of the Huffman tree; of equal weights, the later leaf is deeper."""
    depths = [0] * len(weights)
    heap = [(weight, -leaf, [leaf]) for leaf, weight in enumerate(weights)]
    heapq.heapify(heap)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        leaves = first[2] + second[2]
        for leaf in leaves:
            depths[leaf] += 1
        heapq.heappush(heap, (first[0] + second[0], min(first[1], second[1]), leaves))
    return depths


def _codes(order: list[tuple[int, int]]) -> Integers:
    """Return the canonical code of each symbol."""
    codes = np.zeros(_CATEGORY_COUNT, np.int64)
    code, before = 0, 0
    for length, symbol in order:
        code <<= length - before
        codes[symbol] = code
        code, before = code + 1, length
    return codes


def _entropy_coded(differences: Words, codes: Integers, lengths: Integers) -> bytes:
    """Return the coded differences: the Huffman code of the bit length, then the value bits (T.81 H.1.2.2)."""
    signed = np.arange(1 << 16, dtype=np.int64)
    signed[(1 << 15) + 1 :] -= 1 << 16
    categories = _CATEGORIES.astype(np.int64)
    extra = np.where(categories < LONGEST_CODE, categories, 0)  # length 16 is always 32768 and has no value bits
    low = (signed - (signed < 0)) & ((1 << extra) - 1)
    values = ((codes[categories] << extra) | low).astype(np.uint64)
    sizes = (lengths[categories] + extra).astype(np.uint64)
    return _packed(values[differences], sizes[differences]).replace(b"\xff", b"\xff\x00")


def _packed(values: Integers, sizes: Integers) -> bytes:
    """Concatenate values of up to 32 bits each, and pad the last byte with ones."""
    while len(sizes) > 1:  # join neighbors while the results fit
        paired = len(sizes) // 2 * 2
        both = sizes[:paired:2] + sizes[1:paired:2]
        if both.max() > _PACKED_BITS:
            break
        joined = values[:paired:2] << sizes[1:paired:2] | values[1:paired:2]
        values, sizes = np.append(joined, values[paired:]), np.append(both, sizes[paired:])
    ends = np.cumsum(sizes)
    total = int(ends[-1])
    starts = ends - sizes
    first = (starts >> np.uint64(5)).astype(np.int64)
    window = values << (np.uint64(64) - sizes - (starts & np.uint64(31)))  # spans two 32-bit words
    count = (total + 31) // 32 + 1
    packed: Any = np.bincount(first, weights=window >> np.uint64(32), minlength=count)  # bits never overlap
    packed += np.bincount(first + 1, weights=window & np.uint64(0xFFFFFFFF), minlength=count)
    data = bytearray(packed.astype(">u4").tobytes()[: -(-total // 8)])
    if total % 8:
        data[-1] |= 0xFF >> total % 8
    return bytes(data)
