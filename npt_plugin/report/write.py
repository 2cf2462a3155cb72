"""Put the report together: print it; write Markdown, CSV, LaTeX, JSON and one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from npt_plugin.errors import UserError
from npt_plugin.plots.pictures import report_figures
from npt_plugin.report import notes
from npt_plugin.report import page as html
from npt_plugin.report.facts import Facts, facts
from npt_plugin.report.formats import as_csv, as_latex, as_text, difference_table, main_table
from npt_plugin.report.protocols import BASE_TO_NEW, OPEN_WORLD
from npt_plugin.report.results import Results, all_results
from npt_plugin.report.sections import (
    DIFFERENCES,
    OTHER_RUNS,
    Section,
    beside,
    caption,
    not_counted,
    other_cells,
    published,
    sections_of,
)
from npt_plugin.report.verdict import NOTHING, verdicts
from npt_plugin.runs.collect import Found, find_runs
from npt_plugin.runs.variants import Method
from npt_plugin.system.files import write_json, write_text

PAGE = "report.html"


def report(
    output: Path, plots: bool | None = None, reference: str = "", open_world: bool = False
) -> str:
    """Print the tables of everything below ``output``, and write them there in every format.

    Args:
        output: The ``--output`` of the runs.
        plots: Whether the HTML page has pictures (they need matplotlib); None: as the page that
            is there has them.
        reference: A method that all others are compared with, as ``npt sweep`` takes them.
        open_world: Whether base-to-new runs are shown with all names together, too.

    Returns:
        The main tables as text.

    Raises:
        UserError: If there is no completed run below the folder, or a record is damaged.
    """
    found = find_runs(output)
    results = all_results(found, Method.parse(reference) if reference else None, open_world)
    units = [unit for one in results for unit in one.units]
    left_out = notes.left_out(found, units, [pair for one in results for pair in one.twins])
    if not results and not found.elsewhere:
        what = f": {left_out[0].removeprefix('Not counted: ')}" if left_out else ""
        raise UserError(f"{output} holds no completed run{what}: train some first.")
    others = [s for one in results for s in (*beside(one), *published(one))]
    others += [not_counted(left_out)] if left_out else []
    if found.elsewhere:
        others.append(Section("Other runs", OTHER_RUNS, other_cells(found)))
    text = _print(results, found, left_out)
    figures = _figures(results) if _wanted(output, plots) else []
    names = [name for one in results for name in _write_tables(output, one)]
    title = results[0].table.title if len(results) == 1 else "Results"
    said = [text for one in results for text in verdicts(one)] or [NOTHING]
    known = facts(results, date.today())
    sections = [section for one in results for section in sections_of(one)] + others
    write_text(output / "report.md", _markdown(title, said, known, sections))
    parts = [html.results_section(one) for one in results]
    parts += [html.figures_html(figures), *(html.section_html(section) for section in others)]
    write_text(output / PAGE, html.page(title, said, known, parts))
    print("\n".join([*said, ""]))
    print(f"Written to {output}: {', '.join([*names, 'report.md', PAGE])}")
    return text


def _print(results: Sequence[Results], found: Found, left_out: Sequence[str]) -> str:
    """Print what a reader at a terminal needs; returns the main tables."""
    texts = []
    for one in results:
        text = as_text(main_table(one.summary, one.columns))
        texts.append(text)
        print(f"{one.table.title}\n\n{text}\n{caption(one)}")
        for line in one.foot:
            print(line)
        if one.differences:
            print(f"\n{as_text(difference_table(one.differences, one.compared))}\n{DIFFERENCES}")
        for note in one.notes:
            print(note)
        print()
    for note in left_out:
        print(note)
    if found.elsewhere:
        texts.append(as_text(other_cells(found)))
        print(f"{OTHER_RUNS}\n\n{texts[-1]}")
    return "\n\n".join(texts)


def _write_tables(output: Path, results: Results) -> list[str]:
    """Write one protocol's tables; returns the file names."""
    cells = main_table(results.summary, results.columns)
    files = [f"{results.table.prefix}{name}" for name in ("table.csv", "table.json")]
    files += [f"{results.table.prefix}{name}" for name in ("differences.json", "table.tex")]
    write_text(output / files[0], as_csv(results.summary))
    write_json(output / files[1], results.summary)
    write_json(output / files[2], results.differences)
    write_text(output / files[3], as_latex(cells, caption(results)))
    return files


def _markdown(title: str, said: Sequence[str], known: Facts, sections: Sequence[Section]) -> str:
    parts = [f"# {title}\n", *(f"{text}\n" for text in said)]
    parts.append("\n".join(f"- {name}: {value}" for name, value in known) + "\n")
    for section in sections:
        parts.append(f"## {section.head}\n\n{section.caption}\n")
        if section.cells is not None:
            parts.append(as_text(section.cells) + "\n")
        if section.lines:
            parts.append("\n".join(f"- {line}" for line in section.lines) + "\n")
    return "\n".join(parts)


def _wanted(output: Path, plots: bool | None) -> bool:
    """Whether to draw: what is asked for, or what the page that is there has."""
    if plots is not None:
        return plots
    page = output / PAGE
    return page.is_file() and html.has_pictures(page.read_text(encoding="utf-8"))


def _figures(results: Sequence[Results]) -> list[tuple[bytes, str]]:
    """The page's pictures as PNG with captions; none, and a line on why, without matplotlib."""
    units = [unit for one in results if one.table is BASE_TO_NEW for unit in one.units]
    if not units:
        return []
    try:
        return report_figures(units, any(one.table is OPEN_WORLD for one in results))
    except UserError as error:
        print(f"No pictures in {PAGE}: {error}")
        return []
