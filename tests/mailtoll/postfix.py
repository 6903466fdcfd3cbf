"""A Postfix of the test's own: Debian's programs, a configuration, queue and Maildirs below one folder, one port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.sources.servers import free_port, wait_for

POSTFIX = "/usr/sbin/postfix"
MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
myhostname = mx.example.com
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
virtual_mailbox_domains = example.com
virtual_mailbox_base = {folder}/boxes
virtual_mailbox_maps = inline:{{ {boxes} }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
"""
MASTER = """127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running one: its port, and its folder, with the Maildir of each local part in `boxes`."""

    folder: Path
    port: int

    def maildir(self, local_part: str) -> Path:
        """Where the mail for `local_part@example.com` is."""
        return self.folder / "boxes" / local_part

    def said(self) -> str:
        """Its log."""
        return (self.folder / "log" / "mail.log").read_text()


@contextmanager
def postfix(*local_parts: str) -> Iterator[Postfix]:
    """Give a Postfix that keeps mail for these people at example.com. It needs root, and a folder open to its user."""
    folder, port = Path(tempfile.mkdtemp(prefix="mailtoll-postfix-")), free_port()
    folder.chmod(0o755)
    for name in ("etc", "queue", "data", "boxes", "log"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix", "postfix")
    os.chown(folder / "boxes", 65534, 65534)
    boxes = ", ".join(f"{{ {name}@example.com = {name}/ }}" for name in local_parts)
    (folder / "etc" / "main.cf").write_text(MAIN.format(folder=folder, boxes=boxes))
    (folder / "etc" / "master.cf").write_text(MASTER.format(port=port))
    call = [POSTFIX, "-c", str(folder / "etc")]
    try:
        started = subprocess.run([*call, "start"], capture_output=True, text=True, check=False)
        assert started.returncode == 0, started.stdout + started.stderr
        wait_for(port)
        yield Postfix(folder, port)
    finally:
        subprocess.run([*call, "stop"], capture_output=True, check=False)
        shutil.rmtree(folder)
