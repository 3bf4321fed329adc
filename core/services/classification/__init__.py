"""How tickets are sorted: categories, what is asked about them, priorities, and each ticket's."""
