"""The pictures of a report: the rate under its limit over time, and what each night changed; SVG for the page itself.

They are drawn twice, for a wide page and for a phone, in colours that the page's style knows and changes in the dark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from provisioner.inspection.record.overview import Overview
from provisioner.inspection.report.chapters import each_once, number_of, state_of
from provisioner.journal.course.points import Point, thinned
from provisioner.journal.state.nights import Night
from provisioner.model import Outcome
from provisioner.wording import counted, duration

if TYPE_CHECKING:  # the extra `report`
    from altair import Chart

SENT, READ, LIMIT, PAUSE, STOP = "#2f6fde", "#8a3fd1", "#b45309", "#f2b8a0", "#b42318"
_AREA: Final = "#bfd6fa"
_TEXT, _GRID = "#57606a", "#d8dee4"
_OUTCOMES: Final = {
    Outcome.CREATED: "#1a7f4b", Outcome.UPDATED: "#2f6fde", Outcome.REACTIVATED: "#0e8a94",
    Outcome.DEACTIVATED: "#b45309", Outcome.REJECTED: "#d4a72c", Outcome.FAILED: "#b42318",
}  # fmt: skip
# Width and height of the drawing, and stretches at most in it.
_WIDE: Final = (880, 260, 240)
_NARROW: Final = (360, 230, 90)

_XML_HEAD: Final = re.compile(r"^.*?(?=<svg)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture, twice; `alt` says in words what it shows, `keys` which colour is what."""

    title: str
    alt: str
    keys: list[tuple[str, str]]
    wide: str
    narrow: str


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A point as it is drawn: minutes under way, all runs one after the other."""

    begins: float
    ends: float
    point: Point


def figures_of(overview: Overview | None) -> list[Figure]:
    """Draw what there is to draw. Raises ImportError when the extra `report` is not installed."""
    if overview is None:
        return []
    drawn = [_rate(overview)] if any(each.requests for each in overview.points) else []
    changed = any(number_of(night.summary.get(each)) for night in overview.nights for each in _OUTCOMES)
    return drawn + ([_nights(each_once(overview.nights))] if changed else [])


def _rate(overview: Overview) -> Figure:
    points = overview.points
    sent, paused = sum(each.requests for each in points), sum(each.paused for each in points)
    lasted = sum(each.seconds for each in points)
    reads = sum(each.standard for each in points) > sent / 100
    undos = {run.number for run in overview.course if run.is_undo}
    drawn = {each.run for each in points}
    whose = [counted(len(some), noun) for some, noun in ((drawn - undos, "run"), (drawn & undos, "undo")) if some]
    ends = [state_of(run, last=run is overview.course[-1], in_use=overview.in_use) for run in overview.runs]
    alt = (
        f"Requests a minute over {duration(lasted)} under way in {' and '.join(whose)}: "
        f"{sent * 60 / max(lasted, 0.001):,.0f} on average, {duration(paused)} of it paused after a 429. "
        f"How the runs ended: {'; '.join(ends[-5:])}."
    )
    keys = [(SENT, "creates, deletes, tokens")] + ([(READ, "reads and updates")] if reads else [])
    keys += [(LIMIT, "limit")] + ([(PAUSE, "pause after a 429")] if paused else [])
    keys += [(STOP, "a run was stopped or killed")] if _cut_short(overview) else []
    wide, narrow = (_svg(partial(_rate_chart, overview, size, reads=reads)) for size in (_WIDE, _NARROW))
    return Figure("Requests a minute", alt, keys, wide, narrow)


def _rate_chart(overview: Overview, size: tuple[int, int, int], *, reads: bool) -> Any:
    import altair as alt

    width, height, most = size
    stretches = list(_laid_out(overview.points, most))
    unit, seconds = ("min", 60) if stretches[-1].ends > 180 else ("s", 1)
    rows = [row for each in stretches for row in _rows(each, seconds, reads=reads)]
    time = alt.X(
        "time:Q",
        scale=alt.Scale(nice=False),
        title=f"{unit} under way",
        axis=alt.Axis(tickCount=8 if size is _WIDE else 5),
    )
    rate = alt.Y("rate:Q", title=None, scale=alt.Scale(zero=True), stack=None)
    detail = alt.Detail("part:N")
    layers = [
        alt.Chart(alt.InlineData(values=_pauses(stretches, seconds)))
        .mark_rect(color=PAUSE)
        .encode(x="time:Q", x2="until:Q"),
        _only(rows, "core")
        .mark_area(color=_AREA, opacity=1, line={"color": SENT, "strokeWidth": 1.5}, interpolate="step-after")
        .encode(time, rate, detail),
        _only(rows, "standard").mark_line(color=READ, interpolate="step-after").encode(time, rate, detail),
        _only(rows, "limit")
        .mark_line(color=LIMIT, strokeDash=[5, 3], strokeWidth=1.5, interpolate="step-after")
        .encode(time, rate, detail),
        alt.Chart(alt.InlineData(values=_ends(overview, stretches, seconds)))
        .mark_rule(color=STOP, strokeWidth=1.5)
        .encode(x="time:Q"),
    ]
    return alt.layer(*layers).properties(width=width, height=height)


def _only(rows: Sequence[Mapping[str, Any]], what: str) -> Chart:
    import altair as alt

    return alt.Chart(alt.InlineData(values=[row for row in rows if row["what"] == what]))


def _laid_out(points: Sequence[Point], most: int) -> Iterator[_Stretch]:
    """Lay the stretches one after the other, so that the days between two runs take no room; so many at most."""
    lasted = sum(each.seconds for each in points)
    # The limit is one of 60 s: from second to second requests bunch up, and over a moment that looks like more.
    step = max(lasted / most, 5.0 if lasted > 40 else 1.0)
    begins = 0.0
    for point in _without_crumbs(thinned(points, step), step / 2):
        yield _Stretch(begins, begins + point.seconds, point)
        begins += point.seconds


def _without_crumbs(points: Sequence[Point], least: float) -> list[Point]:
    """Join what is left at the end of a run with what was before: a rate over a moment says nothing."""
    whole: list[Point] = []
    for point in points:
        if whole and whole[-1].run == point.run and min(point.seconds, whole[-1].seconds) < least:
            whole[-1] = whole[-1].joined(point)
        else:
            whole.append(point)
    return whole


def _rows(stretch: _Stretch, unit: float, *, reads: bool) -> Iterator[dict[str, Any]]:
    """Give the corners of one step of each line."""
    point = stretch.point
    minutes = max(point.seconds, 0.001) / 60
    heights = {"core": point.core / minutes, "limit": point.core_limit}
    if reads:
        heights["standard"] = point.standard / minutes
    for time in (stretch.begins, stretch.ends):
        for what, rate in heights.items():
            yield {"time": round(time / unit, 3), "rate": round(rate, 1), "what": what, "part": f"{what} {point.run}"}


def _pauses(stretches: Sequence[_Stretch], unit: float) -> list[dict[str, float]]:
    """Give the pauses, each as long as it was, at the end of the stretch in which it began."""
    spans: list[list[float]] = []
    for each in stretches:
        if each.point.paused < 0.05:
            continue
        begins = each.ends - each.point.paused
        if spans and begins - spans[-1][1] < 0.02 * unit:
            spans[-1][1] = each.ends
        else:
            spans.append([begins, each.ends])
    return [{"time": round(begins / unit, 3), "until": round(ends / unit, 3)} for begins, ends in spans]


def _ends(overview: Overview, stretches: Sequence[_Stretch], unit: float) -> list[dict[str, float]]:
    """Give where a run ended that was not the end of the job."""
    last, cut_short = {each.point.run: each.ends for each in stretches}, _cut_short(overview)
    return [{"time": round(end / unit, 3)} for run, end in last.items() if run in cut_short]


def _cut_short(overview: Overview) -> set[int]:
    goes_on = overview.course[-1].number if overview.in_use and overview.course else None
    done = {run.number for run in overview.course if run.finished is not None and run.stopped_by is None}
    return {each.run for each in overview.points} - {*done, goes_on}


def _nights(nights: Sequence[Night]) -> Figure:
    found = {outcome: [number_of(night.summary.get(outcome)) or 0 for night in nights] for outcome in _OUTCOMES}
    keys = [(_OUTCOMES[outcome], outcome.value) for outcome, numbers in found.items() if any(numbers)]
    totals = ", ".join(f"{sum(numbers):,} {outcome.value}" for outcome, numbers in found.items() if any(numbers))
    alt = f"Changes of each of the last {counted(len(nights), 'night')}: {totals} in all."
    ceiling, most = _ceiling(found)
    if ceiling is not None:
        alt += f" One bar is cut off, so that the others can be seen: it stands for {most:,}."
    wide, narrow = (_svg(partial(_night_chart, nights, found, size)) for size in (_WIDE, _NARROW))
    return Figure("What each night changed", alt, keys, wide, narrow)


def _ceiling(found: Mapping[Outcome, list[int]]) -> tuple[float | None, int]:
    """Say where bars are cut off, null if nowhere, and how high the highest is: a first night is beyond all others."""
    *_, second, most = sorted([0, 0, *map(sum, zip(*found.values(), strict=True))])
    return (second * 1.25 if 0 < second * 4 < most else None), most


def _night_chart(nights: Sequence[Night], found: Mapping[Outcome, list[int]], size: tuple[int, int, int]) -> Any:
    import altair as alt

    (width, height, _), (ceiling, _) = size, _ceiling(found)
    rows = [
        {"night": night.number, "users": numbers[place], "outcome": outcome.value, "order": order}
        for order, (outcome, numbers) in enumerate(found.items())
        for place, night in enumerate(nights)
        if numbers[place]
    ]
    colours = alt.Scale(domain=[each.value for each in found], range=[_OUTCOMES[each] for each in found])
    # So that a label has room: of many nights, not every one has its number.
    labels = alt.Axis(labelAngle=0, labelOverlap=True, title="night")
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(clip=True)
        .encode(
            x=alt.X("night:O", axis=labels, scale=alt.Scale(domain=[night.number for night in nights])),
            y=alt.Y("users:Q", title=None, scale=alt.Scale(domainMax=ceiling) if ceiling else alt.Undefined),
            color=alt.Color("outcome:N", scale=colours, legend=None),
            order="order:Q",
        )
        .properties(width=width, height=height)
    )


def _svg(draw: Callable[[], Any]) -> str:
    """Draw, and give the SVG as it can stand in a page, where only the words around it are read aloud."""
    import vl_convert

    chart = draw().configure(background="transparent", font="system-ui, sans-serif")
    chart = chart.configure_view(stroke=None)
    chart = chart.configure_axis(
        labelColor=_TEXT, titleColor=_TEXT, gridColor=_GRID, domainColor=_GRID, tickColor=_GRID, labelFontSize=12,
        titleFontSize=12, titleFontWeight="normal",
    )  # fmt: skip
    text = _XML_HEAD.sub("", vl_convert.vegalite_to_svg(chart.to_json(), vl_version="6.4"))
    return re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', text, count=1)
