// An ATM under test: virtual time, a bank in memory, real files; what a test says reads as a story.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "async/manual_loop.h"
#include "async/random.h"
#include "async/scope.h"
#include "atm/atm.h"
#include "atm/denominations.h"
#include "atm/device_world.h"
#include "atm/messages.h"
#include "atm_bank.h"
#include "atm_crashes.h"
#include "atm_methods.h"
#include "rpc/client.h"
#include "rpc/server.h"
#include "temporary_directory.h"

namespace atm {

using namespace std::chrono_literals;

// A clock that the test can push while the loop's time stands still, as a suspended machine does.
class TestBootClock final : public BootClock {
 public:
  explicit TestBootClock(async::ManualLoop& loop) : loop_(loop) {}
  std::chrono::nanoseconds now() const override { return loop_.now().time_since_epoch() + asleep; }
  std::chrono::nanoseconds asleep{0};

 private:
  async::ManualLoop& loop_;
};

class TestDisk final : public FreeSpace {
 public:
  std::uint64_t bytes() const override { return free; }
  std::uint64_t free = 1ULL << 40U;
};

// Tells the ATM when a customer's connection has ended.
class HouseObserver final : public rpc::ServerObserver {
 public:
  explicit HouseObserver(Atm& atm) : atm_(atm) {}
  void connection_closed(std::string_view peer, std::string_view /*why*/) override {
    atm_.connection_closed(peer);
  }

 private:
  Atm& atm_;
};

// A whole house: a bank, an ATM with its files, and a customer's and a staff member's connection.
class AtmHouse {
 public:
  explicit AtmHouse(int terminals_wanted = 1)
      : bank(loop), boot_clock(loop), terminals(terminals_wanted) {
    start();
  }
  ~AtmHouse() {
    stop();
    bank.close();
    loop.settle();
  }
  AtmHouse(const AtmHouse&) = delete;
  AtmHouse& operator=(const AtmHouse&) = delete;

