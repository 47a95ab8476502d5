"""Offer the useful names of some standard modules without the modules themselves."""

from importlib import import_module
from types import ModuleType
from typing import Any

# What classes that a program defines have as their module.
PROGRAM = "program"


def words(text: str) -> frozenset[str]:
    """Split a table of names."""
    return frozenset(text.split())


NAMES: dict[str, frozenset[str]] = {
    module: words(names)
    for module, names in {
        "abc": "ABC ABCMeta abstractmethod abstractproperty",
        "ast": "literal_eval",
        "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
        "collections": "ChainMap Counter OrderedDict abc defaultdict deque namedtuple",
        "collections.abc": (
            "Callable Collection Container Generator Hashable Iterable Iterator "
            "Mapping MutableMapping MutableSequence MutableSet Reversible Sequence "
            "Set Sized"
        ),
        "contextlib": "ExitStack closing contextmanager nullcontext suppress",
        "copy": "copy deepcopy",
        "csv": (
            "DictReader DictWriter Error QUOTE_ALL QUOTE_MINIMAL QUOTE_NONE "
            "QUOTE_NONNUMERIC excel excel_tab reader writer"
        ),
        "dataclasses": "asdict astuple dataclass field fields is_dataclass replace",
        "datetime": "MAXYEAR MINYEAR UTC date datetime time timedelta timezone",
        "decimal": (
            "Decimal DivisionByZero InvalidOperation ROUND_CEILING ROUND_DOWN "
            "ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP"
        ),
        "difflib": "SequenceMatcher get_close_matches ndiff unified_diff",
        "enum": "Enum Flag IntEnum IntFlag StrEnum auto unique",
        "fractions": "Fraction",
        "functools": (
            "cache cached_property cmp_to_key lru_cache partial partialmethod reduce "
            "total_ordering wraps"
        ),
        "hashlib": "blake2b blake2s md5 sha1 sha224 sha256 sha384 sha512",
        "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest "
        "nsmallest",
        "html": "escape unescape",
        "io": "BytesIO StringIO",
        "itertools": (
            "accumulate chain combinations combinations_with_replacement compress "
            "count cycle dropwhile filterfalse groupby islice pairwise permutations "
            "product repeat starmap takewhile tee zip_longest"
        ),
        "json": "JSONDecodeError dumps loads",
        "logging": (
            "CRITICAL DEBUG ERROR Formatter INFO Logger NOTSET NullHandler "
            "StreamHandler WARNING basicConfig captureWarnings critical debug disable "
            "error exception getLogger info log warning"
        ),
        "math": (
            "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh "
            "degrees dist e erf erfc exp exp2 expm1 fabs factorial floor fmod frexp "
            "fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm ldexp "
            "lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians "
            "remainder sin sinh sqrt sumprod tan tanh tau trunc ulp"
        ),
        "operator": (
            "abs add and_ concat contains countOf delitem eq floordiv ge getitem gt "
            "index indexOf inv invert is_ is_not itemgetter le lshift lt mod mul ne "
            "neg not_ or_ pos pow rshift setitem sub truediv truth xor"
        ),
        "random": (
            "Random betavariate choice choices expovariate gauss getrandbits "
            "lognormvariate normalvariate paretovariate randint random randrange "
            "sample seed shuffle triangular uniform vonmisesvariate weibullvariate"
        ),
        "re": (
            "A ASCII DOTALL I IGNORECASE M MULTILINE Match NOFLAG Pattern S U UNICODE "
            "RegexFlag VERBOSE X compile error escape findall finditer fullmatch match "
            "purge search split sub subn"
        ),
        "statistics": (
            "NormalDist StatisticsError correlation covariance fmean geometric_mean "
            "harmonic_mean linear_regression mean median median_grouped median_high "
            "median_low mode multimode pstdev pvariance quantiles stdev variance"
        ),
        "string": (
            "Template ascii_letters ascii_lowercase ascii_uppercase capwords digits "
            "hexdigits octdigits printable punctuation whitespace"
        ),
        "textwrap": "dedent fill indent shorten wrap",
        "time": (
            "asctime ctime gmtime localtime mktime monotonic perf_counter process_time "
            "strftime strptime struct_time time time_ns"
        ),
        "typing": (
            "AbstractSet Annotated Any AnyStr Callable ChainMap ClassVar Collection "
            "Container ContextManager Counter DefaultDict Deque Dict Final FrozenSet "
            "Generator Generic Hashable ItemsView Iterable Iterator KeysView List "
            "Literal LiteralString Mapping Match MutableMapping MutableSequence "
            "MutableSet NamedTuple Never NewType NoReturn NotRequired Optional "
            "OrderedDict ParamSpec Pattern Protocol Required Reversible Self Sequence "
            "Set Sized SupportsFloat SupportsIndex SupportsInt TYPE_CHECKING Text "
            "Tuple Type TypeAlias TypeGuard TypeVar TypedDict Union ValuesView cast "
            "final no_type_check overload runtime_checkable"
        ),
        "unicodedata": (
            "bidirectional category combining decimal decomposition digit "
            "east_asian_width is_normalized lookup mirrored name normalize numeric "
            "unidata_version"
        ),
        "urllib": "parse",
        "urllib.parse": (
            "parse_qs parse_qsl quote quote_plus unquote unquote_plus urldefrag "
            "urlencode urljoin urlparse urlsplit urlunparse urlunsplit"
        ),
        "warnings": "catch_warnings filterwarnings resetwarnings simplefilter warn",
        "zlib": "adler32 crc32",
    }.items()
}


