"""Who may be signed in at all: the one place that every page, API and session passes."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]
    """By e-mail and password; a suspended person is nobody, whatever session they still hold."""

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(super().user_can_authenticate(user)) and user.suspended_at is None
