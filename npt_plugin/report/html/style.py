"""How the page looks: one sheet, light and dark, from a phone to a wide screen."""

from __future__ import annotations

from npt_plugin.plots.style import COLOURS

_ON_DARK = {"#0072B2": "#F0E442", "#000000": "#FFFFFF"}
"""Of the same palette: what a dark page would swallow."""


def _colours(colours: list[str]) -> str:
    return ";".join(f"--c{i}:{colour}" for i, colour in enumerate(colours))


_RULES = """
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:80rem;padding:1rem;
background:var(--paper);color:var(--ink)}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.25rem;margin:2.5rem 0 .5rem}
h3{font-size:1rem;margin:1.75rem 0 .25rem}
p,li,dd{max-width:46rem}a{color:var(--link)}
.verdict{border-left:4px solid var(--c1);padding:.1rem 0 .1rem 1rem;margin:1rem 0}
.verdict p{margin:.4rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;font-size:.9rem;margin:1rem 0}
dt{font-weight:600}dd{margin:0}
.note,figcaption{font-size:.875rem;color:var(--soft)}
ul{padding-left:1.2rem}li{font-size:.875rem;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.75rem 0}
.scroll:focus-visible{outline:2px solid var(--link)}
table{border-collapse:collapse;font-size:.85rem;line-height:1.35;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule);
font-weight:400;vertical-align:top}
thead th{font-weight:600;vertical-align:bottom;border-bottom:2px solid var(--rule)}
th:first-child{text-align:left;position:sticky;left:0;background:var(--paper);z-index:1}
tr.group th{padding-top:.9rem;font-weight:600;position:static}
tr.group span{position:sticky;left:.6rem;display:inline-block;max-width:calc(100vw - 4rem);
white-space:normal}
tr.ours th,tr.ours td{background:var(--tint)}
.text{text-align:left}td.text{white-space:normal;min-width:7rem}
td.each{white-space:normal;min-width:9rem;color:var(--soft)}
.tight thead th{white-space:normal}
.tight{font-size:.78rem}.tight th,.tight td{padding:.3rem .35rem}
.spread{color:var(--soft)}.tight .spread{display:block;white-space:normal}
.tight .text{text-align:left}td.text{white-space:normal;min-width:7rem}
td.each{min-width:4.5rem}.tight th[scope=row]{white-space:normal;max-width:7rem}
strong .spread{color:inherit}
.plots,.panels{display:grid;gap:1rem 2rem;
grid-template-columns:repeat(auto-fill,minmax(min(21rem,100%),1fr))}
figure{margin:.5rem 0;min-width:0}
svg text{font-size:11px;fill:var(--soft)}
.panels svg{display:block;width:100%;height:auto}
.forest svg{display:block;width:100%;grid-column:1/3}
.forest .row{margin-top:.4rem;display:grid;grid-template-columns:1fr max-content;column-gap:.75rem;
font-size:.8rem;line-height:1.3;color:var(--soft);font-variant-numeric:tabular-nums}
.forest .average span:first-child{font-weight:600}
.forest .apart{color:var(--ink)}.forest .apart span:nth-child(2){font-weight:700}
.zero{stroke:var(--soft)}.span{stroke:var(--soft);stroke-width:2}
.dot{fill:var(--paper);stroke:var(--soft);stroke-width:2}
.apart .span{stroke:var(--c1);stroke-width:3}.apart .dot{fill:var(--c1);stroke:var(--c1)}
.grid{stroke:var(--rule)}.line{fill:none;stroke-width:1.6}
.key{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;margin:.5rem 0}
.key li{display:flex;align-items:center;gap:.35rem}
.picture img{display:block;max-width:100%;max-height:27rem;background:#fff;border-radius:4px}
@media (max-width:40rem){
body{padding:.75rem}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}
th,td{padding:.3rem .25rem}.spread{display:block;font-size:.68rem}
tbody th[scope=row]{white-space:normal;max-width:6.3rem}
.picture .scroll img{max-width:none;max-height:none;width:42rem}
}
"""

_MARKS = "".join(f".c{i}{{stroke:var(--c{i})}}.mark.c{i}{{fill:var(--c{i})}}" for i in range(7))

STYLE = (
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--soft:#595959;--rule:#ddd;"
    f"--tint:#eef5fa;--link:#0059a8;{_colours(list(COLOURS))}}}"
    "@media (prefers-color-scheme:dark){:root{--paper:#15181b;--ink:#ececec;--soft:#b0b5ba;"
    "--rule:#3b4147;--tint:#1d2830;--link:#8ec7ff;"
    f"{_colours([_ON_DARK.get(colour, colour) for colour in COLOURS])}}}}}" + _RULES + _MARKS
)
"""CSS. The colours are those of the pictures."""
