"""Portuguese replies, of Brazil and of Portugal."""

# ruff: noqa: E501  (a phrase is one line)
from __future__ import annotations

from typing import Final

GROUPS: Final = {
    "stop": "pare parem pra_parar parar deixe deixem deixa deixar cesse cessem interrompa"
    " interrompam interromper suspenda suspendam suspender pode_parar podem_parar evitem",
    "sending": "mand* envi* escrev* encher perturb* incomod* chatear importun* contat* contact* spam*"
    " aporrinh* torrar torra ligar insist* mensag* amol* assedi* escrever recebe*",
    "send": "mand* envi* escrev* perturb* incomod* contat* contact* chatei* importun* mensag* ench*"
    " amol* lig* procur* insist* aporrinh* torr* spam*",
    "news": "mensagem mensagens mensagen mensages menssagem menssagens msg msgs msn sms torpedo"
    " torpedos texto textos promocao promocoes promo propaganda propagandas publicidade spam"
    " anuncio anuncios isso nada aviso avisos oferta ofertas notificacao notificacoes"
    " comunicacoes informacoes whats zap disso isto conteudo lixo merda marketing",
    "not": "nao n nunca jamais naum nem",
    "more": "mais nada nunca jamais",
    "want": "quero kero queria desejo gostaria preciso queremos desejamos aceito autorizo pretendo"
    " tenho_interesse interessa quer",
    "remove": "tir* remov* retir* exclu* delet* apag* elimin* descadastr* risc* desvincul* saqu*"
    " cancel_meu",
    "list": "lista listas base cadastro cadastros contatos contactos sistema banco agenda grupo"
    " transmissao dados mailing",
    "number": "numero numeros num nro telefone fone tel celular cel telemovel contato contacto nome"
    " dados zap",
    "thing": "pedido pedidos consulta consultas reserva reservas compra compras horario agendamento"
    " encomenda entrega viagem voo mesa aula servico conta cartao contrato sessao visita ingresso"
    " marcacao item produto plano matricula",
}

WRONG: Final = """
sou o|a|e? @ nao|n
sou eu nao
{not} e|eh ~1 comigo|ele|ela $
{not} e mais o|a|dele|dela|numero
ele|ela|@ {not} ~1 usa|mora|trabalha|tem ~1 mais
@ faleceu|morreu|mudou|trocou
quem e @
numero e|eh ~1 outra|de_outra|meu_agora
numero|num|pessoa|telefone|tel|contato|contacto|celular|nr errado|errada|incorreto|incorreta|equivocado|trocado
errado|errada|errou|erraram|errei ~2 numero|num|pessoa|contato|contacto|telefone
engan* ~2 numero|pessoa|num|telefone
^ ~3 engano ~2 $
foi|e|por|deve_ser|houve ~1 engano
enganaram|enganado|enganou se|no|de|na|$
se enganou|enganaram|equivocou|equivocaram|confundiu|confundiram
{not} sou|e|era ~2 @
{not} sou essa|esse|a|o pessoa|dono|dona|titular|quem|proprietari*
{not} sou eu|quem
{not} e|eh|sou ~2 numero|telefone|celular|telemovel|contato|contacto|tel ~1 da|do|de|dela|dele
este|esse|esta|esta_linha|ja ~1 {not} ~2 numero|telemovel|telefone|celular|contato
ja {not} e|pertence|tem|usa ~3 numero|telemovel|telefone|de|da|do|a|este
numero|telefone|celular|telemovel {not} e|eh|pertence
numero|telefone|celular|telemovel ja? {not} ~2 pertence|mais
{not} pertence|usa|mora|trabalha|tem|possui ~1 mais|a|aqui|este|esse
{not} conheco|conhecemos ~1 nenhum|nenhuma|ninguem|@|essa_pessoa|esse_homem
{not} sei quem e|eh @|essa|esse
aqui {not} tem|ha|mora|existe|vive|trabalha ~2 nenhum|nenhuma|ninguem|@|essa|mais
{not} tem|ha|existe ~1 nenhum|nenhuma|ninguem ~1 @
{not} tem|ha ninguem ~4 nome|chamad*
ninguem ~3 esse|este|com_esse nome
nome nao|n e|eh
nao|n me chamo
nao e meu|o nome
trocou|mudou|trocaram de numero|telefone|celular|num
faleceu|morreu|falecido|falecida
agora e meu
este|esse numero|tel|telefone agora e
outra pessoa
me confundi*
sou outra
"""

NEGATED: Final = """
{not} pare|parem|para|parar|paro|cancela|cancele|cancelem|cancelar|deixem|deixe|sair|desmarca|desmarque|remov*|tirem
{not} consigo|posso|quero|vou|conseguimos ~1 parar|deixar|cancelar|sair
nunca pare|parem|deixem|cancelem
sem parar
"""

