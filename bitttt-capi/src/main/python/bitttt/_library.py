"""The C functions: found, declared, checked."""

import ctypes
import errno
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from pathlib import Path
from typing import Any, Callable, Optional, Tuple, Union

ARGUMENT, HANDLE, FILE, BUFFER, BUSY, STATE, CANCELLED, JAVA, FORKED, INTERNAL = 1, 2, 3, 4, 5, 6, 7, 8, 9, 99


class BittttError(Exception):
    """What the library answered: ``code`` as in bitttt.h, and its text.

    Where Python has a name for it, it is that as well: ValueError for an argument out of its range, OSError for a file, of which
    one that is not there is FileNotFoundError, one that may not be opened PermissionError.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> "Tuple[type, Tuple[Any, ...]]":
        return type(self), (self.code, str(self))


class BittttValueError(BittttError, ValueError):
    """An argument is out of its range."""

    def __init__(self, message: str) -> None:
        super().__init__(ARGUMENT, message)

    def __reduce__(self) -> "Tuple[type, Tuple[Any, ...]]":
        return type(self), (str(self),)


class BittttFileError(BittttError, OSError):
    """A file cannot be used, or says something wrong."""


class BittttFileNotFoundError(BittttFileError, FileNotFoundError):
    """A file, or the folder of it, is not there."""


class BittttPermissionError(BittttFileError, PermissionError):
    """A file may not be read or written."""


class BittttFileExistsError(BittttFileError, FileExistsError):
    """A file is there already."""


class BittttNotADirectoryError(BittttFileError, NotADirectoryError):
    """What shall be a folder is none."""


_FILE_ERRORS = {
    errno.ENOENT: BittttFileNotFoundError,
    errno.EACCES: BittttPermissionError,
    errno.EEXIST: BittttFileExistsError,
    errno.ENOTDIR: BittttNotADirectoryError,
}


def error_of(code: int, message: str, reason: int = 0) -> BittttError:
    """What to raise for an error code, its text, and the errno of a file."""
    if code == ARGUMENT:
        return BittttValueError(message)
    if code != FILE:
        return BittttError(code, message)
    error = _FILE_ERRORS.get(reason, BittttFileError)(code, message)
    # Without the others of its kind, for then the text stays that of the library.
    error.errno = reason or None
    return error


def _candidates():
    name = {"win32": "bitttt.dll", "darwin": "libbitttt.dylib"}.get(sys.platform, "libbitttt.so")
    if os.environ.get("BITTTT_LIBRARY"):
        # What was asked for, or nothing.
        yield Path(os.environ["BITTTT_LIBRARY"])
        return
    package = Path(__file__).resolve().parent
    yield package / "native" / name
    yield package.parents[1] / name  # a dist folder
    if len(package.parents) > 3:
        yield package.parents[3] / "target" / "dist" / name  # the sources


def _find() -> str:
    candidates = list(_candidates())
    for path in candidates:
        if path.exists():
            return str(path)
    raise ImportError(
        "libbitttt was not found; looked at " + ", ".join(map(str, candidates))
        + "; build it by `mvn -pl bitttt-capi -am package`, or name it in BITTTT_LIBRARY"
    )


_FLOATS, _IDS, _SIZE, _HANDLE = c_void_p, POINTER(c_int32), POINTER(c_size_t), POINTER(c_int64)
_PROTOTYPES = {
    "bitttt_init": [c_char_p, c_char_p],
    "bitttt_shutdown": [],
    "bitttt_version": [c_char_p, c_size_t, _SIZE],
    "bitttt_kernels": [c_char_p, c_size_t, _SIZE],
    "bitttt_echo": [_FLOATS, _FLOATS, c_size_t],
    "bitttt_model_load": [c_char_p, _HANDLE],
    "bitttt_model_free": [c_int64],
    "bitttt_model_describe": [c_int64, c_char_p, c_size_t, _SIZE],
    "bitttt_model_vocabulary": [c_int64, _SIZE],
    "bitttt_encode": [c_int64, c_char_p, c_size_t, _IDS, c_size_t, _SIZE],
    "bitttt_decode": [c_int64, _IDS, c_size_t, c_char_p, c_size_t, _SIZE],
    "bitttt_session_new": [c_int64, _HANDLE],
    "bitttt_session_open": [c_int64, c_char_p, _HANDLE],
    "bitttt_session_fork": [c_int64, _HANDLE],
    "bitttt_session_reset": [c_int64],
    "bitttt_session_reset_output": [c_int64],
    "bitttt_session_free": [c_int64],
    "bitttt_session_save_memory": [c_int64, c_char_p],
    "bitttt_session_load_memory": [c_int64, c_char_p],
    "bitttt_session_describe": [c_int64, c_char_p, c_size_t, _SIZE],
    "bitttt_session_feed": [c_int64, _IDS, c_size_t, _FLOATS, c_size_t],
    "bitttt_session_learn": [c_int64, c_char_p, c_size_t, _SIZE],
    "bitttt_session_cancel": [c_int64],
    "bitttt_generation_new": [c_int64, c_char_p, c_size_t, c_char_p, _HANDLE],
    "bitttt_generation_next": [c_int64, c_char_p, c_size_t, _SIZE, POINTER(c_int)],
    "bitttt_generation_free": [c_int64],
    "ttt_forward": [c_void_p, _FLOATS, c_size_t, _FLOATS],
}


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(_find())
    for name, arguments in _PROTOTYPES.items():
        function = getattr(library, name)
        function.argtypes = arguments
        function.restype = c_int
    library.bitttt_last_error.argtypes = []
    library.bitttt_last_error.restype = c_char_p
    library.bitttt_last_errno.argtypes = []
    library.bitttt_last_errno.restype = c_int
    library.ttt_create.argtypes = [c_size_t, c_float]
    library.ttt_create.restype = c_void_p
    library.ttt_create_seeded.argtypes = [c_size_t, c_float, c_uint64]
    library.ttt_create_seeded.restype = c_void_p
    library.ttt_destroy.argtypes = [c_void_p]
    library.ttt_destroy.restype = None
    return library


LIBRARY = _load()


def last_error() -> str:
    """The text of this thread's last error."""
    return LIBRARY.bitttt_last_error().decode("utf-8", "replace")


