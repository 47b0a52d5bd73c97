// Status: how a call ended, and what its caller may conclude from it.
#pragma once

#include <cstdint>
#include <exception>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace rpc {

// gRPC's seventeen, with gRPC's numbers and meanings. A refusal of the bank is none of them: it is
// a value in an OK response.
enum class StatusCode : std::uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

inline constexpr std::uint32_t status_code_max = 16;

// "DEADLINE_EXCEEDED".
std::string_view name(StatusCode code) noexcept;
// A number from the wire. One that gRPC does not have is `unknown`.
StatusCode status_code(std::uint32_t number) noexcept;

// What the caller of a change may conclude (proto/FRAMING.md, "Status codes").
enum class Outcome : std::uint8_t {
  answered,  // The response says yes or no.
  no,        // It never began.
  unknown,   // It may have happened, or may still happen. Ask with the same change id.
};

// How a call ended.
struct Status {
  StatusCode code = StatusCode::ok;
  std::string message = {};  // For people: one sentence, empty when OK.
  // True: the request was never handed to the network, so that whatever the code says it did not
  // happen. Only a client knows.
  bool never_sent = false;
  // True: something came back, and it is no answer to this method that this program understands.
  // Asking again brings the same. Only a client knows.
  bool bad_answer = false;

  bool is_ok() const noexcept { return code == StatusCode::ok; }
  Outcome outcome() const noexcept;
  // "UNAVAILABLE: bank:7001 refused the connection".
  std::string text() const;

  friend bool operator==(const Status&, const Status&) = default;
};

inline bool outcome_unknown(const Status& status) noexcept {
  return status.outcome() == Outcome::unknown;
}

// The exit status of a program whose call ended so, in the numbers of <sysexits.h>: 0 answered, 75
// unknown, and for a sure no 69 not reached, 65 malformed or out of range, 66 not found, 73 exists,
// 76 not implemented, 77 not allowed, 70 anything else.
int exit_code(const Status& status) noexcept;

// A call that did not end OK, where it cannot be a value. A handler may throw it: its status is the
// answer.
class Error : public std::exception {
 public:
  explicit Error(Status status) : status_(std::move(status)), text_(status_.text()) {}
  Error(StatusCode code, std::string message)
      : Error(Status{.code = code, .message = std::move(message)}) {}

  const Status& status() const noexcept { return status_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Status status_;
  std::string text_;
};

// The status of what a handler threw: rpc::Error's own, and INTERNAL for everything else, whose
// words stay in the log.
Status status_of(const std::exception_ptr& error) noexcept;

// A response, or why there is none.
template <typename Response>
using Reply = std::expected<Response, Status>;

}  // namespace rpc
