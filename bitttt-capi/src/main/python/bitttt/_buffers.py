"""Floats of the caller as addresses: numpy arrays and other buffers in place, sequences by a copy."""

import array
from typing import Any, Tuple

try:
    import numpy
except ImportError:  # then buffers of the standard library do
    numpy = None  # type: ignore[assignment]


def readable(values: Any) -> Tuple[int, int, Any]:
    """Address, number of floats, and what must stay alive meanwhile."""
    if numpy is not None:
        floats = numpy.ascontiguousarray(values, dtype=numpy.float32)
        return floats.__array_interface__["data"][0], floats.size, floats
    if not isinstance(values, array.array) or values.typecode != "f":
        values = array.array("f", values)
    return values.buffer_info()[0], len(values), values


def empty(count: int, shape: Tuple[int, ...]) -> Tuple[int, Any]:
    """Address and buffer of new floats: a numpy array of the shape, or a flat ``array.array``."""
    if numpy is not None:
        floats = numpy.empty(shape, dtype=numpy.float32)
        return floats.__array_interface__["data"][0], floats
    floats = array.array("f", bytes(4 * count))
    return floats.buffer_info()[0], floats
