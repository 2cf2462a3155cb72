"""Put the report together: print it; write Markdown, CSV, LaTeX, JSON and one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npt_plugin.errors import UserError
from npt_plugin.report import page as html
from npt_plugin.report.differences import below_zero_shot, paired_differences
from npt_plugin.report.formats import (
    as_csv,
    as_latex,
    as_text,
    difference_table,
    imbalanced_table,
    main_table,
    published_table,
)
from npt_plugin.report.published import IMBALANCED, beside, protocol_differences, published
from npt_plugin.report.runs import Pair, find_pairs, ranked, unfinished
from npt_plugin.report.table import add_averages, summarise, values_of
from npt_plugin.system.files import write_json, write_text

TITLE = "Base-to-new generalisation"
_CAPTION = (
    "Re-run here. Accuracy in percent, mean ± sd over n seeds; base-class groups by training count."
)
_DIFFERENCES = (
    "NPT minus its base trainer, seed by seed: mean [95 % t-interval]. An interval that holds 0 "
    "does not tell the two apart."
)


def report(output: Path, plots: bool = False) -> str:
    """Print the tables of everything below ``output``, and write them there in every format.

    Args:
        output: The ``--output`` of the runs.
        plots: Also draw the pictures of the HTML page (needs matplotlib).

    Returns:
        The main table as text.

    Raises:
        UserError: If there is no completed pair of runs.
    """
    pairs = find_pairs(output)
    rows = add_averages(values_of(pairs))
    table = summarise({key: rows[key] for key in ranked(list(rows))})
    differences = paired_differences(rows)
    notes = _notes(rows, output)
    text = as_text(main_table(table))
    print(f"{text}\n{_CAPTION}")
    if differences:
        print(f"\n{as_text(difference_table(differences))}\n{_DIFFERENCES}")
    for note in notes:
        print(note)
    sections = _sections(pairs, table, differences, notes)
    figures = _figures(pairs) if plots else []
    write_text(output / "table.csv", as_csv(table))
    write_json(output / "table.json", table)
    write_json(output / "differences.json", differences)
    write_text(output / "table.tex", as_latex(main_table(table), _CAPTION))
    write_text(output / "report.md", _markdown(sections))
    write_text(output / "report.html", _page(sections, figures))
    names = "table.csv, table.json, differences.json, table.tex, report.md, report.html"
    print(f"Written to {output}: {names}")
    return text


def _notes(rows: dict, output: Path) -> list[str]:
    """Runs that must not hide in a mean, one line each."""
    lines = []
    for flag in below_zero_shot(rows):
        key = flag["key"]
        low = ", ".join(f"{c} {a:.1f} < {b:.1f}" for c, (a, b) in flag["below"].items())
        lines.append(
            f"Below zero-shot CLIP: {key.dataset}, tau {key.ratio:g}, {key.trainer}, seed "
            f"{flag['seed']}: {low}"
        )
    return lines + [f"Not counted: {line}" for line in unfinished(output)]


def _sections(
    pairs: Sequence[Pair], table: list[dict[str, Any]], differences: list[dict], notes: list[str]
) -> list[tuple[str, str, Any, list[str]]]:
    """Heading, caption, table or None, bullet lines; for Markdown and HTML alike."""
    datasets = sorted({pair.key.dataset for pair in pairs})
    found = [("Results, re-run here", _CAPTION, main_table(table, seeds=True), [])]
    if differences:
        found.append(("Paired differences", _DIFFERENCES, difference_table(differences), []))
    if notes:
        head = "Runs below zero-shot CLIP, and runs that are not counted"
        found.append(
            (head, "They are in the means above unless they are not counted.", None, notes)
        )
    caption = "Published: copied from the papers, not re-run here."
    known = published_table(beside(datasets))
    found.append(("Published, balanced", caption, known, protocol_differences(pairs)))
    caption = "H, average over 11 datasets. " + caption
    found.append(("Published, imbalanced", caption, imbalanced_table(published(IMBALANCED)), []))
    return found


def _markdown(sections: Sequence[tuple]) -> str:
    parts = [f"# {TITLE}\n"]
    for head, caption, table, lines in sections:
        parts.append(f"## {head}\n\n{caption}\n")
        if table is not None:
            parts.append(as_text(table) + "\n")
        if lines:
            parts.append("\n".join(f"- {line}" for line in lines) + "\n")
    return "\n".join(parts)


def _page(sections: Sequence[tuple], figures: Sequence[tuple[bytes, str]]) -> str:
    parts = []
    for head, caption, table, lines in sections:
        body = f'<p class="note">{html.escape(caption)}</p>'
        body += html.table_html(table) if table is not None else ""
        parts.append((head, body + (html.list_html(lines) if lines else "")))
    if figures:
        pictures = "".join(html.figure_html(*figure) for figure in figures)
        parts.insert(min(2, len(parts)), ("Pictures", pictures))
    return html.page(TITLE, parts)


def _figures(pairs: Sequence[Pair]) -> list[tuple[bytes, str]]:
    """The page's pictures as PNG with captions; none, and a line on why, without matplotlib."""
    try:
        from npt_plugin.cli.plot import report_figures

        return report_figures(pairs)
    except UserError as error:
        print(f"No pictures in report.html: {error}")
        return []
