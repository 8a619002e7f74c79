FROM python:3.11.14-slim-bookworm

# OpenCV needs libGL and GLib, also where nothing is shown.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# The CPU build of torch is a tenth of the size; for a GPU build with
# --build-arg TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    PREFECT_HOME=/data/prefect \
    CELLCENSUS_HOME=/data/home

RUN useradd --create-home --uid 10001 cellcensus \
    && mkdir -p /data/home /data/prefect /studies \
    && chown -R cellcensus: /data

WORKDIR /app
COPY pyproject.toml constraints.txt README.md ./
COPY cellcensus cellcensus
COPY pipeline pipeline
COPY models models
COPY db db
COPY flows flows
COPY reports reports
COPY web web
COPY cli cli
RUN grep -E '^torch(vision)?==' constraints.txt > /tmp/torch.txt \
    && pip install --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple \
       -r /tmp/torch.txt \
    && pip install -c constraints.txt '.[scale]' \
    && rm /tmp/torch.txt
COPY prefect.yaml ./

USER cellcensus
# Compiled for the machine that builds; another kind of processor compiles anew at its first recording.
RUN python -m pipeline.warm
VOLUME ["/data"]
EXPOSE 8000
ENTRYPOINT []
CMD ["cellcensus", "--help"]
