"""Everything that can go wrong, as one tree of exceptions.

    LLMaaSError
    ├── ConfigurationError (ValueError)          the client was told something impossible
    ├── ConnectionFailed (ConnectionError)       no answer: nothing listens, or the line broke
    ├── StreamInterrupted (ConnectionError)      a stream was cut; `.partial` is what came
    ├── NotRecorded (LookupError)                a cassette that is replayed has no such answer
    ├── UnexpectedResponse                       what answered does not speak this contract
    ├── UnsupportedType (TypeError)              `returns=` or a tool has a type without a schema
    ├── OutputError (ValueError)                 an answer is not what `returns=` asked for
    │   ├── OutputTruncated                      it was cut; `.partial` is what came
    │   └── OutputMismatch                       it does not validate; `.problems` says why
    ├── StepLimitReached                         a tool loop did not come to an end; `.steps`
    ├── InvalidRequest (ValueError)              the request is wrong; sending it again won't help
    │   ├── MalformedRequest  InvalidJSON  UnknownField  UnsupportedParameter
    │   ├── EmptyText  InvalidText
    │   ├── TooFewLabels  TooManyLabels  DuplicateLabels
    │   ├── ContextOverflow  ModelCannotDoTask  ModelHasNoHead
    │   └── HeadersTooLarge  BodyTooLarge  UnsupportedMediaType  MethodNotAllowed
    ├── AuthenticationFailed                     who are you?
    │   └── MissingKey  InvalidKey  WrongPassword
    ├── PermissionDenied (PermissionError)       you may not
    │   └── NotAllowed
    ├── NotFound (LookupError)                   there is no such thing
    │   └── ModelNotFound  ModelNotPulled
    ├── Conflict                                 it contradicts an earlier request
    ├── RateLimited                              too often; `.retry_after` seconds
    │   └── BudgetExceeded
    ├── Overloaded                               not now
    │   └── OutOfMemory  Starting  ShuttingDown
    ├── TimedOut (TimeoutError)                  it took too long
    │   └── RequestTimeout  DeadlineExceeded  Cancelled
    └── ServerFault                              the server failed
        └── WorkerLost  StorageUnavailable  ModelBroken  HubUnreachable  InternalError

Every code of `wire.errors` has one class. The server's own answers and what the client finds
before it sends anything are the same classes.
"""

from __future__ import annotations

from .base import LLMaaSError as LLMaaSError
from .base import Phase as Phase
from .own import ConfigurationError as ConfigurationError
from .own import ConnectionFailed as ConnectionFailed
from .own import NotRecorded as NotRecorded
from .own import OutputError as OutputError
from .own import OutputMismatch as OutputMismatch
from .own import OutputTruncated as OutputTruncated
from .own import StepLimitReached as StepLimitReached
from .own import StreamInterrupted as StreamInterrupted
from .own import UnexpectedResponse as UnexpectedResponse
from .own import UnsupportedType as UnsupportedType
from .refused import AuthenticationFailed as AuthenticationFailed
from .refused import BodyTooLarge as BodyTooLarge
from .refused import BudgetExceeded as BudgetExceeded
from .refused import Cancelled as Cancelled
from .refused import Conflict as Conflict
from .refused import ContextOverflow as ContextOverflow
from .refused import DeadlineExceeded as DeadlineExceeded
from .refused import DuplicateLabels as DuplicateLabels
from .refused import EmptyText as EmptyText
from .refused import HeadersTooLarge as HeadersTooLarge
from .refused import HubUnreachable as HubUnreachable
from .refused import InternalError as InternalError
from .refused import InvalidJSON as InvalidJSON
from .refused import InvalidKey as InvalidKey
from .refused import InvalidRequest as InvalidRequest
from .refused import InvalidText as InvalidText
from .refused import MalformedRequest as MalformedRequest
from .refused import MethodNotAllowed as MethodNotAllowed
from .refused import MissingKey as MissingKey
from .refused import ModelBroken as ModelBroken
from .refused import ModelCannotDoTask as ModelCannotDoTask
from .refused import ModelHasNoHead as ModelHasNoHead
from .refused import ModelNotFound as ModelNotFound
from .refused import ModelNotPulled as ModelNotPulled
from .refused import NotAllowed as NotAllowed
from .refused import NotFound as NotFound
from .refused import OutOfMemory as OutOfMemory
from .refused import Overloaded as Overloaded
from .refused import PermissionDenied as PermissionDenied
from .refused import RateLimited as RateLimited
from .refused import RequestTimeout as RequestTimeout
from .refused import ServerFault as ServerFault
from .refused import ShuttingDown as ShuttingDown
from .refused import Starting as Starting
from .refused import StorageUnavailable as StorageUnavailable
from .refused import TimedOut as TimedOut
from .refused import TooFewLabels as TooFewLabels
from .refused import TooManyLabels as TooManyLabels
from .refused import UnknownField as UnknownField
from .refused import UnsupportedMediaType as UnsupportedMediaType
from .refused import UnsupportedParameter as UnsupportedParameter
from .refused import WorkerLost as WorkerLost
from .refused import WrongPassword as WrongPassword
