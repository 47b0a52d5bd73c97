#include "rpc/status.h"

#include <array>

namespace rpc {

namespace {

struct Meaning {
  std::string_view name;
  Outcome outcome;
  int exit_code;  // For a sure no.
};

// The table of proto/FRAMING.md. RESOURCE_EXHAUSTED and UNAVAILABLE can be said after the work, so
// they are unknown.
constexpr std::array<Meaning, status_code_max + 1> meanings = {{
    {"OK", Outcome::answered, 0},
    {"CANCELLED", Outcome::unknown, 69},
    {"UNKNOWN", Outcome::unknown, 70},
    {"INVALID_ARGUMENT", Outcome::no, 64},
    {"DEADLINE_EXCEEDED", Outcome::unknown, 69},
    {"NOT_FOUND", Outcome::no, 66},
    {"ALREADY_EXISTS", Outcome::no, 1},
    {"PERMISSION_DENIED", Outcome::no, 77},
    {"RESOURCE_EXHAUSTED", Outcome::unknown, 69},
    {"FAILED_PRECONDITION", Outcome::no, 1},
    {"ABORTED", Outcome::unknown, 69},
    {"OUT_OF_RANGE", Outcome::no, 1},
    {"UNIMPLEMENTED", Outcome::no, 76},
    {"INTERNAL", Outcome::unknown, 70},
    {"UNAVAILABLE", Outcome::unknown, 69},
    {"DATA_LOSS", Outcome::unknown, 70},
    {"UNAUTHENTICATED", Outcome::no, 77},
}};

constexpr int exit_unknown = 75;  // EX_TEMPFAIL.

const Meaning& meaning(StatusCode code) noexcept {
  return meanings[static_cast<std::size_t>(code)];
}

}  // namespace

std::string_view name(StatusCode code) noexcept { return meaning(code).name; }

StatusCode status_code(std::uint32_t number) noexcept {
  return number <= status_code_max ? static_cast<StatusCode>(number) : StatusCode::unknown;
}

Outcome Status::outcome() const noexcept {
  return never_sent ? Outcome::no : meaning(code).outcome;
}

std::string Status::text() const {
  std::string text(name(code));
  if (!message.empty()) text.append(": ").append(message);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

int exit_code(const Status& status) noexcept {
  return outcome_unknown(status) ? exit_unknown : meaning(status.code).exit_code;
}

Status status_of(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return known.status();
  } catch (...) {
    return Status{.code = StatusCode::internal, .message = "the server failed; its log says why"};
  }
}

}  // namespace rpc
