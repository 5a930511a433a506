"""Italian replies."""

# ruff: noqa: E501  (a phrase is one line)
from __future__ import annotations

from typing import Final

GROUPS: Final = {
    "stop": "basta smett* smet* ferma fermate fermatevi fermati fermare interromp* cessate cessi"
    " cessare smetta finitela finiscila piantatela piantala sospend* evitate finite",
    "send": "scriv* mandat* mandar* mandi mandino manda inviat* inviar* invii invia contatt* disturb*"
    " infastid* rompe* rompi* molest* chiam* mess* assill* tormenta* stress* spamm* tempest*"
    " importun* cerca* rompa*",
    "news": "messaggio messaggi messagi msg mess sms mms testo pubblicita promozione promozioni promo"
    " offerta offerte spam niente nulla comunicazione comunicazioni notifica notifiche avviso"
    " avvisi newsletter mail questi questo roba altro informazioni_pubblicitarie reclame nessuno"
    " cazzate marketing",
    "not": "non nn mai no n",
    "want": "voglio vorrei desidero intendo gradisco vogliamo desideriamo accetto gradirei autorizzo"
    " volevo vojo interessa_ricevere desideri serve servono",
    "remove": "togli* tolg* rimuov* cancell* elimin* lev* depenn* escl* rimoz* rimuover* tolt*",
    "list": "lista liste rubrica elenco database contatti archivio archivi gruppo mailing sistema"
    " registro banca_dati dati",
    "number": "numero numeri num nr telefono cellulare cell contatto recapito nominativo nome dati",
    "thing": "ordine ordini lordine appuntamento lappuntamento prenotazione prenotazioni visita"
    " consegna volo viaggio tavolo lezione corso contratto acquisto conto carta spedizione"
    " biglietto biglietti seduta servizio abbonamento_palestra esame richiesta",
}

WRONG: Final = """
sono @ non
{not} e piu|il|un ~1 suo|numero
{not} sono ne|io|lui|lei|quello|quella ~1
chi e @
@ non ~1 abita|vive|lavora|ha|usa|e
@ e mort*|decedut*|mancat*
avete|ha|hai ~1 chiamato|contattato|scritto ~2 persona|numero sbagliat*
questo numero e|appartiene ~2 di|a ~1 unaltra|altra|altro|qualcun
qualcun altro
numero ~1 di qualcun|unaltra|altra
numero|num|nr|persona|telefono|destinatario|contatto sbagliat*|errat*|scorrett*
sbagliat* ~1 numero|persona|num|destinatario|contatto
sbagli* numero|persona|num|di_persona
state|sta|stai ~1 sbagliando
errore di numero|persona
cerca|cercate|cerchi un_altro|unaltra|altra|altro|unaltra ~1
{not} sono ~3 @
{not} sono io|quella|la|il|lintestatari*|questa ~1 persona|signor*|che|chi|proprietari*|titolare|$
{not} sono la|il|lo signor*|sig|dott*
{not} e ~3 numero|telefono|cellulare|cell ~1 di|della|del|suo
{not} e|appartiene piu ~4 numero|telefono|cellulare|di|a|suo
questo numero|telefono|cellulare|cell ~1 {not}
questo numero ora|adesso|e_ora
numero {not} appartiene|e
{not} appartiene|corrisponde piu|a
{not} conosco|conosciamo ~1 nessun|nessuna|nessuno|questa|quest|alcun*|@
{not} so chi sia|e @|questa|questo
qui|{not} ~1 {not}|ce ~1 ce|abita|vive|lavora|esiste|ce_nessun ~1 nessun|nessuna|nessuno|@|piu
{not} ce nessun|nessuna|nessuno|@
{not} abita|vive|lavora piu|qui|@
nessuno ~3 questo|con_questo|quel nome
{not} mi chiamo
mio nome non
non e il mio nome
ha|hanno cambiato numero|num|telefono
e|mancat*|decedut*|mort* mancat*|decedut*|mort*|venut*
decedut*|defunt*
ora e mio|intestato
unaltra|altra persona
mi confond*|scambi* ~1 per|con
"""

NEGATED: Final = """
{not} fermatevi|fermarti|fermati|smettete|smettetela|smetterla|smetti|annullate|annullare|annullato|cancellate|cancellatemi|cancellare|disdite|disdire|annulli|cancelli|interrompete|basta ~1
{not} riesco|posso|voglio ~1 a? smettere|fermarmi|annullare|disdire|cancellare|farne
"""

MEANT: Final = """
{not} la smette*|smetti|finite ~1
se|perche ~1 {not} ~2 smett*|ferm*|cancell*
{not} riesco a ~1 disiscriv*|cancellarmi|togliermi|disattiv*
"""

