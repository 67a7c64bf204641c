"""Rows of files: every shape that people have, and every error with its place."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from llmaas_client import ConfigurationError
from llmaas_client.rows import Row, Table


def read(folder: Path, name: str, content: bytes | str, *columns: str) -> list[Row]:
    path = folder / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    return list(Table.of(path, *columns))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\nHello,x\n"),
        ("a.csv", "\ufefftext,label\r\nHello,x\r\n"),
        ("a.csv", "text;label\nHello;x\n"),
        ("a.tsv", "text\tlabel\nHello\tx\n"),
        ("a.csv", ' text , label\n\n"Hello","x"\n\n'),
        ("a.jsonl", '{"text": "Hello", "label": "x"}\n\n'),
        ("a.txt", '{"text": "Hello", "label": "x", "more": [1]}'),
        ("a.jsonl.gz", gzip.compress(b'{"text": "Hello", "label": "x"}\n')),
        ("a.csv.gz", gzip.compress(b"text,label\nHello,x\n")),
    ],
)
def test_shapes(tmp_path: Path, name: str, content: bytes | str) -> None:
    (row,) = read(tmp_path, name, content, "text", "label")
    assert (row.text("text"), row.label("label")) == ("Hello", "x")


def test_texts_keep_what_is_in_them(tmp_path: Path) -> None:
    content = 'text,label\n"two\nlines, and ""quotes""",x\n' + f'"{"long " * 50_000}",y\n'
    first, second = read(tmp_path, "a.csv", content, "text")
    assert first.text("text") == 'two\nlines, and "quotes"'
    assert first.where == "row 1 (line 3) of a.csv"
    assert len(second.text("text")) == 250_000


def test_labels_that_are_no_strings(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.jsonl", '{"l": 1}\n{"l": true}\n{"l": " x "}\n', "l")
    assert [row.label("l") for row in rows] == ["1", "true", "x"]


def test_lists_of_texts(tmp_path: Path) -> None:
    rows = read(tmp_path, "a.jsonl", '{"r": ["a", " ", "b"]}\n{"r": "c"}\n', "r")
    assert [row.texts("r") for row in rows] == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "\n \n", "a.csv is empty"),
        ("a.csv", "text,label\n", "a.csv has a header and no rows"),
        ("a.csv", "txt,label\na,b\n", "no column 'text'. Those there are: 'txt', 'label'."),
        ("a.csv", "text,text,label\na,b,c\n", "has the column 'text' twice"),
        ("a.csv", "text,label\na,b,c\n", r"row 1 (line 2) of a.csv has 3 fields, and the header"),
        ("a.csv", "text,label\na\n", "row 1 (line 2) of a.csv has 1 fields"),
        ("a.csv", 'text,label\na,b\n"c,d\n', "row 2 (line 3) of a.csv is not CSV"),
        ("a.csv", b"text,label\na,b\n\xff\xfe,c\n", "line 3 of a.csv is not UTF-8"),
        ("a.csv", "text,label\na,b\n".encode("utf-16"), "line 1 of a.csv is not UTF-8"),
        ("a.jsonl", b'{"text": "\xe9", "label": "x"}', "line 1 of a.jsonl is not UTF-8"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"text": ', "row 2 of a.jsonl is not JSON"),
        ("a.jsonl", '[{"text": "a"}]', "row 1 of a.jsonl is no object"),
        ("a.json", '[\n{"text": "a"}\n]', "row 1 of a.json is not JSON"),
        ("a.jsonl", '{"text": "a"}', "a.jsonl has no column 'label'. Those there are: 'text'."),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "a"}', "row 2 of a.jsonl has no column"),
        ("a.csv.gz", b"text,label\na,b\n", "damaged"),
        ("a.csv.gz", gzip.compress(b"text,label\na,b\n" * 99)[:-9], "damaged"),
    ],
)
def test_files_that_cannot_be_used(
    tmp_path: Path, name: str, content: bytes | str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, name, content, "text", "label")
    assert message in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*: No such file"):
        list(Table.of(tmp_path / "none.csv", "text"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": "  ", "label": "x"}, "row 1: 'text' is empty"),
        ({"text": 3, "label": "x"}, "row 1 has no text: 'text' is 3"),
        ({"text": "a", "label": " "}, "row 1 has no label: 'label' is"),
        ({"text": "a", "label": None}, "row 1 has no label: 'label' is empty"),
        ({"text": "a", "label": 1.5}, "row 1 has no label: 'label' is 1.5"),
        ({"text": "a"}, "row 1 has no 'label'"),
    ],
)
def test_rows_that_cannot_be_used(fields: dict[str, object], message: str) -> None:
    row = Row(fields, "row 1")
    with pytest.raises(ConfigurationError) as caught:
        _ = row.text("text"), row.label("label")
    assert message in str(caught.value)


def test_large_files_are_read_row_by_row(tmp_path: Path) -> None:
    """The error of the last row comes after the first rows were given out."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n' * 5000 + "{")
    rows = iter(Table.of(path, "text"))
    assert next(rows).where == "row 1 of a.jsonl"
    with pytest.raises(ConfigurationError, match="row 5001"):
        list(rows)


def test_content_instead_of_a_file() -> None:
    table = Table(Path("-"), ["text"], b"text\na\nb\n")
    assert [row.text("text") for row in table] == ["a", "b"]
    assert [row.where for row in table][1] == "row 2 (line 3) of standard input"
