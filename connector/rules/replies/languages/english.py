"""English replies."""

# ruff: noqa: E501  (a phrase is one line)
from __future__ import annotations

from typing import Final

GROUPS: Final = {
    "stop": "stop stopp quit cease desist discontinue halt end",
    "contacting": "text texts texting txt txting txtn textin message messages messaging messagin"
    " msging contact contacting write writing send sending bother bothering bug bugging spam"
    " spamming harass harassing harrassing annoy annoying pester pestering blowing hitting"
    " soliciting reaching emailing calling hounding sms smsing bombarding flooding notifying",
    "text": "text txt message msg contact write send sms bother bug spam harass annoy pester"
    " disturb notify solicit",
    "news": "text texts txt txts message messages mesages msg msgs sms notification notifications"
    " alert alerts promo promos promotion promotions promotional ad ads advert adverts"
    " advertisements advertising communication communications marketing spam junk crap shit bs"
    " solicitation solicitations newsletter newsletters spamming nonsense garbage mms offers",
    "not": "dont dnt do_not doesnt never no_longer not wont nor didnt",
    "want": "want wanna need wish care like interested desire wanting wanted",
    "who": "me us my our mine",
    "off": "list lists database data_base system mailing contacts records distribution group"
    " thread chain subscription texts messages txts msgs book files rotation txt text",
    "number": "number numbers no nr num nbr cell phone digits info information contact name"
    " details data",
    "remove": "remove delete erase scrub purge drop scratch strike removing deleting unlist",
    "nobody": "no_one nobody noone",
}

WRONG: Final = """
nobody|no_one|noone|none here|at_this ~2 called|named|by|goes
nobody|no_one here ~1 @
meant|intended for ~1 someone|somebody|another|a_different
this is @ not
this phone|number|cell belongs|belong ~2 my|a|another|someone|somebody|different
im @ not
not @ this is|its
never heard of @
dont|do_not know who @ is
who is|tf_is|the_hell_is @
you are|youre looking|trying for|to_reach ~3 wrong|not
not him|her|his|hers ~1 $
not his|her|their|my_name|that ~1 phone|number|persons_number
i|we ~2 had|have|got|gotten this number for|since
number for|since ~2 years|months|weeks
this|that ~1 persons|mans|womans|guys ~1 number|phone
please update your records
isnt|not their|her|his ~1 number|phone|cell
no @ at|here|lives|on
@ is not|no_longer ~2 here|at|number|with
@ ~1 moved|died|passed|changed|quit_using
@ isnt|doesnt|does_not|no_longer|hasnt ~2 here|live|have|use|work|had
used to be @
was @ number|phone|old
wrong number|num|nr|person|guy|girl|lady|man|phone|woman|dude|cell|contact|recipient|no
the wrong $
wrong digits
not the right|correct number|person
not|isnt the person|guy|girl|lady|man|one ~2 looking|trying|want|think
not who you ~2 think|looking|want|trying
im|i_am|am|is|was|this_is not @
isnt|aint|wasnt @
^ ~1 not @ $
^ ~1 no @ $
is not|no_longer|no_more|not_the ~1 @ ~1 phone|number|cell|line
this|it|that|he|she isnt|aint|is_not|aint_no ~1 @
this|that isnt|aint|not|is_not ~1 @
isnt|is_not|not|no_longer ~2 s phone|number|cell
this|that is|isnt|aint no_longer|not ~3 number|phone|cell any_more|anymore
isnt|not|aint|longer ~2 @ phone|number|cell
no_longer @ phone|number|cell
no_longer @ $
no_longer|doesnt|dont|does_not|not belong|belongs to ~3
number|phone|cell used to belong|be
used to belong to
no_longer|doesnt|does_not|dont|not have|has|use|uses|using|own|owns ~1 this|the|that phone|number|cell
there is no|nobody|no_one @ here|at
theres|there_is|is|no no @ here|at
there_is|theres|is no @ $
{nobody} ~2 by that name
{nobody} by|with the|that name
{nobody} named|called
by that name here
dont|do_not|doesnt|never know|knew a|any|an|no? @ $
dont|do_not know any|a|an @
dont know who|whoever ~3 is
he|she|they|mom|dad|mother|father|husband|wife changed|switched ~1 number|numbers|phone|phones
mom|dad|mother|father|husband|wife|he|she|son|daughter|brother|sister|grandmother|grandfather|grandma|grandpa|uncle|aunt|owner|customer ~2 passed away
mom|dad|mother|father|husband|wife|he|she|son|daughter|brother|sister|grandmother|grandfather|grandma|grandpa|uncle|aunt|owner ~2 died|deceased|dead
is deceased|dead
confused|mistaken|mixed me ~2 with|for someone|somebody|another
me confused|mistaken|mixed
mistaken me for
my name is not|isnt
my name isnt|aint
not my name
thats not me
that is not me
this isnt me
doesnt|does_not|dont|no_longer live|lives|work|works here
texting|messaging|contacting|calling|texted|have|got|reached|reaching the? wrong|incorrect $
incorrect|misdialed number
i have|got|just_got this|a new? number recently|from ~1 not
this is a new|different|reassigned owner|person|number
this number|phone|cell|line was|is|got|has reassigned|recycled|been_reassigned
someone elses number|phone
somebody elses number|phone
not the owner of this|the|that
you want|need|looking for? a? different number|person
this|you ~4 a new owner
new owner of this number|phone
this is ~1 someone|somebody else
"""