BESIDE: Final = """
annull*|cancell*|disdi*|elimin*|togli*|disdett*|rimuov* ~3 {thing}
{thing} ~2 annull*|cancell*|disdi*
{not} ~1 chiam* ~1 scriv*|mand*|meglio|messaggio|sms|preferisco
{not} ~1 {send} ~3 prima|dopo|fino|durante|oggi|domani|finche|di_notte|mentre|tra|la_domenica|in_orario
ferma qui|il|la|treno|lautobus|a
"""

#: Asks how we came to the number: no wish yet, and a person had better answer.
ASKING: Final = """
come|dove|chi ~4 mio|questo numero|contatto
"""

#: Stop words and refusals that are none.
HARMLESS: Final = """
{not} so|ho_capito|capisco|posso|riesco_a_venire ~1
fine settimana|mese|anno|giornata|saldi
alla fine
fermata
{not} ancora ~1 $
nessun|nessuna problema|fretta|dubbio
^ no preferisco|e|il|la|lo|ho|posso|va|domani|so|lho
"""

OUT: Final = """
{not} ~1 {send}|inviare|mandare|scrivere|contattare ~1 piu
essere|venire contattat*|disturbat*|tolt*|rimoss*
vi|ti|la prego|chiedo|supplico|ordino ~2 {not}|basta|smett*|cancell*|togli*|rimuov*
stanc*|stuf* ~2
piantatela|piantala
che non ~2 mandiate|scriviate|contattiate
diffid*
{stop} ~3 {send}
{stop} ~3 {news}
^ ~2 {stop} ~1 $
^ {stop}|stop|annulla*|annullare|cancella*|cancellare|cancellazione|rimuovi|rimuovere|disiscriv*|disiscrizione|disattiva*|termina|terminare|esci|uscire|elimina|eliminare|fine_messaggi|disdici|disdire|disabilita|rimuovimi|revoca|revoco ~1 subito|grazie|per_favore|favore|tutto|ora|adesso|please|cortesemente|iscrizione? $
la ~1 smett* ~3
smettila|smettetela|smettete|smetta|smettere|finitela|piantatela ~1
ora|adesso|allora|ho_detto|dire|detto|e|ma basta ~2
^ ~2 basta ~4 $
basta ~1 con|messaggi|sms|spam|pubblicita|scriv*|cosi|davvero|mandar*|grazie|per_favore|rompere
fermate|ferma|interromp*|bloccate ~2 {news}|linvio|invio
detto|chiesto|scritto|richiesto ~3 smettere|basta|stop|di_no|cancell*|togli*|non_scriv*|di_non
{not} ~2 {send} ~3 piu|mai|niente|nulla|{news}
{not} ~1 {send} $
{not} ~1 mi|ci|vi ~1 {send} ~3 piu|mai|niente|nulla|$
{not} ~1 disturb*|infastid*|romp*|assill*|contattatemi|molest*|stress*
mai piu ~2
piu nulla|niente|nessun|messaggi|sms
{not} ~2 {want} ~3 piu|ricever*|{news}|essere|sentir*|saper*|che_mi|avere|niente_da
{not} ~2 {want} ~2 {news}
{not} ~1 piu ~1 {news}|ricever*|contattat*
{not} ~2 ricever* ~2 piu|{news}|nulla|niente|altri|altro
niente|nessun|nessuna|nessunaltro ~2 piu|altro|altri|altra ~2
niente|nessun|zero|no|stop ~1 {news} ~2
stop a|ai|con|agli|messaggi|sms|grazie|per_favore
togli*|togliete*|tolga* ~1 mi|il|dalla|questo|dal|da ~4
toglimi|toglietemi|toglietemmi|toglierci|toglieteci|toglietelo|levami|levatemi|cancellami|cancellatemi|cancellarmi|cancellateci|eliminatemi|eliminami|eliminarmi|rimuovimi|rimuovetemi|rimuovermi|escludetemi|depennatemi|togliermi|rimovetemi|toglieteme|mi_tolga|mi_tolgano|mi_cancelli|mi_rimuova|mi_elimini|disiscrivimi|disiscrivetemi|disiscrivermi
mi|ci ~1 tolg*|togli*|cancell*|elimin*|rimuov*|lev*|disiscriv*|esclud* ~6
{remove} ~3 {number} ~2
{remove} ~3 {list}
chied*|chiedo|prego|prega|pregasi|gradirei|vorrei|richiedo ~4 togli*|rimoz*|cancell*|rimuov*|elimin*|non_contatt*|non_ricever*|essere_rimoss*|essere_cancellat*|essere_tolt*
si prega ~2 {not}|cancell*|rimuov*
essere rimoss*|cancellat*|tolt*|eliminat*|contattat*
disiscri*|dissiscri*|disicriv*|desiscriv*|deiscriv*
disdi*|annull*|cancell*|disattiv*|blocc*|sospend*|interromp*|disabilit* ~4 {news}|iscrizione|liscrizione|abbonamento|servizio_sms|linvio|invio|sottoscrizione
annullare|cancellare iscrizione
come ~5 disattiv*|disiscriv*|cancell*|togli*|blocc*|ferm*|elimin*|uscire|smettere|disdi*|{not} ~4 {news}|piu|lista|ricever*|mi|$
come ~4 {not} ricever*
uscire|esco|uscirne ~3 {list}|da_questa|da_qui
lasci* ~2 pace|stare|perdere|in_pace
lasciatemi|lasciami|lasciateci|lasciaci ~2
mi|ci lasci|lasciate|lascia in|stare|pace
in pace
and* ~3 via|quel|cagare|quel_paese|affanculo|diavolo
vai|vada|andate|vaffanculo|fanculo|affanculo|vattene|sparisci|sparite|vaffa a|via|al|affanculo ~1
vaffanculo|fanculo|affanculo|vattene|sparisci|sparite|vaffa
a quel paese
dimentic* ~3 {number}|mi|di_me|dime
dimenticatemi|scordatevi|scordati
perdete|perdi|butta* ~1 mio {number}
mai|non|nn ~4 iscritt*|registrat*|chiest*|autorizzat*|acconsentit*|dato|richiest*|abbonat*|sottoscritt*|accettat*|prestat*|firmat*
mai|senza|nessun ~3 consenso|autorizzazione|permesso
revoc*|ritir* ~4 consenso|autorizzazione|permesso
revoco
denunc*
vi|la|ti|li|lo|questo|gia|e ~1 segnal*|denunc*|blocc*|querel*
segnal* ~5 spam|garante|polizia|postale|agcom
garante|polizia|carabinieri|avvocato|gdpr|agcom|privacy|querela
bloccat*|blocco $
come spam
e|solo|questo|e_uno|tutto spam|molestia|molestie|stalking
molestia|molestie|stalking|persecuzione
^ ~1 spam $
{not} ~1 interess* ~3 {send}|{remove}|smett*|basta|piu|cancell*|togli*
stanc*|stuf* ~2 di|dei|delle|con|questi
rompere ~2 scatole|palle|coglioni|balle|cazzo
{not} ~2 serve|servono|necessito|bisogno piu
{not} ~2 piu ~2 vostr*|messaggi|comunicazioni
interrompere ~2
desisto|desistete|astenet* ~1
"""

