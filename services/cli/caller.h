// What both command lines need around their calls: a client, ids, and Ctrl-C.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "async/endpoint.h"
#include "async/random.h"
#include "async/scope.h"
#include "async/uv_loop.h"
#include "ledger/operation_id.h"
#include "ops/failure.h"
#include "ops/options.h"
#include "ops/run_main.h"
#include "rpc/client.h"

namespace cli {

// Of a program that makes a few calls and ends: a server that cannot be reached is told at once.
rpc::ClientOptions client_options(async::Endpoint server);

// A new id for a change (rule 5).
ledger::OperationId new_id(async::WallTime now, async::Random& random);

// Waits for SIGINT, SIGTERM, or SIGHUP and SIGQUIT, unless these are ignored, as under nohup.
class Interrupts {
 public:
  virtual ~Interrupts() = default;
  // Returns the signal that came.
  virtual async::Task<int> next() = 0;
  // The same, but also returns SIGPIPE when nobody reads standard output any more.
  virtual async::Task<int> next_or_unread() { return next(); }
};

class SignalInterrupts final : public Interrupts {
 public:
  explicit SignalInterrupts(async::UvLoop& loop) : loop_(loop) {}
  async::Task<int> next() override;
  async::Task<int> next_or_unread() override;

 private:
  async::UvLoop& loop_;
};

// The task's result, or nothing when the person no longer waits for it.
template <typename T>
async::Task<std::optional<T>> unless_interrupted(Interrupts& interrupts, async::Task<T> task) {
  async::Task<int> signal = interrupts.next();  // Before the task: nothing is sent unwatched.
  auto first = co_await async::first_of(std::move(signal), std::move(task));
  std::optional<T> result;
  if (first.index() == 1) result.emplace(std::get<1>(std::move(first)));
  co_return result;
}

// The same of a task that prints what comes, for as long as it comes. Throws Failure(io_error) when
// nobody reads that any more, as in `watch | head -1`.
template <typename T>
async::Task<std::optional<T>> while_read(Interrupts& interrupts, async::Task<T> task) {
  async::Task<int> signal = interrupts.next_or_unread();
  auto first = co_await async::first_of(std::move(task), std::move(signal));
  const int* const caught = std::get_if<1>(&first);
  if (caught != nullptr && *caught == SIGPIPE) {
    throw ops::Failure(ops::ExitCode::io_error, "Nobody reads standard output any more.");
  }
  std::optional<T> result;
  if (caught == nullptr) result.emplace(std::get<0>(std::move(first)));
  co_return result;
}

// The Failure for a call that changed nothing, or of which nobody cares whether it did: a question.
// The second says why in other words than the status' own, which name its code.
[[nodiscard]] ops::Failure no_answer(const std::string& server, const rpc::Status& status);
[[nodiscard]] ops::Failure no_answer(const std::string& server, const rpc::Status& status,
                                     const std::string& why);

// How a program ends whose call threw: rpc::Error, by its status.
std::optional<ops::Ending> rpc_endings(const std::exception& error);

// Runs a program whose --json puts an object on standard output, whatever is wrong: where it fails
// and has printed nothing, {"outcome":"error","message":SENTENCE}. `json` is the option's variable;
// --json counts also on a line in which something else is wrong. Returns the exit code.
int run_json_program(ops::CommandLine& line, int argc, const char* const* argv, const bool& json);

// Where a person keeps a program's options: $XDG_CONFIG_HOME/teller/PROGRAM.toml, else
// ~/.config/teller/PROGRAM.toml; "" without a home.
std::string config_file(std::string_view program);

// The wall clock, where there is no loop yet.
async::WallTime wall_now();

// What `check_health` asks about beside the server itself.
struct HealthQuestion {
  std::string service;  // "atm.v1.AtmService"
  std::string must_be;  // "the ATM": a server without the service is not it. Empty: any will do.
  bool json = false;
};

// The `health` command of a daemon or an operator: asks rpc.v1.HealthService on `server`. Prints that
// it is serving and returns 0, else throws Failure(unavailable) within `wait_max`, or
// Failure(protocol) where the server is not what it must be. A service that does not serve is printed
// with the reason, and is no failure: the server runs. With `json` that is one object.
int check_health(const async::Endpoint& server, async::Duration wait_max,
                 const HealthQuestion& question);

}  // namespace cli
