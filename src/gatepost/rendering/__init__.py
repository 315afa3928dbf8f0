"""The template engines, outside this process."""

from gatepost.rendering.options import RenderOptions
from gatepost.rendering.pool import HelperRenderer

__all__ = ["HelperRenderer", "RenderOptions"]
