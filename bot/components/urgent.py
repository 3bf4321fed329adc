"""Knows the wordings, English and Spanish, that must never be missed, and what only looks like one.

A missed emergency or a missed request for a human costs more than a needless hand-off, so these
patterns overrule the classifier. Questions *about* a danger ("what to do in case of fire") and
negations ("I do not want to talk to a person") are left to it.
"""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import NamedTuple

MAX_CHARS = 20_000
_STRETCH = 4_000  # characters looked at together: patterns take longer the longer the text
_OVERLAP = 400  # a wording that lies across two stretches is whole in one of them


class _Rule(NamedTuple):
    """One intent: when it is meant, and the wordings to cross out before looking."""

    said: re.Pattern[str]
    apart_from: re.Pattern[str] | None


def _pattern(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{alternative})" for alternative in alternatives))


_PERSON_EN = (
    r"(?:human(?! resources| being| rights)|person(?!al)|people|agent(?! of)|someone|somebody"
    r"|representative|rep|operator|advis[eo]r|technician|staff|colleague|supervisor|manager)"
)
_PERSON_ES = (
    r"(?:persona(?!l )s?|humanos?|agente(?! de viajes)s?|alguien|operador[ae]?|asesor[a]?|tecnic[oa]"
    r"|ejecutiv[oa]|representante|supervisor[a]?|encargad[oa]|companer[oa]|responsable)"
)
_DEVICE_EN = (
    r"(?:laptop|notebook|computer|macbook|phone|mobile|cell ?phone|iphone|tablet|ipad|usb(?: stick)?"
    r"|usb drive|hard ?drive|work device)(?!'?s? (?:charger|case|cable|bag|number|battery|screen))"
)
_DEVICE_ES = (
    r"(?:portatil|laptop|notebook|computadora?|ordenador|compu|movil|celular|celu|telefono|tablet"
    r"|tableta|pendrive|usb|disco duro)(?! (?:cargador|funda))"
)
_NEGATED_EN = r"(?:do not|don'?t|dont|does not|doesn'?t|no need to|without having to|rather not)"

