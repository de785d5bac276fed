from flyte_kit import task
from flyte_kit.deck import DeckField


@task(enable_deck=True)
def deck(x: int) -> int:
    return x


@task(enable_deck=True, deck_fields=(DeckField.INPUT,))
def fields(x: int) -> int:
    return x


@task(disable_deck=False)
def old(x: int) -> int:
    return x


@task(enable_deck=False)
def off(x: int) -> int:
    return x
