"""Template tags of the frame."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chatsite import frontend

register = template.Library()


@register.simple_tag
def entry(name: str) -> SafeString:
    """The styles, preloads and script of a built entry, each with its integrity value."""
    files = frontend.entry(name)
    rows = [("stylesheet", file.url, file.integrity) for file in files.styles]
    rows += [("modulepreload", file.url, file.integrity) for file in files.preloads]
    links = format_html_join("\n", '<link rel="{}" href="{}" integrity="{}">', rows)
    script = '<script type="module" src="{}" integrity="{}"></script>'
    return format_html("{}\n" + script, links, files.script.url, files.script.integrity)
