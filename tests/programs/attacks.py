"""Programs that mean harm, each with what shows that it succeeds without a sandbox.

An attack that is after something returns "spam" once it has it. The others harm the
process that runs them: it ends, hangs, runs out of memory, or fails the next program.
"""

# Ways from innocent objects to the interpreter; each gives a module or a namespace `m`
# with `open`, `os` or `modules`, or any object that only internals hold.
ROUTES = {
    "import": "import os\nm = os.getcwd",
    "from import": "from os import getcwd as m",
    "import alias": "import os as m",
    "dotted import": "import os.path as m",
    "import in a function": "def f():\n import posix\n return posix\nm = f()",
    "import in a class": "class C:\n import posix as m\nm = C.m",
    "relative import of a sibling": "from importlib import import_module as m",
    "importlib": "import importlib\nm = importlib.import_module('os')",
    "__import__": "m = __import__('os')",
    "__import__ by map": "m = [*map(__import__, ['os'])][0]",
    "builtins by name": "m = __builtins__",
    "builtins module": "import builtins\nm = builtins.open",
    "io": "from io import open as m",
    "codecs": "import codecs\nm = codecs.open",
    "pathlib": "from pathlib import Path\nm = Path.home",
    "sys": "import sys\nm = sys.modules",
    "frame of the caller": "import sys\nm = sys._getframe().f_globals",
    "inspect": "import inspect\nm = inspect.currentframe()",
    "gc": "import gc\nm = gc.get_objects()",
    "ctypes": "import ctypes\nm = ctypes.CDLL(None).getpid",
    "types": "import types\nm = types.CodeType",
    "marshal": "import marshal\nm = marshal.loads",
    "pickle": "import pickle\nm = pickle.loads(b'cposix\\nsystem\\n.')",
    "shelve": "import shelve\nm = shelve.open",
    "runpy": "import runpy\nm = runpy.run_path",
    "code": "import code\nm = code.interact",
    "eval": "m = eval('len')",
    "exec": "exec('m = 1')",
    "compile": "m = compile('1', 'x', 'eval')",
    "eval in full width letters": "m = ｅｖａｌ('len')",
    "eval as a decorator": "@lambda f: eval('len')\ndef m(): ...",
    "exec as a key": "m = max(['1'], key=exec) and 1",
    "eval by map": "m = [*map(eval, ['len'])][0]",
    "eval by sub": "import re\nm = re.sub('.', lambda g: eval('repr(1)'), 'a')",
    "eval by json": "import json\nm = json.loads('1', parse_int=eval) == 1 and eval",
    "open": "m = open",
    "open in a default": "def f(o=open): return o\nm = f()",
    "breakpoint": "m = breakpoint",
    "help": "m = help",
    "input": "m = input",
    "globals": "m = globals()['__builtins__']",
    "locals": "m = locals()['__builtins__']",
    "vars": "import re\nm = vars(re)['enum']",
    "dir": "m = [n for n in dir(str) if 'sub' in n]",
    "memoryview": "m = memoryview(b'a')",
    "setattr": "class C: pass\nsetattr(C, 'a', 1)\nm = C",
    "id": "m = id(1)",
    "subclasses": "m = ().__class__.__base__.__subclasses__()",
    "mro": "m = str.__mro__[1].__subclasses__()",
    "mro method": "m = str.mro()",
    "bases": "m = bool.__bases__[0].__base__.__subclasses__",
    "globals of a function": "def f(): ...\nm = f.__globals__",
    "builtins of a function": "def f(): ...\nm = f.__builtins__",
    "builtins by getattr": "def f(): ...\nm = getattr(f, '__builtins__')",
    "function of a context": (
        "from contextlib import contextmanager\n@contextmanager\n"
        "def f(): yield\nm = f().func.__globals__"
    ),
    "callback of a stack": (
        "from contextlib import ExitStack\ns = ExitStack()\ns.callback(len, 'a')\n"
        "m = s._exit_callbacks[0][1].__wrapped__"
    ),
    "traceback of a stack": (
        "from contextlib import ExitStack\nm = []\n"
        "def f(t, e, tb):\n m.append(tb.tb_frame)\n return True\n"
        "with ExitStack() as s:\n s.push(f)\n 1 / 0"
    ),
    "frame sent to a generator": (
        "def f(): yield (yield).gi_frame.f_globals\ng = f()\nnext(g)\nm = g.send(g)"
    ),
    "frame thrown into a generator": (
        "def f():\n try: yield\n except ValueError as e: yield e.__traceback__\n"
        "g = f()\nnext(g)\nm = g.throw(ValueError())"
    ),
    "call by a copy": (
        "import copy\nclass C:\n def __reduce__(self): return eval, ('len',)\n"
        "m = copy.copy(C())"
    ),
    "format within a format": (
        "class C:\n def __format__(self, spec):\n"
        "  return '{0.__class__.__init__.__globals__}'.format(self)\n"
        " def __init__(self): ...\nm = 'built' in f'{C():x}'"
    ),
    "modules inside warnings": (
        "import warnings\nm = warnings.catch_warnings(record=True)._module.sys"
    ),
    "file of a log": "import logging\nm = logging.FileHandler",
    "chance of the system": "from random import SystemRandom as m",
    "scanner of patterns": "import re\nm = re.Scanner([('a', None)])",
    "default of an encoder": (
        "import json\nclass E:\n"
        " def __init__(self, **options): self.default = options['default']\n"
        " def encode(self, value): return self.default.__globals__\n"
        "m = json.dumps(1, cls=E, default=lambda v: v)"
    ),
    "globals of a lambda": "m = (lambda: 0).__globals__",
    "globals of a library": "import re\nm = re.compile.__globals__['enum']",
    "globals of a method": (
        "from collections import Counter\nm = Counter.update.__globals__['_sys']"
    ),
    "globals in full width letters": "def f(): ...\nm = f.__ｇｌｏｂａｌｓ__",
    "self of a builtin": "m = print.__self__",
    "self of len": "m = len.__self__.open",
    "code of a function": "def f(): ...\nm = f.__code__.co_consts",
    "closure": "def f(x):\n return lambda: x\nm = f(1).__closure__[0].cell_contents",
    "defaults": "def f(x=1): ...\nm = f.__defaults__",
    "dict of a class": "class C: pass\nm = C.__dict__",
    "dict of a module": "import re\nm = re.__dict__['enum']",
    "loader of a module": "import re\nm = re.__loader__",
    "spec of a module": "import re\nm = re.__spec__",
    "wrapped": (
        "from functools import lru_cache\n@lru_cache\ndef f(): ...\n"
        "m = f.__wrapped__.__globals__"
    ),
    "function of a method": (
        "class C:\n def f(self): ...\nm = C().f.__func__.__globals__"
    ),
    "function of a partial": (
        "from functools import partial\ndef f(): ...\nm = partial(f).func.__globals__"
    ),
    "function of a property": (
        "class C:\n @property\n def f(self): ...\nm = C.f.fget.__globals__"
    ),
    "frame of a generator": "g = (i for i in [1])\nm = g.gi_frame.f_builtins",
    "code of a generator": "g = (i for i in [1])\nm = g.gi_code",
    "frame behind a generator": (
        "def f():\n yield g.gi_frame.f_back.f_globals\ng = f()\nm = next(g)"
    ),
    "frame of a coroutine": (
        "async def f(): ...\nc = f()\nm = c.cr_frame.f_builtins\nc.close()"
    ),
    "frame of an async generator": "async def f():\n yield 1\nm = f().ag_frame",
    "traceback": (
        "try: 1 / 0\nexcept Exception as e: m = e.__traceback__.tb_frame.f_globals"
    ),
    "traceback by with_traceback": (
        "try: 1 / 0\nexcept Exception as e: m = e.with_traceback\n"
    ),
    "traceback of a context manager": (
        "class C:\n def __enter__(self): ...\n"
        " def __exit__(self, a, b, t):\n  global m\n  m = t.tb_frame\n  return True\n"
        "with C(): 1 / 0"
    ),
    "context of an error": (
        "try:\n try: 1 / 0\n except Exception: [][1]\n"
        "except Exception as e: m = e.__context__"
    ),
    "object of an error": (
        "try: ''.x\nexcept AttributeError as e: m = e.obj is '' and 1"
    ),
    "modules inside re": "import re\nm = re.enum.sys",
    "modules inside statistics": "import statistics\nm = statistics.random._os",
    "modules inside json": "import json\nm = json.codecs.open",
    "modules inside collections": "import collections\nm = collections._sys",
    "modules inside functools": "import functools\nm = functools.GenericAlias",
    "modules inside typing": "import typing\nm = typing.sys",
    "modules inside dataclasses": "import dataclasses\nm = dataclasses.inspect",
    "modules inside urllib": "import urllib.parse\nm = urllib.parse.sys",
    "modules inside string": "import string\nm = string._re",
    "modules inside textwrap": "import textwrap\nm = textwrap.re",
    "modules inside fractions": "import fractions\nm = fractions.sys",
    "modules inside difflib": "import difflib\nm = difflib._namedtuple",
    "modules by from": "from json import codecs as m",
    "modules by star": "from typing import *\nm = get_type_hints",
    "hints are evaluated": (
        "import typing\nclass C:\n a: 'open'\nm = typing.get_type_hints(C, {}, {})['a']"
    ),
    "forward references": "from typing import ForwardRef as m",
    "made dataclasses": "from dataclasses import make_dataclass as m",
    "formatter": (
        "import string\ndef f(): ...\n"
        "m = string.Formatter().get_field('0.__globals__', (f,), {})"
    ),
    "attrgetter": "import operator\ndef f(): ...\nm = operator.attrgetter('__globals__')(f)",
    "methodcaller": "from operator import methodcaller as m",
    "wraps": (
        "from functools import wraps\ndef f(): ...\n"
        "m = wraps(f, updated=('__globals__',))(lambda: 0).__wrapped__"
    ),
    "getattr": "def f(): ...\nm = getattr(f, '__globals__')",
    "getattr of parts": "def f(): ...\nm = getattr(f, '__glo' + 'bals__')",
    "getattr by map": "def f(): ...\nm = [*map(getattr, [f], ['__globals__'])][0]",
    "getattr by partial": (
        "from functools import partial\ndef f(): ...\nm = partial(getattr, f)('__globals__')"
    ),
    "getattr by reduce": (
        "from functools import reduce\ndef f(): ...\nm = reduce(getattr, ['__globals__'], f)"
    ),
    "getattr with a lying name": (
        "class S(str):\n"
        " def startswith(self, *a): return False\n"
        "def f(): ...\nm = getattr(f, S('__globals__'))"
    ),
    "getattr by super": "class C:\n def f(self): return super().__getattribute__\nm = C().f()",
    "getattribute of object": "def f(): ...\nm = object.__getattribute__(f, '__globals__')",
    "format": "def f(): ...\nm = 'built' in '{0.__globals__}'.format(f)",
    "format with an index": (
        "def f(): ...\nm = 'x' in '{0.__globals__[__builtins__]}x'.format(f)"
    ),
    "format_map": "m = 'class' in '{a.__class__}'.format_map({'a': 1})",
    "format of a class": "m = 'class' in str.format('{0.__class__}', 1)",
    "format by map": "m = 'class' in [*map('{0.__class__}'.format, [1])][0]",
    "f-string": "m = f'{().__class__.__base__}'",
    "match by position": (
        "class C:\n __match_args__ = ('__globals__',)\n"
        " def __instancecheck__(c, o): return True\n"
        "def f(): ...\nm = C.__match_args__"
    ),
    "match by keyword": ("match 1:\n case object(__class__=x): m = x.__base__"),
    "metaclass": "class M(type): pass\nm = M('C', (), {})",
    "metaclass by keyword": "class C(metaclass=lambda *a: len): pass\nm = C",
    "metaclass by type": "m = type(int)('C', (), {})",
    "three-argument type": "m = type('C', (), {})",
    "class cell": "class C:\n def f(self): return __class__\nm = C().f().__base__",
    "reduce": "m = (1).__reduce_ex__(2)[0].__globals__",
    "getitem of a class": "class C:\n def __class_getitem__(c, k): return c\nm = C[1]",
    "init_subclass": "class C:\n def __init_subclass__(c): ...\nclass D(C): m = 1\nm = D",
    "set_name": "class C:\n def __set_name__(s, o, n): ...\nm = C.__set_name__",
    "finaliser": "class C:\n def __del__(self): ...\nm = C.__del__",
    "descriptor": "class C:\n def __get__(s, o, t): return t\nclass D: c = C()\nm = D.c",
    "dunder all": "__builtins__['all'] is all\nm = 1",
    "private of a library": "import re\nm = re._compiler",
    "cache of a library": "import re\nm = re._cache",
    "walrus": "m = (o := open) and o",
    "delayed in a lambda": "f = lambda: __import__('os')\nm = f()",
    "conditional expression": "m = open if True else None",
    "starred": "[*m] = [open]\nm = m[0]",
    "comprehension": "m = [o for o in (open,)][0]",
    "try import": "try:\n import os\nexcept SyntaxError: pass\nm = os",
    "main block": "if __name__ != '__main__':\n import os\nm = os",
    "nested main block": "if __name__ == '__main__': pass\nelse: import os\nm = os",
}

