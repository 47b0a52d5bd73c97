#include "rpc/client.h"

#include <utility>

#include "async/scope.h"
#include "rpc/client_core.h"

namespace rpc {

Client::Client(async::Loop& loop, ClientOptions options, async::Random& random)
    : Client(std::make_unique<detail::ClientCore>(loop, std::move(options), random)) {}

Client::Client(std::unique_ptr<detail::ClientCore> core) : Channel(*core), core_(std::move(core)) {}

Client::~Client() = default;

void Client::connect() { core_->connect(); }

async::Task<bool> Client::connected(async::Deadline deadline) {
  async::Task<> connecting = core_->until_connected();
  async::Task<std::optional<std::monostate>> waiting =
      async::with_deadline(core_->loop(), deadline, std::move(connecting));
  const std::optional<std::monostate> done = co_await waiting;
  co_return done.has_value();
}

bool Client::is_connected() const noexcept { return core_->is_connected(); }
std::size_t Client::calls_in_flight() const noexcept { return core_->calls_in_flight(); }

}  // namespace rpc
