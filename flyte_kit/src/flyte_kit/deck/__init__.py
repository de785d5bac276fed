"""HTML pages that a run of a task makes."""

from flyte_kit.deck.deck import Deck, TimeLineDeck
from flyte_kit.deck.fields import DeckField
from flyte_kit.deck.renderer import MarkdownRenderer, SourceCodeRenderer, TopFrameRenderer

__all__ = ["Deck", "DeckField", "MarkdownRenderer", "SourceCodeRenderer", "TimeLineDeck", "TopFrameRenderer"]
