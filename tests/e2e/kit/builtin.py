"""What every server answers: health and reflection, as FRAMING.md and the .proto files say."""

import asyncio

from google.protobuf import descriptor_pb2

from kit.protos import HealthService, ReflectionService, health, reflection
from kit.status import Code, RpcError


class Health:
    def __init__(self, server):
        self._server = server
        server.serve(HealthService, {"Check": self.check, "Watch": self.watch})

    def _knows(self, service):
        return service == "" or service in self._server.services

    async def check(self, request):
        if not self._knows(request.service):
            raise RpcError(Code.NOT_FOUND, f"no service {request.service}")
        return health.CheckResponse(status=health.SERVING_STATUS_SERVING)

    async def watch(self, request):
        known = self._knows(request.service)
        status = health.SERVING_STATUS_SERVING if known else health.SERVING_STATUS_SERVICE_UNKNOWN
        yield health.WatchResponse(status=status)
        await asyncio.get_running_loop().create_future()


class Reflection:
    def __init__(self, server):
        self._server = server
        server.serve(ReflectionService, {"ListServices": self.list_services, "GetFiles": self.get_files})

    async def list_services(self, request):
        return reflection.ListServicesResponse(services=sorted(self._server.services))

    async def get_files(self, request):
        for file in imports_first(self._file_of(request.symbol)):
            described = descriptor_pb2.FileDescriptorProto()
            file.CopyToProto(described)
            yield reflection.GetFilesResponse(file=described.SerializeToString())

    def _file_of(self, symbol):
        pool = HealthService.file.pool
        try:
            return pool.FindFileContainingSymbol(symbol)
        except KeyError:
            raise RpcError(Code.NOT_FOUND, f"no symbol {symbol}") from None


def imports_first(file, seen=None):
    seen = set() if seen is None else seen
    for each in file.dependencies:
        yield from imports_first(each, seen)
    if file.name not in seen:
        seen.add(file.name)
        yield file
