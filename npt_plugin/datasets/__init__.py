"""Datasets: readers, few-shot choice, class imbalance, long tails and your own folders."""
