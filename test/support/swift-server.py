"""OpenStack Swift with its S3 interface, as one process on 127.0.0.1: an object store for tests, with one copy of everything.

Use: /usr/bin/python3 swift-server.py DIRECTORY [PORT]      (Debian: swift-proxy, swift-account, swift-container, swift-object)

Prints the port of the S3 interface once it answers. Ends when its standard input does. The access key is test:tester and
the secret is testing; Swift checks the signature (AWS Signature Version 4) of every request.
"""
import eventlet
import eventlet.wsgi

eventlet.monkey_patch()

import logging
import os
import socket
import sys

from swift.common import constraints, utils, wsgi
from swift.common.ring import RingBuilder

SERVERS = {
    "account": "[DEFAULT]\n{common}\n[pipeline:main]\npipeline = account-server\n[app:account-server]\nuse = egg:swift#account\n",
    "container": "[DEFAULT]\n{common}\n[pipeline:main]\npipeline = container-server\n[app:container-server]\nuse = egg:swift#container\n",
    # A fresh object is in the listing when its PUT is answered.
    "object": "[DEFAULT]\n{common}\ncontainer_update_timeout = 60\n[pipeline:main]\npipeline = object-server\n"
    "[app:object-server]\nuse = egg:swift#object\n",
    "proxy": """[DEFAULT]
{common}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats bulk s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 30
node_timeout = 60
recoverable_node_timeout = 60
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
user_test_reader = reading
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
""",
}


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    return listener


def write_ring(directory, name, port):
    path = os.path.join(directory, name + ".builder")
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "disk", "weight": 1.0, "replication_ip": "127.0.0.1", "replication_port": port})
    builder.rebalance(seed="1")
    builder.get_ring().save(os.path.join(directory, name + ".ring.gz"))
    builder.save(path)


class EmptyCache:
    """In the place of memcached, which Swift asks for and can do without."""

    def get(self, *_, **__):
        return None

    def set(self, *_, **__):
        pass

    def delete(self, *_, **__):
        pass


def without_memcache(app):
    def serve(environ, start_response):
        environ["swift.cache"] = EmptyCache()
        return app(environ, start_response)

    return serve


def main():
    directory = sys.argv[1]
    proxy_port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    logging.disable(logging.CRITICAL)
    os.makedirs(os.path.join(directory, "disks", "disk"), exist_ok=True)
    with open(os.path.join(directory, "swift.conf"), "w") as conf:
        conf.write("[swift-hash]\nswift_hash_path_suffix = tests\n[storage-policy:0]\nname = one\ndefault = yes\n")
    utils.set_swift_dir(directory)
    constraints.reload_constraints()
    listeners = {name: listen(proxy_port if name == "proxy" else 0) for name in SERVERS}
    common = "\n".join(
        [
            "swift_dir = " + directory,
            "devices = " + os.path.join(directory, "disks"),
            "mount_check = false",
            "bind_ip = 127.0.0.1",
            "log_statsd_host =",
            "fallocate_reserve = 0",
            # Of a machine that has other things to do.
            "conn_timeout = 30",
            "node_timeout = 60",
        ]
    )
    for name in ("account", "container", "object"):
        write_ring(directory, name, listeners[name].getsockname()[1])
    for name, text in SERVERS.items():
        path = os.path.join(directory, name + "-server.conf")
        with open(path, "w") as conf:
            conf.write(text.format(common=common))
        # As swift.common.wsgi.run_server does, which would take each its own event loop.
        app = without_memcache(wsgi.loadapp(path, global_conf={"log_name": name}))
        served = {"protocol": wsgi.SwiftHttpProtocol, "capitalize_response_headers": False, "socket_timeout": 60}
        eventlet.spawn(eventlet.wsgi.server, listeners[name], app, wsgi.NullLogger(), **served)
    print(listeners["proxy"].getsockname()[1], flush=True)
    eventlet.tpool.execute(sys.stdin.buffer.raw.read)
    os._exit(0)


main()
