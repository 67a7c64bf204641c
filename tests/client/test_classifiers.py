"""`client.classifiers` of both clients, and `llmaas classifiers`, against a real front."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmaas_client import AsyncClient, Client
from llmaas_client.cli.classifiers import classifiers
from llmaas_client.errors import ConfigurationError, LLMaaSError
from llmaas_server.settings import Settings
from support.front import Front, front

EXAMPLES = {"yes": ["yes of course", "yes please"], "no": ["no way", "no thanks"]}
PAIRS = [(text, label) for label, texts in EXAMPLES.items() for text in texts]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home: Path = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, cache=home / "cache", backend="fake")) as running:
        yield running


@pytest.fixture
def client(server: Front) -> Iterator[Client]:
    with Client(server.url, server.key) as made:
        yield made


@pytest.mark.parametrize(
    "examples",
    [EXAMPLES, PAIRS, [{"text": text, "label": label} for text, label in PAIRS]],
    ids=["by label", "pairs", "rows"],
)
def test_examples_in_three_shapes(client: Client, examples: object) -> None:
    made = client.classifiers.create("shapes", examples)  # type: ignore[arg-type]
    assert made.classifier.card.labels == ["yes", "no"]
    assert client.classify("no", classifier="shapes").label == "no"


def test_a_life(client: Client) -> None:
    assert client.classifiers.create("life", EXAMPLES).classifier.version == 1
    assert client.classifiers.create("life", PAIRS).classifier.version == 2
    assert [one.version for one in client.classifiers.list() if one.name == "life"] == [2, 1]
    file = client.classifiers.export("life@1")
    assert client.classifiers.import_("other", file).card == client.classifiers.get("life@1").card
    assert client.classifiers.delete("life").versions == 2
    with pytest.raises(LLMaaSError, match="no classifier 'life'"):
        client.classifiers.get("life")


async def test_the_async_client_does_the_same(server: Front) -> None:
    async with AsyncClient(server.url, server.key) as client:
        await client.classifiers.create("awaited", EXAMPLES)
        found = await client.classifiers.get("awaited")
        assert found.version == 1
        answer = await client.classify("yes", classifier="awaited@1")
        assert (answer.label, answer.classifier) == ("yes", "awaited@1")
        with pytest.raises(ValueError, match="4 examples cannot show"):
            found.threshold_for(0.05)


def test_what_is_wrong_is_told_before_it_is_sent(client: Client) -> None:
    with pytest.raises(LLMaaSError, match="'no' has 1"):
        client.classifiers.create("few", {"yes": ["a", "b"], "no": ["c"]})


@pytest.fixture
def shell(server: Front, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.setenv("LLMAAS_BASE_URL", server.url)
    monkeypatch.setenv("LLMAAS_API_KEY", server.key)
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def test_the_command_makes_shows_and_moves(shell: CliRunner, tmp_path: Path) -> None:
    rows = ["said,meant", *(f"{text},{label}" for text, label in PAIRS), "what,other", "eh,other"]
    Path("answers.csv").write_text("\n".join(rows))
    columns = ["--text-column", "said", "--label-column", "meant"]
    made = shell.invoke(classifiers, ["create", "answers.csv", *columns, "--out-of-scope", "other"])
    assert made.exit_code == 0, made.output
    assert "answers@1" in made.output
    assert "answers@1" in shell.invoke(classifiers, ["list"]).output
    exported = shell.invoke(classifiers, ["export", "answers@1"])
    assert exported.output.strip() == "answers-1.safetensors"
    brought = shell.invoke(classifiers, ["import", "answers-1.safetensors", "--name", "copied"])
    assert brought.output.strip() == "copied@1"
    assert "macro F1" in shell.invoke(classifiers, ["show", "copied"]).output
    assert shell.invoke(classifiers, ["rm", "copied"]).output.strip() == "1 deleted"


def test_jsonl_is_read(shell: CliRunner) -> None:
    lines = [json.dumps({"text": text, "label": label}) for text, label in PAIRS]
    Path("rows.jsonl").write_text("\n".join(lines))
    made = shell.invoke(classifiers, ["create", "rows.jsonl", "--json"])
    assert json.loads(made.output)["classifier"]["name"] == "rows"


def test_a_missing_column_is_named(shell: CliRunner) -> None:
    Path("bad.csv").write_text("text,kind\na,b\n")
    failed = shell.invoke(classifiers, ["create", "bad.csv"])
    assert isinstance(failed.exception, ConfigurationError)
    assert "no column 'label'" in str(failed.exception)
