"""Spanish replies."""

# ruff: noqa: E501  (a phrase is one line)
from __future__ import annotations

from typing import Final

GROUPS: Final = {
    "stop": "pare paren parad dejen deja deje dejad dejar dejes dejense deten detenga detengan"
    " detenganse cesen cese terminen termine acaben suspendan suspenda suspender suspende eviten",
    "sending": "mandar mandarme mandarnos mandando mandandome enviar enviarme enviando enviandome"
    " enviarnos escribir escribirme escribiendo escribiendome contactar contactarme molestar"
    " molestarme molestando fastidiar fastidiarme joder joderme jodiendo insistir spamear"
    " spamearme acosar acosarme chingar chingando hostigar textear textearme llamar llamarme"
    " mensajear llegar llenarme bombardear bombardearme hinchar mamar",
    "send": "mand* envi* escrib* contact* molest* text* llam* jod* mensaje* spame* fastid* moleste*"
    " acos* hostig* comuni* pong* insist* busq* busc*",
    "news": "mensaje mensajes mensages mensajitos mesajes msj msjs msg msgs msn sms texto textos"
    " publicidad publi propaganda promocion promociones promos promo ofertas oferta spam"
    " notificaciones notificacion avisos aviso comunicaciones comunicacion correos alertas esto"
    " cosas nada info informacion anuncios whatsapps mierda basura porqueria",
    "not": "no nunca tampoco jamas n",
    "more": "mas nunca jamas nada ya",
    "want": "quiero kiero qiero queremos deseo deseamos quisiera me_interesa desea desean necesito"
    " acepto autorizo quiere interesa_recibir gustaria pienso",
    "get": "recibir resivir resibir recivir reciba seguir tener saber me que q k ver mas llegue leer",
    "remove": "borr* elimin* quit* saq* sac* remuev* remov* retir* tach* excluy* supri* exclu*"
    " desvincul*",
    "list": "lista listas base base_de_datos contactos registro registros sistema agenda grupo"
    " difusion datos directorio suscripcion",
    "number": "numero numeros nro num telefono tel celular cel movil contacto datos nombre",
    "thing": "pedido pedidos orden ordenes cita citas reserva reservas reservacion reservaciones"
    " compra envio turno turnos vuelo viaje visita clase consulta mesa hora servicio contrato"
    " entrega factura cuenta tarjeta evento boleto boletos entrada entradas lo el_azul membresia",
}

WRONG: Final = """
no es ~1 numero|telefono|celular|movil|cel|tel de|del
^ ~2 se|te equivoc* ~1 aqui|este|yo|no
aqui no es|vive|es_la|esta
soy @ no
no soy ella|el_que|la_que|a_quien|con_quien|quien|el|ella|esa_persona
para otra|otro persona|numero|senor
@ ya_no|no ~1 vive|trabaja|usa|tiene|esta
@ fallecio|murio|cambio
quien es @
numero|num|nro|persona|telefono|tel|cel|celular equivocado|equivocada|equibocado|incorrecto|errado|erroneo|equivocados|incorrecta|erronea
equivocado|equivocada de numero|persona|num|tel|telefono
se|te|os|me|les ~2 equivoc* ~1 de numero|persona|num|telefono|contacto|tel|cel|cliente
^ ~2 se|te|os|esta|estas|estan|han equivoc* ~1 $
equivoc* ~1 de ~1 numero|persona|num|telefono|tel
esta|estas|estan|estais equivocado|equivocada|equivocados
no soy|es|era ~2 @
no soy esa|ese|la|el persona|sr|senor|senora|que|tal|propietario|dueno|duena|titular
no soy quien|yo
no es ~1 numero|telefono|celular|movil|cel|tel de @
este|ese|esto no ~2 numero|telefono|celular|movil|cel|tel de
ya no es|pertenece|tiene|usa|utiliza|vive|trabaja ~4 numero|telefono|celular|movil|cel|de|a|aqui|este|ese|la
no pertenece|corresponde a
numero|telefono|celular|movil|cel ya no
aqui|aca no hay|vive|existe|trabaja|esta|conocemos ~1 ningun|ninguna|nadie|nadien|esa|ese|@
no hay|vive|existe ~1 ningun|ninguna ~1 @
no hay|vive nadie ~4 nombre|llamado|llamada|asi
nadie ~3 ese|con_ese nombre
no conozco|conocemos a? ningun|ninguna|nadie|@|esa_persona|ese_senor|esa_senora
no se quien es @|ese|esa
me_cambiaron|cambie|cambio|cambiaron ~2 numero|num|telefono ~4 no|este|ya|soy
ya no|nunca tiene|usa|es este|el numero|telefono|celular
fallecio|murio|fallecido|fallecida
no me llamo
mi nombre no es
no es mi nombre
me confund* con
me estan|esta confundiendo
este numero|telefono|celular|cel ahora es|pertenece
este numero es ~2 otra persona
es ~1 otra persona
a otra persona|numero $
busca|buscan|buscas a otra|otro persona|numero
"""

