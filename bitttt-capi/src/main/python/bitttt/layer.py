"""The one layer of the original Bit-TTT engine."""

from typing import Any, Optional

from ._buffers import empty, readable
from ._library import BittttError, LIBRARY, last_error


class TTTLayer:
    """A layer with random ternary weights whose memory learns from every row it reads, anew in each ``forward``.

    The functions ttt_create, ttt_forward and ttt_destroy, with the original's meaning.
    """

    def __init__(self, hidden_dim: int, inner_lr: float = 0.1, seed: Optional[int] = None) -> None:
        """hidden_dim: at least 4; inner_lr: the step of the memory's gradient descent; seed: same seed, same weights."""
        self._handle = None
        if not 0 <= hidden_dim < 2**63:
            raise ValueError(f"hidden_dim must be a positive number, got {hidden_dim}")
        if seed is None:
            self._handle = LIBRARY.ttt_create(hidden_dim, inner_lr)
        else:
            self._handle = LIBRARY.ttt_create_seeded(hidden_dim, inner_lr, seed & (2**64 - 1))
        if not self._handle:
            raise BittttError(1, last_error())
        self.hidden_dim = hidden_dim

    def forward(self, rows: Any, out: Any = None) -> Any:
        """Reads rows [n, hidden_dim] with an empty memory.

        rows: a numpy array or another buffer of float32, read in place; any other sequence of numbers is copied.
        out: a writable, contiguous float32 numpy array of the same size, which may be ``rows`` itself.
        Gives [n, hidden_dim]: ``out``, or a new numpy array of the shape of rows (array.array where numpy is absent).
        """
        if not self._handle:
            raise BittttError(2, "this layer is closed")
        address, count, alive = readable(rows)
        if count % self.hidden_dim:
            raise ValueError(f"rows must hold whole rows of {self.hidden_dim}, got {count} numbers")
        if out is None:
            target, out = empty(count, getattr(alive, "shape", (count,)))
        else:
            target, room, same = readable(out)
            writable = out.flags.writeable if hasattr(out, "flags") else True
            if same is not out or room != count or not writable:
                raise ValueError(f"out must be a writable, contiguous float32 array of {count} numbers")
        # What has no rows has perhaps no address.
        code = LIBRARY.ttt_forward(self._handle, address, count // self.hidden_dim, target) if count else 0
        if code:
            raise BittttError(code, last_error())
        return out

    __call__ = forward

    def close(self) -> None:
        """Frees the layer; again does nothing."""
        handle, self._handle = self._handle, None
        if handle:
            LIBRARY.ttt_destroy(handle)

    def __enter__(self) -> "TTTLayer":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"TTTLayer({self.hidden_dim})" if self._handle else "TTTLayer(closed)"