# What an attacker wants once inside, by imports that everybody knows.
GOALS = {
    "read a secret": "return 'spam' if 'secret' in open('secret.txt').read() else None",
    "read the environment": "import os\nreturn 'spam' if os.environ else None",
    "list a folder": "import os\nreturn 'spam' if os.listdir('.') else None",
    "glob": "import glob\nreturn 'spam' if glob.glob('*') else None",
    "read users": "import pwd\nreturn 'spam' if pwd.getpwall() else None",
    "read by mmap": (
        "import mmap\nwith open('secret.txt') as f:\n"
        " return 'spam' if mmap.mmap(f.fileno(), 0, prot=1) else None"
    ),
    "write a file": "open('new', 'w').write('x')\nreturn 'spam'",
    "append to a file": "open('secret.txt', 'a').write('x')\nreturn 'spam'",
    "delete a file": "import os\nopen('x', 'w')\nos.remove('x')\nreturn 'spam'",
    "make a folder": "import tempfile\ntempfile.mkdtemp(dir='.')\nreturn 'spam'",
    "change rights": "import os\nos.chmod('secret.txt', 0o600)\nreturn 'spam'",
    "copy": "import shutil\nshutil.copy('secret.txt', 'copy')\nreturn 'spam'",
    "database": "import sqlite3\nsqlite3.connect('x.db')\nreturn 'spam'",
    "log to a file": "import logging\nlogging.FileHandler('x.log')\nreturn 'spam'",
    "shell": "import os\nreturn 'spam' if os.system('true') == 0 else None",
    "popen": "import os\nreturn 'spam' if os.popen('echo a').read() else None",
    "subprocess": (
        "import subprocess\nreturn 'spam' if subprocess.run(['true']) else None"
    ),
    "fork": (
        "import os\np = os.fork()\nif p == 0: os._exit(0)\n"
        "os.waitpid(p, 0)\nreturn 'spam'"
    ),
    "spawn": "import os\nreturn 'spam' if os.spawnlp(0, 'true', 'true') == 0 else None",
    "process pool": (
        "import multiprocessing\nmultiprocessing.Process(target=len).start()\n"
        "return 'spam'"
    ),
    "thread": (
        "import threading\nthreading.Thread(target=print).start()\nreturn 'spam'"
    ),
    "thread by _thread": "import _thread\n_thread.start_new_thread(print, ())\nreturn 'spam'",
    "socket": "import socket\nsocket.socket()\nreturn 'spam'",
    "listen": (
        "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\n"
        "s.listen()\nreturn 'spam'"
    ),
    "http": "import http.client\nhttp.client.HTTPConnection('a')\nreturn 'spam'",
    "download": "import urllib.request\nreturn 'spam' if urllib.request.urlopen else None",
    "mail": "import smtplib\nsmtplib.SMTP()\nreturn 'spam'",
    "resolve": "import socket\nreturn 'spam' if socket.gethostname() else None",
    "signal handler": (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nreturn 'spam'"
    ),
    "alarm": "import signal\nsignal.setitimer(signal.ITIMER_REAL, 9)\nreturn 'spam'",
    "raise limits": "import resource\nresource.getrlimit(0)\nreturn 'spam'",
    "recursion limit": "import sys\nsys.setrecursionlimit(10 ** 6)\nreturn 'spam'",
    "tracing": "import sys\nsys.settrace(None)\nreturn 'spam'",
    "at exit": "import atexit\natexit.register(len)\nreturn 'spam'",
    "audit hooks": "import sys\nsys.addaudithook(lambda *a: None)\nreturn 'spam'",
    "clock": "import time\ntime.sleep(0.01)\nreturn 'spam'",
    "secrets": "import secrets\nsecrets.token_hex()\nreturn 'spam'",
    "host name": "import platform\nplatform.node()\nreturn 'spam'",
    "hardware address": "import uuid\nuuid.getnode()\nreturn 'spam'",
    "password prompt": "import getpass\ngetpass.getuser\nreturn 'spam'",
    "browser": "import webbrowser\nwebbrowser.get\nreturn 'spam'",
    "locale": "import locale\nlocale.setlocale(0, 'C')\nreturn 'spam'",
    "numpy": "import numpy\nnumpy.save('x.npy', [1])\nreturn 'spam'",
    "joblib": "import joblib\njoblib.dump(1, 'x.pkl')\nreturn 'spam'",
    "decimal context": "import decimal\ndecimal.getcontext().prec = 28\nreturn 'spam'",
}

