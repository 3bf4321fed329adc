"""What the desk says to people who write in a language that its assistant does not speak."""

from __future__ import annotations

from collections.abc import Mapping

from babel.lists import format_list

from core.domain.assistant import Handoff, HandoffReason, Say, TurnReply, TurnRequest
from core.domain.languages import LANGUAGES
from core.texts import language_name

_SENTENCES: Mapping[str, str] = {
    "ar": "أتحدث {languages} فقط. سيتولى أحد أفراد فريقنا الرد على رسالتك.",
    "de": "Ich spreche nur {languages}. Jemand aus unserem Team wird Ihnen antworten.",
    "el": "Μιλάω μόνο αυτές τις γλώσσες: {languages}. Κάποιος από την ομάδα μας θα σας απαντήσει.",
    "fr": "Je ne parle que ces langues : {languages}. Une personne de notre équipe vous répondra.",
    "he": "אני מדבר רק {languages}. מישהו מהצוות שלנו ישיב לך.",
    "hi": "मैं केवल {languages} बोलता हूँ। हमारी टीम का कोई सदस्य आपको उत्तर देगा।",
    "it": "Parlo solo {languages}. Le risponderà una persona del nostro team.",
    "ja": "{languages}にのみ対応しています。担当者がお返事いたします。",
    "ko": "저는 {languages}만 할 수 있습니다. 담당자가 답변해 드리겠습니다.",
    "nl": "Ik spreek alleen {languages}. Iemand van ons team zal u antwoorden.",
    "pt": "Só falo {languages}. Uma pessoa da nossa equipe vai responder a você.",
    "ru": "Я говорю только на этих языках: {languages}. Вам ответит сотрудник нашей команды.",
    "th": "ฉันพูดได้เฉพาะภาษา{languages} เจ้าหน้าที่ของเราจะตอบคุณ",
    "zh": "我只会{languages}。我们团队的工作人员会回复您。",
}
"""By the codes that `core.ports.LanguageDetector.detect_foreign` tells; `{languages}` are ours."""


def sentence_in(language: str) -> str | None:
    """Return in `language` which languages the assistant speaks; None where it has no words."""
    if language not in _SENTENCES:
        return None
    spoken = [language_name(one, language) for one in LANGUAGES]
    return _SENTENCES[language].format(languages=format_list(spoken, locale=language))


def reply_in(language: str, request: TurnRequest) -> TurnReply:
    """Return what is said instead of an answer: an honest sentence, and a human.

    In a language without a sentence only the desk's own notice is said.
    """
    sentence = sentence_in(language)
    said = [] if sentence is None else [Say(text=sentence)]
    return TurnReply(
        turn=request.turn,
        steps=(
            *said,
            Handoff(
                reason=HandoffReason.OTHER_LANGUAGE, summary=f"Writes in {language}: {request.text}"
            ),
        ),
        intent=None,
        confidence=None,
        model=None,
    )
