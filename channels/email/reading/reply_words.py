"""The words with which mail programs introduce a quotation, in the languages they speak.

Each table is of regular expressions without groups, to be joined by "|". Adding a language is
adding its words here.
"""

from __future__ import annotations

WROTE = (
    r"wrote|writes|has written",  # en
    r"escribi[oó]|ha escrito|va escriure|ha escrit|escribiu",  # es, ca, gl
    r"escreveu|schreveu",  # pt
    r"a [eé]crit",  # fr
    r"schrieb(?:en)?|hat geschrieben|geschrieben hat|schrieb am",  # de
    r"ha scritto|scrisse|ha inviato",  # it
    r"schreef|geschreven|heeft het volgende geschreven",  # nl
    r"napisa[lł](?:\(?a\)?)?|pisze|napisan[aey] przez",  # pl
    r"написал(?:\(?а\)?)?|писал(?:\(?а\)?)?|пишет|написа|пише|написав(?:\(?ла\)?)?",  # ru, uk, bg
    r"skrev|skriver|har skrevet|har skrivit",  # sv, no, da
    r"kirjoitti",  # fi
    r"写道|寫道|写了|来信|写到",  # zh
    r"(?:さん)?(?:は|が|の)?(?:書きました|書き込みました|メール|wrote|writes)|のメッセージ",  # ja
    r"(?:님이|님은)?\s?(?:작성|썼습니다|쓴 글|보낸 메일)",  # ko
    r"yazd[iı]|[sş]unlar[iı] yazd[iı]|yazm[iı][sş]",  # tr
    r"napsala?|nap[ií]sala?|napísal\(a\)",  # cs, sk
    r"[ií]rta|ezt [ií]rta",  # hu
    r"a scris",  # ro
    r"έγραψε",  # el
    r"כתב(?:ה)?",  # he
    r"كتب(?:ت)?",  # ar
    r"đã viết",  # vi
    r"menulis",  # id
    r"เขียนว่า",  # th
    r"je napisao(?:/la)?|je napisal(?:a)?|написао је",  # hr, sl, sr
    r"kirjutas|rašė|rakst[iī]ja",  # et, lt, lv
)

BEGINS = (
    r"on|at|in",  # en
    r"el|o dia|em|no dia|a|le|am|il|op|den|dnia|w dniu|dne|dňa|la|vào|pada|il giorno|il giorn[oi]",
    r"em|na|no|kl|v|v dne|στις|tarihinde|ב|בתאריך|في|ngày|เมื่อ|date|datum|fecha|data",
    r"on behalf of|wiadomo[sś][cć] napisana|quoting|citando|zitat von|citat|в|от|у|пн|вт|ср|чт|пт|сб|вс|在|于|於|週|周",
)

DAYS = (
    r"mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday",
    r"lun|mar|mi[eé]|jue|vie|s[aá]b|dom|lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo",
    r"seg|ter|qua|qui|sex|segunda(?:-feira)?|ter[cç]a(?:-feira)?|quarta(?:-feira)?",
    r"quinta(?:-feira)?|sexta(?:-feira)?",
    r"lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|mer|jeu|ven|sam|dim",
    r"mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag",
    r"luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]|sabato|domenica|gio",
    r"ma|wo|vr|za|zo|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag",
    r"pon|wt|śr|czw|pt|sob|niedz|poniedzia[lł]ek|wtorek|środa|czwartek|pi[aą]tek|niedziela",
    r"понедельник|вторник|среда|четверг|пятница|суббота|воскресенье",
    r"m[aå]n|tis|ons|tors?|fre|l[oö]r|s[oö]n|måndag|tisdag|onsdag|torsdag|fredag|lördag|söndag",
    r"man|tir|lør|søn|mandag|tirsdag|lørdag|søndag",
    r"maanantai|tiistai|keskiviikko|torstai|perjantai|lauantai|sunnuntai|ke|to|pe|la|su",
)