# The process that runs these ends, hangs or runs out of memory.
HARM = {
    "exit": "raise SystemExit",
    "exit by sys": "import sys\nsys.exit(3)",
    "exit by builtin": "exit()",
    "quit": "quit()",
    "hard exit": "import os\nos._exit(3)",
    "kill itself": "import os\nos.kill(os.getpid(), 9)",
    "abort": "import os\nos.abort()",
    "replace itself": "import os\nos.execvp('false', ['false'])",
    "segmentation fault": "import ctypes\nctypes.string_at(0)",
    "interrupt": "raise KeyboardInterrupt",
    "generator exit": "raise GeneratorExit",
    "base exception": "class E(BaseException): pass\nraise E",
    "endless loop": "while True: pass",
    "swallowed time-out": (
        "while True:\n try:\n  while True: pass\n except BaseException: pass"
    ),
    "finally continues": "while True:\n try: continue\n finally: pass",
    "long loop in C": "return sum(range(10 ** 12))",
    "endless iterator": "import itertools\nreturn -1 in itertools.count()",
    "endless repeat": "from itertools import repeat\nreturn any(repeat(0))",
    "endless cycle": "from itertools import cycle\nreturn all(cycle([1]))",
    "endless sentinel": "return max(iter(int, 1))",
    "endless generator": "def g():\n while True: yield 0\nreturn sum(g())",
    "deque of everything": (
        "from collections import deque\nfrom itertools import count\n"
        "return deque(count(), 0)"
    ),
    "nested quantifiers": "import re\nreturn re.match('(a+)+$', 'a' * 40 + 'b')",
    "nested stars": "import re\nreturn re.search('(a*)*b', 'a' * 40 + 'cb')",
    "overlapping alternatives": "import re\nreturn re.match('(a|aa)+$', 'a' * 60 + 'b')",
    "catastrophic compiled pattern": (
        "import re\nreturn re.compile(r'(\\w+\\s?)+!').fullmatch('a' * 60)"
    ),
    "catastrophic findall": "import re\nreturn re.findall('(x+x+)+y', 'x' * 60)",
    "catastrophic split": "import re\nreturn re.split('(x+x+)+y', 'x' * 60)",
    "catastrophic sub": "import re\nreturn re.sub('(x+x+)+y', '', 'x' * 60)",
    "power": "return len(str(7 ** 7 ** 9))",
    "factorial": "import math\nreturn math.factorial(10 ** 8)",
    "permutations": (
        "from itertools import permutations\nreturn sum(1 for _ in permutations(range(20)))"
    ),
    "deep product": (
        "from itertools import product\n"
        "return sum(1 for _ in product(range(99), repeat=9))"
    ),
    "quadratic difference": (
        "from difflib import SequenceMatcher\n"
        "return SequenceMatcher(None, 'ab' * 9 ** 5, 'ba' * 9 ** 5, False).ratio()"
    ),
    "slow hash": (
        "class K:\n def __hash__(self): return 1\n def __eq__(self, o): return False\n"
        "return len({K() for _ in range(10 ** 6)})"
    ),
    "recursion in two": "def f(n): return f(n - 1) + f(n - 1) if n else 0\nreturn f(60)",
    "large list": "return len([0] * 10 ** 11)",
    "large bytes": "return len(bytes(10 ** 11))",
    "large bytearray": "return len(bytearray(10 ** 11))",
    "large str": "return len('a' * 10 ** 11)",
    "large range": "return len(list(range(10 ** 11)))",
    "large shift": "return 1 << 10 ** 12",
    "large padding": "return '{:>100000000000}'.format(1)",
    "large percent": "return '%100000000000d' % 1",
    "large center": "return 'a'.center(10 ** 11)",
    "large join": "from itertools import repeat\nreturn ''.join(repeat('a' * 10 ** 6))",
    "doubling str": "s = 'a'\nwhile True: s += s",
    "doubling list": "s = [0]\nwhile True: s += s",
    "hoard": "s = []\nwhile True: s.append(bytes(10 ** 6))",
    "growing dict": "d = {}\nwhile True: d[len(d)] = 'x' * 10 ** 5",
    "replace blows up": "s = 'a' * 10 ** 5\nreturn len(s.replace('a', s).replace('a', s))",
    "expandtabs": "return len(('\\t' * 10 ** 6).expandtabs(10 ** 6))",
    "powerset": (
        "from itertools import combinations\nreturn len([*combinations(range(60), 30)])"
    ),
    "endless text": "import textwrap\nreturn textwrap.wrap('a ' * 10 ** 9)",
}