NEGATED: Final = """
dont|do_not|cant|can_not|cannot|never|wont|didnt|not|couldnt|shouldnt you|ever|just|even|want_to|wanna|going_to|to|gonna|need_to? stop|cancel|unsubscribe|opt|end|quit|remove|stopping|canceling|cancelling|unsubscribing
dont|do_not|never ever stop|quit|cancel|end|unsubscribe|remove
no need to stop|cancel|unsubscribe|remove
no reason to stop|unsubscribe
glad|happy|good ~2 didnt unsubscribe|stop|cancel
"""

#: A negation that complains: the stop in it is meant.
MEANT: Final = """
you|u|yall|why|they|if|who|guys|people|company|if_you ~1 dont|do_not|cant|cannot|never|wont|didnt|not ~2 stop|quit|end ~2 {contacting}|{news}|i|im|i_will|ill
if you|u|yall|this|it|these dont|do_not|doesnt|wont ~1 stop|end|quit
why wont|cant|dont|do_not|didnt|havent you|u|yall|it|this|these ~1 stop|quit|end
you|u|yall|they|these|it wont|never|havent|didnt|just_wont ~1 stop|stopped|quit|listen
cant|dont you|u|yall ~1 stop|quit|read
what part of ~3 stop|no|unsubscribe|quit|understand
dont you understand
told|asked|said|tell|ask|asking|telling|texted|typed|replied|text|sent|wrote|reply you|u|yall|to|already|stop ~3 stop|quit|unsubscribe|remove
already|twice|times|before|before_to ~2 said|told|asked|texted|sent|replied|typed ~3 stop|quit|unsubscribe|stopped
said|replied|typed|texted|sent|wrote|told|text|responded|answered ~1 stop
cant|cannot|can_not|couldnt|unable|trying|tried|try ~3 unsubscribe|opt_out
"""

