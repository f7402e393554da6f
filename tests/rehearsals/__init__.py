"""Short rehearsals on both databases: `make rehearsals`. The one in fair weather belongs to the suite."""
