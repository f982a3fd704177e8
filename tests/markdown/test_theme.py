"""Every theme gives every name a style that a terminal can show."""

from __future__ import annotations

import pytest
from rich.color import ColorType

from llmchat.markdown import THEMES, load_theme


@pytest.mark.parametrize("name", THEMES)
def test_colours_are_those_of_the_terminal_and_readable_on_any_background(name: str) -> None:
    for what, style in load_theme(name).styles.items():
        assert style.bgcolor is None, what
        assert style.color is None or style.color.type is ColorType.STANDARD, what
        assert style.color is None or style.color.name not in {"white", "black", "yellow", "bright_white"}, (
            what
        )


def test_a_token_falls_back_to_the_kind_it_is_of() -> None:
    theme = load_theme("dark")
    assert theme.token("Keyword.Declaration.Anything") == theme["token.Keyword"]
    assert not theme.token("Text")


def test_the_theme_without_colours_has_none() -> None:
    assert all(style.color is None for style in load_theme("mono").styles.values())
