"""Words that call for a person: the wish for one, and talk of harm, law or press.

Precise rather than complete: each rule wants the wish, the threat or the injury, not a word alone ("press 1",
"Court Yard Hotel", "police uniform" and "time to kill" are none), and none that is denied in the same clause.
English and, less of it, Chinese; the wish also in German. In the 43,476 customer turns of STAR's train log the
rules fire 22 times: on 12 turns about death, poison or an overdose (seven of them in a game of spaceships), seven
about court, police or the FBI (four of them mean somebody other than the desk), three that ask for the manager. One
is wrong. In STAR nobody is hurt by a product and nobody speaks of the press: the rules for that are held against
written examples only. JDDC's 5,430 Chinese ones fire 49 times, all by the wish for a person.
"""

from __future__ import annotations

import re
from functools import lru_cache

_REAL = r"(?:(?:real|actual|live|living|proper|human|senior)\s)"
_SOMEONE = rf"""(?:(?:an?|the|your|my|any|some|another|one\sof\syour)\s)?(?:{_REAL}+people|{_REAL}*
    (?:human(?:\sbeing)?s?|person|agents?|representatives?|reps?|operators?|advis[eo]rs?|managers?|supervisors?
    |colleagues?|employees?|staff|customer\s(?:service|support)|somebody|someone|boss))\b(?!\selse['’]s)"""
_ONE = rf"""(?:{_REAL}*(?:human(?:\sbeing)?|person|agent|operator|representative|manager|supervisor)\b)"""
_REACH = r"""(?:(?:talk|speak|chat|talking|speaking|chatting)\s(?:to|with)|(?:get|be)\sconnected\s(?:to|with)
    |get\s(?:hold\sof|through\sto)|reach)"""
_WISH = r"""(?:want|need|like|wish|prefer|rather|love|insist\son|demand|let\sme|can\s(?:i|we)|could\s(?:i|we)|may\si
    |how\s(?:can|do)\si|please|have|wanna|trying)\b[^.!?;]{0,18}?"""
