"""The pages that whoever sent a form sees, where the operator leads them nowhere else."""

from __future__ import annotations

from typing import Final

from connector.web.answers import Answer
from connector.web.pages import page, spoken

#: thanks, asks, then the faults by code, mend (before the field's name), back
WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "thanks": "Thank you",
        "received": "Your message has arrived.",
        "asks": "If you asked for texts, one is on its way: reply YES to it within 24 hours.",
        "sorry": "That did not work",
        "field_missing": "Something is missing: {field}.",
        "field_too_long": "This is too long: {field}.",
        "phone_unusable": "Please look at the telephone number again.",
        "email_unusable": "Please look at the e-mail address again.",
        "files_sent": "This form takes no files.",
        "later": "Please try again in a little while.",
        "other": "The form could not be sent from this page.",
        "back": "Back",
    },
    "de": {
        "thanks": "Vielen Dank",
        "received": "Ihre Nachricht ist angekommen.",
        "asks": "Wenn Sie SMS wünschen, kommt gleich eine: Antworten Sie binnen 24 Stunden mit JA.",
        "sorry": "Das hat nicht geklappt",
        "field_missing": "Es fehlt etwas: {field}.",
        "field_too_long": "Das ist zu lang: {field}.",
        "phone_unusable": "Bitte sehen Sie sich die Telefonnummer noch einmal an.",
        "email_unusable": "Bitte sehen Sie sich die E-Mail-Adresse noch einmal an.",
        "files_sent": "Dieses Formular nimmt keine Dateien an.",
        "later": "Bitte versuchen Sie es etwas später noch einmal.",
        "other": "Das Formular konnte von dieser Seite aus nicht gesendet werden.",
        "back": "Zurück",
    },
    "es": {
        "thanks": "Gracias",
        "received": "Hemos recibido su mensaje.",
        "asks": "Si pidió mensajes de texto, le llegará uno: responda SÍ en 24 horas.",
        "sorry": "No ha funcionado",
        "field_missing": "Falta algo: {field}.",
        "field_too_long": "Esto es demasiado largo: {field}.",
        "phone_unusable": "Revise el número de teléfono, por favor.",
        "email_unusable": "Revise la dirección de correo, por favor.",
        "files_sent": "Este formulario no admite archivos.",
        "later": "Inténtelo de nuevo dentro de un rato.",
        "other": "El formulario no se pudo enviar desde esta página.",
        "back": "Volver",
    },
    "fr": {
        "thanks": "Merci",
        "received": "Votre message est bien arrivé.",
        "asks": "Si vous avez demandé des SMS, vous en recevrez un : répondez OUI sous 24 heures.",
        "sorry": "Cela n'a pas fonctionné",
        "field_missing": "Il manque quelque chose : {field}.",
        "field_too_long": "Ceci est trop long : {field}.",
        "phone_unusable": "Merci de vérifier le numéro de téléphone.",
        "email_unusable": "Merci de vérifier l'adresse e-mail.",
        "files_sent": "Ce formulaire n'accepte pas de fichiers.",
        "later": "Merci de réessayer dans un moment.",
        "other": "Le formulaire n'a pas pu être envoyé depuis cette page.",
        "back": "Retour",
    },
    "it": {
        "thanks": "Grazie",
        "received": "Il tuo messaggio è arrivato.",
        "asks": "Se hai chiesto gli SMS, ne arriverà uno: rispondi SÌ entro 24 ore.",
        "sorry": "Non ha funzionato",
        "field_missing": "Manca qualcosa: {field}.",
        "field_too_long": "È troppo lungo: {field}.",
        "phone_unusable": "Controlla il numero di telefono.",
        "email_unusable": "Controlla l'indirizzo e-mail.",
        "files_sent": "Questo modulo non accetta file.",
        "later": "Riprova tra un po'.",
        "other": "Il modulo non può essere inviato da questa pagina.",
        "back": "Indietro",
    },
    "pt": {
        "thanks": "Obrigado",
        "received": "A sua mensagem chegou.",
        "asks": "Se pediu mensagens de texto, vai receber uma: responda SIM em 24 horas.",
        "sorry": "Não funcionou",
        "field_missing": "Falta algo: {field}.",
        "field_too_long": "Isto é longo demais: {field}.",
        "phone_unusable": "Verifique o número de telefone.",
        "email_unusable": "Verifique o endereço de e-mail.",
        "files_sent": "Este formulário não aceita ficheiros.",
        "later": "Tente de novo daqui a pouco.",
        "other": "O formulário não pôde ser enviado desta página.",
        "back": "Voltar",
    },
}


def thanks(language: str, *, asks: bool, back: str) -> Answer:
    """The form was taken; ``asks`` where a text may follow that wants a yes."""
    words = _words(language)
    said = [words["received"], *([words["asks"]] if asks else [])]
    return page(200, spoken(language, WORDS), words["thanks"], said, (back, words["back"]))


def fault(language: str, status: int, code: str, field: str, back: str) -> Answer:
    """Why it was not taken, in words for whoever filled it in; ``field`` by the page's name."""
    words = _words(language)
    says = words.get(code, words["other"]).format(field=field)
    return page(status, spoken(language, WORDS), words["sorry"], [says], (back, words["back"]))


def _words(language: str) -> dict[str, str]:
    return WORDS.get(language.partition("-")[0], WORDS["en"])
