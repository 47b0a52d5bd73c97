#include "rpc/client_core.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "rpc/quiet.h"

namespace rpc {

async::Task<> ConnectionObserver::on_connected(Channel&) { co_return; }

}  // namespace rpc

namespace rpc::detail {

namespace {

// A fresh connection's calls, before others may use it.
class FreshChannel final : public Channel {
 public:
  explicit FreshChannel(ClientConnection& connection) : Channel(connection) {}
};

Status unavailable(std::string message) {
  return Status{.code = StatusCode::unavailable, .message = std::move(message)};
}

}  // namespace

async::Duration BackOff::next() {
  const async::Duration longest = next_;
  next_ = std::min(2 * next_, max_);
  const auto part = random_.below(static_cast<std::uint64_t>(longest.count() / 2) + 1);
  return longest / 2 + async::Duration(static_cast<std::int64_t>(part));
}

ClientCore::ClientCore(async::Loop& loop, ClientOptions options, async::Random& random)
    : loop_(loop),
      options_(std::move(options)),
      random_(random),
      back_off_(options_.limits.back_off_first, options_.limits.back_off_max, random),
      connected_(loop),
      work_(loop) {
  async::check(!options_.endpoints.empty(), "a client needs an endpoint");
  silence_protobuf();
}

ClientCore::~ClientCore() {
  work_.cancel();
  end_queued(Status{.code = StatusCode::cancelled, .message = "the client was destroyed"});
}

void ClientCore::connect() {
  if (started_) return;
  started_ = true;
  work_.spawn(keep_connected());
}

async::Task<> ClientCore::until_connected() {
  connect();
  co_await connected_;
}

async::Task<> ClientCore::keep_connected() {
  while (true) {
    async::Task<std::optional<async::Stream>> connecting = connect_to_any();
    std::optional<async::Stream> stream = co_await connecting;
    if (stream) {
      async::Task<> using_it = use(std::move(*stream));
      co_await using_it;
    }
    co_await loop_.sleep_for(back_off_.next());
  }
}

async::Task<std::optional<async::Stream>> ClientCore::connect_to_any() {
  std::optional<async::Stream> stream;
  for (const async::Endpoint& endpoint : options_.endpoints) {
    async::Task<std::optional<async::Stream>> connecting = connect_to(endpoint);
    stream = co_await connecting;
    if (stream) break;
  }
  if (!stream) tell_disconnected(unavailable(last_failure_));
  co_return stream;
}

async::Task<std::optional<async::Stream>> ClientCore::connect_to(async::Endpoint endpoint) {
  try {
    const async::Deadline deadline = loop_.in(options_.limits.connect_time_max);
    async::Task<async::Stream> opening = open(endpoint);
    async::Task<std::optional<async::Stream>> waiting =
        async::with_deadline(loop_, deadline, std::move(opening));
    std::optional<async::Stream> stream = co_await waiting;
    if (!stream) last_failure_ = endpoint.text() + " did not answer";
    if (stream) connected_to_ = endpoint.text();
    co_return stream;
  } catch (const async::IoError& error) {
    last_failure_ = error.what();
  }
  co_return std::nullopt;
}

async::Task<async::Stream> ClientCore::open(async::Endpoint endpoint) {
  return options_.connect ? options_.connect(std::move(endpoint))
                          : loop_.connect(std::move(endpoint));
}

async::Task<> ClientCore::use(async::Stream stream) {
  ClientConnection connection(loop_, std::move(stream), connected_to_, buffers_, options_.limits,
                              random_);
  async::TaskScope beside(loop_);
  beside.spawn(sign_on(&connection));
  async::Task<> running = connection.run();
  co_await running;
  beside.cancel();
  current_ = nullptr;
  connected_.clear();
  if (connection.has_heard()) back_off_.reset();
  last_failure_ = connection.why_ended().message;
  tell_disconnected(connection.why_ended());
}

async::Task<> ClientCore::sign_on(ClientConnection* connection) {
  std::string failure = "the sign-on took too long";
  try {
    bool done = options_.observer == nullptr;
    if (!done) {
      FreshChannel fresh(*connection);
      const async::Deadline deadline = loop_.in(options_.limits.sign_on_time_max);
      async::Task<> signing_on = options_.observer->on_connected(fresh);
      async::Task<std::optional<std::monostate>> waiting =
          async::with_deadline(loop_, deadline, std::move(signing_on));
      const std::optional<std::monostate> signed_on = co_await waiting;
      done = signed_on.has_value();
    }
    if (done) {
      is_down_ = false;
      current_ = connection;
      connection->set_on_room(this);
      connected_.set();
      room();
      co_return;
    }
  } catch (const std::exception& error) {
    failure = std::string("the sign-on failed: ") + error.what();
  }
  connection->end(unavailable(std::move(failure)));
}

void ClientCore::tell_disconnected(Status why) {
  is_down_ = true;
  if (options_.observer != nullptr) options_.observer->on_disconnected(why);
  if (!options_.fail_fast) return;
  why.never_sent = true;
  end_queued(why);
}

void ClientCore::begin(Outgoing& call) {
  connect();
  if (current_ != nullptr && !queue_.linked() && current_->has_room()) return current_->begin(call);
  if (options_.fail_fast && is_down_) {
    Status status = unavailable(last_failure_);
    status.never_sent = true;
    return call.end(std::move(status));
  }
  call.insert_before(queue_);
}

void ClientCore::room() noexcept {
  while (queue_.linked() && current_ != nullptr && current_->has_room()) {
    Outgoing& call = static_cast<Outgoing&>(*queue_.next());
    call.unlink();
    // Without time left it is not sent: its timer ends it in this same turn.
    if (!call.context.deadline.has_passed(loop_.now())) current_->begin(call);
  }
}

void ClientCore::forget(Outgoing& call) noexcept {
  if (call.id != 0) current_->forget(call);
}

void ClientCore::resume_reading(Outgoing& call) noexcept {
  if (current_ != nullptr) current_->resume_reading(call);
}

void ClientCore::end_queued(const Status& why) noexcept {
  while (queue_.linked()) {
    Outgoing& call = static_cast<Outgoing&>(*queue_.next());
    call.unlink();
    Status status = why;
    status.never_sent = true;
    call.end(std::move(status));
  }
}

}  // namespace rpc::detail