# A line such as "-----Original Message-----", between dashes or underscores.
ORIGINAL = (
    r"original message|original appointment|original e-?mail|reply message|reply above this line",
    r"mensaje original|mensaje de respuesta|missatge original",
    r"mensagem original|mensagem encaminhada original",
    r"message d'origine|message d’origine|message original|message initial|courriel original",
    r"urspr[uü]ngliche (?:nachricht|mail|e-mail)|original-?nachricht|originalnachricht",
    r"messaggio originale|messaggio original",
    r"oorspronkelijk bericht|origineel bericht|oorspronkelijke e-mail",
    r"wiadomo[sś][cć] oryginalna|oryginalna wiadomo[sś][cć]|pierwotna wiadomo[sś][cć]",
    r"исходное сообщение|исходное письмо|оригинальное сообщение|первоначальное сообщение"
    r"|вихідне повідомлення|оригінальне повідомлення",
    r"ursprungligt meddelande|originalmeddelande|original meddelande",
    r"opprinnelig melding|oprindelig meddelelse|original meddelelse|original melding",
    r"alkuper[aä]inen viesti|alkuperäinen sähköposti",
    r"原始邮件|原邮件|原始郵件|原始訊息|原邮件信息|邮件原件|原始信件",
    r"元のメッセージ|オリジナルメッセージ|original message|元のメール",
    r"원본 메시지|원본 메일|orijinal mesaj|özgün ileti|původní zpráva|pôvodná správa"
    r"|eredeti üzenet|mesaj original|αρχικό μήνυμα|הודעה מקורית|الرسالة الأصلية",
)

FORWARDED = (
    r"forwarded (?:message|mail|e-?mail|by)|begin forwarded message|start of forwarded message"
    r"|fwd message|forward message",
    r"mensaje reenviado|inicio del mensaje reenviado|mensaje reenv[ií]ado|correo reenviado"
    r"|missatge reenviat|comienzo del mensaje reenviado",
    r"mensagem (?:encaminhada|reencaminhada)|in[ií]cio da mensagem (?:encaminhada|reencaminhada)",
    r"message (?:transf[eé]r[eé]|r[eé]exp[eé]di[eé]|transmis)|d[eé]but du message "
    r"(?:transf[eé]r[eé]|r[eé]exp[eé]di[eé])|courriel transf[eé]r[eé]",
    r"weitergeleitete (?:nachricht|mail|e-mail)|anfang der weitergeleiteten (?:nachricht|e-mail)"
    r"|ende der weitergeleiteten nachricht",
    r"messaggio inoltrato|inizio messaggio inoltrato|inizio del messaggio inoltrato",
    r"doorgestuurd bericht|begin doorgestuurd bericht|doorgezonden bericht",
    r"przekazana wiadomo[sś][cć]|wiadomo[sś][cć] przekazana dalej|"
    r"pocz[aą]tek przekazanej wiadomo[sś]ci|tre[sś][cć] przekazanej wiadomo[sś]ci",
    r"пересылаемое сообщение|переадресованное сообщение|начало переадресованного сообщения"
    r"|пересланное сообщение|начало пересылаемого сообщения|переслане повідомлення",
    r"vidarebefordrat (?:meddelande|brev)|vidarebefordrat mail"
    r"|p[aå]b[oö]rjat vidarebefordrat meddelande",
    r"videresendt (?:melding|meddelelse|e-post|besked)|start p[aå] videresendt (?:melding|besked)"
    r"|begynnelse p[aå] videresendt melding|starten p[aå] videresendt besked",
    r"v[aä]litetty viesti|edelleenl[aä]hetetty viesti|v[aä]litetyn viestin alku|alkaa v[aä]litetty",
    r"转发的邮件|转发邮件|轉寄郵件|轉寄的郵件|转发的消息|已转发邮件|下面是转发的邮件|开始转发的邮件",
    r"転送メッセージ|転送されたメッセージ|転送メール|転送元のメッセージ",
    r"전달된 메시지|전달된 메일|iletilen ileti|iletilmiş mesaj|přeposlaná zpráva|preposlaná správa"
    r"|továbbított üzenet|mesaj redirec[tț]ionat|הודעה שהועברה|رسالة معاد توجيهها",
)

