"""What members an object has: their types, limits, and whether they can be read, sent in a POST, or patched.

A small table per object (see `words.py`), read by three functions: `accepted` for a POST body, `shown` for an answer,
`patched` for RFC 6902 (reference §5). `Id` and code come in pairs: the id is stored, the code is another name of it.
"""

import copy
import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from integration.sandbox.books import Books
from integration.sandbox.errors import GoError, invalid, problem
from integration.sandbox.models import Record
from integration.sandbox.wire import decimal_of, loads

DELIBERATELY_NONE = -1
INT32, INT64 = 2**31, 2**63
MAX_OPERATIONS = 1000


@dataclass(frozen=True)
class Field:
    """One member. `modes`: r is in answers, c is in POST bodies, p can be patched."""

    kind: str = "text"
    modes: str = "rcp"
    length: int = 0
    choices: tuple[str, ...] = ()
    default: Any = None
    register: str = ""
    stands_for: str = ""
    names: str = "code"
    low: Decimal | None = None
    high: Decimal | None = None


Table = dict[str, Field]


def names(text: str) -> tuple[str, ...]:
    """Words set apart by blanks: a long list of names that still reads."""
    return tuple(text.split())


ADDRESS: Table = {
    "AddressLine1": Field(length=200),
    "AddressLine2": Field(length=200),
    "City": Field(length=100),
    "CountryCode": Field(default="NO", length=2),
    "ZipCode": Field(length=50),
}
ACCRUAL: Table = {
    "BalanceAccountId": Field("whole"),
    "BalanceAccountNo": Field("whole"),
    "FromDate": Field("date"),
    "IsActive": Field("yes", default=False),
    "ResultAccountId": Field("whole"),
    "ResultAccountNo": Field("whole"),
    "ToDate": Field("date"),
}
NESTED = {"address": ADDRESS, "accrual": ACCRUAL}


def checked(field: Field, value: Any) -> Any:
    """The value as it is stored, or ValueError; None stays None."""
    if value is None:
        return None
    if field.kind in NESTED:
        return checked_nested(field.kind, value)
    if field.kind == "yes":
        if value is not True and value is not False:
            raise ValueError(f"{value!r} is not true or false")
        return value
    if field.kind == "number":
        return checked_number(field, value)
    if field.kind in {"whole", "int32"}:
        limit = INT32 if field.kind == "int32" else INT64
        number = value if type(value) is int else checked_number(field, value)
        if number != int(number) or not -limit <= number < limit:
            raise ValueError(f"{value!r} is not a whole number")
        return int(number)
    if field.kind == "wholes":
        if not isinstance(value, list):
            raise ValueError(f"{value!r} is not a list")
        return [checked(Field("whole"), each) for each in value]
    if isinstance(value, str):
        return checked_text(field, value)
    raise ValueError(f"{value!r} is invalid: " + ("enums must not be integers" if field.choices else "text expected"))


def checked_number(field: Field, value: Any) -> Decimal:
    """A JSON number within the member's limits."""
    number = decimal_of(value if not isinstance(value, (str, bool)) else "not a number")
    if (field.low is not None and number < field.low) or (field.high is not None and number > field.high):
        raise ValueError(f"{value!r} is not between {field.low} and {field.high}")
    return number


def checked_text(field: Field, value: str) -> str:
    """A text, a choice, a date (time and offset are dropped, reference §5) or a uuid."""
    if field.kind == "choice":
        found = next((choice for choice in field.choices if choice.lower() == value.lower()), None)
        if found is None:
            raise ValueError(f"{value!r} is not one of {', '.join(field.choices)}")
        return found
    if field.kind == "date":
        return dt.date.fromisoformat(value[:10]).isoformat()
    if field.kind == "uuid":
        return str(UUID(value))
    if "\x00" in value or (field.length and len(value) > field.length):
        raise ValueError(f"the text is longer than {field.length} characters or holds a zero character")
    return value


def checked_nested(kind: str, value: Any) -> dict[str, Any]:
    """An address (City and ZipCode required) or an accrual."""
    if not isinstance(value, dict):
        raise ValueError("an object is expected")  # noqa: TRY004 - the caller turns ValueError into a 400
    table = NESTED[kind]
    spelled = {name.lower(): name for name in table}
    clean = {
        spelled[name.lower()]: checked(table[spelled[name.lower()]], each)
        for name, each in value.items()
        if name.lower() in spelled
    }
    if kind == "address" and not (clean.get("City") and clean.get("ZipCode")):
        raise ValueError("City and ZipCode are required")
    return {name: each for name, each in clean.items() if each is not None}


