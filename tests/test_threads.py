"""What is made in a thread: the next item while the last is worked on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.threads import one_ahead


def test_items_made_ahead_are_the_same_in_the_same_order() -> None:
    assert list(one_ahead(iter([1, None, 3]))) == [1, None, 3]


def test_an_error_comes_up_where_its_item_would_have_been_given() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second")

    ahead = one_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="no second"):
        next(ahead)
