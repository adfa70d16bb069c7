# The image of a lease's pods: Ray, torch and what the training program imports. Not this package: each lease brings the
# code that it runs. Built from main alone, by .github/workflows/image.yml; profiles name it by digest (docs/compute.md).
#   docker build -f dagster_project/deployment/training.Dockerfile -t threeacts-training .
FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
# Where torch's wheels for your machines are (CPUs, or a version of CUDA), if pip's own index has none that you want.
ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 RAY_USAGE_STATS_ENABLED=0
RUN useradd --uid 1000 --create-home training
WORKDIR /srv/threeacts
COPY pyproject.toml constraints.txt README.md ./
# A wheel without a package: its requirements are what is wanted of it. Nothing in an environment of its own: KubeRay starts
# Ray by a login shell, which forgets PATH.
RUN export PIP_EXTRA_INDEX_URL="$TORCH_INDEX" \
 && pip install -c constraints.txt setuptools wheel torch==2.13.0 \
 && pip install -c constraints.txt --no-build-isolation ".[training]" \
 && pip uninstall -y threeacts \
 && ray --version
USER 1000
