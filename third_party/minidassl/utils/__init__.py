"""Registry, meters, logger, seeds, files, checkpoints and layer helpers."""

from minidassl.utils.checkpoints import (
    has_checkpoint,
    load_checkpoint,
    resume_from_checkpoint,
    save_checkpoint,
)
from minidassl.utils.environment import collect_env_info, set_random_seed
from minidassl.utils.files import (
    check_isfile,
    download_url,
    listdir_nohidden,
    mkdir_if_missing,
    read_image,
    read_json,
    tolist_if_not,
    write_json,
)
from minidassl.utils.layers import (
    count_num_param,
    init_network_weights,
    load_pretrained_weights,
    open_all_layers,
    open_specified_layers,
    set_bn_to_eval,
)
from minidassl.utils.logger import Logger, setup_logger
from minidassl.utils.meters import AverageMeter, MetricMeter
from minidassl.utils.registry import Registry, check_availability, get_most_similar_str_to_a_from_b

__all__ = [
    "AverageMeter",
    "Logger",
    "MetricMeter",
    "Registry",
    "check_availability",
    "check_isfile",
    "collect_env_info",
    "count_num_param",
    "download_url",
    "get_most_similar_str_to_a_from_b",
    "has_checkpoint",
    "init_network_weights",
    "listdir_nohidden",
    "load_checkpoint",
    "load_pretrained_weights",
    "mkdir_if_missing",
    "open_all_layers",
    "open_specified_layers",
    "read_image",
    "read_json",
    "resume_from_checkpoint",
    "save_checkpoint",
    "set_bn_to_eval",
    "set_random_seed",
    "setup_logger",
    "tolist_if_not",
    "write_json",
]
