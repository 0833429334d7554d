"""Names of people, found by what stands around them.

There is no list of all names; the words around a name ("my name is", "Dear", "Regards") and the shape of the
word say more. argus-redact's lists of given and family names (US census) decide where the words around it
leave it open.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache

import argus_redact

from conversations.privacy_patterns import Span
from conversations.text import word_set

_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_CAPITAL = r"(?-i:[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĻŁŃŇŐŘŚŞŠŤŪŮŰŹŻŽ])(?:[^\W\d_]|['’-](?=[^\W\d_]))*"
_NAME = rf"{_CAPITAL}(?: (?:{_CAPITAL}|(?-i:[A-Z])\.)){{0,3}}"

_STATED = re.compile(
    rf"\b(?:my (?:full |first |last |sur|user)?name(?:['’]s| is|:)|name(?: on (?:the )?\w{{1,12}})? is|name:"
    r"|i am called|i['’]m called|call me|signed,?) "
    rf"(?:it['’]s )?({_WORD}(?: {_WORD}){{0,2}})",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(
    r"\b(?:i['’]m|im|i am|this is|it['’]s|speaking with|speak (?:to|with)|spoke (?:to|with)|here is) "
    rf"({_NAME})",
    re.IGNORECASE,
)
_GREETED = re.compile(
    r"(?:^|[.!?,\n] ?)(?:hi|hello|hey|dear|thanks|thank you|thx|cheers|sorry"
    r"|good (?:morning|afternoon|evening)|welcome(?: back)?|bye|goodbye),? (?:again,? )?"
    rf"({_NAME})",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    rf"(?:regards|sincerely|wishes|cheers|thanks|thank you|yours|best|love)[,.!]*\s{{1,3}}({_NAME})[.!]?\s*$",
    re.IGNORECASE,
)
_TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Madam|Herr|Frau|Mme|Señora?)\.? ({_NAME})")
_FULL = re.compile(rf"(?<![\w<])({_CAPITAL}) ({_CAPITAL})(?!\w)")
_ADDRESSED = re.compile(rf"(?:^|[.!?\n] ?)({_CAPITAL}), |, ({_CAPITAL})[.!?]?$")
_ASKED = re.compile(r"\bname\b[^.!]{0,60}[?.!]?\s*$", re.IGNORECASE)
_ASKS = re.compile(r"\b(?:your|full|first|last|what|provide|tell|have|may|give|confirm|whose|under)\b", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:yes|sure|ok(?:ay)?|of course|hi|hello|it['’]?s|it is|i['’]?m|i am|the name is|that['’]?s)[,.!]? ",
    re.IGNORECASE,
)
_WITHIN_SENTENCE = r"(?:(?<=[\w,;'’>(] )|(?<=,\n))"
_CJK = re.compile(r"[\u3400-\u9fff]")
_ZH_TITLED = re.compile(
    r"([王李张刘陈杨黄赵周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文欧阳])(?=先生|女士|小姐|太太)"
)
_ZH_STATED = re.compile(
    r"(?:我叫|我的名字是|本人姓名|收货人|收件人|联系人|姓名)(?:是|为)?[:：]?\s*([\u4e00-\u9fff]{2,3})(?=[,，。.;；\s、!！电手地]|$)"
)

_NEVER = word_set(
    """
    a about afraid after again agent all already also am an and another any anything are as ask at
    available aware away back bad because been before being best better bit both busy but by calling can
    cannot certain chat check checking confused contact contacting could customer day dear delighted did
    disappointed do does done don everyone everybody excited expecting fine first for from getting glad
    going gone good got great guys had happy has have having he hello help her here hey hi him his hope
    hoping how i if in interested is it its just keen know late later let like looking lost lovely madam
    making may me messaging might missing more much my name need never new nice no nobody not nothing
    now of off ok okay old on one only open or order our out over paying perfect phoning please pleased
    quite ready really regarding right same satisfied see seems she shopping should sir so some someone
    sorry sounds still stuck super support sure surprised team thank thanks that the their them then
    there these they thinking this those though tired to today tomorrow too trying under unable
    understand until up upset us very waiting want wanting was we well went were what when where which
    while who why will with without wondering worried would writing wrong wow yes yet you your yours
    yeah monday tuesday wednesday thursday friday saturday sunday january february march april june july
    august september october november december english german french spanish italian irish british
    american chinese customer service services morning afternoon evening night christmas easter paypal
    klarna visa mastercard google canadian australian indian russian polish romanian ukrainian mexican
    brazilian japanese korean dutch swedish amazon apple android iphone windows london dublin ireland
    england scotland wales uk usa europe germany france
    """
)
_MORE_GIVEN = word_set(
    """
    aditya ahmed aisling alasdair alistair anil anjali aoife arjun ayesha bartosz beatrix bronagh bronwyn
    callum cathal catriona ciara cian claire clodagh colin conor cormac declan deepak deirdre dmitri eamon
    eilidh eleri elspeth eoin euan fatima ffion fiona fionnuala gareth geraint gemma giulia graeme hamish
    harpreet helga imogen ines ingrid isla jasminder joanna katarzyna kavita keir krzysztof lachlan lorcan
    lorna louise maeve magda mairead maren meera mehmet mohammed morag moira murdo nadia nasreen neha niamh
    nigel oisin olga oonagh orla padraig paulina pawel philippa piotr pooja rahul rajesh rhiannon rhys roisin
    rory ruairi saoirse sanjay sian siobhan siobhán sinead sunil suresh svetlana tamsin tariq tomasz usha
    verity vikram yasmin yvonne zainab zofia
    """
)
"""Given names of the British Isles, India and elsewhere that the US census seldom has."""
_ALSO_WORDS = word_set(
    """
    art bill bob carol chance chase chuck daisy dean drew faith frank gene grace grant guy harmony heath
    hill holly hope house hunter iris ivy jack jade jewel joy june king lance lane lily long love major
    mark may mercy miles nick norm olive page park pat penny pierce ray read rich river rob robin rose
    ruby rusty sandy savannah short sky stone sue summer sunny terry trip van victor violet ward wade
    will winter wood young
    """
)
"""Names that are words as well: redacted where they stand as a name, not wherever they occur."""
_SURNAME_WORDS = _ALSO_WORDS | word_set(
    """
    baker ball banks barber bell berry best bird bishop black blue bond book booth bowling box branch bridge
    bright brook brooks brown bush butcher butler camp card carpenter carter case cash castle chapel church
    clay close coffee cook cooper cotton court cross crown day diamond dish driver east farmer field fields
    fine finger fish fisher flood flowers ford foster fox free freeman friend frost fry gardener gates glass
    gold golden good gray green grey hall hand hands hart heart holiday hood hunt ivory judge justice keen
    key knight lake lamb land law little lock lord low marks marsh mason max messenger mill miller mills money
    moon moss new noble north nurse paint painter parks pepper pick pike pitt plant pool pope porter post
    potter pound power price prince quick rain ring rivers rock root sale salt sand sands self shade sharp
    shepherd shield shields ship shore silver singer small smart snow south speed spring star steel stock storey
    storm street strong summers swift thatcher thorn tower towers town underwood walker wall walls ware
    washer waters way weaver wells west wheeler white wild winters wise wolf woods worth yard
    """
)
"""Parts of a name that are words as well, whatever the other part is."""
_ROLES = word_set(
    """
    account accounts admin administrator advisor adviser agent ai assistance assistant automated billing bot
    care center centre chat chatbot claims claim clerk complaints customer customers delivery department
    dept desk digital dispatch enquiries expert help helpdesk helpline hotline human it live manager mobile
    of office online operations operator orders payments queue rep representative returns robot sales
    service services shipping shop specialist staff store supervisor support system team tech technical
    technician the unit user virtual warehouse web 客服 人工客服 在线客服 智能客服 机器人 小助手 助手 售后 售前
    """
)
"""What stands in a log in the place of an agent's name, or beside it, and is nobody's."""


@lru_cache(maxsize=8192)
def is_name(word: str) -> bool:
    """Whether a capitalised word may be someone's given name."""
    if word.casefold() in _NEVER or len(word) < 2:
        return False
    _, found = argus_redact.redact(f"{word.capitalize()} Smith", lang="en", types=["person"])[:2]
    return any(original.startswith(word.capitalize()) for original in found.values())


