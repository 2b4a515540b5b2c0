# One image for the web processes, the archiver and migrations; see "Containers" in docs/operations.md.
#
#   docker build -t gamrae .
#   docker run gamrae web | archiver | migrate | any other command of manage.py
#
# bin/image builds it where there is no Docker, and tries it.
ARG BASE=docker.io/library/python:3.11-slim-bookworm


# The installer, and Python's packages: everything as the hashed locks name it.
FROM ${BASE} AS packages
# Compilers of the distribution's stable release: pinned ones would be gone with its next update.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY bin/certificates bin/
COPY requirements-uv.txt ./
RUN . bin/certificates \
 && python -m venv /opt/installer \
 && /opt/installer/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-uv.txt
COPY requirements.txt requirements-mysql.txt ./
ENV UV_NO_CACHE=1
RUN . bin/certificates \
 && python -m venv --without-pip /opt/gamrae \
 && install="/opt/installer/bin/uv pip install --python /opt/gamrae/bin/python --compile-bytecode --require-hashes" \
 && $install --only-binary :all: -r requirements.txt \
 && $install -r requirements-mysql.txt


# The browser's side, with the Node that bin/frontend.py installs from a lock of its own.
FROM packages AS frontend
COPY requirements-build.txt ./
COPY bin/frontend.py bin/
COPY frontend frontend
RUN . bin/certificates && /opt/installer/bin/python bin/frontend.py


# The code, ready to be served: translations compiled, static files collected and compressed.
FROM packages AS site
COPY manage.py ./
COPY accounts accounts
COPY chatsite chatsite
COPY friends friends
COPY messaging messaging
COPY rooms rooms
COPY deploy/image deploy/image
COPY --from=frontend /app/frontend/dist frontend/dist
# What a command makes for itself, a secret key among it, is left behind in this stage's /tmp.
RUN export GAMRAE_DATA=/tmp/site GAMRAE_STATIC=/app/static PATH="/opt/gamrae/bin:$PATH" \
 && python manage.py compile_translations \
 && python manage.py collectstatic --no-input --verbosity 0 \
 && python -m servestatic.compress --quiet static \
 && python -m compileall -q accounts chatsite friends messaging rooms \
 && rm -rf bin requirements*.txt


# What runs: no compiler, no installer, nothing that can be written but /data and /tmp.
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libmariadb3 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 gamrae \
 && useradd --uid 10001 --gid gamrae --home-dir /data --no-create-home --shell /usr/sbin/nologin gamrae \
 && install --directory --owner gamrae --group gamrae --mode 0700 /data
COPY --from=packages /opt/gamrae /opt/gamrae
COPY --from=site /app /app
WORKDIR /app
ENV PATH=/opt/gamrae/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GAMRAE_DATA=/data \
    GAMRAE_STATIC=/app/static \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
EXPOSE 8000
# Of a web process; whoever runs another command switches it off.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "/app/deploy/image/healthcheck.py"]
ENTRYPOINT ["/app/deploy/image/start"]
CMD ["web"]