UNCLEAR: Final = """
annullare|annullo|disdire|disdico|annulla
^ ~2 chi|ki e|sei|siete|parla|scrive|ti|saresti|cazzo|e_lei|sarebbe|diavolo ~1 $
con chi ~1 parlo|sto
^ ~1 {not}|nope|nono|niente|assolutamente_no ~1 $
^ ~1 no|nn grazie|graz|grz ~2 $
no grazie
{not} ~3 interess*
nessun interesse
^ ~1 {not} ~1 voglio|ne_voglio|serve|lo_voglio ~1 $
come|dove|chi|da_chi|da_dove ~5 mio|questo|il_mio ~1 {number}
perche|xke|xche|perke|come_mai ~4 {send}|ricevo|mandate|arrivano
^ ~2 cose|cosa|che|che_cose ~1 questo|volete|vuoi|vuole|e|roba|sarebbe|sta_roba ~1 $
^ ~1 cose ~1 $
e|sembra ~2 truffa|spam|fake|fregatura|imbroglio|phishing
truffa|truffatori|imbroglioni|spam|raggiro
che palle|noia|barba|rottura|strazio|stress|scatole|fastidio|schifo
^ ~1 ancora ~2 $
ancora voi|con|questi
di nuovo ~1 voi|questi|$
troppi|tanti|quanti {news}
che due palle|maroni|coglioni
cazzo|merda|stronzi|stronzo|coglioni|idioti|porca|pezzi_di|rompipalle|rompiscatole|rompicoglioni
fastidio|fastidiosi|insistenti|invadenti|noiosi|invadente
{not} ~1 chiam*
{not} vi|la|ti conosco
{not} adesso|ora|per_ora ~1 $
per ora no
^ uffa|uff|boh|mah ~1 $
pubblicita
"""