_KIN = r"(?:son|daughter|child|children|kids?|baby|wife|husband|mother|father|mom|mum|dad|brother|sister|friend)"
_OUTLET = r"(?:bbc|cnn|nbc|cbs|itv|fox\snews|sky\snews|daily\smail|guardian|new\syork\stimes|washington\spost)"
_RULES = {
    "person": rf"""
        \b{_WISH}\b{_REACH}\s{_SOMEONE}
      | ^\W*(?:no,?\s|ok,?\s|just\s|then\s)*(?:talk|speak)\s(?:to|with)\s{_SOMEONE}
      | \b(?:transfer|connect|forward|escalate|pass|switch|put)\s(?:me|us|this)\b[^.!?;]{{0,12}}?
        \b(?:to|with|through|over)\s(?:to\s)?{_SOMEONE}
      | \b(?:get|give|bring|find|fetch)\sme\s{_SOMEONE}
      | \b(?:can|could|may)\s(?:i|we)\s(?:please\s)?(?:get|have)\s(?:an?|your|the)\s
        (?:{_REAL}+person|{_REAL}*(?:human|agent|operator|representative|manager|supervisor))\b
      | \bwho(?:['’]?s|\sis)\syour?\s(?:manager|supervisor|boss)\b
      | \b(?:call|calling|ask\sfor|complain\sto)\syour\s(?:manager|supervisor|boss)\b
      | \b(?:want|need|(?:['’]d|would)\s(?:like|love|prefer))\s(?:an?|your|the)\s{_ONE}
        (?=\s*(?:$|[.!?,]|now|please|not|to\stalk))
      | \b{_WISH}(?:help|assistance|support|answer|reply|response|call)\sfrom\s(?:an?|your|the)\s{_ONE}
      | \b(?:can|could|will|would)\s(?:an?|your|some)\s{_ONE}\s(?:please\s)?
        (?:help|answer|call|contact|talk\sto)\s(?:me|us)\b
      | \b(?:real|actual|live|human)\s(?:human|person|agent|being|operator|representative|advisor)\W*
        (?:please|pls|now)\b
      | ^\W*(?:an?\s)?(?:human|(?:customer\s(?:service|support|care)\s)?(?:agent|operator|representative)
        |(?:real|live|actual)\s(?:person|human|agent))\W*
        (?:please|pls|now)?\W*$
      | (?P<unable>\b(?:can|could)(?:['’]?t|\s?not)\s(?:i|we)\s[^.!?;]{{0,18}}?{_REACH}\s{_SOMEONE}
        |\b(?:(?:have|has|had|was|were|am|are|is)(?:n['’]?t|\snot)\s(?:been\s)?able|unable|impossible|no\sway
          |(?:can|could)(?:['’]?t|\s?not)\s(?:seem|find\s(?:out\s)?how|see\show))\sto\s{_REACH}\s{_SOMEONE}
        |\b(?:can|could)(?:['’]?t|\s?not)\s(?:reach|get\s(?:hold\sof|through\sto))\s{_SOMEONE})
      | \bescalate\s(?:this|it|my\s\w+)\b
      | \b(?:is|isn['’]?t)\sthere\s(?:an?y?\s)?(?:{_REAL}+(?:human|person|agent)|human)\b
        (?=\W*$|[.!?,]|\s(?:here|there)\b)
      | \b(?:is|isn['’]?t)\sthere\s(?:an?y?\s)?{_REAL}*(?:human|person|any\s?one|anybody|somebody|someone)\b
        [^.!?;]{{0,20}}?
        (?:\bto\s(?:talk|speak)|\b(?:talk|speak)\sto|i\scan\sreach)\b
      | \b(?:mit\s(?:(?:einem|einer|nem|ner|dem)\s)?(?:(?:echten|richtigen|wirklichen|menschlichen)\s)?
        (?:mensch(?:en)?|mitarbeiter(?:in)?|person|berater(?:in)?|jemande?m?|vorgesetzten|chef|kollegen)
        \s(?:\w+\s)?(?:sprechen|reden|telefonieren|verbinden))
      | \b(?:echten?|richtigen?)\s(?:menschen|mitarbeiter|person)\b
      | 转人工|人工客服|人工服务|接人工|真人(?:客服|服务)|跟(?:真)?人(?:说|聊)
      | 找(?:个|一?位)?(?:真人|人工|你们(?:的)?(?:经理|领导|主管))
    """,
    "harm": rf"""
        \b(?:kill|hang|harm|hurt|shoot)(?:ing)?\smyself\b | \bcutting\smyself\b | \bsuicid(?:e|al)\b | \bself[\s-]harm
      | \b(?:end|take|taking|ending)\smy\s(?:own\s)?life\b | \b(?:want|going|rather)\sto\sdie\b(?!\s(?:of|for|from)\b)
      | \b(?:don['’]?t|do\snot)\swant\sto\s(?:live|be\salive)\b(?:\sany\s?more|\slike\sthis)?(?=\W*(?:$|[.!,;]))
      | \b(?:(?:i['’]?ll|i\swill|gonna|going\sto|want\sto|could)\s(?:\w+\s)?)
        (?:kill|hurt|shoot|stab|beat\sup|punch|strangle)\s(?:you|him|her|them|someone|somebody|your|that|this)\b
      | \boverdos(?:e|ed|ing)\b | \b(?:took|take|taken|taking|swallow\w*)\s(?:\w+\s)?
        (?:too\smany|all\s(?:of\s)?(?:my|the))\s(?:pills|tablets)\b
      | \b(?:burned|burnt|scalded)\s(?:my|our|his|her|their)\s(?:(?:left|right|little|whole|own)\s)?
        (?:hands?|fingers?|thumb|arms?|legs?|foot|feet|face|skin|eyes?|mouth|lips?|tongue|neck|back|knees?
        |{_KIN})\b
      | \b(?:g[eo]t(?:s|ten|ting)?|gave|giv(?:es|en|ing)|had|receiv(?:ed|es|ing)|suffer(?:ed|s|ing))\s
        (?:(?:me|us|him|her|them|(?:my|our|his|her)\s\w+)\s)?(?:an?|several|some)\s(?:\w+\s)?
        electric(?:al)?\sshocks?\b(?![\s-](?:absorber|collar|fence|therapy|treatment))
      | \b(?:my|our|his|her|their)\s(?:(?:little|own)\s)?{_KIN}\s(?:got|gets|was|were|is|are|has\sbeen|have\sbeen)\s
        (?:(?:badly|seriously|nearly|almost|now)\s)?(?:burn(?:ed|t)|scalded|injured|poisoned|hurt)\b
      | \b(?:i|we|he|she|they|someone|somebody)\s(?:got|was|were|am|are|is|has\sbeen|have\sbeen)\s
        (?:(?:badly|seriously|nearly|almost|now)\s)?(?:scalded|injured|poisoned)\b
      | \b(?:had|have|has|got|having|suffer(?:ed|s|ing)?|cause[ds]?|gave|given)\s(?:\w+\s){{0,3}}?
        allergic\sreactions?\b
      | \b(?:rushed|taken|admitted)\sto\s(?:the\s|an?\s)?(?:hospital|emergency\sroom|intensive\scare)\b
      | \belectrocuted\b | \b(?:caught\sfire|burst\sinto\sflames|went\sup\sin\sflames)\b
      | \b(?:it|battery|batteries|charger|phone|laptop|lamp|bulb|kettle|oven|toaster|heater|glass|bottle|device
        |machine|plug|adapter|scooter)\s(?:(?:has|have|had|just|suddenly|nearly|almost)\s){{0,2}}exploded\b
        (?!\s(?:with|on|in\s(?:popularity|price|size|value)))
      | \b(?:ended\sup|landed)\sin\s(?:the\s|an?\s)?(?:hospital|emergency\sroom|intensive\scare)\b
      | \b(?:plant|set\soff|throw)\s(?:a\s)?bomb\b | \bburn\s(?:\w+\s){{1,3}}down\b
      | 自杀|想死(?!我)|烫伤|触电|食物中毒|(?:爆炸|着火|起火)了|(?:送|住)进?医院|过敏(?:了|反应)
    """,
    "law": r"""
        \b(?:my|our)\s(?:lawyers?|attorneys?|solicitors?)\s(?:will|is|has|have|says?|said|would|can)\b
      | \b(?:hear|hearing)\sfrom\s(?:my|our)\s(?:lawyers?|attorneys?|solicitors?)\b
      | \b(?:call|calling|get|getting|hire|hiring|contact|contacting|consult|see|seeing|involve|instruct)(?:ing)?\s
        (?:(?:my|our|a|an|the)\s)?(?:lawyers?|attorneys?|solicitors?)\b
      | \b(?:speak|talk|turn|go|pass\s(?:it|this)|hand\s(?:it|this))(?:ing)?\s(?:\w+\s)?to\s(?:my|our|a)\s
        (?:lawyers?|attorneys?|solicitors?)\b
      | \b(?:i['’]?ll|i\swill|we['’]?ll|we\swill|to|gonna|can|could|should|would)\ssue\b(?!\s(?-i:[A-Z][a-z]))
      | \bsuing\b | \blawsuit\b | \blegal\s(?:action|steps|proceedings)\b
      | \b(?:issu|start|commenc|begin|initiat)(?:e|ing|ning)\s(?:\w+\s)?proceedings\b
      | \bsmall\sclaims\b | \bombudsman\b
      | \b(?:take|taking|see|bring)\s(?:you|this|it|them|the\smatter)\s(?:\w+\s){0,2}?
        (?:to|in|before)\s(?:the\s)?court\b
      | \b(?:i['’]?ll|i\swill|i['’]?m|i\sam|we['’]?ll|we\swill|we['’]?re|we\sare|gonna|going\sto|about\sto)\s
        (?:\w+\s){0,2}?(?:(?:call|contact|inform|alert|involve)(?:ing)?
        |go(?:ing)?\sto|report(?:ing)?\s(?:you|this|it|them|him|her|your\s\w+)\sto)\s
        (?:the\s)?(?:police|cops|fbi|authorities)\b
        (?=\s*(?:$|[.,!?;:]|and\b|if\b|unless\b|then\b|now\b|right\b|on\b|about\b|over\b|for\b|because\b|today\b))
      | \breported\s(?:you|your\s\w+)\sto\s(?:the\s)?(?:police|cops|fbi|authorities)\b
      | \b(?:report|complain|complaint|call|contact|go|going|speak|speaking|talk|inform|write|writing)(?:ed|ing)?\s
        (?:\w+\s){0,3}?(?:to\s|with\s)?(?:the\s)?
        (?:trading\sstandards|better\sbusiness\sbureau|consumer\sprotection|attorney\sgeneral)\b
      | \b(?:go|going)\sto\scourt\b | \bclass\saction\b | \bpress(?:ing)?\scharges\b
      | (?:找|请|叫|让|联系|咨询)(?:个|一?位|我的?|我们的?)?律师|律师函|起诉|告你们|法院见
      | (?:去|上|到)法院|法律(?:途径|手段)
      | (?:要|会|去|就|已经)报警|12315|消费者协会|消协|(?:去|到|向)(?:工商|市场监管)局?[^。！？，,]{0,4}(?:投诉|举报)
    """,
    "press": rf"""
        \b(?:to|call|calling|tell|telling|contact|contacting|inform|informing|alert|write\sto|go\sto)\s
        (?:the\s(?:press|media|papers|news|tv)|(?:(?:the|a|every|our|your|my|local|national)\s)+
        (?:newspapers?|reporters?|journalists?|tv\sstations?|news\s(?:channel|station|desk)))\b
        (?!\s(?:room|office|button|key|release|conference|app))
      | \b(?:call|tell|contact|inform|alert|(?:write|go|talk|speak)\sto)(?:ing)?\s(?:the\s)?{_OUTLET}\b
        (?!\s(?:building|studios?|office|website|app|shop|store|channel))
      | \b(?:{_OUTLET}|the\s(?:press|media|(?:news)?papers?|news|journalists))
        (?:\swill|['’]ll|\s(?:is|are)\s(?:going\sto|gonna))\s(?:\w+\s)?(?:hear|learn|know|be\stold)\s
        (?:about|of|that|from|everything|all|this|how|what)\b
      | \b(?:in|on|all\sover)\s(?:the|every)\s(?:local\s|national\s|evening\s)?(?:newspapers?|papers|front\spage)\b
      | \b(?:go|goes|going|went|make\s(?:this|it)\sgo)\sviral\b | \bgo(?:ing)?\spublic\b
      | (?:找|联系|告诉)(?:个|一?位)?(?:记者|媒体)|曝光(?:你们|出来|出去|$|[。！!，,])|媒体曝光
      | 发(?:到|上)?(?:微博|抖音|小红书|朋友圈|网上)
      | \b(?:post|share|put)(?:ing)?\s(?:this|it|everything|that|about)\s(?:\w+\s){{0,3}}?
        (?:on|all\sover|to)\s(?:\w+\s)?(?:twitter|facebook|tiktok|instagram|youtube|reddit|social\smedia|the\sinternet)\b
    """,
}
KINDS = tuple(_RULES)
"""What the words can be about."""
_COMPILED = {kind: re.compile(rule, re.VERBOSE | re.IGNORECASE) for kind, rule in _RULES.items()}
_DENIED = re.compile(
    r"""(?:\b(?:no|not|never|without|nor|instead\sof|hate|avoid|rather\snot|needn['’]?t|kein(?:e[nmrs]?)?|nicht|ohne)
    |n['’]t|\b(?:dont|wont|cant|didnt|doesnt|wouldnt))\b(?!\s(?:believe|hesitate|think\stwice|make\s(?:me|us)))
    [^.!?;,]{0,24}$|(?:不|别|没|無|无)[^。！？，,]{0,4}$""",
    re.VERBOSE | re.IGNORECASE,
)
_NEAR = 80
"""Characters before and behind the words in which a denial of them stands: a long text is not read again for each."""
_CONDITION = re.compile(r"\b(?:if|unless|until)\b[^.!?;]*$", re.IGNORECASE)
"""What is denied behind this is the condition of a threat, not the threat."""
_NO_DENIAL = re.compile(r"\bmyself\b|\bto (?:live|be alive)\b", re.IGNORECASE)
"""Not wanting to live is no denial, and who says that they will not harm themselves is still to be heard."""
_DENIED_AFTER = re.compile(r"^\s*(?:\w+\s){0,2}nicht\b", re.IGNORECASE)
_DENIED_INSIDE = re.compile(r"\b(?:not|never|without|nicht|kein(?:e[nmrs]?)?)\b|n['’]t\b|(?:不|别)", re.IGNORECASE)


