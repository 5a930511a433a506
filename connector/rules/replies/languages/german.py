"""German replies; umlauts arrive as their plain letters, or as people type them with an e."""

# ruff: noqa: E501  (a phrase is one line)
from __future__ import annotations

from typing import Final

GROUPS: Final = {
    "news": "sms nachricht nachrichten nachichten msg werbung werbe werbesms werbenachrichten text"
    " texte mitteilungen mitteilung angebote angebot newsletter infos spam post mails nachr"
    " benachrichtigungen benachrichtigung zusendungen zusendung kontakt kontaktaufnahme meldungen"
    " info anrufe smsen werbemails mull mist scheiss scheisse zeug kram aktionen rundnachrichten",
    "send": "schreib* schick* send* kontaktier* anschreib* angeschrieben belastig* belaestig* nerv*"
    " stor* stoer* melde* anruf* zusend* zuschick* text* bombardier* ruf* meldet gemeldet",
    "more": "mehr wieder weiter weitere weiteren weiterhin nie_wieder nimmer",
    "remove": "losch* loesch* streich* entfern* nehmen nehmt nimm nehm trag* tragt austrag* abmeld*"
    " schmeiss* werf* wirf",
    "list": "liste listen verteiler verteilers datei datenbank kartei system adressbuch newsletter"
    " kontakte kontakten datensatz daraus raus heraus gruppe",
    "number": "nummer nummern nr handynummer telefonnummer handynr tel daten mobilnummer kontakt"
    " kontaktdaten name namen rufnummer",
    "want": "will mochte moechte wunsche wuensche wollen mochten moechten wuensch brauche brauch"
    " wunschen wollte benotige mag brauchen",
    "thing": "bestellung bestellungen termin termine auftrag reservierung buchung vertrag abo flug"
    " tisch reise kurs lieferung artikel mitgliedschaft karte konto zimmer fahrt anmeldung_zum",
}

WRONG: Final = """
sich|euch|dich ~3 nummer geirrt|vertan|verwahlt|vertippt|verwahlt
in der nummer
hier ist ~1 nicht ~3
bin ich nicht $
ich bin @ nicht
gar nicht ~1 @
jemand|wen andere*|anders ~1
gehort|gehoert ~1 jemand|nun|inzwischen|jetzt ~2
habe|hab diese|die nummer ~1 erst|neu|seit
neue nummer|besitzer|inhaber
meinen|meint|suchen|sucht ~3 anderen|andere|falsche*|falschen
@ ist|hat|wohnt|arbeitet ~3 nicht_mehr|verstorben|gestorben|neue_nummer|ausgezogen|umgezogen
wer ist @
falsche|falschen|falscher|verkehrte nummer|nr|person|telefonnummer|handynummer|empfanger|ansprechpartner|adressat|mann|frau
falsch verbunden
nummer ~2 falsch|falsche
verwahlt|verwaehlt
ich bin nicht|kein ~2 @
bin|ist nicht ~2 @
ich bin nicht|ned die|der ~1 person|richtige|inhaber|besitzer
nicht ~1 richtige|der_richtige|die_richtige ~1
nicht die|der|mehr ~3 nummer|handy|telefon|nr|handynummer|anschluss
nicht ~1 nummer von
nummer|anschluss|handy|nr ~1 gehort|gehoert ~4 nicht|mir|jemand
gehort|gehoert ~2 nicht|nimmer
gehort|gehoert jemand|jetzt ~1 anderem|anderen|mir
hier|es ~2 gibt|wohnt|ist|arbeitet ~2 kein|keine|keinen|niemand ~2 @|namens|mit
hier gibt|wohnt|lebt|arbeitet|heisst ~2 kein|keine|keinen|niemand|nicht
gibt|wohnt|arbeitet ~1 kein|keine|keinen|nicht|niemand|nicht_mehr ~1 hier|@
wohnt|arbeitet nicht_mehr|nicht hier
kenne|kenn ~1 keinen|keine|kein|niemanden ~2
kein|keine @ hier
niemand ~2 diesem|dem|namen ~1 namen
heisse|heiss nicht
mein name ist nicht
nicht mein name
verwechsel*
verstorben|gestorben|tot
nicht mehr am leben
irrtum ~2 nummer|nr|falsch*|person
sich|euch|dich ~2 geirrt|vertan|verirrt
neue|andere nummer ~5 nicht
hat ~1 neue|andere nummer
nummer gewechselt
nicht mehr ~1 handy|nummer
sie suchen|meinen jemand|jemanden|wen
jemand anderes|anders|anderen|anderem
"""

