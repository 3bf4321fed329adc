"""Wordings of alarms in Spanish, as regular expressions over folded text."""

from __future__ import annotations

from collections.abc import Mapping

from components.alarms.rule import Rule

_PERSON = (
    r"(?:persona(?!l )s?|humanos?|agente(?! de viajes)s?|alguien|operador[ae]?|asesor[a]?|tecnic[oa]"
    r"|ejecutiv[oa]|representante|supervisor[a]?|encargad[oa]|companer[oa]|responsable)"
)
_DEVICE = (
    r"(?:portatil|laptop|notebook|computadora?|ordenador|compu|movil|celular|celu|telefono|tablet"
    r"|tableta|pendrive|usb|disco duro)(?! (?:cargador|funda))"
)

RULES: Mapping[str, Rule] = {
    "self_harm": Rule(
        said=(
            r"\b(?:quiero|queria|quisiera|voy a|ganas de|pienso en|pensando en) "
            r"(?:morir(?:me)?|matarme|suicidar|quitarme la vida|desaparecer para siempre)\b",
            r"\b(?:matarme|suicidarme|quitarme la vida|cortarme las venas)\b",
            r"\bme (?:quiero|quisiera|voy a) (?:matar|morir|suicidar)\b",
            r"\b(?:hacerme|lastimarme|autolesion)(?: dano)?\b",
            r"\b(?:acabar|terminar) con mi vida\b",
            r"\bno (?:quiero|tengo ganas de) (?:seguir )?(?:vivir|viviendo)\b",
            r"\bmejor (?:estaria )?muert[oa]\b",
        ),
        apart_from=(
            r"prevencion del suicid\w*",
            r"(?:morir|matar|muero)(?:me)? de (?:risa|ganas|hambre|calor|frio|sueno|aburrimiento|verguenza)",
            r"morir(?:me)? por (?:probar|ver|tener|conocer)\b",
            r"hacerme (?:una|un|el|la|socio|cargo|las?|los)\b",
        ),
    ),
    "emergency": Rule(
        said=(
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
            # A slip that is a word elsewhere, and so not mended.
            r"|amenaza de bomb?a)\b",
        ),
        apart_from=(
            r"(?:en caso de|si hay|si se produce|si huele|simulacro|alarma de|detector de"
            r"|extintor|salida de emergencia|prevencion de)[^.!?]*",
            r"nadie (?:esta|resulto|salio) \w+",
            r"no hay (?:fuego|humo|gas)",
        ),
    ),
    "security_incident": Rule(
        said=(
            r"\b(?:archivos|ficheros|documentos|todo)[^.!?]{0,30}\b(?:cifrad|encriptad|secuestrad)\w*"
            r"[^.!?]{0,60}\b(?:rescate|bitcoins?|pag(?:o|ar|ue))\b",
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
            rf"(?: \w+){{0,2}}? (?:mi|el|la|un|una) (?:\w+ )?{_DEVICE}\b",
            rf"\b(?:me|nos) (?:han )?(?:robaron|robado|robo|chorearon|hurtaron|quitaron)"
            rf"[^.!?]{{0,25}}\b(?:{_DEVICE}|mochila|bolso)\b",
            rf"\b(?:robaron|han robado|hurtaron|alguien (?:ha )?rob(?:o|ado))"
            rf" (?:mi|el|la|un|una|nuestr[oa]) (?:\w+ )?{_DEVICE}\b",
            rf"\b{_DEVICE}\b[^.!?]{{0,20}}\b(?:robad[oa]|perdid[oa]|extraviad[oa])\b",
            r"\b(?:fuga|filtracion|brecha) de datos\b",
        ),
        apart_from=(
            r"\b(?:como (?:puedo|se|detecto|reconozco|identifico|evito|saber)|que (?:es|son|hago"
            r"|debo|hay que)|si (?:me|pierdo|mi|alguien|se)|en caso de|por si)\b[^.!?]*"
            r"\b(?:phishing|sospechos|hackea|rob|perdi|pierd|ransomware|virus|datos|fals)[^.!?]*",
            r"\bno (?:he |le |la |lo )?(?:hice|hecho|di|pinche|pinchado|abri|abierto)\b[^.!?]*",
            r"perdi (?:la conexion|el acceso)",
            r"curso de|formacion|simulacro",
        ),
    ),
    "angry": Rule(
        said=(
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
        apart_from=(
            r"recuperacion (?:ante|de|tras) desastres?",
            r"pregunta (?:tonta|estupida|boba)",
            r"(?:hij[oa]s? de|hij[oa]s? del) (?!put|perr|mil|su)\w+",
            r"soy (?:un |una )?(?:tont|idiot|estupid)\w+",
        ),
    ),
    "ask_human": Rule(
        said=(
            r"\bhay (?:alguien|alguna persona|algun humano) (?:ahi|real|humano|disponible)\b",
            rf"\b(?:habl(?:ar|o|e)|comunic(?:ar|arme|ame|arse|o|a)|contact(?:ar|arme|o)|chatear"
            rf"|conversar|pas(?:a|ame|eme|ar|arme|enme)|transfier(?:e|a|eme|an)(?:me)?|transferir(?:me)?"
            rf"|ponme|poneme|pongame|conectame|conecteme|deriv(?:a|ame|ar|arme|eme)|atend(?:er|erme)"
            rf"|atienda|escal(?:a|ar|alo))(?: \w+)?(?: en contacto)? (?:con|a|por)"
            rf" (?:un |una |algun |alguna |el |la |otro |otra )?(?:\w+ )?{_PERSON}\b",
            rf"\b(?:que me (?:atienda|ayude|llame|conteste|responda)) (?:un |una )?"
            rf"(?:\w+ )?{_PERSON}\b",
            r"\b(?:quiero|necesito|quisiera|prefiero|dame|deme|ponme|pasame|busco|solicito|me das"
            r"|puede ser|podria ser) (?:a |con )?(?:un |una |al )?(?:agente|humano|operador[a]?"
            r"|persona|asesor[a]?|tecnico|ejecutivo)(?! (?:de viajes|de contacto|que|para|en|de))\b",
            r"\b(?:persona|humano|agente) (?:real|de verdad|de carne y hueso|fisic[oa])\b",
            r"^(?:un |una |con |con un |con una )?(?:humano|agente|persona|operador[a]?|asesor[a]?"
            r"|representante|tecnico)(?:,? ?(?:por favor|porfa|porfavor|pf|ya|gracias))?[ !.?]*$",
            r"\b(?:agente|humano|persona|operador|asesor),? (?:por favor|porfa|porfavor)\b",
            r"\bque (?:alguien )?me llame[n]?(?: alguien| una persona)?\b",
        ),
        apart_from=(
            r"no (?:quiero|necesito|hace falta|deseo|me pases|me pase) (?:hablar |que me pasen )?"
            r"(?:con |a )?(?:un |una |ningun |ninguna )?(?:persona|humano|agente|nadie|alguien)",
            r"recursos humanos|agente de viajes|agente inmobiliario|persona de contacto",
            r"(?:eres|sos|es usted|usted es) (?:un |una )?(?:persona|humano|robot|bot)[^.!?]*",
            r"(?:hablo|estoy hablando|hablando) con (?:un |una )?[^.!?]*",
        ),
    ),
}