@lru_cache(maxsize=8192)
def _is_full_name(first: str, second: str) -> bool:
    """Whether two words, however written, are a given name and a family name."""
    both = f"{first.capitalize()} {second.capitalize()}"
    return both in argus_redact.redact(both, lang="en", types=["person"])[1].values()


def _trimmed(name: str, keep_lower: bool) -> str:
    """The name up to the first word that is none; small words after a capitalised name end it."""
    kept: list[str] = []
    for word in name.split(" "):
        bare = word.strip(".'’")
        if not bare or bare.casefold() in _NEVER:
            break
        if not keep_lower and not bare[0].isupper():
            break
        if kept and not bare[0].isupper() and not _is_full_name(kept[0], bare):
            break
        kept.append(word)
    return " ".join(kept).rstrip(".")


def names_in(text: str, said_before: str = "") -> Iterator[str]:
    """Names in one turn.

    Args:
        text: The turn.
        said_before: The turn before it, where another asked for the name.
    """
    for match in _STATED.finditer(text):
        if name := _trimmed(match.group(1), keep_lower=True):
            yield name
    for pattern in (_INTRODUCED, _GREETED, _SIGNED):
        for match in pattern.finditer(text):
            name = _trimmed(match.group(1), keep_lower=False)
            if name and is_name(name.split(" ")[0].strip(".")):
                yield name
    for match in _TITLED.finditer(text):
        if name := _trimmed(match.group(1), keep_lower=False):
            yield name
    for match in _ADDRESSED.finditer(text):
        name = match.group(1) or match.group(2)
        if _is_listed(name):
            yield name
    for match in _FULL.finditer(text):
        if _is_listed(match.group(1)) and match.group(2).casefold() not in _NEVER:
            yield match.group().replace("\n", " ")
    if said_before and _ASKED.search(said_before) and _ASKS.search(said_before):
        yield from _bare_name(text)
    yield from _ZH_STATED.findall(text)


