"""Ternary language models that go on learning while they read.

>>> from bitttt import Model
>>> with Model.load() as model, model.session() as session:
...     for piece in session.generate("Once upon a time", max_new_tokens=100):
...         print(piece, end="", flush=True)

Pure ctypes over libbitttt, which starts a Java 25 inside the process. Calls release the GIL; a session is for one thread at a time,
everything else for any. After ``os.fork`` (multiprocessing's "fork") a child that uses bitttt gets an error: use "spawn".
"""

from ._library import (
    BittttError,
    BittttFileError,
    BittttFileNotFoundError,
    BittttPermissionError,
    BittttValueError,
    init,
    kernels,
    last_error,
    shutdown,
    version,
)
from .layer import TTTLayer
from .model import DEFAULT_MODEL, Generation, Model, Session

__all__ = [
    "BittttError",
    "BittttFileError",
    "BittttFileNotFoundError",
    "BittttPermissionError",
    "BittttValueError",
    "DEFAULT_MODEL",
    "Generation",
    "Model",
    "Session",
    "TTTLayer",
    "init",
    "kernels",
    "last_error",
    "shutdown",
    "version",
]
__version__ = "0.1.0"
