"""The words by which automatic replies and failed deliveries are known, by language."""

from __future__ import annotations

AUTO_REPLY = (
    r"auto(?:matic|mated)?[- ]?(?:reply|response|answer|responder)|autoreply|auto:|automatic e-?mail",
    r"out of (?:the )?office|out-of-office|ooo|away from (?:my|the) (?:desk|office|mail)|on vacation",
    r"vacation (?:reply|message|response)|on holiday|on leave|absence (?:notice|message)|i am away",
    r"respuesta autom[aá]tica|auto-?respuesta|respuesta de ausencia|fuera de (?:la )?oficina",
    r"mensaje autom[aá]tico|ausente|ausencia|de vacaciones|contestaci[oó]n autom[aá]tica",
    r"resposta autom[aá]tica|aus[eê]ncia(?: tempor[aá]ria)?|fora do escrit[oó]rio|de f[eé]rias",
    r"r[eé]ponse automatique|absence du bureau|absent(?:e)? du bureau|message d'absence|absent(?:e)?",
    r"automatische antwort|abwesenheit\w*|abwesend|au(?:ß|ss)er haus|nicht im b[uü]ro|im urlaub",
    r"automatische r[uü]ckantwort|autom\. antwort|auto-antwort",
    r"risposta automatica|fuori (?:sede|ufficio)|assenza|assente|in ferie",
    r"automatisch(?:e)? antwoord|automatische reactie|afwezig(?:heid\w*)?|niet op kantoor",
    r"automatyczna odpowied[zź]|odpowied[zź] automatyczna|autoodpowied[zź]|poza biurem|nieobecno[sś][cć]",
    r"автоматический ответ|автоответ(?:чик)?|вне офиса|нет на месте|в отпуске|автоматична відповідь",
    r"autosvar|automatiskt svar|fr[aå]nvaro\w*|automatisk svar|frav[aæ]r\w*|ikke p[aå] kontoret",
    r"automaattinen vastaus|automaattivastaus|poissa(?:olo\w*)?|lomalla",
    r"自动回复|自動回覆|自動回复|自動返信|自動応答|不在通知|不在のお知らせ|休假|外出中",
    r"자동 ?(?:회신|응답)|부재중|otomatik yan[iı]t|ofis d[iı][sş][iı]nda|automatick[aáé] odpov[eě][dď]",
    r"automatikus v[aá]lasz|h[aá]zon k[ií]v[uü]l|r[aă]spuns automat|αυτόματη απάντηση|תגובה אוטומטית|رد تلقائي",
)
"""How the subject of an automatic reply begins."""

FAILED = (
    r"undeliver(?:able|ed)|undelivery|delivery (?:status notification|failure|failed|has failed|problem"
    r"|delayed|error|report|notification)|mail delivery|(?:mail|message|e-?mail|delivery) (?:system )?error",
    r"returned mail|return(?:ed)? to sender|failure notice|failed (?:mail|delivery)|delivery incomplete",
    r"(?:mail|message|delivery)s? (?:could not be delivered|not delivered|undeliverable|delayed|failed|status)",
    r"could not send message|bounce(?:d)?|warning: (?:could not send|message)|non[- ]?remis|nondeliver",
    r"non[- ]delivery|not delivered|address (?:not found|rejected)|recipient (?:not found|unknown|rejected)",
    r"nicht zustellbar|unzustellbar|zustell(?:ung|fehler)|zur[uü]ckgesandt|verz[oö]gert",
    r"no (?:se )?(?:ha podido |pudo |puede )?entrega|no entregad[oa]|error (?:en la|de) entrega|devuelto",
    r"correo devuelto|no se pudo entregar|mensaje no entregado|entrega (?:fallida|retrasada)",
    r"n[aã]o (?:entreg|foi entregue|p[oô]de ser entregue)|falha na entrega|n[aã]o entregue|devolvid[ao]",
    r"non (?:remis|distribu[eé]|livr[eé])|[eé]chec de (?:la )?(?:remise|distribution)|retard[eé]",
    r"non recapitat[oa]|mancat[ao] (?:recapito|consegna)|impossibile recapitare|consegna non riuscita",
    r"onbestelbaar|niet (?:af|be)geleverd|bezorging|niet bezorgd|kan niet worden bezorgd",
    r"niedostarczon\w*|nie dostarczono|zwrot|nie można dostarczyć|niedoręczon\w*",
    r"не доставлено|недоставлен\w*|не удалось доставить|ошибка доставки|возвращ[её]н",
    r"olevererbar|ej levererat|kunde inte levereras|leveransfel|kan ikke leveres|ikke levert|ikke leveret",
    r"toimitusvirhe|ei voitu toimittaa|palautettu|退信|投递失败|投遞失敗|无法投递|無法傳送|系统退信",
    r"配信(?:不能|エラー|失敗)|送信できません|届けられません|エラーメール|전송 ?실패|배달|반송",
)
"""What the subject of a bounce says."""

WILL_RETRY = (
    r"will (?:be )?(?:retr|continue|keep|try|attempt)|has (?:not yet|been delayed)|not yet (?:been )?"
    r"deliver|still (?:being )?(?:try|queue)|temporar(?:y|ily)|delayed|delivery is delayed|do not need to"
    r" (?:re)?send|warning message only|could not be delivered (?:yet|for the last)|try again later",
    r"verz[oö]gert|vor[uü]bergehend|weiter versuch|noch nicht zugestellt|se ha retrasado|retrasad[oa]"
    r"|temporalmente|se (?:seguir[aá]|volver[aá]) (?:a )?intentar|temporairement|retard[eé]|"
    r"nouvelle tentative|temporaneamente|ritardat|tijdelijk|vertraagd|temporariamente|atrasad"
    r"|tymczasow|op[oó][zź]nion|временно|задерж|tillf[aä]llig|f[oö]rsenad|midlertidig|forsinket|暂时|遅延",
)
"""What a program says that has not given up."""
