"""The front door. Importing a module here puts its pages into the admin."""

from integration.admin import go_company as go_company
