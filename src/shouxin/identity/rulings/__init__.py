"""Rulings: what operators said about who is one, and what waits for their word."""

from shouxin.identity.rulings.store import (
    MatchMerge,
    PossibleMatch,
    add_match_merges,
    add_ruling,
    add_undoing,
    match_merges,
    newest,
    possible_matches,
    replace_possible,
    ruling,
    rulings_of,
)

__all__ = [
    "MatchMerge",
    "PossibleMatch",
    "add_match_merges",
    "add_ruling",
    "add_undoing",
    "match_merges",
    "newest",
    "possible_matches",
    "replace_possible",
    "ruling",
    "rulings_of",
]
