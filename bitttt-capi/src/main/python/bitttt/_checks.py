"""What is checked of arguments before a call, so that nothing is cut, wrapped or guessed on the way."""

import math
import operator
from typing import Any, Dict, Iterable, List, Mapping, Union

from ._library import BittttValueError

_SHOWN = 100  # letters of a value in a message


def shown(value: Any) -> str:
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def text(name: str, value: Any) -> str:
    """A str."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {shown(value)}")
    return value


def utf8(name: str, value: Any) -> bytes:
    """A str as UTF-8; half a surrogate pair is one U+FFFD, as in Java."""
    try:
        return text(name, value).encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value).encode("utf-8")


def whole(name: str, value: Any) -> int:
    """A whole number: an int, or what Python takes for an index; True and False are none."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError(f"{name} must be a whole number, got {shown(value)}")


def between(name: str, value: Any, least: int, most: int) -> int:
    """A whole number of a range."""
    found = whole(name, value)
    if not least <= found <= most:
        raise BittttValueError(f"{name} must be {least} to {most}, got {shown(found)}")
    return found


def number(name: str, value: Any) -> float:
    """A finite number, of Python or numpy."""
    if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    try:
        finite = float(value)
    except OverflowError:
        finite = math.inf
    if not math.isfinite(finite):
        raise BittttValueError(f"{name} must be finite, got {shown(value)}")
    return finite


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return value


def texts(name: str, value: Union[str, Iterable[str]]) -> List[str]:
    """A str, or several."""
    several = [value] if isinstance(value, str) else _listed(name, value, "a str or several")
    return [text(name, one) for one in several]


def tokens(name: str, value: Union[int, Iterable[int]]) -> List[int]:
    """A token id, or several."""
    several = [value] if hasattr(value, "__index__") else _listed(name, value, "a token id or several")
    return [whole(name, one) for one in several]


def messages(value: Iterable[Mapping[str, str]]) -> List[Dict[str, str]]:
    """Messages of a role and a content each."""
    found = []
    for one in _listed("messages", value, "a str or several of a role and a content"):
        if not isinstance(one, Mapping) or set(one) != {"role", "content"}:
            raise TypeError(f"a message must have a role and a content, got {shown(one)}")
        found.append({name: text(name, one[name]) for name in ("role", "content")})
    return found


def ids(value: Iterable[int], vocabulary: int) -> List[int]:
    """Token ids, which the library takes as numbers of 32 bits and then compares with the vocabulary itself."""
    numbers = [whole("a token id", one) for one in _listed("ids", value, "token ids")]
    for one in numbers:
        if not -(2**31) <= one < 2**31:
            raise BittttValueError(f"token ids are 0 to {vocabulary - 1}, got {shown(one)}")
    return numbers


def _listed(name: str, value: Any, kind: str) -> List[Any]:
    try:
        return list(value)
    except TypeError:
        raise TypeError(f"{name} must be {kind}, got {shown(value)}") from None
