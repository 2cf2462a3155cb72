"""The report as one HTML file: tables and pictures inside, no network, fits a phone."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from npt_plugin.report.facts import Facts
from npt_plugin.report.html.curves import curves
from npt_plugin.report.html.forest import forest
from npt_plugin.report.html.style import STYLE
from npt_plugin.report.html.tables import differences_html, plain_html, results_html
from npt_plugin.report.html.words import words_html
from npt_plugin.report.results import Results
from npt_plugin.report.sections import DIFFERENCES, Section, caption

_FORESTS = 5
"""Columns of which a forest plot each is drawn; of more the headline only."""

_CURVES = "Accuracy in percent, mean ± sd over seeds. The axis does not begin at 0."
_PICTURE = '<figure class="picture">'


def results_section(results: Results) -> str:
    """One protocol: its table, forest plots, curves and differences, as HTML."""
    columns = results.table.headline_first(results.columns)
    headline = results.compared[-1]
    parts = [
        f"<h2>{escape(results.table.title)}</h2>{_note(caption(results))}",
        results_html(results.summary, columns, headline),
        _list(results.foot),
    ]
    if results.differences:
        compared = results.table.headline_first(results.compared)
        drawn = compared if len(compared) <= _FORESTS else (headline,)
        plots = "".join(forest(results.differences, column) for column in drawn)
        parts += [
            f'<h3>Paired differences</h3>{_note(DIFFERENCES)}<div class="plots">{plots}</div>',
            differences_html(results.differences, compared, headline),
        ]
    steps = curves(results.summary, results.table.steps(results.columns))
    if steps:
        parts.append(f"<h3>{escape(results.table.steps_title)}</h3>{_note(_CURVES)}{steps}")
    if results.notes:
        said = "They are in the means above."
        parts.append(f"<h3>Runs to look at</h3>{_note(said)}{_list(results.notes)}")
    return f"<section>{''.join(parts)}</section>"


def section_html(section: Section) -> str:
    """A section that is not one protocol's results."""
    cells = plain_html(section.cells) if section.cells is not None else ""
    head = f"<h2>{escape(section.head)}</h2>{_note(section.caption)}"
    return f"<section>{head}{cells}{_list(section.lines)}</section>"


def figures_html(figures: Sequence[tuple[bytes, str]]) -> str:
    """Pictures inside the page; they keep a readable size on a phone and scroll sideways.

    Args:
        figures: PNG files and captions.
    """
    shown = []
    for png, said in figures:
        text = escape(said)
        data = base64.b64encode(png).decode()
        shown.append(
            f'{_PICTURE}<div class="scroll" tabindex="0"><img alt="{text}" '
            f'src="data:image/png;base64,{data}"></div><figcaption>{text}</figcaption></figure>'
        )
    return f"<section><h2>Pictures</h2>{''.join(shown)}</section>" if shown else ""


def has_pictures(page: str) -> bool:
    """Whether a page that was written before holds pictures; version 0.1 wrote them otherwise."""
    return _PICTURE in page or "<figure><img " in page


def page(title: str, verdicts: Sequence[str], facts: Facts, sections: Sequence[str]) -> str:
    """The whole page.

    Args:
        title: Plain text.
        verdicts: Sentences for the top, plain text.
        facts: What the numbers are of.
        sections: HTML.
    """
    top = "".join(_verdict(text) for text in verdicts)
    known = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f'<body><header><h1>{escape(title)}</h1><div class="verdict">{top}</div>'
        f'<dl>{known}</dl><p><a href="#words">What the words mean</a></p></header>'
        f"<main>{''.join(sections)}"
        f'<section id="words"><h2>What the words mean</h2>{words_html()}</section></main>'
        "</body></html>\n"
    )


def _verdict(text: str) -> str:
    lead, colon, rest = text.partition(": ")
    return f"<p><strong>{escape(lead + colon.strip())}</strong> {escape(rest)}</p>"


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
