"""Stand-in for Google's `colab` program (google-colab-cli 0.7.5): no Colab, no network and no GPU is behind it.

It takes the real program's arguments, refuses others, and prints and exits as that one does. A runtime is a folder below HOME, in which a real
kernel executes what it is given; `nvidia-smi` there is a stand-in as well. Its sessions are where the real ones are: `~/.config/colab-cli`.

For tests, below `~/.colab-stand-in`: `calls.jsonl` has every call, `faults.json` says what is to go wrong:
  new: refused | signed-out | scopes (as 0.6) | too-many | no-units | away;  slow: seconds that `new` takes;  gpu: what a T4 turns out to be
  exec: crash | lost | deaf (to an interrupt), when it runs a notebook (the first two once a step is `after`);  stop: how many times it fails;  download: damaged, how many times
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

HOME = Path(os.path.expanduser("~"))
OWN = HOME / ".colab-stand-in"
SESSIONS = HOME / ".config" / "colab-cli" / "sessions.json"
RUNTIMES = OWN / "runtimes"
QUERY = "timestamp,name,uuid,utilization.gpu,utilization.memory,memory.used,memory.total,temperature.gpu,power.draw,power.limit"


class ColabRequestError(Exception):
    pass


def say(text, err=False):
    print(text, file=sys.stderr if err else sys.stdout, flush=True)


def faults():
    try:
        return json.loads((OWN / "faults.json").read_text())
    except FileNotFoundError:
        return {}


def fails(name):
    """Once less often the next time."""
    known = faults()
    if not known.get(name):
        return False
    known[name] -= 1
    (OWN / "faults.json").write_text(json.dumps(known))
    return True


def note(**event):
    OWN.mkdir(parents=True, exist_ok=True)
    with open(OWN / "calls.jsonl", "a") as file:
        file.write(json.dumps(dict(event, at=time.time())) + "\n")


def sessions():
    try:
        return json.loads(SESSIONS.read_text())
    except FileNotFoundError:
        return {}


def keep(change):
    SESSIONS.parent.mkdir(parents=True, exist_ok=True)
    known = change(sessions())
    partial = SESSIONS.with_suffix(".%d" % os.getpid())
    partial.write_text(json.dumps(known))
    os.replace(partial, SESSIONS)


def session_named(name):
    """As `resolve_session` and the look into the store after it."""
    if not name:
        known = sessions()
        if len(known) != 1:
            say("[colab] Error: No active sessions found. Create one with 'colab new'.")
            sys.exit(1)
        return next(iter(known.values()))
    session = sessions().get(name)
    if session is None:
        say("[colab] Session '%s' not found." % name)
        sys.exit(1)
    return session


# ── session management ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def new(options):
    fault = faults()
    name = options.session or uuid.uuid4().hex[:6]
    # An accelerator that it does not know is an A100 to the real one.
    accelerator = "NONE" if not options.gpu else options.gpu.upper() if options.gpu.lower() in ("a100", "h100", "l4", "t4", "g4") else "A100"
    say("[colab] Creating session '%s'..." % name)
    if fault.get("new") == "signed-out":
        say("\nTo authorize colab-cli, visit this URL in any browser:\n", err=True)
        say("  https://accounts.example/o/oauth2/auth?response_type=code&client_id=secret-client\n", err=True)
        try:
            input("Enter the authorization code: ")
        except EOFError:
            say("\nAborted.", err=True)
            sys.exit(1)
    time.sleep(fault.get("slow", 0))
    if fault.get("new") == "refused":
        say(
            "[colab] Backend rejected accelerator '%s'. You may not have quota or entitlement for this accelerator on your account. "
            "Try a different one (e.g. --gpu T4) or omit --gpu/--tpu for a CPU runtime." % accelerator,
            err=True,
        )
        sys.exit(1)
    if fault.get("new") == "too-many":
        say(
            "[colab] Allocation refused (precondition failed). This can mean too many active sessions, or a temporary usage or capacity "
            "limit for the requested runtime. Run `colab stop` to free up a session, wait and retry, or try a different accelerator.",
            err=True,
        )
        sys.exit(1)
    if fault.get("new") == "no-units":
        raise ColabRequestError("Failed to issue request POST https://colab.example/tun/m/assign?nbh=x: Payment Required")
    if fault.get("new") == "away":
        raise ConnectionError("HTTPSConnectionPool(host='colab.example', port=443): Max retries exceeded")
    endpoint = "stand-in-" + uuid.uuid4().hex[:12]
    root = RUNTIMES / endpoint
    (root / "content").mkdir(parents=True)
    (root / "bin").mkdir()
    note(event="assigned", session=name, endpoint=endpoint)
    if fault.get("new") == "scopes":
        say("[colab] Keep-alive pre-flight failed: your credentials are missing an OAuth scope required by Colab.\n", err=True)
        unassign(endpoint)
        sys.exit(1)
    if accelerator != "NONE":
        smi = root / "bin" / "nvidia-smi"
        gpu = fault.get("gpu", "Tesla T4 (stand-in)")
        smi.write_text(
            '#!/bin/sh\n# Stand-in: no GPU is behind it.\n[ "$1" = "--query-gpu=%s" ] && [ "$2" = "--format=csv,noheader,nounits" ] || exit 2\n'
            'echo "$(date +%%Y/%%m/%%d\\ %%H:%%M:%%S).000, %s, GPU-stand-in, 87, 40, 1024, 15360, 61, 65.50, 70.00"\n' % (QUERY, gpu)
        )
        smi.chmod(0o755)
    session = {"name": name, "token": "stand-in-token", "endpoint": endpoint, "accelerator": accelerator, "kernel": None, "running": None}
    keep(lambda known: dict(known, **{name: session}))
    say("[colab] Session READY.")


def unassign(endpoint):
    shutil.rmtree(RUNTIMES / endpoint, ignore_errors=True)
    note(event="unassigned", endpoint=endpoint)


def stop(options):
    known = sessions()
    session = known.get(options.session) if options.session else session_named(None)
    if session is None:
        say("[colab] Session '%s' not found." % options.session)
        return
    say("[colab] Stopping session '%s'..." % session["name"])
    if fails("stop"):
        raise ColabRequestError("Failed to issue request GET https://colab.example/tun/m/unassign/x: Service Unavailable")
    end_kernel(session)
    if not (RUNTIMES / session["endpoint"]).exists():
        raise ColabRequestError("Failed to issue request GET https://colab.example/tun/m/unassign/x: Not Found")
    unassign(session["endpoint"])
    keep(lambda now: {name: each for name, each in now.items() if name != session["name"]})
    say("[colab] Session terminated.")


def prune():
    gone = [name for name, session in sessions().items() if not (RUNTIMES / session["endpoint"]).exists()]
    if gone:
        keep(lambda now: {name: each for name, each in now.items() if name not in gone})
        say("[colab] Pruned %d stale local session(s)." % len(gone))


def status(options):
    prune()
    known = sessions()
    if options.session and options.session not in known:
        say("[colab] Session '%s' not found." % options.session)
        return
    if not known:
        say("[colab] No active sessions.")
    for session in [known[options.session]] if options.session else known.values():
        state = "BUSY (%s)" % session["running"] if session["running"] else "IDLE"
        hardware = "CPU" if session["accelerator"] == "NONE" else session["accelerator"]
        say("[%s] %s | Hardware: %s | Variant: DEFAULT | Status: %s" % (session["name"], session["endpoint"], hardware, state))


def list_sessions(_options):
    prune()
    for session in sessions().values():
        say("[%s] %s | Hardware: %s | Variant: DEFAULT" % (session["name"], session["endpoint"], session["accelerator"]))


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def remote(session, path):
    root = RUNTIMES / session["endpoint"]
    if not root.exists():
        raise FileNotFoundError("File or directory not found: %s" % path)
    return root / path.strip("/")


def ls(options):
    session = session_named(options.session)
    try:
        path = remote(session, options.path)
        if path.is_dir():
            # The notebook server does not show what is hidden.
            shown = [each for each in path.iterdir() if not each.name.startswith(".")]
            for each in sorted(shown, key=lambda each: (not each.is_dir(), each.name)):
                say(each.name + ("/" if each.is_dir() else ""))
        elif path.exists():
            say(path.name)
        else:
            raise FileNotFoundError("File or directory not found: %s" % options.path)
    except Exception as error:
        say("[colab] Error: %s" % error)
        sys.exit(1)


def upload(options):
    session = session_named(options.session)
    if not os.path.isfile(options.local_path):
        say("[colab] Local file '%s' not found." % options.local_path)
        sys.exit(1)
    try:
        # The notebook server makes no folders.
        remote(session, options.remote_path).write_bytes(Path(options.local_path).read_bytes())
        say("[colab] Uploaded '%s' to '%s'" % (options.local_path, options.remote_path))
    except Exception as error:
        say("[colab] Upload failed: %s" % error)
        sys.exit(1)


def download(options):
    session = session_named(options.session)
    try:
        path = remote(session, options.remote_path)
        if not path.exists() or any(part.startswith(".") for part in Path(options.remote_path).parts):
            raise FileNotFoundError("File or directory not found: %s" % options.remote_path)
        if path.is_dir():
            raise IsADirectoryError("Cannot download a directory: %s" % options.remote_path)
        data = path.read_bytes()
        if path.suffix == ".ipynb":
            data = str(json.loads(data)).encode()  # as the real one writes what the server gives as an object
        if path.parent.parent.name == "results" and fails("download"):
            data = data[:-1]
        Path(options.local_path).write_bytes(data)
        say("[colab] Downloaded '%s' to '%s'" % (options.remote_path, options.local_path))
    except Exception as error:
        say("[colab] Download failed: %s" % error)
        sys.exit(1)


# ── execution ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_alive(pid):
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def end_kernel(session):
    if session["kernel"]:
        for target in (os.killpg, os.kill):
            try:
                target(session["kernel"], signal.SIGKILL)
            except OSError:
                pass


def kernel_of(session):
    """Started at the first execution, and the same one from then on."""
    from jupyter_client.connect import write_connection_file

    root = RUNTIMES / session["endpoint"]
    file = root / "kernel.json"
    if not root.exists():
        say("[colab] Session '%s' appears to be lost (404/401). Cleaning up." % session["name"])
        keep(lambda known: {name: each for name, each in known.items() if name != session["name"]})
        sys.exit(1)
    if session["kernel"] is None:
        write_connection_file(str(file))
        env = dict(os.environ, PATH=str(root / "bin") + os.pathsep + os.environ["PATH"], IPYTHONDIR=str(root / "ipython"))
        log = open(root / "kernel.log", "wb")
        kernel = subprocess.Popen(
            [sys.executable, "-m", "ipykernel_launcher", "-f", str(file)],
            cwd=str(root / "content"), env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )
        session["kernel"] = kernel.pid
        keep(lambda known: dict(known, **{session["name"]: session}))
    return file


def execute(options):
    session = session_named(options.session)
    notebook = None
    if options.file and options.file.endswith(".ipynb"):
        say("[colab] Parsing notebook '%s'..." % options.file)
        notebook = json.loads(Path(options.file).read_text())
        blocks = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    else:
        blocks = [{"source": Path(options.file).read_text() if options.file else sys.stdin.read()}]
    source = lambda block: block["source"] if isinstance(block["source"], str) else "".join(block["source"])
    if not any(source(block).strip() for block in blocks):
        return
    file = kernel_of(session)
    from jupyter_client import BlockingKernelClient

    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    client.execute_interactive("import os; os.chdir(%r)" % str(RUNTIMES / session["endpoint"] / "content"), timeout=10)
    fault = faults()
    if fault.get("exec") == "deaf":
        # So it is for as long as the kernel works for it, and its own time limit goes unheard as well.
        fault, options.timeout = {}, None
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch():
        """A connection breaks with its kernel."""
        while is_alive(session["kernel"]):
            if notebook is not None and fault.get("exec") and step_reached(session, fault.get("after", 0)):
                known = faults()
                known.pop("exec", None)
                (OWN / "faults.json").write_text(json.dumps(known))
                if fault["exec"] == "crash":
                    os.kill(os.getpid(), signal.SIGSEGV)
                end_kernel(session)
                shutil.rmtree(RUNTIMES / session["endpoint"], ignore_errors=True)
                note(event="taken away", endpoint=session["endpoint"])
            time.sleep(0.1)
        say("websocket._exceptions.WebSocketConnectionClosedException: Connection to remote host was lost.", err=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        session["running"] = "exec(%s)" % (options.file or "stdin")
        keep(lambda known: dict(known, **{session["name"]: session}))
        for index, block in enumerate(blocks):
            if notebook is not None:
                say("[colab] Executing cell %d/%d - %s..." % (index + 1, len(blocks), block.get("id", "")))
            outputs = []
            # As the real one: what is raised is shown, and the next block comes.
            client.execute_interactive(source(block), timeout=options.timeout, allow_stdin=False, output_hook=lambda message: hook(outputs, message))
            block["outputs"] = outputs
    finally:
        session["running"] = None
        keep(lambda known: dict(known, **({session["name"]: session} if session["name"] in known else {})))
        client.stop_channels()
        if notebook is not None:
            output = os.path.splitext(options.file)[0] + "_output.ipynb"
            say("[colab] Saving notebook with outputs to '%s'..." % output)
            Path(output).write_text(json.dumps(notebook))


def step_reached(session, step):
    beats = sorted((RUNTIMES / session["endpoint"]).glob("content/eda/*/beats/*.json"))
    try:
        return any((json.loads(beat.read_text()).get("step") or 0) >= step for beat in beats)
    except (ValueError, FileNotFoundError):
        return False


def hook(outputs, message):
    kind, content = message["header"]["msg_type"], message["content"]
    if kind == "stream":
        outputs.append({"output_type": "stream", "name": content["name"], "text": content["text"]})
        (sys.stderr if content["name"] == "stderr" else sys.stdout).write(content["text"])
    elif kind == "error":
        outputs.append(dict({key: content[key] for key in ("ename", "evalue", "traceback")}, output_type="error"))
        sys.stderr.write("".join(content["traceback"]) + "\n")
    elif kind in ("display_data", "execute_result"):
        output = {"output_type": "display_data", "data": content["data"], "metadata": content["metadata"]}
        outputs.append(output)


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parser():
    top = argparse.ArgumentParser(prog="colab", allow_abbrev=False, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--auth", choices=["oauth2", "adc"], default="oauth2")
    top.add_argument("-c", "--client-oauth-config")
    top.add_argument("--config")
    top.add_argument("--logtostderr", action="store_true")
    commands = top.add_subparsers(dest="command", required=True)

    def command(name, run, *positional, with_session=True):
        sub = commands.add_parser(name, allow_abbrev=False)
        if with_session:
            sub.add_argument("-s", "--session")
        for each in positional:
            sub.add_argument(each)
        sub.set_defaults(run=run)
        return sub

    command("version", lambda _: say("Version: 0.7.5 (stand-in: no Colab is behind it)"), with_session=False)
    command("sessions", list_sessions, with_session=False)
    sub = command("new", new)
    sub.add_argument("--tpu")
    sub.add_argument("--gpu")
    sub.add_argument("--high-mem", action="store_true")
    command("status", status)
    command("stop", stop)
    command("ls", ls).add_argument("path", nargs="?", default="content")
    command("upload", upload, "local_path", "remote_path")
    command("download", download, "remote_path", "local_path")
    sub = command("exec", execute)
    sub.add_argument("-f", "--file")
    sub.add_argument("--output-image")
    sub.add_argument("--timeout", type=float, default=30.0)
    return top


if __name__ == "__main__":
    chosen = parser().parse_args()
    note(event="called", argv=sys.argv[1:], env=sorted(os.environ))
    if chosen.command != "version":
        # The real one says so once a day, among whatever was asked for.
        say("\n[colab] A new version of Colab CLI is available: 9.9.9 (current: 0.7.5)\n[colab] Run 'colab update' to update.\n")
    chosen.run(chosen)
