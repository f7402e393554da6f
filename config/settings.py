"""All settings, read from the environment. Every variable is explained in `.env.example` and in the README's table.

Secrets have no default outside development: `ENVIRONMENT=production` ends at once when one is missing.
"""

from datetime import timedelta
from pathlib import Path

import django_stubs_ext
import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from config import unfold

django_stubs_ext.monkeypatch()  # lets typed classes like ModelAdmin[Customer] run

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env = environ.Env()
env.read_env(BASE_DIR / ".env")

ENVIRONMENT = env.str("ENVIRONMENT", default="development")
if ENVIRONMENT not in {"development", "production"}:
    raise ImproperlyConfigured(f"ENVIRONMENT is {ENVIRONMENT!r}: use development or production.")
PRODUCTION = ENVIRONMENT == "production"


def secret(name: str, *, development: str) -> str:
    """A secret from the environment; in development only, a published value that protects nothing."""
    value = env.str(name, default="" if PRODUCTION else development)
    if PRODUCTION and value in {"", development}:
        raise ImproperlyConfigured(
            f"{name} is not set: production needs a value of its own. .env.example says how to make one."
        )
    return str(value)


# Keys
SECRET_KEY = secret("SECRET_KEY", development="development-only-secret-key-that-protects-nothing-at-all")
FIELD_KEYS = [
    key.strip()
    for key in secret("FIELD_KEYS", development="ZGV2ZWxvcG1lbnQtb25seS1rZXktMzItYnl0ZXMtISE=").split(",")
    if key.strip()
]
"""Fernet keys for secrets in the database, newest first; older ones still open what they closed."""

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "import_export",
    "csp",
    "axes",
    "accounts",
    "integration",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.headers.browser_rules",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.log_refusals",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.end_old_log_ins",
    "accounts.middleware.ask_for_second_factor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'fakturabro.sqlite3'}")}
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(exist_ok=True)
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:  # pragma: no cover - only on PostgreSQL
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.NoNameOfThisSystem"},
    {"NAME": "accounts.passwords.NotBreached"},
]
BREACHED_PASSWORDS_URL = env.str(
    "BREACHED_PASSWORDS_URL", default="https://api.pwnedpasswords.com/range/" if PRODUCTION else ""
)
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: behind a shut door no password is looked at
    "django.contrib.auth.backends.ModelBackend",
]
SECOND_FACTOR_ROLES = env.list("SECOND_FACTOR_ROLES", default=["everybody"] if PRODUCTION else [])
"""Roles that must log in with a second factor; `Superuser` and `everybody` are words too. Others may have one."""

# How long a log-in lasts: without a click, and in any case.
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=30)
SESSION_HOURS = env.int("SESSION_HOURS", default=12)
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_ENGINE = "accounts.sessions"