NEGATED: Final = """
nicht|niemals|nie|nie_mals aufhoren|aufhoeren|stoppen|abmelden|kundigen|stornieren|absagen|loschen|auf ~1 $
nicht|niemals|nie aufhoren|aufhoeren|stoppen|abmelden|kundigen|stornieren|absagen|abbestellen
hort|hor|horen|hoert ~3 nicht|nie|niemals auf
kann|konnte|konnen ~2 nicht aufhoren|aufhoeren|mehr_aufhoren
bloss|nur nicht aufhoren|abmelden|stornieren
nicht auf
"""

MEANT: Final = """
warum|wieso|wann|wenn hort|horen|hoert|hor ~2 nicht|endlich|nie auf
kann|konnte mich nicht abmelden|austragen|abbestellen
abmelden|abmeldung|austragen|abbestellen ~1 geht|funktioniert|klappt nicht
"""

BESIDE: Final = """
storn*|absag*|kundig*|kuendig*|abbestell*|losch*|abbrech* ~2 {thing}
{thing} ~4 stornier*|absag*|kundig*|kuendig*|losch*|streich*|canceln|abbestellen|beenden
nachste|naechste|letzte|erste|haltestelle ~2 stopp|stop
stopp|stop der|von|am|in|bei
ruf*|ruft|anrufen ~1 ~2 nicht ~2 an|lieber|schreib* ~2 schreib*|sms|lieber|sondern
bitte? nicht anrufen ~2 schreib*|sms|lieber|nur
{send} ~4 nicht ~1 vor|nach|bis|um|wahrend|am|im|zwischen|heute|morgen|nachts|so_fruh
ende gut|januar|februar|marz|april|mai|juni|juli|august|september|oktober|november|dezember
melde mich ~1 wieder|spater|dann|morgen
mich anmelden
"""

#: Asks how we came to the number: no wish yet, and a person had better answer.
ASKING: Final = """
woher|wo|wie ~5 meine ~1 nummer|daten
"""

#: Stop words and refusals that are none.
HARMLESS: Final = """
nicht schlimm|wichtig|mehr_kommen|warten|da|zu_hause
^ ~1 noch nicht $
nicht ~1 zu_hause|zuhause|da|sicher
am|zum|bis|gegen|das ende ~1 der|des|vom|woche|monat|monats|jahr|juni|mai|april
ende der|des
kein|keine problem|thema|stress|ding|sorge|ahnung|eile
habe|hab|hat|haben ~2 kein|keine|keinen ~2 bekommen|erhalten|gekriegt
^ nein ~1 das|ich|der|die|es|am|um|lieber|heute|morgen
"""

