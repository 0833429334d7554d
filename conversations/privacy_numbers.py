"""Order, invoice, ticket and tracking numbers: their digits go, their shape stays.

"LW-0000000" shows that an order number belongs there. Prices, dates, quantities and product names keep their
digits, for without them an answer says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from conversations.privacy_patterns import Span

_LABELLED = re.compile(
    r"(?:\b(?:order|invoice|ticket|tracking|reference|ref|booking|confirmation|case|parcel|consignment|shipment|account"
    r"|customer|member(?:ship)?|policy|serial|receipt|transaction|voucher|employee|registration|verification|security"
    r"|access|card)"
    r"(?:\s?(?:number|no|nr|num|id|code|pin|ref))?"
    r"|\b(?<!error )(?<!fault )(?<!promo )(?<!discount )code"
    r"|\b(?:pin|passcode|password|id)"
    r"|订单编?号?|运单号?|快递单号?|单号|工单号?|发票号码?|会员号|卡号|账号|验证码|尾号)"
    r"\s?(?:(?:is|was)(?: actually| just)?|:|：|是|为|#|\.|=)?\s?#?\s?(?<![A-Za-z])"
    r"((?=[A-Za-z/-]{0,12}\d)[A-Za-z0-9]{1,24}(?:[-/][A-Za-z0-9]{1,24}){0,4})(?![\w%])",
    re.IGNORECASE,
)
_ENDING = re.compile(r"\bending(?:\s(?:in|with))?\s?:?\s?#?(\d{4,6})(?![\w%/]|[.,:-]\w)", re.IGNORECASE)
_QUANTITY = re.compile(
    r"order\s\d{1,5}(?=\s?(?:pieces?|pcs|units?|items?|boxes|packs?|packets?|pairs?|sets?|bags?|bottles?|copies|sheets?"
    r"|tiles?|rolls?|pallets?|k?g|m[lm]?|cm|lit(?:re|er)s?|met(?:re|er)s?|more(?! than)|extra|each|件|个|套|箱|盒|瓶)"
    r"(?![^\W\d_]))",
    re.IGNORECASE,
)
_CODED = re.compile(
    r"(?<![\w<-])[A-Z]{1,5}(?:[-/#]\d{1,12}){1,3}(?!\w|[-.]\w)|(?<![\w<-])[A-Z]{1,5}\d{7,24}[A-Z]{0,3}(?!\w)"
)
_HASHED = re.compile(r"(?<![\w&])#\s?(\d[\d-]{3,24})(?!\w)")
_LONG = re.compile(r"(?<![\w.,£$€¥₹/:-])\d{7,24}(?![\w%£$€¥₹]|[.,:/]\d|\s?(?:dollars|pounds|euros?|yuan|元|块))")
_ASKED = re.compile(
    r"\b(?:pin|(?:account|order|invoice|ticket|tracking|reference|booking|customer|member|policy|card|security|access|employee)"
    r" (?:number|no|id|code)|date of birth|enter the code)\b",
    re.IGNORECASE,
)
_ANSWERED = re.compile(
    r"(?<![\w.,£$€¥₹<-])\d{4,24}(?![\w%£$€¥₹]|[.,]\d)|(?<!\w)\d{1,4}[./-]\d{1,2}[./-]\d{2,4}(?!\w)"
)

_FEWEST_DIGITS = 4
_FEWEST_DIGITS_CODED = 5
"""RTX-4090 is a product, T-55120 a ticket."""


def number_spans(text: str, said_before: str = "") -> Iterator[Span]:
    """The numbers that stand for one order or person, each with its masked form.

    Args:
        text: The turn.
        said_before: The turn before it; where that asks for a number, the number needs no label.
    """
    if not any(character.isdigit() for character in text):
        return
    if _ASKED.search(said_before):
        for match in _ANSWERED.finditer(text):
            yield Span(match.start(), match.end(), re.sub(r"\d", "0", match.group()))
    for pattern, fewest in (
        (_LABELLED, _FEWEST_DIGITS), (_ENDING, _FEWEST_DIGITS), (_HASHED, _FEWEST_DIGITS),
        (_CODED, _FEWEST_DIGITS_CODED), (_LONG, 7),
    ):  # fmt: skip
        for match in pattern.finditer(text):
            group = match.lastindex or 0
            found = match.group(group)
            if sum(character.isdigit() for character in found) >= fewest and not _QUANTITY.match(text, match.start()):
                yield Span(match.start(group), match.end(group), re.sub(r"\d", "0", found))
