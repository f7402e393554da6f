"""The front door. Importing a module here puts its pages into the admin."""
