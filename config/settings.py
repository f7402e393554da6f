"""All settings, read from the environment. Every variable is explained in `.env.example` and in the README's table.

Secrets have no default outside development: `ENVIRONMENT=production` ends at once when one is missing.
"""

from pathlib import Path

import django_stubs_ext
import environ
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
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "import_export",
    "accounts",
    "integration",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
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
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION and env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# PowerOffice Go. The installation's two keys; each company's client key is in the database, encrypted.
GO_API_URL = env.str("GO_API_URL", default="http://127.0.0.1:8010/v2")
GO_TOKEN_URL = env.str("GO_TOKEN_URL", default="http://127.0.0.1:8010/OAuth/Token")
GO_WEB_URL = env.str("GO_WEB_URL", default="http://127.0.0.1:8010")
GO_APPLICATION_KEY = secret("GO_APPLICATION_KEY", development="11111111-1111-4111-8111-111111111111")
GO_SUBSCRIPTION_KEY = secret("GO_SUBSCRIPTION_KEY", development="sandbox-subscription-key")
GO_PACE_MS = env.int("GO_PACE_MS", default=102)
GO_CONNECT_TIMEOUT = env.float("GO_CONNECT_TIMEOUT", default=5.0)
GO_READ_TIMEOUT = env.float("GO_READ_TIMEOUT", default=20.0)
GO_REPLICA_SECONDS = env.int("GO_REPLICA_SECONDS", default=3)
GO_ABSENCE_SECONDS = env.int("GO_ABSENCE_SECONDS", default=60)
CLAIM_LEASE_SECONDS = env.int("CLAIM_LEASE_SECONDS", default=60)

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
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
