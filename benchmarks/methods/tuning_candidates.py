"""The grid of tuning: every candidate, ours and others', with all its settings spelled out."""

from __future__ import annotations

from plan import ALIKE, BALANCED_SOFTMAX, LOSS, NPT, Method, promptsrc_pulls


def npt(
    name: str,
    lc: float,
    mi: float,
    form: str = "anchored",
    mi_form: str = "pull",
    center: bool = True,
    momentum: float = 0.0,
    more: tuple[str, ...] = (),
    base: str = "CoOp",
) -> Method:
    """NPT on a base trainer with everything spelled out, whatever the defaults are."""
    options = (
        f"{NPT}.LAMBDA_LC",
        str(float(lc)),
        f"{NPT}.LAMBDA_MI",
        str(float(mi)),
        f"{NPT}.LC.FORM",
        form,
        f"{NPT}.MI.FORM",
        mi_form,
        *(() if center else (f"{NPT}.CENTER", "False")),  # a folder's name has its limit
        f"{NPT}.MI.MOMENTUM",
        str(momentum),
        *ALIKE,
        *more,
    )
    return Method(name, base, f"NPT_{base}", options)


def coop(name: str, *options: str) -> Method:
    """CoOp with options."""
    return Method(name, "CoOp", "CoOp", options)


def ldam(margin: float) -> Method:
    """LDAM with deferred re-weighting at the embedded CLIP's scale."""
    return coop(
        f"LDAM {margin:g} + DRW",
        f"{LOSS}.NAME",
        "ldam",
        f"{LOSS}.LOGIT_SCALE",
        "17.5",
        f"{LOSS}.LDAM_MARGIN",
        str(margin),
        f"{LOSS}.DRW_EPOCH",
        "40",
    )


def cpt(times: float) -> Method:
    """CPT with its published weights times a factor."""
    weights = zip(("TETF", "CC", "RS"), (0.25, 0.15, 0.10), strict=True)
    words = [w for name, v in weights for w in (f"{NPT}.CPT.LAMBDA_{name}", str(v * times))]
    return Method(f"CPT x{times:g}", "CoOp", "NPT_CoOp", (f"{NPT}.VERSION", "cpt", *words))


GRID = ((2, 2), (5, 5), (5, 10), (10, 5), (10, 10), (20, 20))
EMA_GRID = ((3, 3), (10, 5), (5, 10), (10, 10), (10, 20), (20, 20), (20, 40))


def kgcoop(weight: float) -> Method:
    """KgCoOp with a weight of its term."""
    options = ("TRAINER.COOP.W", str(float(weight)))
    return Method(f"KgCoOp W {weight:g}", "CoOp", "KgCoOp", options)


def prograd(strength: float) -> Method:
    """ProGrad that takes so much of the opposing gradient away."""
    return Method(f"ProGrad {strength:g}", "CoOp", "ProGrad", ("LOSS.LAMBDA", str(float(strength))))


