"""What a tokenizer has words for, in languages that it knows and others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers

from llmaas_server.models.store import Store
from llmaas_server.runtime.tokenizer import TextTokenizer, read_tokenizer
from support import tiny_tokenizers

CHINESE = "市图书馆在两年的维修之后将于星期一重新开放。现在屋顶是新的，座位比以前多了一倍。"

UNREAD = {
    "Chinese": CHINESE,
    "Chinese in few words": "服务太差了",
    "traditional Chinese": "圖書館在兩年的維修之後將於星期一重新開放。",
    "Japanese": "図書館は二年間の修理を経て月曜日に再開します。とても嬉しいです。",
    "Korean": "도서관은 2년간의 수리 끝에 월요일에 다시 문을 엽니다.",
    "Russian": "Городская библиотека снова откроется в понедельник.",
    "Arabic": "تفتح مكتبة المدينة مرة أخرى يوم الاثنين بعد عامين.",
    "Thai": "ห้องสมุดเมืองเปิดอีกครั้งในวันจันทร์หลังจากซ่อมแซมสองปี",
    "Thai with names of things": "iPhone 15 ห้องสมุดเมืองเปิดอีกครั้งในวันจันทร์ Samsung",
    "Hindi": "शहर का पुस्तकालय दो साल की मरम्मत के बाद सोमवार को फिर से खुलेगा।",
    "Chinese after an English sentence": "The library opens on Monday. 图书馆星期一开门。",
    "emoji alone": "🎉🎉👍",
}
READ = {
    "English": "The town library opens again on Monday after two years of repairs.",
    "English in capitals": "HELLO WORLD, THIS IS NOT A DRILL",
    "English with accents and marks": "“Café Zürich” – naïve, isn’t it? £3.50 … 20 °C ½",
    "English with emoji": "Thanks! 👍🎉🎉🎉",
    "English with a Greek letter": "The angles α and β are equal, and their sum is below π/2.",
    "English with a word of Chinese": "The sign at the door of the old shop said 茶, which is tea.",
    "code": "def f(x):\n    return {'a': x ** 2}  # squares",
    "numbers": "12345 67890 3.14 !!! --- 1e-5",
    "French": "La bibliothèque municipale rouvre lundi après deux ans de travaux.",
    "nothing": "   ",
}


@pytest.fixture(scope="module", params=["all-minilm-l6-v2", "smollm2-135m-instruct-q4_1"])
def embedded(request: pytest.FixtureRequest, embedded_store: Store) -> TextTokenizer:
    return read_tokenizer(Path(embedded_store.ref(request.param).path))


def share(tokenizer: TextTokenizer, text: str) -> float:
    reading = tokenizer.read(text)
    assert 0 <= reading.unread <= reading.tokens
    return reading.unread / max(reading.tokens, 1)


@pytest.mark.real_models
@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD)
def test_the_embedded_models_cannot_read_other_scripts(embedded: TextTokenizer, text: str) -> None:
    assert share(embedded, text) > 0.5


@pytest.mark.real_models
@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_the_embedded_models_read_english(embedded: TextTokenizer, text: str) -> None:
    assert share(embedded, text) < 0.35


def of(tokenizer: Callable[[], Any]) -> TextTokenizer:
    return TextTokenizer(tokenizer())


def fast(backend: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: transformers.PreTrainedTokenizerFast(tokenizer_object=backend())


KINDS: dict[str, Callable[[], Any]] = {
    "bytes": fast(tiny_tokenizers.byte_level),
    "bytes where there is no token": fast(tiny_tokenizers.byte_fallback),
    "unknown": tiny_tokenizers.bert_tokenizer,
    "unknown by pieces": tiny_tokenizers.t5_tokenizer,
    "bytes with unknown": tiny_tokenizers.bart_tokenizer,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_tokenizer_says_so(kind: Callable[[], Any]) -> None:
    tokenizer = of(kind)
    assert share(tokenizer, "The dog does not mind at all.") == 0.0
    assert share(tokenizer, "Городская библиотека") > 0.9


def test_a_vocabulary_with_many_characters_reads_them() -> None:
    script = [chr(0x4E00 + number) for number in range(600)]

    def tokenizer_of(characters: list[str]) -> TextTokenizer:
        vocab = {piece: i for i, piece in enumerate(["[UNK]", "the", *characters])}
        backend = tiny_tokenizers.word_pieces(vocab)
        return TextTokenizer(
            transformers.PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]")
        )

    text = "".join(script[:20])
    assert share(tokenizer_of(script), text) == 0.0
    assert share(tokenizer_of(script[:100]), text) == 1.0  # it has them all, and few others
    assert share(tokenizer_of(script[:10]), text) == 1.0


def test_an_unknown_token_weighs_what_it_stands_for() -> None:
    """WordPiece reads a line without spaces as one unknown token."""
    reading = of(tiny_tokenizers.bert_tokenizer).read("the dog " + "ш" * 40)
    assert (reading.tokens, reading.unread) == (12, 10)
