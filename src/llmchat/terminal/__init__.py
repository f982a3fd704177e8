"""Everything a person sees and types in a terminal."""
