"""The one layer of the original Bit-TTT engine."""

from typing import Any, Optional, Tuple, TypeVar

from . import _checks
from ._buffers import empty, readable
from ._library import ARGUMENT, HANDLE, INTERNAL, LIBRARY, BittttError, BittttValueError, error_of, last_error

_Self = TypeVar("_Self", bound="TTTLayer")
_LARGEST_FLOAT = 3.4028234663852886e38


class TTTLayer:
    """A layer with random ternary weights whose memory learns from every row it reads, anew in each ``forward``.

    The functions ttt_create, ttt_forward and ttt_destroy, with the original's meaning.
    """

    def __init__(self, hidden_dim: int, inner_lr: float = 0.1, seed: Optional[int] = None) -> None:
        """hidden_dim: 4 to 65536; inner_lr: the step of the memory's gradient descent; seed of 64 bits: same seed, same weights."""
        self._handle = None
        self._hidden_dim = _checks.between("hidden_dim", hidden_dim, 4, 1 << 16)
        rate = _checks.number("inner_lr", inner_lr)
        if abs(rate) > _LARGEST_FLOAT:
            raise BittttValueError(f"inner_lr must be a number that a float32 can hold, got {rate}")
        if seed is None:
            self._handle = LIBRARY.ttt_create(self._hidden_dim, rate)
        else:
            seed = _checks.between("seed", seed, -(2**63), 2**64 - 1)
            self._handle = LIBRARY.ttt_create_seeded(self._hidden_dim, rate, seed & (2**64 - 1))
        if not self._handle:
            raise error_of(ARGUMENT, last_error())

    @property
    def hidden_dim(self) -> int:
        """The width of a row."""
        return self._hidden_dim

    def forward(self, rows: Any, out: Any = None) -> Any:
        """Reads one text, rows [n, hidden_dim] or the same numbers flat [n hidden_dim], with an empty memory.

        rows: a numpy array or another buffer of float32, read in place; any other sequence of real numbers is copied.
        out: a writable, contiguous float32 numpy array of the shape of rows, which may be ``rows`` itself, or lies apart from it.
        Gives ``out``, or a new numpy array of the shape of rows (array.array where numpy is absent).
        Several texts are several calls: each begins with an empty memory. Other shapes are a ValueError.
        """
        if not self._handle:
            raise BittttError(HANDLE, "this layer is closed")
        address, shape, alive = readable(rows)
        length = self._rows(shape)
        if out is None:
            target, out = empty(shape)
        else:
            target, room, same = readable(out)
            writable = out.flags.writeable if hasattr(out, "flags") else True
            if same is not out or room != shape or not writable:
                raise BittttValueError(f"out must be a writable, contiguous float32 array of shape {list(shape)}")
        # What has no rows has perhaps no address.
        code = LIBRARY.ttt_forward(self._handle, address, length, target) if length else 0
        del alive
        if code:
            # 1 and 2 of the original are arguments.
            raise error_of(INTERNAL if code > 2 else ARGUMENT, last_error())
        return out

    def _rows(self, shape: Tuple[int, ...]) -> int:
        """The number of rows."""
        wanted = f"rows must have the shape [n, {self._hidden_dim}], or be flat and hold whole rows of {self._hidden_dim}"
        if len(shape) == 2 and shape[1] == self._hidden_dim:
            return shape[0]
        if len(shape) == 1 and shape[0] % self._hidden_dim == 0:
            return shape[0] // self._hidden_dim
        more = "; of several texts each is a call" if len(shape) > 2 else ""
        raise BittttValueError(f"{wanted}, got {list(shape)}{more}")

    __call__ = forward

    def close(self) -> None:
        """Frees the layer; again does nothing."""
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            LIBRARY.ttt_destroy(handle)

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"TTTLayer({self.hidden_dim})" if self._handle else "TTTLayer(closed)"
