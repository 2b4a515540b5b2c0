"""What a person is told by mail when somebody starts their account again, and how it ends."""

import logging
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import override

from accounts.models import User

log = logging.getLogger("gamrae.accounts")


def tell_of_reset(person: User, what: str, due_at: datetime) -> None:
    """Write to a person, in every language: the one that is active is that of who asked for it.

    ``what``: begun, completed, vetoed or withdrawn. A mail that cannot be sent undoes nothing.
    """
    subjects, texts = [], []
    for language, _ in settings.LANGUAGES:
        with override(language):
            about = {"what": what, "due_at": due_at, "public_url": settings.PUBLIC_URL}
            subjects.append(render_to_string("accounts/email/reset_subject.txt", about).strip())
            texts.append(render_to_string("accounts/email/reset_message.txt", about).strip())
    try:
        send_mail(" / ".join(subjects), "\n\n".join(texts) + "\n", None, [person.email])
    except Exception as error:
        log.error("code=mail_unsent user=%s error=%s", person.id, type(error).__name__)
