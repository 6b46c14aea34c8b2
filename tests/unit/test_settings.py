"""The settings: what is read, what is refused, and that secrets are never repeated back."""

import base64

import pytest
from pydantic import SecretStr, ValidationError

from app.settings import EXPECTED, SettingProblem, Settings, SettingsError

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


def problems_of(environ: dict[str, str], **overrides: object) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(environ, **overrides)
    return str(refused.value).split("\n")


def test_an_empty_environment_serves_an_embedded_database_on_loopback() -> None:
    assert Settings.from_env({}) == Settings(
        database_url="sqlite:///stagerail.db",
        host="127.0.0.1",
        port=8000,
        log_level="info",
        log_format="auto",
        cors_origins=(),
        public_url=None,
        max_body_bytes=1024 * 1024,
        encryption_key=None,
        demo=False,
        docs=True,
    )


def test_every_setting_is_read_from_its_variable() -> None:
    environ = {
        "STAGERAIL_DATABASE_URL": "postgres://user:word@db:5432/stagerail",
        "STAGERAIL_HOST": "0.0.0.0",  # noqa: S104 - what a container listens on
        "STAGERAIL_PORT": "9000",
        "STAGERAIL_LOG_LEVEL": "debug",
        "STAGERAIL_LOG_FORMAT": "json",
        "STAGERAIL_CORS_ORIGINS": "https://crm.example.com, http://localhost:3000/",
        "STAGERAIL_PUBLIC_URL": "https://stagerail.example.com/gate/",
        "STAGERAIL_MAX_BODY_BYTES": "2048",
        "STAGERAIL_ENCRYPTION_KEY": KEY,
        "STAGERAIL_OUTGOING_ALLOW": "10.1.0.0/16, crm.internal:8443",
        "STAGERAIL_DEMO": "false",
        "STAGERAIL_DOCS": "no",
        "UNRELATED": "left alone",
    }
    assert Settings.from_env(environ) == Settings(
        database_url="postgresql://user:word@db:5432/stagerail",
        host="0.0.0.0",  # noqa: S104
        port=9000,
        log_level="debug",
        log_format="json",
        cors_origins=("https://crm.example.com", "http://localhost:3000"),
        public_url="https://stagerail.example.com/gate",
        max_body_bytes=2048,
        encryption_key=SecretStr(KEY),
        outgoing_allow=("10.1.0.0/16", "crm.internal:8443"),
        demo=False,
        docs=False,
    )
    assert {f"STAGERAIL_{name.upper()}" for name in Settings.model_fields} == set(environ) - {"UNRELATED"}


def test_the_command_line_wins_over_the_environment_and_a_platforms_port_is_the_last_resort() -> None:
    assert Settings.from_env({"PORT": "7000"}).port == 7000
    assert Settings.from_env({"PORT": "7000", "STAGERAIL_PORT": "7001"}).port == 7001
    assert Settings.from_env({"PORT": "7000", "STAGERAIL_PORT": "7001"}, port=7002, host=None).port == 7002


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Settings.from_env({}) == Settings.from_env({"STAGERAIL_PORT": "", "PORT": "", "STAGERAIL_PUBLIC_URL": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://db/stagerail"),
        ("database_url", "sqlite:///"),
        ("database_url", "postgresql://db"),
        ("host", "no spaces"),
        ("port", "0"),
        ("port", "tcp://10.0.0.1:8000"),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("cors_origins", "crm.example.com"),
        ("cors_origins", "*,https://crm.example.com"),
        ("cors_origins", "https://crm.example.com/path"),
        ("public_url", "ftp://stagerail.example.com"),
        ("public_url", "https://stagerail.example.com/?a=1"),
        ("max_body_bytes", "10"),
        ("max_body_bytes", "1e9"),
        ("encryption_key", "too-short"),
        ("encryption_key", base64.urlsafe_b64encode(b"k" * 31).decode()),
        ("encryption_key", f"{KEY},"),
        ("demo", "perhaps"),
        ("docs", "perhaps"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_in_one_sentence_that_does_not_repeat_it(name: str, value: str) -> None:
    variable = f"STAGERAIL_{name.upper()}"
    assert problems_of({variable: value}) == [f"{variable} {EXPECTED[name]}"]


def test_several_encryption_keys_may_be_given_the_newest_first() -> None:
    other = base64.urlsafe_b64encode(b"o" * 32).decode()
    settings = Settings.from_env({"STAGERAIL_ENCRYPTION_KEY": f"{other}, {KEY}"})
    assert settings.encryption_key == SecretStr(f"{other},{KEY}")


def test_every_setting_has_a_sentence_of_its_own() -> None:
    assert set(EXPECTED) == set(Settings.model_fields)


def test_all_problems_are_told_at_once_with_codes_for_other_languages() -> None:
    environ = {"STAGERAIL_PORT": "x", "STAGERAIL_LOG_LEVEL": "y", "STAGERAIL_DATABSE_URL": "z"}
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(environ)
    assert refused.value.problems == (
        SettingProblem(
            "setting_unknown",
            {"variable": "STAGERAIL_DATABSE_URL", "meant": "STAGERAIL_DATABASE_URL"},
            "STAGERAIL_DATABSE_URL is not a setting; did you mean STAGERAIL_DATABASE_URL?",
        ),
        SettingProblem(
            "setting_port", {"variable": "STAGERAIL_PORT"}, "STAGERAIL_PORT must be a number from 1 to 65535"
        ),
        SettingProblem(
            "setting_log_level",
            {"variable": "STAGERAIL_LOG_LEVEL"},
            "STAGERAIL_LOG_LEVEL must be debug, info, warning or error",
        ),
    )


def test_names_that_kubernetes_adds_for_a_service_called_stagerail_are_let_be() -> None:
    environ = {"STAGERAIL_SERVICE_HOST": "10.0.0.1", "STAGERAIL_PORT_8000_TCP_ADDR": "10.0.0.1"}
    assert Settings.from_env(environ) == Settings()


def test_a_demo_that_others_could_reach_is_refused() -> None:
    sentence = (
        "the demo has a key that anybody on this machine can read, so it listens on 127.0.0.1 only, "
        "not on 0.0.0.0: unset STAGERAIL_HOST, or leave the demo out"
    )
    assert problems_of({"STAGERAIL_HOST": "0.0.0.0"}, demo=True) == [sentence]  # noqa: S104
    assert Settings.from_env({"STAGERAIL_HOST": "localhost"}, demo=True).demo


def test_settings_do_not_change_and_do_not_show_their_secrets() -> None:
    settings = Settings.from_env(
        {"STAGERAIL_DATABASE_URL": "postgresql://u:hunter2@db/x", "STAGERAIL_ENCRYPTION_KEY": KEY}
    )
    assert not [secret for secret in ("hunter2", KEY) if secret in repr(settings)]
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
