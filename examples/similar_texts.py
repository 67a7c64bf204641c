"""Find the text that is nearest in meaning to a question."""

from llmaas_client import Client

TEXTS = ["Refunds take five working days.", "We open at nine.", "The shop is next to the station."]
QUESTION = "When do I get my money back?"


def main() -> None:
    with Client() as client:
        *vectors, question = client.embed([*TEXTS, QUESTION]).embeddings
    scores = [sum(x * y for x, y in zip(vector, question, strict=True)) for vector in vectors]
    for score, text in sorted(zip(scores, TEXTS, strict=True), reverse=True):
        print(f"{score:5.2f}  {text}")


if __name__ == "__main__":
    main()
