"""Presets that kgan brings, a folder each: see kgan.runner.preset_files."""