# Failed log-ins: counted in the database, by `accounts.log_ins`.
AXES_FAILURE_LIMIT = env.int("LOCKOUT_FAILURES", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("LOCKOUT_MINUTES", default=15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address", "username"]
AXES_HANDLER = "accounts.log_ins.Door"
AXES_LOCKOUT_CALLABLE = "accounts.log_ins.shut_page"
AXES_USERNAME_CALLABLE = "accounts.log_ins.name_typed"
AXES_CLIENT_IP_CALLABLE = "accounts.visitors.address_of"
AXES_USERNAME_FORM_FIELD = "username"
AXES_SENSITIVE_PARAMETERS = ["username", "password", "code", "csrfmiddlewaretoken", "next"]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = False  # done when the second factor was right too
AXES_DISABLE_ACCESS_LOG = True  # the log has it
AXES_ENABLE_ADMIN = False  # accounts.admin shows it in our look
AXES_VERBOSE = False

# Letters: to people about their log-in, and to those in charge about what broke.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update({name: value for name, value in EMAIL_CONFIG.items() if name.startswith("EMAIL_")})
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default="fakturabro@localhost")
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.error_reports.NoSecrets"
ADMINS = [(address, address) for address in env.list("ADMINS", default=[])]

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
UNFOLD = unfold.UNFOLD
"""The look of the admin."""

# Spreadsheets: without these two, everybody who sees a list could import into it.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"

# Language, time, files
LANGUAGE_CODE = "en"
TIME_ZONE = "Europe/Oslo"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100_000  # a statement with thousands of lines is saved as one form

# Safe transport in production
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_SSL_REDIRECT = PRODUCTION and env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # watchers on the machine itself ask without TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION

# Cookies: of this host and over https only (the browser itself holds `__Host-` to it), and not for scripts.
COOKIE_PREFIX = "__Host-" if PRODUCTION else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # names of customers stay out of cookies

# What a browser may do with our pages. Everything comes from here; nothing runs that stands in a page itself.
# The theme needs two allowances and no more: Alpine.js evaluates the expressions in its attributes, and the colours
# stand in a style element. `data:` is for the little pictures inside the theme's own style sheets.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"  # what older browsers understand of frame-ancestors
SECURE_REFERRER_POLICY = "same-origin"

# PowerOffice Go. The installation's two keys; each company's client key is in the database, encrypted.
GO_API_URL = env.str("GO_API_URL", default="http://127.0.0.1:8010/v2")
GO_TOKEN_URL = env.str("GO_TOKEN_URL", default="http://127.0.0.1:8010/OAuth/Token")
GO_WEB_URL = env.str("GO_WEB_URL", default="http://127.0.0.1:8010")
GO_APPLICATION_KEY = secret("GO_APPLICATION_KEY", development="11111111-1111-4111-8111-111111111111")
GO_SUBSCRIPTION_KEY = secret("GO_SUBSCRIPTION_KEY", development="sandbox-subscription-key")
GO_PACE_MS = env.int("GO_PACE_MS", default=102)
GO_CONNECT_TIMEOUT = env.float("GO_CONNECT_TIMEOUT", default=5.0)
GO_READ_TIMEOUT = env.float("GO_READ_TIMEOUT", default=20.0)
GO_REPLICA_SECONDS = env.float("GO_REPLICA_SECONDS", default=3.0)
GO_ABSENCE_SECONDS = env.float("GO_ABSENCE_SECONDS", default=60.0)
GO_RETRY_SECONDS = env.float("GO_RETRY_SECONDS", default=5.0)
GO_PROBE_SECONDS = env.float("GO_PROBE_SECONDS", default=30.0)
CLAIM_LEASE_SECONDS = env.float("CLAIM_LEASE_SECONDS", default=40.0)
if CLAIM_LEASE_SECONDS <= GO_CONNECT_TIMEOUT + GO_READ_TIMEOUT:
    raise ImproperlyConfigured(
        f"CLAIM_LEASE_SECONDS is {CLAIM_LEASE_SECONDS:g}: a worker would be taken for dead while it waits for Go. "
        "It must be more than GO_CONNECT_TIMEOUT and GO_READ_TIMEOUT together."
    )

# Background work. The broker is a doorbell, the table is the queue: losing every message loses nothing.
BROKER_URL = env.str("BROKER_URL", default="filesystem://")
BROKER_DIR = Path(env.str("BROKER_DIR", default=str(VAR_DIR / "broker")))
EMBEDDED_BROKER = BROKER_URL.startswith("filesystem://")
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(BROKER_DIR)} if EMBEDDED_BROKER else {}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "fakturabro"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # nothing is kept, so beat adds no clean-up of its own to the schedule
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Without an event loop, prefork's children share one pipe and its lock: one that is killed takes the lock with it, and
# its worker waits for ever. Solo, the process that is killed is the worker itself, which its keeper starts again.
CELERY_WORKER_POOL = "solo" if EMBEDDED_BROKER else "prefork"
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not EMBEDDED_BROKER  # the folder cannot broadcast
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # LOGGING below is how every process writes
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "format": "{asctime} {levelname} {name}: {message}",
            "datefmt": "%Y-%m-%d %H:%M:%S %z",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"axes": {"level": "ERROR"}},  # accounts.log_ins says the same in plain words
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
