"""The front door. Importing a module here puts its pages into the admin."""

from integration.admin import customer as customer
from integration.admin import go_company as go_company
from integration.admin import hand_payment as hand_payment
from integration.admin import invoice_statement as invoice_statement
from integration.admin import order_rows as order_rows
from integration.admin import outgoing_invoice as outgoing_invoice
from integration.admin import product as product
from integration.admin import schedule as schedule
from integration.admin import subscription as subscription
from integration.admin import sync as sync