def telling_words(text: str) -> list[tuple[str, str]]:
    """What a message says that calls for a person: the kind, one of `KINDS`, and the words that tell it.

    >>> telling_words("This is useless, let me talk to a human!")
    [('person', 'let me talk to a human')]
    >>> telling_words("I do not want to talk to a person, I want an answer.")
    []
    >>> telling_words("Press 1 for the Court Yard Hotel.")
    []
    """
    return list(_told(" ".join(text.split())))


@lru_cache(maxsize=16)
def _told(line: str) -> tuple[tuple[str, str], ...]:
    """Kept for the moment, since a turn is heard again when its mood was read."""
    found = []
    for kind, rule in _COMPILED.items():
        for match in rule.finditer(line):
            if match.lastgroup or _NO_DENIAL.search(match.group()) or not _is_denied(line, match):
                found.append((kind, match.group().strip(" .,!?")))
                break
    return tuple(found)


def _is_denied(line: str, match: re.Match[str]) -> bool:
    before, after = line[max(match.start() - _NEAR, 0) : match.start()], line[match.end() : match.end() + _NEAR]
    denial = _DENIED.search(before)
    is_denied_before = denial is not None and not _CONDITION.search(before, 0, denial.start())
    return bool(is_denied_before or _DENIED_INSIDE.search(match.group()) or _DENIED_AFTER.match(after))
