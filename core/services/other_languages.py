"""What the desk says to people who write in a language that its assistant does not speak."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.assistant import Handoff, HandoffReason, Say, TurnReply, TurnRequest

_SENTENCES: Mapping[str, str] = {
    "ar": "أتحدث الإنجليزية والإسبانية فقط. سيتولى أحد أفراد فريقنا الرد على رسالتك.",
    "de": "Ich spreche nur Englisch und Spanisch. Jemand aus unserem Team wird Ihnen antworten.",
    "el": "Μιλάω μόνο αγγλικά και ισπανικά. Κάποιος από την ομάδα μας θα σας απαντήσει.",
    "fr": "Je ne parle que l'anglais et l'espagnol. Une personne de notre équipe vous répondra.",
    "he": "אני מדבר רק אנגלית וספרדית. מישהו מהצוות שלנו ישיב לך.",
    "hi": "मैं केवल अंग्रेज़ी और स्पेनिश बोलता हूँ। हमारी टीम का कोई सदस्य आपको उत्तर देगा।",
    "it": "Parlo solo inglese e spagnolo. Le risponderà una persona del nostro team.",
    "ja": "英語とスペイン語にのみ対応しています。担当者がお返事いたします。",
    "ko": "저는 영어와 스페인어만 할 수 있습니다. 담당자가 답변해 드리겠습니다.",
    "nl": "Ik spreek alleen Engels en Spaans. Iemand van ons team zal u antwoorden.",
    "pt": "Só falo inglês e espanhol. Uma pessoa da nossa equipe vai responder a você.",
    "ru": "Я говорю только по-английски и по-испански. Вам ответит сотрудник нашей команды.",
    "th": "ฉันพูดได้เฉพาะภาษาอังกฤษและภาษาสเปน เจ้าหน้าที่ของเราจะตอบคุณ",
    "zh": "我只会英语和西班牙语。我们团队的工作人员会回复您。",
}
"""By the codes that `core.ports.LanguageDetector.detect_foreign` tells."""


def reply_in(language: str, request: TurnRequest) -> TurnReply:
    """Return what is said instead of an answer: an honest sentence, and a human.

    In a language without a sentence only the desk's own notice is said.
    """
    said = [Say(text=_SENTENCES[language])] if language in _SENTENCES else []
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