# What stands before the colon in the head of a quoted mail.
FROM = (
    r"from|de|desde|remitente|von|absender|da|mittente|de la|exp[eé]diteur|van|afzender|od|nadawca",
    r"от|отправитель|від|från|avsändare|fra|avsender|afsender|l[aä]hett[aä]j[aä]",
    r"发件人|寄件者|寄件人|发送人|差出人|送信者|from|보낸 사람|보낸사람|발신|kimden|g[oö]nderen|odesílatel",
    r"felad[oó]|expeditor|από|מאת|من|gửi từ|dari|saatja|nuo|no|šalje|pošiljatelj|remetente",
)
TO = (
    r"to|para|an|a|[aà]|pour|destinatario|destinat[aá]rio|destinataire|empf[aä]nger|aan|do|adresat",
    r"кому|to|till|til|vastaanottaja|收件人|收件者|宛先|받는 사람|받는사람|수신|kime|alıcı|komu|pro",
    r"címzett|către|catre|προς|אל|إلى|đến|kepada|untuk|per|adressat",
)
SENT = (
    r"sent|date|fecha|enviado|enviado el|enviada|enviada em|enviado em|data|envoy[eé]|envoy[eé] le",
    r"gesendet|gesendet am|datum|inviato|data invio|verzonden|verzonden op|wys[lł]ano|wys[lł]ane",
    r"data wys[lł]ania|отправлено|дата|надіслано|skickat|skickat den|sendt|dato|sendt dato",
    r"l[aä]hetetty|p[aä]iv[aä]ys|p[aä]iv[aä]m[aä][aä]r[aä]|pvm|发送时间|发送日期|日期|寄件日期|傳送日期",
    r"時間|时间|送信日時|送信日|日時|日付|날짜|보낸 날짜|보낸날짜|gönderme tarihi|tarih|gönderildi",
    r"odesláno|dátum|küldve|elküldve|trimis|ημερομηνία|στάλθηκε|נשלח|תאריך|تاريخ|التاريخ|ngày|tanggal",
    r"dikirim|received|recibido|on",
)
SUBJECT = (
    r"subject|asunto|assunto|objet|sujet|betreff|oggetto|onderwerp|temat|тема|[aä]mne|emne|aihe",
    r"主题|主旨|主題|件名|제목|konu|předmět|predmet|tárgy|subiect|θέμα|נושא|الموضوع|chủ đề|subjek|perihal",
)
OTHERS = (
    r"cc|cco|bcc|reply-to|reply to|responder a|r[eé]pondre [aà]|antwort an|antwoord aan|risposta",
    r"rispondi a|odpowiedz do|kopia|kopie|copia|copie|cópia|копия|копия|kopi|抄送|副本|密件副本|답장",
    r"importance|priority|attachments|anhänge|archivos adjuntos|adjuntos|anexos|pièces jointes",
    r"allegati|bijlagen|załączniki|вложения|bilagor|vedlegg|添付ファイル|附件|organization|message-id",
    r"wichtigkeit|prioridad|importancia|prioriteit|priorit[eé]|ответить|responder para|svar til",
    r"mailed-by|signed-by|resent-from|newsgroups|x-mailer",
)

