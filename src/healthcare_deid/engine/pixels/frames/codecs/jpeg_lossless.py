"""Writing JPEG Lossless codestreams: the process with Huffman coding and the sample to the left as prediction.

Source: ITU-T T.81, annexes B (markers), C and K.2 (Huffman tables) and H (lossless mode). Two transfer syntaxes may
hold it (PS3.5 A.4.1): 1.2.840.10008.1.2.4.57, any prediction, and .70, this one.
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
_CATEGORY_COUNT = 17
"""A difference of 16 bits has one of so many lengths."""
_PACKED_BITS = 32
_RGB_IDS, _OTHER_IDS = b"RGB", bytes((1, 2, 3, 4))
"""Component identifiers: decoders that would undo a color transformation know these three for RGB."""
_LEFT = 1
_SOI, _EOI, _START_OF_FRAME, _HUFFMAN_TABLE, _START_OF_SCAN = b"\xff\xd8", b"\xff\xd9", 0xC3, 0xC4, 0xDA


def _categories() -> NDArray[np.uint8]:
    """Return the length in bits of every difference, from -32767 to 32768, by the difference modulo 2^16."""
    size = np.arange(1 << 16)
    return np.frexp(np.minimum(size, (1 << 16) - size))[1].astype(np.uint8)


_CATEGORIES = _categories()


def encode(words: Words, bits_stored: int, *, rgb: bool = False) -> bytes:
    """Return a frame as a codestream.

    Args:
        words: (rows, columns) or (rows, columns, samples), unsigned, of 8 or 16 bits.
        bits_stored: The precision that is written; all bits of a word, where some use more.
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
    """Return each sample less its prediction, modulo 2^16, in the order of writing."""
    wide = samples.astype(np.uint16)
    differences = np.empty_like(wide)
    np.subtract(wide[:, 1:], wide[:, :-1], out=differences[:, 1:])
    np.subtract(wide[1:, 0], wide[:-1, 0], out=differences[1:, 0])
    differences[0, 0] = wide[0, 0] - np.uint16(1 << (precision - 1))
    return differences.reshape(-1)


def code_lengths(frequencies: list[int]) -> list[int]:
    """Return the length of each symbol's Huffman code, 0 for one that does not occur; none over 16, none all ones."""
    used = [symbol for symbol, frequency in enumerate(frequencies) if frequency]
    weights = [frequencies[symbol] for symbol in used]
    while True:
        depths = _depths([*weights, 0])  # the last, rarest one stands for the code of all ones, which is never written
        if max(depths) <= LONGEST_CODE:
            break
        weights = [weight // 2 + 1 for weight in weights]
    lengths = [0] * len(frequencies)
    for symbol, depth in zip(used, depths, strict=False):
        lengths[symbol] = depth
    return lengths


def _depths(weights: list[int]) -> list[int]:
    """Return the depth of each leaf of the Huffman tree; of equal weights the later one is the deeper."""
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
    """Return the code of each symbol: counted up, by length."""
    codes = np.zeros(_CATEGORY_COUNT, np.int64)
    code, before = 0, 0
    for length, symbol in order:
        code <<= length - before
        codes[symbol] = code
        code, before = code + 1, length
    return codes


def _entropy_coded(differences: Words, codes: Integers, lengths: Integers) -> bytes:
    """Return the bits: for every difference the code of its length, and the difference, negative ones less one."""
    signed = np.arange(1 << 16, dtype=np.int64)
    signed[(1 << 15) + 1 :] -= 1 << 16
    categories = _CATEGORIES.astype(np.int64)
    extra = np.where(categories < LONGEST_CODE, categories, 0)  # 32768 is the only one of its length
    low = (signed - (signed < 0)) & ((1 << extra) - 1)
    values = ((codes[categories] << extra) | low).astype(np.uint64)
    sizes = (lengths[categories] + extra).astype(np.uint64)
    return _packed(values[differences], sizes[differences]).replace(b"\xff", b"\xff\x00")


def _packed(values: Integers, sizes: Integers) -> bytes:
    """Return values of so many bits, at most 32, one after the other; the rest of the last byte is ones."""
    while len(sizes) > 1:  # fewer and longer ones, as long as they fit
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
    window = values << (np.uint64(64) - sizes - (starts & np.uint64(31)))  # of two words of 32 bits
    count = (total + 31) // 32 + 1
    packed: Any = np.bincount(first, weights=window >> np.uint64(32), minlength=count)  # sums of bits that do not meet
    packed += np.bincount(first + 1, weights=window & np.uint64(0xFFFFFFFF), minlength=count)
    data = bytearray(packed.astype(">u4").tobytes()[: -(-total // 8)])
    if total % 8:
        data[-1] |= 0xFF >> total % 8
    return bytes(data)
