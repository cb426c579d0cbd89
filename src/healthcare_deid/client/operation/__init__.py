"""Operations as futures, waiting for many of them, and their notebook line."""
