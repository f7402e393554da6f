"""What `manage.py rehearse` is made of: a private world, an accountant, things to invoice, and a verdict."""
