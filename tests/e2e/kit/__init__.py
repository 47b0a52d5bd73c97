"""A test kit for Teller's wire, written from proto/ and FRAMING.md alone. It shares nothing with the C++ programs."""
