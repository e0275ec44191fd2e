# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A canned AWS endpoint that carries the load of a benchmark: one asyncio process, pages made from templates.

It knows just the calls of the contestants (``commands.py`` has those of Run Command), sleeps like a service that is
50 to 150 ms away, throttles with a token bucket per account, Region and operation, and counts. Nothing in it is a model
of AWS; the lab is that.

    python -m bench.endpoint --port 5610 --nodes 10000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from urllib.parse import parse_qs

from bench.commands import Commands

_SCOPE = re.compile(rb"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nx-amz-target: *([^\r]+)", re.IGNORECASE)
_EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"

_SYSTEMS = (
    ("Linux", "Amazon Linux", "2023", "Linux/UNIX"),
    ("Linux", "Red Hat Enterprise Linux", "9.4", "Red Hat Enterprise Linux"),
    ("Linux", "Ubuntu", "22.04", "Linux/UNIX"),
    ("Windows", "Microsoft Windows Server 2022 Datacenter", "10.0.20348", "Windows"),
)


class Estate:
    """Nodes by number: place ``p`` has the node numbers 0 to ``nodes - 1``; every ``hybrid``-th is an ``mi-`` node."""

    def __init__(self, nodes: int, hybrid: int = 0) -> None:
        self.nodes = nodes
        self.hybrid = hybrid
        self.started = time.time()

    def is_hybrid(self, number: int) -> bool:
        return bool(self.hybrid) and number % self.hybrid == 0

    def node_id(self, account: str, region: str, number: int) -> str:
        place = int(region.rpartition("-")[2]) & 0xFFF
        return f"{'mi' if self.is_hybrid(number) else 'i'}-{int(account) % 0xFFFFFF:06x}{place:03x}{number:08x}"

    def tags(self, number: int) -> dict[str, str]:
        return {
            "Name": f"app{number % 40}-{number}",
            "Patch Group": f"GROUP-{number % 12}",
            "Maintenance Window": f"window-{number % 7}",
            "Application": f"app{number % 40}",
            "Environment": ("dev", "test", "prod")[number % 3],
            "Owner": f"team-{number % 25}@example.com",
        }

    def properties(self, account: str, region: str, begin: int, end: int) -> bytes:
        rows = [self._property(account, region, number) for number in range(begin, min(end, self.nodes))]
        reply: dict[str, object] = {"InstanceProperties": rows}
        if end < self.nodes:
            reply["NextToken"] = str(end)
        return json.dumps(reply).encode()

    def _property(self, account: str, region: str, number: int) -> dict[str, object]:
        platform, name, version, _details = _SYSTEMS[number % 4]
        node_id = self.node_id(account, region, number)
        hybrid = self.is_hybrid(number)
        return {
            "InstanceId": node_id,
            "Name": f"app{number % 40}-{number}",
            "InstanceType": "" if hybrid else "m6i.large",
            "InstanceState": "" if hybrid else "running",
            "Architecture": "x86_64",
            "IPAddress": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "LaunchTime": 1767225600.0 + number,
            "PingStatus": "Online" if number % 50 else "ConnectionLost",
            "LastPingDateTime": self.started,
            "AgentVersion": "3.3.1611.0",
            "PlatformType": platform,
            "PlatformName": name,
            "PlatformVersion": version,
            "IamRole": "arn:aws:iam::111111111111:role/ssm",
            "RegistrationDate": 1767225700.5,
            "ResourceType": "ManagedInstance" if hybrid else "EC2Instance",
            "ComputerName": f"app{number % 40}-{number}.example.com",
            "AssociationStatus": "Success",
            "LastAssociationExecutionDate": 1772300000.0,
            "LastSuccessfulAssociationExecutionDate": 1772300000.0,
            "AssociationOverview": {
                "DetailedStatus": "Success",
                "InstanceAssociationStatusAggregatedCount": {"Success": 3},
            },
            "SourceId": node_id,
            "SourceType": "AWS::SSM::ManagedInstance" if hybrid else "AWS::EC2::Instance",
        }

    def instances(self, account: str, region: str, begin: int, size: int) -> bytes:
        end = min(begin + size, self.nodes)
        rows = [self._instance(account, region, n) for n in range(begin, end) if not self.is_hybrid(n)]
        token = f"<nextToken>{end}</nextToken>" if end < self.nodes else ""
        body = f'<DescribeInstancesResponse xmlns="{_EC2}"><requestId>r</requestId><reservationSet>'
        return f"{body}{''.join(rows)}</reservationSet>{token}</DescribeInstancesResponse>".encode()

    def _instance(self, account: str, region: str, number: int) -> str:
        platform, _name, _version, details = _SYSTEMS[number % 4]
        tags = "".join(f"<item><key>{k}</key><value>{v}</value></item>" for k, v in self.tags(number).items())
        return _INSTANCE.format(
            id=self.node_id(account, region, number),
            account=account,
            region=region,
            number=number,
            ip=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            dashed=f"10-{number >> 16 & 255}-{number >> 8 & 255}-{number & 255}",
            details=details,
            platform="<platform>windows</platform>" if platform == "Windows" else "",
            tags=tags,
        )

    def resources(self, arns: list[str]) -> bytes:
        rows = []
        for arn in arns:
            number = int(arn[-8:], 16)
            pairs = [{"Key": key, "Value": value} for key, value in self.tags(number).items()]
            rows.append({"ResourceARN": arn, "Tags": pairs})
        return json.dumps({"PaginationToken": "", "ResourceTagMappingList": rows}).encode()

    def patch_states(self, ids: list[str]) -> bytes:
        rows = [
            {"InstanceId": item, "PatchGroup": "g", "BaselineId": "pb-0123456789abcdef0", "MissingCount": n % 9}
            | {"InstalledCount": 300, "FailedCount": 0, "OperationStartTime": 1772300000.0, "Operation": "Scan"}
            | {"OperationEndTime": 1772300100.0, "CriticalNonCompliantCount": n % 2}
            for n, item in enumerate(ids)
        ]
        return json.dumps({"InstancePatchStates": rows}).encode()


