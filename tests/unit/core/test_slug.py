"""Names out of whatever somebody wrote."""

import re

import pytest

from alectio_agent.config.values import NAME_PATTERN
from alectio_agent.core.slug import slug


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("topic classification", "topic-classification"),
        ("Topic  Classification (v2)!", "topic-classification-v2"),
        ("digits", "digits"),
        ("v1.2_b", "v1.2_b"),
        ("Café-Modell", "cafe-modell"),
        ("../../etc", "etc"),
        ("主题分类", "fallback"),
        ("", "fallback"),
        (None, "none"),
        ("x" * 80, "x" * 64),
        ("a" * 63 + " b", "a" * 63),
    ],
)
def test_a_slug_is_a_name_of_a_pipeline(text: object, name: str) -> None:
    assert slug(text, "fallback") == name
    assert re.match(NAME_PATTERN, name)
