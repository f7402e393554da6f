"""Settings of the test suite: the house, with the sandbox of PowerOffice Go beside it in the same process."""

from config.settings import *  # noqa: F403 - a test run is the real settings with a few changes
from config.settings import DATABASES, INSTALLED_APPS, SQLITE_OPTIONS, env

INSTALLED_APPS = [*INSTALLED_APPS, "integration.sandbox"]
DATABASES = {
    **DATABASES,
    "sandbox": env.db_url("SANDBOX_DATABASE_URL", default="sqlite://:memory:"),
}
for _database in DATABASES.values():
    if _database["ENGINE"] == "django.db.backends.sqlite3":  # pragma: no branch - else on PostgreSQL
        _database["OPTIONS"] = dict(SQLITE_OPTIONS)
DATABASE_ROUTERS = ["config.routers.SandboxRouter"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
LOG_LEVEL = "WARNING"
GO_PACE_MS = 0  # the sandbox in this process has no rate limit; the pace has tests of its own