# What shares an interpreter with these is wrong afterwards.
POISON = {
    "builtins": "import builtins\nbuiltins.len = lambda x: 0",
    "builtins by dunder": "__builtins__['len'] = lambda x: 0",
    "builtins by globals": "print.__self__.len = lambda x: 0",
    "search": "import re\nre.search = lambda *a: None",
    "search by setattr": "import re\nsetattr(re, 'search', lambda *a: None)",
    "search by loop": "import re\nfor re.search in [lambda *a: None]: pass",
    "search by with": (
        "import re\nclass C:\n def __enter__(self): return lambda *a: None\n"
        " def __exit__(self, *a): pass\nwith C() as re.search: pass"
    ),
    "search by unpacking": "import re\nre.search, _ = (lambda *a: None), 1",
    "search by star": "import re\n*re.search, = [1]",
    "search by annotation": "import re\nre.search: object = len",
    "search by comprehension": "import re\n[0 for re.search in [lambda *a: None]]",
    "search by self": ("import re\ndef f(self): self.search = lambda *a: None\nf(re)"),
    "search deleted": "import re\ndel re.search",
    "search by dict": "import re\nre.__dict__['search'] = lambda *a: None",
    "search by vars": "import re\nvars(re).update(search=lambda *a: None)",
    "module replaced": "import math, sys\nsys.modules['re'] = math",
    "cache of patterns": ("import re\nre._cache[str, '[a-z]+', 0] = re.compile('no')"),
    "square root": "import math\nmath.sqrt = lambda x: 0",
    "class of a library": "from collections import Counter\nCounter.most_common = lambda *a: []",
    "class by setattr": (
        "from collections import Counter\nsetattr(Counter, 'most_common', lambda *a: [])"
    ),
    "class deleted from": "from collections import Counter\ndel Counter.most_common",
    "class by type": (
        "from collections import Counter\nc = Counter('a')\n"
        "type(c).most_common = lambda *a: []"
    ),
    "isinstance": "import builtins\nbuiltins.isinstance = lambda *a: False",
}