# Whole lines that programs on telephones and elsewhere add; {device} is free.
SENT_FROM = (
    r"(?:sent|posted|written) (?:from|with|via|by|using|on) .{1,90}",
    r"sent by .{1,60}|from my (?:iphone|ipad|android|mobile|phone|samsung|blackberry).{0,30}",
    r"\S{2,20} from mobile|typed on my .{1,60}|message sent from .{1,60}",
    r"get outlook for .{1,60}|get \[outlook for .{1,90}|download outlook for .{1,60}",
    r"enviado (?:desde|con|por|a partir|atrav[eé]s|via|do|de) .{1,90}|mandado desde .{1,60}",
    r"obtener outlook para .{1,60}|obtenga outlook para .{1,60}|descarga outlook para .{1,60}",
    r"obt[eé]n outlook para .{1,60}|obtenir outlook pour .{1,60}|t[eé]l[eé]charger outlook .{1,60}",
    r"enviad[oa] (?:do|pelo|pela|da|com|via|usando) .{1,90}|obter o outlook para .{1,60}",
    r"baixe o outlook para .{1,60}|obtenha o outlook para .{1,60}",
    r"envoy[eé] (?:depuis|de|avec|[aà] partir de|via|par) .{1,90}",
    r"provenance : .{1,60}",
    r"(?:von|aus|mit|über) .{1,80} gesendet|gesendet (?:von|mit|über|aus) .{1,90}",
    r"diese nachricht wurde von .{1,90} gesendet\.?|outlook für .{1,40} (?:beziehen|herunterladen|abrufen)",
    r"holen sie sich outlook für .{1,40}|laden sie outlook für .{1,60}",
    r"inviato (?:da|dal|con|tramite|dall'|dal mio) ?.{1,90}|scarica outlook per .{1,60}",
    r"ottieni outlook per .{1,60}",
    r"(?:verzonden|verstuurd|verstuurt|gestuurd) (?:vanaf|met|via|vanuit|van|door) .{1,90}",
    r"(?:outlook|download outlook) voor .{1,40} (?:downloaden|ophalen)?|haal outlook voor .{1,60}",
    r"wys[lł]ane? (?:z|ze|za|przez|od) .{1,90}|wys[lł]ano (?:z|ze|za) .{1,90}|pobierz outlook dla .{1,60}",
    r"(?:отправлено|послано|надіслано|відправлено) (?:с|со|из|через|з|із) .{1,90}|скачать outlook .{1,60}",
    r"skickat fr[aå]n .{1,90}|s[aä]nt fr[aå]n .{1,60}|h[aä]mta outlook för .{1,60}",
    r"skickades fr[aå]n .{1,60}|skickat med .{1,60}|skickat via .{1,60}",
    r"sendt (?:fra|med|via|af) .{1,90}|(?:hent|få|last ned) outlook (?:for|til) .{1,60}",
    r"l[aä]hetetty .{1,90}|hanki outlook .{1,60}|lataa outlook .{1,60}",
    r"(?:从|從|自|由)\s?(?:我的)?.{1,40}(?:发送|發送|傳送|寄出|发出).{0,10}|发自\s?.{1,60}|發自\s?.{1,60}",
    r"(?:使用|通过|透過).{1,30}(?:发送|傳送|发出)|获取\s?outlook.{1,60}|取得\s?outlook.{1,60}|来自.{1,30}邮箱",
    r".{1,30}から送信(?:されました|しました)?。?|.{1,30}より送信|outlook for .{1,20}\s?を入手.{0,60}",
    r"나의 .{1,40}에서 보냄|.{1,40}에서 보냄|.{1,40}에서 보낸 메일|.{1,40}(?:'den|’den|dan) gönderildi",
    r"odesl[aá]no (?:z|ze) .{1,60}|odoslan[eé] (?:z|zo) .{1,60}|trimis (?:de pe|din|de la) .{1,60}",
    r"k[uü]ldve .{1,60}|.{1,40}(?:b[oó]l|r[oó]l) k[uü]ldve|στάλθηκε από .{1,60}|נשלח מ.{1,60}",
    r"dikirim dari .{1,60}|được gửi từ .{1,60}|gửi từ .{1,60}|أُ?رسلت? من .{1,60}|enviat des d.{1,60}",
)
"""Lines of which the whole says only with what the mail was sent."""

LEGAL = (
    r"confidential(?:ity)?|intended (?:recipient|solely|only)|privileged|received (?:this|it) in error",
    r"notify the sender|unauthori[sz]ed|disclaimer|virus(?:es)?|disclos(?:e|ure)",
    r"confidencial(?:idad)?|destinatari[oa]s?|por error|notif[ií]que|prohibid[oa]|divulgaci[oó]n",
    r"confidencial(?:idade)?|destinat[aá]rio|por engano|proibid[ao]",
    r"confidentiel(?:le|s|lit[eé])?|destinataire|par erreur|avertir l'exp[eé]diteur|interdite?",
    r"vertraulich(?:e|en|er)?|empf[aä]nger|irrt[uü]mlich|vernichten|unbefugt|nicht gestattet",
    r"riservat[aeio]|destinatario|per errore|vietat[ao]|confidenziali?",
    r"vertrouwelijk(?:e)?|geadresseerde|bestemd voor|abusievelijk|niet toegestaan",
    r"poufn[ea]|adresat(?:a|em)?|omy[lł]kowo|zabronione",
    r"конфиденциальн\w*|получател\w*|по ошибке|запрещен\w*",
    r"konfidentiell\w*|konfidensiell\w*|fortrolig\w*|mottagaren|mottakeren|modtageren|luottamuksell\w*",
    r"机密|保密|收件人|未经授权|機密|秘密|受信者|誤って|第三者",
)
"""Words of the small print under business mail; several of them together make it."""

