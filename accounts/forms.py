"""What sign-up asks beside e-mail and password, in pages and for programs."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.validators import validate_nickname


class NicknameForm(forms.Form):
    """The name that friends see. allauth makes it the base of its own sign-up forms."""

    nickname = forms.CharField(
        label=_("이름"),
        max_length=40,
        help_text=_("친구에게 보이는 이름이에요. 나중에 바꿀 수 있어요."),
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
        validators=[validate_nickname],
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Nothing is left to do: the adapter saves the name with the person, in one step."""
