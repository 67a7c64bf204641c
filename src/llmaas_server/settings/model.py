"""Every option of the server. Names are the same in the file, the environment and as flags."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import (
    ByteSize,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from llmaas_server.seam.values import Quantization

from .types import (
    Device,
    FolderPath,
    HostNames,
    HttpAddress,
    ModelName,
    ModelNames,
    ModelQuantization,
    Networks,
    OriginNames,
)

ENV_PREFIX = "LLMAAS_"


class Settings(BaseSettings):
    """The options of `llmaas serve`. Built from its arguments alone; see `load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_ignore_empty=True
    )

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    config: FolderPath | None = Field(
        default=None,
        description="The settings file. By default `llmaas.toml` in the working directory or, "
        "where there is none, in `home`.",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen on. Any but a loopback address needs `tls_cert`, or a "
        "proxy that `behind_proxy` names.",
    )
    port: int = Field(
        default=8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one."
    )
    tls_cert: FolderPath | None = Field(
        default=None,
        description="The certificate, with those that it rests on after it (PEM): the server then "
        "speaks https alone, TLS 1.2 or newer. Read again on SIGHUP. `llmaas tls dev-cert` makes "
        "one to try things out.",
    )
    tls_key: FolderPath | None = Field(
        default=None,
        validate_default=True,
        description="The private key of `tls_cert` (PEM, without a password).",
    )
    behind_proxy: Networks = Field(
        default=(),
        description="The addresses or networks of the proxies that speak TLS in front of this "
        "server. What they say of the caller's address is believed, and beside this machine nobody "
        "else may connect; without it, no such header is read.",
    )
    allowed_hosts: HostNames = Field(
        default=(),
        description="The names by which the server may be asked, beside `localhost` and addresses "
        "of numbers. A request to any other name is refused: it may come from a page in a browser "
        "whose name was bent to this machine.",
    )
    allowed_origins: OriginNames = Field(
        default=(),
        description="The origins, such as `https://app.example.org`, whose pages may use this "
        "server from a browser. By default only its own.",
    )
    home: FolderPath = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("llmaas")),
        description="Where state lies: keys and credentials (mode 0700). By default the "
        "platform's folder for user data.",
    )
    cache: FolderPath = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("llmaas")),
        description="Where models lie. By default the platform's cache folder.",
    )
    backend: Literal["worker", "fake"] = Field(
        default="worker",
        description="What computes: `worker` (a child process with torch), or `fake` (made-up "
        "answers without any model, for tests of what stands above it).",
    )
    device: Device = Field(
        default="auto",
        description="`auto`, `cpu`, `cuda` or `cuda:N`; `auto` takes a GPU where there is one. "
        "Several, such as `cuda:0,cuda:1`, get a worker each.",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="The number format of weights and activations."
    )
    quantization: Quantization = Field(
        default="auto",
        description="Weights on a CPU. `auto` keeps the bits of a 4-bit file and takes 8 bits for "
        "the rest, on kernels built once where a C++ compiler is; `int8` takes 8 for all, and "
        "`int4` 4 for the layers of decoders, which is smaller, faster and less exact; `none` "
        "leaves all to torch.",
    )
    model_quantization: ModelQuantization = Field(
        default_factory=dict,
        description="By model, instead of `quantization`: a table of names, in the environment "
        "and as a flag `NAME=VALUE` with commas between.",
    )
    compile: Literal["off", "auto"] = Field(
        default="off",
        description="Whether torch compiles the steps of decoders that it computes, in the "
        "background, and keeps what it made in the cache; `auto` does where a C++ compiler, or on "
        "a GPU Triton, is. Answers never wait for it, and what cannot be compiled stays as it is.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Threads for arithmetic on the CPU, of each worker; by default one per "
        "physical core, and several workers on the CPU share the cores.",
    )
    kv_bytes: ByteSize = Field(
        default=ByteSize(1 << 30),
        ge=1 << 20,
        description="Most memory for keys and values of all sequences of a model, such as `2GiB`.",
    )
    memory_bytes: ByteSize | None = Field(
        default=None,
        ge=1 << 20,
        description="Most memory for all models together, each with its weights and `kv_bytes`; by "
        "default three quarters of the memory of the device, or of what a container may have. The "
        "models used longest ago make room for others; what does not fit is refused. Several "
        "workers on one device share it.",
    )
    idle_seconds: float | None = Field(
        default=None,
        gt=0,
        description="After so long without use a model is unloaded; by default it stays until its "
        "memory is needed.",
    )
    pinned_models: ModelNames = Field(
        default=(),
        description="Models that stay in memory once they are loaded, whatever else needs room: a "
        "list of names, in the environment with commas between them.",
    )
    max_sequences: int = Field(
        default=64, ge=1, le=4096, description="Most sequences that generate at the same time."
    )
    max_step_tokens: int = Field(
        default=512,
        ge=16,
        le=1 << 20,
        description="Most tokens in one step of the scheduler. Smaller: smoother streams. "
        "Larger: long prompts are read faster.",
    )
    hang_seconds: float = Field(
        default=60.0,
        gt=0,
        description="A worker that has work and makes no progress for so long is replaced.",
    )
    classify_model: ModelName = Field(
        default="all-minilm-l6-v2",
        description="The model for classify where the request names none.",
    )
    summarize_model: ModelName = Field(
        default="all-minilm-l6-v2",
        description="The model for extractive summaries where the request names none.",
    )
    abstractive_model: ModelName = Field(
        default="smollm2-135m-instruct-q4_1",
        description="The model for abstractive summaries where the request names none.",
    )
    chat_model: ModelName = Field(
        default="smollm2-135m-instruct-q4_1",
        description="The model for chat where the request names none.",
    )
    embed_model: ModelName = Field(
        default="all-minilm-l6-v2",
        description="The model for embed where the request names none.",
    )
    predict_model: ModelName = Field(
        default="all-minilm-l6-v2",
        description="The model for `POST /predict`. The default judges by `predict_negative` and "
        "`predict_positive`; a trained sentiment classifier, such as "
        "`distilbert/distilbert-base-uncased-finetuned-sst-2-english`, by its own two labels.",
    )
    predict_negative: str = Field(
        default="negative feeling, it was terrible",
        min_length=1,
        description="What a negative text is like, for a `predict_model` without labels.",
    )
    predict_positive: str = Field(
        default="positive feeling, it was great",
        min_length=1,
        description="What a positive text is like, for a `predict_model` without labels.",
    )
    max_body_bytes: ByteSize = Field(
        default=ByteSize(2 << 20),
        ge=1024,
        description="The largest request body that is read; larger ones get 413.",
    )
    max_header_bytes: ByteSize = Field(
        default=ByteSize(32 << 10),
        ge=1024,
        description="The longest address with its headers that is read; longer ones get 431.",
    )
    receive_seconds: float = Field(
        default=10.0,
        gt=0,
        description="How long the headers of a request may take to arrive, and its body beside a "
        "second for each 16 KiB; then it gets 408.",
    )
    send_seconds: float = Field(
        default=30.0,
        gt=0,
        description="A caller who does not read the answer for so long is cut off.",
    )
    max_connections_per_address: int = Field(
        default=512,
        ge=1,
        description="Most connections open from one address; more get 429. Proxies that "
        "`behind_proxy` names are not counted.",
    )
    max_queue: int = Field(
        default=256,
        ge=1,
        description="Most calls waiting or running at the same time; more get 503 `overloaded`.",
    )
    ping_seconds: float = Field(
        default=10.0,
        gt=0,
        description="After so long without an event, a stream sends a comment that keeps the "
        "connection open.",
    )
    grace_seconds: float = Field(
        default=10.0,
        ge=0,
        description="At the end, how long running calls may take to finish.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="Where accounts, keys and the ledger lie: `postgresql://…`, or "
        "`sqlite:///PATH`. By default a SQLite file in `home`.",
    )
    registration: Literal["closed", "invite", "open"] = Field(
        default="closed",
        description="Who may make an account by themselves: nobody, those with an invitation of "
        "the operator, or everybody.",
    )
    console: bool = Field(
        default=True, description="Whether there are pages for people, at `/console/`."
    )
    console_idle_minutes: int = Field(
        default=120,
        ge=1,
        le=7 * 24 * 60,
        description="A session of the console ends so long after its last use.",
    )
    console_hours: int = Field(
        default=12,
        ge=1,
        le=720,
        description="A session of the console ends so long after it began.",
    )
    key_days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="How long a new key is good where nobody says it; by default for ever.",
    )
    key_grace_seconds: int = Field(
        default=24 * 3600,
        ge=0,
        le=30 * 24 * 3600,
        description="How long a key that was rotated stays good beside the one that follows it.",
    )
    idempotency_seconds: int = Field(
        default=600,
        ge=0,
        le=24 * 3600,
        description="How long the answer to a request with an `Idempotency-Key` is kept, "
        "encrypted, to be given again; 0 turns it off, and the header is not read.",
    )
    unknown_keys_per_minute: int = Field(
        default=60,
        ge=1,
        le=1_000_000,
        description="How often an address may show keys that the server does not know before it "
        "gets 429; keys that the server knows are not concerned.",
    )
    encryption_key: SecretStr | None = Field(
        default=None,
        description="The key that encrypts all other keys: 32 bytes in base64, as "
        "`llmaas keychain new` prints them; meant for the environment. Several, the newest first, "
        "with spaces between them: all are taken over to the first. By default it lies in a file "
        "in `home` that is made at the first start.",
    )
    encryption_key_command: str | None = Field(
        default=None,
        min_length=1,
        description="A command that prints what `encryption_key` would say, such as one that asks "
        "a safe. It is run without a shell.",
    )
    audit_anchor: FolderPath | None = Field(
        default=None,
        description="The file that the head of the audit trail is appended to; best on another "
        "disk, or where one can only append. By default `audit/heads.jsonl` in `home`.",
    )
    retention_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="How long requests and answers are kept of applications that have `retention` "
        "on. Of all others nothing is kept.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe messages to log."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="`json` writes one object for each line of the log."
    )
    tracing: Literal["off", "otlp"] = Field(
        default="off",
        description="`otlp` sends traces to an OpenTelemetry collector, by OTLP over HTTP; that "
        "needs the extra `otel`. The standard OTEL_… variables say how.",
    )
    otlp_endpoint: HttpAddress | None = Field(
        default=None,
        description="Where the collector listens, such as `http://127.0.0.1:4318`. By default what "
        "OTEL_EXPORTER_OTLP_ENDPOINT says.",
    )

    @field_validator("tls_key")
    @classmethod
    def _both_or_none(cls, key: Path | None, given: ValidationInfo) -> Path | None:
        if (key is None) != (given.data.get("tls_cert") is None):
            raise ValueError("tls_cert and tls_key belong together: set both")
        return key

    @property
    def devices(self) -> list[str]:
        """One for each worker."""
        return self.device.split(",")

    @property
    def default_models(self) -> dict[str, str]:
        """What for -> the model that serves it where a request names none."""
        return {
            "classify": self.classify_model,
            "summarize": self.summarize_model,
            "abstractive": self.abstractive_model,
            "chat": self.chat_model,
            "embed": self.embed_model,
            "predict": self.predict_model,
        }

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)