SPEAKS_OF_ITSELF = (
    r"(?:aviso|nota) (?:legal|de confidencialidad\w*)|advertencia legal|confidentiality (?:notice|note)",
    r"legal (?:notice|disclaimer)|disclaimer|aviso de confidencialidade|avis de confidentialit[eé]",
    r"(?:rechtlicher|vertraulichkeits)\s?hinweis|avviso di riservatezza|nota di riservatezza",
    r"(?:this|the (?:information|contents?)(?: contained)? (?:in|of) this)"
    r" (?:e-?mail|message|communication|transmission)",
    r"(?:este|el presente) (?:mensaje|correo|e-?mail)|esta (?:comunicaci[oó]n|mensagem)",
    r"este e-?mail|a presente mensagem|as informa[cç][oõ]es contidas nest[ae]",
    r"(?:ce|le pr[eé]sent) (?:message|courriel|mail)|cet e-?mail|les informations contenues dans ce",
    r"dies(?:e|er) (?:e-?mail|nachricht|mitteilung)|diese mail|der inhalt dieser (?:e-?mail|nachricht)",
    r"(?:questo|il presente) (?:messaggio|documento)|questa (?:e-?mail|comunicazione)"
    r"|le informazioni contenute in quest[ao]",
    r"dit (?:e-?mail)?bericht|deze e-?mail|de informatie in (?:dit|deze)",
    r"(?:ta|niniejsza) (?:wiadomo[sś][cć]|korespondencja)|niniejszy e-?mail|tre[sś][cć] tej wiadomo[sś]ci",
    r"(?:это|данное|настоящее) (?:сообщение|письмо)|информация в (?:этом|данном)",
    r"(?:detta|denna) (?:e-?post|meddelande|mejl)\w*|denne (?:e-?posten?|meldingen?|meddelelse|mail)",
    r"t[aä]m[aä] (?:s[aä]hk[oö]posti|viesti)|(?:本|此)(?:电子)?(?:邮件|郵件|メール)|このメール",
)
"""How small print begins: with itself."""

PRINTING = (
    r"before (?:you )?print\w*|(?:need to|do not|don['’]t) print|antes de imprimir|no imprima",
    r"avant d['’]imprimer|n['’]imprim(?:ez|er)|bevor .{0,30}drucken|nicht (?:aus)?drucken",
    r"prima di stampare|non stampare|voordat .{0,30}(?:print|afdruk)\w*|zanim .{0,12}wydruk\w*",
    r"прежде чем .{0,20}печат\w*|перед (?:печатью|тем).{0,20}печат\w*|innan .{0,20}skriver ut",
    r"f[oø]r .{0,20}(?:skriver? ut|udskriver?)|ennen .{0,20}tulost\w*|打印|印刷",
)
PAPER = (
    r"environment|this (?:e-?mail|message)|(?:medio )?ambiente|este (?:correo|mensaje|e-?mail)|natureza",
    r"esta mensagem|environnement|ce (?:mail|message|courriel)|umwelt|diese (?:e-?mail|mail|nachricht)",
    r"questa e-?mail|questo messaggio|milieu|dit bericht|deze e-?mail|[sś]rodowisk\w*|t[eę] wiadomo[sś][cć]",
    r"природ\w*|окружающ\w*|это письмо|milj[oö]n|milj[oø]et|ymp[aä]rist[oö]\w*|环境|环保|環境",
)
"""The request not to print a mail: a word of each, in a line of its own."""

