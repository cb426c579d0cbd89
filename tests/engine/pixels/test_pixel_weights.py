import threading
from typing import Any

import numpy as np
import onnxruntime
import pytest

from healthcare_deid.engine.pixels.find.models import Role, find_model, session
from healthcare_deid.engine.pixels.find.weights import float_tensors, load_weights


@pytest.mark.parametrize("role", [Role.DETECTOR, Role.RECOGNISER])
def test_no_weight_is_subnormal_and_no_other_byte_changes(role: Role) -> None:
    path = find_model(role).path
    before, after = bytearray(path.read_bytes()), load_weights(path)
    assert len(after) == len(before)
    tensors = list(float_tensors(before))
    assert sum(stop - start for start, stop in tensors) > len(before) // 2  # it is the weights that were looked at
    for start, stop in tensors:
        old, new = (np.frombuffer(data[start:stop], "<f4") for data in (before, after))
        subnormal = (np.abs(old) < np.finfo(np.float32).tiny) & (old != 0)
        assert not new[subnormal].any()
        assert np.array_equal(old[~subnormal].view(np.uint32), new[~subnormal].view(np.uint32))
        before[start:stop] = after[start:stop]
    assert bytes(before) == after


@pytest.mark.parametrize(("role", "shape"), [(Role.DETECTOR, (1, 3, 96, 160)), (Role.RECOGNISER, (1, 3, 48, 160))])
def test_output_is_the_same_to_the_bit_in_any_thread(role: Role, shape: tuple[int, ...]) -> None:
    path = find_model(role).path
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    original: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    ours = session(path)
    pixels = np.random.default_rng(5).normal(size=shape).astype(np.float32)
    fed = {original.get_inputs()[0].name: pixels}
    (expected,) = original.run(None, fed)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(ours.run(None, fed)[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert all(np.array_equal(expected, output) for output in found)
