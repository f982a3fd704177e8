"""The checks of the doctor: one function for each thing that a chat needs."""
