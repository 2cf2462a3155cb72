"""The words that a reader of the page needs, once each."""

from __future__ import annotations

from html import escape

WORDS = (
    ("base", "Accuracy (%) on the classes that were trained on, the first half of the dataset's."),
    ("new", "Accuracy (%) on the other half, which training never saw."),
    ("H", "Harmonic mean of the two, 2 · base · new / (base + new): high only where both are."),
    (
        "tau",
        "How uneven the training images are: those of the rarest class over those of the most "
        "frequent one. 1 is balanced; at 0.06 a class has one image where the largest has 16.",
    ),
    (
        "many, medium, few",
        "Mean accuracy of the classes with many, some and few training images: head and tail. The "
        "foot of the table has the numbers of images; - stands where no class is of the group.",
    ),
    ("macro", "Mean of the classes' accuracies, each class counting once."),
    ("± and n", "Sample standard deviation over n seeds; each seed draws other training images."),
    (
        "[low, high]",
        "95 % t-interval of a difference, paired by seed. Where it holds 0, these runs do not tell "
        "the two trainers apart; where it does not, the difference is printed bold.",
    ),
    ("ZeroshotCLIP", "CLIP with a hand-written prompt, which learns nothing."),
    ("NPT_X", "Trainer X with prompts anchored to a neural-collapse geometry."),
)
"""Each with its explanation, in plain text."""


def words_html() -> str:
    """A list of definitions."""
    pairs = (f"<dt>{escape(word)}</dt><dd>{escape(said)}</dd>" for word, said in WORDS)
    return f"<dl>{''.join(pairs)}</dl>"
