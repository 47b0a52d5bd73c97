#include "rpc/client_connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "async/scope.h"
#include "rpc/envelope.h"
#include "rpc/v1/health.pb.h"

namespace rpc::detail {

namespace {

constexpr async::Instant not_silent = async::Instant::max();

// Rounded up, so that a call whose time is not over never says that it names none; a wait for ever
// is none.
std::uint32_t time_left_ms(async::Deadline deadline, async::Instant now) {
  if (deadline.is_never()) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left(now)).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, UINT32_MAX));
}

}  // namespace

void CallTable::add(Outgoing& call) {
  if (size_ >= buckets_.size()) grow();
  Outgoing*& bucket = buckets_[bucket_of(call.id)];
  call.next_in_bucket = bucket;
  bucket = &call;
  ++size_;
}

Outgoing* CallTable::find(std::uint64_t id) const noexcept {
  Outgoing* call = buckets_[bucket_of(id)];
  while (call != nullptr && call->id != id) call = call->next_in_bucket;
  return call;
}

void CallTable::remove(Outgoing& call) noexcept {
  Outgoing** place = &buckets_[bucket_of(call.id)];
  while (*place != &call) place = &(*place)->next_in_bucket;
  *place = call.next_in_bucket;
  --size_;
}

Outgoing* CallTable::any() const noexcept {
  const auto is_call = [](const Outgoing* call) { return call != nullptr; };
  const auto found = std::find_if(buckets_.begin(), buckets_.end(), is_call);
  return found == buckets_.end() ? nullptr : *found;
}

void CallTable::grow() {
  const std::vector<Outgoing*> old = std::exchange(buckets_, {});
  buckets_.resize(2 * old.size());
  size_ = 0;
  for (Outgoing* first : old) {
    while (first != nullptr) add(*std::exchange(first, first->next_in_bucket));
  }
}

ClientConnection::ClientConnection(async::Loop& loop, async::Stream from, std::string server,
                                   BufferPool& buffers, const ClientLimits& limits,
                                   async::Random& random)
    : ClientStream{std::move(from)},
      Outbox(loop, ClientStream::stream, buffers),
      server_(std::move(server)),
      loop_(loop),
      limits_(limits),
      random_(random),
      released_(loop),
      ended_(loop) {}

ClientConnection::~ClientConnection() {
  end(Status{.code = StatusCode::cancelled, .message = "the client was destroyed"});
  stop();
}

async::Task<> ClientConnection::run() {
  async::Task<> reading = read_responses();
  async::Task<> ending = until_ended();
  auto racing = async::first_of(std::move(reading), std::move(ending));
  co_await racing;
}

async::Task<> ClientConnection::until_ended() { co_await ended_; }

async::Task<> ClientConnection::read_responses() {
  const auto on_frame = [this](const Frame& frame) { return take(frame); };
  std::string left;  // Read, but not looked at yet: a stream's queue is full.
  try {
    while (true) {
      std::span<const std::byte> bytes = async::bytes_of(left);
      if (left.empty()) {
        bytes = co_await stream.read_some();
        if (bytes.empty()) break;
        heard_ = true;
        asked_for_life_ = false;
        silent_since_ = not_silent;
      }
      const std::size_t used = frames_.feed(bytes, on_frame);
      std::string rest(async::text_of(bytes.subspan(used)));
      left = std::move(rest);
      if (ended_.is_set()) co_return;
      if (held_by_ != nullptr) {
        released_.clear();
        co_await released_;
      }
      if (calls_.size() > 0) expect_life();
    }
    broke("the peer closed it");
  } catch (const async::IoError& error) {
    broke(error.what());
  }
}

// Returns whether the next frame may be looked at.
bool ClientConnection::take(const Frame& frame) {
  const std::optional<ResponseView> response = read_response(frame.body);
  if (!response) {
    broke("the peer sent something that is not an rpc.v1.Response");
    return false;
  }
  Outgoing* const call = calls_.find(response->id);
  if (call == nullptr) return true;  // Late, or for nobody: dropped.
  if (!response->more) remove(*call);
  const bool has_room = call->take(*response);
  if (response->more && !has_room) held_by_ = call;
  return held_by_ == nullptr;
}

void ClientConnection::begin(Outgoing& call) {
  if (ended_.is_set()) {
    Status status = why_;
    status.never_sent = true;
    return call.end(std::move(status));
  }
  RequestView head;
  head.id = id_next_;
  head.method = call.method;
  head.time_left_ms = time_left_ms(call.context.deadline, loop_.now());
  std::array<char, Trace::text_size> trace{};
  if (call.context.trace.is_set()) {
    call.context.trace.child(random_).write_text(trace.data());
    head.traceparent = {trace.data(), trace.size()};
  }
  if (!append_request(buffer(), head, call.request)) {
    return call.end(Status{.code = StatusCode::resource_exhausted,
                           .message = "the request does not fit into a frame",
                           .never_sent = true});
  }
  call.id = id_next_++;
  calls_.add(call);
  if (silent_since_ == not_silent) expect_life();
}

void ClientConnection::forget(Outgoing& call) noexcept {
  if (call.id == 0) return;
  RequestView head;
  head.id = call.id;
  head.cancel = true;
  const v1::CheckRequest nothing;
  append_request(buffer(), head, nothing);
  remove(call);
}

void ClientConnection::remove(Outgoing& call) noexcept {
  calls_.remove(call);
  call.id = 0;
  resume_reading(call);
  if (waiting_ != nullptr) waiting_->room();
}

void ClientConnection::resume_reading(Outgoing& call) noexcept {
  if (held_by_ != &call) return;
  held_by_ = nullptr;
  released_.set();
}

void ClientConnection::end(Status why) noexcept {
  if (ended_.is_set()) return;
  why_ = std::move(why);
  ended_.set();
  cancel();
  while (Outgoing* const call = calls_.any()) {
    calls_.remove(*call);
    call->id = 0;
    call->end(why_);
  }
}

void ClientConnection::broke(std::string_view why) {
  end(Status{.code = StatusCode::unavailable,
             .message = "the connection to " + server_ + " ended: " + std::string(why)});
}

void ClientConnection::expect_life() {
  silent_since_ = loop_.now();
  if (!is_set()) set(loop_, silent_since_ + limits_.silence_max);
}

// Looks whether something came since; ordinary traffic never touches the timer.
void ClientConnection::fired() {
  if (silent_since_ == not_silent) return;
  if (held_by_ != nullptr) return expect_life();  // Nobody listens: silence says nothing.
  const async::Instant due = silent_since_ + limits_.silence_max;
  if (loop_.now() < due) return set(loop_, due);
  if (asked_for_life_) return broke("it gave no sign of life");
  RequestView head;
  head.id = id_next_++;
  head.method = "rpc.v1.HealthService/Check";
  const v1::CheckRequest whole_server;
  append_request(buffer(), head, whole_server);  // Whatever it answers is a sign of life.
  asked_for_life_ = true;
  silent_since_ = loop_.now();
  set(loop_, silent_since_ + limits_.silence_max);
}

}  // namespace rpc::detail
