"""Operations as futures, waiting, and their notebook display."""
