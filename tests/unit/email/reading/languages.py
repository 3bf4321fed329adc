"""Replies in many languages: what mail programs write around what people write."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language's words; `{who}` is name and address."""

    code: str
    reply: str
    question: str
    wrote: tuple[str, ...]  # lines that introduce a quotation
    original: str
    head: tuple[str, str, str, str]  # from, sent, to, subject
    forwarded: str
    device: str


WHO = "Marta Ríos <marta.rios@shop.example>"

LANGUAGES = (
    Language(
        code="en",
        reply="The second parcel came today.\nThe box was open.",
        question="Has the second parcel come?",
        wrote=(
            f"On Tue, 4 Mar 2025 at 09:12, {WHO} wrote:",
            "On 4 Mar 2025, at 09:12, Marta Ríos\n<marta.rios@shop.example> wrote:",
            "On 04/03/2025 09:12, Marta Ríos wrote:",
        ),
        original="-----Original Message-----",
        head=("From", "Sent", "To", "Subject"),
        forwarded="---------- Forwarded message ---------",
        device="Sent from my iPhone",
    ),
    Language(
        code="es",
        reply="El segundo paquete llegó hoy.\nLa caja estaba abierta.",
        question="¿Ha llegado el segundo paquete?",
        wrote=(
            f"El mar, 4 mar 2025 a las 9:12, {WHO} escribió:",
            "El 4 mar 2025, a las 9:12, Marta Ríos <marta.rios@shop.example>\nescribió:",
            "El 4/3/25 a las 9:12, Marta Ríos escribió:",
        ),
        original="-----Mensaje original-----",
        head=("De", "Enviado el", "Para", "Asunto"),
        forwarded="---------- Mensaje reenviado ---------",
        device="Enviado desde mi iPhone",
    ),
    Language(
        code="pt",
        reply="O segundo pacote chegou hoje.\nA caixa estava aberta.",
        question="O segundo pacote já chegou?",
        wrote=(
            f"Em ter., 4 de mar. de 2025 às 09:12, {WHO} escreveu:",
            "Em 4 de mar. de 2025, à(s) 09:12, Marta Ríos\n<marta.rios@shop.example> escreveu:",
            "Em 04/03/2025 09:12, Marta Ríos escreveu:",
        ),
        original="-----Mensagem original-----",
        head=("De", "Enviada em", "Para", "Assunto"),
        forwarded="---------- Mensagem encaminhada ---------",
        device="Enviado do meu iPhone",
    ),
    Language(
        code="fr",
        reply="Le deuxième colis est arrivé.\nLe carton était ouvert.",
        question="Le deuxième colis est-il arrivé ?",
        wrote=(
            f"Le mar. 4 mars 2025 à 09:12, {WHO} a écrit :",
            "Le 4 mars 2025 à 09:12, Marta Ríos <marta.rios@shop.example>\na écrit :",
            "Le 04/03/2025 à 09:12, Marta Ríos a écrit :",
        ),
        original="-----Message d'origine-----",
        head=("De", "Envoyé", "À", "Objet"),
        forwarded="---------- Message transféré ---------",
        device="Envoyé de mon iPhone",
    ),
    Language(
        code="de",
        reply="Das zweite Paket kam heute.\nDer Karton war offen.",
        question="Ist das zweite Paket da?",
        wrote=(
            f"Am Di., 4. März 2025 um 09:12 Uhr schrieb {WHO}:",
            "Am 04.03.2025 um 09:12 schrieb Marta Ríos\n<marta.rios@shop.example>:",
            f"{WHO} schrieb am Di., 4. März 2025,\n09:12:",
        ),
        original="-----Ursprüngliche Nachricht-----",
        head=("Von", "Gesendet", "An", "Betreff"),
        forwarded="---------- Weitergeleitete Nachricht ---------",
        device="Von meinem iPhone gesendet",
    ),
    Language(
        code="it",
        reply="Il secondo pacco è arrivato.\nLa scatola era aperta.",
        question="È arrivato il secondo pacco?",
        wrote=(
            f"Il giorno mar 4 mar 2025 alle ore 09:12 {WHO} ha scritto:",
            "Il 4 mar 2025, alle ore 09:12, Marta Ríos\n<marta.rios@shop.example> ha scritto:",
            "Il 04/03/2025 09:12, Marta Ríos ha scritto:",
        ),
        original="-----Messaggio originale-----",
        head=("Da", "Inviato", "A", "Oggetto"),
        forwarded="---------- Messaggio inoltrato ---------",
        device="Inviato da iPhone",
    ),
    Language(
        code="nl",
        reply="Het tweede pakket is er.\nDe doos was open.",
        question="Is het tweede pakket er?",
        wrote=(
            f"Op di 4 mrt 2025 om 09:12 schreef {WHO}:",
            "Op 4 mrt. 2025 om 09:12 heeft Marta Ríos <marta.rios@shop.example> het\n"
            "volgende geschreven:",
            "Op 04-03-2025 om 09:12 schreef Marta Ríos:",
        ),
        original="-----Oorspronkelijk bericht-----",
        head=("Van", "Verzonden", "Aan", "Onderwerp"),
        forwarded="---------- Doorgestuurd bericht ---------",
        device="Verstuurd vanaf mijn iPhone",
    ),
    Language(
        code="pl",
        reply="Druga paczka przyszła dzisiaj.\nPudełko było otwarte.",
        question="Czy druga paczka przyszła?",
        wrote=(
            f"wt., 4 mar 2025 o 09:12 {WHO} napisał(a):",
            "W dniu 04.03.2025 o 09:12, Marta Ríos pisze:",
            "Wiadomość napisana przez Marta Ríos <marta.rios@shop.example> w dniu 4 mar 2025,"
            " o godz. 09:12:",
        ),
        original="-----Wiadomość oryginalna-----",
        head=("Od", "Wysłano", "Do", "Temat"),
        forwarded="---------- Przekazana wiadomość ---------",
        device="Wysłane z iPhone'a",
    ),
    Language(
        code="ru",
        reply="Вторая посылка пришла сегодня.\nКоробка была открыта.",
        question="Пришла ли вторая посылка?",
        wrote=(
            f"вт, 4 мар. 2025 г. в 09:12, {WHO}:",
            "4 марта 2025 г., в 09:12, Marta Ríos <marta.rios@shop.example>\nнаписал(а):",
            "04.03.2025 09:12, Marta Ríos пишет:",
        ),
        original="-----Исходное сообщение-----",
        head=("От", "Отправлено", "Кому", "Тема"),
        forwarded="-------- Пересылаемое сообщение --------",
        device="Отправлено с iPhone",
    ),
    Language(
        code="sv",
        reply="Det andra paketet kom idag.\nLådan var öppen.",
        question="Har det andra paketet kommit?",
        wrote=(
            f"Den tis 4 mars 2025 kl 09:12 skrev {WHO}:",
            "4 mars 2025 kl. 09:12 skrev Marta Ríos <marta.rios@shop.example>:",
            "Den 2025-03-04 kl. 09:12, skrev Marta Ríos:",
        ),
        original="-----Ursprungligt meddelande-----",
        head=("Från", "Skickat", "Till", "Ämne"),
        forwarded="---------- Vidarebefordrat meddelande ---------",
        device="Skickat från min iPhone",
    ),
    Language(
        code="no",
        reply="Den andre pakken kom i dag.\nEsken var åpen.",
        question="Har den andre pakken kommet?",
        wrote=(
            f"tir. 4. mars 2025 kl. 09:12 skrev {WHO}:",
            "4. mars 2025 kl. 09:12 skrev Marta Ríos <marta.rios@shop.example>:",
            "Den 04.03.2025 09:12, skrev Marta Ríos:",
        ),
        original="-----Opprinnelig melding-----",
        head=("Fra", "Sendt", "Til", "Emne"),
        forwarded="---------- Videresendt melding ---------",
        device="Sendt fra min iPhone",
    ),
    Language(
        code="da",
        reply="Den anden pakke kom i dag.\nKassen var åben.",
        question="Er den anden pakke kommet?",
        wrote=(
            f"Den tirs. 4. mar. 2025 kl. 09.12 skrev {WHO}:",
            "Den 4. mar. 2025 kl. 09.12 skrev Marta Ríos <marta.rios@shop.example>:",
            "Den 04/03/2025 kl. 09.12 skrev Marta Ríos:",
        ),
        original="-----Oprindelig meddelelse-----",
        head=("Fra", "Sendt", "Til", "Emne"),
        forwarded="---------- Videresendt besked ---------",
        device="Sendt fra min iPad",
    ),
    Language(
        code="fi",
        reply="Toinen paketti tuli tänään.\nLaatikko oli auki.",
        question="Tuliko toinen paketti?",
        wrote=(
            f"ti 4. maalisk. 2025 klo 9.12 {WHO} kirjoitti:",
            "Marta Ríos <marta.rios@shop.example> kirjoitti 4.3.2025 kello 9.12:",
            "4.3.2025 9.12, Marta Ríos kirjoitti:",
        ),
        original="-----Alkuperäinen viesti-----",
        head=("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
        forwarded="---------- Välitetty viesti ---------",
        device="Lähetetty iPhonesta",
    ),
    Language(
        code="zh",
        reply="第二个包裹今天到了。\n盒子是打开的。",
        question="第二个包裹到了吗?",
        wrote=(
            "Marta Ríos <marta.rios@shop.example> 于2025年3月4日周二 09:12写道：",
            "在 2025年3月4日，上午9:12，Marta Ríos <marta.rios@shop.example> 写道：",
            "在 2025/3/4 9:12, Marta Ríos 写道:",
        ),
        original="-----原始邮件-----",
        head=("发件人", "发送时间", "收件人", "主题"),
        forwarded="---------- 转发的邮件 ---------",
        device="从我的 iPhone 发送",
    ),
    Language(
        code="ja",
        reply="二つ目の荷物が届きました。\n箱は開いていました。",
        question="二つ目の荷物は届きましたか。",
        wrote=(
            f"2025年3月4日(火) 9:12 {WHO}:",
            "2025/03/04 9:12、Marta Ríos <marta.rios@shop.example>のメール:",
            "On 2025/03/04 9:12, Marta Ríos wrote:",
        ),
        original="-----元のメッセージ-----",
        head=("差出人", "送信日時", "宛先", "件名"),
        forwarded="---------- 転送メッセージ ---------",
        device="iPhoneから送信",
    ),
)
