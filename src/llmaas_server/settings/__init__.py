"""Every option of the server, resolved once at the start; the only reader of the environment."""

from .environment import variables as variables
from .environment import worker_environment as worker_environment
from .loading import DEFAULT as DEFAULT
from .loading import FILE_NAME as FILE_NAME
from .loading import Origin as Origin
from .loading import SettingsError as SettingsError
from .loading import load_settings as load_settings
from .loading import origins as origins
from .model import ENV_PREFIX as ENV_PREFIX
from .model import Settings as Settings
