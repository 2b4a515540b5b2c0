"""How the page of own sessions names things."""

from django import template
from django.utils.translation import gettext as _
from ua_parser import parse

register = template.Library()


@register.filter
def program_name(user_agent: str) -> str:
    """What a session was opened with, as its owner would call it: "Chrome · Windows"."""
    found = parse(user_agent)
    known = [part.family for part in (found.user_agent, found.os) if part is not None]
    return " · ".join(known) or user_agent.partition("/")[0] or _("알 수 없는 프로그램")
