"""Values and decisions of scoring: pure, exact, without a clock, a file or a database."""
