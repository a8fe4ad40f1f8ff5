"""LOOKING: tables and pictures of derivatives. Upstairs, on public names only; matplotlib is lazy."""
