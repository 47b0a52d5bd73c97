# Three images from one build: bank, atm and teller (the customer's and the operator's commands).
#
#   docker build --target bank -t teller-bank .       or all of them: deploy/containers build
#
# BASE is any Debian 12 or 13. deploy/containers passes bases of its own on a machine that reaches no
# image registry: they hold the packages already, so that no step below needs a network then.
ARG BASE=debian:13-slim
ARG BUILD_BASE=${BASE}
ARG RUNTIME_BASE=${BASE}

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY deploy/install deploy/packages deploy/
RUN deploy/install build test
COPY . .
# Configures, builds and runs the unit and contract tests, as CI does.
RUN CTEST_PARALLEL_LEVEL=$(nproc) cmake --workflow --preset release
RUN DESTDIR=/image cmake --install build/release --prefix /usr --strip

FROM ${RUNTIME_BASE} AS runtime
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Teller" \
      org.opencontainers.image.description="A bank and an ATM that never lose or double a cent" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY deploy/install deploy/packages /usr/share/teller/
RUN /usr/share/teller/install runtime && rm -rf /var/lib/apt/lists/*
COPY --from=build /image/usr/bin/ /usr/bin/
# Starting each program proves that the C library is all that it is linked to.
RUN for program in bankd atmd teller bankctl; do $program --version || exit 1; done
# The folder belongs to the user before it becomes a volume, and so does each volume made from it.
RUN mkdir -p /var/lib/teller && chown 65532:65532 /var/lib/teller && chmod 0700 /var/lib/teller
USER 65532:65532
ENV HOME=/var/lib/teller
WORKDIR /var/lib/teller
VOLUME /var/lib/teller
STOPSIGNAL SIGTERM

FROM runtime AS teller
ENTRYPOINT ["teller"]

FROM runtime AS atm
EXPOSE 7002
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["atmd", "health"]
ENTRYPOINT ["atmd"]

FROM runtime AS bank
EXPOSE 7001
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["bankd", "health"]
ENTRYPOINT ["bankd"]
