"""All settings, from the environment, secure by default. Their table is docs/operations.md."""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from chatsite import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent

YEAR = 365 * 24 * 60 * 60

# What is run, and where its data lives

PROFILE = env.choice("GAMRAE_PROFILE", "solo", {"solo", "cluster"})
SOLO = PROFILE == "solo"
DATA = Path(env.text("GAMRAE_DATA", str(BASE_DIR / "var"))).resolve()
PORT = env.integer("PORT", 8000, 1, 65535)
HOST = env.text("HOST", "127.0.0.1")
METRICS_PORT = env.integer("METRICS_PORT", 0, 0, 65535)
METRICS_HOST = env.text("METRICS_HOST", "127.0.0.1")
SERVER = env.choice("GAMRAE_SERVER", "daphne", {"daphne", "uvicorn"})
DRAIN_SECONDS = env.integer("DRAIN_SECONDS", 0 if SOLO else 20, 0, 100)
FAST_SEND = env.choice("GAMRAE_FAST_SEND", "auto", {"auto", "off"})
TLS_CERT = env.file("TLS_CERT")
TLS_KEY = env.file("TLS_KEY")
if bool(TLS_CERT) != bool(TLS_KEY):
    raise ImproperlyConfigured("TLS_CERT and TLS_KEY belong together: set both or none.")

# How people reach it. Browsers give keys and locks only to secure pages: this must be the real one.

PUBLIC_URL = env.origin("PUBLIC_URL", f"http{'s' if TLS_CERT else ''}://127.0.0.1:{PORT}")
PUBLIC_IS_HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_ORIGINS = sorted({PUBLIC_URL, *env.origins("ALLOWED_ORIGINS")})
if SOLO and f"http://127.0.0.1:{PORT}" == PUBLIC_URL:
    ALLOWED_ORIGINS.append(f"http://localhost:{PORT}")
ALLOWED_HOSTS = sorted({env.host_of(origin) for origin in ALLOWED_ORIGINS})
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
PROOF_ORIGINS = [env.with_port(origin) for origin in dict.fromkeys([PUBLIC_URL, *ALLOWED_ORIGINS])]
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

SECRET_KEY = env.secret("SECRET_KEY", DATA / "secret_key")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
DEBUG = env.flag("DEBUG", False)
SIGNUP = env.choice("SIGNUP", "open", {"open", "invite"})

# The stores: one file in solo, addresses in cluster

if SOLO:
    DATABASE_URL = env.text("DATABASE_URL")
    DATABASE_URL = DATABASE_URL or f"sqlite:///{env.private_file(DATA / 'gamrae.sqlite3')}"
    BROKER_URL = MONGO_URL = REDIS_URL = ""
    DATABASE_CA = BROKER_CA = MONGO_CA = REDIS_CA = ""
else:
    DATABASE_URL = env.required("DATABASE_URL", "the cluster profile needs a MySQL address.")
    BROKER_URL = env.required("BROKER_URL", "the cluster profile needs a RabbitMQ address.")
    MONGO_URL = env.required("MONGO_URL", "the cluster profile needs a MongoDB address.")
    REDIS_URL = env.required("REDIS_URL", "the cluster profile needs a Redis address.")
    env.required("SECRET_KEY", "every process of a cluster must use the same one.")
    DATABASE_CA = env.file("DATABASE_CA")
    BROKER_CA = env.file("BROKER_CA")
    MONGO_CA = env.file("MONGO_CA")
    REDIS_CA = env.file("REDIS_CA")

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.parsed("DATABASE_URL", DATABASE_URL, environ.Env.db_url_config, "ENGINE")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # FULL: what is confirmed is on disk. IMMEDIATE: a transaction takes its write lock at once.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    # Tests open the database from several threads, which an in-memory one does not survive.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA / "test.sqlite3")}
else:
    # A connection belongs to a thread, and requests have threads of their own: none is kept.
    DATABASES["default"] |= {"ENGINE": "chatsite.mysql", "CONN_MAX_AGE": 0}
    DATABASES["default"]["OPTIONS"] = env.mysql_options(DATABASE_CA)
    DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Limits are counted here; the default number of entries would forget them under a flood.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
# By default a socket that is open for a day, or that leaves a word unread for a minute, silently
# leaves its groups, and a hundred unread words make it miss the end of its session.
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels.layers.InMemoryChannelLayer",
        "CONFIG": {"expiry": YEAR, "group_expiry": YEAR, "capacity": 1000},
    }
}
if not SOLO:
    CACHES["default"] = {
        "BACKEND": "chatsite.cache.SharedCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {**env.redis_options(REDIS_URL, REDIS_CA), "socket_timeout": 2},
    }
    CHANNEL_LAYERS["default"] = {
        "BACKEND": "messaging.fanout.layer.BoundedLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, **env.redis_options(REDIS_URL, REDIS_CA)}]},
    }

# Applications

INSTALLED_APPS = [
    "daphne",
    "chatsite.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "allauth.headless",
    "channels",
    "chatsite",
    "accounts",
    "friends",
    "rooms",
    "messaging",
]

MIDDLEWARE = [
    "chatsite.health.HealthMiddleware",
    "chatsite.headers.ForwardedMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "chatsite.headers.HeadersMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.activity.ActivityMiddleware",
]

ROOT_URLCONF = "chatsite.urls"
ASGI_APPLICATION = "chatsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Ours come before the libraries' pages of the same name.
        "DIRS": [BASE_DIR / "chatsite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chatsite.context.site",
            ],
        },
    },
]

