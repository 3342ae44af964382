# The image of rotator. Build it with `make image`; docs/deployment.md says how to run it.
#
# What is installed is what requirements/runtime.txt locks, with hashes, as wheels: nothing is compiled and nothing that is
# not locked is fetched. To pin the base image as well: --build-arg PYTHON_IMAGE=docker.io/library/python@sha256:...
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# The locked dependencies first: this layer changes only when the lock does. The build backend is among them, and leaves
# the environment again once the wheel of the program is made. No pip and no build tool stays in /opt/rotator.
COPY requirements/runtime.txt requirements/runtime.txt
RUN python -m venv --without-pip /opt/rotator \
 && pip --python /opt/rotator/bin/python install --no-deps --require-hashes --only-binary :all: -r requirements/runtime.txt

COPY pyproject.toml README.md LICENSE ./
COPY rotator rotator
RUN pip --python /opt/rotator/bin/python install --no-deps --no-build-isolation --no-index . \
 && pip --python /opt/rotator/bin/python uninstall --yes \
      editables hatchling packaging pluggy tomlkit trove-classifiers \
 && /opt/rotator/bin/rotator version \
 && install -d -m 0700 -o 65532 -g 65532 /state

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="rotator" \
      org.opencontainers.image.description="Keeps Cloudflare API tokens fresh and never loses a value that is shown once" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY --from=build /opt/rotator /opt/rotator
COPY --from=build --chown=65532:65532 /state /var/lib/rotator

# Everything that is written goes to STATE_DIRECTORY, so the root file system may be read-only and /tmp is not needed.
# ROTATOR_HTTP_LISTEN: inside a container, loopback would be out of reach for a scraper.
ENV PATH=/opt/rotator/bin:${PATH} \
    HOME=/var/lib/rotator \
    TMPDIR=/var/lib/rotator \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ROTATOR_CONFIG=/etc/rotator/rotator.yaml \
    ROTATOR_HTTP_LISTEN=0.0.0.0:9853 \
    STATE_DIRECTORY=/var/lib/rotator

USER 65532:65532
WORKDIR /var/lib/rotator
VOLUME ["/var/lib/rotator"]
EXPOSE 9853
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["rotator", "healthcheck"]
ENTRYPOINT ["rotator"]
CMD ["run"]
