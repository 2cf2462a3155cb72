"""Config keys of version 0.1 that have another name now, or are gone."""

RENAMED = {
    "INPUT.FEATURE_CACHE": "INPUT.CACHED_VIEWS",
    "TEST.FEATURE_CACHE": "TEST.FEATURE_STORE",
    "TRAIN.ACCUMULATE": "TRAIN.IMAGE_CHUNKS",
}
"""Keys of version 0.1 by their present name: still taken, in files, options and old records."""

REMOVED = {
    "DATASET.FEWSHOT_CACHE": "every run records its choice in selection.json",
    "INPUT.IMAGE_CACHE_DIR": "INPUT.IMAGE_CACHE keeps images in memory only",
    "MODEL.COMPILE": "torch.compile made runs slower",
}
"""Keys of version 0.1 that are gone, and why nobody misses them. None of them changes numbers."""
