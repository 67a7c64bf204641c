"""Chinese: what works with the English models that come along, what warns, and what to pull."""

import sys

from llmaas_client import Client, LLMaaSError, ResultWarning

REPORT = (
    "市图书馆在两年的维修之后将于星期一重新开放。一场暴风雨刮掉了部分屋顶，雨水毁坏了许多书籍。"
    "现在屋顶是新的，阅览室的座位比以前多了一倍。大部分资金来自市政府，其余由三百位市民捐赠。"
    "馆长说：“我们等这一天等了很久。”开放时间保持不变。"
)
REVIEWS = ["这盏灯非常好用，我很喜欢。", "服务太差了，我要退货。"]
MULTILINGUAL = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"


def warn(warning: ResultWarning) -> None:
    print(f"  ! {warning.code}: {warning.message}")


def main() -> None:
    with Client(on_warning=warn) as client:
        print("Sentences, spans and lengths follow the script: 40 characters at most.")
        answer = client.summarize(REPORT, max_words=40)
        for sentence in answer.sentences:
            places = ", ".join(f"{span.start}-{span.end}" for span in sentence.sources)
            print(f"  {sentence.text}  ({places})")
        print(f"  [{answer.words} characters, {answer.coverage:.0%} of the text was read]")

        installed = {model.id for model in client.models()}
        model = MULTILINGUAL if MULTILINGUAL in installed else None
        print(f"\nMeaning needs a model of the language; here it is {model or 'the default'}:")
        labels = {"好评": "满意，喜欢，称赞", "差评": "不满意，投诉，退货"}
        reviews = client.classify(REVIEWS, labels=labels, model=model)
        for text, one in zip(REVIEWS, reviews.results, strict=True):
            print(f"  {one.label} {one.score:.2f}  {text}")
        print(f"  warnings: {len(reviews.warnings)} [{reviews.model}]")


if __name__ == "__main__":
    try:
        main()
    except (LLMaaSError, KeyboardInterrupt) as error:
        sys.exit(f"error: {str(error) or 'interrupted'}")
