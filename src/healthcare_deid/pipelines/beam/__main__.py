"""Entry point of ``python -m healthcare_deid.pipelines.beam``."""

from healthcare_deid.pipelines.beam.command import main

if __name__ == "__main__":
    main()