NEGATED: Final = """
no paren|pares|pare|paras|dejen|dejes|deje|cancelen|canceles|cancele|cancela|cancelar|deis|cesen|detengan|quiten ~1
no quiero|deseo|quisiera ~1 cancelar|parar|darme|dejar|desuscribirme|baja
no puedo|podemos|puede ~1 parar|dejar|cancelar
sin parar
nunca paren|dejen|pares|dejes|cambien
no me den|des|de|saquen|saques|quiten|borren|eliminen|elimines ~1 baja|de|aun|todavia
"""

MEANT: Final = """
no dejan|paran|deja|para|dejais|parais de
si no paran|dejan|para|deja
no me deja|dejan|puedo ~2 darme|dar|cancelar|borrar|salir ~1 de_baja|baja|suscripcion
por_que|porque|xq|pq no paran|dejan|para|deja|me_borran
"""

BESIDE: Final = """
cancel*|anul*|borr*|elimin* ~2 {thing}
quiten|quitar ~2 {thing}
{thing} ~2 cancel*
no me llam* ~1 mejor|mandame|mandenme|escrib*|mensaje|prefiero
no me|nos? {send} ~3 antes|despues|hasta|a_las|de_noche|mientras|hoy|manana|los|tan|el|al|en|por_la
planta|ultima|gama|voz|temporada|presion|tension baja
baja temporada|medica|laboral|maternidad|paternidad|el|los|del
estoy|esta|de de_baja|baja medica|laboral|maternal|por|en_el
dej* de fumar
"""

#: Asks how we came to the number: no wish yet, and a person had better answer.
ASKING: Final = """
de_donde|donde|como|quien ~4 mi ~1 numero|telefono|celular|num
"""

#: Stop words and refusals that are none.
HARMLESS: Final = """
^ no entiendo|entendi|se|me_llego|tengo|tiene|hay|conozco ~4
fin|fines de ~1 semana|mes|ano|curso|anos|fiesta
al|por fin
todavia|aun|hoy|ahora_mismo|ya no ~1 $
no pasa|hay ~1 nada|problema|prisa|de_que
no todavia|aun
^ no manana|hoy|puedo|mejor|prefiero|el|la|es|esta|ha
"""

