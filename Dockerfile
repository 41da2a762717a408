# The image `atlas-gateway`. BASE is any image with Node 22.18 or newer, npm and tar.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /build
# What the lockfile names, first and alone, so that a change of the sources installs nothing anew.
COPY package.json package-lock.json ./
COPY test/servers/no-telemetry test/servers/no-telemetry
COPY test/servers/sqlite3 test/servers/sqlite3
# A registry of your own: docker build --secret id=npmrc,src=$HOME/.npmrc (it is in no layer)
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# The image holds what is published, and the modules that it needs in the versions of the lockfile.
RUN npm pack --silent && mkdir /app && tar -xzf atlas-gateway-*.tgz -C /app --strip-components=1
RUN node scripts/production-modules.js /app/node_modules

FROM ${BASE}
ENV NODE_ENV=production ATLAS_DATA=/data HOME=/tmp
COPY --from=build /app /app
RUN mkdir -m 700 /data && chown 10001:10001 /data && ln -s /app/bin/atlas.js /usr/local/bin/atlas
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:8000/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/atlas.js"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
