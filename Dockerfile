# The page and the command, on a CPU: docs/colouring.md says how it is built and run.

FROM python:3.12-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY zoo zoo
COPY configs configs
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
# The index of PyTorch's builds for CPUs; without it pip's own torch, which brings gigabytes of CUDA.
ARG TORCH_INDEX=""
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch torchvision
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir "$(echo /wheels/*.whl)[heic]"
RUN useradd --create-home facezoo
USER facezoo
WORKDIR /photos
EXPOSE 7860
HEALTHCHECK --start-period=60s --timeout=10s CMD ["python", "-c", "from http.client import HTTPConnection as To; page = To('127.0.0.1', 7860, timeout=8); page.request('GET', '/'); assert page.getresponse().status == 200"]
ENTRYPOINT ["facezoo"]
CMD ["app", "--host", "0.0.0.0"]