VIRUS_FREE = (
    r"virus-?free|free (?:of|from) virus(?:es)?|(?:libre|livre|isento|sans|priva) (?:de |di )?v[ií]rus",
    r"virenfrei|virusvrij|woln[ay] od wirus[oó]w|не содержит вирусов|(?:scanned|checked) for viruses",
    r"auf viren (?:gepr[uü]ft|untersucht)|analis[ae]do|gecontroleerd op virussen",
)
SCANNERS = (r"(?:avast|avg|norton|avira|eset|mcafee|kaspersky)\.com", r"sig-email", r"anti-?virus")
"""What programs against viruses add: a word of each."""

FROM_OUTSIDE = (
    r"(?:originat\w+|sent|comes?|came|received) (?:from )?outside|external (?:e-?mail|sender|message|source)",
    r"do(?: not|n['’]t) click|unless you (?:recogni[sz]e|trust|know)|open(?:ing)? attachments|be (?:careful|cautious)",
    r"(?:correo|remitente|mensaje) externo|(?:fuera|exterior) de (?:la|su|nuestra) (?:organizaci[oó]n|empresa)",
    r"no (?:haga|pulse|abra)\b.{0,40}(?:enlaces?|clic|adjuntos)|(?:fora|exterior) d[ao] (?:sua )?organiza[cç][aã]o",
    r"n[aã]o clique|(?:courriel|exp[eé]diteur|message) externe|(?:ext[eé]rieur|dehors) de (?:l['’]|votre )"
    r"(?:organisation|entreprise)|ne cliquez pas",
    r"externe[rn]? (?:e-?mail|absender|nachricht)|von au[sß]+erhalb|(?:keine|klicken sie nicht).{0,30}"
    r"(?:links?|anh[aä]nge)|e-?mail esterna|mittente esterno|non (?:cliccare|aprire)",
    r"externe? (?:afzender|e-?mail)|buiten (?:de|uw|onze) organisatie|klik niet|externt? (?:mejl|e-?post|mail)",
    r"(?:don['’]t|do not) often (?:get|receive) e-?mail|(?:learn|erfahren sie,?|descubra|d[eé]couvrez)"
    r" (?:why this|warum dies|por qu[eé] esto|pourquoi ceci)|LearnAboutSenderIdentification",
    r"no suele recibir correo|erhalten nicht h[aä]ufig e-?mails|n['’]obtenez pas souvent d['’]e-?mail",
    r"spoza organizacji|nie klikaj|внешн\w+ (?:отправител\w+|письмо)|не (?:переходите|открывайте)|外部邮件|外部メール",
)
"""What the banner says that a relay puts above mail from outside; two of these make it."""

WARNS = (
    r"caution|warning|attention|notice|precauci[oó]n|atenci[oó]n|advertencia|aviso|aten[cç][aã]o|cuidado",
    r"achtung|vorsicht|hinweis|avertissement|prudence|attenzione|let op|uwaga|внимание|varning|advarsel|注意",
)
"""How such a banner begins; then one of these is enough."""

GOODBYE = (
    r"(?:best|kind|warm|many|with)?\s*(?:regards|wishes|thanks)|thank you|cheers|sincerely|yours|thx",
    r"saludos|un saludo|atentamente|gracias|cordialmente|un abrazo",
    r"atenciosamente|obrigad[oa]|abra[cç]os?|cumprimentos|cordialement|merci|bien [aà] vous",
    r"mit freundlichen|viele gr[uü][sß]|gr[uü][sß]|liebe gr[uü][sß]|lg|mfg|vg|danke",
    r"cordiali saluti|saluti|grazie|met vriendelijke|groet(?:en|jes)?|mvg|bedankt",
    r"pozdrawiam|z powa[zż]aniem|dzi[eę]kuj|с уважением|спасибо|с наилучшими",
    r"med v[aä]nlig|v[aä]nliga|h[aä]lsningar|mvh|hilsen|med venlig|vennlig|tack|takk|tak",
    r"yst[aä]v[aä]llisin|terveisin|kiitos|此致|谢谢|祝好|よろしく|ありがとう|敬具",
)
"""How people end a mail."""
