"""A second sentence encoder: all-MiniLM-L6-v2, which knows English, worked out with NumPy."""

MODEL = "all-minilm-l6-v2-int8"
LANGUAGES = frozenset({"en"})
