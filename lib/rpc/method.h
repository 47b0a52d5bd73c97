// Method: a name of the wire with its message types.
#pragma once

#include <atomic>
#include <concepts>
#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace rpc {

template <typename Type>
concept MessageType = std::derived_from<Type, google::protobuf::Message>;

namespace detail {

// Finds "bank.v1.BankService/Hold" in the pool of the files that were compiled in, and throws
// std::logic_error with a sentence unless it takes and gives these messages in this way.
const google::protobuf::MethodDescriptor& checked_method(
    std::string_view name, const google::protobuf::Descriptor& request,
    const google::protobuf::Descriptor& response, bool streams);

template <MessageType Request, MessageType Response, bool streams>
class MethodBase {
 public:
  // `name` is a literal: "bank.v1.BankService/Hold".
  consteval explicit MethodBase(std::string_view name) : name_(name) {}

  std::string_view name() const noexcept { return name_; }
  // That the .proto files say the same as the types; looked up at the constant's first call. Any
  // thread.
  void check() const {
    if (checked_.load(std::memory_order_relaxed)) return;
    checked_method(name_, *Request::descriptor(), *Response::descriptor(), streams);
    checked_.store(true, std::memory_order_relaxed);
  }

 private:
  std::string_view name_;
  mutable std::atomic<bool> checked_ = false;  // The constant is every loop's.
};

}  // namespace detail

// One request, one response. A constant that outlives every call:
//
//   inline constinit const rpc::Method<HoldRequest, HoldResponse> hold{"bank.v1.BankService/Hold"};
template <MessageType Request, MessageType Response>
class Method : public detail::MethodBase<Request, Response, false> {
 public:
  // Spelled out: g++ 12 does not inherit a consteval constructor.
  consteval explicit Method(std::string_view name)
      : detail::MethodBase<Request, Response, false>(name) {}
};

// One request, a stream of responses.
template <MessageType Request, MessageType Response>
class StreamMethod : public detail::MethodBase<Request, Response, true> {
 public:
  // Spelled out: g++ 12 does not inherit a consteval constructor.
  consteval explicit StreamMethod(std::string_view name)
      : detail::MethodBase<Request, Response, true>(name) {}
};

}  // namespace rpc
