"""Attacks on what is offered besides keywords and regular expressions.

Written against stand-ins, classes and generated code: each is after an object that
leads to the interpreter, a file, or the votes of its neighbour.
"""

import pytest

from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.programs import LabelingProgram, run_programs

VICTIM = r"""
import math, re
from collections import Counter, namedtuple
from dataclasses import dataclass
from enum import Enum

@dataclass
class Point:
    x: int = 1

Kind = Enum("Kind", "A B")
Pair = namedtuple("Pair", "a b")

def label(text):
    assert Counter(text).most_common(1) and math.sqrt(4) == 2 and len(text)
    assert Point() == Point() and Pair(1, 2).b == 2 and Kind.A is Kind["A"]
    return "ham" if re.search(r"[a-z]+", text) else None
"""
ATTACKS = {
    "dc init foreign field": (
        "from dataclasses import dataclass, field\n"
        "@dataclass\n"
        "class C:\n"
        " name: str\n"
        "F=field()\n"
        "def label(text):\n"
        " C.__init__(F,'x'); return 'spam'"
    ),
    "dc make class foreign": (
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class C:\n"
        " __x: int = 1\n"
        "def label(text):\n"
        " C.__init__(text, 1); return 'spam'"
    ),
    "dc on type of lib": (
        "from dataclasses import dataclass\n"
        "from enum import Enum\n"
        "def label(text):\n"
        " dataclass(Enum); return 'spam'"
    ),
    "namedtuple liar": (
        "from collections import namedtuple\n"
        "class S(str):\n"
        " def isidentifier(self): return True\n"
        " def __str__(self): return self\n"
        "T=namedtuple('T',[S('a=().__class__')])\n"
        "def label(text):\n"
        " return 'spam'"
    ),
    "namedtuple typename": (
        "from collections import namedtuple\n"
        "T=namedtuple('T=1','a')\n"
        "def label(text):\n"
        " return 'spam'"
    ),
    "NamedTuple functional liar": (
        "from typing import NamedTuple\n"
        "class S(str):\n"
        " def isidentifier(self): return True\n"
        "T=NamedTuple('T',[(S('a, b=print'),int)])\n"
        "def label(text):\n"
        " return 'spam'"
    ),
    "namedtuple module": (
        "from collections import namedtuple\n"
        "T=namedtuple('T','a',module='os')\n"
        "def label(text):\n"
        " return 'spam'"
    ),
    "enum functional dunder": (
        "from enum import Enum\n"
        "E=Enum('E',{'__class__':1})\n"
        "def label(text):\n"
        " return E.__class__.__base__"
    ),
    "enum functional getattribute": (
        "from enum import Enum\n"
        "E=Enum('E',{'__getattribute__':lambda s,n: open})\n"
        "def label(text):\n"
        " return E.x"
    ),
    "enum module": (
        "from enum import Enum\n"
        "E=Enum('E','A',module='builtins')\n"
        "def label(text):\n"
        " return E._member_map_"
    ),
    "deepcopy reduce": (
        "import copy\n"
        "class C:\n"
        " def __reduce_ex__(s,p): return (open,('marker.txt','w'))\n"
        "def label(text):\n"
        " copy.deepcopy(C()); return 'spam'"
    ),
    "deepcopy getattr": (
        "import copy\n"
        "class C:\n"
        " def __getattr__(s,n):\n"
        "  return lambda *a: print\n"
        "def label(text):\n"
        " r=copy.deepcopy(C()); return r.__self__"
    ),
    "copy deepcopy hook globals": (
        "import copy\n"
        "class C:\n"
        " def __deepcopy__(s,memo): return memo.__class__.__base__\n"
        "def label(text):\n"
        " return copy.deepcopy(C()).__subclasses__()"
    ),
    "contextmanager frame": (
        "from contextlib import contextmanager\n"
        "@contextmanager\n"
        "def f():\n"
        " yield 1\n"
        "def label(text):\n"
        " return f().gen.gi_frame.f_back"
    ),
    "contextmanager func": (
        "from contextlib import contextmanager\n"
        "@contextmanager\n"
        "def f():\n"
        " yield 1\n"
        "def label(text):\n"
        " return f.__wrapped__.__globals__"
    ),
    "exitstack exc": (
        "from contextlib import ExitStack\n"
        "def label(text):\n"
        " s=ExitStack(); return s._exit_callbacks"
    ),
    "suppress traceback": (
        "class C:\n"
        " def __enter__(s): return s\n"
        " def __exit__(s,*a): s.t=a[2]; return True\n"
        "def label(text):\n"
        " c=C()\n"
        " with c: 1/0\n"
        " return getattr(c.t,'tb_frame').f_globals"
    ),
    "csv dialect": ("import csv\ndef label(text):\n return csv.__loader__"),
    "csv reader of file": (
        "import csv\ndef label(text):\n return list(csv.reader(open('/etc/passwd')))"
    ),
    "io open": ("import io\ndef label(text):\n return io.open('/etc/passwd').read()"),
    "io FileIO": (
        "from io import FileIO\ndef label(text):\n return FileIO('/etc/passwd').read()"
    ),
    "io by class": (
        "import io\ndef label(text):\n return io.StringIO.__base__.__subclasses__()"
    ),
    "logging handler": (
        "import logging\n"
        "logging.FileHandler('marker.txt')\n"
        "def label(text):\n"
        " return 'spam'"
    ),
    "logging getattr chain": (
        "import logging\n"
        "def label(text):\n"
        " return logging.getLogger().manager.__class__.__init__.__globals__"
    ),
    "warnings sys": ("import warnings\ndef label(text):\n return warnings.sys.modules"),
    "random os": ("import random\ndef label(text):\n return random._os.listdir('/')"),
    "random method self": (
        "import random\ndef label(text):\n return random.random.__self__.__class__"
    ),
    "Random seed bytes": (
        "import random\ndef label(text):\n return random.Random.seed.__globals__"
    ),
    "hashlib file": ("import hashlib\ndef label(text):\n return hashlib.file_digest"),
    "time sleep": ("import time\ndef label(text):\n time.sleep(1); return 'spam'"),
    "ast parse": ("import ast\ndef label(text):\n return ast.parse(text)"),
    "literal_eval liar": (
        "import ast\n"
        "class S(str):\n"
        " def lstrip(self,*a): return 'open'\n"
        "def label(text):\n"
        " return ast.literal_eval(S('open'))"
    ),
    "star import os": ("from os import *\ndef label(text):\n return getcwd()"),
    "star import builtins": (
        "from builtins import *\ndef label(text):\n return open('/etc/passwd')"
    ),
    "unused import bypass": ("import os\ndef label(text):\n return eval('os')"),
    "unused import via global": (
        "import os\ndef label(text):\n return globals()['os']"
    ),
    "main else": (
        "if __name__=='__main__': pass\n"
        "else:\n"
        " import os\n"
        " x=os\n"
        "def label(text):\n"
        " return x"
    ),
    "getattr hook OWN": (
        "import re\n"
        "class C:\n"
        " def __getattr__(s,n): return re\n"
        "def label(text):\n"
        " c=C(); c.x.search=len; return 'spam'"
    ),
    "new FunctionType": (
        "f=(lambda:0)\n"
        "F=f.__class__\n"
        "def label(text):\n"
        " return F.__new__(F, f.__code__, {})"
    ),
    "new code": (
        "F=type(lambda:0)\ndef label(text):\n return F(compile('1','','eval'),{})"
    ),
    "object new of lib": (
        "import re\n"
        "def label(text):\n"
        " P=re.Pattern; p=object.__new__(P); p._engine=1; return 'spam'"
    ),
    "format spec class": (
        "class C:\n"
        " def __format__(s,spec): return spec.__class__.__base__\n"
        "def label(text):\n"
        " return f'{C():x}'"
    ),
    "relevant_elements spelled": (
        "def label(text):\n return __re.relevant_elements__([],(),0,len,False,False)"
    ),
    "relevant_elements by getattr": (
        "import re\ndef label(text):\n return getattr(re,'relevant_elements')"
    ),
    "match args": (
        "class C:\n __match_args__=('__globals__',)\ndef label(text):\n return 'spam'"
    ),
    "abcmeta call": (
        "from abc import ABCMeta\n"
        "def label(text):\n"
        " return ABCMeta('X',(),{'__del__':print})('x').mro()"
    ),
    "protocol internals": (
        "from typing import Protocol\n"
        "class P(Protocol): pass\n"
        "def label(text):\n"
        " return P.__subclasshook__.__globals__"
    ),
    "total_ordering lib": (
        "from functools import total_ordering\n"
        "from collections import Counter\n"
        "def label(text):\n"
        " total_ordering(Counter); return Counter.__lt__.__globals__"
    ),
    "cached_property foreign": (
        "from functools import cached_property\n"
        "import re\n"
        "c=cached_property(len)\n"
        "def label(text):\n"
        " c.__set_name__(re,'search'); return 'spam'"
    ),
    "partialmethod": (
        "from functools import partialmethod\n"
        "class C:\n"
        " f=partialmethod(getattr,'__dict__')\n"
        "def label(text):\n"
        " return C().f()"
    ),
    "default param": ("def label(text, o=open): return o('/etc/passwd').read()"),
    "kwargs globals": (
        "def label(text, **k): return k.__class__.__base__.__subclasses__()"
    ),
    "votes out of range": ("def label(text):\n return 10**30"),
    "bytearray votes": ("def label(text):\n import gc\n return gc.get_objects()"),
    "poison len then": (
        "import re\ndef label(text):\n re.findall.__globals__['_patterns'].clear()"
    ),
    "print file": (
        "def label(text):\n print('x', file=open('marker.txt','w')); return None"
    ),
    "exception obj module": (
        "import re\n"
        "def label(text):\n"
        " try: re.nothing\n"
        " except AttributeError as e: return e.obj"
    ),
    "dc eq foreign": (
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class C:\n"
        " a:int\n"
        "def label(text):\n"
        " return C.__eq__(C(1), C).__class__.__base__"
    ),
    "dc replace foreign": (
        "from dataclasses import replace\n"
        "import re\n"
        "def label(text):\n"
        " return replace(re, search=len)"
    ),
    "Field attr": (
        "from dataclasses import field\n"
        "f=field()\n"
        "def label(text):\n"
        " f.name='x'; return 'spam'"
    ),
    "field metadata class": (
        "from dataclasses import field\n"
        "def label(text):\n"
        " return field().__init__.__globals__"
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_nothing_and_harms_nobody(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    honest = LabelingProgram("honest", VICTIM)
    columns, classes = {"text": ["one"]}, ["ham", "spam"]
    try:
        attack = LabelingProgram("attack", ATTACKS[name])
        result = run_programs([honest, attack, honest], columns, classes)
    except ProgramRejected:
        result = run_programs([honest], columns, classes)
    else:
        assert result.votes[:, 1].tolist() == [-1]
        assert sum(result.failures[1].values()) == 1
    assert (result.votes[:, [0, -1]] == 0).all()
    assert result.failures[0] == {}
    assert list(tmp_path.iterdir()) == []