# The members that DescribeInstances really sends for a plain instance with one interface and one volume.
_INSTANCE = """<item><reservationId>r-{number:017x}</reservationId><ownerId>{account}</ownerId><groupSet/><instancesSet>
<item><instanceId>{id}</instanceId><imageId>ami-0123456789abcdef0</imageId>
<instanceState><code>16</code><name>running</name></instanceState>
<privateDnsName>ip-{dashed}.{region}.compute.internal</privateDnsName><dnsName/><reason/><keyName>ops</keyName>
<amiLaunchIndex>0</amiLaunchIndex><productCodes/><instanceType>m6i.large</instanceType><launchTime>2026-01-01T00:00:00.000Z</launchTime>
<placement><availabilityZone>{region}a</availabilityZone><groupName/><tenancy>default</tenancy></placement>{platform}
<monitoring><state>disabled</state></monitoring><subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>
<privateIpAddress>{ip}</privateIpAddress><sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0123456789abcdef0</groupId>
<groupName>web</groupName></item></groupSet><architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType>
<rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs>
<volumeId>vol-{number:017x}</volumeId><status>attached</status><attachTime>2026-01-01T00:00:10.000Z</attachTime>
<deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping><virtualizationType>hvm</virtualizationType>
<clientToken>c{number}</clientToken><tagSet>{tags}</tagSet><hypervisor>xen</hypervisor><networkInterfaceSet><item>
<networkInterfaceId>eni-{number:017x}</networkInterfaceId><subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>
<description/><ownerId>{account}</ownerId><status>in-use</status><macAddress>06:00:00:00:00:01</macAddress><privateIpAddress>{ip}</privateIpAddress>
<privateDnsName>ip-{dashed}.{region}.compute.internal</privateDnsName><sourceDestCheck>true</sourceDestCheck><groupSet><item>
<groupId>sg-0123456789abcdef0</groupId><groupName>web</groupName></item></groupSet><attachment><attachmentId>eni-attach-{number:017x}</attachmentId>
<deviceIndex>0</deviceIndex><status>attached</status><attachTime>2026-01-01T00:00:00.000Z</attachTime><deleteOnTermination>true</deleteOnTermination>
<networkCardIndex>0</networkCardIndex></attachment><privateIpAddressesSet><item><privateIpAddress>{ip}</privateIpAddress>
<privateDnsName>ip-{dashed}.{region}.compute.internal</privateDnsName><primary>true</primary></item></privateIpAddressesSet><ipv6AddressesSet/>
<interfaceType>interface</interfaceType></item></networkInterfaceSet><iamInstanceProfile>
<arn>arn:aws:iam::{account}:instance-profile/ssm</arn><id>AIPA0123456789ABCDEF0</id></iamInstanceProfile><ebsOptimized>true</ebsOptimized>
<enaSupport>true</enaSupport><cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions>
<capacityReservationSpecification><capacityReservationPreference>open</capacityReservationPreference></capacityReservationSpecification>
<hibernationOptions><configured>false</configured></hibernationOptions><metadataOptions><state>applied</state><httpTokens>required</httpTokens>
<httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint><httpProtocolIpv6>disabled</httpProtocolIpv6>
<instanceMetadataTags>disabled</instanceMetadataTags></metadataOptions><enclaveOptions><enabled>false</enabled></enclaveOptions>
<bootMode>uefi-preferred</bootMode><platformDetails>{details}</platformDetails><usageOperation>RunInstances</usageOperation>
<usageOperationUpdateTime>2026-01-01T00:00:00.000Z</usageOperationUpdateTime><privateDnsNameOptions><hostnameType>ip-name</hostnameType>
<enableResourceNameDnsARecord>false</enableResourceNameDnsARecord><enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord>
</privateDnsNameOptions><maintenanceOptions><autoRecovery>default</autoRecovery></maintenanceOptions><currentInstanceBootMode>uefi
</currentInstanceBootMode></item></instancesSet></item>"""


