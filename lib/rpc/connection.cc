#include "rpc/connection.h"

#include <algorithm>
#include <coroutine>
#include <string>
#include <utility>

#include "rpc/server_core.h"

namespace rpc::detail {

namespace {

// More than this leaves at once, while it is warm, and not only at the turn's end.
constexpr std::size_t flush_at_bytes = 256 * 1024;

// A stream waits while this much of its connection's replies has not left.
constexpr std::size_t stream_window_bytes = 128 * 1024;
static_assert(stream_window_bytes < flush_at_bytes,
              "A stream must wait now and then, or it would keep the loop to itself.");

// Beyond this, unknown fields are not kept: a frame full of them takes twelve times its size in
// memory as long as its call lives.
constexpr std::size_t unknown_fields_kept_bytes_max = 1024;

constexpr async::Instant never = async::Instant::max();

}  // namespace

Connection::Connection(ServerCore& core, async::Stream from)
    : ConnectionStream{std::move(from)},
      Outbox(core.loop, ConnectionStream::stream, core.buffers),
      core_(&core),
      frames_(core.limits.request_body_size_max),
      room_(core.loop),
      peer_(ConnectionStream::stream.peer()) {
  room_.set();
}

Connection::~Connection() = default;

void Connection::start() {
  reader_.emplace(read_requests());
  reader_->await_suspend(std::noop_coroutine());
}

async::Task<> Connection::read_requests() {
  const auto on_frame = [this](const Frame& frame) { return take(frame); };
  std::string left;  // Read, but not looked at yet: the reply queue is full.
  try {
    while (true) {
      std::span<const std::byte> bytes = async::bytes_of(left);
      if (left.empty()) {
        bytes = co_await stream.read_some();
        if (bytes.empty()) break;
      }
      const std::size_t used = frames_.feed(bytes, on_frame);
      std::string rest(async::text_of(bytes.subspan(used)));
      left = std::move(rest);
      if (closing_) co_return;
      if (frames_.is_partial()) {
        if (frame_began_ == never) frame_began_ = core_->loop.now();
        watch(frame_began_ + core_->limits.frame_time_max);
      }
      if (is_full()) co_await until_room();
    }
    close_soon({});
  } catch (const async::IoError& error) {
    close_soon(error.what());
  }
}

async::Task<> Connection::until_room() {
  room_.clear();
  co_await room_;
  // The caller could not go on with its frame while nobody read it.
  if (frame_began_ != never) frame_began_ = core_->loop.now();
}

// Returns whether the next frame may be looked at.
bool Connection::take(const Frame& frame) {
  frame_began_ = never;
  if (frame.oversize) {
    refuse({}, StatusCode::resource_exhausted, "the frame is longer than this server takes");
  } else if (frame.body.empty()) {
    refuse({}, StatusCode::invalid_argument, "the frame is empty");
  } else if (const std::optional<RequestView> request = read_request(frame.body)) {
    take_request(*request);
  } else {
    refuse({}, StatusCode::invalid_argument, "the frame is not an rpc.v1.Request");
  }
  if (pending() >= flush_at_bytes) flush();
  return !is_full() && !closing_;
}

void Connection::take_request(const RequestView& request) {
  if (request.cancel) return cancel_call(request.id);
  if (request.id == 0) return refuse({}, StatusCode::invalid_argument, "the id is 0");
  // Callers count up, so that an id above all others cannot be in flight.
  if (request.id <= highest_id_ && find(request.id) != nullptr) {
    return refuse({}, StatusCode::invalid_argument, "the id is in flight");
  }
  highest_id_ = std::max(highest_id_, request.id);
  if (core_->is_draining()) {
    return refuse(request, StatusCode::unavailable, "the server is shutting down");
  }
  Handler* handler = handler_before_;
  if (handler == nullptr || handler->name != request.method) handler = core_->find(request.method);
  if (handler == nullptr) {
    return refuse(request, StatusCode::unimplemented, "this server has no such method");
  }
  if (call_count_ >= core_->limits.calls_in_flight_per_connection_max) {
    return refuse(request, StatusCode::resource_exhausted,
                  "too many calls in flight on this connection");
  }
  if (core_->calls_in_flight() >= core_->limits.calls_in_flight_max) {
    return refuse(request, StatusCode::resource_exhausted, "the server has too many calls");
  }
  handler_before_ = handler;
  begin_call(request, *handler);
}

void Connection::begin_call(const RequestView& request, Handler& handler) {
  std::unique_ptr<google::protobuf::Message> message =
      ServerCore::take(handler.spare_requests, *handler.prototype);
  const auto size = static_cast<int>(request.body.size());
  if (!message->ParseFromArray(request.body.data(), size)) {
    refuse(request, StatusCode::invalid_argument,
           "the body is not a " + message->GetDescriptor()->full_name());
    return;
  }
  if (request.body.size() > unknown_fields_kept_bytes_max) message->DiscardUnknownFields();

  const async::Instant now = core_->loop.now();
  async::Deadline deadline = async::Deadline::never();
  if (request.time_left_ms > 0) {
    deadline = async::Deadline::at(now + std::chrono::milliseconds(request.time_left_ms));
  } else if (!handler.descriptor->server_streaming()) {
    deadline = async::Deadline::at(now + core_->limits.call_time_default);
  }
  Trace trace;
  if (!request.traceparent.empty()) trace = Trace::parse(request.traceparent).value_or(Trace());

  auto* const call = new Call(*this, handler, request.id, deadline, trace, std::move(message),
                              request.body.size());
  if (call->start()) {
    watch(call->waits_until());
    call->insert_before(calls_);
    ++call_count_;
    core_->call_began();
  } else {
    call->release();  // It was answered at once.
  }
}

void Connection::cancel_call(std::uint64_t id) {
  Call* const call = find(id);
  if (call == nullptr) return;
  call->abandon(Status{.code = StatusCode::cancelled, .message = "the caller gave up"});
}

// The newest is asked last: calls that take long stand in front.
Call* Connection::find(std::uint64_t id) noexcept {
  for (async::detail::Link* link = calls_.next(); link != &calls_; link = link->next()) {
    Call* const call = static_cast<Call*>(link);
    if (call->request_id == id) return call;
  }
  return nullptr;
}

void Connection::call_ended(Call& call) noexcept {
  --call_count_;
  core_->call_ended(call);
}

void Connection::refuse(const RequestView& request, StatusCode code, std::string_view message) {
  append_status(buffer(), request.id, code, message);
  const CallRecord record{.method = request.method,
                          .request_id = request.id,
                          .peer = peer_,
                          .code = code,
                          .message = message,
                          .error = {},
                          .took = {},
                          .trace = Trace()};
  core_->observer.call_ended(record);
}

void Connection::respond(std::uint64_t id, const Status& status) {
  if (is_open()) append_status(buffer(), id, status.code, status.message);
}

bool Connection::respond(std::uint64_t id, const google::protobuf::Message& response, bool more) {
  if (!is_open()) return true;
  const bool fits = append_response(buffer(), id, response, more);
  if (pending() >= flush_at_bytes) flush();
  return fits;
}

bool Connection::can_write() const noexcept { return pending() < stream_window_bytes; }

void Connection::wake_writer() noexcept {
  if (!writers_.linked() || !can_write()) return;
  core_->loop.make_ready(static_cast<async::Ready&>(*writers_.next()));
}

bool Connection::is_full() const noexcept {
  return pending() >= core_->limits.reply_queue_bytes_max;
}

async::Duration Connection::unread_time_max() const noexcept {
  const ServerLimits& limits = core_->limits;
  return core_->is_draining() ? std::min(limits.unread_time_max, limits.drain_unread_time_max)
                              : limits.unread_time_max;
}

void Connection::must_wait() {
  unread_since_ = core_->loop.now();
  watch(unread_since_ + unread_time_max());
}

void Connection::hurry() {
  if (is_open() && unread_since_ != never) watch(unread_since_ + unread_time_max());
}

void Connection::progressed() {
  unread_since_ = pending() == 0 ? never : core_->loop.now();
  if (!room_.is_set() && pending() < core_->limits.reply_queue_bytes_max / 2) room_.set();
  wake_writer();
  core_->wrote();
}

// One timer for the deadlines of the calls and the limits of the connection. It is set for the
// earliest and looks again when it fires, so that ordinary traffic need not touch it.
void Connection::watch(async::Instant due) {
  if (due == never || (is_set() && due_ <= due)) return;
  due_ = due;
  set(core_->loop, due);
}

void Connection::fired() {
  const async::Instant now = core_->loop.now();
  expire_calls(now);
  if (unread_since_ != never) {
    const async::Instant due = unread_since_ + unread_time_max();
    if (due <= now) return close_soon("it did not read its replies in time");
    watch(due);
  }
  if (room_.is_set() && frame_began_ != never) {
    const async::Instant due = frame_began_ + core_->limits.frame_time_max;
    if (due <= now) return close_soon("it did not finish a frame in time");
    watch(due);
  }
}

void Connection::expire_calls(async::Instant now) {
  const Status too_late{.code = StatusCode::deadline_exceeded,
                        .message = "the answer was not ready in the time that the caller gave"};
  for (async::detail::Link* link = calls_.next(); link != &calls_;) {
    Call* const call = static_cast<Call*>(link);
    link = link->next();
    if (call->waits_until() <= now) {
      call->answer_instead(too_late);
    } else {
      watch(call->waits_until());
    }
  }
}

void Connection::close_soon(std::string_view why) {
  if (closing_) return;
  closing_ = true;
  why_closed_ = why;
  core_->close_soon(*this);
}

void Connection::end_streams(const Status& status) {
  for (async::detail::Link* link = calls_.next(); link != &calls_;) {
    Call* const call = static_cast<Call*>(link);
    link = link->next();
    if (call->streams()) call->answer_instead(status);
  }
}

void Connection::close() {
  flush();  // What is ready, and fits, still leaves.
  const Status gone{.code = StatusCode::cancelled, .message = "the connection ended"};
  for (async::detail::Link* link = calls_.next(); link != &calls_;) {
    Call* const call = static_cast<Call*>(link);
    link = link->next();
    call->abandon(gone);
  }
  cancel();
  stop();
  reader_.reset();
  stream.close();
}

void Connection::destroy_calls() noexcept {
  while (calls_.linked()) {
    Call* const call = static_cast<Call*>(calls_.next());
    call->unlink();
    call->destroy_work();
    call->release();
  }
}

}  // namespace rpc::detail