# Objects of a program's own that claim to equal texts and numbers of other programs:
# what caches of the standard library keep for them, other programs would find.
LIES = {
    "flags": """
import re
class Liar(int):
    def __int__(self): return 2
    def __bool__(self): return True
    def __hash__(self): return hash(2)
    def __eq__(self, other): return True
    def __and__(self, other): return 0
re.compile("shout", Liar(0))
""",
    "flags of a template": """
import re, string
class Liar(int):
    def __hash__(self): return hash(2)
    def __eq__(self, other): return True
    def __and__(self, other): return 0
    def __or__(self, other): return self
class T(string.Template):
    pattern = "shout"
    flags = Liar(0)
re.compile("shout", re.I)
""",
    "replacement": r"""
import re
class Liar(str):
    def __hash__(self): return hash(r"<\1>")
    def __eq__(self, other): return True
re.sub("(a+)", Liar(r"Z\g<1>Z"), "aaa")
""",
    "replacement by the pattern of a match": r"""
import re
class Liar(str):
    def __hash__(self): return hash(r"<\1>")
    def __eq__(self, other): return True
re.search("(a+)", "aaa").re.sub(Liar(r"Z\g<1>Z"), "aaa")
""",
    "format of a date": """
from datetime import datetime
class Liar(str):
    def __hash__(self): return hash("%d %Y")
    def __eq__(self, other): return True
datetime.strptime("2020 1", Liar("%Y %d"))
""",
    "safe characters": """
from urllib.parse import quote
class Bytes:
    def __hash__(self): return hash(b"/")
    def __eq__(self, other): return True
    def __radd__(self, other): return b""
    def __iter__(self): return iter(b" ab/")
class Liar(str):
    def encode(self, *args): return Bytes()
quote("a b", safe=Liar("/"))
""",
}
