"""Ids back to text, one at a time.

Every token stands for bytes; text is those bytes read as UTF-8. So a piece never ends inside a
character, and a malformed sequence becomes U+FFFD in the same way whether it comes at once or in
pieces.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from llmaas_server.errors import Problem

Read = Callable[[str, bool], bytes]
"""The bytes of a token; the flag tells the first token of a text."""

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


class Detokenizer:
    """Knows the bytes of every id, by the decoder that the tokenizer's file describes."""

    def __init__(self, backend: Any, decoder: dict[str, Any] | None) -> None:
        added = backend.get_added_tokens_decoder()
        self._skipped = frozenset(i for i, token in added.items() if token.special)
        self._token: Callable[[int], str | None] = backend.id_to_token
        steps = _steps(decoder)
        self._read = _reader(steps, backend.decoder)
        self.strip = sum(step["start"] for step in steps if step["type"] == "Strip")
        """How many spaces at the start of a text are the tokenizer's own."""

    def read(self, token_id: int, first: bool) -> bytes | None:
        """The bytes of an id; None for a special token, or an id that is no token."""
        if token_id in self._skipped:
            return None
        token = self._token(token_id)
        return None if token is None else self._read(token, first)

    def decode(self, ids: Sequence[int]) -> str:
        stream = Stream(self)
        return "".join([*map(stream.push, ids), stream.finish()])


class Stream:
    """Implements `interface.TextStream`."""

    def __init__(self, detokenizer: Detokenizer) -> None:
        self._detokenizer = detokenizer
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._strip = detokenizer.strip
        self._first = True

    def push(self, token_id: int) -> str:
        piece = self._detokenizer.read(token_id, self._first)
        if piece is None:
            return ""
        self._first = False
        return self._stripped(self._utf8.decode(piece))

    def finish(self) -> str:
        return self._stripped(self._utf8.decode(b"", final=True))

    def _stripped(self, text: str) -> str:
        while self._strip and text:
            if not text.startswith(" "):
                self._strip = 0
                break
            text = text[1:]
            self._strip -= 1
        return text


def _steps(decoder: dict[str, Any] | None) -> list[dict[str, Any]]:
    if decoder is None:
        return []
    steps: list[dict[str, Any]] = (
        decoder["decoders"] if decoder["type"] == "Sequence" else [decoder]
    )
    return steps


def _reader(steps: Iterable[dict[str, Any]], decoder: Any) -> Read:
    kinds = {step["type"] for step in steps}
    if "ByteLevel" in kinds:
        return lambda token, first: byte_level(token)
    if not kinds:
        return _spaced
    if kinds <= {"ByteFallback", "Fuse", "Metaspace", "Replace", "Strip", "WordPiece"}:
        return _by(decoder, bytes_too="ByteFallback" in kinds)
    return _unsupported(kinds)


def byte_level(token: str) -> bytes:
    """The bytes of a token in GPT-2's alphabet."""
    # A token with a character outside the alphabet was added as it stands.
    try:
        return bytes(_BYTE_OF[character] for character in token)
    except KeyError:
        return token.encode()


def _spaced(token: str, first: bool) -> bytes:
    return (token if first else f" {token}").encode()


def _by(decoder: Any, *, bytes_too: bool) -> Read:
    """The library's own decoder, asked for one token after a token that it leaves alone."""

    def read(token: str, first: bool) -> bytes:
        if bytes_too and (match := _BYTE_TOKEN.fullmatch(token)):
            return bytes.fromhex(match[1])
        # Strip is done on the text: here it must not see the start.
        text: str = decoder.decode([token]) if first and not bytes_too else _after(decoder, token)
        return text.encode()

    return read


def _after(decoder: Any, token: str) -> str:
    text: str = decoder.decode(["x", token])
    return text[1:]


def _unsupported(kinds: Iterable[str]) -> Read:
    def read(token: str, first: bool) -> bytes:
        raise Problem(
            "model_cannot_do_task",
            f"the model's tokenizer writes text with {', '.join(sorted(kinds))}, "
            "which cannot be streamed",
            hint="Choose another model: GET /v1/models lists the tasks of each.",
        )

    return read


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's alphabet: printable bytes stand for themselves, the others follow from U+0100."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable}
    return alphabet | {chr(0x100 + i): byte for i, byte in enumerate(others)}


_BYTE_OF = _byte_alphabet()