BESIDE: Final = """
stop by|at|over|in|for|here|there
bus|train|tram|full|pit|one|first|next|last|truck|rest stop
cancel|cancle|cancell|remove|delete|end|cancelling|canceling|canceled|cancelled|return|drop ~3 order|orders|appointment|appt|appointments|booking|reservation|reservations|item|items|delivery|membership|visit|table|class|session|trip|flight|ticket|tickets|meeting|service|lesson|payment|purchase|return|shipment|autoship|auto|policy|insurance|account|plan|refill|prescription|cart|tomorrow|today|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday|pm|am|slot|procedure|demo|quote|interview|event|shift|card|trial|lunch|dinner
appointment|appt|order|booking|reservation|meeting|class ~3 cancel|canceled|cancelled
take|remove me|us|my_name|me_and_my ~1 off|from ~3 waitlist|waiting|wait|schedule|guest|guestlist|calendar|appointment|class|roster|team|invite|order
remove|delete|take ~3 from|off|out ~3 order|cart|basket|bag|invoice|bill|account|cake|recipe
remove|delete the|a|an|that|item|one|two|those|stain|stains|coupon|both
{not} call|ring|phone me? ~5 text|message|txt|sms
{not} {text} ~4 before|until|till|til|unless|yet|while|during|tonight|today|tomorrow|overnight|after_hours
{not} {text} ~4 after|between|at|on #|work|night|hours
{not} send|text|message|contact ~1 it|him|her|them|the|that|anyone|a|another_one ~3 to|until|yet|driver|before|with|back
{not} send it
no texts|messages|text|messaging before|after|while|during|until|between|on_sundays
unsubscribe|remove|take ~2 from|off ~2 email|emails|e_mail|mail|newsletter|catalog ~4 but|keep
unsubscribed|unsubscribe|stop|opted_out|stopped by|on accident|mistake|accidentally|purpose
accidentally|mistakenly unsubscribed|opted|texted|stopped|sent
didnt|did_not|never mean|meant|want|wanted|intend to? unsubscribe|stop|cancel|opt
stop it im ~2
stop it i_am|you_are|youre ~3
stop laughing|smiling|thinking|crying|eating|wearing|worrying|payment|here|there|being|it_lol
when|what_time|date|day|before|until|till|how_long ~5 end|ends|ending
end of|date|time|result|up|zone
dead|tail|back|front|high|low|rear|other|deep|season|year|east|west|north|south end
quit smoking|drinking|my_job|work|working|sugar|the_gym|school
do|did|can|should|will|could i stop|unsubscribe|quit taking|my|the|using
subscribe|resubscribe|sign ~2 back|again
sign me up
"""

#: Asks how we came to the number: no wish yet, and a person had better answer.
ASKING: Final = """
how|where|who ~5 my number|info|name
"""

#: Stop words and refusals that are none.
HARMLESS: Final = """
stopped by
who is|are ~1 working|coming|on|there|the|available|doing
no problem|worries|prob|rush|biggie|hurry|pressure|idea|need_to_worry|doubt|later_than|kidding|big_deal|charge|way_i_can
week|dead|front|back|high|low|rear|other|deep|year end|ends
^ no it|i|he|she|the|we|my|actually|but
no_longer have ~2 code|receipt|car|coupon|link
"""

