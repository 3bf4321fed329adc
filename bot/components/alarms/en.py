"""Wordings of alarms in English, as regular expressions over folded text."""

from __future__ import annotations

from collections.abc import Mapping

from components.alarms.rule import Rule

_PERSON = (
    r"(?:human(?! resources| being| rights)|person(?!al)|people|agent(?! of)|someone|somebody"
    r"|representative|rep|operator|advis[eo]r|technician|staff|colleague|supervisor|manager)"
)
_DEVICE = (
    r"(?:laptop|notebook|computer|macbook|phone|mobile|cell ?phone|iphone|tablet|ipad|usb(?: stick)?"
    r"|usb drive|hard ?drive|work device)(?!'?s? (?:charger|case|cable|bag|number|battery|screen))"
)
_NEGATED = r"(?:do not|don'?t|dont|does not|doesn'?t|no need to|without having to|rather not)"

RULES: Mapping[str, Rule] = {
    "self_harm": Rule(
        said=(
            r"\b(?:kill|killing|hurt|hurting|harm|harming|cut|cutting) (?:my ?self|meself)\b",
            r"\bsuicid\w*",
            r"\b(?:end|take|ending|taking) my (?:own )?life\b",
            r"\b(?:want|wanna|going|wish|ready) (?:to |i could )?die\b",
            r"\bwish i (?:was|were) dead\b|\bbetter off dead\b",
            r"\b(?:don'?t|do not|dont) (?:want to|wanna) (?:live|be alive|exist)\b",
            r"\bno reason to live\b|\bself[ -]harm",
        ),
        apart_from=(
            r"suicid\w* (?:prevention|awareness|training|linux)",
            r"hurt myself (?:at work|on the|lifting)",
            r"kill(?:ing)? myself laughing",
        ),
    ),
    "emergency": Rule(
        said=(
            r"\b(?:there is|there'?s|theres|i (?:can )?see|i (?:can )?smell|we (?:can )?smell"
            r"|smells? (?:like|of)|smelling) (?:an? |some |a lot of |the |thick |black )*"
            r"(?:fire|smoke|flames|gas|burning)\b",
            r"\b(?:is|are|caught|it'?s|just caught|'s) (?:on )?fire\b(?!d)",
            r"\b(?:is|are) (?:smoking|in flames|burning(?! cds| disc| dvd| hot| up| through| out))\b",
            r"\bsmoke (?:is )?(?:coming|pouring) (?:out|from)\b|\bgas leak\b|^(?:fire|smoke)!*$",
            r"\b(?:someone|somebody|colleague|coworker|person|man|woman|student|employee|visitor"
            r"|he|she|i)(?: \w+){0,3} (?:is|has|was|got|am|are|have|just|been|'?s) "
            r"(?:\w+ ){0,2}(?:hurt(?! my)|injured|bleeding|unconscious|collapsed|fainted"
            r"|passed out|electrocuted|choking|not breathing|having a (?:seizure|heart attack))\b",
            r"\b(?:someone|somebody|colleague|coworker|he|she)(?: \w+){0,4} "
            r"(?:fainted|collapsed|passed out|can'?t breathe)\b",
            r"\b(?:someone|somebody|colleague|coworker|he|she)\b[^.!?]{0,40}\b(?:is bleeding|bleeds"
            r"|broke (?:his|her|a) (?:leg|arm|neck)|is unconscious)\b",
            r"\b(?:call|need|send) an ambulance\b|\bheart attack\b|\belectric shock\b",
            r"\bmedical emergency\b|\bactive shooter\b|\bbomb threat\b",
        ),
        apart_from=(
            r"(?:in case of|in the event of|if there is|if there'?s|what if|fire drill|fire alarm"
            r"|fire ?wall|fire extinguisher|fire exit|fire safety|fire training|smoke detector"
            r"|smoke test|smoke break|fire ?fox)[^.!?]*",
            r"(?:was|were|got|been|being|are|is) fired\b",
            r"no (?:one|body) (?:is|was|got) (?:hurt|injured)",
            r"there (?:is no|isn'?t any) (?:fire|smoke|gas)",
        ),
    ),
    "security_incident": Rule(
        said=(
            r"\b(?:clicked|tapped|opened|pressed|downloaded|fell for|responded to|replied to)"
            r"[^.!?]{0,40}\b(?:phish\w*|suspicious|malicious|fake|fraudulent|scam\w*|strange"
            r"|weird|dodgy|virus|infected)\b",
            r"\b(?:phishing|suspicious|malicious|fake|scam|strange|weird|dodgy)[^.!?]{0,40}"
            r"\band i (?:clicked|opened|entered|typed|gave|replied)\b",
            r"\bi (?:\w+ )?(?:gave|entered|typed|put|sent|shared)[^.!?]{0,30}\b(?:password"
            r"|credentials|card|bank)[^.!?]{0,40}\b(?:phish\w*|suspicious|fake|scam\w*|strange"
            r"|weird|hacker|stranger|wrong (?:site|page|person))\b",
            r"\b(?:been|was|were|got|is|am|are|getting|being|'ve been) (?:\w+ )?"
            r"(?:hacked|phished|hijacked|compromised|breached)\b",
            r"\b(?:someone|somebody|hackers?|they)(?: \w+){0,2} (?:hacked|stole|hijacked"
            r"|logged in(?:to)?|has access|got access|is using|accessed)[^.!?]{0,20}"
            r"\b(?:my|our)\b",
            r"\b(?:my|our) (?:\w+ ){0,2}(?:account|mailbox|email|computer|laptop|pc|password)"
            r"[^.!?]{0,15} (?:hacked|stolen|hijacked|compromised|infected|leaked)\b",
            r"\b(?:ransomware|virus|malware|trojan)[^.!?]{0,25}\bon (?:my|our|the)\b",
            r"\b(?:files|everything)[^.!?]{0,30}\bencrypted\b[^.!?]{0,60}"
            r"\b(?:ransom|bitcoin|pay)\b",
            r"\b(?:we have|i have|i got|got|infected with|hit by|is|it'?s) (?:a )?ransomware\b",
            rf"\b(?:i(?:'ve| have)?|we(?:'ve| have)?)(?: \w+)? (?:lost|misplaced|left)"
            rf" (?:my |our |a |the |an )?(?:\w+ ){{0,2}}{_DEVICE}\b",
            rf"\b{_DEVICE}\b[^.!?]{{0,25}}\b(?:was|got|has been|is|were|been) (?:just )?"
            r"(?:stolen|lost|missing|gone)\b",
            rf"\b(?:someone|somebody|they|thieves) (?:just )?(?:stole|took) my (?:\w+ ){{0,2}}"
            rf"{_DEVICE}\b",
            rf"\bstolen (?:\w+ )?{_DEVICE}\b",
            r"\b(?:data breach|leaked (?:the )?(?:customer|personal|client) (?:data|list))\b",
        ),
        apart_from=(
            r"\b(?:how (?:do|can|would|to)|what (?:is|are|should|do|does|to do)|if|in case)\b"
            r"[^.!?]*\b(?:phish|suspicious|hacked|lost|lose|stolen|ransomware|virus|breach"
            r"|compromised)[^.!?]*",
            r"(?:access|connection|signal|contact) (?:was |is )?lost"
            r"|(?:\bnot|\bnever|n't|\b(?:did|have|has|was)nt) "
            r"(?:\w+ )?(?:clicked?|opened|hacked|lost|been hacked)",
            r"lost (?:connection|access)",
            r"training|simulation",
        ),
    ),
    "angry": Rule(
        said=(
            r"\bf+u+c+k|\bf\*+|\bbull ?shit\b|\bpiece of (?:shit|crap|junk|garbage)\b|\bass ?hole"
            r"|\bbastards?\b|\bgo to hell\b|\bscrew (?:you|this)\b|\bwhat the hell\b|\bwtf\b",
            r"\b(?:you|you'?re|you are|u r|this|it|that|bot|is|are|so|totally|absolutely|utterly"
            r"|completely|such an?|these|stupid) (?:\w+ ){0,2}(?:useless|idiots?|morons?|stupid"
            r"|pathetic|disgrace\w*|incompetent|a joke|worthless|garbage|a disaster|imbeciles?"
            r"|crap|outrageous|unacceptable|ridiculous)\b",
            r"^(?:useless|idiots?|stupid|pathetic|ridiculous|shit|crap)(?: bot)?[ !.]*$",
            r"\b(?:i'?m|i am|we are|we'?re) (?:\w+ )?(?:furious|livid|fed up|pissed|sick (?:and"
            r" tired )?of|outraged|fuming|so angry|very angry|really angry)\b",
            r"\b(?:sick and tired of|had enough of (?:this|you)|worst (?:service|support|help))",
        ),
        apart_from=(
            r"disaster (?:area|recovery|plan|zone)",
            r"(?:stupid|silly|dumb|ridiculous) question",
            r"(?:feel|sound|look)(?:s|ing)? (?:\w+ )?stupid|i'?m (?:so )?stupid",
            r"not (?:\w+ )?(?:useless|stupid|a joke)",
        ),
    ),
    "ask_human": Rule(
        said=(
            rf"\b(?:talk|talking|speak|speaking|chat|chatting|connected?|put me (?:through|in touch)"
            rf"|transfer(?:red)?(?: me)?|pass me|escalate(?: this| it| me)?|hand me(?: over)?"
            rf"|contact|reach|connect me|get)(?: directly)? (?:to|with|on to|over to)? ?"
            rf"(?:an? |the |some |any |one of (?:your|the) |your )?(?:real |live |actual |human "
            rf"|support |service ?desk |help ?desk |it |hr )*{_PERSON}\b",
            r"\b(?:real|live|actual) (?:human|person|agent|people)\b",
            r"\bis (?:there )?(?:any|some)(?:body|one) (?:human|real|there)\b"
            r"|\bany (?:human|humans|real person|real people) (?:there|here|available)\b",
            r"\b(?:want|need|give me|get me|i'?d like|prefer|would like|request|asking for"
            r"|wanna have|can i (?:get|have)|could i (?:get|have))"
            r" (?:an? |the |some |your )?(?:real |live |actual |human |support )*"
            r"(?:human|agent|operator|representative|person)(?! (?:resources|being|licen\w+"
            r"|account|certificate|rights|to|for|who|id))\b",
            r"^(?:an? |the )?(?:human|agent|operator|person|representative|real person|human being"
            r"|human agent|live agent|live chat)(?:,? ?(?:please|pls|plz|now|thanks))?[ !.?]*$",
            r"\b(?:human|agent|person|operator) (?:please|pls|plz|now)\b",
            r"\b(?:somebody|someone) (?:please |can |could )?call me\b|\bcall me back\b",
            r"\b(?:not|don'?t want|stop|no more) (?:\w+ ){0,3}(?:a |the |this )?(?:bot|robot"
            r"|machine|chatbot)s?\b[^.!?]{0,20}\b(?:human|person|agent|someone)\b",
        ),
        apart_from=(
            rf"{_NEGATED} (?:want |need |wish |have )?(?:to )?(?:\w+ ){{0,2}}(?:talk|speak|chat"
            rf"|be connected|a|an) (?:to |with )?(?:an? |the )?(?:real )?(?:human|person|agent"
            rf"|anyone|anybody|someone)",
            r"human resources|travel agent\w*|user agent|estate agent|contact person",
            r"are you (?:an? )?(?:real )?(?:human|person|bot)[^.!?]*",
            r"am i (?:talking|speaking|chatting) (?:to|with) (?:an? )?[^.!?]*",
            r"(?:how|where|what|when|why|can i)\b[^.!?]{0,40}\b(?:contact|reach|get|person"
            r"|connected to) (?:to |the )?(?:staff|people|manager|colleague)",
        ),
    ),
}
