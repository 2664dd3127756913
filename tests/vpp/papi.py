# papi.py: VPP's own Python client as a line server: one JSON request a line on stdin, one JSON answer a line on stdout.
#   {"call": "corod_send", "args": {...}}      one message; dumps give a list
#   {"flips": 1000, "interface": 1}            sw_interface_set_flags, up and down in turns, as fast as VPP takes them
#   {"events": 1}                              what VPP's own sw_interface_event has said since, as [index, flags]
import json
import sys

from vpp_papi import VPPApiClient

events = []


def plain(value):
    if isinstance(value, (bool, int, float, str)) or value is None:
        return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "_asdict"):
        return {k: plain(v) for k, v in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return str(value)


def on_event(name, message):
    if name == "sw_interface_event":
        events.append([message.sw_if_index, int(message.flags)])


def answer(vpp, request):
    if "flips" in request:
        # Nobody waits for the answers but the last call.
        message = vpp.messages["sw_interface_set_flags"]
        index = vpp.transport.get_msg_index(f"{message.name}_{message.crc[2:]}")
        for i in range(request["flips"]):
            vpp._call_vpp_async(index, message, sw_if_index=request["interface"], flags=(i + 1) % 2)
        vpp.api.control_ping()
        return request["flips"]
    if "events" in request:
        return events
    args = request.get("args", {})
    if "data" in args:
        args["data"] = bytes.fromhex(args["data"])
        args["length"] = len(args["data"])
    return plain(getattr(vpp.api, request["call"])(**args))


def main():
    vpp = VPPApiClient(server_address=sys.argv[1], bootstrapapi=True)
    vpp.connect("corod-test")
    vpp.register_event_callback(on_event)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(vpp, json.loads(line))), flush=True)
    vpp.disconnect()


main()