class Endpoint:
    """Answers requests of all services on one port, tells places apart by the signature, sleeps, throttles, counts."""

    def __init__(
        self, estate: Estate, latency: tuple[float, float], rate: float, burst: float, pace: float = 1.0, hung: int = 0
    ) -> None:
        self.estate = estate
        self.commands: defaultdict[tuple[str, str], Commands] = defaultdict(lambda: Commands(pace, hung))
        self.latency = latency
        self.rate = rate
        self.burst = burst
        self.calls: Counter[str] = Counter()
        self._objects: dict[bytes, bytes] = {}  #: of S3, by path
        self._span = (0.0, 0.0)
        self._slept: dict[tuple[str, str], defaultdict[str, float]] = {}
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}
        self._pages: dict[tuple[object, ...], bytes] = {}
        self._random = random.Random(4711)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until the client closes it."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = _LENGTH.search(head)
                body = await reader.readexactly(int(found[1])) if found else b""
                status, kind, reply = await self._answer(head, body)
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(reply)}\r\n\r\n".encode()
                )
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes, body: bytes) -> tuple[int, str, bytes]:
        if head.startswith(b"GET /bench/"):
            return self._control(head)
        scope, target = _SCOPE.search(head), _TARGET.search(head)
        account, region = _account_of(scope[1].decode()) if scope else "0", scope[2].decode() if scope else ""
        form = (
            {}
            if target or not head.startswith(b"POST ")
            else {key: values[0] for key, values in parse_qs(body.decode()).items()}
        )
        operation = target[1].decode().rpartition(".")[2] if target else form.get("Action", "")
        is_s3 = bool(scope) and scope[3] == b"s3"
        if is_s3:
            operation = "PutObject" if head.startswith(b"PUT ") else "GetObject"
        self.calls[operation] += 1
        begun = self._span[0] or time.monotonic()
        delay = self._random.uniform(*self.latency)
        slept = self._slept.setdefault((account, region), defaultdict(float))
        # Pages of a listing follow one another; tag calls start together, so only the slowest of them counts.
        slept[operation] = max(slept[operation], delay) if operation == "GetResources" else slept[operation] + delay
        await asyncio.sleep(delay)
        self._span = (begun if not self._span[0] else min(begun, self._span[0]), time.monotonic())
        if not self._admit(account, region, operation):
            self.calls["throttled"] += 1
            self.calls[f"throttled {operation}"] += 1
            return _refusal(bool(target))
        if is_s3:
            return self._object(head.split(b" ", 2)[1], body if operation == "PutObject" else None)
        if target:
            return 200, "application/x-amz-json-1.1", self._json(account, region, operation, json.loads(body))
        return 200, "text/xml", self._query(account, region, operation, form)

    def _object(self, path: bytes, body: bytes | None) -> tuple[int, str, bytes]:
        """Write an object unless there is one (If-None-Match: *), or read it."""
        if body is not None and path in self._objects:
            return 412, "text/xml", b"<Error><Code>PreconditionFailed</Code></Error>"
        if body is not None:
            self._objects[path] = body
        found = self._objects.get(path)
        missing = 404, "text/xml", b"<Error><Code>NoSuchKey</Code></Error>"
        return (200, "text/yaml", b"" if body is not None else found) if found is not None else missing

    def _control(self, head: bytes) -> tuple[int, str, bytes]:
        if b"/bench/reset" in head:
            self.calls.clear()
            self._buckets.clear()
            self._slept.clear()
            self.commands.clear()
            self._span = (0.0, 0.0)
        asked = self._span[1] - self._span[0]
        looks = sum(item.node_looks for item in self.commands.values())
        sent = sum((item.sent for item in self.commands.values()), Counter[str]())
        report = {"calls": self.calls, "node_looks": looks, "sent": sent, "asking_s": round(asked, 3)}
        report["proofs"] = sum(item.proofs for item in self.commands.values())
        report["reboots_after_s"] = [round(item, 1) for place in self.commands.values() for item in place.reboots_after]
        report["slowest_chain_s"] = round(self._slowest_chain(), 3)
        return 200, "application/json", json.dumps(report).encode()

    def _slowest_chain(self) -> float:
        """Seconds of latency that no concurrency can hide: identity, then a place's longest chain of calls."""
        identity = max((item["AssumeRole"] + item["GetCallerIdentity"] for item in self._slept.values()), default=0.0)
        tagged = [item["DescribeInstanceProperties"] + item["GetResources"] for item in self._slept.values()]
        return identity + max((*tagged, *(item["DescribeInstances"] for item in self._slept.values())), default=0.0)

    def _admit(self, account: str, region: str, operation: str) -> bool:
        """A token bucket per account, Region and operation; a rate of 0 never throttles."""
        if not self.rate:
            return True
        key, now = (account, region, operation), time.monotonic()
        tokens, then = self._buckets.get(key, (self.burst, now))
        tokens = min(self.burst, tokens + (now - then) * self.rate)
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1

    def _json(self, account: str, region: str, operation: str, request: dict[str, object]) -> bytes:
        if operation == "DescribeInstanceProperties":
            begin, size = int(str(request.get("NextToken", "0"))), int(str(request.get("MaxResults", 10)))
            return self._page(self.estate.properties, account, region, begin, begin + size)
        if operation == "GetResources":  # with filters: who carries an exception's tag; nobody does
            return self.estate.resources(list(request.get("ResourceARNList", [])))  # type: ignore[call-overload]
        commands = self.commands[account, region]
        if commands.knows(operation) and (operation != "DescribeInstancePatchStates" or commands.has_patched()):
            return commands.answer(operation, request)
        if operation == "DescribeInstancePatchStates":
            return self.estate.patch_states(list(request["InstanceIds"]))  # type: ignore[call-overload]
        raise NotImplementedError(operation)

    def _query(self, account: str, region: str, operation: str, form: dict[str, str]) -> bytes:
        if operation == "DescribeInstances":
            begin, size = int(form.get("NextToken", "0")), int(form.get("MaxResults", "1000"))
            return self._page(self.estate.instances, account, region, begin, size)
        if operation == "AssumeRole":
            return _ASSUMED.format(key=f"ASIA{form['RoleArn'].split(':')[4]}").encode()
        if operation == "GetCallerIdentity":
            return _IDENTITY.format(account=account).encode()
        raise NotImplementedError(operation)

    def _page(self, make: Callable[..., bytes], *args: object) -> bytes:
        """Every page is made once, so that a second run does not pay for it."""
        key = (make.__name__, *args)
        if key not in self._pages:
            self._pages[key] = make(*args)
        return self._pages[key]