CANDIDATES: tuple[Method, ...] = (
    coop("CoOp"),
    npt("plain: LC etf 1, MI etf 1", 1, 1, "etf", "etf", False),
    *(npt(f"LC anchored {lc}, MI pull {mi}", lc, mi) for lc, mi in GRID),
    npt("LC anchored 10, MI pull 10, not centred", 10, 10, center=False),
    *(npt(f"LC anchored {lc}, MI pull {mi}, EMA 0.9", lc, mi, momentum=0.9) for lc, mi in EMA_GRID),
    npt("LC anchored 10, MI pull 10, EMA 0.97", 10, 10, momentum=0.97),
    npt("LC anchored 10, MI pull 10, EMA 0.9, not centred", 10, 10, center=False, momentum=0.9),
    npt("LC etf 10, MI pull 10, EMA 0.9", 10, 10, "etf", momentum=0.9),
    *(
        npt(f"v2: GD {w}, MI pull 10, EMA 0.9", w, 10, momentum=0.9, more=(f"{NPT}.VERSION", "v2"))
        for w in (1, 3, 10)
    ),
    npt("MI pull 10 alone, EMA 0.9", 0, 10, momentum=0.9),
    npt(
        "LC anchored 10, MI pull 10, EMA 0.9 + balanced softmax",
        10,
        10,
        momentum=0.9,
        more=BALANCED_SOFTMAX,
    ),
    npt("LC anchored 10, MI pull 10, ramp 10", 10, 10, more=(f"{NPT}.WARMUP_EPOCH", "10")),
    npt("LC etf 10, MI pull 10", 10, 10, "etf"),
    npt("LC etf 10, MI pull 10, not centred", 10, 10, "etf", center=False),
    npt("LC anchored 10, MI etf 10, EMA 0.9", 10, 10, mi_form="etf", momentum=0.9),
    npt("LC anchored 5 alone", 5, 0),
    npt("MI pull 3 alone", 0, 3),
    npt("MI pull 10 alone", 0, 10),
    npt("MI etf 10 alone, EMA 0.9", 0, 10, mi_form="etf", momentum=0.9),
    npt("MI nc3 10 alone, EMA 0.9", 0, 10, mi_form="nc3", momentum=0.9),
    npt("LC anchored 10, MI pull 10 + balanced softmax", 10, 10, more=BALANCED_SOFTMAX),
    coop("balanced softmax", *BALANCED_SOFTMAX),
    *(coop(f"post-hoc {t:g}", f"{LOSS}.POSTHOC_TAU", str(t)) for t in (0.5, 1.0)),
    *(ldam(margin) for margin in (0.05, 0.125, 0.25)),
    *(
        coop(
            f"GNM scale {s:g}",
            "OPTIM.GNM.ENABLED",
            "True",
            "OPTIM.GNM.SCALE",
            str(s),
            "OPTIM.GNM.SCHEDULE",
            "constant",
        )
        for s in (0.1, 1.0)
    ),
    *(cpt(times) for times in (1, 10)),
)
OTHERS = tuple(
    method
    for base in ("MaPLe", "CoCoOp")
    for method in (
        Method(base, base, base),
        *(
            npt(f"{base}: LC anchored {w}, MI pull {w}, EMA 0.9", w, w, momentum=0.9, base=base)
            for w in (1, 3, 10)
        ),
    )
) + tuple(
    npt(
        f"MaPLe: LC anchored {lc}, MI {form} {mi}, EMA 0.9",
        lc,
        mi,
        "anchored",
        form,
        momentum=0.9,
        base="MaPLe",
    )
    for lc, mi, form in (
        (3, 0, "pull"),
        (10, 0, "pull"),
        (0, 3, "pull"),
        (3, 3, "anchored"),
        (1, 1, "anchored"),
    )
)
"""Whether the same weights serve the other base trainers; CoCoOp, which is slow, at equal epochs
only."""


NEIGHBOURS = (
    *(kgcoop(weight) for weight in (0.5, 2, 8, 30)),
    *(prograd(strength) for strength in (0.25, 1, 4)),
)
"""Methods that stay near zero-shot CLIP; 8 and 1 are the published strengths."""


def promptsrc(times: float) -> Method:
    """PromptSRC with its published weights times a factor."""
    return Method(f"PromptSRC x{times:g}", "MaPLe", "PromptSRC", promptsrc_pulls(times))


def candle(rate: float) -> Method:
    """Candle at a learning rate."""
    options = ("OPTIM.LR", str(rate))
    return Method(f"Candle, LR {rate:g}", "CoOp", "Candle", options, "tiny_ep50")


def npt_on(name: str, base: str, weight: float, *options: str, file: str = "") -> Method:
    """NPT on another of the field's methods, with both weights."""
    words = (*options, f"{NPT}.LAMBDA_LC", str(weight), f"{NPT}.LAMBDA_MI", str(weight))
    return Method(f"NPT_{name}, weights {weight:g}", base, f"NPT_{name}", words, file)


def on_candle(lc: float, mi: float) -> Method:
    """NPT on Candle at its best rate, a class counting as on CoOp."""
    words = ("OPTIM.LR", "0.001", f"{NPT}.PRIOR_COUNT", "4.0")
    words += (f"{NPT}.LAMBDA_LC", str(lc), f"{NPT}.LAMBDA_MI", str(mi))
    title = f"NPT_Candle, LR 0.001: LC {lc:g}, MI {mi:g}"
    return Method(title, "CoOp", "NPT_Candle", words, "tiny_ep50")


RIVALS = (
    *(promptsrc(times) for times in (0.03, 0.1, 0.3, 1)),
    *(npt_on("PromptSRC", "MaPLe", weight) for weight in (0.3, 1.0)),
    *(candle(rate) for rate in (0.0003, 0.001, 0.003, 0.01)),
    *(npt_on("Candle", "CoOp", weight, *ALIKE, file="tiny_ep50") for weight in (1.0, 10.0)),
    *(on_candle(weight, weight) for weight in (0.3, 1.0, 3.0)),
    *(on_candle(*weights) for weights in ((1.0, 0.0), (3.0, 0.0), (0.0, 1.0))),
)
"""The strongest of others, and NPT on them; x1 is PromptSRC as published."""