def direct_name(module: str, name: str) -> str:
    """Name under which rewritten source finds what a module offers."""
    return f"__{module}.{name}__"


class _Hint:
    """Stand for any type hint; subscripts give it back."""

    def __class_getitem__(cls, item: object) -> type:
        return cls


def _keep(function: object, **options: object) -> Any:
    """Give back what a decorator is applied to."""
    return lambda decorated: decorated


def _replacements() -> dict[str, dict[str, Any]]:
    """Values that differ from the ones in the standard library."""
    # For workers only: what checks programs imports no more than it needs.
    from . import _fast_re, _safe_stdlib

    hints: dict[str, Any] = dict.fromkeys(NAMES["typing"], _Hint)
    hints |= {
        "TYPE_CHECKING": False,
        "NamedTuple": _safe_stdlib.NamedTuple(),
        "NewType": lambda name, base: base,
        "Text": str,
        "TypeVar": lambda name, *bounds, **options: _Hint,
        "TypedDict": dict,
        "cast": lambda hint, value: value,
        **dict.fromkeys(
            words("final no_type_check overload runtime_checkable"), lambda value: value
        ),
    }

    fast = words(
        "compile escape findall finditer fullmatch match purge search split sub subn"
    )
    return {
        "typing": hints,
        "re": {
            **{name: getattr(_fast_re, name) for name in fast},
            "Pattern": _fast_re.FastPattern,
        },
        # As `metaclass=` it is left out; called, it would make classes of any kind.
        "abc": {"ABCMeta": _Hint},
        "ast": {"literal_eval": _safe_stdlib.literal_eval},
        "collections": {"namedtuple": _safe_stdlib.namedtuple},
        "dataclasses": {
            "field": _safe_stdlib.Field,
            **{
                name: getattr(_safe_stdlib, name)
                for name in words(
                    "asdict astuple dataclass fields is_dataclass replace"
                )
            },
        },
        # functools.wraps can copy any attribute by name, __globals__ for one.
        "functools": {"wraps": _keep},
        "logging": {
            **dict.fromkeys(NAMES["logging"], _safe_stdlib.Silence()),
            **{
                name: getattr(import_module("logging"), name)
                for name in words("CRITICAL DEBUG ERROR INFO NOTSET WARNING")
            },
        },
        "random": {
            **{
                name: getattr(_safe_stdlib.CHANCE, name)
                for name in NAMES["random"]
                if name != "Random"
            },
            "Random": _safe_stdlib.Random,
        },
        "warnings": dict.fromkeys(NAMES["warnings"], _safe_stdlib.Silence()),
    }


def build_safe_modules() -> dict[str, Any]:
    """Import the modules and make one read-only object of each."""
    replacements = _replacements()
    facades: dict[str, Any] = {}
    # Submodules come first, so that their parents can refer to them.
    for dotted in sorted(NAMES, key=lambda name: name.count("."), reverse=True):
        module = import_module(dotted)
        values: dict[str, Any] = {}
        for name in NAMES[dotted]:
            value = replacements.get(dotted, {}).get(name, getattr(module, name, None))
            if isinstance(value, ModuleType):
                value = facades[f"{dotted}.{name}"]
            if value is not None:
                values[name] = staticmethod(value) if callable(value) else value
        # An instance without a __dict__ refuses writes; its class is out of reach.
        facades[dotted] = type(dotted, (), {"__slots__": (), **values})()
    return facades


def direct_names(facades: dict[str, Any]) -> dict[str, Any]:
    """List everything that facades offer under the names of `direct_name`."""
    return {
        direct_name(module, name): getattr(facades[module], name)
        for module, names in NAMES.items()
        for name in names
        if hasattr(facades[module], name)
    }
