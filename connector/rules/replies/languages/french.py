"""French replies."""

# ruff: noqa: E501  (a phrase is one line)
from __future__ import annotations

from typing import Final

GROUPS: Final = {
    "stop": "arretez arrete arreter arret arrets arretes cessez cesse cesser stopper stoppez stoppe"
    " stop evitez finissez",
    "send": "ecri* menvo* envo* contact* mecri* adress* madress* harcel* derang* import* mimport*"
    " embet* membet* spam* relanc* sollicit* emmerd* memmerd* saoul* soul* ennuy* mennuy* appel*"
    " mappel* text* txt* joindre message* recontact* receva* agac* magac*",
    "news": "sms message messages msg msgs mess texto textos pub pubs publicite publicites promo"
    " promos promotion promotions offre offres spam spams notification notifications"
    " communication communications rien ca cela newsletter newsletters mail mails envoi envois"
    " info infos alertes sollicitation sollicitations demarchage mms nouvelles merde",
    "list": "liste listes base bases fichier fichiers contact contacts repertoire diffusion"
    " base_de_donnees donnees carnet systeme groupe",
    "number": "numero numeros num nums tel telephone portable coordonnees contact nom donnees mobile",
    "remove": "retir* enlev* supprim* effac* ray* ote* otez vir* desinscri* efface sort* radi* raie",
    "want": "veux souhaite desire voudrais veut voulons souhaitons jveux desirons aimerais accepte"
    " souhaiterais veu ve v veulent",
    "not": "plus pas jamais pu",
    "thing": "commande commandes rdv rendez_vous reservation reservations achat livraison visite"
    " cours billet vol table colis seance consultation inscription_au panier article articles"
    " sejour contrat abonnement_salle paiement",
}

WRONG: Final = """
faites erreur
erreur ~3 suis|numero|personne|destinataire
suis pas m|mr|mme|monsieur|madame|mlle|docteur ~1
pas|plus moi ~1 $
pas lui|elle|a_lui ~1 $
cest pas lui|elle|a_lui
je suis @ pas
nest pas moi|lui|elle|son_numero
pas son|leur|sa ~1 numero|telephone
appartient ~2 a quelquun|autre
a quelquun dautre
quelquun dautre
pas ~2 concerne ~1
plus joignable|ici|a_ce_numero|chez
mauvais|faux|mauvaise|fausse numero|num|personne|tel|destinataire
erreur de|sur numero|num|personne|destinataire
vous|tu|te|t ~3 tromp* ~2 numero|num|personne|destinataire|telephone
^ ~2 vous|tu|te ~3 tromp* ~1 $
tes|vous_etes|tu_tes|vous_vous_etes ~1 trompe* ~2
trompe*|trompez de ~1 numero|num|personne
ne|je|j ~1 suis|est|ni pas|plus ~2 @
suis pas|plus ~1 @
suis pas la|cette|celle|celui ~1 personne|que|qui|bonne
suis pas le|la titulaire|proprietaire|bon|bonne
nest|est|cest|nes pas|plus|pa ~1 numero|telephone|tel|portable|num ~1 de|du|a
ce|cest nest|est|pas|plus pas|plus|le ~3 numero|telephone|tel|portable|num ~1 @|de|du
pas le bon numero|num|destinataire
pas la bonne personne
numero|telephone|ligne|portable ~2 nest|est|nappartient|appartient ~1 plus|pas
nappartient|appartient plus|pas
napartient plus|pas
change de? numero|num|proprietaire|titulaire
a|ont change_de numero|num
ne? connais pas|aucun|aucune ~1 de|cette|ce|@|aucun|aucune|votre
connais aucun|aucune|pas_de
y_a|ya|il_y_a|ny_a ~1 pas|aucun|aucune|personne ~1 @
y_a|ya|il_y_a|ny_a ~1 pas|aucun|aucune|personne ~2 ici|nom|nomme*|appele*
personne ~3 ce nom
pas|plus ici|habite|la ~1 @
@ nhabite|nest|habite|na ~1 plus|pas
nhabite|habite plus ici|la
decede|decedee|mort|morte
mappelle pas
nom nest pas
pas mon nom
me confondez|confonds|prenez|prends ~1 avec|pour
confondez|confusion
vous cherchez quelquun|une_autre|un_autre
cest quelquun dautre
numero reattribue
ce numero est ~2 a|au|le ~1 moi|mien
ne suis pas la personne
"""

NEGATED: Final = """
narretez|narrete|narreter|narretes|nannulez|nannule|nannuler|ne_stoppez ~1 pas|jamais|surtout|rien
ne cessez|cesse|stoppez|resiliez|supprimez pas|jamais
marreter|darreter|arreter ~2 de rire|manger|den|sourire|porter
peux pas|plus marreter|arreter
pas marreter|darreter|dannuler|annuler|arretez
surtout pas ~1 arret*
nai pas ~2 annule*|desabonn*
"""

