# Two stages: the first has the tools and builds, the second has only Python, the packages of the lock and the product.
# tests/unit/test_dockerfile.py runs these very commands.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY requirements/build.lock requirements/runtime.lock requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.lock
RUN python -m venv --without-pip /opt/stagerail \
    && /opt/build/bin/pip --python /opt/stagerail install --no-cache-dir --require-hashes -r requirements/runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN /opt/build/bin/python -m hatchling build --target wheel --directory /wheels \
    && /opt/build/bin/pip --python /opt/stagerail install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="stagerail" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin stagerail \
    && install --directory --owner stagerail --group stagerail /data
COPY --from=build /opt/stagerail /opt/stagerail
ENV PATH=/opt/stagerail/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    STAGERAIL_DATABASE_URL=sqlite:////data/stagerail.db \
    STAGERAIL_LOG_FORMAT=json
WORKDIR /data
VOLUME /data
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('STAGERAIL_PORT', '8000') + '/health/ready', timeout=2)"]
# Bring the database up to date first, once for each release: docker run … stagerail:latest stagerail migrate
CMD ["stagerail", "serve", "--host", "0.0.0.0"]
