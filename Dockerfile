# One image for all services; the command says which one runs.
FROM rust:1.95.0-slim-trixie AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p retrace-server --bin retrace \
    && cp target/release/retrace /usr/local/bin/retrace

FROM debian:13.2-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home retrace
COPY --from=build /usr/local/bin/retrace /usr/local/bin/retrace
USER retrace
EXPOSE 3001
ENTRYPOINT ["retrace"]
