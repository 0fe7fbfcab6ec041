"""Floats of the caller as addresses: numpy arrays and other buffers in place, sequences by a copy."""

import array
from typing import Any, Tuple

from ._library import BittttValueError

try:
    import numpy
except ImportError:  # then buffers of the standard library do
    numpy = None  # type: ignore[assignment]


def readable(values: Any) -> Tuple[int, Tuple[int, ...], Any]:
    """Address and shape of the floats, and what must stay alive meanwhile."""
    if numpy is None:
        if isinstance(values, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"rows must be numbers, got {type(values).__name__}")
        if not isinstance(values, array.array) or values.typecode != "f":
            values = array.array("f", values)
        return values.buffer_info()[0], (len(values),), values
    given = numpy.asarray(values)
    if given.dtype.kind not in "fiub" and given.size:
        raise TypeError(f"rows must be real numbers, got {given.dtype}")
    with numpy.errstate(over="ignore"):
        floats = numpy.ascontiguousarray(given, dtype=numpy.float32)
    if floats is not given and (numpy.isinf(floats) & numpy.isfinite(given)).any():
        raise BittttValueError("rows must be numbers that a float32 can hold, at most 3.4e38 in magnitude")
    return floats.__array_interface__["data"][0], given.shape, floats


def empty(shape: Tuple[int, ...]) -> Tuple[int, Any]:
    """Address and buffer of new floats: a numpy array of the shape, or a flat ``array.array``."""
    if numpy is not None:
        floats = numpy.empty(shape, dtype=numpy.float32)
        return floats.__array_interface__["data"][0], floats
    floats = array.array("f", bytes(4 * shape[0]))
    return floats.buffer_info()[0], floats
