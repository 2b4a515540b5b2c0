"""What browsers report about the content security policy: counted by directive, and nothing kept.

A report holds addresses and pieces of pages; none of that is logged.
"""

import json
import logging

from csp.utils import DEFAULT_DIRECTIVES
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from prometheus_client import Counter

log = logging.getLogger("gamrae.csp")
REPORTS = Counter("gamrae_csp_reports", "Reports of the content security policy.", ["directive"])
LIMIT = 16 * 1024


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Count one report; a body that is none is counted as ``unknown``."""
    directive = _directive(request.read(LIMIT))
    REPORTS.labels(directive).inc()
    if cache.add(f"csp-report:{directive}", value=True, timeout=60):
        log.warning("code=csp_report directive=%s", directive)
    return HttpResponse(status=204)


def _directive(body: bytes) -> str:
    try:
        report = json.loads(body)["csp-report"]
        named = str(report.get("effective-directive") or report["violated-directive"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "unknown"
    word = named.partition(" ")[0]
    return word if word in DEFAULT_DIRECTIVES else "unknown"
