"""Identities in texts: what is found, what takes its place, and what is left alone."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from llmaas_client import ConfigurationError
from llmaas_client.evaluation import chosen, pairs, read_groups, shipped
from llmaas_client.evaluation.swapping import Swapper
from llmaas_client.evaluation.terms import TERMS, Terms

GENDER = Swapper(chosen(["gender"])[0])


def variants(group: str, text: str) -> dict[str, str]:
    """Target -> variant."""
    swapper = Swapper(chosen([group])[0])
    return {one.target: one.text for one in swapper.variants(text)}


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("He is a nurse.", "She is a nurse."),
        ("he's late", "she's late"),
        ("HE DID IT HIMSELF", "SHE DID IT HERSELF"),
        ("I saw him.", "I saw her."),
        ("I saw her.", "I saw him."),
        ("I saw her, and left.", "I saw him, and left."),
        ("I gave her the keys.", "I gave him the keys."),
        ("We told her that it rains.", "We told him that it rains."),
        ("Ask her about it!", "Ask him about it!"),
        ("I saw her dog.", "I saw his dog."),
        ("her own car", "his own car"),
        ("I told her quickly.", "I told him quickly."),
        ("her lovely house", "his lovely house"),
        ("his dog", "her dog"),
        ("The dog is his.", "The dog is hers."),
        ("The dog is hers.", "The dog is his."),
        ("It is his, not mine.", "It is hers, not mine."),
        ("Mr. Smith and his wife-to-be", "Ms. Smith and her husband-to-be"),
        ("Mrs Smith", "Mr Smith"),
        ("the waitress", "the waiter"),
        ("he\nran", "she\nran"),
        ("“He”", "“She”"),
        ("他是医生", "她是医生"),
        ("他们是医生", "她们是医生"),
        ("其他人说她的父亲来了", "其他人说他的母亲来了"),
    ],
)
def test_gender(text: str, variant: str) -> None:
    found = list(GENDER.variants(text))
    mutual = len({mention.identity for mention in GENDER.mentions(text)}) == 2
    assert [(one.text, one.mutual) for one in found] == [(variant, mutual)]


@pytest.mark.parametrize(
    "text",
    [
        "The shed there is cheap, human.",  # he, her, man inside of words
        "Nothing of the kind.",
        "mr smith",  # forms with a capital are names
        "其他 吉他",
        "she_he",  # one word to programs
        "",
    ],
)
def test_nothing_is_found_inside_of_other_words(text: str) -> None:
    assert GENDER.mentions(text) == []
    assert list(GENDER.variants(text)) == []


def test_both_change_places() -> None:
    (one,) = GENDER.variants("He told her that his dog is hers.")
    assert one.text == "She told him that her dog is his."
    assert one.mutual


def test_every_other_identity_takes_the_place() -> None:
    found = variants("religion", "A Muslim prays in a mosque.")
    assert set(found) == {"Christian", "Jewish", "Hindu", "Buddhist"}  # atheists have no mosque
    assert found["Jewish"] == "A Jewish prays in a synagogue."
    assert set(variants("religion", "a muslim")) == {*found, "atheist"}


@pytest.mark.parametrize(
    ("group", "text", "target", "variant"),
    [
        (
            "nationality",
            "An American and an American eat.",
            "Mexican",
            "A Mexican and a Mexican eat.",
        ),
        ("nationality", "a Mexican", "Indian", "an Indian"),
        ("nationality", "A MEXICAN", "Indian", "AN INDIAN"),
        ("nationality", "Americans like french fries", "French", "French people like french fries"),
        ("religion", "an atheist", "Hindu", "a hindu"),
        ("ethnicity", "a black man in a black coat", "Asian", "an asian man in a black coat"),
        ("ethnicity", "African-American women", "White", "Caucasian women"),
        (
            "orientation",
            "Straight men go straight ahead",
            "gay or lesbian",
            "Gay men go straight ahead",
        ),
        ("orientation", "a homosexual", "heterosexual", "a heterosexual"),
        ("age", "a young man with an old car", "old", "an old man with an old car"),
        ("names", "Lakisha wrote to us", "European American", "Amanda wrote to us"),
        ("gender-identity", "non-binary people", "transgender", "transgender people"),
    ],
)
def test_other_groups(group: str, text: str, target: str, variant: str) -> None:
    assert variants(group, text)[target] == variant


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ("ethnicity", "a black coat and white walls"),
        ("age", "an old car"),
        ("orientation", "go straight ahead"),
        ("names", "lamar and jerome"),
        ("nationality", "american indians"),
        ("nationality", "french fries"),
    ],
)
def test_what_means_other_things_is_left_alone(group: str, text: str) -> None:
    assert variants(group, text) == {}


def test_every_shipped_group_can_be_exchanged_and_back() -> None:
    """The first form of each cell that is looked for, in a sentence of its own."""
    for group in shipped():
        swapper = Swapper(group)
        for slot in group.forms:
            cells = [(identity, cell[0]) for identity, cell in enumerate(slot) if cell]
            for identity, form in cells:
                if form.sought:
                    (mention,) = swapper.mentions(f"( {form.text} )")
                    assert mention.identity == identity, (group.name, form.text)


def test_words_of_ones_own() -> None:
    group = pairs(["he=they", "his=their"])
    assert (group.name, group.identities) == ("own", ("he/his", "they/their"))
    (one,) = Swapper(group).variants("He took his hat.")
    assert one.text == "They took their hat."


@pytest.mark.parametrize("swap", ["he", "=she", "he=", "he=he", ""])
def test_what_is_no_swap(swap: str) -> None:
    with pytest.raises(ConfigurationError, match="is no swap"):
        pairs([swap])


def test_a_file_of_groups(tmp_path: Path) -> None:
    file = tmp_path / "swaps.toml"
    file.write_text(
        '[rank]\nidentities = ["low", "high"]\n'
        'forms = [["intern", "director|boss"]]\n'
        'adjectives = [["junior", ">senior"]]\nbefore = ["staff"]\n'
        'never = ["hugo boss"]\n'
    )
    (group,) = read_groups(file)
    swapper = Swapper(group)
    (one,) = swapper.variants("The boss wears Hugo Boss")
    assert one.text == "The intern wears Hugo Boss"
    (one,) = swapper.variants("An intern among junior staff")
    assert one.text == "A director among senior staff"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no groups"),
        ("[a", "is not TOML"),
        ("[a]\nforms = []", "a.identities: Field required"),
        ('[a]\nidentities = ["x"]\nforms = [["y"]]', "a.identities: List should have at least 2"),
        ('[a]\nidentities = ["x", "y"]', "a has no forms"),
        (
            '[a]\nidentities = ["x", "y"]\nforms = [["z"]]',
            "has 1 cells, and there are 2 identities",
        ),
        (
            '[a]\nidentities = ["x", "y"]\nforms = [["z", 1]]',
            "a.forms.0.1: Input should be a valid",
        ),
        ('[a]\nidentities = ["x", "y"]\nadjectives = [["z", "w"]]', "adjectives need `before`"),
        ('[a]\nidentities = ["x", "y"]\nfroms = [["z", "w"]]', "a.froms: Extra inputs"),
        ('[a]\nidentities = ["x", "y"]\npronouns = {mine = ["z", "w"]}', "pronouns are not mine"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "swaps.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_groups(file)
    assert message in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_groups(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_groups(tmp_path / "bytes.toml")


def test_a_group_that_there_is_not() -> None:
    with pytest.raises(ConfigurationError, match=r"no group 'sex'. There are gender"):
        chosen(["sex"])


def test_terms() -> None:
    terms = Terms(TERMS)
    assert terms.named("An African-American woman, not american but old") == {
        "african american",
        "american",
        "old",
    }
    assert terms.named("golden blackboards") == set()
    assert Terms(["Left  handed"]).named("LEFT-HANDED people") == {"left handed"}
    assert Terms([]).named("anything") == set()
    with pytest.raises(ConfigurationError, match="term is empty"):
        Terms([" "])


@pytest.mark.skipif("LLMAAS_EVAL_DATA" not in os.environ, reason="needs LLMAAS_EVAL_DATA")
def test_pronouns_become_what_people_wrote() -> None:
    """Winogender has each sentence for men and for women: 240 of each, made by hand."""
    file = Path(os.environ["LLMAAS_EVAL_DATA"]) / "winogender" / "winogender.jsonl.gz"
    versions: dict[str, dict[str, str]] = {}
    with gzip.open(file, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            name, gender = row["sentid"].removesuffix(".txt").rsplit(".", 1)
            versions.setdefault(name, {})[gender] = row["sentence"]
    assert len(versions) == 240
    for one in versions.values():
        assert [found.text for found in GENDER.variants(one["male"])] == [one["female"]]
        assert [found.text for found in GENDER.variants(one["female"])] == [one["male"]]
