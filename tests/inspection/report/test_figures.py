"""The pictures: as many steps as a page can show, in colours that the page's style knows, and told in words."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from provisioner.inspection.record.overview import Overview
from provisioner.inspection.report import figures
from provisioner.inspection.report.figures import figures_of
from provisioner.inspection.report.page import __file__ as page_file
from provisioner.journal.state.nights import Night
from tests.inspection.report.test_chapters import a_run, an_overview
from tests.journal.course.test_points import a_point

pytest.importorskip("altair", reason="the extra `report` is not installed")
pytest.importorskip("vl_convert", reason="the extra `report` is not installed")


def a_long_job() -> Overview:
    """Five runs, 400 stretches each, with pauses; the third was killed."""
    runs = [a_run(1 + n, stopped_by="sigint", finished=None if n == 2 else 1e6 * n + 400.0) for n in range(5)]
    points = [
        a_point(run=1 + n, ends_at=1e6 * n + second, paused=1.0 if second % 50 < 5 else 0.0, standard=second % 7)
        for n in range(5)
        for second in range(1, 401)
    ]
    nights = [
        Night(n, n, n * 86400.0, n * 86400.0 + 60, True, 5, {"created": n, "failed": n % 2}) for n in range(1, 60)
    ]
    return an_overview(course=runs, points=points, nights=nights)


@pytest.mark.slow
def test_a_long_job_is_two_small_pictures_told_in_words() -> None:
    """The rate over all runs, and what each night changed; neither is large, both have words for who does not see."""
    rate, nights = figures_of(a_long_job())
    assert rate.alt == (
        "Requests a minute over 33 min 20 s under way in 5 runs: 9,000 on average, 3 min 20 s of it paused after a "
        "429. How the runs ended: stopped: sigint; stopped: sigint; killed; stopped: sigint; stopped: sigint."
    )
    assert [what for _, what in rate.keys] == [
        "creates, deletes, tokens", "reads and updates", "limit", "pause after a 429", "a run was stopped or killed",
    ]  # fmt: skip
    assert nights.alt == "Changes of each of the last 59 nights: 1,770 created, 30 failed in all."
    for each in (rate, nights):
        assert each.wide.startswith("<svg ")
        assert each.narrow.startswith("<svg ")
        assert len(each.wide) + len(each.narrow) < 200_000
        assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", each.wide)


@pytest.mark.slow
def test_an_undo_is_told_beside_the_runs() -> None:
    """What it sent is in the picture, and it is no run."""
    runs = [a_run(1, stopped_by="sigint"), a_run(2), a_run(3, command="undo", stopped_by="key")]
    (rate,) = figures_of(an_overview(course=runs, points=[a_point(run=n, ends_at=n * 1000.0 + 1) for n in (1, 2, 3)]))
    assert " under way in 2 runs and 1 undo: " in rate.alt
    assert rate.alt.endswith("How the runs ended: stopped: sigint; came to its end.")


@pytest.mark.slow
def test_every_colour_of_a_picture_has_one_for_the_dark() -> None:
    """A picture must not vanish on a dark page: the style knows each colour that is drawn."""
    with open(page_file.replace("page.py", "templates/style.css"), encoding="utf-8") as file:  # noqa: PTH123
        style = file.read()
    drawn = {
        found
        for each in figures_of(a_long_job())
        for found in re.findall(r'(?:fill|stroke)="(#\w+)"', each.wide + each.narrow)
    }
    assert {colour for colour in drawn if f'="{colour}"' not in style} == set()


def test_days_between_two_runs_take_no_room_and_crumbs_no_height() -> None:
    """Stretches lie one after the other, 240 at most; a moment at the end of a run is part of what was before."""
    points = [*a_long_job().points, a_point(run=5, seconds=0.01, requests=9, ends_at=9e6)]
    laid = list(figures._laid_out(points, 240))
    assert len(laid) <= 245
    assert laid[-1].ends == pytest.approx(2000.01)
    assert all(before.ends == after.begins for before, after in pairwise(laid))
    assert min(each.point.seconds for each in laid) >= 4


def test_nothing_to_draw_is_no_picture() -> None:
    """A journal of an older format, or a run that sent nothing."""
    assert (figures_of(None), figures_of(an_overview()), figures_of(an_overview(course=[a_run(1)]))) == ([], [], [])


def test_what_a_stopped_night_created_is_counted_once() -> None:
    """An attempt tells what the night has come to so far, its earlier attempts included."""
    nights = [
        Night(1, 1, 0.0, 60.0, True, 4, {"created": 4}),
        Night(2, 2, 0.0, 60.0, False, 44, {"created": 6, "stopped_by": "max_duration"}, 1),
        Night(3, 2, 0.0, 60.0, False, 44, {"created": 12, "stopped_by": "max_duration"}, 2),
        Night(4, 2, 0.0, 60.0, True, 44, {"created": 40}, 3),
    ]
    (figure,) = figures_of(an_overview(nights=nights))
    assert figure.alt.startswith("Changes of each of the last 2 nights: 44 created in all.")


def test_a_first_night_does_not_flatten_all_others() -> None:
    """A bar far beyond the second highest is cut off, and that is told; of ordinary nights none is."""
    nights = [Night(n, n, 0.0, 60.0, True, 5, {"created": 5000 if n == 1 else 9}) for n in range(1, 5)]
    (figure,) = figures_of(an_overview(nights=nights))
    assert figure.alt.endswith("One bar is cut off, so that the others can be seen: it stands for 5,000.")
    (figure,) = figures_of(an_overview(nights=nights[1:]))
    assert figure.alt == "Changes of each of the last 3 nights: 27 created in all."
