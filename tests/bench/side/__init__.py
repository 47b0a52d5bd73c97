"""Side by side: what tests/bench/compare is made of."""
