"""Numbers in Chinese characters, of Chinese and Japanese: 三百二十, 二〇二三, 百分之三十."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DIGITS = {
    **{digit: value for value, digit in enumerate("零一二三四五六七八九")},
    "〇": 0, "两": 2, "兩": 2,
}  # fmt: skip
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_RUN = re.compile(
    r"(?:百分之|第)?(?:[零〇一二三四五六七八九十百千万萬亿億两兩]+(?:点[零〇一二三四五六七八九]+[万萬亿億]?)?|半)成?"
)
# Characters of numbers in words that are none.
_NO_NUMBER = re.compile(
    r"万一|十分(?!钟|鐘|之)|千万(?=别|不|要)|一[些样樣起直般旦边邊定致共切]|统一|唯一|四川|百姓|三明治"
)
_UNIT = re.compile(
    r"[个個名位人次岁歲元块塊年月日天号號周週米克吨噸倍层層条條件本辆輛台家所座楼樓种種只隻届屆场場分秒点點"
    r"时時度口美期章级級项項]|小时|小時|公里|公斤|平方|英里"
)


def find(text: str) -> Iterator[tuple[int, str, list[float], bool]]:
    """Where each begins, as it is written, its values, and whether it may be no number at all."""
    skipped = [match.span() for match in _NO_NUMBER.finditer(text)]
    for match in _RUN.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in skipped):
            continue
        # After digits it is their scale: 3万.
        if match.start() and text[match.start() - 1].isdigit():
            continue
        written = match.group()
        loose = not written.startswith(("百分之", "第")) and (
            written in ("一", "半")
            or (len(written) == 1 and _UNIT.match(text, match.end()) is None)
        )
        values = _values(written)
        if values:
            yield match.start(), written, values, loose


def is_one(word: str) -> bool:
    """Whether all its characters are those of numbers."""
    return all(letter in _DIGITS or letter in _SMALL or letter in _LARGE for letter in word)


def implied(text: str) -> set[float]:
    """Values of words that stand for a number without being one."""
    return {2.0} if re.search(r"双方|雙方|两者|一对|夫妇", text) else set()


def scale(characters: str) -> float:
    """What 百, 万 or 百万 after digits multiplies them by."""
    factor = 1
    for character in characters:
        factor *= _SMALL.get(character) or _LARGE[character]
    return float(factor)


def _values(written: str) -> list[float]:
    percent = written.startswith("百分之")
    tenths = written.endswith("成")
    body = written.removeprefix("百分之").removeprefix("第").removesuffix("成")
    if body == "半":
        return [0.5]
    whole, _, part = body.partition("点")
    if not whole:
        return []
    value = float(_whole(whole))
    if part:
        digits = part.rstrip("万萬亿億")
        value += float("0." + "".join(str(_DIGITS[digit]) for digit in digits))
        value *= scale(part[len(digits) :])
    if percent:
        return [value, value / 100]
    return [10 * value, value / 10] if tenths else [value]


def _whole(characters: str) -> int:
    if all(character in _DIGITS for character in characters):  # 二〇二三: digit by digit
        return int("".join(str(_DIGITS[character]) for character in characters))
    total = section = digit = 0
    for character in characters:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _SMALL:
            section += (digit or 1) * _SMALL[character]
            digit = 0
        else:
            total = (total + section + digit) or 1
            total *= _LARGE[character]
            section = digit = 0
    return total + section + digit
