"""Tests of what the server says: the shape of a success, of a page and of a message."""

import orjson
import pytest

from provisioner.emulator.app.audit import Did
from provisioner.emulator.endpoints.answers import JSON, Answer, data, page, success


def test_a_success_is_200_with_its_data() -> None:
    """Creates too; what stands beside the data is given by name."""
    answer = data({"uid": "ann"}, Did.CREATED, cursor=7)
    assert answer == Answer(200, b'{"data":{"uid":"ann"},"cursor":7}', Did.CREATED)
    assert (answer.code, answer.content_type, dict(answer.headers)) == (None, JSON, {})


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_a_page_says_how_many_there_are(total: int, pages: int) -> None:
    """The last page may be short, and there is always one."""
    answer = page(["x"], 1, 2, total)
    assert answer.did is Did.LISTED
    assert orjson.loads(answer.body) == {
        "data": ["x"],
        "meta": {
            "pagination": {"total": total, "count": 1, "per_page": 2, "current_page": 1, "total_pages": pages},
        },
    }


def test_a_delete_says_so_in_a_message() -> None:
    """There is nothing else to show."""
    assert success("gone", Did.DELETED).body == b'{"data":{"success":true,"message":"gone"}}'
