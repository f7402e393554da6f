"""A person's name in two parts, for a system that wants two (reference/poweroffice-go.md §12.2, `IsPerson`)."""


def first_and_last(name: str) -> tuple[str, str]:
    """“Kari Åsnes” and “Åsnes, Kari”: the last word, or what stands before the comma, is the last name.

    Read together again the parts are the name, wherever the border is. One word has no first name.
    """
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma:
        return first, last
    first, _, last = name.strip().rpartition(" ")
    return first.strip(), last