MEANT: Final = """
pourquoi|si ~2 narretez|arretez|arrete|narrete ~1 pas
narrive|arrive pas|plus a ~2 desabonn*|desinscri*|arret*
vous|tu narretez|narretes|arretez|arretes pas|jamais
"""

BESIDE: Final = """
annul*|dannul*|lannul*|resili*|supprim*|enlev*|retir*|nannul* ~4 {thing}
{thing} ~2 annul*
arret|larret|arrets|prochain ~1 de|du|arret bus|tram|train|metro
arret maladie|cardiaque
en arret
ne? mappel*|appel* ~1 pas|plus ~1 envo*|ecri*|sms|par|plutot|message
ne? ~1 {send} pas ~3 avant|apres|jusqu*|entre|pendant|le|la_nuit|ce|aujourd*|demain|en|au
"""

#: Asks how we came to the number: no wish yet, and a person had better answer.
ASKING: Final = """
comment|ou|qui|dou ~5 mon numero|num
"""

#: Stop words and refusals that are none.
HARMLESS: Final = """
ne ~1 inquietez pas
ne plus attendre
^ ~1 sais|comprends|marche|suis pas
week end
a|en|la|au|fin ~1 fin de|du|des
pas de|du souci|probleme|soucis|problemes|tout
pas encore
^ non cest|je|cest|pas|le|la|vendredi|il|elle
"""

OUT: Final = """
en ai|a|jai assez|marre|plein
jen peux|ai|veux plus|assez|marre
je nai rien demande
bien vouloir ~3 supprim*|retir*|desinscri*|enlev*|cess*|arret*|effac*|ne
pitie
aucune|plus aucune ~1 communication|sollicitation
plus rien ~1 recevoir|de_vous|svp|merci
ne|n ~1 {send} ~2 a_ce|rien|plus
{want} ~1 pas ~4 {news}
faites ~2 retirer|supprimer|enlever
suppression ~5
{stop} ~4 {send}|{news}
{stop} ~1 les|vos|ces|avec|de|tout|tous|ca|cela|a|svp|stp|maintenant|immediatement|vos
^ {stop} ~1 $
de|darreter|demande|dit|veux|faut|voulez ~2 darreter|arreter|stop|stopper
arreter ~2 ca|cela|{news}
jai|ai|avais|vous|deja ~4 dit|demande|ecrit|envoye|repondu ~3 stop|darreter|arreter|desabonn*|non|plus
^ je_dis|jai_dit|ok|bon|alors|svp stop $
desabon*
me|moi|se|vous|nous desabonn*|desabone*|desinscri*
deabonn*|dezabonn*|desinscri*|desinscip*
ne? ~1 {send} ~1 {not} ~3 {news}|rien|jamais|svp|stp|merci|moi|du_tout|a_ce|maintenant
ne ~1 {send} plus|jamais
ne {send} plus
plus|jamais {send} ~1
^ ~2 {send} plus ~3
ne|me|m|mecrivez|menvoyez ~1 {send} plus|pu
ne plus|pas|jamais ~2 {send}|recevoir|etre|mecrire|menvoyer|me
ne plus ~2
plus ~2 recevoir|etre_contact*|etre_sollicit*|entendre
ne? ~2 {want} {not} ~2 {news}|recevoir|de_vos|etre|votre|entendre|que_vous|de_tout|mecri*|de_ca|avoir|votre
nen|en veux|veut|souhaite|peux plus
{want} plus ~3 {send}|{news}|recevoir|de
{want} ne|que_vous|que|quon ~4 {not}|arret*|retir*|supprim*|cess*
^ ~1 plus|pas|aucun|aucune|zero ~2 {news} ~3 $
plus de|aucun|aucune|un|jamais|dautres ~1 {news}
^ ~2 plus jamais|rien ~3
plus besoin de|d ~3 {news}
stop a|au|aux|avec|les|la|le|ces|vos|pub|tout|c|svp|please|merci|stp|plus
{remove} moi|mon|mes|nous|notre|ce ~4
{remove} ~4 {list}
{remove} ~2 {number}
me|moi|m|men|mon_numero retir*|enlev*|supprim*|effac*|ray*|desinscri*|radier|sortir|enleve|oter
menlever|mefface*|moter|mexclu*|meffacer
retrait ~5 {list}|{number}
sortez|sors|sortir|enleve|enlevez|vire|virez moi|mon|me|de
vir* mon|moi
foutez|fichez|laissez|laisse|fous|fiche|lachez|lache|lacher|fou|foutre ~1 moi|nous|la|mon|la_paix|les|tranquil*
paix|tranquille ~1 $
tranquille
la grappe|paix
ca|sa suffi* ~3
ca suffit
^ ~2 suffit ~2 $
marre|ras_le_bol|raz_le_bol|ras ~2 de|le|bol|$
marre
^ assez|basta|stop ~2 $
jen ai assez
assez de ~2 {news}|vous
jamais|pas ~4 inscrit|inscrite|demande|abonne|abonnee|autorise|donne|consenti|souscrit|accepte|sollicite|souscris
rien|jamais demande|signe|accepte|autorise
ni demande|donne
pas|aucun|sans|jamais ~2 consentement|accord|autorisation|permission
retir*|revoqu*|retrait ~3 consentement|accord|autorisation
mon consentement
mon droit ~2 opposition|loppposition|deffacement|retrait
moppose|oppose a
rgpd|cnil|dgccrf|33700|bloctel
porte|porter plainte
plainte
vous|le|te|les|je|ce ~1 signal*|denonc*|bloqu*|bloque ~3
signal*|denonc* ~3 spam|33700|cnil|arcep|comme|numero|police
signale|signalez|bloque|bloquee|bloquer $
bloque|bloquer|bloquez vous|votre|ce|numero
cest|est|du|un|de|encore ~1 du spam|harcelement|spams
du spam|harcelement
harcelement|harcelez
^ ~1 spam|spams $
oubli* ~2 {number}|moi
oubliez moi
perdez|perds|jetez mon ~1 {number}
degage*|cassez|casse|barrez|barre ~1
va|allez ~1 te|vous faire|voir
va_te|allez_vous faire
resili*
^ ~1 annul*|resili*|supprim*|retirez|fin|terminer|desactiver|desactivez ~2 $
annul*|resili*|desactiv*|suppr*|bloqu*|termin*|couper|coupez ~4 {news}|abonnement|inscription|alertes
fin|finir ~1 des|aux|avec|de_ces|de_vos ~1 {news}
comment ~6 {send}|arret*|stopper|bloquer|enlever|retirer|desactiver|sortir ~3 {news}|liste|ca
comment ~3 ne plus|pas
comment ~4 desabonn*|desinscri*
pas|plus interesse* ~4 {send}|{stop}|retir*|supprim*|stop|enlev*
me concernent|concerne|interessent plus
m|me ~1 {send} {not}
arretez|arrete ~1 tout
ny|n ~1 suis|etais pas ~1 inscrit*|abonn*|client*
tromp* pas
veuillez|merci|priere|prie|pourriez|pouvez ~3 cess*|arret*|stop*|retir*|supprim*|desabonn*|desinscri*|ne_plus|enlev*|effac*
"""

