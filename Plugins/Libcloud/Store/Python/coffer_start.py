import importlib.abc, importlib.util, json, socket, sys
connection = socket.socket(fileno=3)
def take(count):
    text = b""
    while len(text) < count:
        piece = connection.recv(count - len(text))
        if not piece: sys.exit(0)
        text += piece
    return text
class Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    texts = dict(json.loads(take(int.from_bytes(take(4), "big"))))
    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name in self.texts else None
    def create_module(self, spec): return None
    def exec_module(self, module):
        exec(compile(self.texts[module.__name__], "coffer-libcloud/" + module.__name__, "exec"), module.__dict__)
sys.meta_path.insert(0, Modules())
import coffer_child
coffer_child.main(connection)
