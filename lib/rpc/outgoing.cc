#include "rpc/outgoing.h"

#include <utility>

#include "rpc/envelope.h"

namespace rpc::detail {

namespace {

Status bad_answer(std::string what) {
  return Status{.code = StatusCode::internal, .message = std::move(what), .bad_answer = true};
}

Status status_of_response(const ResponseView& response) {
  if (response.code == 0 && !response.has_body) {
    return bad_answer("it speaks another protocol");
  }
  return Status{.code = status_code(response.code), .message = std::string(response.message)};
}

bool parse(google::protobuf::Message& message, std::string_view body) {
  return message.ParseFromArray(body.data(), static_cast<int>(body.size()));
}

Status not_a(const google::protobuf::Message& message) {
  return bad_answer("the server's response is not a " + message.GetDescriptor()->full_name());
}

// True: its type can say yes and no, and it says neither, or something that this program's .proto
// files do not have.
bool lacks_outcome(const google::protobuf::Message& message) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const google::protobuf::OneofDescriptor* const oneof = type.oneof_decl(i);
    if (oneof->name() == "outcome") return !message.GetReflection()->HasOneof(message, oneof);
  }
  return false;
}

}  // namespace

void Outgoing::begin() {
  async::Loop& loop = route_.loop();
  if (context.deadline.has_passed(loop.now())) {
    return end(Status{.code = StatusCode::deadline_exceeded,
                      .message = "the time was over before the call began",
                      .never_sent = true});
  }
  begun_ = true;
  if (!context.deadline.is_never()) set(loop, context.deadline.when());
  route_.begin(*this);
}

void Outgoing::forget() noexcept {
  if (!begun_) return;
  ended();
  unlink();
  route_.forget(*this);
}

void Outgoing::fired() {
  const bool sent = id != 0;
  Status status;
  if (sent) {
    status = {.code = StatusCode::deadline_exceeded, .message = "no answer came in time"};
  } else {
    std::string message = "it could not be sent in time";
    if (const std::string_view why = route_.why_waiting(); !why.empty())
      message.append(": ").append(why);
    status = {.code = StatusCode::unavailable, .message = std::move(message), .never_sent = true};
  }
  forget();
  end(std::move(status));
}

void OutgoingCall::finish(Status status) {
  ended();
  status_ = std::move(status);
  done_ = true;
  if (ready_.handle) route().loop().make_ready(ready_);
}

bool OutgoingCall::take(const ResponseView& response) {
  if (response.more) {
    forget();
    finish(bad_answer("the server's response is a stream"));
  } else if (response.code != 0 || !response.has_body) {
    finish(status_of_response(response));
  } else if (!parse(response_, response.body)) {
    finish(not_a(response_));
  } else if (lacks_outcome(response_)) {
    finish(bad_answer("the server's " + response_.GetDescriptor()->full_name() +
                      " says neither yes nor no"));
  } else {
    finish(Status());
  }
  return true;
}

OutgoingStream::OutgoingStream(Route& route, std::string called,
                               std::unique_ptr<google::protobuf::Message> asked, Context made_in)
    : StreamRequest{std::move(called), std::move(asked)},
      Outgoing(route, StreamRequest::name, *StreamRequest::message, std::move(made_in)) {}

bool OutgoingStream::take(const ResponseView& response) {
  if (response.more) {
    queued_bytes_ += response.body.size();
    bodies_.emplace_back(response.body);
    wake();
  } else {
    end(status_of_response(response));
  }
  return !is_full();
}

void OutgoingStream::end(Status status) {
  ended();
  end_ = std::move(status);
  wake();
}

bool OutgoingStream::is_full() noexcept {
  return queued_bytes_ >= route().stream_queue_bytes_max();
}

void OutgoingStream::wake() noexcept {
  if (reader_ != nullptr) route().loop().make_ready(*std::exchange(reader_, nullptr));
}

bool OutgoingStream::Next::await_ready() {
  if (!std::exchange(stream_.started_, true)) stream_.begin();
  return !stream_.bodies_.empty() || stream_.end_.has_value();
}

bool OutgoingStream::Next::await_resume() {
  if (stream_.bodies_.empty()) {
    if (!stream_.end_->is_ok()) throw Error(*stream_.end_);
    return false;
  }
  const std::string body = std::move(stream_.bodies_.front());
  stream_.bodies_.pop_front();
  stream_.queued_bytes_ -= body.size();
  if (!stream_.is_full() && stream_.id != 0) stream_.route().resume_reading(stream_);
  if (!parse(response_, body)) throw Error(not_a(response_));
  return true;
}

}  // namespace rpc::detail
