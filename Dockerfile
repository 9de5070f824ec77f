# Build:  docker build -t musigd .
# Run:    docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#             -v musigd:/data -p 4327:4327 musigd
# Wallets use the unix socket in the volume, or `docker exec`: the RPC port stays on the container's loopback. To open it,
# set rpc.listen, rpc.tls_cert and rpc.tls_key (MUSIGD_RPC__LISTEN and so on).

# Any image with Python 3.11 to 3.13 on glibc: docker build --build-arg BASE=...
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
RUN python3 -m venv /opt/musigd
ENV PATH=/opt/musigd/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# The dependencies first: they change less often than the code, and their layer is kept.
COPY requirements.lock requirements-build.lock ./
RUN pip install --no-compile --no-deps --require-hashes -r requirements-build.lock \
    && pip install --no-compile --no-deps --require-hashes --no-build-isolation --use-pep517 -r requirements.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY vendor ./vendor
COPY config ./config
COPY musig2 ./musig2
COPY p2p ./p2p
COPY rpc ./rpc
COPY daemon ./daemon
COPY docs/musig-cli.1 ./docs/
COPY clients/python/musigd_client ./clients/python/musigd_client
RUN pip install --no-compile --no-deps --no-build-isolation . && pip uninstall --yes setuptools pip
# What a daemon and a call load is compiled here, as nothing can be written later; the rest would be 15 MB.
WORKDIR /
RUN python -c 'import daemon.app, daemon.commands.run, rpc.cli.main, musigd_client.sync.http'

FROM ${BASE}
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin musigd \
    && install -d -o musigd -g musigd -m 0700 /data
COPY --from=build /opt/musigd /opt/musigd
ENV PATH=/opt/musigd/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MUSIGD_DATADIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 4327
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["musig-cli", "getInfo"]
ENTRYPOINT ["musigd"]
CMD ["run", "--log-format", "json"]
