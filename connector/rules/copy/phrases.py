"""The phrases that the rules on copy look for, as patterns over folded text (data, by rule)."""

from __future__ import annotations

import re
from typing import Final


def _listed(table: str) -> tuple[str, ...]:
    """The patterns of a table: two blanks or a new line part them."""
    return tuple(part for part in re.split(r"\s{2,}|\n", table) if part.strip())


WAYS_OUT: Final = _listed(
    r"""
    (?:text|reply|send|respond)\s+(?:with\s+)?\"?(?:stop|end|quit|cancel|unsubscribe)\"?
    stop\s*=\s*(?:end|out)  stop to (?:end|opt|quit|cancel|unsubscribe)  stop 2 \w+
    (?:responda|responde|envie|envia|escriba|escribe)\s+(?:con\s+)?\"?(?:stop|baja|alto)\"?
    (?:répondez|repondez|envoyez)\s+\"?stop\"?  stop (?:para|pour|zum|per) \w+
    (?:antworten sie|antworte|sende|senden sie)(?: mit)? \"?stopp?\"?  stopp? zum \w+
    (?:rispondi|invia) \"?stop\"?  (?:responda|envie) \"?(?:sair|parar)\"?  unsub: ?\S+
    opt out: ?(?:text|reply)? ?stop
    """
)
"""How a text says how to end it."""

ROBOTIC: Final = _listed(
    r"""
    dear (?:valued )?(?:customer|user|client|sir|madam|member|subscriber|friend)  valued customer
    this is an automated \w+  automated message  auto-generated  do not reply  please be advised
    be informed that  kindly  hereby  as per (?:your|our)  in order to proceed
    your request has been processed  we regret to inform  at your earliest convenience
    pursuant to  with reference to  for your (?:kind )?perusal  esteemed  to whom it may concern
    aforementioned  please find  we would like to inform you  action required
    thank you for your patronage  your (?:prompt )?attention to this matter  per our records
    notification:  estimado (?:cliente|usuario)  mensaje autom[aá]tico  por medio de la presente
    sehr geehrte[rs]?  automatisch generiert  cher client  message automatique
    """
)
"""What only machines and offices say."""

SPAM: Final = _listed(
    r"""
    act now  click (?:here|below)  100% free  free (?:gift|money|cash|iphone)
    (?:you(?:'ve| have)? )?won\b  winner  congratulations  guaranteed?  risk[- ]free
    no obligation to buy  cash (?:bonus|prize)  earn \$?\d+  make money  get rich  double your \w+
    lowest price ever  once in a lifetime  buy now  order now  claim your \w+  exclusive deal
    special promotion  why pay more  no strings attached  pre-?approved  credit repair
    debt relief  miracle  unbelievable  amazing deal  don't miss out  hurry  gratis
    gan(?:a|aste) (?:un )?premio  haga clic aqu[ií]  text (?:win|cash) to
    """
)
"""What carriers' filters look for."""

GENERIC: Final = _listed(
    r"""
    check out our  visit our (?:store|shop|website|site)  our (?:latest|new|great) \w+
    something for you  great (?:deals?|offers?|news)  we have (?:an? )?(?:offers?|news|deals?)
    see what's new  we miss you  come back  take a look  shop (?:with us|now|today)
    special offers?  discover more  learn more  don't forget (?:about )?us  stay tuned  see our
    browse our  new arrivals  best prices  we're here for you  thinking of you  nuestras ofertas
    visite nuestra  lo extra[nñ]amos  novedades  unsere angebote
    """
)
"""What anybody may say to anybody."""

WATCHED: Final = _listed(
    r"""
    we(?:'ve| have)? (?:just )?(?:saw|seen|noticed|spotted|observed)
    we(?:'ve| have)? (?:just )?(?:tracked|detected|recorded)  we can see (?:that )?you
    we know (?:that )?you(?:'ve| have)?  we(?:'ve| have) been watching
    you(?:'ve| have)? (?:were|been) (?:looking|browsing|viewing|reading)
    you (?:looked|clicked|browsed|scrolled|hovered|spent|searched|visited|opened|viewed)
    (?:while|when) you were (?:browsing|looking|on our)  your (?:browsing|visit|activity|session)
    according to your (?:activity|history|behaviou?r|location)
    based on your (?:browsing|location)  we are tracking  your location
    from your (?:phone|laptop|device)  you left (?:the|our) page  vimos que  hemos visto que
    notamos que  usted visit[oó]  wir haben gesehen  nous avons (?:vu|remarqu[eé])
    sie haben sich .{0,20}angesehen
    """
)
"""What tells people that they are watched."""

BLAME: Final = _listed(
    r"""
    you (?:forgot|failed|neglected|ignored)  you missed (?:our|my|the)
    you never (?:replied|answered|finished)
    you (?:still )?(?:haven't|have not) (?:replied|answered|finished|paid|completed)
    you (?:still )?(?:haven't|have not) (?:bought|booked|responded)
    you (?:still )?(?:didn't|did not) (?:reply|answer|finish|pay|complete|buy|book)
    you (?:still )?(?:didn't|did not) (?:respond|bother)  why (?:haven't|didn't|don't) you
    you abandoned  your abandoned  last warning  final (?:warning|notice)
    you(?:'re| are) (?:late|overdue|too slow)  shame on
    we(?:'re| are) (?:disappointed|still waiting)  don't ignore  stop wasting  you owe us
    olvid[oó]  abandon[oó]  no (?:ha|has) (?:respondido|terminado)  [uú]ltimo aviso
    sie haben vergessen  vous avez oubli[eé]
    """
)
"""What reproaches."""

URGENT: Final = _listed(
    r"""
    last (?:chance|call|day|hours?|days)  final (?:hours?|days?|call|chance)
    ends? (?:soon|today|tonight|tomorrow|at midnight)  expires? (?:soon|today|tonight|tomorrow)
    limited[- ]time  only today  today only  while (?:stocks?|supplies|it) lasts?
    time is running out  before it's (?:too late|gone)  almost gone  selling (?:out )?fast
    going fast  only (?:a few|\d+) left  few left  almost sold out  running out  nearly gone
    [uú]ltima oportunidad  termina (?:hoy|pronto)  solo hoy  quedan pocos  letzte chance
    nur heute  derni[eè]re chance  plus que \d+  ending soon  won't last
    """
)
"""Urgency and scarcity."""

PERSONAL: Final = _listed(
    r"""
    card (?:number|ending|no\.?)  (?:visa|mastercard|amex)[^.]{0,12}\d{4}  \bssn\b
    social security  password  \bpin\b  cvv  account number  iban  diagnos\w+  prescription
    test results? (?:is|are|was|were|came)  (?:hiv|std|cancer) \w+  pregnan\w+
    your (?:debt|arrears|medication|therapy|treatment|condition|symptoms)  date of birth
    medical record  loan (?:balance|default)  overdrawn  bankruptcy  contraseña
    tarjeta (?:terminada|n[uú]mero)  passwort  mot de passe
    """
)
"""What others must not see on a screen."""