MEANT: Final = """
{not} param|parou|parou_de|para de
se {not} parar|pararem|param
por_que|pq|porque ~1 {not} ~1 param|para
{not} consigo sair|cancelar|me ~3 lista|disso|descadastr*|inscricao|mensag*|$
"""

BESIDE: Final = """
cancel*|desmarc*|remov*|tir*|exclu* ~3 {thing}
{thing} ~2 cancel*
{not} me? lig* ~2 mand*|mensagem|msg|prefiro|so|escrev*|sms
{not} me? {send} ~4 antes|depois|ate|enquanto|hoje|amanha|de_noite|durante|a_noite|no_domingo|agora
vou|indo|ia|acabei|acabo ~1 sair agora|do|da|de|mais|para|pra|hoje|com
sair do|da|de trabalho|casa|escola|aula|reuniao|banho|medico
parar o|a|para|pra|no|na carro|almoc*|estacion*|comer|moto
onde ~3 parar
"""

#: Asks how we came to the number: no wish yet, and a person had better answer.
ASKING: Final = """
de_onde|onde|como|quem ~4 meu ~1 numero|telefone|celular|contato
"""

#: Stop words and refusals that are none.
HARMLESS: Final = """
{not} entendi|entendo|sei|me_mandaram
{not} quero incomodar|atrapalhar
onde ~1 fica|esta
^ ~1 hoje|amanha nao ~3
fim|fins de|do|da ~1 semana|mes|dia|ano|tarde
ainda|hoje nao ~1 $
nao ainda|sei|foi
td|tudo bem|bom|certo|ok|joia
ponto|parada de|do onibus
sem problema|problemas|pressa|duvida
^ {not} prefiro|eu|amanha|foi|chegou|da|sei|posso
"""

OUT: Final = """
saco|de_saco cheio
me tira|tire|tirem dai|daqui|disso|fora
quero|desejo|gostaria ~2 cancelar ~1 o|esse|essas|os|as|isso|recebimento|envio|mensagens
agradeco|agradecia|agradeceria ~5 retir*|remov*|nao|par*|tir*
favor {not} ~3
{not} ~1 enviar|mandar|escrever|contatar|contactar ~3
{not} mande|manda|mandem|envie|enviem|escreva|escrevam mais
ninguem pediu|pedi
proibo|proibido
deixem|deixa ~1 de ~1 {send}
para de ~2 {sending}|{send}
^ para ya|por_favor|porfa|ja|com_isso|con_esto $
^ ya|ja|mas|entao? para ya|ja? $
{stop} ~1 de|com|d ~3 {sending}|{send}|{news}|me
{stop} ~3 {news}
^ ja? {stop}|sair|sai|cancela|remover|excluir|encerrar|encerra|finalizar|terminar|fim|desativar|descadastrar|desinscrever|apagar|cancele|cancelem|deletar|retirar|interromper ja|agora|por_favor|pfv|pf|pfvr|porfavor|tudo|isso|ai|logo|obrigado|obrigada|favor|please? $
^ ja? {stop}|deixar $
pode|podem|favor|queira|queiram|pra|pedi|peco|pedindo|pedir|please|quero_que|que|vai|vao parar|parem|pare|param
demais|dia|hora|sempre para|pare|parem $
ja|vezes|ter_que ~2 pedi|disse|falei|avisei|respondi|pedir ~3 parar|parem|nao|sair|para|stop|pare|descadastr*|remov*
chega ~1 de|disso|com|ja|msg ~1
^ ~1 chega $
ja chega
^ ~1 basta ~3 $
basta de
sem mais ~1 {news}
mais nenhuma|nenhum {news}
nenhuma|nem_mais_uma|nada_de|chega_de|zero ~1 mensagem|msg|mensagens|sms|mais
^ ~1 {not} mais
{not} ~3 {want} ~1 mais ~3
{not} ~2 {want} ~5 {news}|receber|mais|contato|contacto|continuar|que_me
{not} ~2 {want} ~2 receb*|ser|ver|saber
{not} ~2 receber ~2 mais|{news}|nada
{not} receber
deixar|parar|parem|deixo de receber
{not} ~2 me|nos ~2 {send} ~4 mais|nada|nunca|{news}|por_favor|pfv|pf|favor|novamente|outra|de_novo|isso
{not} ~2 me ~1 {send} ~1 $
{not} {send} ~2 mais|nada|nunca
{not} ~1 {send} me|nos ~2 mais|nada|{news}|$
{not} voltem|volte|tornem|torne|volta ~1 a ~2
{not} ~1 me perturb*|incomod*|contat*|contact*|chatei*|amol*|aporrinh*|encha|enche|encham
{not} ~1 perturb*|incomod*|chatei*|encha|enche|ench*|amol*
nunca mais ~2 me|{send}|quero
me|nos ~1 tir*|remov*|retir*|exclu*|delet*|apag*|descadastr*|elimin*|desinscr*|risc*|saque*|bloque* ~5
{remove} me|nos|meu|minha|este|esse|o_meu ~4
{remove} ~3 {number} ~2
{remove} ~4 {list}
poderiam|podem|poderia|pode|favor|quero|gostaria ~2 tirar|remover|excluir|apagar|deletar|retirar|descadastrar ~2 meu|minha|o|me|nome|este|esse
quero|queria|gostaria|desejo|preciso|como|posso|faco|vou ~4 sair ~3 {list}|disso|daqui|dessa|desse|grupo|desta
quero|queria|desejo sair $
sair ~1 {list}|dessa|desta|disso|daqui
como ~4 cancel*|par*|bloque*|desativ*|desliga*|sai|saio|tiro ~4 {news}|essas|isso|disso|lista|receber|daqui|inscricao
como ~6 {not}|parar|deixar ~2 receb*|mais
descadastr*|desinscr*|dessinscr*|desinscrev*
cancel*|desativ*|encerr*|suspend*|bloque* ~4 {news}|inscricao|assinatura|cadastro|subscricao|essas|recebimento|envio
interromp*|suspend*|cess* ~2 envio|{news}
^ {remove} ~1 $
esquec* ~2 {number}|mim|que_eu|de_mim
me esquece|esquecam|erra|errem|larga|larguem
me|em|deix* ~1 deix*|paz ~2
em paz
deix*|largue* ~2 paz
sossego
vai|vao|va ~1 se|tomar|pro|pra|plantar|catar ~1
vai_se|va_se|vao_se foder|ferrar|danar|lascar
sai|some|sumam|suma|saiam|vaza|vazem ~1 fora|daqui|da|$
nunca|nao|n|jamais ~3 cadastr*|inscrev*|assinei|pedi|solicitei|autorizei|autorizo|permiti|consenti|dei|subscrevi|aceitei|inscreveu|concordei|dou|registei|registrei
sem|nenhuma|nenhum ~1 meu|minha|a_minha|o_meu consentimento|autorizacao|permissao
sem autorizacao|permissao|consentimento
revog*|retir* ~3 consentimento|autorizacao|permissao
lgpd|rgpd|procon|anatel|cnpd
denunci*
vou|vamos|irei|ja|estou|foi ~3 bloque*|process*|report*|denunci*
bloque* ~2 $
bloquead*|bloqueei|bloqueio|bloqueando
report* ~4 spam|voces|vcs
como spam
e|eh|so|isso|muito|puro spam|assedio|perseguicao
assedio
^ ~1 spam $
nao|n ~1 preciso|precisamos|necessito ~2 mais
{not} tenho ~1 interesse ~5 receber|{news}|par*|remov*|tir*|mais|exclu*
{not} interessa ~4 par*|remov*|tir*|exclu*
sem interesse ~4 par*|remov*|tir*|exclu*
cansei|cansad*|saco_cheio|farto|farta ~1 de|dessas|disso|com|$
encher|enche|enchendo ~1 o saco
parem|pare $
"""