OUT: Final = """
get rid of ~2 my|me|info|number
clear|clean|wipe|purge|drop|exclude|omit ~1 me|my ~3
get|stay|keep off my|of_my phone|cell|line
thats|that_is|thats_about|this_is|had_just_about|quite ~1 enough
had|have|ive had it with
up to here with
nobody|no_one asked|wants|cares ~2
who ~1 gave|told|said ~1 you permission|consent|authorization
need|reason to text|message|contact|send ~1 me|us ~2 longer|anymore|again|more
{not} want any|none $
dont|do_not want|need any ~1 more $
{not} ~2 have me on
keep me off
must|better ~1 stop
need|needs to stop
stop now|or|right
spare me
done with ~1 texts|messages
{not} ~2 be texted|contacted|messaged|on_this_list|on_your_list
i dont|do_not|never|didnt|did_not ~2 remember|recall ~2 signing|sign|subscribing
tired|sick of ~3
annoyed with|by ~2 {news}
plsstop|pleasestop|stopplease|stoppls|juststop
{stop} ~3 {contacting}
{stop} ~3 {news}
{stop} {who}
stop already|please|pls|immediately|asap|ffs|w|with|these|this|all|right_now|thank|thanks|yall|now
stop it|this|that|these|them $
^ stop it|this|that|these|now|all|please|pls|plz|yall|dude|bro|man|already|annoying|ffs
^ just|omg|ok|okay|plz|dude|bro|god|jesus|seriously|yes|no|wow|ugh|lord|hey|sir stop $
make it|this|these|them ~1 stop|end|quit
makes it|this|these|them stop|end
please|pls|plz|kindly|just|jus stop $
to|and|or|said|must|now|should|needs_to stop $
{news} ~1 stop|end $
{news} need|needs|must|should|have|has|better ~1 stop|end|cease
want|need|like|wish|demand|asking|ask|want_yall|said ~3 to stop
want ~3 stopped
^ stop please|pls|plz|sir|maam
{stop} this|these|the|all|ur|your ~1 {news}|subscription|bullshit|harassment|harassing|now|immediately
{not} ~1 {text} ~1 me|us|this|here|my|again|anymore|any_more|ever|anything|back
{not} ~1 {text} $
{not} ~2 send ~2 any|more|anything|stuff|these|this|those|{news}|nothing|shit
{not} ~1 {contacting} ~2 me|us|this|again|anymore|ever
{not} ~1 {contacting} $
{not} ~2 {want} ~3 {news}
{not} ~2 {want} ~3 to ~2 receive|get|hear|be|have|see|getting|keep ~3 {news}|from|anymore|any_more|contacted|texted|messaged|these|this|bothered|subscribed|you|further|yall|spammed|on|part|updates
{not} ~2 {want} ~3 receiving|getting|hearing|receive|get|hear|recieve|recieving ~3 {news}|from|anymore|any_more|these|this|further|yall|you
{not} ~2 {want} ~1 these|them|this|any|your|ur|to_be ~1 anymore|any_more|{news}|contacted|texted|messaged
{not} {want} these|them $
{not} {want} ~4 anymore|any_more from|texts|txts
{not} {want} anything|nothing from|to_do|else
not interested ~3 {news}|contacted|hearing|receiving|list
want|wanna nothing|none from|to_do
prefer|rather|like|please|requesting|request not ~2 to ~1 {news}|receive|get|be|hear|contact|text|message
prefer ~1 not ~2 receive|get|be|hear
rather ~1 not ~2 receive|get|be|hear|text
opt|opted|opting|opts ~2 out
optout|optouts|opt_me_out|opting_out
unsubscribe|unsubscribed|unsubscribing|unsubcribe|unsuscribe|unsub|unsubscibe|unsubscribes|un_subscribe|unscribe|unsubs|unsubbed|desubscribe|disenroll|unenroll|deregister|unregister
{remove} ~3 {who} ~4
{remove} ~2 this|the ~1 {number}
{remove} from ~2 {off}
{remove} ~1 ur|your|this {off}
{remove} ~3 from ~3 {off}|your|this|ur
removed ~4 from|off
be|get|been|wish_to_be removed|deleted|erased|taken_off
have ~3 removed from|off
take|get|taking|pull|leave|kick|keep|cross|scratch|knock|bump|taken ~2 {who}|this|name|number|#|us|him|her|cell|off ~4 off|of|out|from ~1 your|ur|this|the|that|these|those|list|here|it|ya|yall|all|any
take|get|want|cross|knock|scratch|kick me|us|my_number|my_name off|out
get|let|leave|count|keep me out ~2
want|wanna|wants ~1 off|out ~2 list|of|this|these|here|texts|thread $
^ ~2 want|wanna off|out $
how|where ~5 get|opt|be|getting ~1 out|off|removed ~1
how|where ~4 stop|end|turn_off|cancel|disable|block|quit|discontinue ~2 getting|receiving|these|this|{news}|them|it
how|where ~4 turn|shut|switch ~2 off
turn|shut|switch|turning ~2 off ~1 {news}|these|this|them|it $
turn|shut|switch ~1 these|this|them|{news} off
way|option to ~1 stop|end|turn_off|get_out|leave|opt|disable
cancel ~2 {news}|subscription|alerts|sub|subscriptions|subscribe|these|this|enrollment|all
cancel me|my_subscription|my_number|this_number|everything|all
end|terminate|revoke|withdraw|rescind|cancel ~2 {news}|subscription|subscriptions|consent|permission|authorization|communication|agreement|enrollment
revoke|revoking|revoked|rescind|withdraw|withdrawing
{not} ~1 have|had|has|given|gave|give|got ~3 permission|consent|authorization|authorisation|right ~2
{not} ~1 consent|consented|authorize|authorized|authorised|agree|agreed to|for|you
without my permission|consent
^ ~3 no consent
never ~1 signed|sign|subscribed|subscribe|asked|ask|requested|request|gave|opted|enrolled|joined|agreed|wanted ~1 up|to|for|you|permission|in|any|these|this|it|consent|my
i|we never signed|subscribed|asked|requested|enrolled|agreed|opted
{not} ~1 sign|signed ~1 up ~1
{not} ~1 subscribe|subscribed|enroll|request|requested ~1 to|for|this|these|any|in|it|{news}
{not} ask|asked for|to ~2 this|these|be|{news}|any|get|receive
{not} give|gave ~2 my|you|permission|consent ~3
no|zero more|further|additional {news}|of|from|contact|please|pls|thanks|sms|communication|correspondence
^ no more|mas|mre $
no more $
not anymore|any_more $
never again $
no {news} $
{not} ~1 {want} ~2 more {news}|of|from
dont|do_not {want} anymore|any_more ~1 {news}
{not} {text} ~1 me|us|here|this|number|again
lose|forget|loose|burn|trash|toss ~1 my|this|the number|info|digits|contact|cell|phone|#
leave|let me|us ~4 alone|be
leave alone
go away|aways
^ get lost|bent $
fuck|f|fk|fck|piss|bugger|sod|buzz|eff|screw|fu|fuk|back|beat_it off|outta|out
^ fuck|beat off|it $
enough|sick|tired|fed_up already|with|of ~3 {news}|these|this|you|spam|getting|already|yall|ur|your
^ ~2 enough ~1 already|is|of|please|now $
enough is enough
^ enough|basta $
had enough
{not} ~2 bother|bug|disturb|harass|spam|annoy|pester me|us|my|this|again|anymore $
{not} ~1 bother|bug|disturb|harass|pester ~2
report|reported|reporting|reports ~4 spam|ftc|fcc|bbb|attorney|police|authorities|carrier|scam|junk|7726|harassment|abuse|government
report|reporting|reported you|u|yall|your_number|ur_number|this_number
ftc|fcc|tcpa|bbb ~1 complaint|violation|report|complain
complaint with|to|against
complain to
tcpa|ftc|fcc
sue|suing you|u|yall|ur|your|company|them|the
calling|call|contact|contacting|from|my|our|to ~2 lawyer|attorney|police|cops|lawyers
^ spam $
^ spam|spammer|spammers $
this|its|it|thats|youre|ur|all is|are|just|pure|was ~1 spam|spamming|harassment|harrassment|harassing|spammers
this spam
its|thats|youre|you_are|is just|a|all|pure|nothing|considered? ~1 harassment|spammers|spammer
harassing|harrassing|spamming me|us|people|my
harassment|harrassment
keep|keeps texting|messaging|sending|spamming|bugging ~3
i|im|i_am|i_have|ive|ill|now|will|gonna|going|to|be ~2 block|blocked|blocking ~2 you|this|u|number|ur|your|yall|these|them|it
blocked|blocking ~1 you|this|u|number|bye
^ blocked|blocking|block $
do|on|the ~3 not call|contact ~1 list|registry|register|me|us|this|again
do_not_call|dnc|dnd list|registry|register
^ do_not|dont call|contact|disturb
{not} call|phone|ring|dial|email|reach|hit ~1 me|us|this|here|again ~1 anymore|again|ever|up|out|period|number|phone $
lose me
too many|much ~2 {news} ~4 stop|remove|off|enough|please
no_longer ~3 {news}|receive|hear|contact|contacted|communication|communications|messaged|texted|text|message|notified|subscribe|subscribed|be_contacted|part|on|want|wish|need_these
not longer ~3 {news}|receive|hear
^ ~1 no_longer interested
done|finished|through with ~2 {news}|these|this|you|yall|list|ur|your|subscription
^ im|i_am done $
shut up
shut the ~1 up
discontinue|cease|desist|refrain|terminate|suspend|abstain ~3
put me|us|my|this ~2 on ~2 not|dnc|no
pls|please|plz off|out $
^ no_texts|no_texting|no_text|no_messages
^ stop2end|stop2stop|stopall|stoptexting|stopit|stopp|stahp|unsubscribeme|removeme|optmeout|stope $
^ remove|delete|discontinue|desist|cease|removed|unsubscribed|removal $
^ ~2 stop ~2 stop
^ reply|text|send|txt stop ~2 $
need|needing|want|require|wanting ~1 {news} ~2 anymore|any_more|no_more
anymore|any_more {news}
any|receiving|getting further|more {news}|communications|contact
^ ~2 not ~1 interested ~6 {stop}|remove|unsubscribe|off
mute|silence|disable|deactivate|pause ~2 {news}|these|this
appreciate ~6 stop|no_longer|not|stopped|texted|removed|off
"""

