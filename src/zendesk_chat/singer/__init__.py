"""A Singer tap. All of Singer's terms are here."""
