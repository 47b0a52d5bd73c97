"""All replies that become ready in one turn of the loop leave in one write."""

from kit.bank import ScriptedBank
from kit.client import RpcClient
from kit.poll import until
from kit.protos import BankService, HealthService, envelope, path_of

CHECK = path_of(HealthService.methods_by_name["Check"])
SIGN_ON = path_of(BankService.methods_by_name["SignOn"])
REQUESTS = 64


def traced(daemon, report):
    """The same daemon, every write to a socket of which is a line of `report`. Its pid stays its own."""
    strace = ["strace", "-D", "-f", "-qq", "-yy", "-s0", "-e", "signal=none", "-o", report]
    daemon.argv = [*map(str, strace), "-e", "trace=write,writev,sendto,sendmsg,sendmmsg", *daemon.argv]
    return daemon


async def ask(server, method):
    """Sends the requests in one piece and returns the port they came from."""
    async with await RpcClient.connect(server.address) as client:
        client.send(*(envelope.Request(id=id, method=method) for id in range(1000, 1000 + REQUESTS)))
        await until(lambda: len(client.stray) == REQUESTS, "every reply")
        return client.local_port


def writes_to(port, report):
    return [line for line in report.read_text().splitlines() if f"->127.0.0.1:{port}]" in line]


async def test_the_bank_answers_64_pipelined_requests_in_at_most_2_writes(programs, tmp_path):
    report = tmp_path / "strace"
    async with traced(programs.bankd(tmp_path), report) as bankd:
        ports = [await ask(bankd, CHECK), await ask(bankd, SIGN_ON)]
        await bankd.terminate()  # Then the report is whole.
    for port in ports:
        assert 1 <= len(writes_to(port, report)) <= 2


async def test_the_atm_answers_64_pipelined_requests_in_at_most_2_writes(programs, tmp_path):
    report = tmp_path / "strace"
    async with ScriptedBank() as bank, traced(programs.atmd(bank.address, tmp_path), report) as atmd:
        port = await ask(atmd, CHECK)
        await atmd.terminate()
    assert 1 <= len(writes_to(port, report)) <= 2