OUT: Final = """
nie wieder {news}|was|melden|schreiben|kontaktieren|anrufen
bitte? aus ~2 kundenliste|liste|kundendatei|system|adressliste|kartei|kontakten|datenbank
kundenliste|verteilerliste|kundendatei ~2 losch*|streich*|entfern*
stop|stopp|stoppt ~2 {news}
satt|leid ~2
mir reichts
lass*|lasst ~3 bleiben|sein|gut_sein
{want} ~3 loschen|raus|weg|nichts_mehr
finger weg
weg mit
verschon* ~1 mich|uns
nicht ~2 abonniert|bestellt|angefordert|gewunscht|erwunscht
nichts ~3 wissen|horen|zu_tun
stop|stopp|stoppt|stoppen ~4 {news}|bitte|jetzt|sofort|mit|das|alles|werbung|danke
stoppt|stoppen|stoppe ~1 das|es|die|diese|sie
^ stoppen|stoppt|stop|ende|beenden|aufhoren|aufhoeren|austragen|abbestellen|abmelden|abmeldung|kundigen|kuendigen|kundigung|loschen|loeschen|loschung|widerruf|entfernen|storno|schluss|genug|aus|unterlassen|abbruch|streichen|abstellen|raus jetzt|sofort|bitte|endlich|das|mich|hier|alles|davon|damit? $
bitte|jetzt|endlich|sofort stop|stopp|aufhoren|aufhoeren|abmelden|austragen|loschen|beenden
melden|melde|meldet ~1 mich|uns|meine ~4 ab|aus
mich|uns|nummer|hier|sms|davon|wieder|alles ~3 abmelden|abzumelden|austragen|abgemeldet|loschen|loeschen|entfernen|streichen|ausgetragen|rausnehmen|geloscht|abbestellen
abmelden
abmeldung
wie|wo ~4 melde|meld|bestell*|stell*|werde|komm*|kann|deaktivier*|block* ~7 ab|los|aus|raus|abmelden|abstellen|abbestellen|austragen|deaktivieren|mehr|loschen|blockieren|stoppen|kundigen
abbestell*
bestell*|bestelle|bestellt ~5 ab
trag*|tragen|tragt ~3 aus
austrag*|auszutragen|rausnehmen|herausnehmen
stell*|stellen|stellt ~5 ein|ab
einstellen
bitte kundig*|kuendig* ~4 {news}|newsletter
kein|keine|keinen|keinerlei|nie|nix|nichts|ohne|k ~3 {news}|mehr ~3 mehr|bitte|weiter*|senden|schick*|schreib*|erhalten|bekommen|haben|von_euch|von_ihnen|erwunscht|wieder
^ ~2 keine|kein|keinen|keinerlei ~2 {news} ~1 $
keine weiteren|weitere ~2
nichts|nix mehr ~4
{send} ~3 nicht|nie|nichts|nix|nimmer ~2 mehr|wieder|weiter|an
{send} ~4 nie_wieder|nichts_mehr|nicht_mehr|nimmer|keine|nie_mehr
{send} ~4 keine|kein|keinen|keinerlei ~3 {news}|mehr|weiter*
nicht|nie|niemals|nichts|keinesfalls ~2 mehr|wieder|weiter ~3 {send}|anschreiben|kontaktieren|kontaktiert|belastigt|gestort|erhalten|bekommen|horen|schreiben
nicht|nie mehr anschreiben|schreiben|kontaktieren
mir|mich nie|nicht|niemals wieder|mehr
{want} ~4 nicht|nichts|keine|keinen|kein|nie|nix|keinerlei ~4 mehr|erhalten|bekommen|haben|horen|{news}|empfangen|kontaktiert|angeschrieben|wieder|weiter*|zu_tun
{want} ~3 nicht ~4 {news}
{want} ~4 raus|abmelden|loschen|abbestellen|austragen|ausgetragen|geloscht|aufhoren
kein|keinen|null bock|kb|lust ~2 mehr|auf
^ kb ~5 mehr
lass*|las|last|lasst ~2 mich|uns ~3 ruhe|frieden
in ruhe
lass*|lasst|last ~1 das|es|mich ~1 $
hort|hor|horen|hoert|hoer|hoeren ~3 auf ~4
hort|hor auf
aufhoren ~1 mit|zu|mir
aufhoren $
aufzuhoren
reicht|langt ~1 jetzt|langsam|mir|es|$
es|jetzt|mir|das reicht|langt ~2
jetzt reichts
reichts
schluss ~1 jetzt|damit|mit|aus|ende|$
genug ~1 von|jetzt|mit|davon|werbung|damit|$
hab genug
die|der nase|schnauze voll
satt
{remove} ~5 {list}|{number}|verteiler
{remove} ~3 mich|uns|meine|meinen|alles
losch*|loesch* ~2 mich|meine|alle|diese|$
streich*|entfern* ~2 mich|meine|uns
nehm*|nimm ~3 raus|heraus|aus|von|vom|runter
aus ~2 verteiler|liste|datenbank|kartei ~3
von ~2 liste|verteiler ~2
mich|nummer raus|rausnehmen|loschen|streichen
raus ~1 aus|hier
verges* ~2 {number}|mich
nie|nicht|niemals|nirgends|nichts ~4 angemeldet|bestellt|zugestimmt|eingewilligt|angefordert|abonniert|registriert|gebeten|beantragt|erlaubt|eingetragen|verlangt|interessiert_an_euren|gewollt|genehmigt|subscribed
keine|keinerlei|ohne|nie ~2 einwilligung|zustimmung|erlaubnis|genehmigung|einverstandnis
widerruf*|wiederruf*|widersprech*|widersprich*|widerspruch
unterlass*|unterlasst|untersag*|verbiete|verbitte
zeige|zeig ~4 an
anzeig*|anzeige $
anzeige ist|erstattet|gegen
melde*|gemeldet|meld ~5 spam|bundesnetzagentur|polizei|verbraucherschutz|verbraucherzentrale
bundesnetzagentur|verbraucherzentrale|anwalt|dsgvo|datenschutz|abmahnung|rechtsanwalt
als spam ~1
das|ist|nur|alles|reiner ~1 ist? spam|belastigung|belaestigung|terror|stalking
belastig*|belaestig*
^ ~1 spam $
hau|haut|verpiss*|verzieh*|verzieht|fick*|leck*|geh|geht|schleich* ~1 ab|euch|dich|mich|weg|sterben|sich
verpiss*|fickt|fick
halt*|halts|haltet ~2 maul|klappe|schnauze|fresse
nerv* ~1 nicht|mich_nicht ~2
block*|sperr*|blockiert|geblockt ~3 nummer|euch|sie|dich|sofort|jetzt|$
geblockt|blockiert|gesperrt
kein|keinerlei interesse ~6 losch*|loesch*|streich*|abmeld*|mehr|aufhor*|{news}|stop|stopp|unterlass*
nicht interessiert ~6 losch*|mehr|aufhor*|stop|stopp|{news}
gesagt|geschrieben|gebeten|geantwortet|geschickt|gesendet ~3 stop|stopp|aufhoren|abmelden
schon|mehrfach|bereits|dreimal|zweimal|oft|mal ~2 stop|stopp|abgemeldet|abbestellt|geschrieben|gesagt
brauche|brauchen|brauch ~3 nicht|nichts|keine ~2 mehr
deaktivier*|abstell*|abschalt*|ausschalt* ~2
"""

