#include "rpc/server_core.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "rpc/envelope.h"
#include "rpc/quiet.h"

namespace rpc::detail {

namespace {

// After a failed accept, such as for want of file descriptors: others may be closed meanwhile.
constexpr async::Duration accept_again_after = std::chrono::milliseconds(100);

// Of each method: as many as a few busy connections have in flight.
constexpr std::size_t spare_messages_max = 1024;
// What was longer grew memory that is not worth keeping.
constexpr std::size_t spare_message_size_max = 1024;

}  // namespace

ServerCore::ServerCore(async::Loop& on, const ServerLimits& limited_to, ServerObserver& observed_by)
    : loop(on),
      limits(limited_to),
      observer(observed_by),
      health(on),
      quieter_(on),
      listeners_(on) {
  silence_protobuf();
  health.set_serving("", true);
}

ServerCore::~ServerCore() {
  listeners_.cancel();
  unlink();
  destroy_ended_calls();
  while (!connections_.empty()) {
    Connection& connection = *connections_.back();
    connections_.pop_back();
    connection.is_known = false;
    connection.close();
    destroy_ended_calls();
    connection.destroy_calls();
    connection.release();
  }
  unlink();
}

void ServerCore::add(Handler handler) {
  const google::protobuf::ServiceDescriptor& service = *handler.descriptor->service();
  std::string name = handler.name;
  if (!handlers_.try_emplace(std::move(name), std::move(handler)).second) {
    throw std::logic_error("a method of " + service.full_name() + " is handled twice");
  }
  health.set_serving(service.full_name(), true);
  reflection.add(service);
}

Handler* ServerCore::find(std::string_view method) noexcept {
  const auto found = handlers_.find(method);
  return found == handlers_.end() ? nullptr : &found->second;
}

std::unique_ptr<google::protobuf::Message> ServerCore::take(
    Spares& spares, const google::protobuf::Message& prototype) {
  if (spares.empty()) return std::unique_ptr<google::protobuf::Message>(prototype.New());
  std::unique_ptr<google::protobuf::Message> message = std::move(spares.back());
  spares.pop_back();
  return message;
}

void ServerCore::keep(Spares& spares, std::unique_ptr<google::protobuf::Message> message,
                      std::size_t size) noexcept {
  if (size > spare_message_size_max || spares.size() >= spare_messages_max) return;
  spares.push_back(std::move(message));
}

void ServerCore::serve(async::Listener listener) {
  listeners_.spawn(accept_from(std::move(listener)));
}

async::Task<> ServerCore::accept_from(async::Listener listener) {
  while (true) {
    bool failed = false;
    try {
      async::Task<async::Stream> accepting = listener.accept();
      async::Stream stream = co_await accepting;
      serve(std::move(stream));
    } catch (const async::IoError& error) {
      failed = true;
      observer.accept_failed(error.what());
    }
    if (failed) co_await loop.sleep_for(accept_again_after);
  }
}

void ServerCore::serve(async::Stream stream) {
  if (open_count_ >= limits.connections_max) return turn_away(std::move(stream));
  auto* const connection = new Connection(*this, std::move(stream));
  connection->index = connections_.size();
  connections_.push_back(connection);
  ++open_count_;
  observer.connection_opened(connection->peer());
  connection->start();
}

// Whoever comes too late is told why, as far as that is possible without waiting for him.
void ServerCore::turn_away(async::Stream stream) {
  constexpr const char* why = "there are too many connections";
  std::string reply;
  append_status(reply, 0, StatusCode::resource_exhausted, why);
  try {
    stream.try_write(async::bytes_of(reply));
  } catch (const async::IoError&) {
    // He is gone already.
  }
  observer.connection_closed(stream.peer(), why);
}

void ServerCore::close_soon(Connection& connection) {
  closing_.push_back(&connection);
  arm();
}

void ServerCore::call_ended(Call& call) noexcept {
  --calls_in_flight_;
  call.insert_before(ended_calls_);
  quieter_.set();
  arm();
}

void ServerCore::arm() noexcept {
  if (!linked()) loop.at_turn_end(*this);
}

void ServerCore::turn_ended() {
  destroy_ended_calls();
  for (Connection* const connection : std::exchange(closing_, {})) {
    connection->retain();  // Its last call may let go of it.
    connection->close();
    --open_count_;
    observer.connection_closed(connection->peer(), connection->why_closed());
    destroy_ended_calls();
    forget_if_done(*connection);
    connection->release();
  }
  quieter_.set();
}

void ServerCore::destroy_ended_calls() {
  while (ended_calls_.linked()) {
    Call& call = static_cast<Call&>(*ended_calls_.next());
    call.unlink();
    Connection& connection = call.connection();
    call.destroy_work();
    connection.wake_writer();  // It may have been woken itself, and not have come to it.
    forget_if_done(connection);
    call.release();
  }
}

void ServerCore::forget_if_done(Connection& connection) noexcept {
  if (connection.is_open() || connection.has_calls() || !connection.is_known) return;
  connection.is_known = false;
  connections_[connection.index] = connections_.back();
  connections_[connection.index]->index = connection.index;
  connections_.pop_back();
  connection.release();
}

async::Task<> ServerCore::drain(async::Deadline deadline) {
  draining_ = true;
  listeners_.cancel();
  health.set_all_serving(false);
  co_await loop.yield();  // Whoever watches health hears that before its stream ends.
  for (Connection* const connection : connections_) {
    connection->end_streams(
        Status{.code = StatusCode::unavailable, .message = "the server is shutting down"});
    connection->hurry();
  }
  async::Task<> quiet = until_quiet();
  async::Task<std::optional<std::monostate>> waiting =
      async::with_deadline(loop, deadline, std::move(quiet));
  co_await waiting;
  for (Connection* const connection : connections_) {
    if (connection->is_open()) connection->close_soon({});
  }
  while (open_count_ > 0) {
    quieter_.clear();
    co_await quieter_;
  }
}

async::Task<> ServerCore::until_quiet() {
  while (!is_quiet()) {
    quieter_.clear();
    co_await quieter_;
  }
}

bool ServerCore::is_quiet() const noexcept {
  if (calls_in_flight_ > 0) return false;
  const auto has_nothing_to_say = [](const Connection* connection) {
    return connection->pending() == 0;
  };
  return std::all_of(connections_.begin(), connections_.end(), has_nothing_to_say);
}

}  // namespace rpc::detail
