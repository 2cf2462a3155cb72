"""What each protocol's table shows: which runs make a row, its columns, how datasets average."""

from npt_plugin.report.protocols.base import Table
from npt_plugin.report.protocols.base_to_new import BaseToNew
from npt_plugin.report.protocols.few_shot import FewShot
from npt_plugin.report.protocols.long_tail import LongTail
from npt_plugin.report.protocols.open_world import OpenWorld
from npt_plugin.report.protocols.transfer import CrossDataset, DomainGeneralisation

__all__ = ["BASE_TO_NEW", "LONG_TAIL", "OPEN_WORLD", "TABLES", "Table"]

BASE_TO_NEW = BaseToNew()
LONG_TAIL = LongTail()

OPEN_WORLD = OpenWorld()
"""On demand: the same runs once more, so it is not among ``TABLES``."""

TABLES: tuple[Table, ...] = (
    BASE_TO_NEW,
    FewShot(),
    CrossDataset(),
    DomainGeneralisation(),
    LONG_TAIL,
)
"""In the order of the report."""
