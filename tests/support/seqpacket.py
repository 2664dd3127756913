# Speaks on SOCK_SEQPACKET Unix sockets, which Node.js cannot. Each line of standard input is a JSON object
#   {"path": ..., "send": [hex, ...], "fds": n, "get": n}
# for one connection: sends the messages in order, each with n descriptors of /dev/null, then gets messages until there
# are "get" of them or the other side hangs up, then closes. Answers with a line {"got": [hex, ...], "end": bool};
# "end": the other side hung up.
import array, json, os, socket, sys

null = os.open("/dev/null", os.O_RDONLY)
for line in sys.stdin:
    order = json.loads(line)
    got, end = [], False
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(20)
        s.connect(order["path"])
        try:
            for message in order["send"]:
                fds = array.array("i", [null] * order.get("fds", 0))
                s.sendmsg([bytes.fromhex(message)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else [])
            while len(got) < order["get"]:
                message = s.recv(65536)
                if not message:
                    end = True
                    break
                got.append(message.hex())
        except (BrokenPipeError, ConnectionResetError):
            end = True
    print(json.dumps({"got": got, "end": end}), flush=True)