OUT: Final = """
ya? parenle|parale|parele|bajenle
dejen ya
estoy|estamos ~1 hart*|cansad*|fastidiad*|hasta_la
quiten|quita|borren|borra|eliminen|saquen|elimina mi|me|nuestro|a_mi|este|el_numero
me tienen hart*|cansad*|podrid*|hasta
agradec* ~5 no|dej*|dar* ~2
hagan*|hagame|haganme ~3 sacarme|borrarme|quitarme|eliminarme|no
no ~1 tengo interes ~2 recibir|mensajes
no|sin ~1 soy|era cliente
no ~2 {send} ~2 a_este|a_mi_numero|este_numero
{not} ~2 autoriz*|consient*
ni se les ocurra
prohibo|prohibido
para ya? de ~2 {sending}|{send}
^ para ya|por_favor|porfa|ja|com_isso|con_esto $
^ ya|ja|mas|entao? para ya|ja? $
{stop} de ~2 {sending}|{send}
{stop} ~3 {news}
{stop} ~2 {sending}
^ ya? {stop}|alto|parar|detener|terminar|cesar|fin ya|por_favor|porfa|porfavor|xfa|pf|gracias|todo|esto|please? $
^ ~1 ya ~1 {stop} $
^ ya? {stop} ya
^ {stop}|detener|terminar|suspender|cesar|desactivar $
que paren|dejen|pare|deje
pido|pedi|dije|dijimos|pedido|decir|digo|decirles|dicho|decirle ~4 paren|dejen|no|pare|deje|baja|borr*|parar|stop|basta
dejen*|dejem*|dejan*|dejad*|deje*|deja* ~1 en paz|tranquil*
en paz|paz_de_una
dejame|dejenme|dejeme|dejadme|dejanos|dejennos en|tranquil* ~1
baja|bajas por favor
dar|darme|darnos|darse|den|dar_mi|denme|dame|deme|dadme|dennos|de|des|dense|doy|dame_de|damos|darla|darlo|demen|dar_de|dale ~4 baja
de baja
solicito|pido|quiero|exijo|solicitar|pedir|kiero|tramitar|deseo|quisiera ~2 baja
baja de|del|mi|este|a ~2 {list}|{number}|{news}|servicio|newsletter
^ ~1 la? baja ~3 $
basta ~3 ya|de|con|por|mensajes|gracias|x|tanto
ya|ahora|pues basta|estuvo|paren|dejen
ya basta|estuvo|fue|estuvo_bueno|me_cansaron|cansan|cansaron|estoy_cansad*|estoy_hart*
^ ~1 basta ~2 $
hart* de|con|ya
cansad* de ~3 {news}|{sending}|recibir|tanto
no|ni|ningun mas ~1 {news}|por_favor|pf|gracias|porfa|xfa
ni un|una {news}|mas
^ ~1 no mas $
^ ~1 nada mas|de ~1 {news}
nada de {news}
mas {news} ~1 no
sin|cero mas {news}
basta|alto a|de|con|los|esos ~1 {news}
{not} ~2 {want} ~3 {get} ~4 {news}|mas|manden|envien|escriban|escriba|mande|envie|contacten|contacte|siguiendo|recibiendo|de_ustedes|nunca|molesten|moleste|llamen
{not} ~2 {want} ~2 {news}|saber|recibir|recibirlos|recibirlo|ustedes|mas|suscrib*|participar
{not} {want} seguir|que_me|q_me|k_me
ya {not} ~1 {want}
ya no ~1 {want}|quiero|me ~3
{not} ~1 me|nos|le|les|lo|vuelv* ~2 {send} ~3 mas|nada|{news}|nunca|jamas|por_favor|porfavor|xfa|pls|porfa|otra|de_nuevo|esto|nuevamente
{not} ~1 me|nos|lo ~1 {send} ~1 $
{not} ~1 me|nos {send} nada|ya|a_este|al|a_mi
{not} {send} ~3 mas|nada|nunca|jamas
{not} molest*|insist* ~1 $
{not} ~1 vuelv*|volvais ~1 a ~3
{not} me molest*|jod*|acos*|fastidi*|contact*
{not} ~1 sig*|sigan ~1 {sending}|mandandome|escribiendo|enviando|enviandome|insistiendo|mandando
hace_falta|necesito|hacen_falta recibir|que_me|sus|mas ~2 {news}|mas
{remove} ~4 {list}
{remove} ~3 {number}
borr*me|borr*nos|borrame|borrenme|borreme|borradme|borrarme|eliminame|eliminenme|elimineme|eliminarme|eliminadme|quitame|quitenme|quiteme|quitadme|quitarme|sacame|saquenme|saqueme|sacadme|sacarme|remuevanme|remuevame|remueveme|removerme|retirenme|retireme|retirame|retirarme|tachenme|excluyanme|excluyame|desvinculenme|suprimanme|sacarnos|borrennos|quitennos
me borr*|elimin*|saqu*|saca|quiten|quita|quite|quiten|retir*|remuev*|desuscrib*|excluy* ~3 de|por|ya|favor|lista|$
me borran|borra|borren|eliminan|elimina|sacan|saca|saquen|saques|quitan|quita|quiten|quites
^ {remove} $
^ borrar|eliminar|remover|borrenlo|quitar ~1 $
cancel*|anul*|termin*|desactiv*|bloque*|deten* ~3 {news}|suscripcion|suscripciones|subscripcion|inscripcion|servicio_de|alerta|alertas|publicidad
^ cancel*|anul* ~1 todo|por_favor|ya|porfa|gracias|esto ~1 $
^ quiero|deseo cancelar $
desuscrib*
dessuscrib*|desinscrib*|desapunt*|unsubscrib*
des suscrib*
borrar|baja suscripcion
como ~3 cancel*|desactiv*|par*|quito|me_salgo|salgo|elimino|borro|deten*|bloque*|dejo ~3 {news}|estos|esto|de_aqui|lista|de_recibir
como ~5 no|dejar|dejo ~1 recibir|de_recibir|me_lleguen
como ~2 dejan|dejo|dejar de
salir ~3 {list}|de_aqui|de_esto
salir $
quiero|deseo|necesito salir|salirme|que_me_saquen|q_me_saquen|que_me_borren|que_me_den|que_me_eliminen|que_no|que_dejen|q_dejen|que_paren
salirme ~2
me|nos salgo|quiero_salir|sacan|sacas|desapunto
{not} ~1 me|nos ~1 suscrib*|inscrib*|registr*|apunt*
nunca|jamas|no ~2 pedi|solicite|autorice|consenti|pedimos|autorizo|di_permiso|di_mi|acepte|doy|pedia|he_pedido|he_autorizado|he_dado|he_solicitado|me_suscribi|di
no autoriz*|consient*|doy ~3
sin mi|permiso consentimiento|permiso|autorizacion
revoc*|retir* ~2 consentimiento|permiso|autorizacion
revoco|revocar
denunci* ~4
^ ~2 denunci*
report* ~5 spam|ustedes|profeco|policia|autoridad*|estafa
los|les|te|lo|voy_a|se|ya|os ~1 report*|denunci*|bloque*|demand*
reportad*|bloquead*|denunciad*
es|son|puro|puros|por spam|acoso|hostigamiento|spammers
^ ~1 spam|acoso $
acoso
olvid* ~3 {number}|mi|mi_existencia
olvidense de|ya
pierdan|pierde|bota|boten mi ~1 {number}
vete|vayanse|vayase|iros|idos|largate|larguense|larguese|vayan ~3
a la mierda|chingada|verga
al carajo|diablo
no|ni me jodan|jodas|joda|chinguen|chingues|molesten
dej* ~2 joder|chingar
detengan*|detenganse|cesen|desistan|absteng*
no_estoy|no_estamos|no_me_encuentro interesad* ~4 {send}|borr*|elimin*|baja|mas|quit*
lista robinson
de publicidad
proteccion de datos
no me|nos|te|le|se|les comuni* ~3 mas|nunca
"""

