// The bank as its callers see it: the real services on a real server, asked over connections in
// memory, on a loop whose time the test drives.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "async/manual_loop.h"
#include "async/random.h"
#include "async/scope.h"
#include "bank/bank_service.h"
#include "bank/messages.h"
#include "bank/operator_service.h"
#include "ledger/memory_journal.h"
#include "ops/log.h"
#include "rpc/client.h"
#include "rpc/server.h"
#include "store_fixture.h"

namespace bank {

using namespace std::chrono_literals;

// Takes the storage's steps in the loop's own turns.
class LoopExecutor final : public ledger::Executor {
 public:
  explicit LoopExecutor(async::Loop& loop) : loop_(loop) {}
  void start(std::function<bool()> step) override { step_ = std::move(step); }
  void stop() override { step_ = nullptr; }
  void wake() override {
    if (std::exchange(is_awake_, true)) return;
    loop_.post([this] {
      is_awake_ = false;
      if (step_ && !is_held && step_()) wake();
    });
  }
  void go_on() {
    is_held = false;
    wake();
  }

  // True: nothing is decided.
  bool is_held = false;

 private:
  async::Loop& loop_;
  std::function<bool()> step_;
  bool is_awake_ = false;
};

inline constexpr PinCost cheap_pins{.passes = 1, .memory_bytes = 8192};
inline const async::Endpoint bank_address = async::Endpoint::parse("127.0.0.1:7001");

// One life of bankd, wired as main does it.
struct BankProcess {
  BankProcess(async::ManualLoop& loop, ledger::Journal& journal, ledger::Executor& executor,
              ledger::StoreClock& clock, async::Random& random, const ops::Log& log,
              ledger::StoreOptions options)
      : store(loop, journal, executor, clock, options),
        changes(store, log),
        tokens(loop, random),
        hasher(loop, cheap_pins),
        pins(loop, store, changes, hasher, random),
        bank(store, changes, pins, tokens),
        operators(loop, store, changes, hasher, tokens),
        server(loop, rpc::ServerLimits(), observer) {
    bank.add_to(server);
    operators.add_to(server);
    server.serve(loop.listen(bank_address));
  }

  ledger::Store store;
  Changes changes;
  Tokens tokens;
  PinHasher hasher;
  PinDesk pins;
  BankService bank;
  OperatorService operators;
  rpc::ServerObserver observer;
  rpc::Server server;
};

// The path of the method that takes such a request.
inline std::string method_of(const google::protobuf::Descriptor& request) {
  for (const char* name : {"bank.v1.BankService", "bank.v1.OperatorService"}) {
    const auto* const service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    for (int i = 0; i < service->method_count(); ++i) {
      if (service->method(i)->input_type() == &request) {
        return std::string(name) + "/" + service->method(i)->name();
      }
    }
  }
  return "";
}

// A call that runs beside the test.
template <typename Response>
struct RunningCall {
  std::optional<rpc::Status> status;
  Response response;
};
template <typename Response>
using RunningCallPtr = std::shared_ptr<RunningCall<Response>>;

class BankBench {
 public:
  explicit BankBench(ledger::StoreOptions options = {}) : options_(options) { start(); }
  ~BankBench() {
    tasks.cancel();
    if (!process) return;
    EXPECT_TRUE(process->store.books().is_balanced());
  }

  void start() {
    process = std::make_unique<BankProcess>(loop, journal, executor, clock, random, log, options_);
    rpc::ClientOptions to_bank;
    to_bank.endpoints = {bank_address};
    client = std::make_unique<rpc::Client>(loop, std::move(to_bank), random);
  }
  // Nothing but the journal stays.
  void restart() {
    client.reset();
    process.reset();
    loop.settle();
    start();
  }

  // Starts a call; the test lets time pass.
  template <typename Response, typename Request>
  RunningCallPtr<Response> begin(Request request, async::Duration time_left = 30s) {
    auto asked = std::make_shared<RunningCall<Response>>();
    tasks.spawn(ask_into(client.get(), method_of(*Request::descriptor()), std::move(request),
                         rpc::Context(loop.in(time_left)), asked));
    return asked;
  }
  // The whole call, with the little time that a refused PIN takes.
  template <typename Response, typename Request>
  rpc::Status ask(Request request, Response& response, async::Duration time_left = 30s) {
    const RunningCallPtr<Response> asked = begin<Response>(std::move(request), time_left);
    loop.settle();
    for (int tries = 0; tries < 20 && !asked->status; ++tries) loop.advance(10ms);
    EXPECT_TRUE(asked->status.has_value()) << "no answer to " << method_of(*Request::descriptor());
    response = std::move(asked->response);
    return asked->status.value_or(rpc::Status{.code = rpc::StatusCode::unknown});
  }
  template <typename Response, typename Request>
  Response answer(Request request) {
    Response response;
    const rpc::Status status = ask(std::move(request), response);
    EXPECT_TRUE(status.is_ok()) << status.text();
    return response;
  }
  template <typename Response, typename Request>
  rpc::StatusCode code(Request request, async::Duration time_left = 30s) {
    Response response;
    return ask(std::move(request), response, time_left).code;
  }

  std::string next_id() {
    std::array<std::uint8_t, 10> chance{};
    ++ids_;
    for (std::size_t place = 0; place < 7; ++place) {
      chance[3 + place] = static_cast<std::uint8_t>(ids_ >> (8 * place));
    }
    return std::string(ledger::OperationId::make(clock.now(), chance).view());
  }

  async::ManualLoop loop;
  async::SeededRandom random{7};
  ledger::MemoryJournal memory{{1, 2, 3}};
  ledger::FaultyJournal journal{memory};
  ledger::ManualClock clock{loop};
  LoopExecutor executor{loop};
  std::string log_lines;
  ops::Log log = ops::Log::to_string("bankd", ops::LogLevel::info, ops::LogFormat::text, log_lines);
  std::unique_ptr<BankProcess> process;
  std::unique_ptr<rpc::Client> client;
  async::TaskScope tasks{loop};

 private:
  template <typename Request, typename Response>
  static async::Task<> ask_into(rpc::Client* client, std::string method, Request request,
                                rpc::Context context, RunningCallPtr<Response> asked) {
    auto call = client->exchange(method, request, asked->response, std::move(context));
    rpc::Status status = co_await call;
    asked->status = std::move(status);
  }

  ledger::StoreOptions options_;
  std::uint64_t ids_ = 0;
};

}  // namespace bank