  // The ATM's process begins: recovers from its files, then serves.
  void start() {
    start_with([](AtmHouse&) {});
  }
  // The same; `before_recovery` changes the devices as they are then.
  void start_with(const std::function<void(AtmHouse&)>& before_recovery) {
    plan.passed = 0;
    devices = std::make_unique<DeviceWorld>(loop, std::make_shared<DeviceFile>(folder_));
    dispenser = std::make_unique<CrashingDispenser>(loop, *devices, "atm-1", plan);
    acceptor = std::make_unique<CrashingAcceptor>(loop, *devices, "atm-1", plan);
    journal = std::make_shared<CrashingJournal>(folder_ / "atm", plan);
    World world{.loop = loop,
                .random = random,
                .boot_clock = boot_clock,
                .free_space = disk,
                .calendar = ops::Calendar::of_zone("UTC"),
                .log = ops::Log::to_string("atmd", ops::LogLevel::info, ops::LogFormat::text, log),
                .bank = {.endpoints = {AtmBank::address()}},
                .journal = journal,
                .terminals = {{"atm-1", *dispenser, *acceptor}}};
    if (terminals > 1) {
      second_dispenser = std::make_unique<CrashingDispenser>(loop, *devices, "atm-2", plan);
      second_acceptor = std::make_unique<CrashingAcceptor>(loop, *devices, "atm-2", plan);
      world.terminals.push_back({"atm-2", *second_dispenser, *second_acceptor});
    }
    atm = std::make_unique<Atm>(std::move(world), settings);
    before_recovery(*this);
    run(atm->recover());
    observer_ = std::make_unique<HouseObserver>(*atm);
    server = std::make_unique<rpc::Server>(loop, rpc::ServerLimits{}, *observer_);
    atm->serve_on(*server);
    server->serve(loop.listen(async::Endpoint::parse("atm:7002")));
    connect();
    pass(100ms);
  }
  // ... and ends, at once.
  void stop() {
    client.reset();
    server.reset();
    atm.reset();
    journal.reset();
    dispenser.reset();
    acceptor.reset();
    second_dispenser.reset();
    second_acceptor.reset();
    devices.reset();
  }
  // Copies the devices' file beside the journal, as atmd has them, once stopped. Returns the folder.
  std::filesystem::path folder_to_audit() const {
    for (const char* end : {"", "-wal"}) {
      const std::string name = std::string(device_file_name) + end;
      if (!std::filesystem::exists(folder_ / name)) continue;
      std::filesystem::copy_file(folder_ / name, folder_ / "atm" / name,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    return folder_ / "atm";
  }
  void restart() {
    stop();
    start();
  }
  // The customer walks away; another line to the ATM.
  void connect() {
    client = std::make_unique<rpc::Client>(
        loop, rpc::ClientOptions{.endpoints = {async::Endpoint::parse("atm:7002")}}, random);
  }

  template <typename T>
  T run(Task<T> task) {
    return loop.run(std::move(task));
  }
  // Lets time pass; throws what ended the ATM meanwhile.
  void pass(async::Duration time) {
    const async::Duration step = std::min<async::Duration>(time, 50ms);
    for (async::Duration passed{0}; passed < time; passed += step) {
      loop.advance(step);
      run(look_for_failure());
    }
  }

  template <typename Request, typename Response>
  Response call(const rpc::Method<Request, Response>& method, Request request,
                async::Duration patience = 10s) {
    rpc::Reply<Response> reply = try_call(method, std::move(request), patience);
    if (!reply) throw rpc::Error(reply.error());
    return *std::move(reply);
  }
  // A call, with virtual time passing as long as it takes.
  template <typename Request, typename Response>
  rpc::Reply<Response> try_call(const rpc::Method<Request, Response>& method, Request request,
                                async::Duration patience = 10s) {
    std::optional<rpc::Reply<Response>> reply;
    async::TaskScope scope(loop);
    begin_call(scope, method, std::move(request), patience, reply);
    while (!reply) pass(50ms);
    return *std::move(reply);
  }
  template <typename Request, typename Response>
  void begin_call(async::TaskScope& scope, const rpc::Method<Request, Response>& method,
                  Request request, async::Duration patience,
                  std::optional<rpc::Reply<Response>>& reply) {
    rpc::Context context(loop.in(patience));
    scope.spawn(call_into(client.get(), &method, std::move(request), std::move(context), &reply));
    run(look_for_failure());
  }

  // A customer's and the staff's words.
  v1::InsertCardResponse insert(const std::string& card = "4000-jane",
                                const std::string& pin = "1234", const std::string& terminal = "") {
    v1::InsertCardRequest request;
    request.set_card_number(card);
    request.set_pin(pin);
    request.set_terminal_id(terminal);
    v1::InsertCardResponse response = call(insert_card_method, std::move(request));
    if (response.has_session()) session = response.session().session_id();
    return response;
  }
  OperationId new_id() {
    OperationId id;
    id.bytes[0] = 1;
    id.bytes[15] = ++ids_;
    return id;
  }
  static ::bank::v1::Money money(std::int64_t euros) {
    return to_wire(Cents{euros * 100}, Currency::of("EUR"));
  }
  v1::WithdrawRequest withdrawal(OperationId id, std::int64_t euros) const {
    v1::WithdrawRequest request;
    request.set_id(std::string(id.view()));
    request.set_session_id(session);
    *request.mutable_amount() = money(euros);
    return request;
  }
  v1::WithdrawResponse withdraw(OperationId id, std::int64_t euros,
                                async::Duration patience = 10s) {
    return call(withdraw_method, withdrawal(id, euros), patience);
  }
  v1::WithdrawResponse withdraw(std::int64_t euros) { return withdraw(new_id(), euros); }
  v1::DepositRequest deposit_of(OperationId id, std::int64_t denomination,
                                std::uint32_t count) const {
    v1::DepositRequest request;
    request.set_id(std::string(id.view()));
    request.set_session_id(session);
    v1::Notes& notes = *request.add_notes();
    *notes.mutable_denomination() = money(denomination);
    notes.set_count(count);
    return request;
  }
  v1::DepositResponse deposit(OperationId id, std::int64_t denomination, std::uint32_t count,
                              async::Duration patience = 10s) {
    return call(deposit_method, deposit_of(id, denomination, count), patience);
  }
  v1::TransferRequest transfer_of(OperationId id, std::int64_t euros = 50,
                                  const std::string& target = "4000-john") const {
    v1::TransferRequest request;
    request.set_id(std::string(id.view()));
    request.set_session_id(session);
    request.set_target_account_id(target);
    *request.mutable_amount() = money(euros);
    return request;
  }
  v1::TransferResponse transfer(OperationId id, std::int64_t euros = 50,
                                const std::string& target = "4000-john",
                                async::Duration patience = 10s) {
    return call(transfer_method, transfer_of(id, euros, target), patience);
  }
  v1::ChangePinRequest change_of_pin(OperationId id, const std::string& from = "1234",
                                     const std::string& to = "9876") const {
    v1::ChangePinRequest request;
    request.set_id(std::string(id.view()));
    request.set_session_id(session);
    request.set_old_pin(from);
    request.set_new_pin(to);
    return request;
  }
  v1::ChangePinResponse change_pin(OperationId id, const std::string& from = "1234",
                                   const std::string& to = "9876") {
    return call(change_pin_method, change_of_pin(id, from, to));
  }
  v1::ResolveResponse resolve(OperationId id) {
    v1::ResolveRequest request;
    request.set_id(std::string(id.view()));
    request.set_terminal_id("atm-1");
    return call(resolve_method, std::move(request));
  }
  static v1::LoadRequest load_of(OperationId id, std::uint32_t position, std::int64_t denomination,
                                 std::uint32_t count) {
    v1::LoadRequest request;
    request.set_id(std::string(id.view()));
    request.set_terminal_id("atm-1");
    request.set_position(position);
    *request.mutable_notes()->mutable_denomination() = money(denomination);
    request.mutable_notes()->set_count(count);
    return request;
  }
  v1::LoadResponse load(OperationId id, std::uint32_t position, std::int64_t denomination,
                        std::uint32_t count) {
    return call(load_method, load_of(id, position, denomination, count));
  }
  v1::LoadResponse load(std::uint32_t position, std::int64_t denomination, std::uint32_t count) {
    return load(new_id(), position, denomination, count);
  }
  static v1::UnloadRequest unload_of(OperationId id) {
    v1::UnloadRequest request;
    request.set_id(std::string(id.view()));
    request.set_terminal_id("atm-1");
    return request;
  }
  v1::UnloadResponse unload(OperationId id) { return call(unload_method, unload_of(id)); }
  v1::Terminal set_service(bool in_service) {
    v1::SetServiceRequest request;
    request.set_terminal_id("atm-1");
    request.set_in_service(in_service);
    return call(set_service_method, std::move(request)).terminal();
  }
  v1::Terminal terminal() {
    return call(list_terminals_method, v1::ListTerminalsRequest()).terminals(0);
  }
  v1::AuditResponse audit() {
    v1::AuditRequest request;
    request.set_terminal_id("atm-1");
    return call(audit_method, std::move(request));
  }
  void set_fault(v1::Device device, v1::Fault fault, std::uint32_t after_notes = 0,
                 std::uint32_t delay_ms = 0) {
    v1::SetFaultRequest request;
    request.set_terminal_id("atm-1");
    request.set_device(device);
    request.set_fault(fault);
    request.set_after_notes(after_notes);
    request.set_delay_ms(delay_ms);
    call(set_fault_method, std::move(request));
  }
  // Every open item, as "withdrawal DISPENSED".
  std::vector<std::string> open_items() {
    v1::ListOpenItemsRequest request;
    request.set_terminal_id("atm-1");
    std::vector<std::string> items;
    const v1::ListOpenItemsResponse response = call(list_open_items_method, std::move(request));
    for (const v1::OpenItem& item : response.items()) {
      items.push_back(item.kind() + " " + item.state());
    }
    return items;
  }
  std::vector<std::string> exceptions() {
    v1::ListOpenItemsRequest request;
    request.set_terminal_id("atm-1");
    const auto response = call(list_open_items_method, std::move(request));
    return {response.exceptions().begin(), response.exceptions().end()};
  }
  std::vector<std::string> differences() {
    const v1::AuditResponse response = audit();
    return {response.differences().begin(), response.differences().end()};
  }
  std::int64_t balance(const std::string& card = "4000-jane") {
    return bank.state.customers.at(card).balance / 100;
  }
  std::int64_t held(const std::string& card = "4000-jane") {
    return bank.state.customers.at(card).held / 100;
  }
  // What is really in the cassettes and bins, in euros.
  std::int64_t really_inside() {
    const Told<Dispenser::Inside> notes = run(dispenser->count());
    const Told<Acceptor::Inside> taken = run(acceptor->count());
    Cents sum = notes->rejected.amount() + taken->bin.amount() + taken->escrow.amount();
    for (const Cassette& each : notes->cassettes) sum += worth(each.denomination, each.count);
    return sum.value / 100;
  }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  Task<> look_for_failure() { co_await loop.yield(); }
  template <typename Request, typename Response>
  static Task<> call_into(rpc::Client* client, const rpc::Method<Request, Response>* method,
                          Request request, rpc::Context context,
                          std::optional<rpc::Reply<Response>>* reply) {
    reply->emplace(co_await client->try_call(*method, std::move(request), std::move(context)));
  }

  // A crash in these tests is one of the process.
  const testkit::TemporaryDirectory kept_{testkit::fast_directory()};
  std::filesystem::path folder_ = kept_.path();
  std::unique_ptr<HouseObserver> observer_;
  std::uint8_t ids_ = 0;

 public:
  async::ManualLoop loop;
  async::SeededRandom random{1};
  AtmBank bank;
  TestBootClock boot_clock;
  TestDisk disk;
  Settings settings{.currency = Currency::of("EUR"),
                    .denominations = *usual_denominations(Currency::of("EUR"))};
  CrashPlan plan;
  int terminals;  // 1 or 2; a restart makes it so.
  std::string log;
  std::string session;
  std::shared_ptr<CrashingJournal> journal;
  std::unique_ptr<DeviceWorld> devices;
  std::unique_ptr<CrashingDispenser> dispenser;
  std::unique_ptr<CrashingAcceptor> acceptor;
  std::unique_ptr<CrashingDispenser> second_dispenser;
  std::unique_ptr<CrashingAcceptor> second_acceptor;
  std::unique_ptr<Atm> atm;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<rpc::Client> client;
};

using Sentences = std::vector<std::string>;

}  // namespace atm
