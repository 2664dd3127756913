# ping.py: the same question as users ask it today: VPP's own Python client, control_ping, one at a time.
#   ping.py API_SOCKET COUNT WARMUP      one line of JSON, nanoseconds
import json
import sys
import time

from vpp_papi import VPPApiClient

socket, count, warmup = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
vpp = VPPApiClient(server_address=socket, bootstrapapi=True)
vpp.connect("corod-bench")
took = []
for i in range(warmup + count):
    begin = time.perf_counter_ns()
    vpp.api.control_ping()
    if i >= warmup:
        took.append(time.perf_counter_ns() - begin)
vpp.disconnect()
took.sort()
print(json.dumps({"p50": took[count // 2], "p99": took[count * 99 // 100], "min": took[0]}))
