import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: the hand-made files are shared by the modules here
