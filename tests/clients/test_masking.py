import pytest

from integration.clients.masking import EXCERPT, Masking

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJnb0NsaWVudElkIjoiMSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("key my-secret-key here", "key •••• here"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ••••"),
        ("Authorization: Basic YTpiY2RlZmdo==", "Authorization: Basic ••••"),
        (f"a {TOKEN} b", "a •••• b"),
        ('{"access_token": "opaque123", "expires_in": 1200}', '{"access_token": "••••", "expires_in": 1200}'),
        ("?subscription-key=abc&x=1", "?subscription-key=••••&x=1"),
        ('{"ClientKey":"k1"}', '{"ClientKey":"••••"}'),
        ('{"NationalIdNumber": "hidden"}', '{"NationalIdNumber": "••••"}'),
        ("born 010190 00083 in Oslo", "born •••• in Oslo"),
        ('"01019000083"', '"••••"'),
        ("not one: 12345678901, nor 1010190000831", "not one: 12345678901, nor 1010190000831"),
        ("Ord 17: 1 000,00 kr", "Ord 17: 1 000,00 kr"),
    ],
)
def test_masks_what_is_secret_and_nothing_else(text, masked):
    assert Masking(["my-secret-key", ""])(text) == masked


def test_learns_another_secret():
    masking = Masking()
    masking.add("opaque-token")
    assert masking("x opaque-token y") == "x •••• y"
    assert repr(masking) == "Masking()"


def test_excerpt_is_short_and_masked_before_it_is_cut():
    text = "a" * (EXCERPT - 6) + "my-secret-key" + "b" * 100
    excerpt = Masking(["my-secret-key"]).excerpt(text)
    assert excerpt == "a" * (EXCERPT - 6) + "••••b…"
    assert len(excerpt) == EXCERPT


def test_excerpt_drops_nul():
    assert Masking().excerpt("a\x00b") == "ab"
