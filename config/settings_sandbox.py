"""Settings of the sandbox process: a stand-in for PowerOffice Go, with its own database and nothing of the house.

It is another company's system: it imports neither `config.settings` nor any room of `integration` but its own shed.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")  # a .env that says production stops the sandbox too

if env.str("ENVIRONMENT", default="development") == "production":
    raise ImproperlyConfigured("The sandbox plays PowerOffice Go with made-up money: it does not start in production.")

SECRET_KEY = "sandbox-only"  # noqa: S105 - it signs nothing
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["integration.sandbox"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "integration.sandbox.urls"
WSGI_APPLICATION = "integration.sandbox.wsgi.application"
(BASE_DIR / "var").mkdir(exist_ok=True)
DATABASES = {
    "default": {
        **env.db_url("SANDBOX_DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'sandbox.sqlite3'}"),
        "CONN_MAX_AGE": 600,
    }
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # pragma: no branch - else on PostgreSQL
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
SANDBOX_SEEDS_ITSELF = True  # empty books get the demo companies when the process starts
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 60_000_000
USE_TZ = True
TIME_ZONE = "Europe/Oslo"
APPEND_SLASH = False