def _account_of(access_key: str) -> str:
    digits = access_key[4:]
    return digits if digits.isdigit() and len(digits) == 12 else "111111111111"


def _refusal(is_json: bool) -> tuple[int, str, bytes]:
    if is_json:
        return 400, "application/x-amz-json-1.1", b'{"__type":"ThrottlingException","message":"Rate exceeded"}'
    error = "<Errors><Error><Code>RequestLimitExceeded</Code><Message>Rate exceeded</Message></Error></Errors>"
    return 503, "text/xml", f"<Response>{error}<RequestID>r</RequestID></Response>".encode()


_ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>
<Arn>arn:aws:sts::111111111111:assumed-role/r/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser><Credentials>
<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
_IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{account}:user/bench</Arn><UserId>AIDA</UserId><Account>{account}</Account></GetCallerIdentityResult>
</GetCallerIdentityResponse>"""


async def _main(options: argparse.Namespace) -> None:
    low, high = (float(part) / 1000 for part in options.latency.split("-"))
    estate, limits = Estate(options.nodes, options.hybrid), (options.rate, options.burst)
    endpoint = Endpoint(estate, (low, high), *limits, options.pace, options.hung)
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", options.port, limit=2**20)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--nodes", type=int, default=1000, help="nodes in every account-Region")
    parser.add_argument("--hybrid", type=int, default=0, help="every n-th node is an mi- node; 0 for none")
    parser.add_argument("--latency", default="50-150", help="milliseconds, from-to")
    parser.add_argument(
        "--rate", type=float, default=0, help="calls a second per account, Region, operation; 0: no limit"
    )
    parser.add_argument("--burst", type=float, default=20)
    parser.add_argument("--pace", type=float, default=1.0, help="how long commands take: 0.5 is half as long")
    parser.add_argument("--hung", type=int, default=0, help="nodes of every place whose install never ends")
    asyncio.run(_main(parser.parse_args()))