_RULES = MappingProxyType(
    {
        "self_harm": _Rule(
            said=_pattern(
                r"\b(?:kill|killing|hurt|hurting|harm|harming|cut|cutting) (?:my ?self|meself)\b",
                r"\bsuicid",
                r"\b(?:end|take|ending|taking) my (?:own )?life\b",
                r"\b(?:want|wanna|going|wish|ready) (?:to |i could )?die\b",
                r"\bwish i (?:was|were) dead\b|\bbetter off dead\b",
                r"\b(?:don'?t|do not|dont) (?:want to|wanna) (?:live|be alive|exist)\b",
                r"\bno reason to live\b|\bself[ -]harm",
                r"\b(?:quiero|queria|quisiera|voy a|ganas de|pienso en|pensando en) "
                r"(?:morir(?:me)?|matarme|suicidar|quitarme la vida|desaparecer para siempre)\b",
                r"\b(?:matarme|suicidarme|quitarme la vida|cortarme las venas)\b",
                r"\bme (?:quiero|quisiera|voy a) (?:matar|morir|suicidar)\b",
                r"\b(?:hacerme|lastimarme|autolesion)(?: dano)?\b",
                r"\b(?:acabar|terminar) con mi vida\b",
                r"\bno (?:quiero|tengo ganas de) (?:seguir )?(?:vivir|viviendo)\b",
                r"\bmejor (?:estaria )?muert[oa]\b",
            ),
            apart_from=_pattern(
                r"suicid\w* (?:prevention|awareness|training|linux)",
                r"prevencion del suicid\w*",
                r"(?:morir|matar|muero)(?:me)? de (?:risa|ganas|hambre|calor|frio|sueno|aburrimiento|verguenza)",
                r"morir(?:me)? por (?:probar|ver|tener|conocer)\b",
                r"hurt myself (?:at work|on the|lifting)",
                r"hacerme (?:una|un|el|la|socio|cargo|las?|los)\b",
                r"kill(?:ing)? myself laughing",
            ),
        ),
        "emergency": _Rule(
            said=_pattern(
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
                r"\bhay (?:un |una |mucho |fuego y )?(?:\w+ )?(?:fuego|incendio|humo|llamas"
                r"|fuga de gas|escape de gas|olor a (?:gas|quemado|humo))\b",
                r"\b(?:huele|olor|oliendo) (?:mucho |muy fuerte |fuerte )?a (?:gas|quemado|humo)\b",
                r"\b(?:se (?:esta )?quema(?:ndo)?|se incendi[oa]|incendiando(?:se)?|en llamas"
                r"|prendi(?:o|do) fuego|sale humo|echa humo|echando humo|saliendo humo)\b",
                r"\bincendio en\b|\b(?:fuga|escape) de gas\b|^(?:fuego|incendio|humo)!*$",
                r"\b(?:alguien|persona|companer[oa]|colega|senora?|alumn[oa]|estudiante|visitante|el"
                r"|ella)(?: \w+){0,4} (?:herid[oa]|sangrando|inconsciente|desmay\w+|lastimad[oa]"
                r"|electrocut\w+|no respira|convulsionando|atragantad[oa])\b",
                r"\bse (?:ha |me ha )?(?:desmay\w+|electrocut\w+)\b",
                r"\b(?:llamen|llamad|necesito|necesitamos|manden) (?:a )?una ambulancia\b",
                r"\b(?:infarto|ataque al corazon|descarga electrica|emergencia medica"
                r"|amenaza de bomba)\b",
            ),
            apart_from=_pattern(
                r"(?:in case of|in the event of|if there is|if there'?s|what if|fire drill|fire alarm"
                r"|fire ?wall|fire extinguisher|fire exit|fire safety|fire training|smoke detector"
                r"|smoke test|smoke break|fire ?fox)[^.!?]*",
                r"(?:en caso de|si hay|si se produce|si huele|simulacro|alarma de|detector de"
                r"|extintor|salida de emergencia|prevencion de)[^.!?]*",
                r"(?:was|were|got|been|being|are|is) fired\b",
                r"no (?:one|body) (?:is|was|got) (?:hurt|injured)|nadie (?:esta|resulto|salio) \w+",
                r"there (?:is no|isn'?t any) (?:fire|smoke|gas)|no hay (?:fuego|humo|gas)",
            ),
        ),
        "security_incident": _Rule(
            said=_pattern(
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
                r"\b(?:archivos|ficheros|documentos|todo)[^.!?]{0,30}\b(?:cifrad|encriptad|secuestrad)\w*"
                r"[^.!?]{0,60}\b(?:rescate|bitcoins?|pag(?:o|ar|ue))\b",
                r"\b(?:we have|i have|i got|got|infected with|hit by|is|it'?s) (?:a )?ransomware\b",
                rf"\b(?:i(?:'ve| have)?|we(?:'ve| have)?)(?: \w+)? (?:lost|misplaced|left)"
                rf" (?:my |our |a |the |an )?(?:\w+ ){{0,2}}{_DEVICE_EN}\b",
                rf"\b{_DEVICE_EN}\b[^.!?]{{0,25}}\b(?:was|got|has been|is|were|been) (?:just )?"
                r"(?:stolen|lost|missing|gone)\b",
                rf"\b(?:someone|somebody|they|thieves) (?:just )?(?:stole|took) my (?:\w+ ){{0,2}}"
                rf"{_DEVICE_EN}\b",
                rf"\bstolen (?:\w+ )?{_DEVICE_EN}\b",
                r"\b(?:data breach|leaked (?:the )?(?:customer|personal|client) (?:data|list))\b",
                r"\b(?:hice|he hecho|hize|di|le di|pinche|he pinchado|cliquee|pulse|abri|he abierto"
                r"|descargue|cai en|respondi|conteste|pique)[^.!?]{0,45}\b(?:phishing|sospechos[oa]"
                r"|malicios[oa]|fals[oa]|fraudulent[oa]|estafa|rar[oa]|extran[oa]|virus)\b",
                r"\b(?:phishing|sospechos[oa]|fals[oa]|fraudulent[oa])[^.!?]{0,40}\by (?:le )?"
                r"(?:hice|he hecho|di|pinche|abri|puse|meti)\b",
                r"\b(?:puse|meti|introduje|escribi|di|entregue|he puesto|he metido|ingrese)"
                r"[^.!?]{0,30}\b(?:contrasena|clave|datos|tarjeta)[^.!?]{0,40}\b(?:phishing"
                r"|sospechos[oa]|fals[oa]|estafa\w*|rar[oa]|extran[oa]|hacker)\b",
                r"\b(?:hackea\w*|jackea\w*|jaquea\w*|ciberataque)\b(?! ?\?)",
                r"\b(?:me|nos|han|fue|esta|mi cuenta) (?:han |estan )?(?:comprometid[oa]"
                r"|suplantad[oa]|secuestrad[oa]|suplantan\w*|suplantaron)\b",
                r"\b(?:han entrado|entraron|entro alguien|alguien entro|alguien ha entrado)"
                r"[^.!?]{0,10} (?:en|a) mi (?:cuenta|correo|mail|equipo|ordenador)\b",
                r"\bransomware\b[^.!?]{0,30}\b(?:en mi|en el|en nuestro)\b|\b(?:tengo|tenemos|hay)"
                r" (?:un )?(?:ransomware|virus|malware|troyano)\b",
                rf"\b(?:perdi|he perdido|se me perdio|se me ha perdido|extravie|olvide|me deje"
                rf"|deje olvidad[oa]|no encuentro)"
                rf"(?: \w+){{0,2}}? (?:mi|el|la|un|una) (?:\w+ )?{_DEVICE_ES}\b",
                rf"\b(?:me|nos) (?:han )?(?:robaron|robado|robo|chorearon|hurtaron|quitaron)"
                rf"[^.!?]{{0,25}}\b(?:{_DEVICE_ES}|mochila|bolso)\b",
                rf"\b(?:robaron|han robado|hurtaron|alguien (?:ha )?rob(?:o|ado))"
                rf" (?:mi|el|la|un|una|nuestr[oa]) (?:\w+ )?{_DEVICE_ES}\b",
                rf"\b{_DEVICE_ES}\b[^.!?]{{0,20}}\b(?:robad[oa]|perdid[oa]|extraviad[oa])\b",
                r"\b(?:fuga|filtracion|brecha) de datos\b",
            ),
            apart_from=_pattern(
                r"\b(?:how (?:do|can|would|to)|what (?:is|are|should|do|does|to do)|if|in case)\b"
                r"[^.!?]*\b(?:phish|suspicious|hacked|lost|lose|stolen|ransomware|virus|breach"
                r"|compromised)[^.!?]*",
                r"\b(?:como (?:puedo|se|detecto|reconozco|identifico|evito|saber)|que (?:es|son|hago"
                r"|debo|hay que)|si (?:me|pierdo|mi|alguien|se)|en caso de|por si)\b[^.!?]*"
                r"\b(?:phishing|sospechos|hackea|rob|perdi|pierd|ransomware|virus|datos|fals)[^.!?]*",
                r"(?:access|connection|signal|contact) (?:was |is )?lost"
                r"|(?:\bnot|\bnever|n't|\b(?:did|have|has|was)nt) "
                r"(?:\w+ )?(?:clicked?|opened|hacked|lost|been hacked)",
                r"\bno (?:he |le |la |lo )?(?:hice|hecho|di|pinche|pinchado|abri|abierto)\b[^.!?]*",
                r"lost (?:connection|access)|perdi (?:la conexion|el acceso)",
                r"training|simulation|curso de|formacion|simulacro",
            ),
        ),
        "angry": _Rule(
            said=_pattern(
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
                r"\b(?:mierda|put[ao]s?(?: madre)?|joder|jodid[oa]s?|cono|imbecil(?:es)?|idiotas?"
                r"|gilipollas|capullos?|pendej[oa]s?|cabron(?:es)?|chingad\w*|chinga|verga|carajo"
                r"|pelotud[oa]s?|boludos?|hij[oa]s? de|hdp|la concha|ctm|culiao|weon(?:es)?|maldit[oa]s?"
                r"|malparid[oa]s?)\b",
                r"\b(?:eres|sois|son|es|sos|esto es|bot|que|mas|tan|unos?|todos?) (?:\w+ ){0,2}"
                r"(?:inutil(?:es)?|estupid[oa]s?|incompetentes?|un desastre|patetic[oa]s?|basura"
                r"|inaceptable|indignante|ridicul[oa]|una vergueenza|una verguenza|una burla"
                r"|una tomadura de pelo)\b",
                r"^(?:inutil(?:es)?|estupid[oa]s?|basura|ridicul[oa]|que verguenza|que asco)[ !.]*$",
                r"\b(?:estoy|estamos|me tienen|me teneis) (?:\w+ )?(?:hart[oa]s?|furios[oa]s?"
                r"|indignad[oa]s?|podrid[oa]s?|cabread[oa]s?|enojadisim[oa]s?|hasta (?:las narices"
                r"|la coronilla|los huevos|la madre|el gorro))\b",
                r"\bya me canse de\b|\b(?:peor servicio|pesimo servicio|vaya mierda)\b",
            ),
            apart_from=_pattern(
                r"disaster (?:area|recovery|plan|zone)|recuperacion (?:ante|de|tras) desastres?",
                r"(?:stupid|silly|dumb|ridiculous) question|pregunta (?:tonta|estupida|boba)",
                r"(?:hij[oa]s? de|hij[oa]s? del) (?!put|perr|mil|su)\w+",
                r"(?:feel|sound|look)(?:s|ing)? (?:\w+ )?stupid|i'?m (?:so )?stupid|soy (?:un |una )?"
                r"(?:tont|idiot|estupid)\w+",
                r"not (?:\w+ )?(?:useless|stupid|a joke)",
            ),
        ),
        "ask_human": _Rule(
            said=_pattern(
                rf"\b(?:talk|talking|speak|speaking|chat|chatting|connected?|put me (?:through|in touch)"
                rf"|transfer(?:red)?(?: me)?|pass me|escalate(?: this| it| me)?|hand me(?: over)?"
                rf"|contact|reach|connect me|get)(?: directly)? (?:to|with|on to|over to)? ?"
                rf"(?:an? |the |some |any |one of (?:your|the) |your )?(?:real |live |actual |human "
                rf"|support |service ?desk |help ?desk |it |hr )*{_PERSON_EN}\b",
                r"\b(?:real|live|actual) (?:human|person|agent|people)\b",
                r"\bis (?:there )?(?:any|some)(?:body|one) (?:human|real|there)\b"
                r"|\bany (?:human|humans|real person|real people) (?:there|here|available)\b"
                r"|\bhay (?:alguien|alguna persona|algun humano) (?:ahi|real|humano|disponible)\b",
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
                rf"\b(?:habl(?:ar|o|e)|comunic(?:ar|arme|ame|arse|o|a)|contact(?:ar|arme|o)|chatear"
                rf"|conversar|pas(?:a|ame|eme|ar|arme|enme)|transfier(?:e|a|eme|an)(?:me)?|transferir(?:me)?"
                rf"|ponme|poneme|pongame|conectame|conecteme|deriv(?:a|ame|ar|arme|eme)|atend(?:er|erme)"
                rf"|atienda|escal(?:a|ar|alo))(?: \w+)?(?: en contacto)? (?:con|a|por)"
                rf" (?:un |una |algun |alguna |el |la |otro |otra )?(?:\w+ )?{_PERSON_ES}\b",
                rf"\b(?:que me (?:atienda|ayude|llame|conteste|responda)) (?:un |una )?"
                rf"(?:\w+ )?{_PERSON_ES}\b",
                r"\b(?:quiero|necesito|quisiera|prefiero|dame|deme|ponme|pasame|busco|solicito|me das"
                r"|puede ser|podria ser) (?:a |con )?(?:un |una |al )?(?:agente|humano|operador[a]?"
                r"|persona|asesor[a]?|tecnico|ejecutivo)(?! (?:de viajes|de contacto|que|para|en|de))\b",
                r"\b(?:persona|humano|agente) (?:real|de verdad|de carne y hueso|fisic[oa])\b",
                r"^(?:un |una |con |con un |con una )?(?:humano|agente|persona|operador[a]?|asesor[a]?"
                r"|representante|tecnico)(?:,? ?(?:por favor|porfa|porfavor|pf|ya|gracias))?[ !.?]*$",
                r"\b(?:agente|humano|persona|operador|asesor),? (?:por favor|porfa|porfavor)\b",
                r"\bque (?:alguien )?me llame[n]?(?: alguien| una persona)?\b",
            ),
            apart_from=_pattern(
                rf"{_NEGATED_EN} (?:want |need |wish |have )?(?:to )?(?:\w+ ){{0,2}}(?:talk|speak|chat"
                rf"|be connected|a|an) (?:to |with )?(?:an? |the )?(?:real )?(?:human|person|agent"
                rf"|anyone|anybody|someone)",
                r"no (?:quiero|necesito|hace falta|deseo|me pases|me pase) (?:hablar |que me pasen )?"
                r"(?:con |a )?(?:un |una |ningun |ninguna )?(?:persona|humano|agente|nadie|alguien)",
                r"recursos humanos|human resources|travel agent\w*|user agent|agente de viajes"
                r"|estate agent|agente inmobiliario|contact person|persona de contacto",
                r"are you (?:an? )?(?:real )?(?:human|person|bot)[^.!?]*",
                r"am i (?:talking|speaking|chatting) (?:to|with) (?:an? )?[^.!?]*",
                r"(?:eres|sos|es usted|usted es) (?:un |una )?(?:persona|humano|robot|bot)[^.!?]*",
                r"(?:hablo|estoy hablando|hablando) con (?:un |una )?[^.!?]*",
                r"(?:how|where|what|when|why|can i)\b[^.!?]{0,40}\b(?:contact|reach|get|person"
                r"|connected to) (?:to |the )?(?:staff|people|manager|colleague)",
            ),
        ),
    }
)
"""In order of weight: the first that matches wins."""


def plain(text: str) -> str:
    """Return `text` in lower case, without accents, straight quotes, single spaces."""
    folded = unicodedata.normalize("NFKD", text[:MAX_CHARS].lower().replace("’", "'"))
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(letters.replace("¡", "").replace("¿", "").split())


def recognise(text: str) -> str | None:
    """Return the urgent intent that `text` states, or None; of several the weightiest.

    A long text, such as a letter, is read whole, a stretch at a time.
    """
    words = plain(text)
    stretches = [
        words[start : start + _STRETCH] for start in range(0, len(words), _STRETCH - _OVERLAP)
    ]
    for intent, rule in _RULES.items():
        for stretch in stretches:
            left = rule.apart_from.sub(" ", stretch) if rule.apart_from else stretch
            if rule.said.search(" ".join(left.split())):
                return intent
    return None
