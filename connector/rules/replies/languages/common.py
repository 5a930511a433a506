"""Words that no one language owns: stop words, what may stand around them, names, look-alikes."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


#: May follow a stop word without changing what it says.
FILLERS: Final = _words(
    """
    now please pls plz thanks thank you immediately today it this these the your all everything
    text texts message messages sms msg msgs ya asap right away already svp stp merci bitte
    danke jetzt sofort por favor porfa porfavor gracias xfa pfv pf obrigado obrigada per grazie
    subito sil vous te plait si prego maintenant agora ahora
    """
)

#: May stand at either end of a reply without changing what it says.
COURTESIES: Final = _words(
    """
    please pls plz plse kindly thanks thank thx ty hi hello hey ok okay sir maam mam sorry omg
    lol bitte danke hallo svp stp merci bonjour bonsoir porfavor porfa xfa gracias hola buenas
    pfv pf pfvr obrigado obrigada ola oi grazie prego ciao salve buongiorno buonasera bro dude
    man yo jesus god just tks tysm moin well um uh oh no_reply
    """
)

#: The same, in pairs.
COURTEOUS: Final = frozenset(
    {
        *(("thank", "you"), ("thank", "u"), ("por", "favor"), ("per", "favore"), ("guten", "tag")),
        *(("per", "piacere"), ("muchas", "gracias"), ("vielen", "dank"), ("buenas", "tardes")),
        *(("buenos", "dias"), ("buenas", "noches"), ("boa", "tarde"), ("bom", "dia")),
        *(("vous", "plait"), ("te", "plait"), ("good", "morning"), ("muito", "obrigado")),
    }
)

#: Stop words that are ordinary words, or parts of names and sayings, inside a sentence.
ALONE: Final = frozenset({"td", "alto", "baja", "remove", "sair", "annulla"})

#: What a slip of the thumb is taken for where little else is said.
SLIPPED: Final = _words(
    """
    stop stopp stopall unsubscribe cancel quit revoke remove optout unsub arret arretez arreter
    desabonner desabonnez desinscrire baja cancelar detener parar paren basta abmelden
    abbestellen aufhoren annulla cancellami cancella disiscrivi disiscrivimi rimuovimi
    descadastrar desuscribir borrame borrenme eliminar
    """
)

#: Real words one slip away from those.
ORDINARY: Final = _words(
    """
    shop step top tops sto stow slop stoop atop swop strop stops stomp shops steps stoup stup
    quiet quite suit quiz unit quilt quip quid quin quits cancels chancel cancer canceled arrets
    arrête arete ares arrest arrete caja baje baju bajo bajas bajar bajan raja paja faja vaja
    baa bata basa baya bahia bala bana bara bava baia vaja haja para pare pares pared param
    passar pagar parir pasar parra parear parer partir sarar tarar varar mirar peras paso parte
    casta pasta basa bastan bastar bast vasta hasta asta bastao baste basti batta busta removed
    remover removes remote optouts revoked revoker evoke cancelas cancelara cancelas canceler
    chancelier cancellata cancello abmeldet anmelden aufhorer sparen waren baren karen parken
    parent pareo pagen padre caren annullo eliminas sout spot cancele
    """
)

#: First names that are common enough to be known without their capital.
NAMES: Final = _words(
    """
    aaron adam alan alex alice amanda amy andrea andrew angela ann anna anne anthony barbara ben
    betty brandon brenda brian carl carlos carol caroline cathy charles chris christina
    christine cindy craig cynthia dan daniel daniela dave david deborah debra dennis diane
    donald donna dorothy ed edward elizabeth emily emma eric erica ethan eva evelyn frank fred
    gary george gloria greg hannah harry heather helen henry jack jacob jake james jamie jane
    janet jason jeff jennifer jenny jeremy jessica jim jimmy joan joe john johnny jonathan
    jordan jose joseph josh joshua joyce juan judy julia julie justin karen kate katherine kathy
    katie keith kelly ken kenneth kevin kim kyle larry laura lauren linda lisa liz lucas lucy
    luis marcus margaret maria marie marilyn martha martin mary matt matthew megan melissa
    michael michelle mike monica nancy natalie nathan nicholas nick nicole olivia oscar pamela
    pat patricia patrick paul paula peter phil philip rachel ralph ray rebecca richard rick rob
    robert roger ron ronald ryan sam samantha samuel sandra sara sarah scott sharon shirley
    sophia sophie stacy stephanie stephen steve steven sue susan tammy teresa terry theresa
    thomas tiffany tim timothy tina todd tom tony tracy tyler vanessa victoria vincent virginia
    walter wendy william zach ana antonio alberto alejandro beatriz carmen cristina diego elena
    fernando francisco gabriel gabriela guadalupe hector isabel ivan javier jesus jorge josefina
    lucia manuel marcos marta mario miguel pablo pedro pilar rafael ramon ricardo roberto rosa
    sergio silvia sofia valeria veronica ximena alain antoine camille catherine celine chantal
    christophe claire claude emilie fabien florence francois gerard guillaume helene isabelle
    jacques jean jerome julien laurent louis luc lucie marc mathieu michel mireille monique
    nathalie nicolas olivier pascal philippe pierre sandrine sebastien stephane sylvie thierry
    valerie veronique xavier yves andreas anja annette bernd birgit christian claudia dieter
    erika felix florian fritz gabi gerhard hans heike heinz helga holger ingrid jan jens jonas
    jurgen juergen karin karl katja klaus lars lena lukas manfred markus max monika moritz nina
    petra rainer ralf renate sabine silke stefan stefanie susanne sven tanja thorsten tobias
    ulrike ursula ute uwe werner wolfgang adriana aline bruno camila catarina eduardo fabio
    felipe fernanda gustavo ines joana joao jose juliana larissa leticia luana marcelo marcia
    mariana mateus matheus patricia rafaela renata renato rita rodrigo rui thiago tiago vinicius
    vitor alessandra alessandro alessio angelo chiara davide enrico fabrizio federica federico
    filippo francesca francesco giorgio giovanna giovanni giulia giuseppe ilaria lorenzo luca
    luigi marco matteo michele nicola paola paolo piero roberta salvatore serena silvio simone
    stefania stefano valentina vincenzo
    """
)

#: Capitalised in the middle of a sentence, and no name.
NO_NAMES: Final = _words(
    """
    i im ill ive id ok god sms montag dienstag mittwoch donnerstag freitag samstag sonntag lunes
    martes miercoles jueves viernes sabado domingo lundi mardi mercredi jeudi vendredi samedi
    dimanche segunda terca quarta quinta sexta lunedi martedi mercoledi giovedi venerdi monday
    tuesday wednesday thursday friday saturday sunday january february march april june july
    august september october november december english spanish french german italian portuguese
    american christmas ftc fcc spam stop sie ihr ihre ihnen interesse mitglied kunde kundin
    hause zuhause person nummer handy telefon zeit tag woche geld lust angst schuld ort stadt
    uhr urlaub besitzer inhaber richtige problem fall bestellung paket facebook whatsapp
    instagram google amazon paypal iphone
    """
)

#: Anger, refusal or a stop sign, with no words at all.
SIGNS: Final = frozenset("🛑✋🖕😡😠🤬👎⛔🚫🤮💩😤🙅❌🤢🖐")