def read_body(raw: bytes, entity: str) -> Any:
    """The JSON body, or 400."""
    try:
        return loads(raw)
    except (ValueError, RecursionError) as error:
        raise invalid(entity, "The request body is not valid JSON.") from error


def accepted(books: Books, table: Table, body: Any, entity: str) -> dict[str, Any]:
    """The members of a POST body as they are stored: checked, spelled as Go does, codes replaced by ids.

    Raises 400 for a bad value and, if so switched, for an unknown member (row 27); 404 for an unknown id or code.
    """
    if not isinstance(body, dict):
        raise invalid(entity, "The request body must be an object.")
    spelled = {name.lower(): name for name, field in table.items() if "c" in field.modes}
    values: dict[str, Any] = {}
    for given, value in body.items():
        name = spelled.get(given.lower())
        if name is None:
            if books.switches["unknown_members"] == "400":
                raise invalid(entity, f"Could not find member '{given}' on object.")
            continue
        try:
            values[name] = checked(table[name], value)
        except ValueError as error:
            raise invalid(entity, f"{name}: {error}.") from error
    values = {name: value for name, value in values.items() if value is not None}
    return resolved(books, table, values, entity)


def resolved(books: Books, table: Table, values: dict[str, Any], entity: str) -> dict[str, Any]:
    """Ids checked, and codes replaced by the ids they stand for; where both are given the id wins (reference §5)."""
    stored = {name: value for name, value in values.items() if not table[name].stands_for}
    for name, value in values.items():
        field = table[name]
        if field.stands_for and field.stands_for not in stored:
            record = named(books, field, value)
            if record is not None:
                stored[field.stands_for] = record.pk
            elif str(value) == str(DELIBERATELY_NONE):
                stored[field.stands_for] = DELIBERATELY_NONE
            else:
                raise invalid(entity, f"{noun(field.register)} with {field.names} = '{value}' not found.", 404)
    for name, value in stored.items():
        check_id(books, table[name], value, entity)
    return stored


def check_id(books: Books, field: Field, value: Any, entity: str) -> None:
    """404 when an id refers to nothing; -1 is "deliberately none"."""
    if field.kind == "whole" and field.register and value not in {None, DELIBERATELY_NONE}:
        if books.record(field.register, value) is None:
            raise invalid(entity, f"{noun(field.register)} with id = '{value}' not found.", 404)
    elif field.kind == "wholes" and field.register:
        unknown = [str(each) for each in value or [] if books.record(field.register, each) is None]
        if unknown:
            raise invalid(
                entity, f"Could not find {noun(field.register).lower()}(s) with id = {', '.join(unknown)}.", 404
            )


def noun(register: str) -> str:
    """`PaymentTerm` -> `Payment term`, as the vendor's error texts say it."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in register).strip().capitalize()


def named(books: Books, field: Field, value: Any) -> Record | None:
    """The entry a code, number or name stands for."""
    if field.names in {"code", "number"}:
        return books.by_code(field.register, str(value))
    return books.by_member(field.register, field.names, value)


def other_name(record: Record | None, field: Field) -> Any:
    """The code, number or name of an entry, as an answer shows it."""
    if record is None or (field.names in {"code", "number"} and record.code is None):
        return None
    if field.names == "number":
        return int(str(record.code))
    return record.code if field.names == "code" else record.data.get(field.names)


def shown(books: Books, table: Table, data: dict[str, Any]) -> dict[str, Any]:
    """The readable members of an object, defaults filled in, codes beside their ids; unset members are null."""
    answer: dict[str, Any] = {}
    for name, field in table.items():
        if "r" not in field.modes:
            continue
        if field.stands_for:
            pk = data.get(field.stands_for)
            answer[name] = other_name(books.record(field.register, pk), field) if pk else None
        else:
            value = data.get(name)
            if value is None and field.kind in NESTED:
                continue  # the contract knows no null for these
            answer[name] = field.default if value is None or (value == DELIBERATELY_NONE and field.register) else value
    return answer


def patched(
    books: Books, table: Table, data: dict[str, Any], operations: Any, words: tuple[str, str]
) -> dict[str, Any]:
    """The stored members after an RFC 6902 patch; only patchable members can be reached, in any case of letters.

    `words` is the entity ("Customer") and its patch object ("CustomerPatchDto"). Raises 400 with the vendor's texts
    for an unknown path and for a bad value (row 34), and 404 for an id that does not exist.
    """
    entity = words[0]
    if not isinstance(operations, list) or len(operations) > MAX_OPERATIONS:
        raise invalid(entity, "A JSON patch document is an array of operations.")
    patchable = {name: field for name, field in table.items() if "p" in field.modes}
    document = {name: copy.deepcopy(data.get(name, field.default)) for name, field in patchable.items()}
    for operation in operations:
        apply_operation(document, patchable, operation, words)
    result = dict(data)
    for name, field in patchable.items():
        try:
            value = checked(field, document[name])
        except ValueError as error:
            raise bad_value(words, document[name]) from error
        check_id(books, field, value, entity)
        if value is None or (value == field.default and name not in data):
            result.pop(name, None)
        else:
            result[name] = value
    return result


def bad_value(words: tuple[str, str], value: Any) -> GoError:
    """The vendor's text for a value that does not fit."""
    return invalid(words[0], f"{words[1]}: The value '{value}' is invalid for target location.")


