"""Publishing to a dotenv file that people and programs keep editing.

`document` changes bytes, `place` and `writer` change files, `exposure` asks git, `target` joins them to the port.
"""

from rotator.targets.env_file.options import EnvFileOptions, complaints

__all__ = ["EnvFileOptions", "complaints"]
