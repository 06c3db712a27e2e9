# One image for every part of Serin; the command picks the part:
#
#   docker build -t serin .
#   docker run serin sidecar --ext-proc 0.0.0.0:9000 --nats nats://nats:4222 --id edge-1
#   docker run serin controller --nats nats://nats:4222 --http 127.0.0.1:9464
#
# It needs no shell, no root and no writable disk: `--read-only --cap-drop ALL` changes nothing. Other bases, and other registries, by
# --build-arg: both need Node 20.20 or newer, the first npm and a shell too.
ARG BUILD_BASE=docker.io/library/node:24-bookworm-slim
ARG BASE=gcr.io/distroless/nodejs24-debian12:nonroot

# What is built here runs on every platform, so it is built on the builder's own.
FROM --platform=$BUILDPLATFORM ${BUILD_BASE} AS build
WORKDIR /app
# Packages first: they change seldom, so that most builds find this layer made.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle.mjs scripts/link-program.mjs scripts/sbom.mjs scripts/
COPY test/support/plain-bucketing.ts test/support/
COPY src src
RUN npm run build && npm run sbom && mkdir -p /made/serin

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Serin" \
      org.opencontainers.image.description="Rolls a new version out to real users a little at a time, beside Envoy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Distroless keeps Node in /nodejs/bin, which is not on its PATH.
ENV NODE_ENV=production \
    PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin \
    SERIN_HEALTH_URL=http://127.0.0.1:9464/healthz
WORKDIR /app
COPY LICENSE ./
# The program holds the packages it uses; serin.cdx.json says which.
COPY --from=build /app/package.json /app/dist/serin.cdx.json ./
COPY --from=build /app/dist/ui dist/ui
COPY --from=build /app/dist/bin dist/bin
# Empty: a named volume that is mounted at /var/lib/serin takes its owner, and `--state-dir /var/lib/serin` can write there.
COPY --from=build --chown=65532:65532 /made /var/lib
USER 65532:65532
# Alive, not ready: a sidecar that drains or has no rules yet must not be restarted for it. Orchestrators have probes of their
# own. The sidecar answers here by itself, a controller with --http 127.0.0.1:9464.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["node", "--eval", "fetch(process.env.SERIN_HEALTH_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/bin/serin.js"]
CMD ["--help"]
