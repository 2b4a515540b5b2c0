"""What passwords and names may look like."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User

# Line and paragraph separators, controls, and marks that turn the reading direction around.
UNSEEN = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
TURNING = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
BLANK = {"Zs", "Cf", "Mn"}


class MaximumLengthValidator:
    """Refuses passwords longer than ``max_length`` characters, so that hashing stays bounded."""

    def __init__(self, max_length: int = 128) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > self.max_length:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        text = ngettext(
            "비밀번호는 %(count)d자까지 쓸 수 있어요.",
            "비밀번호는 %(count)d자까지 쓸 수 있어요.",
            self.max_length,
        )
        return text % {"count": self.max_length}


def validate_shown_text(value: str) -> None:
    """Refuse characters that hide or disguise a name: controls, line breaks, direction marks."""
    if any(unicodedata.category(mark) in UNSEEN or mark in TURNING for mark in value):
        raise ValidationError(_("보이지 않는 문자는 쓸 수 없어요."), code="unseen")


def validate_nickname(value: str) -> None:
    """A name that others can see: no disguise, and something of it is visible."""
    validate_shown_text(value)
    if all(unicodedata.category(mark) in BLANK for mark in value):
        raise ValidationError(_("이름을 적어 주세요."), code="blank")
