"""``python -m healthcare_deid``: the command line."""

from healthcare_deid.cli import run

if __name__ == "__main__":
    run()
