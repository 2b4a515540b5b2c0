"""Who may be signed in at all: the one place that every page, API and session passes."""

import logging
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from accounts import metrics
from accounts.models import User

log = logging.getLogger("gamrae.accounts")


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]
    """By e-mail and password; a suspended person is nobody, whatever session they still hold."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Counted, and nothing said of who was meant, nor whether there is such an account."""
        found: User | None = super().authenticate(request, **credentials)
        metrics.SIGN_INS.labels("refused" if found is None else "signed_in").inc()
        if found is None:
            log.info("code=sign_in_refused")
        return found

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(super().user_can_authenticate(user)) and user.suspended_at is None