def check(code: int) -> None:
    """Raises what went wrong."""
    if code != 0:
        raise error_of(code, last_error(), LIBRARY.bitttt_last_errno())


def c_string(name: str, text: Union[str, "os.PathLike[str]"]) -> bytes:
    """A name or path for C, which ends strings at the first NUL."""
    try:
        data = os.fsencode(text)
    except TypeError:
        raise TypeError(f"{name} must be a str or a path, got {text!r}") from None
    if b"\0" in data:
        raise BittttValueError(f"{name} cannot hold a NUL, got {text!r}")
    return data


def new_handle(function: Callable[..., int], *arguments: object) -> int:
    """The handle that a function gives back by its last argument."""
    handle = c_int64()
    check(function(*arguments, byref(handle)))
    return handle.value


def text_of(function: Callable[..., int], *arguments: object) -> str:
    """The text that a function writes to a buffer, however long it is."""
    capacity, length = 1024, c_size_t()
    while True:
        buffer = ctypes.create_string_buffer(capacity)
        code = function(*arguments, buffer, capacity, byref(length))
        if code != BUFFER:
            check(code)
            return buffer.raw[: length.value].decode("utf-8")
        capacity = length.value + 1


def init(java_home: Optional[str] = None, options: Optional[str] = None) -> None:
    """Starts Java, which any first call does as well.

    java_home: a Java 25 or newer; options: of Java, separated by spaces, such as ``"-Xmx2g"``.
    """
    check(LIBRARY.bitttt_init(_bytes("java_home", java_home), _bytes("options", options)))


def _bytes(name: str, text: Optional[str]) -> Optional[bytes]:
    return None if text is None else c_string(name, text)


def shutdown() -> None:
    """Frees all handles. Java stays in the process; later calls work again."""
    check(LIBRARY.bitttt_shutdown())


def version() -> str:
    """The versions of library and Java."""
    return text_of(LIBRARY.bitttt_version)


def kernels() -> str:
    """Which kernels run, and why."""
    return text_of(LIBRARY.bitttt_kernels)
