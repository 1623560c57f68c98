"""The pages of the console, one module a menu entry; they ask the rooms and decide nothing."""