def apply_operation(document: dict[str, Any], table: Table, operation: Any, words: tuple[str, str]) -> None:
    """Change the document by one operation."""
    entity, dto = words
    if not isinstance(operation, dict):
        raise invalid(entity, f"{dto}: an operation is an object with op and path.")
    members = {str(name).lower(): value for name, value in operation.items()}
    op, value = str(members.get("op")), members.get("value")
    holder, key = located(document, table, members.get("path"), words)
    if op in {"move", "copy"}:
        source, source_key = located(document, table, members.get("from"), words)
        value = copy.deepcopy(read_at(source, source_key, words))
        if op == "move":
            remove_at(source, source_key)
    if op in {"add", "replace", "move", "copy"}:
        if isinstance(holder, dict):
            holder[str(key)] = value
        elif key == "-":
            holder.append(value)
        elif op == "replace":
            holder[int(key)] = value
        else:
            holder.insert(int(key), value)
    elif op == "remove":
        remove_at(holder, key)
    elif op == "test":
        if read_at(holder, key, words) != value:
            raise invalid(
                entity, f"{dto}: The current value at '{members.get('path')}' is not equal to the test value."
            )
    else:
        raise invalid(entity, f"{dto}: Invalid JsonPatch operation '{op}'.")


def read_at(holder: Any, key: str | int, words: tuple[str, str]) -> Any:
    """The value at a place in the document."""
    if key == "-":
        raise bad_value(words, key)
    return holder.get(key) if isinstance(holder, dict) else holder[int(key)]


def remove_at(holder: Any, key: str | int) -> None:
    """Clear a member, or take an element out of a list."""
    if isinstance(holder, dict):
        holder[str(key)] = None
    elif key == "-":
        holder.pop()
    else:
        holder.pop(int(key))


def located(document: dict[str, Any], table: Table, path: Any, words: tuple[str, str]) -> tuple[Any, str | int]:
    """The object or list a JSON pointer reaches into, and the member or index there; 400 when there is none."""
    entity, dto = words
    if not isinstance(path, str) or not path.strip("/"):
        raise invalid(entity, f"{dto}: The path of an operation is missing.")
    segments = [segment.replace("~1", "/").replace("~0", "~") for segment in path.lstrip("/").split("/")]
    holder: Any = document
    spelled = {name.lower(): name for name in table}
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if isinstance(holder, list):
            if not (last and (segment == "-" or (segment.isdecimal() and int(segment) < len(holder)))):
                raise not_found(words, segment)
            return holder, segment if segment == "-" else int(segment)
        name = spelled.get(segment.lower())
        if name is None:
            raise not_found(words, segment)
        if last:
            return holder, name
        field = table.get(name) or Field()
        if field.kind not in {*NESTED, "wholes"}:
            raise not_found(words, segments[position + 1])
        if not isinstance(holder.get(name), (dict, list)):
            holder[name] = [] if field.kind == "wholes" else {}
        holder = holder[name]
        table = NESTED.get(field.kind, {})
        spelled = {each.lower(): each for each in table}
    raise not_found(words, path)


def not_found(words: tuple[str, str], segment: str) -> GoError:
    """The vendor's text for a path that leads nowhere."""
    return problem(
        400,
        f"{words[0]} validation error(s)",
        f"{words[1]}: The target location specified by path segment '{segment}' was not found.",
    )