UNCLEAR: Final = """
cancelo|cancele|cancelem|cancela|desmarcar|desmarca
^ ~2 quem|qm ~1 e|eh|fala|esta|ta|seria|es|sao|falando|me ~3 $
de quem|qm ~1 numero|e|$
com quem ~1 falo|estou
^ ~1 {not}|nop|nunca ~2 $
^ ~2 {not} ~1 obg|obrigado|obrigada|brigado|brigada|vlw ~1 $
^ {not} por_favor
nao|n obrigado|obrigada|obg|vlw|brigad*
{not}|sem|zero ~3 interess*
{not} me interessa
^ ~1 {not} ~1 quero|preciso|desejo ~1 $
como|onde|quem ~4 meu|este|esse|o_meu ~1 {number}
por_que|porque|pq|pk|por_qual|porq ~5 {send}|{news}|recebo|recebendo
^ ~1 o? que|q|oq e|eh|querem|quer ~1 isso|isto|essa|$
^ oq|oque|que|q e|eh ~1 isso|isto|essa ~1 $
e|eh|seria ~1 golpe|spam|fraude|virus|fake|verdade
golpe|fraude|burla|golpistas|spam|estelionato
que saco|chato|chatos|chatice|inferno|porre|seca|irritante|raiva
chato|chatos|irritante|chatice|insistentes|inconveniente*
^ ~1 de novo ~2 $
de novo isso|voces|vcs|essa
outra vez isto|isso|voces|$
muitas|tantas|demais ~1 {news}
{news} demais
merda|porra|caralho|foda|pqp|fdp|otarios|idiotas|vsf|vtnc|tnc|krl
{not} me lig*
{not} conheco|sei quem
agora nao ~1 $
^ afe|aff|afff|af|credo ~1 $
"""
