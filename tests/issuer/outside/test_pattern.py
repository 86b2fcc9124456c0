"""Patterns: anchored as a whole, one `*` a segment, never across `/` or `:`."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.outside.pattern import InvalidPattern, Pattern

MATCHES = [
    ("abc", "abc"),
    ("a*", "ab"),
    ("*c", "abc"),
    ("a*c", "abbc"),
    ("repo:acme/*:environment:prod", "repo:acme/app:environment:prod"),
    ("https://oidc.example/id/*", "https://oidc.example/id/ABC"),
    ("*/*", "a/b"),
    ("a.c", "a.c"),
    ("*", "a\nb"),
]
DIFFERS = [
    ("abc", "abcd"),
    ("abc", "zabc"),
    ("abc", "abc\n"),
    ("a*", "a"),
    ("a*", "ba"),
    ("a*a", "a"),
    ("a*ba", "aba"),
    ("*", ""),
    ("*", "a/b"),
    ("*", "a:b"),
    ("repo:acme/*", "repo:acme/app:environment:prod"),
    ("repo:acme/*:environment:prod", "repo:acme/app:ref:x/y:environment:prod"),
    ("https://oidc.example/id/*", "https://oidc.example/id/a/b"),
    ("https://oidc.example/id/*", "https://oidc.example/id/"),
    ("https://oidc.example/*", "https://evil.example/https://oidc.example/x"),
    ("*/*", "a:b"),
    ("a.c", "abc"),
    ("ABC", "abc"),
    ("a*", "a/"),
]


@pytest.mark.parametrize(("pattern", "text"), MATCHES)
def test_what_fits(pattern: str, text: str) -> None:
    assert Pattern.parse(pattern).matches(text)


@pytest.mark.parametrize(("pattern", "text"), DIFFERS)
def test_what_does_not(pattern: str, text: str) -> None:
    assert not Pattern.parse(pattern).matches(text)


@pytest.mark.parametrize("text", ["**", "a**", "*a*", "x/*-*", "https://h.example/**"])
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(InvalidPattern, match=r"one \* at most"):
        Pattern.parse(text)


_letters = st.text("ab*/:", max_size=8)


@given(_letters, _letters)
def test_it_means_what_the_expression_means(text: str, value: str) -> None:
    try:
        pattern = Pattern.parse(text)
    except InvalidPattern:
        return
    expression = re.escape(text).replace(r"\*", "[^/:]+")
    assert pattern.matches(value) is (re.fullmatch(expression, value) is not None)
