#include "rpc/call.h"

#include <coroutine>
#include <utility>

#include "async/fatal.h"
#include "rpc/connection.h"
#include "rpc/server_core.h"

namespace rpc::detail {

namespace {

std::string words_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "something that is not a std::exception";
  }
}

bool is_status(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error&) {
    return true;
  } catch (...) {
    return false;
  }
}

bool is_fatal(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const async::Fatal&) {
    return true;
  } catch (...) {
    return false;
  }
}

std::string too_long(const google::protobuf::Message& response) {
  return "the response has " + std::to_string(response.ByteSizeLong()) +
         " bytes, more than fit into a frame";
}

}  // namespace

Call::Call(Connection& connection, Handler& handler, std::uint64_t id, async::Deadline deadline,
           Trace trace, std::unique_ptr<google::protobuf::Message> request,
           std::size_t request_size)
    : Caller(connection.core().loop),
      connection_(connection),
      handler_(handler),
      deadline_(deadline),
      trace_(trace),
      began_(connection.core().loop.now()),
      request_(std::move(request)),
      request_size_(request_size) {
  request_id = id;
  connection_.retain();
}

Call::~Call() { connection_.release(); }

std::string_view Call::peer() const noexcept { return connection_.peer(); }

bool Call::start() {
  starting_ = true;
  work_.emplace(handler_.run(this));
  work_->await_suspend(std::noop_coroutine());
  starting_ = false;
  if (ended_) {
    destroy_work();
    return false;
  }
  return true;
}

google::protobuf::Message& Call::response() {
  if (!response_)
    response_ = ServerCore::take(handler_.spare_responses, *handler_.response_prototype);
  return *response_;
}

void Call::request_is_read() noexcept {
  if (request_) ServerCore::keep(handler_.spare_requests, std::move(request_), request_size_);
}

void Call::response_is_written() noexcept {
  if (!response_) return;
  const auto size = static_cast<std::size_t>(response_->GetCachedSize());
  ServerCore::keep(handler_.spare_responses, std::move(response_), size);
}

void Call::destroy_work() noexcept {
  work_.reset();
  request_is_read();
  response_is_written();
}

void Call::reply(const google::protobuf::Message& response) {
  if (answered_) return;
  if (connection_.respond(request_id, response, false)) {
    record(Status(), {});
  } else {
    answer(Status{.code = StatusCode::resource_exhausted, .message = too_long(response)});
  }
  response_is_written();
}

void Call::write(const google::protobuf::Message& response) {
  if (answered_) return;
  if (connection_.respond(request_id, response, true)) return;
  throw Error(StatusCode::resource_exhausted, too_long(response));
}

void Call::end_stream() {
  if (!answered_) answer(Status());
}

void Call::fail(const std::exception_ptr& error) {
  const Status status = status_of(error);
  const bool broken = !is_status(error);
  if (broken) {
    const std::string words = words_of(error);
    const CallRecord failed = describe(status, words);
    connection_.core().observer.handler_failed(failed);
  }
  if (!answered_) answer(status);
  if (is_fatal(error)) connection_.core().loop.fail(error);
}

void Call::ended() {
  if (ended_) return;
  ended_ = true;
  if (!starting_) connection_.call_ended(*this);
}

bool Call::can_write() const noexcept { return !answered_ && connection_.can_write(); }

// A stream that was answered instead waits here for its end, which comes with this turn's.
void Call::await_writable(async::Ready& ready) noexcept {
  if (!answered_) connection_.await_writable(ready);
}

void Call::went_on() noexcept { connection_.wake_writer(); }

void Call::abandon(const Status& status) {
  if (!answered_) record(status, {});
  gone.set();
  if (streams()) ended();
}

void Call::answer_instead(const Status& status) {
  if (answered_) return;
  answer(status);
  gone.set();
  if (streams()) ended();
}

void Call::answer(const Status& status) {
  connection_.respond(request_id, status);
  record(status, {});
}

void Call::record(const Status& status, std::string_view error) {
  answered_ = true;
  const CallRecord ended = describe(status, error);
  connection_.core().observer.call_ended(ended);
}

CallRecord Call::describe(const Status& status, std::string_view error) const {
  return CallRecord{.method = handler_.name,
                    .request_id = request_id,
                    .peer = connection_.peer(),
                    .code = status.code,
                    .message = status.message,
                    .error = error,
                    .took = connection_.core().loop.now() - began_,
                    .trace = trace_};
}

}  // namespace rpc::detail
