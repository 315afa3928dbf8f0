"""The template engines: compiled programs in this process, the engines themselves outside of it."""

from gatepost.rendering.compiled import CompiledRenderer
from gatepost.rendering.options import RenderOptions
from gatepost.rendering.renderer import HelperRenderer

__all__ = ["CompiledRenderer", "HelperRenderer", "RenderOptions"]