UNCLEAR: Final = """
^ im|i_am ~1 ok|good|okay|fine|alright|set thanks|thank|thx|ty? $
^ whos|who ~1 texting|messaging|contacting|writing|sending
who|whos ~1 texting|messaging
^ ~1 pass|nvm|never_mind|no_more_for_now $
^ who|whos|whose is|are|dis|this|that|r|the|tf|hell|u|you|it ~3 $
who|whos is|dis|this|r|are|the|tf ~2 this|dis|you|u|texting|that|it
^ ~2 who|whos|whose|whis this|dis|is_this|are_you|r_u|that|is_it
not|no|never|less|aint|isnt ~2 interested
uninterested
^ ~1 no|nope|nah|naw thanks|thank|thx|ty|thankyou|way|sir|maam|bueno|hell
^ no|nope|nah|naw $
^ ~1 no|nope|nah thank you|u $
^ hell|fuck|absolutely|definitely no|nah|not|naw
no thank|thanks|thx|ty ~1 $
^ ~2 wtf|stfu|gtfo|fu|ffs|smh|bs|bullshit|fuck|tf|wth|omfg|fml ~3
wtf|fuck_you|screw_you|fuck_u|kiss_my|go_to_hell|bite_me|get_a_life|up_yours|bullshit|eat_shit|suck_my|fuck|fucking|gtfo|stfu|asshole|assholes|idiots|jerks
how|where|when|who did|do|does|have|gave|got|you|u|d|yall ~3 my|this ~1 number|info|phone|cell
why|y are|am|r|do|did|is|you|u|yall|would ~2 {contacting}|getting|receiving|keep|me_these
why ~2 these|this {news}
what|whats|wats|wat|wuts is|are|the|this|s|r this|these|that|hell|it $
is|are|looks|sounds|seems|smells|think|thought ~2 like? a? spam|scam|fraud|fake|phishing|scammer|bot|legit
scam|scammer|scammers|fraud|phishing
annoying|annoyed|annoys|annoy|irritating|pestering|creepy|intrusive|invasive|obnoxious|bothersome
^ ugh|ew|gross|yuck|rude|meh|pass|seriously|really|creepy|boring ~2 $
^ really ~1 again
^ again|what $
not|im_not|dont ~1 sure ~2 want
did|when|where|have i|we ~3 sign|signed|subscribe|subscribed|consent|agree|opt
^ too many|much|often ~2 $
too many|much|often|frequent ~2 {news}
so many|much|these {news}
{not} {want} it|any|this|that|anything|u $
^ ~1 not now|today|for_me|again|needed|happening $
not_for_me
{not} bother
{not} call ~1 me|us|here|this|again|anymore
block|blocked|blocking
^ bye|goodbye|bye_bye|peace|later_loser|pass|ill_pass $
fewer|less {news}|often|frequent
only|just ~3 {news} ~4 month|week|emergency
not a|your customer|client|member
dont|never heard of you|your|this
{not} know who|you ~3 are|this|is|you
do|did i know|i_know you|u
spam
unwanted|unsolicited
hate ~3 {news}|these|this|you
not anymore|any_more
^ over it $
out of business
no soliciting|solicitors|solicitation
"""
