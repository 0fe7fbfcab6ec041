"""Models, sessions, and texts that are being written."""

import ctypes
import json
import os
from ctypes import byref, c_int, c_int32, c_int64, c_size_t
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, TypeVar, Union

from . import _checks
from ._buffers import empty
from ._library import BUFFER, LIBRARY, c_string, check, error_of, new_handle, text_of

DEFAULT_MODEL = "stories-256x4"
"""The model that travels inside bitttt."""

_Self = TypeVar("_Self", bound="_Handle")
_SLICE = 1024  # tokens of a call: Ctrl-C waits no longer than that takes


class _Handle:
    """A handle that is freed once: by close(), by ``with``, or by the garbage collector."""

    _free = None  # the C function

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def close(self) -> None:
        """Frees it; again does nothing."""
        handle, self._handle = self._handle, 0
        if handle:
            check(type(self)._free(handle))

    @property
    def closed(self) -> bool:
        """Whether it was freed."""
        return self._handle == 0

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", 0), 0
        if handle:
            # After shutdown() it is gone already, which is no harm here.
            type(self)._free(handle)


class Model(_Handle):
    """A model that is ready to run. Immutable, for any number of threads and sessions."""

    _free = LIBRARY.bitttt_model_free

    def __init__(self, name: Union[str, "os.PathLike[str]"] = DEFAULT_MODEL) -> None:
        """Loads a model: a name of the zoo, or a folder with config.json, model.safetensors and tokenizer.json."""
        super().__init__(new_handle(LIBRARY.bitttt_model_load, c_string("name", name)))
        size = c_size_t()
        check(LIBRARY.bitttt_model_vocabulary(self._handle, byref(size)))
        self._vocabulary = size.value

    @classmethod
    def load(cls, name: Union[str, "os.PathLike[str]"] = DEFAULT_MODEL) -> "Model":
        """The same as ``Model(name)``."""
        return cls(name)

    @property
    def vocabulary(self) -> int:
        """The number of tokens."""
        return self._vocabulary

    def describe(self) -> Dict[str, Any]:
        """Name, config, generation_config, parameters, fingerprint, kernels."""
        return json.loads(text_of(LIBRARY.bitttt_model_describe, self._handle))

    def encode(self, text: str) -> List[int]:
        """Token ids of a text."""
        data = _checks.utf8("text", text)
        capacity, count = len(data) + 8, c_size_t()
        while True:
            ids = (c_int32 * capacity)()
            code = LIBRARY.bitttt_encode(self._handle, data, len(data), ids, capacity, byref(count))
            if code != BUFFER:
                check(code)
                return ids[: count.value]
            capacity = count.value

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; bytes that are no text become U+FFFD."""
        array = _ids(ids, self._vocabulary)
        return text_of(LIBRARY.bitttt_decode, self._handle, array, len(array))

    def session(self, *, output_memory: Optional[str] = None, window: Optional[int] = None) -> "Session":
        """A session with an empty memory.

        output_memory: "standard" for a memory at the output, which learns while the model stays as it is; "counts" for plain counts.
        window: of models with attention, the last tokens that are kept.
        """
        return Session(self, output_memory=output_memory, window=window)

    def __repr__(self) -> str:
        return "Model(closed)" if self.closed else f"Model({self.describe()['name']!r}, {self._vocabulary} tokens)"


def _ids(ids: Iterable[int], vocabulary: int) -> "ctypes.Array[c_int32]":
    numbers = _checks.ids(ids, vocabulary)
    return (c_int32 * len(numbers))(*numbers)


# What an option is, by its name; ranges are the library's.
_OPTIONS = {
    "max_new_tokens": _checks.whole,
    "temperature": _checks.number,
    "top_k": _checks.whole,
    "top_p": _checks.number,
    "repetition_penalty": _checks.number,
    "sequence_penalty": _checks.number,
    "seed": _checks.whole,
    "stop": _checks.texts,
    "eos_token_id": _checks.tokens,
    "echo": _checks.flag,
}


class Session(_Handle):
    """A reader of a model: its memory learns from every token and stays the same size for ever.

    One thread at a time; a call during another thread's call raises BittttError with code 5.
    """

    _free = LIBRARY.bitttt_session_free

    def __init__(
        self,
        model: Model,
        _handle: Optional[int] = None,
        *,
        output_memory: Optional[str] = None,
        window: Optional[int] = None,
    ) -> None:
        """Opens a session with an empty memory; ``Model.session`` explains the options."""
        if not isinstance(model, Model):
            raise TypeError(f"model must be a Model, got {_checks.shown(model)}")
        options: Dict[str, Any] = {}
        if output_memory is not None:
            options["output_memory"] = _checks.text("output_memory", output_memory)
        if window is not None:
            options["window"] = _checks.whole("window", window)
        super().__init__(
            new_handle(LIBRARY.bitttt_session_open, model._handle, json.dumps(options).encode())
            if _handle is None
            else _handle
        )
        self.model = model

    def fork(self) -> "Session":
        """A copy that knows the same and then learns by itself."""
        return Session(self.model, new_handle(LIBRARY.bitttt_session_fork, self._handle))

    def reset(self) -> None:
        """Forgets everything but what a memory at the output has learned."""
        check(LIBRARY.bitttt_session_reset(self._handle))

    def reset_output(self) -> None:
        """Empties the memory at the output, and that alone."""
        check(LIBRARY.bitttt_session_reset_output(self._handle))

    def feed(self, ids: Iterable[int]) -> Any:
        """Reads at least one token; gives the logits [vocabulary] of the next one: a numpy array, or array.array."""
        address, logits = empty((self.model.vocabulary,))
        array = _ids(ids, self.model.vocabulary)
        for start in range(0, max(1, len(array)), _SLICE):
            part = (c_int32 * min(_SLICE, len(array) - start)).from_buffer(array, 4 * start) if len(array) else array
            last = start + _SLICE >= len(array)
            check(
                LIBRARY.bitttt_session_feed(
                    self._handle, part, len(part), address if last else None, self.model.vocabulary if last else 0
                )
            )
        return logits

    def learn(self, text: str) -> int:
        """Reads a text for the sake of the memory; gives the number of its tokens."""
        ids = self.model.encode(text)
        if ids:
            self.feed(ids)
        return len(ids)

    def save_memory(self, file: Union[str, "os.PathLike[str]"]) -> None:
        """Writes what was learned, whole or not at all."""
        check(LIBRARY.bitttt_session_save_memory(self._handle, c_string("file", file)))

    def load_memory(self, file: Union[str, "os.PathLike[str]"]) -> None:
        """Goes on from what was learned elsewhere with the same model."""
        check(LIBRARY.bitttt_session_load_memory(self._handle, c_string("file", file)))

    def describe(self) -> Dict[str, Any]:
        """position: tokens read; memory_norms: how much each layer has learned; output_memory, if there is one: what it is worth."""
        return json.loads(text_of(LIBRARY.bitttt_session_describe, self._handle))

    @property
    def position(self) -> int:
        """Tokens read since the memory was empty or loaded."""
        return int(self.describe()["position"])

    def cancel(self) -> None:
        """Ends what this session is generating; from any thread."""
        check(LIBRARY.bitttt_session_cancel(self._handle))

    def generate(
        self,
        prompt: str,
        *,
        max_new_tokens: Optional[int] = None,
        temperature: Optional[float] = None,
        top_k: Optional[int] = None,
        top_p: Optional[float] = None,
        repetition_penalty: Optional[float] = None,
        sequence_penalty: Optional[float] = None,
        seed: Optional[int] = None,
        stop: Union[str, Sequence[str], None] = None,
        eos_token_id: Union[int, Sequence[int], None] = None,
        echo: Optional[bool] = None,
    ) -> "Generation":
        """Goes on with a text: an iterator over its pieces, each of whole characters.

        Whoever stops iterating stops the writing. The memory learns from prompt and text alike. What is not named is as
        ``model.describe()["generation_config"]`` says; bitttt.h explains the names.
        """
        named = {
            "max_new_tokens": max_new_tokens,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "repetition_penalty": repetition_penalty,
            "sequence_penalty": sequence_penalty,
            "seed": seed,
            "stop": stop,
            "eos_token_id": eos_token_id,
            "echo": echo,
        }
        checked = {name: _OPTIONS[name](name, value) for name, value in named.items() if value is not None}
        return Generation(self, prompt, checked)

    def chat(self, messages: Union[str, Sequence[Mapping[str, str]]], **options: Any) -> "Generation":
        """Answers messages as the model's chat format writes them: a user's text, or a list of {"role": ..., "content": ...}.

        What was said in this session before is known to it, so give the new ones; no text in them can write a marker of the
        format. The options are those of generate().
        """
        unknown = [name for name in options if name not in _OPTIONS]
        if unknown:
            raise TypeError(f"chat() has no option {_checks.shown(unknown[0])}; there are {', '.join(_OPTIONS)}")
        checked = {name: _OPTIONS[name](name, value) for name, value in options.items() if value is not None}
        said = [{"role": "user", "content": messages}] if isinstance(messages, str) else _checks.messages(messages)
        return Generation(self, json.dumps(said), {**checked, "messages": True})

    def __repr__(self) -> str:
        return "Session(closed)" if self.closed else f"Session({self.describe()})"


class Generation(_Handle, Iterator[str]):
    """A text that is being written. ``end`` says why it ended: "end_of_text", "limit", "cancelled" or "stop_text"."""

    _free = LIBRARY.bitttt_generation_free
    _ENDS = (None, "end_of_text", "limit", "cancelled", "stop_text")

    def __init__(self, session: Session, prompt: str, options: Dict[str, Any]) -> None:
        data = _checks.utf8("prompt", prompt)
        super().__init__(
            new_handle(LIBRARY.bitttt_generation_new, session._handle, data, len(data), json.dumps(options).encode())
        )
        self.session = session
        self.end: Optional[str] = None
        self._buffer = ctypes.create_string_buffer(512)
        self._length, self._end = c_size_t(), c_int()

    def __iter__(self) -> "Generation":
        return self

    def __next__(self) -> str:
        if self.closed:
            raise StopIteration
        while True:
            code = LIBRARY.bitttt_generation_next(
                self._handle, self._buffer, len(self._buffer), byref(self._length), byref(self._end)
            )
            if code != BUFFER:
                break
            self._buffer = ctypes.create_string_buffer(self._length.value + 1)
        if code != 0:
            raise error_of(code, self._buffer.value.decode("utf-8", "replace"))
        piece = self._buffer.raw[: self._length.value].decode("utf-8")
        self.end = self._ENDS[self._end.value]
        if self.end is not None:
            self.close()
        if not piece:
            raise StopIteration
        return piece