def full_names(text: str, given: Container[str]) -> Iterator[str]:
    """Names in a text that begin with a given name which is known already, from this turn or another."""
    for match in _FULL.finditer(text):
        if match.group(1) in given and match.group(2).casefold() not in _NEVER:
            yield match.group()


def titled_spans(text: str) -> Iterator[Span]:
    """Chinese surnames before a form of address: a surname alone is too common a character to look for
    elsewhere.
    """
    for match in _ZH_TITLED.finditer(text):
        yield Span(match.start(1), match.end(1), "<NAME>")


def _bare_name(text: str) -> Iterator[str]:
    """A turn that is nothing but a name, in answer to the question for it."""
    rest = _LEAD.sub("", text.strip()).rstrip(".! ")
    words = rest.split(" ")
    if 1 <= len(words) <= 3 and all(re.fullmatch(_WORD, word) and word.casefold() not in _NEVER for word in words):
        yield rest


@lru_cache(maxsize=8192)
def _is_listed(word: str) -> bool:
    """Whether a word is a given name and nothing else, so that its place in the sentence need not say so."""
    if word.casefold() in _ALSO_WORDS | _NEVER:
        return False
    if word.casefold() in _MORE_GIVEN:
        return True
    details = argus_redact.redact(f"{word.capitalize()} Smith", lang="en", types=["person"], detailed=True)[2]
    # Full confidence is for words of its list of given names; less is for words that merely are no common ones.
    return any(found["confidence"] >= 1.0 and found["start"] == 0 for found in details["entities"])


def agent_names(agents: Iterable[str]) -> Iterator[str]:
    """The names of people among what a log calls its agents: no numbers, single letters, queues or bots.

    >>> list(agent_names(["7", "Billing Department", "Sarah Hollis (Sales)"]))
    ['Sarah Hollis']
    """
    for agent in agents:
        words = re.findall(_WORD, agent)
        own = [word for word in words if not _is_role(word)]
        if len(own) == len(words) and sum(map(len, own)) > 1:
            yield agent
        elif any(_is_listed(word) for word in own):
            yield " ".join(own)


def _is_role(word: str) -> bool:
    return all(part in _ROLES for part in word.casefold().split("-"))


def name_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for the names, whole or in part, as whole words; None where there are none.

    A name or a part of one that is also an ordinary word is one only with its capital, and at the beginning of a
    sentence only where it stands alone, so that "Will" does not take every "will" with it. Parts that are seldom
    names are left out.
    """
    words = _SURNAME_WORDS | _NEVER
    names = set(names)
    parts = {part for name in names if " " in name for part in name.replace(".", "").split(" ") if len(part) > 2}
    names |= {part for part in parts if part.casefold() not in _NEVER}
    loose = {name for name in names if name.casefold() not in words}
    choices = [rf"(?-i:{_as_a_name(name)})" for name in names - loose]
    choices += [re.escape(name) for name in loose if not _CJK.search(name)]
    choices.sort(key=len, reverse=True)
    patterns = [rf"(?<![\w<-])(?:{'|'.join(choices)})(?![\w>])(?!-[^\W\d_])"] if choices else []
    patterns += [re.escape(name) for name in loose if _CJK.search(name)]  # no blanks stand around these
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _as_a_name(word: str) -> str:
    written = re.escape(word.capitalize() if word.islower() else word)
    return rf"{_WITHIN_SENTENCE}{written}|{written}(?= ?(?:[,.!?\n]|$))"