UNCLEAR: Final = """
cancelo|cancele|cancelen|cancela|anular
y? tu|usted ~1 quien|kien ~1 es|eres
^ ~1 quien|kien|qn es|eres|habla|son|escribe|sois|esta|hablo|me_escribe|me_habla|ers|xs|sos|es_usted ~3 $
^ ~2 quien|kien|qn ~2 es|eres|habla|son|escribe|sos $
con quien hablo|tengo
no ~1 gracias|grasias|grax|gcias ~1 $
no grac*
^ ~1 no|nop|nel|nones|nah|nunca|para_nada|no_no|que_no ~2 $
^ no por_favor|porfavor|porfa $
no ~2 interes*
sin interes
^ ~1 no ~1 quiero|kiero|deseo|necesito|quisiera ~2 $
de|a|como|donde|quien|por ~1 donde|como|quien|que|dio ~5 mi|este ~1 {number}
como ~3 {number}
por_que|porque|xq|pq|x_que|porq|para_que ~2 {send}|manda*|recibo|llega|llegan
^ ~1 que|k|q es|quieren|quiere|quieres|son|onda_con ~1 esto|esta|eso|es|$
es ~2 estafa|fraude|spam|fake|falso|timo
estafa|estafadores|timo|fraude
spam
que|q|k pesad*|fastidio|molest*|hinchapelotas|asco|plaga|cansin*|lata|latosos
^ ~1 pesad*|molest* $
molest*
^ uf|uff|ay|otra|puf|puff|ash ~1 otra|no|vez|de_nuevo ~2 $
otra vez ustedes|con|lo|los|$
^ ~1 otra vez $
demasiados|muchos|tantos {news}
mierda|joder|chingada|chinga|pendejos|carajo|cono|gilipollas|imbeciles|puta|putos|cabrones|verga
no me llam* ~1
por ahora no
^ ahora no $
no conozco|se quienes|esta|quien
"""
