# The package with its models, for a read-only file system and a user without rights:
#
#   python -m build --wheel && docker build -t healthcare-deid .
#   docker run --rm --read-only --tmpfs /tmp -v "$PWD/scans:/in:ro" -v "$PWD/clean:/out" healthcare-deid files /in /out/results
#   docker run --rm --read-only --tmpfs /tmp -v "$PWD/lab:/lab" -p 127.0.0.1:8085:8085 healthcare-deid emulator --data-dir /lab
#
# EXTRAS=all,beam makes it an image for Beam's workers too, whose entry point is then Beam's own:
#
#   docker build --build-arg EXTRAS=all,beam --target beam -t healthcare-deid-beam .
#
# Pin the base by digest where images are released.
ARG PYTHON=3.12
ARG BEAM=2.77.0
FROM python:${PYTHON}-slim AS build
ARG EXTRAS=all
ARG BEAM
COPY dist/*.whl /tmp/
# Beam's worker and the package in it are of one version.
RUN echo "apache-beam==${BEAM}" >/tmp/constraints.txt \
 && python -m venv /opt/healthcare-deid \
 && /opt/healthcare-deid/bin/pip install --no-cache-dir -c /tmp/constraints.txt "$(ls /tmp/healthcare_deid-*.whl)[${EXTRAS}]" \
 && /opt/healthcare-deid/bin/python -m compileall -q /opt/healthcare-deid

FROM python:${PYTHON}-slim AS base
COPY --from=build /opt/healthcare-deid /opt/healthcare-deid
ENV PATH=/opt/healthcare-deid/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin deid
USER 10001:10001
WORKDIR /tmp

# Workers of Beam: the runner starts this entry point with its own arguments.
FROM apache/beam_python${PYTHON}_sdk:${BEAM} AS sdk
FROM base AS beam
COPY --from=sdk /opt/apache/beam /opt/apache/beam
ENTRYPOINT ["/opt/apache/beam/boot"]

FROM base
ENTRYPOINT ["healthcare-deid"]
CMD ["--help"]
