"""llmaas: classify, summarize and chat with language models on your own machine.

    from llmaas_client import Client

    client = Client()
    client.classify("I love Python", labels=["negative", "positive"]).label
    client.summarize(report, max_words=80).summary
    client.chat("Hello").text

Everything public is a name of this package. Nothing is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .async_client import AsyncClient as AsyncClient
    from .batch.aio import MapCancelled as MapCancelled
    from .batch.items import MapInterrupted as MapInterrupted
    from .batch.items import MapItem as MapItem
    from .batch.items import MapResult as MapResult
    from .batch.progress import MapProgress as MapProgress
    from .client import Client as Client
    from .clock import Clock as Clock
    from .conversations.history import Turn as Turn
    from .conversations.overflow import Overflow as Overflow
    from .conversations.session import AsyncSession as AsyncSession
    from .conversations.session import Session as Session
    from .errors import AuthenticationFailed as AuthenticationFailed
    from .errors import BodyTooLarge as BodyTooLarge
    from .errors import BudgetExceeded as BudgetExceeded
    from .errors import Cancelled as Cancelled
    from .errors import ConfigurationError as ConfigurationError
    from .errors import Conflict as Conflict
    from .errors import ConnectionFailed as ConnectionFailed
    from .errors import ContextOverflow as ContextOverflow
    from .errors import DeadlineExceeded as DeadlineExceeded
    from .errors import DuplicateLabels as DuplicateLabels
    from .errors import EmptyText as EmptyText
    from .errors import HeadersTooLarge as HeadersTooLarge
    from .errors import HubUnreachable as HubUnreachable
    from .errors import InternalError as InternalError
    from .errors import InvalidJSON as InvalidJSON
    from .errors import InvalidKey as InvalidKey
    from .errors import InvalidRequest as InvalidRequest
    from .errors import InvalidText as InvalidText
    from .errors import LLMaaSError as LLMaaSError
    from .errors import MalformedRequest as MalformedRequest
    from .errors import MethodNotAllowed as MethodNotAllowed
    from .errors import MissingKey as MissingKey
    from .errors import ModelBroken as ModelBroken
    from .errors import ModelCannotDoTask as ModelCannotDoTask
    from .errors import ModelHasNoHead as ModelHasNoHead
    from .errors import ModelNotFound as ModelNotFound
    from .errors import ModelNotPulled as ModelNotPulled
    from .errors import NotAllowed as NotAllowed
    from .errors import NotFound as NotFound
    from .errors import NotRecorded as NotRecorded
    from .errors import OutOfMemory as OutOfMemory
    from .errors import OutputError as OutputError
    from .errors import OutputMismatch as OutputMismatch
    from .errors import OutputTruncated as OutputTruncated
    from .errors import Overloaded as Overloaded
    from .errors import PermissionDenied as PermissionDenied
    from .errors import RateLimited as RateLimited
    from .errors import RequestTimeout as RequestTimeout
    from .errors import ServerFault as ServerFault
    from .errors import ShuttingDown as ShuttingDown
    from .errors import Starting as Starting
    from .errors import StepLimitReached as StepLimitReached
    from .errors import StorageUnavailable as StorageUnavailable
    from .errors import StreamInterrupted as StreamInterrupted
    from .errors import TimedOut as TimedOut
    from .errors import TooFewLabels as TooFewLabels
    from .errors import TooManyLabels as TooManyLabels
    from .errors import UnexpectedResponse as UnexpectedResponse
    from .errors import UnknownField as UnknownField
    from .errors import UnsupportedMediaType as UnsupportedMediaType
    from .errors import UnsupportedParameter as UnsupportedParameter
    from .errors import UnsupportedType as UnsupportedType
    from .errors import WorkerLost as WorkerLost
    from .errors import WrongPassword as WrongPassword
    from .meter import Meter as Meter
    from .meter import Used as Used
    from .notices import LLMaaSWarning as LLMaaSWarning
    from .raw import RawResponse as RawResponse
    from .reply import ChatReply as ChatReply
    from .streams import AsyncStream as AsyncStream
    from .streams import Stream as Stream
    from .tools.function import FunctionTool as FunctionTool
    from .tools.steps import Step as Step
    from .tools.steps import ToolRun as ToolRun
    from .wire.accounts import Account as Account
    from .wire.accounts import AccountList as AccountList
    from .wire.accounts import CreatedInvitation as CreatedInvitation
    from .wire.accounts import Invitation as Invitation
    from .wire.accounts import Registered as Registered
    from .wire.accounts import SignedIn as SignedIn
    from .wire.applications import Application as Application
    from .wire.base import Result as Result
    from .wire.base import ResultWarning as ResultWarning
    from .wire.base import Timing as Timing
    from .wire.base import Usage as Usage
    from .wire.chat import ChatResult as ChatResult
    from .wire.chat import Choice as Choice
    from .wire.chat import TokenChoice as TokenChoice
    from .wire.chat import TokenLogprob as TokenLogprob
    from .wire.classify import Classification as Classification
    from .wire.classify import ClassifyResult as ClassifyResult
    from .wire.classify import LabelScore as LabelScore
    from .wire.documents import Citation as Citation
    from .wire.documents import Document as Document
    from .wire.documents import Passage as Passage
    from .wire.embed import EmbedResult as EmbedResult
    from .wire.events import Delta as Delta
    from .wire.events import Progress as Progress
    from .wire.events import Start as Start
    from .wire.explanations import Attention as Attention
    from .wire.explanations import Explain as Explain
    from .wire.explanations import Explanation as Explanation
    from .wire.explanations import Flip as Flip
    from .wire.explanations import Gradients as Gradients
    from .wire.explanations import TextSpan as TextSpan
    from .wire.explanations import WordWeight as WordWeight
    from .wire.keys import CreatedKey as CreatedKey
    from .wire.keys import Key as Key
    from .wire.limits import Budget as Budget
    from .wire.limits import BudgetStanding as BudgetStanding
    from .wire.limits import GrantedLimits as GrantedLimits
    from .wire.limits import Limits as Limits
    from .wire.messages import Message as Message
    from .wire.messages import ReplyMessage as ReplyMessage
    from .wire.models import Health as Health
    from .wire.models import ModelInfo as ModelInfo
    from .wire.models import TaskInfo as TaskInfo
    from .wire.prices import Price as Price
    from .wire.prices import Quote as Quote
    from .wire.summarize import Source as Source
    from .wire.summarize import SummarizeResult as SummarizeResult
    from .wire.summarize import SummarySentence as SummarySentence
    from .wire.tools import CutCall as CutCall
    from .wire.tools import Tool as Tool
    from .wire.tools import ToolCall as ToolCall
    from .wire.tools import ToolCallDelta as ToolCallDelta
    from .wire.usage import UsageGroup as UsageGroup
    from .wire.usage import UsageReport as UsageReport

    __version__: str

_HOMES = {
    "async_client": "AsyncClient",
    "batch.aio": "MapCancelled",
    "batch.items": "MapItem MapInterrupted MapResult",
    "batch.progress": "MapProgress",
    "client": "Client",
    "clock": "Clock",
    "conversations.history": "Turn",
    "conversations.overflow": "Overflow",
    "conversations.session": "AsyncSession Session",
    "errors": (
        "AuthenticationFailed BodyTooLarge BudgetExceeded Cancelled ConfigurationError Conflict "
        "ConnectionFailed ContextOverflow DeadlineExceeded DuplicateLabels EmptyText "
        "HeadersTooLarge HubUnreachable InternalError InvalidJSON InvalidKey InvalidRequest "
        "InvalidText LLMaaSError MalformedRequest MethodNotAllowed MissingKey ModelBroken "
        "ModelCannotDoTask ModelHasNoHead ModelNotFound ModelNotPulled NotAllowed NotFound "
        "NotRecorded OutOfMemory OutputError OutputMismatch OutputTruncated Overloaded "
        "PermissionDenied RateLimited RequestTimeout ServerFault ShuttingDown Starting "
        "StepLimitReached StorageUnavailable StreamInterrupted TimedOut TooFewLabels TooManyLabels "
        "UnexpectedResponse UnknownField UnsupportedMediaType UnsupportedParameter "
        "UnsupportedType WorkerLost WrongPassword"
    ),
    "notices": "LLMaaSWarning",
    "meter": "Meter Used",
    "raw": "RawResponse",
    "reply": "ChatReply",
    "streams": "AsyncStream Stream",
    "tools.function": "FunctionTool",
    "tools.steps": "Step ToolRun",
    "wire.accounts": "Account AccountList CreatedInvitation Invitation Registered SignedIn",
    "wire.applications": "Application",
    "wire.base": "Result ResultWarning Timing Usage",
    "wire.chat": "ChatResult Choice TokenChoice TokenLogprob",
    "wire.classify": "Classification ClassifyResult LabelScore",
    "wire.documents": "Citation Document Passage",
    "wire.embed": "EmbedResult",
    "wire.events": "Delta Progress Start",
    "wire.explanations": "Attention Explain Explanation Flip Gradients TextSpan WordWeight",
    "wire.keys": "CreatedKey Key",
    "wire.limits": "Budget BudgetStanding GrantedLimits Limits",
    "wire.messages": "Message ReplyMessage",
    "wire.models": "Health ModelInfo TaskInfo",
    "wire.prices": "Price Quote",
    "wire.summarize": "Source SummarizeResult SummarySentence",
    "wire.tools": "CutCall Tool ToolCall ToolCallDelta",
    "wire.usage": "UsageGroup UsageReport",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted([*_HOME_OF, "__version__"])  # pyright: ignore[reportUnsupportedDunderAll]


if not TYPE_CHECKING:  # which would otherwise believe in any name

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            value: Any = version("llmaas")
        elif name in _HOME_OF:
            value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """For `%load_ext llmaas_client`: the cell magic `%%llmaas`."""
    from .magic import register

    register(shell)
