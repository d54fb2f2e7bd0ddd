# docker build -t provisioner .
# docker run --rm --read-only --tmpfs /tmp -e COMETCHAT_API_KEY -v "$PWD:/work" --user "$(id -u):$(id -g)" provisioner run users.csv
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt config.example.toml ./
COPY provisioner provisioner
# Compiled here: at run time nothing can be written beside it.
RUN python -m venv /opt/provisioner \
 && PIP_CONSTRAINT=constraints.txt /opt/provisioner/bin/pip install --no-cache-dir --compile '.[speed]' \
 && /opt/provisioner/bin/pip uninstall --yes pip

FROM python:3.13-slim
COPY --from=build /opt/provisioner /opt/provisioner
# The user has no entry and no home: what looks for one finds the folder for what is passing.
ENV PATH=/opt/provisioner/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["provisioner"]
CMD ["--help"]
