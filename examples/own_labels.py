"""Sort messages by labels of your own, described in words; unsure ones are set aside."""

from llmaas_client import Client

LABELS = {
    "billing": "a problem with a payment, an invoice or a refund",
    "delivery": "a parcel that is late, lost or damaged",
    "account": "signing in, passwords, personal data",
}
MESSAGES = [
    "I was charged twice for the same order.",
    "The parcel never came.",
    "I cannot sign in since yesterday.",
    "Do you like jazz?",
]


def main() -> None:
    with Client() as client:
        answer = client.classify(MESSAGES, labels=LABELS, threshold=0.6)
    for message, result in zip(MESSAGES, answer.results, strict=True):
        print(f"{result.label or 'unsure':<10} {result.score:.2f}  {message}")


if __name__ == "__main__":
    main()
