"""Conformance of search spaces."""

import pickle
from dataclasses import replace
from typing import Any

import pytest

from flipforge.certificates import check
from flipforge.errors import MalformedError
from flipforge.search import Effort, Seed, Space

__all__ = ["SpaceConformance"]

_SEEDS = [Seed(3, (0,)), Seed(3, (1,)), Seed(4, (0, 5))]


class SpaceConformance:
    """Tests of a `Space`; a subclass gives `space` on a small problem, where a short walk moves."""

    effort = Effort(steps=2_000, path=1_500, goal=0, idle=200, band=1)

    def space(self) -> Space[Any]:
        """Return the space under test."""
        raise NotImplementedError("a subclass returns its space")

    def walked(self, seed: Seed, effort: Effort | None = None) -> Any:
        space = self.space()
        return space.walk(space.start(seed), effort or self.effort, seed)

    def test_start_is_proven(self) -> None:
        space = self.space()
        for seed in _SEEDS:
            assert check(space.certify(space.start(seed))).valid

    @pytest.mark.parametrize("seed", _SEEDS)
    def test_walk_is_a_pure_function(self, seed: Seed) -> None:
        space = self.space()
        state = space.start(seed)
        before = space.encode(state)
        first, second = (space.walk(state, self.effort, seed) for _ in range(2))
        assert space.encode(state) == before
        assert space.encode(first.state) == space.encode(second.state)
        assert (first.reached, first.steps, first.counts) == (second.reached, second.steps, second.counts)

    def test_walk_needs_nothing_but_its_arguments(self) -> None:
        """A space and a state that went through pickle, as to a worker, walk alike."""
        space = self.space()
        state = space.start(_SEEDS[0])
        away, there = pickle.loads(pickle.dumps((space, space.encode(state))))
        end = away.walk(away.decode(there), self.effort, _SEEDS[0])
        assert space.encode(end.state) == space.encode(self.walked(_SEEDS[0]).state)

    def test_seed_matters(self) -> None:
        space = self.space()
        assert len({space.encode(self.walked(seed).state) for seed in _SEEDS}) > 1

    def test_walk_ends_proven_and_within_its_steps(self) -> None:
        space = self.space()
        for seed in _SEEDS:
            end = self.walked(seed)
            assert check(space.certify(end.state)).valid
            assert 0 < end.steps <= self.effort.steps

    def test_goal_is_reached_exactly_when_said(self) -> None:
        space = self.space()
        level = space.score(space.start(_SEEDS[0]))[0]
        for goal in (level, 0):
            effort = replace(self.effort, goal=goal)
            for seed in _SEEDS:
                end = self.walked(seed, effort)
                assert end.reached == (space.score(end.state)[0] <= goal)

    def test_encoding_round_trips(self) -> None:
        space = self.space()
        for seed in _SEEDS:
            state = self.walked(seed).state
            again = space.decode(space.encode(state))
            assert space.encode(again) == space.encode(state)
            assert space.key(again) == space.key(state)
            assert space.score(again) == space.score(state)

    def test_foreign_bytes_are_malformed(self) -> None:
        with pytest.raises(MalformedError):
            self.space().decode(b"\x01" * 13)

    def test_scheme_and_state_agree(self) -> None:
        space = self.space()
        for seed in _SEEDS:
            state = self.walked(seed).state
            scheme = space.scheme(state)
            assert scheme.problem == space.problem
            assert scheme == scheme.canonical
            assert scheme.certify().statement["rank"] == scheme.rank
            assert space.key(space.state(scheme)) == space.key(state)

    def test_walk_version_is_named(self) -> None:
        assert self.space().walk_version == self.space().walk_version != ""