UNCLEAR: Final = """
kundigen|kuendigen|stornieren|absagen|storno
^ ~2 wer ~1 ist|bist|sind|seid|schreibt|spricht|da|zum ~4 $
^ wer da|das|dort ~1 $
^ ~1 nein|ne|nee|no|nie|nope|niemals|nicht|neee|nei ~1 $
^ ~1 nein|nee|ne danke|dankeschon|vielen|besten ~2 $
nein danke
kein|keinen|keine|null interesse|interessen|bedarf|bock|lust
nicht|net|ned ~2 interessiert|interesse
interessiert mich|uns ~1 nicht|net
^ ~2 will|mochte|brauche ~1 ich? ~1 nicht|nichts|nix $
^ ~1 brauche|brauch ~2 nicht $
woher|wo ~4 meine|diese|die ~1 {number}
wie ~4 meine|an_meine ~1 {number}
warum|wieso|weshalb|was ~3 {send}|bekomme|kriege|krieg|erhalte
was|wat soll|wollen|willst|wollt|will ~1 das|der|dieser|sie|ihr|du|die|von
^ ~1 was ist das ~1 $
ist|sind|klingt ~3 spam|betrug|fake|abzocke|serios|phishing|scam
betrug|abzocke|betruger|spam|scam
^ ~1 nervig|nervt|nervend|lastig|aufdringlich|boah|oje|och|puh|hae|ha ~2 $
nervt|nerven|nervig|nervst|lastig|penetrant|aufdringlich|unverschamt*|frechheit
schon wieder ~2 ihr|sie|ne|eine|werbung|$
^ ~1 schon wieder ~1 $
zu|so viele ~1 {news}
zu oft
scheisse|scheiss|arsch|arschloch|verdammt|idioten|wichser|verarsch*
kenne|kenn ~2 nicht
ruf* ~3 nicht ~1 an
nicht anrufen
jetzt|momentan|derzeit nicht $
unerwunscht*|ungebeten*
werbung
^ kein $
"""
