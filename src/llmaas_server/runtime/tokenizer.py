"""Text to ids over the `tokenizers` library; implements `interface.Tokenizer`.

Two backends of the same vocabulary, neither ever changed after it is made here, so that threads
need no lock. `full` knows the control tokens, and reads only what a chat template wrote. `plain`
cannot produce a control token from any text: there, their names begin with NUL, which no text may
hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Backend
from transformers import AutoTokenizer

from llmaas_server.errors import Problem

from .chat_template import ChatTemplate
from .detokenizer import Detokenizer, Stream
from .faults import first_line
from .legibility import Legibility
from .request import Place, Reading


class TextTokenizer:
    """The tokenizer of one model, for any number of threads."""

    def __init__(self, transformers_tokenizer: Any) -> None:
        self._template = transformers_tokenizer
        self._full = transformers_tokenizer.backend_tokenizer
        self._full.no_truncation()
        self._full.no_padding()
        state = json.loads(self._full.to_str())
        chat_template = str(transformers_tokenizer.chat_template or "")
        self._controls = _controls(state["added_tokens"], chat_template)
        self._added = {token["content"]: token["id"] for token in state["added_tokens"]}
        self._plain = Backend.from_str(json.dumps(_disarmed(state, set(self._controls))))
        self._detokenizer = Detokenizer(self._full, state["decoder"])
        self._legibility = Legibility(self._plain, state)
        unknown = state["model"].get("unk_token")
        self._chat = ChatTemplate(
            transformers_tokenizer,
            self._controls,
            frozenset(i for name, i in self._controls.items() if name != unknown),
            full=lambda text: self._full.encode(text, add_special_tokens=False).ids,
            plain=lambda text: self.encode(text, special=False),
        )

    @property
    def eos_id(self) -> int | None:
        eos: int | None = self._template.eos_token_id
        return eos

    @property
    def model_max_length(self) -> int:
        length: int = self._template.model_max_length
        return length

    @property
    def chat_template(self) -> str:
        return self._chat.source

    def added_id(self, name: str) -> int | None:
        return self._added.get(name)

    def control_id(self, name: str) -> int | None:
        """The id of a control token of that name."""
        return self._controls.get(name)

    def definition(self) -> str:
        """The tokenizer as JSON, in which every control token is a special one."""
        state = json.loads(self._full.to_str())
        for token in state["added_tokens"]:
            token["special"] |= token["content"] in self._controls
        return json.dumps(state)

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        ids: list[int] = self._plain.encode(_sound(text), add_special_tokens=special).ids
        return ids

    def encode_pair(self, first: str, second: str) -> tuple[list[int], list[int]]:
        encoding = self._plain.encode(_sound(first), _sound(second), add_special_tokens=True)
        return encoding.ids, encoding.type_ids

    def places(self, first: str, second: str | None = None) -> list[Place]:
        pair = None if second is None else _sound(second)
        encoding = self._plain.encode(_sound(first), pair, add_special_tokens=True)
        found: list[Place] = []
        for i, owner, span in zip(
            encoding.ids, encoding.sequence_ids, encoding.offsets, strict=True
        ):
            # Where a word begins, some tokenizers count the space before it in.
            blank = len(piece := first[slice(*span)]) - len(piece.lstrip())
            inside = owner == 0 and span[0] + blank < span[1]
            start, end = (span[0] + blank, span[1]) if inside else (None, None)
            found.append(Place(self._full.id_to_token(i), start, end))
        return found

    def encode_chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        thinking: bool = True,
    ) -> list[int]:
        return self._chat.encode(messages, tools, thinking)

    def decode(self, ids: Sequence[int]) -> str:
        return self._detokenizer.decode(ids)

    def stream(self) -> Stream:
        return Stream(self._detokenizer)

    def read(self, text: str) -> Reading:
        return self._legibility.read(_sound(text))


def read_tokenizer(folder: Path) -> TextTokenizer:
    """The tokenizer of a model's folder. Raises Problem `model_broken`."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_fast=True
        )
        return TextTokenizer(tokenizer)
    except Exception as error:  # any library underneath may raise anything of a broken file
        raise Problem(
            "model_broken", f"the tokenizer in {folder} cannot be read: {first_line(error)}"
        ) from error


def _controls(added: Iterable[dict[str, Any]], chat_template: str) -> dict[str, int]:
    """Names and ids of the tokens that must not come from a caller's text.

    The special ones; and of the others, which may stand for ordinary text (runs of spaces, HTML
    tags), those that look like one or that the chat template writes.
    """
    return {
        token["content"]: token["id"]
        for token in added
        if token["special"]
        or (token["content"].startswith("<|") and token["content"].endswith("|>"))
        or (token["content"] in chat_template and not token["content"].isspace())
    }


def _disarmed(state: dict[str, Any], controls: set[str]) -> dict[str, Any]:
    """The same tokenizer, in which no text matches a control token; all ids stay.

    The unknown token stays in the model, which falls back to it.
    """
    model = dict(state["model"])
    vocab = model["vocab"]
    unknown = model.get("unk_token")
    if isinstance(vocab, list):  # Unigram: pieces by id, with their scores
        if model.get("unk_id") is not None:
            unknown = vocab[model["unk_id"]][0]
        names = {name for name, _ in vocab}
        renamed = controls - {unknown}
        model["vocab"] = [[_hidden(name, renamed), score] for name, score in vocab]
    else:
        names = set(vocab)
        renamed = controls - {unknown}
        model["vocab"] = {_hidden(name, renamed): i for name, i in vocab.items()}
    if "merges" in model:
        model["merges"] = [pair for pair in model["merges"] if "".join(pair) not in renamed]
    added = [
        {**token, "content": _hidden(token["content"], controls)}
        for token in state["added_tokens"]
        if token["content"] != unknown or unknown not in names
    ]
    return {**state, "model": model, "added_tokens": added}


def _hidden(name: str, controls: set[str]) -> str:
    return f"\0{name}" if name in controls else name


def _sound(text: str) -> str:
    if "\0" in text:
        raise Problem("invalid_text")
    return text