UNCLEAR: Final = """
annuler|annulez|resilier|resiliez
^ ~2 qui|ki ~1 est|es|etes|cest|estce|es_tu|t|ce|etes_vous|sa|parle|me_parle ~2 $
cest|c|tes|vous_etes|t|sest qui|ki ~2 $
a qui ai|je|parle
^ ~1 non|nan|nn|nop|jamais|no ~1 $
^ ~1 non|nan|no|nn merci|mrc|mrci ~2 $
^ merci non
non merci
pas|aucun|aucune ~2 interes*
sans interet|facon
ne? ~1 minteress* pas|plus
interess* pas|plus
pas ~1 interess*
^ ~2 veux pas|rien $
pas besoin ~1 $
comment|ou|qui|dou ~5 mon|ce|vous ~1 {number}|mon_num
ou ~3 mon numero
pourquoi|pq|pk|pkoi ~4 {send}|recois|ce_message|ces|vous
cest quoi ~2 ca|ce|cette|delire|sa|truc $
^ ~1 cest quoi ~1 $
quest_ce ~2 cest|que ~1 ca|cela
^ ~1 encore vous|un|une|$
encore vous|ca|un_sms|de_la_pub
^ encore $
cest|est|un|une|du ~1 arnaque|escroquerie|spam|phishing|fraude
arnaque|arnaques|arnaqueurs|spam
^ ~1 pf|pff|pfff|bof|lourd|lourds|relou|relous|penible ~1 $
lourd|lourds|relou|relous|penible|penibles|insupportable*|chiant|chiants|saoulez|soulez|saoulant|gonflez|gavez|saoule|agacant*
trop|tant|autant ~1 de|d {news}
putain|merde|connard|connards|fdp|ntm|tg|ta_gueule|bordel
ne? ~1 mappel*|appel* pas|plus
vous? connais pas
pas maintenant|pour_moi ~1 $
harcel*|pub
"""
