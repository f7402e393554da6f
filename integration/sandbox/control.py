"""The control surface below `/_control/`: everything the pages can do, as JSON, without keys. Not part of the real Go.

Serve the sandbox
    In a process of its own (one process, many threads; books survive a restart):
        DJANGO_SETTINGS_MODULE=config.settings_sandbox python manage.py migrate
        DJANGO_SETTINGS_MODULE=config.settings_sandbox gunicorn --threads 8 integration.sandbox.wsgi:application
    In a test process: `tests/wsgi_adapter.py` mounts `integration.sandbox.wsgi.application` on a `requests.Session`.

Demo set-up (made when the books are empty and the sandbox starts, by `reset {"seed_demo": true}`, or by `seed.seed_demo()`)
    application key 11111111-1111-4111-8111-111111111111, subscription key sandbox-subscription-key
    Fjordgløtt Camping AS  client key 22222222-2222-4222-8222-222222222201
    Nordlys Padel AS       client key 22222222-2222-4222-8222-222222222202

Words: `company` is a client key or the number in `GET /_control/companies`. Order and invoice ids are Go's uuids.
Amounts in requests are strings "123.45" or numbers, read as Decimal; amounts in answers are strings. Dates are
YYYY-MM-DD. Anything wrong is 400 {"error": "<one clear sentence>"}; nothing is done then.

| call | body | answer |
|---|---|---|
| POST /_control/reset | {"seed_demo": false}? | empties books, switches, faults, counters and clock |
| GET /_control/companies | | [{id, name, client_key, organisation_number, environment, revoked, ...}] |
| POST /_control/companies | {name, client_key, organisation_number?, environment?: both/production/demo, seed?: true} | 201, the company; seed lays accounts, VAT, terms, products, customers |
| GET, PUT /_control/switches | {name: value, ...} | all switches, flat; unknown name or value: 400 with the list (`switches.py` explains each) |
| GET, DELETE /_control/requests | | {total, throttled, most_in_one_second, by_route, by_status}; DELETE starts again. Token calls are `POST /OAuth/Token`, ids are `{id}` |
| GET, POST, DELETE /_control/faults | see below | the plans and how much of each is left; DELETE ?id=7 takes away one, without id all |
| GET /_control/books?company= | | {company, customers, products, orders (with lines; deleted ones too), invoices (with lines), ledger} |
| GET /_control/clock | | {now, today, offset_seconds} |
| POST /_control/acts/<act> | {company, ...} | {"sentence": what happened, ...ids} |

A fault plan is exact or random.
    exact:  {"kind": KIND, "method": "POST" or "*", "path": "/SalesOrders/Complete", "count": 1, "skip": 0}
            the next `count` matching requests after `skip` others; path may hold `*`; the token is `/OAuth/Token`
    random: {"random": true, "rate": 0.05, "read_rate": 0, "seed": 7, "kinds": [KIND, ...]}
            `rate` for writes, `read_rate` for GET and token; the same seed gives the same row of faults
    KIND: drop_before_commit, drop_after_commit, error_500_before_commit, error_500_after_commit,
          unavailable_503_before_commit, unavailable_503_after_commit, throttled_429 ("retry_after": true/false),
          slow ("seconds": 3, "commit": "before" or "late"), malformed_json_after_commit, html_after_commit,
          empty_after_commit, unauthorized_401

| act | members beside company |
|---|---|
| send | order_ids, voucher_date? | the accountant presses Send (so IsCreatedByCurrentIntegration becomes false) |
| confirm, unlock, delete | order_ids | lock, unlock, delete drafts; the accountant may delete locked ones |
| edit_line | order_id, line_id? (else the first product line), quantity?, unit_price?, allowance?, description? |
| add_line | order_id, product_code?, quantity?, unit_price?, description? |
| delete_line | order_id, line_id? |
| edit_header | order_id, and members by Go's names: CustomerReference, ExternalImportReference, DeliveryDate, ... |
| create_order | customer_no, product_code, quantity?, unit_price? | a draft the accountant typed |
| combine | order_ids, survivor: "first"/"new"/order id, line_references: kept/lost, header_references: kept/lost |
| split | order_id, line_ids | the lines move to a new draft |
| pay | invoice_id, amount? (null: the whole balance), kind?: a VoucherType (IncomingOcrGiro), date? |
| overpay | invoice_id, by: amount above the balance |
| unmatched_payment | customer_no, amount, date? | a payment without reference |
| payment | customer_no, amount, invoice_no? or cid? or matching_reference? | matched as Go does it (reference §18 row 58) |
| undo_payment | entry_id, or invoice_id (its latest payment); mode: "unmatched" or "reversed" |
| credit | invoice_id, amount? (with VAT; null: all), matched?: true |
| write_off | invoice_id |
| reverse | invoice_id |
| set_date, advance_days | date / days | for all companies (company not needed): due dates, reminders and collection follow |
| set_clock | offset_seconds | for all companies: moves `now` |
| revoke_key, restore_key | | the client key is refused (and its tokens) |
| set_privileges | privileges: [..] | what the vendor granted the integration |
| set_subscriptions | subscriptions: [..] | what the company subscribes to |
| set_send_grant | allow: true/false |
| set_lock_date | date or null |
| expire_tokens | | of the company; of all without company |
| random | seed, send_share, delete_share, edit_share, combine_share, pay_share | each 0..1, of the drafts / unpaid invoices there are now |
"""