# People and sessions

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PersonBackend"]
PASSWORD_HASHERS = ["accounts.hashers.BoundedArgon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.validators.MaximumLengthValidator"},
]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_IS_HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if PUBLIC_IS_HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if PUBLIC_IS_HTTPS else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = PUBLIC_IS_HTTPS
LANGUAGE_COOKIE_HTTPONLY = True

# Mail: a folder until an address is given, and then verification is demanded

EMAIL_URL = env.text("EMAIL_URL")
MAIL_CONFIGURED = bool(EMAIL_URL)
if MAIL_CONFIGURED:
    vars().update(env.parsed("EMAIL_URL", EMAIL_URL, environ.Env.email_url_config, "EMAIL_BACKEND"))
else:
    EMAIL_BACKEND = "chatsite.mail.FolderBackend"
    EMAIL_FILE_PATH = str(DATA / "mail")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", "Gamrae <noreply@localhost>")

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.NicknameForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if MAIL_CONFIGURED else "optional"
# A code when it is demanded; a link in the mail folder when it is not.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = MAIL_CONFIGURED
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = MAIL_CONFIGURED
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_SESSION_REMEMBER = True
# Who finds an open browser or steals a cookie must not be able to take the account by its address.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
LOGIN_URL = "account_login"
CSRF_FAILURE_VIEW = "chatsite.errors.csrf_failure"
LOGIN_REDIRECT_URL = "/"
USERSESSIONS_TRACK_ACTIVITY = True
USERSESSIONS_ADAPTER = "accounts.adapter.SessionsAdapter"
HEADLESS_ONLY = False
HEADLESS_CLIENTS = ("app",)

# REST

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chatsite.parsers.BoundedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chatsite.parsers.AlwaysFirst",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "chatsite.errors.problem_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gamrae",
    "VERSION": "1",
    "DESCRIPTION": "What a client may ask of the server. The socket is described in docs/wire.md.",
    "SERVE_INCLUDE_SCHEMA": False,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Languages: Korean first

LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", _("한국어")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "chatsite" / "locale"]
USE_TZ = True
TIME_ZONE = env.zone("TIME_ZONE", "Asia/Seoul")

# Static files: the built front end and the admin's own, where they are or collected in one folder

STATIC_URL = "static/"
COLLECTED = env.text("GAMRAE_STATIC")
STATIC_ROOT = Path(COLLECTED) if COLLECTED else DATA / "static"
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
SERVESTATIC_USE_FINDERS = not COLLECTED
SERVESTATIC_ALLOW_ALL_ORIGINS = False

# What a browser may do with our pages

SOCKET_ORIGINS = [origin.replace("http", "ws", 1) for origin in ALLOWED_ORIGINS]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, "'wasm-unsafe-eval'"],
        "style-src": [SELF],
        "img-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF, *SOCKET_ORIGINS],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["lit-html", "gamrae"],
        "report-uri": ["/csp-report"],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if PUBLIC_IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PUBLIC_IS_HTTPS
SECURE_HSTS_PRELOAD = False
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Only where we can tell how a request came; else a proxy of ours would be sent in circles.
SECURE_SSL_REDIRECT = PUBLIC_IS_HTTPS and bool(TLS_CERT or TRUSTED_PROXIES)
# W008: see the line above. W021: browsers' preload lists are the domain owner's to ask for.
SILENCED_SYSTEM_CHECKS = ["security.W008", "security.W021"]

# Limits that docs/wire.md promises

LIMIT_FRAME_BYTES = 64 * 1024
LIMIT_SOCKETS_PER_USER = 10
LIMIT_SOCKETS_PER_ADDRESS = env.integer("LIMIT_SOCKETS_PER_ADDRESS", 40, 1, 100_000)
LIMIT_PROOFS_PER_MINUTE = env.integer("LIMIT_PROOFS_PER_MINUTE", 60, 1, 100_000)
LIMIT_SIGN_UPS_PER_MINUTE = env.integer("LIMIT_SIGN_UPS_PER_MINUTE", 20, 1, 100_000)
LIMIT_SIGN_INS_PER_MINUTE = env.integer("LIMIT_SIGN_INS_PER_MINUTE", 30, 1, 100_000)
ACCOUNT_RATE_LIMITS = {
    "signup": f"{LIMIT_SIGN_UPS_PER_MINUTE}/m/ip",
    "login": f"{LIMIT_SIGN_INS_PER_MINUTE}/m/ip",
}
LIMIT_FRIEND_REQUESTS_PER_HOUR = env.integer("LIMIT_FRIEND_REQUESTS_PER_HOUR", 20, 1, 100_000)

# Logs: ids and codes only

LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
LOG_LINES = {"text": "chatsite.log_lines.TextLine", "json": "chatsite.log_lines.JsonLine"}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": LOG_LINES[env.choice("LOG_FORMAT", "text", {*LOG_LINES})]}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.choice("LOG_LEVEL", "WARNING", LEVELS)},
    "loggers": {
        "gamrae": {"level": env.choice("LOG_LEVEL", "INFO", LEVELS)},
        # Its warnings name addresses that people asked for.
        "django.request": {"level": "ERROR"},
        # At other levels they write what passes through them, or a page for each lost connection.
        "channels_redis": {"level": "CRITICAL"},
        "pika": {"level": "ERROR"},
        "pymongo": {"level": "ERROR"},
        # And these name hosts and addresses with keys in them that anybody may send.
        "django.security": {"level": "CRITICAL"},
    },
}
